package optim

import (
	"math"

	"ganglion/internal/asm/vec"
	"ganglion/kernels"
)

// ClipNorm limits the Euclidean norm of a block of gradients: g·min(1, Max/‖g‖).
// Input: g float [any].  Output: the same shape.
//
// The squares are added in blocks, in a fixed order. Infinite and NaN elements come out as NaN.
type ClipNorm struct {
	Max float64 // above 0
}

var (
	_ kernels.CPUOp     = ClipNorm{}
	_ kernels.InPlacer  = ClipNorm{}
	_ kernels.Scratcher = ClipNorm{}
)

// Infer returns the spec of g.
func (o ClipNorm) Infer(in []kernels.Spec) (kernels.Spec, error) { return inferClip(o, in, o.Max) }

func inferClip(op kernels.Op, in []kernels.Spec, limit float64) (kernels.Spec, error) {
	if err := kernels.WantInputs(op, in, -1); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(op, in, 0); err != nil {
		return kernels.Spec{}, err
	}
	if !(limit > 0) {
		return kernels.Spec{}, kernels.Errorf(op, in, kernels.ErrShape, "the limit %v must be above 0", limit)
	}
	return in[0], nil
}

// Ref follows the formula.
func (o ClipNorm) Ref(out kernels.Tensor, in []kernels.Tensor) {
	s := 0.0
	for _, v := range in[0].F64 {
		s += v * v
	}
	f := factor(o.Max, s)
	for i, v := range in[0].F64 {
		out.F64[i] = v * f
	}
}

// factor is min(1, limit/√squares); NaN for NaN.
func factor(limit, squares float64) float64 {
	if norm := math.Sqrt(squares); !(norm <= limit) {
		return limit / norm
	}
	return 1
}

const clipBlock = 16384

// Workspace holds the sums of squares of blocks.
func (o ClipNorm) Workspace(in []kernels.Spec, _ kernels.Spec, _ int) int {
	return kernels.CarveSize(clipBlocks(in[0].Size())+1, 8)
}

func clipBlocks(n int) int { return (n + clipBlock - 1) / clipBlock }

// InPlace is true for g.
func (o ClipNorm) InPlace(i int) bool { return i == 0 }

// CPU adds the squares of blocks, then the blocks in order, and scales.
func (o ClipNorm) CPU(c *kernels.Call) {
	n := clipBlocks(c.Out.Size())
	c.ForFloat(n, clipSquares[float32], clipSquares[float64])
	sums := clipSums(c)
	s := 0.0
	for _, v := range sums[:n] {
		s += v
	}
	sums[n] = factor(o.Max, s)
	c.ForFloat(n, clipScale[float32], clipScale[float64])
}

// clipSums is the scratch memory: a sum for each block, and the factor.
func clipSums(c *kernels.Call) []float64 {
	work := c.Work
	return kernels.Carve[float64](&work, clipBlocks(c.Out.Size())+1)
}

func clipSquares[T kernels.Float](c *kernels.Call, chunk, _ int) {
	g := kernels.Of[T](c.In[0])
	lo := chunk * clipBlock
	clipSums(c)[chunk] = vec.For[T](c.Path).SumSquares(g[lo:min(len(g), lo+clipBlock)])
}

func clipScale[T kernels.Float](c *kernels.Call, chunk, _ int) {
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	lo := chunk * clipBlock
	hi := min(len(x), lo+clipBlock)
	f := T(clipSums(c)[clipBlocks(len(x))])
	vec.For[T](c.Path).Scale(y[lo:hi], f, x[lo:hi])
}
