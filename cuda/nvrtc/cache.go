package nvrtc

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Cache keeps compiled programs in a folder, one file each, named by the hash of all that determines the PTX. It may be
// shared by several processes.
type Cache struct {
	Dir string // created when it is first written to
}

// Compile returns the PTX of a program from the cache, or compiles and keeps it. A file that is damaged is replaced.
// When the folder cannot be written the PTX is returned all the same, with an error that is a *CacheError.
func (k Cache) Compile(c *Compiler, name, source string, options []string) ([]byte, error) {
	path := filepath.Join(k.Dir, Key(c, source, options)+".ptx")
	if data, err := os.ReadFile(path); err == nil {
		if ptx, ok := unseal(data); ok {
			return ptx, nil
		}
	}
	ptx, err := c.Compile(name, source, options)
	if err != nil {
		return nil, err
	}
	if err := k.keep(path, ptx); err != nil {
		return ptx, &CacheError{err}
	}
	return ptx, nil
}

// CacheError says that a program was compiled but could not be kept.
type CacheError struct{ err error }

// Error names the file.
func (e *CacheError) Error() string {
	return fmt.Sprintf("nvrtc: keeping a compiled kernel: %v; kernels will be compiled again next time", e.err)
}

// Unwrap is the error of the file system.
func (e *CacheError) Unwrap() error { return e.err }

// Key is the name of a program in the cache: a hash of source, options and the compiler's version.
func Key(c *Compiler, source string, options []string) string {
	h := sha256.New()
	fmt.Fprintf(h, "ganglion ptx 1\nCUDA %d.%d\n%q\n%d\n", c.major, c.minor, strings.Join(options, "\x00"), len(source))
	h.Write([]byte(source))
	return hex.EncodeToString(h.Sum(nil))[:40]
}

const sealed = "// sha256 "

// unseal takes off the first line, which holds the hash of the rest, and tells whether it fits.
func unseal(data []byte) ([]byte, bool) {
	head, ptx, ok := bytes.Cut(data, []byte("\n"))
	sum := sha256.Sum256(ptx)
	return ptx, ok && string(head) == sealed+hex.EncodeToString(sum[:])
}

// keep writes a file whole or not at all.
func (k Cache) keep(path string, ptx []byte) error {
	if err := os.MkdirAll(k.Dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(k.Dir, ".ptx-*")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(ptx)
	_, err = fmt.Fprintf(f, "%s%s\n%s", sealed, hex.EncodeToString(sum[:]), ptx)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
