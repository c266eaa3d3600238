// Package ptx gives access to the compiled CUDA kernels of all families. Without the build tag gpu it is empty.
package ptx

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// ErrNone says that there is no compiled kernel of a module.
var ErrNone = errors.New("no compiled kernel")

// variants are the compute capabilities that some kernels have PTX of their own for, highest first.
var variants = [...]int{90, 80}

// Module returns the PTX of a module such as "dense/unary" for a device of the given compute capability (70, 75, 80 …):
// the highest that the device can run. Errors are ErrNone with the reason.
func Module(name string, capability int) ([]byte, error) {
	folder, file, ok := strings.Cut(name, "/")
	if capability < 70 {
		return nil, fmt.Errorf("ptx: module %s: compute capability %d.%d, need 7.0: %w", name, capability/10,
			capability%10, ErrNone)
	}
	files := family(folder)
	if !ok || files == nil {
		return nil, fmt.Errorf("ptx: module %s: no family of that name has kernels in this program: %w", name, ErrNone)
	}
	for _, v := range variants {
		if v <= capability {
			if data, err := fs.ReadFile(files, fmt.Sprintf("ptx/%s.sm%d.ptx", file, v)); err == nil {
				return data, nil
			}
		}
	}
	data, err := fs.ReadFile(files, "ptx/"+file+".ptx")
	if err != nil {
		return nil, fmt.Errorf("ptx: module %s: %w: %w", name, ErrNone, err)
	}
	return data, nil
}
