package dense

import (
	"math"

	"ganglion/internal/asm/vec"
	"ganglion/internal/cpu"
	"ganglion/kernels"
	"ganglion/kernels/act"
)

// Softmax is y_i = e^{x_i} / Σ_j e^{x_j} along one axis, by default the last.
// Input: x float [any], one dimension at least.  Output: the same shape.
//
// The largest element is subtracted first, so nothing overflows; a line that holds NaN or +Inf, or only −Inf, gives
// NaN.
//
// Gradient: dx = y ⊙ (dy − Σ dy⊙y).
type Softmax struct {
	FromLast int // the axis, counted from the last: 0 is the last, 1 the one before it
}

var (
	_ kernels.Differentiable = Softmax{}
	_ kernels.CPUOp          = Softmax{}
	_ kernels.InPlacer       = Softmax{}
	_ kernels.CUDAOp         = Softmax{}
)

// Infer returns the spec of x.
func (o Softmax) Infer(in []kernels.Spec) (kernels.Spec, error) {
	return softmaxSpec(o, o.FromLast, in)
}

func softmaxSpec(op kernels.Op, fromLast int, in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(op, in, 1); err != nil {
		return kernels.Spec{}, err
	}
	if err := wantRank(op, in); err != nil {
		return kernels.Spec{}, err
	}
	if rank := in[0].Rank(); fromLast < 0 || fromLast >= rank {
		return kernels.Spec{}, kernels.Errorf(op, in, kernels.ErrShape, "no axis %d before the last of %d", fromLast,
			rank)
	}
	return in[0], nil
}

// Ref computes line by line.
func (o Softmax) Ref(out kernels.Tensor, in []kernels.Tensor) {
	softmaxRef(o.FromLast, false, out, in[0])
}

func softmaxRef(fromLast int, logarithm bool, out, in kernels.Tensor) {
	outer, n, inner := around(in.Shape, in.Rank()-1-fromLast)
	for l := range outer * inner {
		at := func(i int) int { return (l/inner*n+i)*inner + l%inner }
		top, sum := math.Inf(-1), 0.0
		for i := range n {
			top = max(top, in.F64[at(i)])
		}
		for i := range n {
			sum += math.Exp(in.F64[at(i)] - top)
		}
		for i := range n {
			x := in.F64[at(i)] - top
			if out.F64[at(i)] = math.Exp(x) / sum; logarithm {
				out.F64[at(i)] = x - math.Log(sum)
			}
		}
	}
}

// Grad follows the formula above.
func (o Softmax) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{softmaxGrad(b, On(in[0].Dims()-1-o.FromLast), out, dout)}
}

// softmaxGrad is y ⊙ (dy − Σ dy⊙y) with the sum over one axis.
func softmaxGrad(b kernels.Builder, axis Axes, y, dy *kernels.Node) *kernels.Node {
	sum := b.Apply(Reduce{Axes: axis, Keep: true}, b.Apply(Binary{Kind: Mul}, dy, y))
	return b.Apply(Binary{Kind: Mul}, y, b.Apply(Binary{Kind: Sub}, dy, sum))
}

// InPlace is true for x.
func (o Softmax) InPlace(i int) bool { return i == 0 }

// CPU computes line by line.
func (o Softmax) CPU(c *kernels.Call) { softmaxCall(c, o.FromLast, false) }

const (
	argLast = iota
	argLog
)

func softmaxCall(c *kernels.Call, fromLast int, logarithm bool) {
	c.Arg[argLast], c.Arg[argLog] = fromLast, 0
	if logarithm {
		c.Arg[argLog] = 1
	}
	outer, n, inner := around(c.Out.Shape, c.Out.Rank()-1-fromLast)
	run(c, c.Rows(outer*inner, 40+2*float64(n)), softmaxBody[float32], softmaxBody[float64])
}

func softmaxBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	outer, n, inner := around(c.Out.Shape, c.Out.Rank()-1-c.Arg[argLast])
	logarithm := c.Arg[argLog] == 1
	line := c.Arg[argLast] == 0
	var exp []T
	if logarithm && line {
		work := c.Work
		exp = kernels.Carve[T](&work, c.Pool.Workers()*n)[worker*n:][:n]
	}
	lo, hi := c.Chunk(chunk, outer*inner)
	for l := lo; l < hi; l++ {
		if first := l/inner*n*inner + l%inner; line {
			softmaxLine(c.Path, y[first:first+n], x[first:first+n], exp, logarithm)
		} else {
			softmaxStrided(y, x, first, n, inner, logarithm)
		}
	}
}

// softmaxLine computes a contiguous line; exp is scratch for the logarithm.
func softmaxLine[T kernels.Float](path cpu.Path, y, x, exp []T, logarithm bool) {
	if len(x) == 0 {
		return
	}
	shift(y, x, largest(path, x))
	if logarithm {
		act.Apply(path, act.Exp, 0, exp, y)
		shift(y, y, T(math.Log(sum(path, exp))))
		return
	}
	act.Apply(path, act.Exp, 0, y, y)
	vec.For[T](path).Scale(y, T(1/sum(path, y)), y)
}

// shift is y = x − by.
func shift[T kernels.Float](y, x []T, by T) {
	for i, v := range x {
		y[i] = v - by
	}
}

// softmaxStrided computes a line whose elements are step apart.
func softmaxStrided[T kernels.Float](y, x []T, first, n, step int, logarithm bool) {
	top, s := math.Inf(-1), 0.0
	for i := range n {
		top = max(top, float64(x[first+i*step]))
	}
	for i := range n {
		s += math.Exp(float64(x[first+i*step]) - top)
	}
	logSum := math.Log(s)
	for i := range n {
		v := float64(x[first+i*step]) - top
		if logarithm {
			y[first+i*step] = T(v - logSum)
		} else {
			y[first+i*step] = T(math.Exp(v) / s)
		}
	}
}

// CUDA takes a warp for each line, or a thread when its elements are not neighbours.
func (o Softmax) CUDA(t kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return softmaxLaunch(t, o.FromLast, 0, out), nil
}
