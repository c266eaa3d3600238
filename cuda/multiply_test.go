//go:build gpu && cgo && linux && (amd64 || arm64)

package cuda

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ganglion/cuda/cublas"
)

// fakeCUBLAS builds the stand-in for cuBLAS.
func fakeCUBLAS(t *testing.T) string {
	t.Helper()
	gcc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip(err)
	}
	path := filepath.Join(t.TempDir(), "libcublas.so")
	out, err := exec.Command(gcc, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", path, "testdata/cublas.c",
		"-ldl").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// matrix puts small whole numbers on the device, so that products are exact.
func matrix(t *testing.T, d *Device, wide bool, n, seed int) (*Buffer, []float64) {
	t.Helper()
	v, bytes := make([]float64, n), []byte{}
	for i := range v {
		v[i] = float64((i*7+seed*13)%11 - 5)
		if wide {
			bytes = binary.LittleEndian.AppendUint64(bytes, math.Float64bits(v[i]))
			continue
		}
		bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(float32(v[i])))
	}
	b := must(d.Alloc(len(bytes), "matrix"))(t)
	check(t, d.CopyIn(b.Address(), bytes))
	return b, v
}

// product is the reference.
func product(p *cublas.Product, a, b []float64) []float64 {
	c := make([]float64, p.Batch*p.M*p.N)
	for q := range p.Batch {
		for i := range p.M {
			for j := range p.N {
				for l := range p.K {
					x, y := i*p.K+l, l*p.N+j
					if p.TransA {
						x = l*p.M + i
					}
					if p.TransB {
						y = j*p.K + l
					}
					c[q*p.StepC+i*p.N+j] += a[q*p.StepA+x] * b[q*p.StepB+y]
				}
			}
		}
	}
	return c
}

// Products reach the library with operands, sizes, transposes, strides, stream and workspace as it wants them, eager
// and captured.
func TestMultiply(t *testing.T) {
	d := open(t)
	check(t, d.UseCUBLAS(fakeCUBLAS(t)))
	for _, size := range [][4]int{{1, 1, 1, 1}, {5, 3, 7, 1}, {2, 9, 4, 1}, {3, 4, 5, 6}, {1, 8, 3, 2}, {7, 1, 2, 3}} {
		for kind := range 8 {
			p := &cublas.Product{M: size[0], N: size[1], K: size[2], Batch: size[3], TransA: kind&1 > 0,
				TransB: kind&2 > 0, Wide: kind&4 > 0, StepA: size[0] * size[2], StepB: size[2] * size[1],
				StepC: size[0] * size[1]}
			a, av := matrix(t, d, p.Wide, p.Batch*p.StepA, 1)
			b, bv := matrix(t, d, p.Wide, p.Batch*p.StepB, 2)
			c, _ := matrix(t, d, p.Wide, p.Batch*p.StepC, 3)
			plan := must(d.NewPlan("products", []Command{{Kind: Multiply, What: "test", Stream: kind & 1,
				Src: a.Address(), Second: b.Address(), Dst: c.Address(), Product: p}}))(t)
			check(t, plan.Run(context.Background()))
			compareProduct(t, d, p, c, product(p, av, bv))
			check(t, plan.Capture(context.Background()))
			check(t, d.CopyIn(c.Address(), make([]byte, c.Size())))
			check(t, plan.Run(context.Background()))
			compareProduct(t, d, p, c, product(p, av, bv))
			check(t, plan.Close())
			for _, x := range []*Buffer{a, b, c} {
				check(t, x.Free())
			}
		}
	}
}

func compareProduct(t *testing.T, d *Device, p *cublas.Product, c *Buffer, want []float64) {
	t.Helper()
	bytes := make([]byte, c.Size())
	check(t, d.CopyOut(bytes, c.Address()))
	for i, w := range want {
		v := 0.0
		if p.Wide {
			v = math.Float64frombits(binary.LittleEndian.Uint64(bytes[8*i:]))
		} else {
			v = float64(math.Float32frombits(binary.LittleEndian.Uint32(bytes[4*i:])))
		}
		if v != w {
			t.Fatalf("%+v: element %d is %v, want %v", *p, i, v, w)
		}
	}
}

// What the library or the checks refuse is an error that says so; the device goes on.
func TestMultiplyRefuses(t *testing.T) {
	d := open(t)
	a, _ := matrix(t, d, false, 12, 1)
	command := func(p cublas.Product) []Command {
		return []Command{{Kind: Multiply, What: "test", Src: a.Address(), Second: a.Address(), Dst: a.Address(),
			Product: &p}}
	}
	good := cublas.Product{M: 2, N: 2, K: 2, Batch: 1}
	if _, err := d.NewPlan("none", command(good)); err == nil || !strings.Contains(err.Error(), "no library") {
		t.Errorf("without a library: %v", err)
	}
	for _, path := range []string{"", "auto", "off", "/no/such/libcublas.so", "testdata/small.ptx"} {
		if err := d.UseCUBLAS(path); !errors.Is(err, cublas.ErrUnavailable) {
			t.Errorf("%q: %v", path, err)
		}
	}
	path := fakeCUBLAS(t)
	check(t, d.UseCUBLAS(path))
	if err := d.UseCUBLAS(path); err == nil {
		t.Error("a second library is taken")
	}
	for text, p := range map[string]cublas.Product{"sizes must be": {M: 2, N: 2, K: 0, Batch: 1},
		"matrix A": {M: 100, N: 2, K: 2, Batch: 1}, "matrix C": {M: 12, N: 12, K: 1, Batch: 1}} {
		if _, err := d.NewPlan("bad", command(p)); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
	t.Setenv("FAKE_CUBLAS_FAIL", "1")
	plan := must(d.NewPlan("failing", command(good)))(t)
	err := plan.Run(context.Background())
	if err == nil || !strings.Contains(err.Error(), "cuBLAS status 13") ||
		!strings.Contains(fmt.Sprint(err), "multiply") {
		t.Errorf("a product that fails: %v", err)
	}
	check(t, a.Free())
}
