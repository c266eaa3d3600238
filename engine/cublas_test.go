//go:build gpu && cgo && linux

package engine_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// openMultiplying opens the first device with a stand-in for cuBLAS.
func openMultiplying(t *testing.T) *engine.Device {
	t.Helper()
	openDevice(t) // skips
	compiler, err := exec.LookPath("cc")
	if err != nil {
		t.Skip(err)
	}
	path := filepath.Join(t.TempDir(), "libcublas.so")
	out, err := exec.Command(compiler, "-shared", "-fPIC", "-O1", "-o", path, "../cuda/testdata/cublas.c",
		"-ldl").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	d, err := engine.OpenDeviceWith(0, engine.DeviceOptions{Compiler: "off", CUBLAS: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// A training step whose products are the library's follows the one with our own kernels.
func TestDeviceTrainsByLibrary(t *testing.T) {
	plain, d := openDevice(t), openMultiplying(t)
	for _, dtype := range []kernels.DType{kernels.Float32, kernels.Float64} {
		tol := map[kernels.DType]float64{kernels.Float32: 1e-4, kernels.Float64: 1e-12}[dtype]
		g := mlp(t, dtype, 20, true)
		want := compile(t, g, engine.Options{Seed: 3, Device: plain})
		p := compile(t, g, engine.Options{Seed: 3, Device: d})
		feeds := mlpFeeds(t, p, dtype, 20)
		for range 5 {
			run(t, p, feeds, "loss")
			run(t, want, feeds, "loss")
		}
		compareStores(t, p.Store(), want.Store(), tol)
		if text := p.Explain().String(); !strings.Contains(text, "cublas") || strings.Contains(text, "gemm64") {
			t.Errorf("products are not the library's\n%s", text)
		}
		if text := want.Explain().String(); strings.Contains(text, "cublas") {
			t.Errorf("products are the library's\n%s", text)
		}
	}
}

// Bias, residual, function, transposes and batches come out the same by the library; empty products are our own.
func TestDeviceProductsByLibrary(t *testing.T) {
	plain, d := openDevice(t), openMultiplying(t)
	const dtype = kernels.Float64
	for _, k := range []int{5, 0} {
		g, err := engine.Build("products", dtype, func(s *engine.Scope) {
			x, y := s.Input("x", kernels.S(dtype, 4, k)), s.Input("y", kernels.S(dtype, 6, k))
			bias, more := s.Param("bias", normal{1}, 6), s.Param("more", normal{1}, 4, 6)
			xy := s.Apply(dense.GEMM{TransB: true}, x, y)
			s.Output("product", xy)
			h := s.Apply(dense.Binary{Kind: dense.Add}, s.Apply(dense.Scale{Alpha: 2}, x), x)
			h = s.Apply(dense.Binary{Kind: dense.Add}, s.Apply(dense.GEMM{TransB: true}, h, y), bias)
			s.Output("tanh", s.Apply(dense.Unary{F: act.Tanh}, s.Apply(dense.Binary{Kind: dense.Add}, h, more)))
			a, b := s.Input("a", kernels.S(dtype, 3, k, 4)), s.Input("b", kernels.S(dtype, 3, k, 2))
			s.Output("batch", s.Apply(dense.BatchedGEMM{TransA: true}, a, b))
		})
		if err != nil {
			t.Fatal(err)
		}
		p := compile(t, g, engine.Options{Seed: 3, Device: d})
		want := compile(t, g, engine.Options{Seed: 3, Device: plain})
		var feeds engine.Feeds
		for i, shape := range [][]int{{4, k}, {6, k}, {3, k, 4}, {3, k, 2}} {
			feeds = append(feeds, engine.Feed{Slot: engine.Slot(i),
				Tensor: normalTensor(uint64(i), kernels.S(dtype, shape...))})
		}
		for _, name := range g.Outputs() {
			for range 3 { // launched, captured, replayed
				if msg := differ(run(t, p, feeds, name), run(t, want, feeds, name), 1e-13); msg != "" {
					t.Errorf("k %d: output %s: %s", k, name, msg)
				}
			}
		}
		text := p.Explain().String()
		if n := strings.Count(text, "cublas"); k > 0 && n != 3 || k == 0 && n != 0 {
			t.Errorf("k %d: %d products by the library\n%s", k, n, text)
		}
	}
}

// A library that is named and cannot be loaded is an error.
func TestDeviceWithoutLibrary(t *testing.T) {
	openDevice(t) // skips
	if _, err := engine.OpenDeviceWith(0, engine.DeviceOptions{CUBLAS: "/no/such/libcublas.so"}); err == nil ||
		!strings.Contains(err.Error(), "/no/such/libcublas.so") {
		t.Errorf("got %v", err)
	}
}
