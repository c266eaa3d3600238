package implicit

import (
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// Linear solves the linear system that belongs to Solve at its solution X, with D = f′(X) and W_m the pruned W:
//
//	U = V + (D∘U)·W_m            the tangent: the derivative of X in the direction in which c moves by V
//	U = V + D∘(U·W_mᵀ)           Transposed, the adjoint (Eq. 3): ∂L/∂c given V = ∂L/∂X
//
// Inputs: X float [B, p], W float [p, p], the structure int32 [StructureLen(p)], V float [B, p].
// Output: U float [B, p].
//
// A sample counts as solved in a module when ‖F‖∞ ≤ Tol·‖u‖∞ over the module's nodes: relative, because gradients have
// any scale. Method and limits are as for Solve; Newton is one LU factorisation per sample. Modules are taken in
// topological order, or in the reverse order if Transposed.
//
// Gradient: with M the solution of the other of the two systems for dU, dV = M; for the adjoint dX = f″(X)∘M∘(U·W_mᵀ)
// and dW = (D∘M)ᵀU; for the tangent dX = f″(X)∘U∘(M·W_mᵀ) and dW = (D∘U)ᵀM, in both for all off-diagonal entries.
type Linear struct {
	Act        act.Func
	Transposed bool
	Method     Method
	Tol        float64 // 0: 1e-12 in float64, 2e-6 in float32
	MaxIter    int     // as in Solve
}

var (
	_ kernels.Differentiable = Linear{}
	_ kernels.CPUOp          = Linear{}
	_ kernels.Reserver       = Linear{}
)

func (o Linear) options() options {
	return options{act: o.Act, method: o.Method, tol: o.Tol, maxIter: o.MaxIter}
}

// Infer wants [B, p], [p, p], the structure of p nodes and [B, p].
func (o Linear) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 2, 2, 1, 2); err != nil {
		return kernels.Spec{}, err
	}
	if err := wantWeights(o, in, 1); err != nil {
		return kernels.Spec{}, err
	}
	p := in[1].Shape[0]
	if err := kernels.WantFloats(o, in, 1, 0, 3); err != nil {
		return kernels.Spec{}, err
	}
	if in[0].Shape[1] != p {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape,
			"input 0 must be [batch, %d], has %d columns", p, in[0].Shape[1])
	}
	if err := wantStructure(o, in, 2, p); err != nil {
		return kernels.Spec{}, err
	}
	if !in[3].Equal(in[0]) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape,
			"input 3 must be %v as input 0, is %v", in[0], in[3])
	}
	return in[0], o.options().check(o, in)
}

// Ref is Gaussian elimination on the whole p×p system of each sample.
func (o Linear) Ref(out kernels.Tensor, in []kernels.Tensor) {
	p := in[1].Shape[0]
	m := refMasked(in[1].F64, View(in[2].I32), p)
	a := make([]float64, p*p)
	for b := range in[0].Shape[0] {
		x, u := in[0].F64[b*p:b*p+p], out.F64[b*p:b*p+p]
		for i := range p { // row i of the system: u_i − Σ_j a_ij u_j = v_i
			for j := range p {
				if o.Transposed {
					a[i*p+j] = -act.Eval(o.Act, 1, x[i]) * m[i*p+j]
				} else {
					a[i*p+j] = -act.Eval(o.Act, 1, x[j]) * m[j*p+i]
				}
			}
			a[i*p+i] = 1
		}
		copy(u, in[3].F64[b*p:b*p+p])
		refEliminate(a, u)
	}
}

// Grad is closed: the gradient of each of the two systems is the other one.
func (o Linear) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	x, w, s := in[0], in[1], in[2]
	other := o
	other.Transposed = !o.Transposed
	m := b.Apply(other, x, w, s, dout)
	masked := b.Apply(Mask{}, w, s)
	d := b.Apply(dense.Unary{F: o.Act, Order: 1}, x)
	d2 := b.Apply(dense.Unary{F: o.Act, Order: 2}, x)
	mul := func(a, c *kernels.Node) *kernels.Node { return b.Apply(dense.Binary{Kind: dense.Mul}, a, c) }
	left, right := m, out // adjoint: D stands at M
	if !o.Transposed {
		left, right = out, m
	}
	dx := mul(d2, mul(left, b.Apply(dense.GEMM{TransB: true}, right, masked)))
	dw := b.Apply(NoDiag{}, b.Apply(dense.GEMM{TransA: true}, mul(d, left), right))
	return []*kernels.Node{dx, dw, nil, m}
}

// CPU solves the modules in topological order (or its reverse), blocks of samples side by side.
func (o Linear) CPU(c *kernels.Call) {
	k := tangent
	if o.Transposed {
		k = adjoint
	}
	solveSystem(c, k, o.options(), 3, 1, 2)
}

// Workspace holds the packed weights and the iterates and scratch of each worker.
func (o Linear) Workspace(in []kernels.Spec, _ kernels.Spec, workers int) int {
	return systemSize(in[0], adjoint, o.options(), workers)
}

// Reserve holds Newton's matrices of each worker where Auto may need them for samples that resist all else.
func (o Linear) Reserve(in []kernels.Spec, _ kernels.Spec, workers int) int {
	return reserveSize(in[0], o.options(), workers)
}
