package implicit

import (
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// Solve is X with x_i = c_i + Σ_{j≠i, j→i kept} f(x_j)·w_ji for every row of the batch (Eq. 1; bias and inputs are in
// c).
// Inputs: c float [B, p], W float [p, p], the structure of W int32 [StructureLen(p)], and optionally a start [B, p] (a
// sample whose start is not finite starts from c).  Output: X float [B, p].
//
// The modules are solved in topological order. A sample counts as solved in a module when, on evaluation at the
// returned x, ‖F‖∞ ≤ Tol·(1+‖x‖∞) over the module's nodes. Otherwise the best finite iterate is returned and the Report
// says so; NaN comes out only where what enters a module is not finite. Several solutions may exist; which one is found
// then depends on method and start.
//
// Gradient: dc = Λ = Linear{Transposed}(X, W, s, dX), dW = f(X)ᵀΛ for all off-diagonal entries, those of pruned edges
// included; the solution does not depend on the start, whose gradient is zero.
type Solve struct {
	Act     act.Func
	Method  Method
	Tol     float64 // 0: 1e-12 in float64, 2e-6 in float32
	MaxIter int     // iterations per sample and module; 0: 2000 fixed point, 500 Anderson and Broyden, 100 Newton
	Damping float64 // β of FixedPoint and Anderson in (0, 1]; 0: 1
}

var (
	_ kernels.Differentiable = Solve{}
	_ kernels.CPUOp          = Solve{}
	_ kernels.Reserver       = Solve{}
)

func (o Solve) options() options { return options{o.Act, o.Method, o.Tol, o.MaxIter, o.Damping} }

// Infer wants [B, p], [p, p] and the structure of p nodes.
func (o Solve) Infer(in []kernels.Spec) (kernels.Spec, error) {
	ranks := []int{2, 2, 1, 2}
	if len(in) != len(ranks) {
		ranks = ranks[:3]
	}
	if err := kernels.WantInputs(o, in, ranks...); err != nil {
		return kernels.Spec{}, err
	}
	if err := wantWeights(o, in, 1); err != nil {
		return kernels.Spec{}, err
	}
	p := in[1].Shape[0]
	if err := kernels.WantFloats(o, in, 1, 0); err != nil {
		return kernels.Spec{}, err
	}
	if in[0].Shape[1] != p {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape,
			"input 0 must be [batch, %d], has %d columns", p, in[0].Shape[1])
	}
	if err := wantStructure(o, in, 2, p); err != nil {
		return kernels.Spec{}, err
	}
	if len(in) == 4 && !in[3].Equal(in[0]) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape,
			"the start must be %v as input 0, is %v", in[0], in[3])
	}
	return in[0], o.options().check(o, in)
}

// Ref is dense Newton on the whole p×p system with a line search, from several starts; rows without a solution are NaN.
func (o Solve) Ref(out kernels.Tensor, in []kernels.Tensor) {
	p := in[1].Shape[0]
	m := refMasked(in[1].F64, View(in[2].I32), p)
	for b := range in[0].Shape[0] {
		row := in[0].F64[b*p : b*p+p]
		start := row
		if len(in) == 4 {
			start = in[3].F64[b*p : b*p+p]
		}
		refSolve(out.F64[b*p:b*p+p], o.Act, row, m, start)
	}
}

// Grad solves the adjoint system.
func (o Solve) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	adjoint := Linear{Act: o.Act, Transposed: true, Method: o.Method, Tol: o.Tol, MaxIter: o.MaxIter}
	lambda := b.Apply(adjoint, out, in[1], in[2], dout)
	f := b.Apply(dense.Unary{F: o.Act}, out)
	grads := []*kernels.Node{lambda, b.Apply(NoDiag{}, b.Apply(dense.GEMM{TransA: true}, f, lambda)), nil}
	if len(in) == 4 {
		grads = append(grads, b.Apply(dense.FillLike{}, in[3]))
	}
	return grads
}

// CPU solves the modules level by level, blocks of samples side by side.
func (o Solve) CPU(c *kernels.Call) { solveSystem(c, nonlinear, o.options(), 0, 1, 2) }

// Workspace holds the packed weights and the iterates and scratch of each worker.
func (o Solve) Workspace(in []kernels.Spec, _ kernels.Spec, workers int) int {
	return systemSize(in[0], nonlinear, o.options(), workers)
}

// Reserve holds Newton's matrices of each worker where Auto may need them for samples that resist all else.
func (o Solve) Reserve(in []kernels.Spec, _ kernels.Spec, workers int) int {
	return reserveSize(in[0], o.options(), workers)
}
