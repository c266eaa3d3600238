package implicit

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"ganglion/internal/optest"
	"ganglion/internal/philox"
	"ganglion/kernels"
	"ganglion/kernels/act"
)

// openDevice returns the device, or skips the test where there is none.
func openDevice(t *testing.T) *optest.Device {
	t.Helper()
	d := optest.OpenDevice(t)
	if d == nil {
		t.Skip("no CUDA device")
	}
	return d
}

// near reports whether two counts of iterations differ by rounding alone: residuals that end close to the tolerance.
func near(a, b int) bool { return math.Abs(float64(a-b)) <= 2+0.1*float64(max(a, b)) }

// TestDeviceAgrees solves random systems by every method on the device and the processor: the same samples are solved,
// in about as many iterations, to the same solution, and what is reported is true.
func TestDeviceAgrees(t *testing.T) {
	d := openDevice(t)
	activations := []act.Func{act.Tanh, act.Sigmoid, act.ReLU, act.Softplus}
	a := agreement{worst: map[kernels.DType]float64{}}
	for seed := range uint64(8) {
		r := philox.New(seed, 9, 0)
		p, batch := 2+int(r.Below(45)), 1+int(r.Below(3))
		w := weights(seed, p, 0.2+float64(r.Below(60))/100)
		s := structure64(w, int(r.Below(uint32(p*p))))
		c := normal(seed+100, batch, p)
		f := activations[seed%4]
		for m := range Method(len(methodNames)) {
			for _, dtype := range []kernels.DType{kernels.Float64, kernels.Float32} {
				name := fmt.Sprintf("system %d %s %s %v", seed, act.Name(f), methodNames[m], dtype)
				cd, wd := kernels.Convert(c, dtype), kernels.Convert(w, dtype)
				x := a.check(t, d, name, Solve{Act: f, Method: m}, cd, wd, s)
				a.check(t, d, name+" adjoint", Linear{Act: f, Method: m, Transposed: true}, x, wd, s, cd)
				a.check(t, d, name+" tangent", Linear{Act: f, Method: m}, x, wd, s, cd)
			}
		}
	}
	t.Logf("%d of %d runs take the same iterations; worst differences %v", a.same, a.runs, a.worst)
	if 4*a.same < 3*a.runs {
		t.Errorf("only %d of %d runs take the same iterations", a.same, a.runs)
	}
}

// agreement is how runs on the device compare with those on the processor.
type agreement struct {
	runs, same int // runs, and those with the same iterations in all
	worst      map[kernels.DType]float64
}

// check compares one op whose systems have one solution, and returns that of the processor.
func (a *agreement) check(t *testing.T, d *optest.Device, name string, op kernels.CUDAOp,
	in ...kernels.Tensor) kernels.Tensor {
	t.Helper()
	want, w := run(t, op, 1, in...)
	got, g := d.Run(t, op, in...)
	if g.Status != w.Status || g.Samples != w.Samples || g.Failed != w.Failed {
		t.Errorf("%s: the device reports %+v, the processor %+v", name, g, w)
	}
	if !near(g.Iterations, w.Iterations) || !near(g.Total, w.Total) {
		t.Errorf("%s: %d iterations (%d in all), on the processor %d (%d)", name, g.Iterations, g.Total, w.Iterations,
			w.Total)
	}
	a.runs++
	if g.Iterations == w.Iterations && g.Total == w.Total {
		a.same++
	}
	tol := map[kernels.DType]float64{kernels.Float64: 1e-10, kernels.Float32: 5e-5}[got.DType]
	x, y := kernels.Convert(got, kernels.Float64).F64, kernels.Convert(want, kernels.Float64).F64
	scale, off := 1.0, 0.0
	for i := range y {
		scale, off = max(scale, math.Abs(y[i])), max(off, math.Abs(x[i]-y[i]))
	}
	a.worst[got.DType] = max(a.worst[got.DType], off/scale)
	if msg := optest.Compare(x, y, tol); msg != "" {
		t.Errorf("%s: %s", name, msg)
	}
	return want
}

// TestDeviceHonesty solves systems with ρ(|W|) > 1, of which many fail: what is reported as solved is so on
// recomputation, nothing is NaN, and as many are solved as on the processor, but for some that depend on rounding.
func TestDeviceHonesty(t *testing.T) {
	d := openDevice(t)
	samples, device, processor := 0, 0, 0
	for seed := range uint64(12) {
		r := philox.New(seed, 10, 0)
		p, batch := 2+int(r.Below(14)), 1+int(r.Below(3))
		w := weights(seed, p, 1.5+float64(r.Below(300))/100)
		s := structure64(w, -1)
		c := normal(seed+200, batch, p)
		for m := range Method(len(methodNames)) {
			op := Solve{Act: []act.Func{act.Tanh, act.ReLU}[seed%2], Method: m, MaxIter: 40}
			x, g := d.Run(t, op, c, w, s)
			_, h := run(t, op, 1, c, w, s)
			samples, device, processor = samples+g.Samples, device+g.Failed, processor+h.Failed
			worst, failing := residuals(op.Act, c, w, x, View(s.I32), 1e-15)
			if n := failing(tolFloat64); n > g.Failed || g.Samples != h.Samples {
				t.Errorf(
					"system %d %s: %d miss the tolerance (worst %v), reported %+v",
					seed,
					methodNames[m],
					n,
					worst,
					g,
				)
			}
			if (g.Failed > 0) != (g.Status != kernels.Fine) || g.Failed > 0 && !(g.Worst > tolFloat64) ||
				g.Failed == 0 && !(g.Worst <= tolFloat64) {
				t.Errorf("system %d %s: %+v", seed, methodNames[m], g)
			}
			if limit := map[Method]int{Auto: 22, Newton: manyStarts}[m]*41 + 40; g.Iterations > limit {
				t.Errorf("system %d %s: %d iterations, the limit is %d", seed, methodNames[m], g.Iterations, limit)
			}
			for i, v := range x.F64 {
				if v-v != 0 {
					t.Fatalf("system %d %s: element %d is %v", seed, methodNames[m], i, v)
				}
			}
		}
	}
	t.Logf("%d of %d problems fail on the device, %d on the processor", device, samples, processor)
	if processor*20 < samples || math.Abs(float64(device-processor)) > 0.1*float64(processor) {
		t.Errorf("%d of %d problems fail on the device, %d on the processor", device, samples, processor)
	}
}

// TestDeviceStart: a start at the solution needs one evaluation, and samples whose start is not finite start from c.
func TestDeviceStart(t *testing.T) {
	d := openDevice(t)
	const p, batch = 25, 6
	w := weights(12, p, 1)
	s := structure(w, 120)
	c := normal(13, batch, p)
	op := Solve{Act: act.Tanh}
	x, cold := d.Run(t, op, c, w, s)
	_, warm := d.Run(t, op, c, w, s, x)
	if warm.Iterations != 1 || warm.Total != warm.Samples || cold.Iterations < 5 {
		t.Errorf("%+v from the solution, %+v from c", warm, cold)
	}
	for i := range x.F64 {
		if i%3 == 0 {
			x.F64[i] = math.NaN()
		}
	}
	if _, report := d.Run(t, op, c, w, s, x); report != cold {
		t.Errorf("a start of NaN: %+v, from c %+v", report, cold)
	}
}

// TestDeviceNotFinite: damage in a sample stays in it and is counted as on the processor, at nodes without a cycle too.
func TestDeviceNotFinite(t *testing.T) {
	d := openDevice(t)
	const p, batch, hurt = 20, 5, 3
	w := weights(15, p, 1)
	for _, keep := range []int{0, 30, 90} {
		s := structure(w, keep)
		c := normal(16, batch, p)
		clean, _ := d.Run(t, Solve{Act: act.Tanh}, c, w, s)
		for _, v := range []float64{math.NaN(), math.Inf(1)} {
			for i := range p {
				c.F64[hurt*p+i] = v
			}
			for m := range Method(len(methodNames)) {
				op := Solve{Act: act.Tanh, Method: m}
				_, want := run(t, op, 1, c, w, s)
				x, got := d.Run(t, op, c, w, s)
				if got != want || got.Failed == 0 {
					t.Errorf(
						"keep %d, %s: c = %v is reported as %+v, on the processor %+v",
						keep,
						methodNames[m],
						v,
						got,
						want,
					)
				}
				for i, u := range clean.F64 {
					if i/p != hurt && math.Abs(x.F64[i]-u) > 1e-10 {
						t.Fatalf("%s: c = %v of sample %d changes sample %d", methodNames[m], v, hurt, i/p)
					}
				}
			}
		}
	}
}

// TestDeviceDamagedStructure: no array of integers makes the kernels read outside of their memory, and the device
// refuses those that the processor refuses.
func TestDeviceDamagedStructure(t *testing.T) {
	d := openDevice(t)
	const p, batch = 9, 2
	w, c := weights(19, p, 1), normal(20, batch, p)
	good := structure(w, 30)
	r := philox.New(21, 8, 0)
	z := kernels.FromSlice(slices.Clone(w.F64), p*p)
	hyper, ok := kernels.FromSlice([]float64{0.1, 1, 1}, 3), kernels.FromSlice([]float64{1}, 1)
	refused := 0
	for n := range 60 {
		s := good.Clone()
		switch {
		case n == 0:
			clear(s.I32)
		case n < 5:
			for i := range s.I32 {
				s.I32[i] = int32(r.Uint32())
			}
			s.I32[headNodes] = p
		default:
			s.I32[r.Below(uint32(len(s.I32)))] = int32(r.Below(3*p)) - p
		}
		solve := []kernels.Tensor{c, w, s}
		linear := []kernels.Tensor{c, w, s, c}
		for _, a := range []struct {
			op kernels.CUDAOp
			in []kernels.Tensor
		}{
			{Solve{Act: act.Tanh}, solve}, {Linear{Act: act.Tanh, Transposed: true}, linear},
			{Mask{}, []kernels.Tensor{w, s}}, {Regularise{P: p}, []kernels.Tensor{z, s, hyper, ok}},
		} {
			want, h := run(t, a.op, 1, a.in...)
			got, g := d.Run(t, a.op, a.in...)
			if g.Status != h.Status || g.Failed != h.Failed || g.Samples != h.Samples ||
				(want.F64[0] != want.F64[0]) != (got.F64[0] != got.F64[0]) {
				t.Fatalf(
					"array %d, %s: %+v and %v, on the processor %+v and %v",
					n,
					kernels.Name(a.op),
					g,
					got.F64[0],
					h,
					want.F64[0],
				)
			}
			if h.Worst != h.Worst {
				refused++
			}
		}
	}
	if refused < 20 {
		t.Errorf("only %d arrays were refused", refused)
	}
}

// TestDeviceSizes: more samples than blocks, vectors that shared memory does not hold, modules that need a whole block.
func TestDeviceSizes(t *testing.T) {
	d := openDevice(t)
	for _, c := range []struct {
		name           string
		method         Method
		p, batch, keep int
		size           float64
	}{
		{"many samples", Auto, 3, 1100, -1, 0.5},
		{"vectors in scratch memory", Auto, 420, 1, 700, 1},
		{"broyden in scratch memory", Broyden, 260, 1, 500, 1},
		{"newton of a large module", Newton, 140, 1, -1, 1},
		{"large and small modules", Auto, 120, 2, 260, 1.5},
		{"anderson of a large module", Anderson, 100, 2, -1, 0.9},
	} {
		w := weights(uint64(c.p), c.p, c.size)
		s, x := structure64(w, c.keep), normal(3, c.batch, c.p)
		t.Run(c.name, func(t *testing.T) {
			a := agreement{worst: map[kernels.DType]float64{}}
			a.check(t, d, c.name, Solve{Act: act.Tanh, Method: c.method}, x, w, s)
			a.check(t, d, c.name, Linear{Act: act.Tanh, Method: c.method, Transposed: true}, x, w, s, x)
		})
	}
}

// TestDeviceLayout: the scratch memory of a solve is bounded, and vectors lie in shared memory where they fit.
func TestDeviceLayout(t *testing.T) {
	target := kernels.Target{Capability: 80, Multiprocessors: 108, Shared: 160 << 10}
	spec := func(batch, p int) kernels.Spec { return kernels.S(kernels.Float32, batch, p) }
	small := onDevice(target, spec(64, 100), Auto)
	if small.blocks != 64 || small.shared != 20*100*4 || small.bytes > 4<<20 {
		t.Errorf("64 samples of 100 nodes: %+v", small)
	}
	large := onDevice(target, spec(5000, 2000), Auto)
	if large.blocks != 16 || large.shared != 0 || large.bytes > jacobianDevice+(100<<20) {
		t.Errorf("5000 samples of 2000 nodes: %+v", large)
	}
	if plain := onDevice(target, spec(5000, 2000), FixedPoint); plain.blocks != 8*108 || plain.bytes > 200<<20 {
		t.Errorf("5000 samples of 2000 nodes without Jacobians: %+v", plain)
	}
	list, err := Solve{}.CUDA(target, nil, spec(0, 5))
	if err != nil || len(list) != 0 {
		t.Errorf("an empty batch: %v, %v", list, err)
	}
}

// TestDeviceStructure finds the modules of random graphs, empty to complete ones, with weights that are not finite too:
// structure and report are those of the processor, element by element.
func TestDeviceStructure(t *testing.T) {
	d := openDevice(t)
	for seed := range uint64(60) {
		p, w := digraph(seed, 70)
		r := philox.New(seed, 11, 0)
		switch seed % 6 {
		case 0:
			noise(w.F64, seed)
		case 1:
			w.F64[r.Below(uint32(p*p))] = math.NaN()
			w.F64[r.Below(uint32(p*p))] = math.Inf(-1)
		case 2: // a chain, with a way back from time to time
			clear(w.F64)
			for i := range p - 1 {
				w.F64[(p-1-i)*p+p-2-i] = 1
				if i%9 == 4 {
					w.F64[(p-1-i)*p+p-i] = 2
				}
			}
		}
		keep := int(r.Below(uint32(p*p+2))) - 1
		for _, dtype := range []kernels.DType{kernels.Float64, kernels.Float32} {
			v := kernels.Convert(w, dtype)
			want, h := run(t, Structure{Keep: keep}, 1, v)
			got, g := d.Run(t, Structure{Keep: keep}, v)
			if !slices.Equal(got.I32, want.I32) || g != h {
				t.Errorf("graph %d, %d nodes, keep %d, %v: %+v, on the processor %+v", seed, p, keep, dtype, g, h)
			}
			for step := range int32(3) {
				number := kernels.FromSlice([]int32{step + 1}, 1)
				op := Restructure{Keep: p, Every: 2}
				kept, h := run(t, op, 1, v, want, number)
				if got, g := d.Run(t, op, v, want, number); !slices.Equal(got.I32, kept.I32) || g != h {
					t.Errorf("graph %d, step %d: %+v, on the processor %+v", seed, step, g, h)
				}
			}
		}
	}
	large := kernels.S(kernels.Float32, searchNodes+1, searchNodes+1)
	if _, err := (Structure{}).CUDA(kernels.Target{}, []kernels.Spec{large}, large); !errors.Is(
		err,
		kernels.ErrNoKernel,
	) {
		t.Errorf("%d nodes: %v", searchNodes+1, err)
	}
}
