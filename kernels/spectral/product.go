package spectral

import (
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// Algebra writes the operations of a tensor algebra into a graph: the t-product under a fixed transform, or under any
// invertible real matrix if M is set. Its functions abort the enclosing Try or Build on wrong shapes.
type Algebra struct {
	Kind Kind
	// M float [c, c] is the matrix of the transform; nil for that of Kind. Gradients reach it.
	M *kernels.Node
	// Gauss takes three real products for a complex one (see Facewise).
	Gauss bool
}

// To writes the spectrum of x [c, any]: x ×₁ M.
func (a Algebra) To(b kernels.Builder, x *kernels.Node) *kernels.Node {
	if a.M != nil {
		return along1(b, a.M, x)
	}
	return a.fixed(b, Transform{Kind: a.Kind}, x)
}

// From writes the tensor that has the spectrum x [c, any]: x ×₁ M⁻¹. The status of a singular M is that of Inverse.
func (a Algebra) From(b kernels.Builder, x *kernels.Node) *kernels.Node {
	if a.M != nil {
		return along1(b, b.Apply(Inverse{}, a.M), x)
	}
	return a.fixed(b, Transform{Kind: a.Kind, Inverse: true}, x)
}

func (a Algebra) fixed(b kernels.Builder, t Transform, x *kernels.Node) *kernels.Node {
	if a.Kind == None {
		return x
	}
	return b.Apply(t, x)
}

// along1 writes the product of a matrix with x along its first axis.
func along1(b kernels.Builder, m, x *kernels.Node) *kernels.Node {
	shape := kernels.SpecOf(x).Shape
	if len(shape) == 0 {
		b.Fail(kernels.Errorf(Transform{}, []kernels.Spec{kernels.SpecOf(m), kernels.SpecOf(x)}, kernels.ErrShape,
			"wants tubes along axis 0, has a scalar"))
	}
	flat := b.Apply(dense.Reshape{To: dense.ShapeOf(shape[0], -1)}, x)
	return b.Apply(dense.Reshape{}, b.Apply(dense.GEMM{}, m, flat), x)
}

// Faces writes the facewise product of two spectra, of which each is (conjugate) transposed on request: [c, m, n].
func (a Algebra) Faces(b kernels.Builder, x, y *kernels.Node, transX, transY bool) *kernels.Node {
	if a.M == nil && a.Kind == DFT {
		return b.Apply(Facewise{TransA: transX, TransB: transY, Gauss: a.Gauss}, x, y)
	}
	return b.Apply(dense.BatchedGEMM{TransA: transX, TransB: transY}, x, y)
}

// Product writes the t-product of x [c, m, k] and y [c, k, n], either transposed on request: C = op(x) *_M op(y).
func (a Algebra) Product(b kernels.Builder, x, y *kernels.Node, transX, transY bool) *kernels.Node {
	return a.From(b, a.Faces(b, a.To(b, x), a.To(b, y), transX, transY))
}

// Transpose writes the transpose of x [c, m, n].
func (a Algebra) Transpose(b kernels.Builder, x *kernels.Node) *kernels.Node {
	if a.M == nil && a.Kind == DFT {
		return b.Apply(Transpose{}, x)
	}
	return b.Apply(dense.NewTranspose(0, 2, 1), x)
}

// Identity writes the identity t-matrix of the shape of like [c, n, n].
func (a Algebra) Identity(b kernels.Builder, like *kernels.Node) *kernels.Node {
	if a.M != nil {
		return a.From(b, b.Apply(Identity{Kind: None}, like))
	}
	return b.Apply(Identity{Kind: a.Kind}, like)
}

// Layer writes x̂ = M·f(M⁻¹ŷ + bias) for a spectrum ŷ [c, n, d] and a bias [c, d], or nil for none: in one pass (Tube)
// where the transform is fixed and its tubes are short.
func (a Algebra) Layer(b kernels.Builder, f act.Func, y, bias *kernels.Node) *kernels.Node {
	in := []*kernels.Node{y}
	if bias != nil {
		in = append(in, bias)
	}
	if s := y.Shape(); a.M == nil && a.Kind != None && s.Dims() == 3 && s[0] <= gemmLength {
		return b.Apply(Tube{Kind: a.Kind, F: f, Bias: bias != nil}, in...)
	}
	t := a.From(b, y)
	if bias != nil {
		s := y.Shape()
		t = b.Apply(dense.Binary{Kind: dense.Add}, t,
			b.Apply(dense.Reshape{To: dense.ShapeOf(s[0], 1, -1)}, bias))
	}
	if f != act.Identity {
		t = b.Apply(dense.Unary{F: f}, t)
	}
	return a.To(b, t)
}
