package recurrent

import (
	"ganglion/internal/asm/gemm"
	"ganglion/internal/cpu"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// sequence is the size of a layer over time.
type sequence struct {
	steps, batch, hidden int
	gates                int // blocks of the weights
	states               int // parts of the packed output
}

// sizes returns the sizes of a packed output [states, steps, batch, hidden].
func sizes(packed []int, gates int) sequence {
	return sequence{steps: packed[1], batch: packed[2], hidden: packed[3], gates: gates, states: packed[0]}
}

// part is the number of elements of one part of the packed output.
func (q sequence) part() int { return q.steps * q.batch * q.hidden }

// rows is the number of samples that one task takes through all steps.
func (q sequence) rows() int { return max(8, min(32, (q.batch+3)/4)) }

// tasks is the number of blocks of samples.
func (q sequence) tasks() int { return (q.batch + q.rows() - 1) / q.rows() }

// width is the number of columns of the gates' pre-activations.
func (q sequence) width() int { return q.gates * q.hidden }

// carved is what a worker needs: pre-activations, two vectors of carried values, and what the products pack.
func (q sequence) carved(elem int) int {
	n := max(gemm.Workspace(q.rows(), q.width(), q.hidden, elem, 1), gemm.Workspace(q.rows(), q.hidden, q.width(), elem,
		1))
	return kernels.CarveSize(q.rows()*q.width(), elem) + 3*kernels.CarveSize(q.rows()*q.hidden,
		elem) + kernels.CarveSize(n, 1)
}

// scratch is the memory of one worker.
type scratch[T kernels.Float] struct {
	gates, a, b, c []T
	gemm           []byte
}

// lend returns the worker's memory out of work.
func lend[T kernels.Float](q sequence, work []byte, worker, elem int) scratch[T] {
	n := q.carved(elem)
	m := scratch[T]{gemm: work[worker*n:][:n]}
	m.gates = kernels.Carve[T](&m.gemm, q.rows()*q.width())
	m.a = kernels.Carve[T](&m.gemm, q.rows()*q.hidden)
	m.b = kernels.Carve[T](&m.gemm, q.rows()*q.hidden)
	m.c = kernels.Carve[T](&m.gemm, q.rows()*q.hidden)
	return m
}

// multiply computes a product on the calling worker.
func multiply[T kernels.Float](path cpu.Path, a gemm.Args[T]) {
	switch a := any(&a).(type) {
	case *gemm.Args[float32]:
		gemm.F32(nil, path, nil, *a)
	case *gemm.Args[float64]:
		gemm.F64(nil, path, nil, *a)
	}
}

// run calls the loop body of the output's float type.
func run(c *kernels.Call, n int, f32, f64 func(c *kernels.Call, chunk, worker int)) {
	if c.Out.DType == kernels.Float32 {
		c.For(n, f32)
	} else {
		c.For(n, f64)
	}
}

// transposeBody writes the transposed weights [hidden, width] to the front of the workspace.
func transposeBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	const tile = 16
	w := kernels.Of[T](c.In[c.Arg[0]])
	width, hidden := c.In[c.Arg[0]].Shape[0], c.In[c.Arg[0]].Shape[1]
	work := c.Work
	t := kernels.Carve[T](&work, len(w))
	first := chunk * tile
	last := min(hidden, first+tile)
	for r := range width {
		for k := first; k < last; k++ {
			t[k*width+r] = w[r*hidden+k]
		}
	}
}

// transpose makes the transposed weights of input i.
func transpose(c *kernels.Call, i int) {
	c.Arg[0] = i
	run(c, (c.In[i].Shape[1]+15)/16, transposeBody[float32], transposeBody[float64])
}

// check checks the inputs of a layer: gx [steps, batch, gates·hidden], vectors [batch, hidden] in number, w and b.
func check(op kernels.Op, in []kernels.Spec, gates, states, vectors int) (kernels.Spec, error) {
	bad := func(format string, args ...any) (kernels.Spec, error) {
		return kernels.Spec{}, kernels.Errorf(op, in, kernels.ErrShape, format, args...)
	}
	if len(in) != 3+vectors {
		return bad("wants %d inputs, has %d", 3+vectors, len(in))
	}
	for i := range in {
		if err := kernels.WantFloats(op, in, 0, i); err != nil {
			return kernels.Spec{}, err
		}
	}
	w, b := in[1+vectors], in[2+vectors]
	if w.Rank() != 2 || w.Shape[0] != gates*w.Shape[1] {
		return bad("the weights must be [%d·hidden, hidden]", gates)
	}
	h := w.Shape[1]
	if b.Rank() != 1 || b.Shape[0] != gates*h {
		return bad("the bias must be of shape (%d)", gates*h)
	}
	if gx := in[0]; gx.Rank() != 3 || gx.Shape[0] < 1 || gx.Shape[2] != gates*h {
		return bad("input 0 must be [steps, batch, %d], with one step at least", gates*h)
	}
	for i := range vectors {
		if v := in[1+i]; v.Rank() != 2 || v.Shape[0] != in[0].Shape[1] || v.Shape[1] != h {
			return bad("input %d must be of shape (%d %d)", 1+i, in[0].Shape[1], h)
		}
	}
	return kernels.S(in[0].DType, states, in[0].Shape[0], in[0].Shape[1], h), nil
}

// checkGrad checks the inputs of a gradient: packed, dpacked of its shape, vectors [batch, hidden] in number, w.
func checkGrad(op kernels.Op, in []kernels.Spec, gates, states, vectors int) (kernels.Spec, error) {
	bad := func(format string, args ...any) (kernels.Spec, error) {
		return kernels.Spec{}, kernels.Errorf(op, in, kernels.ErrShape, format, args...)
	}
	if len(in) != 3+vectors {
		return bad("wants %d inputs, has %d", 3+vectors, len(in))
	}
	for i := range in {
		if err := kernels.WantFloats(op, in, 0, i); err != nil {
			return kernels.Spec{}, err
		}
	}
	p := in[0]
	if p.Rank() != 4 || p.Shape[0] != states || p.Shape[1] < 1 || !in[1].Equal(p) {
		return bad("inputs 0 and 1 must be alike, [%d, steps, batch, hidden]", states)
	}
	for i := range vectors {
		if v := in[2+i]; v.Rank() != 2 || v.Shape[0] != p.Shape[2] || v.Shape[1] != p.Shape[3] {
			return bad("input %d must be of shape (%d %d)", 2+i, p.Shape[2], p.Shape[3])
		}
	}
	if w := in[2+vectors]; w.Rank() != 2 || w.Shape[0] != gates*p.Shape[3] || w.Shape[1] != p.Shape[3] {
		return bad("the weights must be of shape (%d %d)", gates*p.Shape[3], p.Shape[3])
	}
	return p, nil
}

// weightGrads returns the gradients of the weights and the bias, given d [steps, batch, width], the gradient of what
// they make, and what they were multiplied with: h0 and then all of h but the last.
func weightGrads(b kernels.Builder, d, h, h0, w *kernels.Node) (dw, db *kernels.Node) {
	width, hidden := kernels.SpecOf(w).Shape[0], kernels.SpecOf(w).Shape[1]
	last := b.Apply(dense.Slice{Lo: -1}, h) // [1, batch, hidden], for its shape
	past := b.Apply(dense.Slice{}, b.Apply(dense.Concat{}, b.Apply(dense.Reshape{}, h0, last), h), h)
	flat := func(x *kernels.Node, n int) *kernels.Node { return b.Apply(dense.Reshape{To: dense.ShapeOf(-1, n)}, x) }
	dw = b.Apply(dense.GEMM{TransA: true}, flat(d, width), flat(past, hidden))
	return dw, b.Apply(dense.Reduce{Axes: dense.On(0, 1)}, d)
}
