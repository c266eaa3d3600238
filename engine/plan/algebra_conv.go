package plan

import (
	"slices"

	"ganglion/kernels"
	"ganglion/kernels/conv"
	"ganglion/kernels/dense"
)

// Convolve is the pass that finds convolutions written as products. Of signals of which conv.Unfold has laid out what
// every position reads, P = [images·positions, channels·taps], and with kernels W = [out, channels·taps] and gradients
// D = [images·positions, out], P·Wᵀ is conv.Conv, Dᵀ·P is conv.ConvGradW, and conv.Fold of D·W is conv.ConvGradX: none
// of them writes P. The sums are taken in another order, so results differ by rounding.
func Convolve(g *Graph) (*Graph, Map) {
	kernelOf := map[int]int{} // the kernels [out, channels, taps…] that a P was multiplied by
	return g.rewrite(func(r *rewriter, _ int, n Node) int {
		id, by := -1, ""
		switch op := n.Op.(type) {
		case dense.Transpose:
			id, by = forward(r, &n, kernelOf), "product of columns is a convolution"
		case dense.GEMM:
			if op.TransA && !op.TransB {
				id, by = byKernel(r, &n, kernelOf), "product with columns is a convolution's gradient"
			}
		case conv.Fold:
			id, by = bySignal(r, &n, op), "fold of a product is a convolution's gradient"
		}
		if id < 0 || n.Kind != Apply {
			return r.add(n)
		}
		r.node(id).Notes = append(r.node(id).Notes, by)
		return id
	})
}

// convOf is the convolution that reads what an Unfold lays out.
func convOf(o conv.Unfold) conv.Conv {
	return conv.Conv{Dims: o.Dims, Stride: o.Stride, Pad: o.Pad, Dilation: o.Dilation}
}

// under follows ops that only change the shape, down to the value whose elements they show.
func under(r *rewriter, id int) int {
	for {
		n := r.node(id)
		if n.Kind != Apply {
			return id
		}
		switch n.Op.(type) {
		case Fit, dense.Reshape:
			id = n.In[0]
		default:
			return id
		}
	}
}

// shaped is the value of a node in another shape.
func shaped(r *rewriter, id int, shape ...int) int {
	for at := id; ; {
		n := r.node(at)
		if slices.Equal(n.Spec.Shape, shape) {
			return at
		}
		if next := under(r, at); next == at {
			break
		}
		at = n.In[0]
	}
	return r.apply(r.node(id), dense.Reshape{To: dense.ShapeOf(shape...)}, id)
}

// apply adds an op over nodes of the new graph on behalf of n; -1 when the op does not take them.
func (r *rewriter) apply(n *Node, op kernels.Op, in ...int) int {
	specs := make([]kernels.Spec, len(in))
	for i, c := range in {
		if c < 0 {
			return -1
		}
		specs[i] = r.node(c).Spec
	}
	spec, err := op.Infer(specs)
	if err != nil {
		return -1
	}
	return r.add(Node{Kind: Apply, Op: op, In: append([]int(nil), in...), Spec: spec, Path: n.Path,
		Notes: append([]string(nil), n.Notes...)})
}

// columns reports that a matrix shows the rows of an Unfold of two extents.
func columns(r *rewriter, id int) (at int, op conv.Unfold, ok bool) {
	at = under(r, id)
	n := r.node(at)
	op, ok = n.Op.(conv.Unfold)
	if !ok || op.Dims != 2 {
		return at, op, false
	}
	s, m := n.Spec.Shape, r.node(id).Spec.Shape
	return at, op, len(m) == 2 && m[0] == s[0]*s[1]*s[2] && m[1] == s[3]
}

// kernelShape is [out, channels, taps…] for the signal x.
func kernelShape(op conv.Unfold, x kernels.Spec, out int) []int {
	return []int{out, x.Shape[1], int(op.Kernel[0]), int(op.Kernel[1])}
}

// forward is the convolution that n, which turns [images, positions, out] round, is of; or -1.
func forward(r *rewriter, n *Node, kernelOf map[int]int) int {
	perm, ok := permutation(n)
	if !ok || !slices.Equal(perm, []int{0, 3, 1, 2}) {
		return -1
	}
	g := r.node(under(r, n.In[0]))
	if g.Op != (dense.GEMM{TransB: true}) {
		return -1
	}
	p, op, ok := columns(r, g.In[0])
	if !ok {
		return -1
	}
	y, cols := r.node(n.In[0]).Spec.Shape, r.node(p).Spec.Shape
	if !slices.Equal(y[:3], cols[:3]) || g.Spec.Shape[1] != y[3] {
		return -1
	}
	x := r.node(p).In[0]
	w := shaped(r, g.In[1], kernelShape(op, r.node(x).Spec, y[3])...)
	id := r.apply(n, convOf(op), x, w)
	if id < 0 || !r.node(id).Spec.Equal(n.Spec) {
		return -1
	}
	kernelOf[p] = w
	return id
}

// outward is the gradient [images, out, positions…] of which a matrix D holds the elements; or -1.
func outward(r *rewriter, n *Node, d int, positions []int) int {
	m := r.node(d).Spec.Shape
	if len(m) != 2 || m[0] != positions[0]*positions[1]*positions[2] {
		return -1
	}
	wide := append(append([]int(nil), positions...), m[1])
	base := r.node(under(r, d))
	if perm, ok := permutation(base); ok && slices.Equal(perm, []int{0, 2, 3, 1}) &&
		slices.Equal(base.Spec.Shape, wide) {
		return base.In[0]
	}
	return r.apply(n, dense.NewTranspose(0, 3, 1, 2), shaped(r, d, wide...))
}

// byKernel is the matrix Dᵀ·P as the gradient of a convolution by its kernels; or -1.
func byKernel(r *rewriter, n *Node, kernelOf map[int]int) int {
	p, op, ok := columns(r, n.In[1])
	if !ok {
		return -1
	}
	dy := outward(r, n, n.In[0], r.node(p).Spec.Shape[:3])
	if dy < 0 {
		return -1
	}
	x := r.node(p).In[0]
	shape := kernelShape(op, r.node(x).Spec, n.Spec.Shape[0])
	w, ok := kernelOf[p]
	if !ok || !slices.Equal(r.node(w).Spec.Shape, shape) {
		spec := kernels.S(n.Spec.DType, shape...)
		w = r.add(Node{Kind: Const, Spec: spec, Value: kernels.New(spec), Path: n.Path})
	}
	id := r.apply(n, conv.ConvGradW{Of: convOf(op)}, x, dy, w)
	if id < 0 {
		return -1
	}
	return r.apply(n, dense.Reshape{To: dense.ShapeOf(n.Spec.Shape...)}, id)
}

// bySignal is the Fold n of D·W as the gradient of a convolution by its signal; or -1.
func bySignal(r *rewriter, n *Node, op conv.Fold) int {
	cols := r.node(n.In[0]).Spec.Shape
	g := r.node(under(r, n.In[0]))
	if g.Op != (dense.GEMM{}) || op.Of.Dims != 2 || g.Spec.Shape[1] != cols[3] {
		return -1
	}
	dy := outward(r, n, g.In[0], cols[:3])
	if dy < 0 {
		return -1
	}
	w := shaped(r, g.In[1], kernelShape(op.Of, n.Spec, r.node(g.In[1]).Spec.Shape[0])...)
	back := conv.ConvGradX{Of: convOf(op.Of)}
	for i := range 2 {
		span := int(op.Of.Dilation[i])*(int(op.Of.Kernel[i])-1) + 1
		back.OutPad[i] = int32((n.Spec.Shape[2+i] + 2*int(op.Of.Pad[i]) - span) % int(op.Of.Stride[i]))
	}
	id := r.apply(n, back, dy, w)
	if id < 0 || !r.node(id).Spec.Equal(n.Spec) {
		return -1
	}
	return id
}
