package dense

import (
	"math"
	"slices"

	"ganglion/kernels"
)

// Sparsemax is the point of the simplex that is nearest to each row (arXiv 1602.02068): y_i = max(x_i − τ, 0) with
// the τ for which the row's sum is 1. Rows are along the last axis.
// Input: x float [any], one dimension at least.  Output: the same shape. A row that holds NaN or +Inf, or only −Inf, is
// NaN.
//
// Gradient: on the support of each row, dy minus its mean over the support; 0 elsewhere.
type Sparsemax struct{}

var (
	_ kernels.Differentiable = Sparsemax{}
	_ kernels.CPUOp          = Sparsemax{}
	_ kernels.InPlacer       = Sparsemax{}
	_ kernels.CUDAOp         = Sparsemax{}
)

// Infer returns the spec of x.
func (o Sparsemax) Infer(in []kernels.Spec) (kernels.Spec, error) { return softmaxSpec(o, 0, in) }

// Ref sorts each row and takes the longest beginning whose last element is above the τ of that beginning.
func (o Sparsemax) Ref(out kernels.Tensor, in []kernels.Tensor) {
	rows, n, _ := around(out.Shape, out.Rank()-1)
	for r := range rows {
		x, y := in[0].F64[r*n:][:n], out.F64[r*n:][:n]
		if n == 0 {
			continue
		}
		sorted := slices.Clone(x)
		slices.SortFunc(sorted, func(a, b float64) int { return -cmpNaN(a, b) })
		sum, tau := 0.0, math.NaN()
		for i, v := range sorted {
			sum += v - sorted[0]
			if t := (sum - 1) / float64(i+1); v-sorted[0] > t {
				tau = t
			}
		}
		for i, v := range x {
			y[i] = max(v-sorted[0]-tau, 0)
		}
	}
}

// cmpNaN orders NaN above all numbers.
func cmpNaN(a, b float64) int {
	switch {
	case a != a && b == b || a > b:
		return 1
	case b != b && a == a || b > a:
		return -1
	}
	return 0
}

// Grad follows the formula above.
func (o Sparsemax) Grad(b kernels.Builder, _ []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	last := On(out.Dims() - 1)
	on := b.Apply(Binary{Kind: Gt}, out, b.Apply(FillLike{}, out))
	sum := func(x *kernels.Node) *kernels.Node { return b.Apply(Reduce{Axes: last, Keep: true}, x) }
	mean := b.Apply(Binary{Kind: Div}, sum(b.Apply(Binary{Kind: Mul}, on, dout)), sum(on))
	return []*kernels.Node{b.Apply(Binary{Kind: Mul}, on, b.Apply(Binary{Kind: Sub}, dout, mean))}
}

// InPlace is true for x.
func (o Sparsemax) InPlace(i int) bool { return i == 0 }

// CPU goes row by row.
func (o Sparsemax) CPU(c *kernels.Call) {
	rows, n, _ := around(c.Out.Shape, c.Out.Rank()-1)
	run(c, c.Rows(rows, 30+8*float64(n)), sparsemaxBody[float32], sparsemaxBody[float64])
}

// sparsemaxBody finds τ from below: that of all elements less than 1 below the largest, then of those above it, until
// their number stays.
func sparsemaxBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	from, to := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	rows, n, _ := around(c.Out.Shape, c.Out.Rank()-1)
	lo, hi := c.Chunk(chunk, rows)
	for r := lo; r < hi && n > 0; r++ {
		x, y := from[r*n:][:n], to[r*n:][:n]
		top := x[0]
		for _, v := range x {
			top = max(top, v)
		}
		tau, before := -1.0, n+1
		for {
			sum, count := 0.0, 0
			for _, v := range x {
				if d := float64(v) - float64(top); d > tau {
					sum += d
					count++
				}
			}
			if count >= before {
				break
			}
			tau, before = (sum-1)/float64(count), count
		}
		for i, v := range x {
			y[i] = T(max(float64(v)-float64(top)-tau, 0))
		}
	}
}

// CUDA takes a warp for each row.
func (o Sparsemax) CUDA(t kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	rows, n, _ := around(out.Shape, out.Rank()-1)
	return []kernels.Launch{t.Sweep("dense/sparsemax", kernels.Entry("sparsemax", out.DType), rows*32,
		kernels.IntArg(rows), kernels.IntArg(n), kernels.InputArg(0), kernels.OutputArg())}, nil
}
