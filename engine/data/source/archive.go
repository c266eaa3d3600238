package source

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// An archive may hold this many arrays.
const maxEntries = 1024

// Archive is an .npz file: named arrays of bool, integers or floats. Names are keys only and never used as paths.
//
// The heads are parsed here and not by a library because the readers at hand trust them: they index them unchecked
// and allocate what they say.
type Archive struct {
	Name    string
	SHA256  string
	keys    []string // sorted
	entries map[string]*zip.File
}

// IsArchive says whether the bytes begin like a zip file.
func IsArchive(b []byte) bool {
	return bytes.HasPrefix(b, []byte("PK\x03\x04")) || bytes.HasPrefix(b, []byte("PK\x05\x06"))
}

// OpenArchive reads the directory of an .npz file and checks every size in it against the caps. The error is an *Error.
func OpenArchive(f *File, limits Limits) (*Archive, error) {
	z, err := zip.NewReader(bytes.NewReader(f.Data), int64(len(f.Data)))
	if err != nil {
		return nil, &Error{File: f.Name, Want: "a whole .npz archive", Got: err.Error(),
			Remedy: "the file is damaged or was cut off: fetch it again"}
	}
	a := &Archive{Name: f.Name, SHA256: f.SHA256, entries: map[string]*zip.File{}}
	if len(z.File) > maxEntries {
		return nil, a.bad("", fmt.Errorf("want at most %d arrays, got %d", maxEntries, len(z.File)))
	}
	limit := limits.unpacked(int64(len(f.Data)))
	var total uint64
	for _, e := range z.File {
		key, ok := strings.CutSuffix(e.Name, ".npy")
		switch {
		case !ok:
			return nil, a.bad(e.Name, fmt.Errorf("want only arrays (names that end in .npy)"))
		case a.entries[key] != nil:
			return nil, a.bad(key, fmt.Errorf("the array stands twice in the archive"))
		case e.Method != zip.Store && e.Method != zip.Deflate, e.Flags&1 != 0:
			return nil, a.bad(key, fmt.Errorf("want a stored or deflated array without a password"))
		}
		a.entries[key] = e
		a.keys = append(a.keys, key)
		if total += e.UncompressedSize64; total > uint64(limit) || e.UncompressedSize64 > uint64(limit) {
			return nil, a.bad(key, fmt.Errorf("the arrays unpack to more than %d bytes", limit))
		}
	}
	slices.Sort(a.keys)
	return a, nil
}

// Keys returns the names of the arrays, sorted.
func (a *Archive) Keys() []string { return slices.Clone(a.keys) }

// Has says whether there is an array of that name.
func (a *Archive) Has(key string) bool { return a.entries[key] != nil }

// Shape returns an array's shape and whether its elements are whole numbers (integers or bool), from its head alone.
func (a *Archive) Shape(key string) (shape []int, whole bool, err error) {
	r, h, err := a.open(key)
	if err != nil {
		return nil, false, err
	}
	return h.shape, h.kind != 'f', r.Close()
}

// Floats reads an array as float64, in C order whatever the order in the file, with its shape.
func (a *Archive) Floats(key string) ([]float64, []int, error) {
	return read(a, key, func(arrayHeader) error { return nil }, floats)
}

// Ints reads an array of integers or bool as int64, in C order whatever the order in the file, with its shape. An
// array of floats is an error, as is an unsigned number beyond int64.
func (a *Archive) Ints(key string) ([]int64, []int, error) {
	return read(a, key, func(h arrayHeader) error {
		if h.kind == 'f' {
			return fmt.Errorf("want integers, got %v", h)
		}
		return nil
	}, ints)
}

// open opens an array behind its head, whose size is checked against the entry's.
func (a *Archive) open(key string) (io.ReadCloser, arrayHeader, error) {
	e := a.entries[key]
	if e == nil {
		return nil, arrayHeader{}, a.bad(key, fmt.Errorf("there is no such array, only %s", strings.Join(a.keys, ", ")))
	}
	r, err := e.Open()
	if err != nil {
		return nil, arrayHeader{}, a.bad(key, err)
	}
	h, length, err := readArrayHeader(r)
	if err == nil {
		n, _ := h.elements()
		if want, got := uint64(n)*uint64(h.size), e.UncompressedSize64-uint64(length); want != got {
			err = fmt.Errorf("want %d bytes for shape %v of %v, got %d", want, h.shape, h, int64(got))
		}
	}
	if err != nil {
		r.Close() // the error at hand says more
		return nil, arrayHeader{}, a.bad(key, err)
	}
	return r, h, nil
}

func (a *Archive) bad(key string, err error) error {
	e := &Error{File: a.Name, Err: err, Remedy: "save it again with numpy.savez_compressed"}
	if key != "" {
		e.Err = fmt.Errorf("array %.100q: %w", key, err)
	}
	return e
}
