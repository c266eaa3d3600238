package dense

import "ganglion/kernels"

// MSE is the mean squared difference, mean over all entries of (x − y)².
// Inputs: x float [any] (the prediction), y float of the same shape and type.  Output: a scalar; NaN for no entries.
//
// Gradient: dx = 2(x − y)·dout/entries, dy = −dx.
type MSE struct{}

var (
	_ kernels.Differentiable = MSE{}
	_ kernels.CPUOp          = MSE{}
	_ kernels.Scratcher      = MSE{}
)

// Infer checks that the shapes are equal.
func (o MSE) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(o, in, 2); err != nil {
		return kernels.Spec{}, err
	}
	if !in[0].Equal(in[1]) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "prediction %v and target %v differ in shape",
			in[0].Shape, in[1].Shape)
	}
	return kernels.S(in[0].DType), nil
}

// Ref adds the squares.
func (o MSE) Ref(out kernels.Tensor, in []kernels.Tensor) {
	s := 0.0
	for i, v := range in[0].F64 {
		d := v - in[1].F64[i]
		s += d * d
	}
	out.F64[0] = s / float64(len(in[0].F64))
}

// Grad follows the formula above.
func (o MSE) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	diff := b.Apply(Binary{Kind: Sub}, in[0], in[1])
	share := b.Apply(BroadcastTo{Mean: true}, dout, in[0])
	dx := b.Apply(Scale{Alpha: 2}, b.Apply(Binary{Kind: Mul}, diff, share))
	return []*kernels.Node{dx, b.Apply(Scale{Alpha: -1}, dx)}
}

// Workspace holds the sums of blocks.
func (o MSE) Workspace(in []kernels.Spec, _ kernels.Spec, _ int) int {
	return kernels.CarveSize(squareBlocks(in[0].Size()), 8)
}

const squareBlock = 8192

func squareBlocks(n int) int { return (n + squareBlock - 1) / squareBlock }

// CPU adds blocks, and the blocks in order.
func (o MSE) CPU(c *kernels.Call) {
	n := c.In[0].Size()
	run(c, squareBlocks(n), squareBody[float32], squareBody[float64])
	work := c.Work
	s := 0.0
	for _, v := range kernels.Carve[float64](&work, squareBlocks(n)) {
		s += v
	}
	setScalar(c.Out, s/float64(n))
}

func squareBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1])
	work := c.Work
	sums := kernels.Carve[float64](&work, squareBlocks(len(x)))
	lo := chunk * squareBlock
	hi := min(len(x), lo+squareBlock)
	x, y = x[lo:hi], y[lo:hi]
	var s [4]float64
	for ; len(x) >= 4 && len(y) >= 4; x, y = x[4:], y[4:] {
		for j := range s {
			d := float64(x[j]) - float64(y[j])
			s[j] += d * d
		}
	}
	for j, v := range x {
		d := float64(v) - float64(y[j])
		s[j] += d * d
	}
	sums[chunk] = (s[0] + s[1]) + (s[2] + s[3])
}
