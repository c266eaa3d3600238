//go:build !(gpu && cgo && linux)

package nvrtc

import "errors"

// library is nothing in this build.
type library struct{}

var errBuild = errors.New("this program was built without the tag gpu, without cgo, or not for Linux")

func (c *Compiler) load() error {
	c.lib = library{}
	return errBuild
}

// Compile turns a program into PTX; this build has no compiler, so that it always fails.
func (c *Compiler) Compile(name, source string, options []string) ([]byte, error) {
	return nil, errors.Join(ErrUnavailable, errBuild)
}
