// Command pack writes the light form of the gas sensor data that is kept in engine/data/sets/gas:
//
//	go run ./engine/data/internal/pack -in gas.npz -out engine/data/sets/gas
//
// gas.npz holds x float32 [n, d], y and batch int32 [n], concentration float32 [n] and split_75_25 int8 [k, n]. The
// bits of x are kept, in four files of one byte plane each: x0.npz holds byte 0 (the least) of every value, x3.npz
// byte 3, as uint8 [d, n]. Sorted like this, deflate takes a fifth less than row by row, and no file is larger than 1
// MiB.
package main

import (
	"archive/zip"
	"compress/flate"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"ganglion/engine/data/source"
)

func main() {
	in := flag.String("in", "gas.npz", "the data set as one .npz file")
	out := flag.String("out", ".", "the folder to write to")
	flag.Parse()
	if err := pack(*in, *out); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

// array is a named array to write; data is []int8, []uint8 or []float32.
type array struct {
	name  string
	shape []int
	data  any
}

func pack(in, out string) error {
	f, err := source.Read(in, source.Limits{})
	if err != nil {
		return err
	}
	a, err := source.OpenArchive(f, source.Limits{})
	if err != nil {
		return err
	}
	x, shape, err := a.Floats("x")
	if err != nil {
		return err
	}
	if len(shape) != 2 {
		return fmt.Errorf("%s: want x of shape [rows, columns], got %v", in, shape)
	}
	for b := range 4 {
		err := write(filepath.Join(out, fmt.Sprintf("x%d.npz", b)),
			array{"plane", []int{shape[1], shape[0]}, plane(x, shape[0], shape[1], b)})
		if err != nil {
			return err
		}
	}
	meta, err := readMeta(a)
	if err != nil {
		return err
	}
	return write(filepath.Join(out, "meta.npz"), meta...)
}

// plane returns byte b of each float32 of x, [n, d], column by column.
func plane(x []float64, n, d, b int) []uint8 {
	p := make([]uint8, 0, n*d)
	for j := range d {
		for i := range n {
			p = append(p, uint8(math.Float32bits(float32(x[i*d+j]))>>(8*b)))
		}
	}
	return p
}

func readMeta(a *source.Archive) ([]array, error) {
	var meta []array
	for _, key := range []string{"y", "batch", "split_75_25"} {
		v, shape, err := a.Ints(key)
		if err != nil {
			return nil, err
		}
		small := make([]int8, len(v))
		for i, w := range v {
			small[i] = int8(w)
		}
		meta = append(meta, array{key, shape, small})
	}
	v, shape, err := a.Floats("concentration")
	if err != nil {
		return nil, err
	}
	ppmv := make([]float32, len(v))
	for i, w := range v {
		ppmv[i] = float32(w)
	}
	return append(meta, array{"concentration", shape, ppmv}), nil
}

// write writes an .npz file with the strongest deflate and without times, so that the same arrays give the same bytes.
func write(path string, arrays ...array) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z := zip.NewWriter(f)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	for _, a := range arrays {
		w, err := z.CreateHeader(&zip.FileHeader{Name: a.name + ".npy", Method: zip.Deflate})
		if err != nil {
			return err
		}
		if _, err := w.Write(header(a)); err != nil {
			return err
		}
		if err := binary.Write(w, binary.LittleEndian, a.data); err != nil {
			return err
		}
	}
	return z.Close()
}

// header is the head of an .npy file, padded to a multiple of 64 bytes.
func header(a array) []byte {
	descr := "'<f4'"
	switch a.data.(type) {
	case []int8:
		descr = "'|i1'"
	case []uint8:
		descr = "'|u1'"
	}
	shape := strings.Trim(strings.ReplaceAll(fmt.Sprint(a.shape), " ", ", "), "[]")
	if len(a.shape) == 1 {
		shape += ","
	}
	dict := fmt.Sprintf("{'descr': %s, 'fortran_order': False, 'shape': (%s), }", descr, shape)
	dict += strings.Repeat(" ", 63-(10+len(dict))%64) + "\n"
	h := append([]byte("\x93NUMPY\x01\x00"), byte(len(dict)), byte(len(dict)>>8))
	return append(h, dict...)
}
