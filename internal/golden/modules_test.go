package golden_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"ganglion/internal/cpu"
	"ganglion/internal/golden"
	"ganglion/internal/par"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/implicit"
)

// The tolerances in float64 and float32, relative to max|array|.
const (
	tol64 = 1e-9
	tol32 = 2e-4
)

var methods = []struct {
	name   string
	method implicit.Method
}{
	{"auto", implicit.Auto}, {"newton", implicit.Newton}, {"fixedpoint", implicit.FixedPoint},
	{"anderson", implicit.Anderson}, {"broyden", implicit.Broyden},
}

// kernel runs the CPU kernel of op on the best path with two workers and returns the output and the report.
func kernel(t *testing.T, op kernels.Op, in ...kernels.Tensor) (kernels.Tensor, kernels.Report) {
	t.Helper()
	specs := make([]kernels.Spec, len(in))
	for i, a := range in {
		specs[i] = a.Spec
	}
	spec, err := op.Infer(specs)
	if err != nil {
		t.Fatal(err)
	}
	pool := par.New(2)
	defer pool.Close()
	c := kernels.NewCall(op, cpu.Best(), pool)
	c.In, c.Out = in, kernels.New(spec)
	if s, ok := op.(kernels.Scratcher); ok {
		c.Work = make([]byte, s.Workspace(specs, spec, 2))
	}
	if s, ok := op.(kernels.Reserver); ok {
		c.Reserve = make([]byte, s.Reserve(specs, spec, 2))
	}
	op.(kernels.CPUOp).CPU(c)
	return c.Out, *c.Report
}

// network is a Neural Module network with its parameters, in the element type of the run.
type network struct {
	act            act.Func
	ce             bool
	keep           int
	w, b           kernels.Tensor
	w1, wm, bo     kernels.Tensor
	method         implicit.Method
	structure      kernels.Tensor
	forward, solve kernels.Report
}

func tensorOf(a golden.Array, d kernels.DType) kernels.Tensor {
	data := a.Float
	if data == nil {
		data = []float64{}
	}
	return kernels.Convert(kernels.FromSlice(data, a.Shape...), d).Clone()
}

// activation reads the case's activation; the cases write id for the identity.
func activation(t *testing.T, c golden.Case) act.Func {
	name := c.String("activation")
	if name == "id" {
		name = "identity"
	}
	f, err := act.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func newNetwork(t *testing.T, c golden.Case, prefix string, m implicit.Method, d kernels.DType) *network {
	get := func(name string) kernels.Tensor { return tensorOf(c.Arrays[prefix+name], d) }
	return &network{act: activation(t, c), ce: c.String("loss") == "ce", keep: int(c.Number("k")), method: m,
		w: get("W"), b: get("b"), w1: get("W1"), wm: get("Wm"), bo: get("bo")}
}

// gradients are all results of one forward and backward pass.
type gradients struct {
	loss                          float64
	x, ypre, y                    kernels.Tensor
	lambda, w, b, w1, wm, bo, dx0 kernels.Tensor
}

// step runs forward and backward through the kernels; the loss and its derivative with respect to Ypre are written out
// here.
func (n *network) step(t *testing.T, x0 kernels.Tensor, target golden.Array) (g gradients) {
	one := func(op kernels.Op, in ...kernels.Tensor) kernels.Tensor {
		out, _ := kernel(t, op, in...)
		return out
	}
	add := dense.Binary{Kind: dense.Add}
	n.structure = one(implicit.Structure{Keep: n.keep}, n.w)
	c := one(add, one(dense.GEMM{}, x0, n.w1), n.b)
	g.x, n.forward = kernel(t, implicit.Solve{Act: n.act, Method: n.method}, c, n.w, n.structure)
	f := one(dense.Unary{F: n.act}, g.x)
	g.ypre = one(add, one(dense.GEMM{}, f, n.wm), n.bo)
	var dy kernels.Tensor
	g.loss, g.y, dy = n.lossOf(g.ypre, target)
	df := one(dense.GEMM{TransB: true}, dy, n.wm)
	dx := one(dense.Binary{Kind: dense.Mul}, df, one(dense.Unary{F: n.act, Order: 1}, g.x))
	g.lambda, n.solve = kernel(
		t,
		implicit.Linear{Act: n.act, Transposed: true, Method: n.method},
		g.x,
		n.w,
		n.structure,
		dx,
	)
	g.w = one(implicit.NoDiag{}, one(dense.GEMM{TransA: true}, f, g.lambda))
	g.b = one(dense.Reduce{Kind: dense.Sum, Axes: 1}, g.lambda)
	g.w1 = one(dense.GEMM{TransA: true}, x0, g.lambda)
	g.wm = one(dense.GEMM{TransA: true}, f, dy)
	g.bo = one(dense.Reduce{Kind: dense.Sum, Axes: 1}, dy)
	g.dx0 = one(dense.GEMM{TransB: true}, g.lambda, n.w1)
	return g
}

// lossOf is the mean cross-entropy of the softmax, or the mean square over all entries, with output and derivative.
func (n *network) lossOf(ypre kernels.Tensor, target golden.Array) (loss float64, y, dy kernels.Tensor) {
	wide := kernels.Convert(ypre, kernels.Float64).F64
	batch, m := ypre.Shape[0], ypre.Shape[1]
	out, grad := make([]float64, len(wide)), make([]float64, len(wide))
	for b := range batch {
		row, o, d := wide[b*m:b*m+m], out[b*m:b*m+m], grad[b*m:b*m+m]
		if !n.ce {
			for i, v := range row {
				e := v - target.Float[b*m+i]
				o[i], d[i] = v, 2*e/float64(batch*m)
				loss += e * e / float64(batch*m)
			}
			continue
		}
		most, sum := math.Inf(-1), 0.0
		for _, v := range row {
			most = max(most, v)
		}
		for _, v := range row {
			sum += math.Exp(v - most)
		}
		for i, v := range row {
			o[i] = math.Exp(v-most) / sum
			d[i] = o[i] / float64(batch)
		}
		label := target.Int[b]
		loss -= (row[label] - most - math.Log(sum)) / float64(batch)
		d[label] -= 1 / float64(batch)
	}
	wrap := func(v []float64) kernels.Tensor { return kernels.Convert(kernels.FromSlice(v, batch, m), ypre.DType) }
	return loss, wrap(out), wrap(grad)
}

func wide(a kernels.Tensor) []float64 { return kernels.Convert(a, kernels.Float64).F64 }

func forwardBackward(t *testing.T, c golden.Case) {
	structureOf(t, c)
	penalties(t, c)
	hard := strings.HasPrefix(c.Name, "case_rho_above_one")
	for _, m := range methods {
		for _, d := range []kernels.DType{kernels.Float64, kernels.Float32} {
			tol := tol64
			if d == kernels.Float32 {
				tol = tol32
			}
			n := newNetwork(t, c, "", m.method, d)
			g := n.step(t, tensorOf(c.Arrays["X0"], d), c.Arrays["target"])
			what := fmt.Sprintf("%s/%v", m.name, d)
			if failed := n.forward.Failed + n.solve.Failed; failed > 0 {
				if m.method == implicit.Auto || m.method == implicit.Newton {
					t.Errorf("%s %s: %d of %d systems not solved (%v, residual %.2g)", c.Name, what, failed,
						n.forward.Samples+n.solve.Samples, n.forward.Status, n.forward.Worst)
				}
				t.Logf("%s %s: reported as %v: %d systems", c.Name, what, max(n.forward.Status, n.solve.Status), failed)
				continue
			}
			if hard && m.method == implicit.FixedPoint {
				t.Errorf("%s %s: solved a case that no plain iteration solves", c.Name, what)
			}
			expect(t, c, what, "X", wide(g.x), tol)
			expect(t, c, what, "Ypre", wide(g.ypre), tol)
			expect(t, c, what, "Y", wide(g.y), tol)
			expect(t, c, what, "loss", []float64{g.loss}, tol)
			expect(t, c, what, "Lambda", wide(g.lambda), tol)
			expect(t, c, what, "dW", wide(g.w), tol)
			expect(t, c, what, "db", wide(g.b), tol)
			expect(t, c, what, "dW1", wide(g.w1), tol)
			expect(t, c, what, "dWm", wide(g.wm), tol)
			expect(t, c, what, "dbo", wide(g.bo), tol)
			expect(t, c, what, "dX0", wide(g.dx0), tol)
		}
	}
}

// structureOf checks the pruned graph and its modules, which must be exact.
func structureOf(t *testing.T, c golden.Case) {
	w := tensorOf(c.Arrays["W"], kernels.Float64)
	s, report := kernel(t, implicit.Structure{Keep: int(c.Number("k"))}, w)
	l := implicit.View(s.I32)
	if err := l.Check(); err != nil {
		t.Error(err)
	}
	var mask, component, size, level, connected []float64
	for _, v := range l.Mask() {
		mask = append(mask, float64(v))
	}
	gamma := -1.0
	for i := range l.Nodes {
		m := int(l.Module[i])
		component = append(component, float64(l.Component[i]))
		size = append(size, float64(l.Size(m)))
		level = append(level, float64(l.ModuleLevel[m]))
		connected = append(connected, float64(l.Connected[i]))
		for _, j := range l.Sources(i) {
			if v := math.Abs(w.F64[int(j)*l.Nodes+i]); gamma < 0 || v < gamma {
				gamma = v
			}
		}
	}
	expect(t, c, "structure", "mask", mask, 0)
	expect(t, c, "structure", "component", component, 0)
	expect(t, c, "structure", "module_size", size, 0)
	expect(t, c, "structure", "level", level, 0)
	expect(t, c, "structure", "nml1_z", connected, 0)
	expect(t, c, "structure", "spectral_radius", []float64{implicit.SpectralRadius(w.F64, l)}, tol64)
	if l.Kept > 0 && gamma < c.Number("gamma") {
		t.Errorf("%s: keeps an edge of %v below gamma %v", c.Name, gamma, c.Number("gamma"))
	}
	for _, v := range []struct {
		name string
		got  int
	}{{"kept", report.Structure.Kept}, {"modules", report.Structure.Modules}, {"largest", report.Structure.Largest}} {
		if want, ok := c.Meta[v.name].(float64); ok && int(want) != v.got {
			t.Errorf("%s: %s %d, want %v", c.Name, v.name, v.got, want)
		}
	}
}

// penalties checks the regularisers.
func penalties(t *testing.T, c golden.Case) {
	w := tensorOf(c.Arrays["W"], kernels.Float64)
	p := w.Shape[0]
	s, _ := kernel(t, implicit.Structure{Keep: int(c.Number("k"))}, w)
	l := implicit.View(s.I32)
	alpha, eta := c.Number("alpha"), c.Number("eta")
	raw := implicit.Regularise{Kind: implicit.NM, Scaling: implicit.Raw, Eps: c.Number("eps"), P: p}
	out := make([]float64, p*p)
	raw.Distances(out, w.F64, p)
	expect(t, c, "nm", "nm_d", out, tol64)
	raw.Repulsion(out, w.F64, l)
	expect(t, c, "nm", "nm_r", out, tol64)
	expect(t, c, "nm", "nm_r_mean", []float64{implicit.MeanRepulsion(out, p)}, tol64)
	scaled := raw
	scaled.Scaling = implicit.Mean
	expect(t, c, "nm", "nm_penalty", []float64{scaled.Penalty(w.F64, l, alpha)}, tol64)
	scaled.PenaltyGrad(out, w.F64, l, alpha)
	expect(t, c, "nm", "nm_grad", out, tol64)
	l1 := implicit.Regularise{Kind: implicit.NML1, P: p}
	expect(t, c, "nm-l1", "nml1_penalty", []float64{l1.Penalty(w.F64, l, alpha)}, tol64)
	hyper := kernels.FromSlice([]float64{eta, 1, alpha}, 3)
	ok := kernels.FromSlice([]float64{1}, 1)
	for _, v := range []struct {
		array string
		kind  implicit.Kind
	}{{"nml1_prox", implicit.NML1}, {"nml2_prox", implicit.NML2}} {
		z := kernels.FromSlice(append([]float64{}, w.F64...), p*p)
		got, _ := kernel(t, implicit.Regularise{Kind: v.kind, P: p}, z, s, hyper, ok)
		expect(t, c, v.array[:4], v.array, got.F64, tol64)
	}
}

// train repeats gradient descent with the modules and the repulsion found anew at every step.
func train(t *testing.T, c golden.Case) {
	for _, m := range methods[:2] {
		n := newNetwork(t, c, "init_", m.method, kernels.Float64)
		x0 := tensorOf(c.Arrays["X0"], kernels.Float64)
		rate, alpha := c.Number("lr"), c.Number("alpha")
		reg := implicit.Regularise{Scaling: implicit.Mean, Eps: c.Number("eps"), P: n.w.Shape[0]}
		var loss, kept, modules, largest []float64
		for range int(c.Number("steps")) {
			g := n.step(t, x0, c.Arrays["labels"])
			if n.forward.Failed+n.solve.Failed > 0 {
				t.Fatalf("%s: not solved: %+v %+v", m.name, n.forward, n.solve)
			}
			l := implicit.View(n.structure.I32)
			loss, kept = append(loss, g.loss), append(kept, float64(l.Kept))
			modules, largest = append(modules, float64(l.Modules)), append(largest, float64(l.Largest))
			penalty := make([]float64, len(n.w.F64))
			reg.PenaltyGrad(penalty, n.w.F64, l, alpha)
			for i := range n.w.F64 {
				n.w.F64[i] -= rate * (g.w.F64[i] + penalty[i])
			}
			descend(n.b, g.b, rate)
			descend(n.w1, g.w1, rate)
			descend(n.wm, g.wm, rate)
			descend(n.bo, g.bo, rate)
		}
		expect(t, c, m.name, "hist_loss", loss, tol64)
		expect(t, c, m.name, "hist_kept", kept, 0)
		expect(t, c, m.name, "hist_modules", modules, 0)
		expect(t, c, m.name, "hist_largest", largest, 0)
		expect(t, c, m.name, "final_W", n.w.F64, tol64)
		expect(t, c, m.name, "final_b", n.b.F64, tol64)
		expect(t, c, m.name, "final_W1", n.w1.F64, tol64)
		expect(t, c, m.name, "final_Wm", n.wm.F64, tol64)
		expect(t, c, m.name, "final_bo", n.bo.F64, tol64)
	}
}

func descend(p, g kernels.Tensor, rate float64) {
	for i := range p.F64 {
		p.F64[i] -= rate * g.F64[i]
	}
}

// ridge solves (XᵀX + α·diag R_j) W_j = XᵀY_j, scaled to the form u = v + u·M of one dense linear module.
func ridge(t *testing.T, c golden.Case) {
	x, y, r := c.Arrays["X"], c.Arrays["Y"], c.Arrays["R"]
	rows, q, m := x.Shape[0], x.Shape[1], y.Shape[1]
	got := make([]float64, q*m)
	for j := range m {
		a, v := make([]float64, q*q), make([]float64, q)
		for i := range q {
			for b := range rows {
				v[i] += x.Float[b*q+i] * y.Float[b*m+j]
				for k := range q {
					a[i*q+k] += x.Float[b*q+i] * x.Float[b*q+k]
				}
			}
			a[i*q+i] += c.Number("alpha") * r.Float[i*m+j]
		}
		w := make([]float64, q*q)
		for i := range q {
			v[i] /= a[i*q+i]
			for k := range q {
				if k != i {
					w[k*q+i] = -a[i*q+k] / a[i*q+i]
				}
			}
		}
		weights := kernels.FromSlice(w, q, q)
		s, _ := kernel(t, implicit.Structure{Keep: -1}, weights)
		u, report := kernel(t, implicit.Solve{}, kernels.FromSlice(v, 1, q), weights, s)
		if report.Failed > 0 {
			t.Fatalf("column %d: not solved: %+v", j, report)
		}
		for i := range q {
			got[i*m+j] = u.F64[i]
		}
	}
	expect(t, c, "auto", "W", got, tol64)
}
