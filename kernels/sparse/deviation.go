package sparse

import (
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// Deviation is y_k = p_k·(g_k − Σ p·g), the sum over the entries of the row of entry k, each column for itself: the
// gradient of Softmax, of which p is the value and g the gradient. Inputs: p and g float [entries, ...], the structure
// (five inputs).  Output: the shape of p.
//
// The shares p of a row add up to 1. So all of g may be taken from the g of the largest p first, which is exact where p
// is next to 1 and the difference above has lost all digits.
//
// Gradient: by the composition that Decompose is.
type Deviation struct{}

var (
	_ kernels.Differentiable = Deviation{}
	_ kernels.Fused          = Deviation{}
	_ kernels.CPUOp          = Deviation{}
	_ kernels.ShapeReader    = Deviation{}
	_ kernels.Scratcher      = Deviation{}
)

// Infer returns the spec of p.
func (o Deviation) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantCount(o, in, 2+parts); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0, 1); err != nil {
		return kernels.Spec{}, err
	}
	s, err := wantStructure(o, in, 2)
	if err != nil {
		return kernels.Spec{}, err
	}
	if !in[1].Equal(in[0]) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "input 1 must be %v, is %v", in[0], in[1])
	}
	return in[0], wantRows(o, in, 0, s.entries, "entry")
}

// Ref computes row by row.
func (o Deviation) Ref(out kernels.Tensor, in []kernels.Tensor) {
	m, d := sideOf(in[2:], false), length(out.Spec)
	if !monotone(m.ptr, len(m.col)) {
		spoil(out)
		return
	}
	for i := range m.rows {
		for c := range d {
			top, lo, hi := -1, int(m.ptr[i])*d+c, int(m.ptr[i+1])*d
			for at := lo; at < hi; at += d {
				if top < 0 || in[0].F64[at] > in[0].F64[top] {
					top = at
				}
			}
			mean := 0.0
			for at := lo; at < hi; at += d {
				mean += in[0].F64[at] * (in[1].F64[at] - in[1].F64[top])
			}
			for at := lo; at < hi; at += d {
				out.F64[at] = in[0].F64[at] * (in[1].F64[at] - in[1].F64[top] - mean)
			}
		}
	}
}

// Decompose is the formula above, for shares that add up to 1.
func (o Deviation) Decompose(b kernels.Builder, in []*kernels.Node) *kernels.Node {
	s := in[2:]
	mean := b.Apply(Spread{}, nodes(s, b.Apply(Segment{}, nodes(s, times(b, in[0], in[1]))...))...)
	return times(b, in[0], b.Apply(dense.Binary{Kind: dense.Sub}, in[1], mean))
}

// Grad is that of Decompose.
func (o Deviation) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	list := apart(b, in)
	return backward(b, list, o.Decompose(b, list), dout)
}

// ShapeOnly is true for all of the structure but the bounds of rows.
func (o Deviation) ShapeOnly(i int) bool { return i >= 3 }

// Workspace holds three rows of numbers for each worker.
func (o Deviation) Workspace(in []kernels.Spec, _ kernels.Spec, workers int) int {
	return kernels.CarveSize(3*workers*length(in[0]), in[0].DType.Size())
}

// CPU computes chunks of rows.
func (o Deviation) CPU(c *kernels.Call) {
	if m := sideOf(c.In[2:], false); boundsUsable(c, m) {
		run(c, cut(c, m, 4+4*float64(length(c.Out.Spec))), deviationBody[float32], deviationBody[float64])
	}
}

func deviationBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	m, d := sideOf(c.In[2:], false), length(c.Out.Spec)
	if d == 0 {
		return
	}
	work := c.Work
	mine := kernels.Carve[T](&work, 3*c.Pool.Workers()*d)[3*worker*d:][:3*d]
	p, g, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), kernels.Of[T](c.Out)
	lo, hi := rowsOf(c, m, chunk)
	for i := lo; i < hi; i++ {
		from, to := int(m.ptr[i])*d, int(m.ptr[i+1])*d
		deviate(y[from:to], p[from:to], g[from:to], mine[:d], mine[d:2*d], mine[2*d:])
	}
}

// deviate computes one row; top, base and mean are memory for a number of each column.
func deviate[T kernels.Float](y, p, g, top, base, mean []T) {
	d := len(top)
	if len(p) == 0 {
		return
	}
	copy(top, p)
	copy(base, g)
	for at := d; at < len(p); at += d {
		for c, v := range p[at : at+d] {
			if v > top[c] {
				top[c], base[c] = v, g[at+c]
			}
		}
	}
	clear(mean)
	for at := 0; at < len(p); at += d {
		for c, v := range p[at : at+d] {
			mean[c] += v * (g[at+c] - base[c])
		}
	}
	for at := 0; at < len(p); at += d {
		for c, v := range p[at : at+d] {
			y[at+c] = v * (g[at+c] - base[c] - mean[c])
		}
	}
}
