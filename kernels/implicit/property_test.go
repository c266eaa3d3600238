package implicit

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/philox"
	"ganglion/kernels"
	"ganglion/kernels/act"
)

// residuals recomputes ‖F‖∞/(1+‖x‖∞) of every sample in every cyclic module in float64, from x alone. rounding is added
// for each term of the sums that the element type of x cannot hold exactly: it bounds what recomputing in another
// precision changes.
func residuals(f act.Func, c, w, x kernels.Tensor, l Layout, rounding float64) (worst float64,
	failed func(tol float64) int) {
	p := l.Nodes
	m := refMasked(kernels.Convert(w, kernels.Float64).F64, l, p)
	wc, wx := kernels.Convert(c, kernels.Float64).F64, kernels.Convert(x, kernels.Float64).F64
	var all []float64
	for b := range x.Shape[0] {
		row := wx[b*p : b*p+p]
		for k := range l.Modules {
			if l.Size(k) == 1 {
				continue
			}
			res, norm := 0.0, 0.0
			for _, i := range l.Members(k) {
				sum, size := wc[b*p+int(i)]-row[i], math.Abs(wc[b*p+int(i)])+math.Abs(row[i])
				for j := range p {
					if v := m[j*p+int(i)]; v != 0 {
						sum += act.Eval(f, 0, row[j]) * v
						size += math.Abs(act.Eval(f, 0, row[j]) * v)
					}
				}
				res, norm = larger(res, max(0, math.Abs(sum)-rounding*size)), larger(norm, row[i])
			}
			all = append(all, res/(1+norm))
			worst = larger(worst, res/(1+norm))
		}
	}
	return worst, func(tol float64) int {
		n := 0
		for _, r := range all {
			if !(r <= tol) {
				n++
			}
		}
		return n
	}
}

// absRadius is the spectral radius of the pruned |W|.
func absRadius(w kernels.Tensor, l Layout) float64 {
	a := w.Clone()
	for i, v := range a.F64 {
		a.F64[i] = math.Abs(v)
	}
	return SpectralRadius(a.F64, l)
}

// TestHonesty solves random systems with ρ(|W|) > 1, where no iteration is sure to converge and solutions may not
// exist, by every method: what is reported as solved must be so on recomputation, nothing may be NaN, and the number of
// failures must be the true one.
func TestHonesty(t *testing.T) {
	systems := 1000
	if testing.Short() {
		systems = 200
	}
	solved, problems := map[string]int{}, map[string]int{}
	activations := []act.Func{act.Tanh, act.Sigmoid, act.ReLU}
	for seed, n := uint64(0), 0; n < systems; seed++ {
		r := philox.New(seed, 6, 0)
		p, batch := 2+int(r.Below(20)), 1+int(r.Below(4))
		w := weights(seed, p, 0.8+float64(r.Below(400))/100)
		s := structure64(w, int(r.Below(uint32(p*p))))
		if absRadius(w, View(s.I32)) <= 1 {
			continue
		}
		c := kernels.New(kernels.S(kernels.Float64, batch, p))
		noise(c.F64, seed+1)
		f := activations[n%len(activations)]
		check := func(m Method, d kernels.DType) {
			name := fmt.Sprintf("system %d %s %s %v", seed, act.Name(f), methodNames[m], d)
			op := Solve{Act: f, Method: m, MaxIter: 300}
			report := honest(t, name, op, kernels.Convert(c, d), kernels.Convert(w, d), s)
			key := methodNames[m] + " " + act.Name(f)
			problems[key] += report.Samples
			solved[key] += report.Samples - report.Failed
		}
		check(Auto, kernels.Float64)
		check(Newton, kernels.Float64)
		check(Method(n/3%len(methodNames)), kernels.Float32)
		check(FixedPoint+Method(n/3%3), kernels.Float64)
		n++
	}
	for _, name := range methodNames {
		for _, f := range activations {
			key := name + " " + act.Name(f)
			t.Logf("%s: solved %d of %d problems", key, solved[key], problems[key])
			// tanh and sigmoid are bounded, so that there is a solution always (Brouwer); for relu there may be none.
			if (name == "newton" || name == "auto") && f != act.ReLU && solved[key]*200 < problems[key]*199 {
				t.Errorf("%s: solved %d of %d problems only", key, solved[key], problems[key])
			}
		}
	}
}

func honest(t *testing.T, name string, op Solve, c, w, s kernels.Tensor) kernels.Report {
	t.Helper()
	x, report := run(t, op, 1, c, w, s)
	for i, v := range kernels.Convert(x, kernels.Float64).F64 {
		if v-v != 0 {
			t.Fatalf("%s: element %d is %v", name, i, v)
		}
	}
	rounding := 1e-15
	if c.DType == kernels.Float32 {
		rounding = 4e-7
	}
	worst, failing := residuals(op.Act, c, w, x, View(s.I32), rounding)
	tol := op.options().tolerance(c.DType)
	if n := failing(tol); n > report.Failed {
		t.Fatalf("%s: %d problems miss the tolerance (worst %.3g), the report admits %d: %+v",
			name, n, worst, report.Failed, report)
	}
	if (report.Failed > 0) != (report.Status != kernels.Fine) {
		t.Fatalf("%s: status %v with %d failures", name, report.Status, report.Failed)
	}
	if report.Failed > 0 && !(report.Worst > tol) || report.Failed == 0 && !(report.Worst <= tol) {
		t.Fatalf("%s: worst residual %v with %d failures", name, report.Worst, report.Failed)
	}
	if report.Failed > 0 && op.Act != act.ReLU && !(math.Abs(report.Worst-worst) <= 1e-5*(1+worst)) {
		t.Fatalf("%s: worst residual is %v, reported %v", name, worst, report.Worst)
	}
	return report
}

// TestFeedForward: with a strictly triangular W, in any order of nodes, the solution is the explicit computation to
// rounding.
func TestFeedForward(t *testing.T) {
	const p, batch = 30, 21
	w := weights(3, p, 2)
	place := make([]int32, p)
	for i := range place {
		place[i] = int32(i)
	}
	r := philox.New(3, 7, 0)
	r.Shuffle(place)
	for at := range w.F64 {
		if place[at/p] >= place[at%p] {
			w.F64[at] = 0
		}
	}
	c := kernels.New(kernels.S(kernels.Float64, batch, p))
	noise(c.F64, 4)
	s := structure(w, -1)
	if l := View(s.I32); l.Cyclic != 0 || l.Levels != p {
		t.Fatalf("%d cyclic modules, %d levels", l.Cyclic, l.Levels)
	}
	want := c.Clone()
	for b := range batch {
		for at := range int32(p) {
			i := indexOf(place, at)
			for before := range at {
				j := indexOf(place, before)
				want.F64[b*p+i] += math.Tanh(want.F64[b*p+j]) * w.F64[j*p+i]
			}
		}
	}
	for m := range Method(len(methodNames)) {
		x, report := run(t, Solve{Act: act.Tanh, Method: m}, 2, c, w, s)
		for i, v := range want.F64 {
			if math.Abs(x.F64[i]-v) > 1e-14*(1+math.Abs(v)) {
				t.Fatalf("%s: element %d is %v, explicitly %v", methodNames[m], i, x.F64[i], v)
			}
		}
		if report.Failed != 0 || report.Samples != 0 {
			t.Errorf("%s: a graph without cycles needed solving: %+v", methodNames[m], report)
		}
	}
}

func indexOf(s []int32, v int32) int {
	for i, u := range s {
		if u == v {
			return i
		}
	}
	return -1
}

// TestLayers: W that is block triangular by levels is a multilayer perceptron, computed layer after layer.
func TestLayers(t *testing.T) {
	widths := []int{5, 9, 1, 4}
	const p, batch = 19, 8
	w := kernels.New(kernels.S(kernels.Float64, p, p))
	all := weights(5, p, 1)
	first := 0
	for k := range len(widths) - 1 {
		next := first + widths[k]
		for j := first; j < next; j++ {
			copy(w.F64[j*p+next:j*p+next+widths[k+1]], all.F64[j*p+next:])
		}
		first = next
	}
	c := kernels.New(kernels.S(kernels.Float64, batch, p))
	noise(c.F64, 6)
	s := structure(w, -1)
	if l := View(s.I32); l.Levels != len(widths) || l.Cyclic != 0 {
		t.Fatalf("%d levels, %d cyclic modules", l.Levels, l.Cyclic)
	}
	x, _ := run(t, Solve{Act: act.Sigmoid}, 2, c, w, s)
	for b := range batch {
		first := 0
		for k, n := range widths {
			for i := first; i < first+n; i++ {
				want := c.F64[b*p+i]
				for j := first - before(widths, k); j < first; j++ {
					want += act.Eval(act.Sigmoid, 0, x.F64[b*p+j]) * w.F64[j*p+i]
				}
				if got := x.F64[b*p+i]; math.Abs(got-want) > 1e-14*(1+math.Abs(want)) {
					t.Fatalf("sample %d, layer %d, node %d: %v, want %v", b, k, i, got, want)
				}
			}
			first += n
		}
	}
}

func before(widths []int, k int) int {
	if k == 0 {
		return 0
	}
	return widths[k-1]
}

// TestEquilibrium: with all edges kept there is one module and the solution is that of a deep-equilibrium model, x = c
// + f(x)W.
func TestEquilibrium(t *testing.T) {
	const p, batch = 40, 37
	w := weights(8, p, 0.8)
	s := structure(w, -1)
	if l := View(s.I32); l.Modules != 1 || l.Largest != p {
		t.Fatalf("%d modules", l.Modules)
	}
	c := kernels.New(kernels.S(kernels.Float64, batch, p))
	noise(c.F64, 9)
	x, report := run(t, Solve{Act: act.Tanh}, 2, c, w, s)
	want := c.Clone()
	for range 500 {
		next := c.Clone()
		for b := range batch {
			for j := range p {
				f := math.Tanh(want.F64[b*p+j])
				for i := range p {
					next.F64[b*p+i] += f * w.F64[j*p+i]
				}
			}
		}
		want = next
	}
	for i, v := range want.F64 {
		if math.Abs(x.F64[i]-v) > 1e-11 {
			t.Fatalf("element %d is %v, iterated %v", i, x.F64[i], v)
		}
	}
	if report.Samples != batch || report.Failed != 0 {
		t.Errorf("%+v", report)
	}
}

// TestSamplesAreIndependent: what a sample's solution is does not depend on the others in its batch.
func TestSamplesAreIndependent(t *testing.T) {
	const p, batch = 25, 40
	w := weights(12, p, 1.3)
	s := structure(w, 120)
	c := kernels.New(kernels.S(kernels.Float64, batch, p))
	noise(c.F64, 13)
	for m := range Method(len(methodNames)) {
		op := Solve{Act: act.Tanh, Method: m}
		all, _ := run(t, op, 2, c, w, s)
		for b := range batch {
			one, _ := run(t, op, 1, kernels.FromSlice(c.F64[b*p:b*p+p], 1, p), w, s)
			for i, v := range one.F64 {
				if got := all.F64[b*p+i]; math.Abs(got-v) > 1e-10*(1+math.Abs(v)) {
					t.Fatalf("%s: sample %d, node %d: %v in the batch, %v alone", methodNames[m], b, i, got, v)
				}
			}
		}
	}
}

// TestStart: a start at the solution needs one evaluation, and samples whose start is not finite start from c.
func TestStart(t *testing.T) {
	const p, batch = 25, 18
	w := weights(12, p, 1)
	s := structure(w, 120)
	c := kernels.New(kernels.S(kernels.Float64, batch, p))
	noise(c.F64, 13)
	x, cold := run(t, Solve{Act: act.Tanh}, 1, c, w, s)
	_, warm := run(t, Solve{Act: act.Tanh}, 1, c, w, s, x)
	if warm.Iterations != 1 || cold.Iterations < 5 {
		t.Errorf("%d iterations from the solution, %d from c", warm.Iterations, cold.Iterations)
	}
	for i := range x.F64 {
		if i%3 == 0 {
			x.F64[i] = math.NaN()
		}
	}
	again, report := run(t, Solve{Act: act.Tanh}, 1, c, w, s, x)
	if report != cold {
		t.Errorf("a start of NaN: %+v, from c %+v", report, cold)
	}
	for i, v := range again.F64 {
		if v != v {
			t.Fatalf("element %d is NaN", i)
		}
	}
}

// TestNotFinite: damage in one sample stays in it and is reported; a damaged weight is reported and gives no NaN where
// c is finite.
func TestNotFinite(t *testing.T) {
	const p, batch, hurt = 20, 19, 7
	w := weights(15, p, 1)
	s := structure(w, 90)
	c := kernels.New(kernels.S(kernels.Float64, batch, p))
	noise(c.F64, 16)
	clean, _ := run(t, Solve{Act: act.Tanh}, 1, c, w, s)
	for _, v := range []float64{math.NaN(), math.Inf(1)} {
		bad := c.Clone()
		for i := range p {
			bad.F64[hurt*p+i] = v
		}
		for m := range Method(len(methodNames)) {
			x, report := run(t, Solve{Act: act.Tanh, Method: m}, 1, bad, w, s)
			if report.Status != kernels.Diverged || report.Failed < 1 || !(report.Worst > 1) {
				t.Errorf("%s: c = %v is reported as %+v", methodNames[m], v, report)
			}
			for i, u := range clean.F64 {
				if i/p != hurt && math.Abs(x.F64[i]-u) > 1e-10 {
					t.Fatalf("%s: c = %v of sample %d changes sample %d", methodNames[m], v, hurt, i/p)
				}
			}
		}
	}
	damaged := w.Clone()
	at := int(View(s.I32).Sources(int(View(s.I32).Members(View(s.I32).Modules - 1)[0]))[0])
	damaged.F64[at*p+int(View(s.I32).Members(View(s.I32).Modules - 1)[0])] = math.NaN()
	x, report := run(t, Solve{Act: act.Tanh}, 1, c, damaged, s)
	if report.Status != kernels.Diverged || report.Failed == 0 {
		t.Errorf("a weight that is NaN is reported as %+v", report)
	}
	_ = x
}

// TestBestIterate: what a failed solve returns is no worse than its start.
func TestBestIterate(t *testing.T) {
	const p, batch = 12, 16
	w := weights(17, p, 4)
	s := structure(w, -1)
	c := kernels.New(kernels.S(kernels.Float64, batch, p))
	noise(c.F64, 18)
	atStart, _ := residuals(act.Tanh, c, w, c, View(s.I32), 0)
	for m := FixedPoint; m <= Broyden; m++ {
		for _, limit := range []int{1, 2, 3, 10} {
			x, report := run(t, Solve{Act: act.Tanh, Method: m, MaxIter: limit}, 1, c, w, s)
			worst, _ := residuals(act.Tanh, c, w, x, View(s.I32), 0)
			if report.Failed == 0 || !(worst <= atStart*(1+1e-12)) || math.Abs(worst-report.Worst) > 1e-12 {
				t.Errorf("%s, %d iterations: residual %v from %v, report %+v", methodNames[m], limit,
					worst, atStart, report)
			}
			if report.Iterations > limit {
				t.Errorf("%s: %d iterations, the limit is %d", methodNames[m], report.Iterations, limit)
			}
		}
	}
}

// TestDamagedStructure: no array of integers makes the kernels panic or read outside of their memory; what is no
// structure is refused.
func TestDamagedStructure(t *testing.T) {
	const p, batch = 9, 3
	w := weights(19, p, 1)
	c := kernels.New(kernels.S(kernels.Float64, batch, p))
	noise(c.F64, 20)
	good := structure(w, 30)
	r := philox.New(21, 8, 0)
	z := kernels.FromSlice(append([]float64{}, w.F64...), p*p)
	hyper, ok := kernels.FromSlice([]float64{0.1, 1, 1}, 3), kernels.FromSlice([]float64{1}, 1)
	refused := 0
	for n := range 3000 {
		s := good.Clone()
		switch {
		case n == 0:
			clear(s.I32)
		case n < 200:
			for i := range s.I32 {
				s.I32[i] = int32(r.Uint32())
			}
			s.I32[headNodes] = p
		default:
			s.I32[r.Below(uint32(len(s.I32)))] = int32(r.Below(3*p)) - p
		}
		x, report := run(t, Solve{Act: act.Tanh}, 1, c, w, s)
		if report.Worst != report.Worst {
			refused++
			if report.Failed != batch || x.F64[0] == x.F64[0] {
				t.Fatalf("array %d is refused with %v and %+v", n, x.F64[0], report)
			}
		}
		run(t, Linear{Act: act.Tanh, Transposed: true}, 1, c, w, s, c)
		run(t, Mask{}, 1, w, s)
		run(t, Regularise{P: p}, 1, z, s, hyper, ok)
	}
	if refused < 500 {
		t.Errorf("only %d arrays were refused", refused)
	}
}

// TestLargeNewton solves modules whose Jacobians are factored one by one, too large for the references of the table
// tests.
func TestLargeNewton(t *testing.T) {
	const p, batch = interleaved + 9, 3
	for _, keep := range []int{-1, 4 * p} {
		w := weights(50, p, 1)
		s := structure64(w, keep)
		c := normal(51, batch, p)
		for _, d := range []kernels.DType{kernels.Float64, kernels.Float32} {
			op := Solve{Act: act.Sigmoid, Method: Newton}
			cd, wd := kernels.Convert(c, d), kernels.Convert(w, d)
			if r := honest(t, fmt.Sprint(keep, d), op, cd, wd, s); r.Failed > 0 || r.Samples < batch {
				t.Errorf("keep %d, %v: %+v", keep, d, r)
			}
			x, _ := run(t, op, 2, cd, wd, s)
			u, r := run(t, Linear{Act: act.Sigmoid, Method: Newton}, 2, x, wd, s, cd)
			v, q := run(t, Linear{Act: act.Sigmoid, Method: Newton, Transposed: true}, 2, x, wd, s, cd)
			if r.Failed+q.Failed > 0 {
				t.Errorf("keep %d, %v: %+v %+v", keep, d, r, q)
			}
			// ⟨c, u⟩ = ⟨v, c⟩: tangent and adjoint are adjoint to each other.
			left, right, scale := 0.0, 0.0, 0.0
			for i, ci := range kernels.Convert(cd, kernels.Float64).F64 {
				left += ci * kernels.Convert(u, kernels.Float64).F64[i]
				right += ci * kernels.Convert(v, kernels.Float64).F64[i]
				scale += math.Abs(ci * kernels.Convert(u, kernels.Float64).F64[i])
			}
			if math.Abs(left-right) > 100*op.options().tolerance(d)*scale {
				t.Errorf("keep %d, %v: ⟨c, u⟩ = %v, ⟨v, c⟩ = %v", keep, d, left, right)
			}
		}
	}
}

// TestLevels: modules of one level that are solved side by side give the same bits as one block after another, for all
// three systems.
func TestLevels(t *testing.T) {
	const p, size, batch = 400, 40, 3
	w := weights(60, p, 0.2)
	for at := range w.F64 {
		if j, i := at/p, at%p; j/size == i/size {
			w.F64[at] *= 8 // a module of size nodes
		} else if i < j || i/size%5 != 4 || j/size%5 == 4 {
			w.F64[at] = 0 // all others lead to every fifth module
		}
	}
	s := structure64(w, -1)
	if l := View(s.I32); l.Levels != 2 || l.Cyclic != p/size {
		t.Fatalf("%d levels, %d cyclic modules", l.Levels, l.Cyclic)
	}
	c := normal(61, batch, p)
	x, _ := run(t, Solve{Act: act.Tanh}, 1, c, w, s)
	ops := []kernels.Op{Solve{Act: act.Tanh}, Linear{Act: act.Tanh}, Linear{Act: act.Tanh, Transposed: true}}
	for _, op := range ops {
		in := []kernels.Tensor{x, w, s, c}
		if _, ok := op.(Solve); ok {
			in = []kernels.Tensor{c, w, s}
		}
		one, first := run(t, op, 1, in...)
		for _, workers := range []int{2, 3, 4} {
			many, report := run(t, op, workers, in...)
			for i, v := range one.F64 {
				if many.F64[i] != v {
					t.Fatalf("%T: element %d is %v with %d workers, %v with one", op, i, many.F64[i], workers, v)
				}
			}
			if report != first || report.Failed > 0 || report.Samples != batch*p/size {
				t.Errorf("%T: %+v with %d workers, %+v with one", op, report, workers, first)
			}
		}
	}
}
