package dense

import "ganglion/kernels"

// BroadcastTo repeats x to the shape of like: dimensions of size 1 are inserted into x's shape at the axes Insert
// (counted in the longer shape), then the shapes are broadcast as in numpy. If Mean, each element is divided by the
// number of its copies.
// Inputs: x float, like (any type; only its shape counts).  Output: like's shape, x's type.
//
// Gradient: SumTo with the same attributes. It is the gradient of a sum (or mean) over axes that needs no size as an
// attribute.
type BroadcastTo struct {
	Insert Axes
	Mean   bool
}

var (
	_ kernels.Differentiable = BroadcastTo{}
	_ kernels.CPUOp          = BroadcastTo{}
	_ kernels.InPlacer       = BroadcastTo{}
	_ kernels.CUDAOp         = BroadcastTo{}
)

// Infer returns like's shape.
func (o BroadcastTo) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantLike(o, in, o.Insert, 0, 1); err != nil {
		return kernels.Spec{}, err
	}
	return kernels.S(in[0].DType, in[1].Shape...), nil
}

// wantLike checks that in[small] with dimensions of size 1 inserted is broadcast to in[large].
func wantLike(op kernels.Op, in []kernels.Spec, insert Axes, small, large int) error {
	if err := kernels.WantInputs(op, in, -1, -1); err != nil {
		return err
	}
	if err := kernels.WantFloats(op, in, 0); err != nil {
		return err
	}
	if err := wantRank(op, in); err != nil {
		return err
	}
	from, to := in[small].Shape, in[large].Shape
	if insert != 0 && len(from)+insert.count() > MaxRank || insert&^all(len(from)+insert.count()) != 0 {
		return kernels.Errorf(op, in, kernels.ErrShape, "cannot insert axes %08b into %v", insert, from)
	}
	var buf [MaxRank]int
	if wide := inserted(&buf, from, insert); !broadcastTo(wide, to) {
		return kernels.Errorf(op, in, kernels.ErrShape, "%v is not broadcast to %v", wide, to)
	}
	return nil
}

// inserted is the shape with dimensions of size 1 at the given axes; it lies in buf.
func inserted(buf *[MaxRank]int, shape []int, insert Axes) []int {
	n := len(shape) + insert.count()
	for i, k := 0, 0; i < n; i++ {
		buf[i] = 1
		if !insert.Has(i) {
			buf[i] = shape[k]
			k++
		}
	}
	return buf[:n]
}

// Ref copies element by element.
func (o BroadcastTo) Ref(out kernels.Tensor, in []kernels.Tensor) {
	var buf [MaxRank]int
	shape := inserted(&buf, in[0].Shape, o.Insert)
	copies := 1.0
	if o.Mean {
		copies = float64(out.Size()) / float64(in[0].Size())
	}
	for i := range out.F64 {
		out.F64[i] = in[0].F64[source(i, out.Shape, shape)] / copies
	}
}

// Grad sums over the repeated dimensions.
func (o BroadcastTo) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(SumTo{Drop: o.Insert, Mean: o.Mean}, dout, in[0]), zerosFor(b, in[1])}
}

// zerosFor is a node of zeros for a float input, nil for others.
func zerosFor(b kernels.Builder, in *kernels.Node) *kernels.Node {
	if !kernels.SpecOf(in).DType.IsFloat() {
		return nil
	}
	return zeros(b, in)
}

// InPlace is true for x: where the shapes are equal, nothing is repeated.
func (o BroadcastTo) InPlace(i int) bool { return i == 0 }

// CPU copies runs.
func (o BroadcastTo) CPU(c *kernels.Call) {
	run(c, cut(c, c.Out.Size(), 0.3), broadcastBody[float32], broadcastBody[float64])
}

func broadcastBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(BroadcastTo)
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	var buf [MaxRank]int
	shape := inserted(&buf, c.In[0].Shape, o.Insert)
	w := newWalk(c.Out.Shape, shape, shape)
	copies := T(1)
	if o.Mean {
		copies = T(len(y) / len(x))
	}
	lo, hi := c.Chunk(chunk, len(y))
	p := w.seek(lo)
	step, _ := w.inner()
	for lo < hi {
		n := min(w.left(&p), hi-lo)
		switch {
		case step == 0:
			fill(y[lo:lo+n], x[p.a]/copies)
		case o.Mean:
			for i, v := range x[p.a : p.a+n] {
				y[lo+i] = v / copies
			}
		default:
			copy(y[lo:lo+n], x[p.a:])
		}
		w.advance(&p, n)
		lo += n
	}
}

// CUDA copies an element in a thread.
func (o BroadcastTo) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	var buf [MaxRank]int
	shape := inserted(&buf, in[0].Shape, o.Insert)
	copies := 1.0
	if o.Mean && in[0].Size() > 0 {
		copies = float64(out.Size()) / float64(in[0].Size())
	}
	w := newWalk(out.Shape, shape, shape)
	args := []kernels.Arg{w.arg(), kernels.FloatArg(out.DType, copies)}
	return elementwise(t, "dense/broadcastto", "broadcast", out, args, 1), nil
}
