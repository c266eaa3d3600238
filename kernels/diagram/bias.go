package diagram

import (
	"ganglion/kernels"
)

// Constant is the constant part z[b, co] = Σ_τ μ[τ, co]·D_τ of a layer, one tensor for all samples. K of the family is
// 0. Input: μ float [diagrams, C].  Output: [C, n…] with L axes.
//
// Gradient: Traces.
type Constant struct{ Family }

// Traces is ⟨z[co], D_τ⟩, the gradient of Constant. Input: z float [C, n…] with L axes.  Output: [diagrams, C].
//
// Gradient: Constant.
type Traces struct{ Family }

var (
	_ kernels.Differentiable = Constant{}
	_ kernels.CPUOp          = Constant{}
	_ kernels.Preparer       = Constant{}
	_ kernels.Differentiable = Traces{}
	_ kernels.CPUOp          = Traces{}
	_ kernels.Preparer       = Traces{}
)

// constant checks the family and returns the number of diagrams.
func (f Family) constant(op kernels.Op, in []kernels.Spec) (int, error) {
	if f.K != 0 {
		return 0, kernels.Errorf(op, in, kernels.ErrShape, "constants have no input axes: K is %d", f.K)
	}
	return f.check(op, in)
}

// Infer checks the number of diagrams.
func (o Constant) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 2); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0); err != nil {
		return kernels.Spec{}, err
	}
	count, err := o.constant(o, in)
	if err != nil {
		return kernels.Spec{}, err
	}
	if in[0].Shape[0] != count {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "weights must be [%d, channels], are %v", count,
			in[0].Shape)
	}
	s := o.signal(in[0].DType, 1, in[0].Shape[1], o.L)
	s.Shape = s.Shape[1:]
	return s, nil
}

// Ref adds the tensor of every diagram.
func (o Constant) Ref(out kernels.Tensor, in []kernels.Tensor) {
	clear(out.F64)
	channels, size := in[0].Shape[1], power(o.N, o.L)
	o.each(Sums, func(d int, m []float64) {
		for c := range channels {
			for i, x := range m {
				out.F64[c*size+i] += in[0].F64[d*channels+c] * x
			}
		}
	})
}

// Grad takes the traces.
func (o Constant) Grad(b kernels.Builder, _ []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(Traces(o), dout)}
}

// Prepare lists the entries of the diagrams.
func (o Constant) Prepare(c *kernels.Call) { c.State = o.listed(o) }

// listed are the entries of the diagrams of a family of constants, nil unless it is one.
func (f Family) listed(op kernels.Op) []entry {
	if _, err := f.constant(op, nil); err != nil {
		return nil
	}
	var out []entry
	for i, d := range f.diagrams() {
		out = append(out, entries(d, i, f.N, 1)...)
	}
	return out
}

// CPU adds entry by entry.
func (o Constant) CPU(c *kernels.Call) {
	if c.Out.DType == kernels.Float32 {
		addConstant(c.State.([]entry), c.Out.F32, c.In[0].F32, c.Out.Shape[0])
	} else {
		addConstant(c.State.([]entry), c.Out.F64, c.In[0].F64, c.Out.Shape[0])
	}
}

func addConstant[T kernels.Float](list []entry, out, mu []T, channels int) {
	clear(out)
	if channels == 0 {
		return
	}
	size := len(out) / channels
	for _, e := range list {
		for c := range channels {
			out[c*size+e.row] += T(e.value) * mu[e.diagram*channels+c]
		}
	}
}

// Infer checks the axes.
func (o Traces) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, o.L+1); err != nil {
		return kernels.Spec{}, err
	}
	count, err := o.constant(o, in)
	if err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0); err != nil {
		return kernels.Spec{}, err
	}
	for _, n := range in[0].Shape[1:] {
		if n != o.N {
			return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "wants [channels] and %d axes of length "+
				"%d, has %v", o.L, o.N, in[0].Shape)
		}
	}
	return kernels.S(in[0].DType, count, in[0].Shape[0]), nil
}

// Ref multiplies by the tensor of every diagram.
func (o Traces) Ref(out kernels.Tensor, in []kernels.Tensor) {
	channels, size := in[0].Shape[0], power(o.N, o.L)
	o.each(Sums, func(d int, m []float64) {
		for c := range channels {
			sum := 0.0
			for i, x := range m {
				sum += in[0].F64[c*size+i] * x
			}
			out.F64[d*channels+c] = sum
		}
	})
}

// Grad adds the tensors of the diagrams.
func (o Traces) Grad(b kernels.Builder, _ []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(Constant(o), dout)}
}

// Prepare lists the entries of the diagrams.
func (o Traces) Prepare(c *kernels.Call) { c.State = o.listed(o) }

// CPU adds entry by entry.
func (o Traces) CPU(c *kernels.Call) {
	if c.Out.DType == kernels.Float32 {
		traces(c.State.([]entry), c.Out.F32, c.In[0].F32, c.In[0].Shape[0])
	} else {
		traces(c.State.([]entry), c.Out.F64, c.In[0].F64, c.In[0].Shape[0])
	}
}

func traces[T kernels.Float](list []entry, out, z []T, channels int) {
	clear(out)
	if channels == 0 {
		return
	}
	size := len(z) / channels
	for _, e := range list {
		for c := range channels {
			out[e.diagram*channels+c] += T(e.value) * z[c*size+e.row]
		}
	}
}
