package engine_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ganglion/cuda/nvrtc"
	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// openFusing opens the first device with the compiler that make cuda-headers installs, and the folder of its cache.
func openFusing(t *testing.T, cache string) *engine.Device {
	t.Helper()
	openDevice(t) // skips
	found, err := filepath.Glob("../.cuda/venv/lib/python3*/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12")
	if err != nil || len(found) == 0 {
		t.Skip("no compiler in .cuda: run make cuda-headers")
	}
	path, err := filepath.Abs(found[0])
	if err != nil {
		t.Fatal(err)
	}
	d, err := engine.OpenDeviceWith(0, engine.DeviceOptions{Compiler: path, Cache: cache})
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

// launches counts the steps that a device executes in a run.
func launches(t *testing.T, p *engine.Program, feeds engine.Feeds) int {
	t.Helper()
	n := 0
	if err := p.RunTimed(context.Background(), feeds, func(engine.Timing) { n++ }); err != nil {
		t.Fatal(err)
	}
	return n
}

// Groups of elementwise steps are one launch on a device. They give the numbers of the steps launched one by one, up to
// the contraction of products and sums.
func TestDeviceFusesChains(t *testing.T) {
	plain, cache := openDevice(t), t.TempDir()
	d := openFusing(t, cache)
	for _, dtype := range []kernels.DType{kernels.Float32, kernels.Float64} {
		tol := map[kernels.DType]float64{kernels.Float32: 2e-6, kernels.Float64: 1e-14}[dtype]
		for _, shape := range [][]int{{5}, {1, 1}, {7, 3}, {64, 100}, {2, 9, 31}, {0, 3}} {
			g := elementwise(t, dtype, shape...)
			feeds := engine.Feeds{{Slot: 0, Tensor: normalTensor(1, kernels.S(dtype, shape...))},
				{Slot: 1, Tensor: normalTensor(2, kernels.S(dtype, shape...))}}
			split := compile(t, g, engine.Options{Seed: 1, Device: plain})
			for _, keep := range []bool{false, true} {
				p := compile(t, g, engine.Options{Seed: 1, Device: d, KeepAll: keep})
				for _, name := range g.Outputs() {
					if msg := differ(run(t, p, feeds, name), run(t, split, feeds, name), tol); msg != "" {
						t.Errorf("%v %v, keep %v: output %s: %s", dtype, shape, keep, name, msg)
					}
				}
				if one, many := launches(t, p, feeds), launches(t, split, feeds); p.Plan().Groups != nil && one > 3 ||
					many < one {
					t.Errorf("%v %v: %d launches with fusion, %d without", dtype, shape, one, many)
				}
			}
			if text := split.Explain().String(); shape[0] > 0 && !strings.Contains(text, "launched one by one: nvrtc") {
				t.Errorf("without a compiler: %s", text)
			}
		}
	}
	if files, err := os.ReadDir(cache); err != nil || len(files) == 0 || len(files) > 16 {
		t.Errorf("%d kernels are kept, %v", len(files), err)
	}
}

// A training step with fused kernels, captured or not, follows the one without.
func TestDeviceTrainsFused(t *testing.T) {
	plain, d := openDevice(t), openFusing(t, t.TempDir())
	for _, dtype := range []kernels.DType{kernels.Float32, kernels.Float64} {
		tol := map[kernels.DType]float64{kernels.Float32: 1e-5, kernels.Float64: 1e-12}[dtype]
		g := mlp(t, dtype, 20, true)
		want := compile(t, g, engine.Options{Seed: 3, Device: plain})
		p := compile(t, g, engine.Options{Seed: 3, Device: d})
		if len(p.Plan().Groups) == 0 {
			t.Fatal("the graph has no groups")
		}
		feeds := mlpFeeds(t, p, dtype, 20)
		for range 10 {
			run(t, p, feeds, "loss")
			run(t, want, feeds, "loss")
		}
		compareStores(t, p.Store(), want.Store(), tol)
		if text := p.Explain().String(); !strings.Contains(text, "cuda/fused") {
			t.Errorf("nothing is fused\n%s", text)
		}
	}
}

// Every function and every binary operation is the same in a fused kernel as in its own.
func TestDeviceFusesEveryOperation(t *testing.T) {
	plain, d := openDevice(t), openFusing(t, t.TempDir())
	const dtype = kernels.Float32
	g, err := engine.Build("all", dtype, func(s *engine.Scope) {
		x := s.Input("x", kernels.S(dtype, 7, 5))
		y := s.Input("y", kernels.S(dtype, 5))
		h := []*engine.Node{x, s.Apply(dense.Binary{Kind: dense.Add}, x, y)}
		for i := range act.Names() {
			for order := range act.Orders {
				h = append(h, s.Apply(dense.Unary{F: act.Func(i), Order: order}, h[1]))
			}
		}
		for k := dense.Add; k <= dense.Ne; k++ {
			h = append(h, s.Apply(dense.Binary{Kind: k}, x, y), s.Apply(dense.Binary{Kind: k}, y, x))
		}
		for _, o := range []dense.Scale{{Alpha: 0.1, Beta: -0.3}, {Alpha: -2}, {Beta: 1e38}, {Alpha: 1e-45}} {
			h = append(h, s.Apply(o, x))
		}
		for i, v := range h[2:] {
			s.Output("sum"+string(rune('0'+i/10))+string(rune('0'+i%10)), s.Apply(dense.AddN{}, v, h[1]))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, g, engine.Options{Seed: 3, Device: d, KeepAll: true})
	want := compile(t, g, engine.Options{Seed: 3, Device: plain, KeepAll: true})
	x, y := normalTensor(1, kernels.S(dtype, 7, 5)), normalTensor(2, kernels.S(dtype, 5))
	for _, v := range [][]float32{x.F32, y.F32} {
		for i := range v {
			v[i] = max(v[i], -v[i]) // logarithms and powers are numbers
		}
	}
	y.F32[2] = x.F32[2]
	feeds := engine.Feeds{{Slot: 0, Tensor: x}, {Slot: 1, Tensor: y}}
	for _, name := range g.Outputs() {
		if msg := differ(run(t, p, feeds, name), run(t, want, feeds, name), 2e-6); msg != "" {
			t.Errorf("output %s: %s", name, msg)
		}
	}
	if one, many := launches(t, p, feeds), launches(t, want, feeds); 4*one > many {
		t.Errorf("%d launches, %d without fusion\n%v", one, many, p.Explain())
	}
}

// A file of the cache that is damaged is made again, and a compiler that is absent or refuses leaves the kernels that
// are compiled beforehand.
func TestDeviceFusionCache(t *testing.T) {
	cache := t.TempDir()
	g := elementwise(t, kernels.Float32, 4, 4)
	x := normalTensor(1, kernels.S(kernels.Float32, 4, 4))
	feeds := engine.Feeds{{Slot: 0, Tensor: x}, {Slot: 1, Tensor: x}}
	var file string
	var good []byte
	for _, damage := range []string{"", "cut", "other"} {
		if damage != "" {
			bad := map[string][]byte{"cut": good[:len(good)/2], "other": []byte("// sha256 0\nnonsense")}[damage]
			if err := os.WriteFile(file, bad, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		p := compile(t, g, engine.Options{Seed: 1, Device: openFusing(t, cache)})
		run(t, p, feeds, "one")
		if text := p.Explain().String(); !strings.Contains(text, "12 steps in one launch") {
			t.Errorf("after damage %q: %s", damage, text)
		}
		files, err := filepath.Glob(filepath.Join(cache, "*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("the cache holds %q, %v", files, err)
		}
		file = files[0]
		now, err := os.ReadFile(file)
		if err != nil || damage != "" && string(now) != string(good) {
			t.Errorf("after damage %q the file is not as it was, %v", damage, err)
		}
		good = now
	}
	d, err := engine.OpenDeviceWith(0, engine.DeviceOptions{Compiler: filepath.Join(cache, "absent.so")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	p := compile(t, g, engine.Options{Seed: 1, Device: d})
	defer p.Close()
	run(t, p, feeds, "one")
	if text := p.Explain().String(); !strings.Contains(text, "absent.so") ||
		!strings.Contains(text, nvrtc.ErrUnavailable.Error()) {
		t.Errorf("no word on the absent compiler: %s", text)
	}
}
