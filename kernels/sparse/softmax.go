package sparse

import (
	"math"

	"ganglion/internal/asm/csr"
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
)

// Softmax is the softmax over the edges of each node: y_k = e^{s_k − t_i}/(Σ e^{s − t_i} + 10⁻¹⁶) for the entries k of
// row i, t_i the largest of them; each column of s for itself.
// Inputs: s float [entries, ...], the structure (five inputs).  Output: the shape of s.
//
// Gradient: Deviation.
type Softmax struct{}

// tiny is added to the sums of softmax.
const tiny = 1e-16

var (
	_ kernels.Differentiable = Softmax{}
	_ kernels.CPUOp          = Softmax{}
	_ kernels.InPlacer       = Softmax{}
	_ kernels.ShapeReader    = Softmax{}
	_ kernels.Scratcher      = Softmax{}
)

// Infer returns the spec of s.
func (o Softmax) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantCount(o, in, 1+parts); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0); err != nil {
		return kernels.Spec{}, err
	}
	s, err := wantStructure(o, in, 1)
	if err != nil {
		return kernels.Spec{}, err
	}
	return in[0], wantRows(o, in, 0, s.entries, "entry")
}

// Ref computes row by row.
func (o Softmax) Ref(out kernels.Tensor, in []kernels.Tensor) {
	m, d := sideOf(in[1:], false), length(out.Spec)
	if !monotone(m.ptr, len(m.col)) {
		spoil(out)
		return
	}
	for i := range m.rows {
		for c := range d {
			top, sum := math.Inf(-1), 0.0
			for k := int(m.ptr[i]); k < int(m.ptr[i+1]); k++ {
				top = max(top, in[0].F64[k*d+c])
			}
			for k := int(m.ptr[i]); k < int(m.ptr[i+1]); k++ {
				sum += math.Exp(in[0].F64[k*d+c] - top)
			}
			for k := int(m.ptr[i]); k < int(m.ptr[i+1]); k++ {
				out.F64[k*d+c] = math.Exp(in[0].F64[k*d+c]-top) / (sum + tiny)
			}
		}
	}
}

// Grad is the deviation of dy from its mean, weighted by y.
func (o Softmax) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	return gradients(b.Apply(Deviation{}, nodes(in[1:], out, dout)...))
}

// InPlace is true for s.
func (o Softmax) InPlace(i int) bool { return i == 0 }

// ShapeOnly is true for all of the structure but the bounds of rows.
func (o Softmax) ShapeOnly(i int) bool { return i >= 2 }

// Workspace holds two rows of numbers for each worker.
func (o Softmax) Workspace(in []kernels.Spec, _ kernels.Spec, workers int) int {
	return kernels.CarveSize(2*workers*length(in[0]), in[0].DType.Size())
}

// CPU computes chunks of rows.
func (o Softmax) CPU(c *kernels.Call) {
	if m := sideOf(c.In[1:], false); boundsUsable(c, m) {
		run(c, cut(c, m, 4+2*float64(length(c.Out.Spec))), softmaxBody[float32], softmaxBody[float64])
	}
}

func softmaxBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	m, d := sideOf(c.In[1:], false), length(c.Out.Spec)
	if d == 0 {
		return
	}
	work := c.Work
	both := kernels.Carve[T](&work, 2*c.Pool.Workers()*d)[2*worker*d:][:2*d]
	t, s, y := vec.For[T](c.Path), kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	lo, hi := rowsOf(c, m, chunk)
	if k := csr.For[T](c.Path); lo < hi && d <= k.Lanes() {
		ptr := m.ptr[lo : hi+1]
		s, y = s[int(m.ptr[lo])*d:int(m.ptr[hi])*d], y[int(m.ptr[lo])*d:int(m.ptr[hi])*d]
		k.Shift(&csr.Shift[T]{Ptr: ptr, Heads: d, From: s, To: y})
		t.Exp(y, y)
		k.Share(&csr.Share[T]{Ptr: ptr, Heads: d, X: y, Tiny: tiny})
		return
	}
	for i := lo; i < hi; i++ {
		from, to := int(m.ptr[i])*d, int(m.ptr[i+1])*d
		softmaxRow(t, y[from:to], s[from:to], both[:d], both[d:])
	}
}

// softmaxRow is the softmax of the columns of x [n, d].
func softmaxRow[T kernels.Float](t *vec.Table[T], y, x, top, sum []T) {
	d := len(top)
	if len(x) == 0 {
		return
	}
	copy(top, x)
	for at := d; at < len(x); at += d {
		for c, v := range x[at : at+d] {
			top[c] = max(top[c], v)
		}
	}
	for at := 0; at < len(x); at += d {
		for c, v := range x[at : at+d] {
			y[at+c] = v - top[c]
		}
	}
	t.Exp(y, y)
	clear(sum)
	for at := 0; at < len(y); at += d {
		for c, v := range y[at : at+d] {
			sum[c] += v
		}
	}
	for c, v := range sum {
		sum[c] = 1 / (v + tiny)
	}
	for at := 0; at < len(y); at += d {
		for c, v := range sum {
			y[at+c] *= v
		}
	}
}
