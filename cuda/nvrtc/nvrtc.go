// Package nvrtc compiles CUDA C to PTX by NVIDIA's run-time compiler, which is loaded when it is asked for and never
// linked. A host without it loses run-time fusion only; the kernels that ship with the engine are compiled beforehand.
package nvrtc

import (
	"errors"
	"fmt"
)

// ErrUnavailable says that no compiler could be loaded.
var ErrUnavailable = errors.New("no NVRTC")

// Compiler is a loaded library. It may be used by several goroutines.
type Compiler struct {
	lib          library
	path         string
	major, minor int
}

// CompileError is a program that the compiler refused.
type CompileError struct {
	Name string // of the program
	Code int    // of nvrtcResult
	Log  string // the compiler's messages, with line numbers
}

// Error gives the messages of the compiler.
func (e *CompileError) Error() string {
	return fmt.Sprintf("nvrtc: %s: error %d:\n%s", e.Name, e.Code, e.Log)
}

// Open loads the library at a path; "" and "auto" mean the one that the dynamic loader finds, "off" none. Errors are
// ErrUnavailable with the reason.
func Open(path string) (*Compiler, error) {
	names := []string{path}
	switch path {
	case "off":
		return nil, fmt.Errorf("nvrtc: switched off: %w", ErrUnavailable)
	case "", "auto":
		names = []string{"libnvrtc.so.12", "libnvrtc.so.13", "libnvrtc.so.11.2", "libnvrtc.so"}
	}
	var why error
	for _, name := range names {
		c := &Compiler{path: name}
		err := c.load()
		if err == nil {
			return c, nil
		}
		if why == nil {
			why = err
		}
	}
	return nil, fmt.Errorf("nvrtc: %w: %w; install the CUDA run-time compiler or give its path", ErrUnavailable, why)
}

// Path is the name under which the library was loaded.
func (c *Compiler) Path() string { return c.path }

// Version is the version of CUDA that the library belongs to.
func (c *Compiler) Version() (major, minor int) { return c.major, c.minor }

// Usable returns an error if a driver of the given version, 1000·major + 10·minor as cuDriverGetVersion has it, would
// refuse the compiler's PTX because it is too new.
func (c *Compiler) Usable(driver int) error {
	if own := 1000*c.major + 10*c.minor; own > driver {
		return fmt.Errorf(
			"nvrtc: %s is of CUDA %d.%d, the driver only takes PTX of CUDA %d.%d: %w; update the driver, or "+
				"take an older compiler",
			c.path,
			c.major,
			c.minor,
			driver/1000,
			driver%1000/10,
			ErrUnavailable,
		)
	}
	return nil
}
