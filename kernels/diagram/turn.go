package diagram

import (
	"ganglion/kernels"
	"ganglion/kernels/diagram/calculus"
)

// Turn makes the weights of the transposed map: λ'[flip(π), ci, co] = sign(π)·λ[π, co, ci], with the sign of
// D_πᵀ = sign·D_flip(π). Input: float [diagrams, Cout, Cin].  Output: [diagrams, Cin, Cout].
//
// Gradient: Turn of the flipped family.
type Turn struct{ Family }

var (
	_ kernels.Differentiable = Turn{}
	_ kernels.CPUOp          = Turn{}
	_ kernels.Preparer       = Turn{}
)

// Infer checks the number of diagrams.
func (o Turn) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 3); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0); err != nil {
		return kernels.Spec{}, err
	}
	count, err := o.check(o, in)
	if err != nil {
		return kernels.Spec{}, err
	}
	w := in[0].Shape
	if w[0] != count {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "weights must be [%d, channels, channels], "+
			"are %v", count, w)
	}
	return kernels.S(in[0].DType, w[0], w[2], w[1]), nil
}

// flips returns for every diagram the position of its flip in the flipped family, and the sign.
func (f Family) flips() (to []int, sign []int) {
	at := map[string]int{}
	key := func(d calculus.Diagram) string { return string(append([]byte{byte(d.Kind)}, d.Labels...)) }
	for i, d := range f.flip().diagrams() {
		at[key(d)] = i
	}
	for _, d := range f.diagrams() {
		flip, s := d.Flip()
		to, sign = append(to, at[key(flip)]), append(sign, s)
	}
	return to, sign
}

// Ref moves weight by weight.
func (o Turn) Ref(out kernels.Tensor, in []kernels.Tensor) {
	to, sign := o.flips()
	turn(out.F64, in[0].F64, in[0].Shape, to, sign)
}

func turn[T kernels.Float](out, in []T, shape, to, sign []int) {
	rows, columns := shape[1], shape[2]
	for d := range to {
		src, dst := in[d*rows*columns:][:rows*columns], out[to[d]*rows*columns:][:rows*columns]
		s := T(sign[d])
		for i, w := range src {
			dst[i%columns*rows+i/columns] = s * w
		}
	}
}

// Grad turns back.
func (o Turn) Grad(b kernels.Builder, _ []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(Turn{o.flip()}, dout)}
}

// turnState is what Prepare finds out about a family.
type turnState struct{ to, sign []int }

// Prepare lists the flips, if the family is one.
func (o Turn) Prepare(c *kernels.Call) {
	if _, err := o.check(o, nil); err == nil {
		to, sign := o.flips()
		c.State = &turnState{to, sign}
	}
}

// CPU moves weight by weight: there are few.
func (o Turn) CPU(c *kernels.Call) {
	s := c.State.(*turnState)
	if c.Out.DType == kernels.Float32 {
		turn(c.Out.F32, c.In[0].F32, c.In[0].Shape, s.to, s.sign)
	} else {
		turn(c.Out.F64, c.In[0].F64, c.In[0].Shape, s.to, s.sign)
	}
}
