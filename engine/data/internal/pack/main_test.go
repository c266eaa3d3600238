package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"ganglion/engine/data/source"
)

// What is packed is put together again bit for bit, and packing twice gives the same bytes.
func TestPack(t *testing.T) {
	dir := t.TempDir()
	x := []float32{1.5, -2, 3e9, 0, float32(math.Pi), 1e-30}
	in := filepath.Join(dir, "gas.npz")
	if err := write(in, array{"x", []int{3, 2}, x}, array{"y", []int{3}, []int8{0, 1, 5}},
		array{"batch", []int{3}, []int8{1, 1, 9}}, array{"split_75_25", []int{1, 3}, []int8{0, 0, 1}},
		array{"concentration", []int{3}, []float32{10, 20.5, 1000}}); err != nil {
		t.Fatal(err)
	}
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	for _, out := range []string{one, two} {
		if err := os.Mkdir(out, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := pack(in, out); err != nil {
			t.Fatal(err)
		}
	}
	words := make([]byte, 4*len(x))
	for b := range 4 {
		name := fmt.Sprintf("x%d.npz", b)
		plane, shape, err := open(t, filepath.Join(one, name)).Ints("plane")
		if err != nil || fmt.Sprint(shape) != "[2 3]" {
			t.Fatalf("%s: shape %v, %v", name, shape, err)
		}
		for j := range 2 {
			for i := range 3 {
				words[4*(2*i+j)+b] = byte(plane[3*j+i])
			}
		}
	}
	for i, want := range x {
		if got := math.Float32frombits(binary.LittleEndian.Uint32(words[4*i:])); got != want {
			t.Errorf("value %d: got %v, want %v", i, got, want)
		}
	}
	ppmv, _, err := open(t, filepath.Join(one, "meta.npz")).Floats("concentration")
	if err != nil || fmt.Sprint(ppmv) != "[10 20.5 1000]" {
		t.Errorf("concentration %v, %v", ppmv, err)
	}
	for _, name := range []string{"x0.npz", "x3.npz", "meta.npz"} {
		a, errA := os.ReadFile(filepath.Join(one, name))
		b, errB := os.ReadFile(filepath.Join(two, name))
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("%s differs: %v, %v", name, errA, errB)
		}
	}
}

func open(t *testing.T, path string) *source.Archive {
	t.Helper()
	f, err := source.Read(path, source.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := source.OpenArchive(f, source.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}
