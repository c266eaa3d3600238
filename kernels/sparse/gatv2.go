package sparse

import (
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// GATv2 is the weighted mean of dynamic graph attention (arXiv 2105.14491, Eq. 7): y_i = Σ_k α_k⊗l_{col k} over the
// entries k of row i, with α the softmax over the row of ⟨a, LeakyReLU(l_{col k} + r_i)⟩, each head for itself. No
// array with a row of l for each entry is made.
// Inputs: l float [cols, heads, channels], r float [rows, heads, channels], a float [heads, channels], the structure
// (five inputs).  Output: [rows, heads, channels]; 0 for rows without entries.
//
// As in Softmax, 10⁻¹⁶ is added to the sums. Slope, that of LeakyReLU, is at most 1; 0.2 in the paper.
//
// Gradient: GATv2Grad.
type GATv2 struct{ Slope float64 }

var (
	_ kernels.Differentiable = GATv2{}
	_ kernels.Fused          = GATv2{}
	_ kernels.CPUOp          = GATv2{}
	_ kernels.Scratcher      = GATv2{}
	_ kernels.ShapeReader    = GATv2{}
	_ kernels.Counter        = GATv2{}
)

// Infer returns the shape of r.
func (o GATv2) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := dynamic(o, o.Slope, in, 3); err != nil {
		return kernels.Spec{}, err
	}
	return in[1], nil
}

// dynamic checks the inputs of dynamic attention: l, r and a, then others like r, and a structure at the given place.
func dynamic(o kernels.Op, slope float64, in []kernels.Spec, at int) error {
	if err := wantCount(o, in, at+parts); err != nil {
		return err
	}
	if !(slope <= 1) {
		return kernels.Errorf(o, in, kernels.ErrShape, "a slope of %v: it must be at most 1", slope)
	}
	s, err := wantStructure(o, in, at)
	if err != nil {
		return err
	}
	if in[0].Rank() != 3 || in[0].Shape[0] != s.cols {
		return kernels.Errorf(o, in, kernels.ErrShape, "input 0 must be [%d, heads, channels], is %v", s.cols,
			in[0].Shape)
	}
	if err := kernels.WantFloats(o, in, 0); err != nil {
		return err
	}
	for i := 1; i < at; i++ {
		want := withRows(in[0], s.rows)
		if i == 2 {
			want = kernels.S(in[0].DType, in[0].Shape[1:]...)
		}
		if !in[i].Equal(want) {
			return kernels.Errorf(o, in, kernels.ErrShape, "input %d must be %v, is %v", i, want, in[i])
		}
	}
	return nil
}

// Ref computes row by row.
func (o GATv2) Ref(out kernels.Tensor, in []kernels.Tensor) {
	m := sideOf(in[3:], false)
	if !usableRef(out, m, false) {
		return
	}
	clear(out.F64)
	heads, channels := out.Shape[1], out.Shape[2]
	for at := range m.rows * heads {
		i, h := at/heads, at%heads
		for n, a := range o.attend(m, i, h, in) {
			j := int(m.col[int(m.ptr[i])+n])*heads + h
			for c := range channels {
				out.F64[at*channels+c] += a * in[0].F64[j*channels+c]
			}
		}
	}
}

// attend is α of the entries of row i for head h: the reference.
func (o GATv2) attend(m side, i, h int, in []kernels.Tensor) []float64 {
	heads, channels := in[0].Shape[1], in[0].Shape[2]
	n := m.size(i)
	scores, one := make([]float64, n), side{ptr: []int32{0, int32(n)}, col: countUp(n), rows: 1}
	for k := range n {
		j := int(m.col[int(m.ptr[i])+k])
		for c := range channels {
			z := in[0].F64[(j*heads+h)*channels+c] + in[1].F64[(i*heads+h)*channels+c]
			scores[k] += in[2].F64[h*channels+c] * max(z, o.Slope*z)
		}
	}
	return attend(1, one, 0, 0, 1, scores, []float64{0}, nil)
}

// Decompose is the sum of the two ends, LeakyReLU, the product with a, softmax and the weighted sum.
func (o GATv2) Decompose(b kernels.Builder, in []*kernels.Node) *kernels.Node {
	alpha, _ := o.weights(b, in[0], in[1], in[2], in[3:])
	return b.Apply(SpMM{}, append(nodes(in[3:], in[0]), alpha)...)
}

// weights is α, and the argument of LeakyReLU.
func (o GATv2) weights(b kernels.Builder, l, r, a *kernels.Node, s []*kernels.Node) (alpha, z *kernels.Node) {
	z = b.Apply(SDDMM{Kind: Plus}, nodes(s, r, l)...)
	score := b.Apply(dense.Reduce{Axes: dense.On(2)}, times(b, leakyReLU(b, o.Slope, z), spreadA(b, a)))
	return b.Apply(Softmax{}, nodes(s, score)...), z
}

// spreadA is a as it multiplies rows of entries: [1, heads, channels].
func spreadA(b kernels.Builder, a *kernels.Node) *kernels.Node {
	s := kernels.SpecOf(a).Shape
	return b.Apply(dense.Reshape{To: dense.ShapeOf(1, s[0], s[1])}, a)
}

// Grad is GATv2Grad.
func (o GATv2) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	block := b.Apply(GATv2Grad(o), nodes(in[3:], in[0], in[1], in[2], out, dout)...)
	return gradients(split(b, block, in[0], in[1], in[2])...)
}

// ShapeOnly is true for the transpose.
func (o GATv2) ShapeOnly(i int) bool { return i >= 5 }

// Flops counts a product for the scores and one for the sums, for each element of each entry.
func (o GATv2) Flops(in []kernels.Spec, _ kernels.Spec) float64 {
	return 5 * float64(in[4].Size()) * float64(length(in[0]))
}

// Workspace is that of GAT.
func (o GATv2) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	return attentionWork(in, out, workers)
}

// CPU is that of GAT.
func (o GATv2) CPU(c *kernels.Call) { attendRows(c, 0.3*float64(length(c.Out.Spec))) }
