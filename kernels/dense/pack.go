package dense

import "ganglion/kernels"

// Pack lays its inputs one behind another in a block, each in row-major order.
// Inputs: one or more float [any], of one type.  Output: [total number of elements].
//
// Gradient: each input's part of dy (Unconcat).
type Pack struct{}

var (
	_ kernels.Differentiable = Pack{}
	_ kernels.CPUOp          = Pack{}
	_ kernels.Packer         = Pack{}
)

// Infer adds up the sizes.
func (o Pack) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantSome(o, in); err != nil {
		return kernels.Spec{}, err
	}
	return kernels.S(in[0].DType, o.Part(in, len(in))), nil
}

// Part is the number of elements before input i.
func (o Pack) Part(in []kernels.Spec, i int) int {
	n := 0
	for _, s := range in[:i] {
		n += s.Size()
	}
	return n
}

// Ref copies input by input.
func (o Pack) Ref(out kernels.Tensor, in []kernels.Tensor) { packAll(out, in) }

func packAll(out kernels.Tensor, in []kernels.Tensor) {
	to := out.Memory()
	for _, t := range in {
		to = to[copy(to, t.Memory()):]
	}
}

// Grad takes dout apart.
func (o Pack) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	parts := []*kernels.Node{dout}
	for _, n := range in {
		parts = append(parts, b.Apply(Reshape{To: ShapeOf(-1)}, n))
	}
	grads := make([]*kernels.Node, len(in))
	for i, n := range in {
		grads[i] = b.Apply(Reshape{}, b.Apply(Unconcat{Part: i}, parts...), n)
	}
	return grads
}

// CPU copies, for when the inputs do not lie in the block already.
func (o Pack) CPU(c *kernels.Call) { packAll(c.Out, c.In) }
