package dense

import (
	"math"

	"ganglion/internal/asm/vec"
	"ganglion/internal/cpu"
	"ganglion/kernels"
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
	_ kernels.Scratcher      = Softmax{}
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

// Workspace holds three rows of columns for each worker, unless lines are contiguous.
func (o Softmax) Workspace(in []kernels.Spec, _ kernels.Spec, workers int) int {
	if o.FromLast == 0 {
		return 0
	}
	return columnsWork(in[0], workers)
}

// columnsWork is the workspace of softmaxColumnsBody.
func columnsWork(in kernels.Spec, workers int) int {
	return kernels.CarveSize(workers*3*softmaxStrip, in.DType.Size())
}

// CPU computes line by line, or strips of columns.
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
	if fromLast > 0 {
		cols := min(inner, softmaxStrip)
		tasks := outer * strips(inner)
		run(c, c.Rows(tasks, 100+3*float64(n*cols)), softmaxColumnsBody[float32], softmaxColumnsBody[float64])
		return
	}
	run(c, c.Rows(outer*inner, 30+float64(n)), softmaxBody[float32], softmaxBody[float64])
}

// softmaxStrip is the number of neighbouring columns that are computed together.
const softmaxStrip = 256

// strips returns the number of strips of a row.
func strips(inner int) int { return (inner + softmaxStrip - 1) / softmaxStrip }

func softmaxBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	outer, n, _ := around(c.Out.Shape, c.Out.Rank()-1)
	logarithm := c.Arg[argLog] == 1
	var exp []T
	if logarithm {
		work := c.Work
		exp = kernels.Carve[T](&work, c.Pool.Workers()*n)[worker*n:][:n]
	}
	lo, hi := c.Chunk(chunk, outer)
	for l := lo; l < hi; l++ {
		softmaxLine(c.Path, y[l*n:(l+1)*n], x[l*n:(l+1)*n], exp, logarithm)
	}
}

// softmaxColumnsBody computes strips of neighbouring columns.
func softmaxColumnsBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	work := c.Work
	scratch := kernels.Carve[T](&work, c.Pool.Workers()*3*softmaxStrip)[worker*3*softmaxStrip:][:3*softmaxStrip]
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	outer, n, inner := around(c.Out.Shape, c.Out.Rank()-1-c.Arg[argLast])
	each := strips(inner)
	lo, hi := c.Chunk(chunk, outer*each)
	for l := lo; l < hi && n > 0; l++ {
		first := l % each * softmaxStrip
		cols, at := min(softmaxStrip, inner-first), l/each*n*inner+first
		end := at + (n-1)*inner + cols
		softmaxColumns(c.Path, scratch, y[at:end], x[at:end], inner, cols, c.Arg[argLog] == 1)
	}
}

// softmaxLine computes a contiguous line; exp is scratch for the logarithm.
func softmaxLine[T kernels.Float](path cpu.Path, y, x, exp []T, logarithm bool) {
	if len(x) == 0 {
		return
	}
	t, top := vec.For[T](path), largest(path, x)
	if logarithm {
		total := expSum(t, exp, x, top)
		t.Shift(y, -top, x)
		t.Shift(y, -T(math.Log(total)), y)
		return
	}
	total := expSum(t, y, x, top)
	t.Scale(y, T(1/total), y)
}

// expSum is y = e^(x − top), and returns the sum: blocks in the type of the elements, their sums in float64.
func expSum[T kernels.Float](t *vec.Table[T], y, x []T, top T) float64 {
	const block = 1024
	total := 0.0
	for len(x) > block {
		total += float64(t.ExpSum(y[:block], x[:block], top))
		y, x = y[block:], x[block:]
	}
	return total + float64(t.ExpSum(y, x, top))
}

// softmaxColumns computes columns whose rows are step apart: one sweep for the largest elements, one for the
// exponentials and their sums, and one for the results.
func softmaxColumns[T kernels.Float](path cpu.Path, scratch, y, x []T, step, cols int, logarithm bool) {
	top, sum, row := scratch[:cols], scratch[softmaxStrip:][:cols], scratch[2*softmaxStrip:][:cols]
	t := vec.For[T](path)
	copy(top, x)
	clear(sum)
	for at := step; at < len(x); at += step {
		t.Larger(top, top, x[at:at+cols])
	}
	for at := 0; at < len(x); at += step {
		to := y[at : at+cols]
		t.Sub(to, x[at:at+cols], top)
		if logarithm {
			t.Exp(row, to)
			t.Add(sum, sum, row)
		} else {
			t.Exp(to, to)
			t.Add(sum, sum, to)
		}
	}
	if logarithm {
		t.Log(sum, sum)
	}
	for at := 0; at < len(x); at += step {
		to := y[at : at+cols]
		if logarithm {
			t.Sub(to, to, sum)
		} else {
			t.Div(to, to, sum)
		}
	}
}

// CUDA takes a warp for each line, or a thread when its elements are not neighbours.
func (o Softmax) CUDA(t kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return softmaxLaunch(t, o.FromLast, 0, out), nil
}
