package spectral

import "ganglion/kernels"

// Transpose is the transpose of a t-matrix under the DFT: slice 0 is transposed, slices 1 … c−1 are transposed and in
// reversed order, y_q = (x_{(c−q) mod c})ᵀ. For real transforms slices stay where they are: dense.Transpose.
// Input: x float [c, m, n].  Output: [c, n, m].
//
// Gradient: the transpose of dy.
type Transpose struct{}

var (
	_ kernels.Differentiable = Transpose{}
	_ kernels.CPUOp          = Transpose{}
)

// Infer exchanges rows and columns.
func (o Transpose) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 3); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0); err != nil {
		return kernels.Spec{}, err
	}
	s := in[0].Shape
	return kernels.S(in[0].DType, s[0], s[2], s[1]), nil
}

// Ref moves entry by entry.
func (o Transpose) Ref(out kernels.Tensor, in []kernels.Tensor) {
	for q := range out.Shape[0] {
		transposeSlice(out.F64, in[0].F64, in[0].Shape, q)
	}
}

// transposeSlice writes slice q of the transpose of x.
func transposeSlice[T kernels.Float](y, x []T, shape []int, q int) {
	c, m, n := shape[0], shape[1], shape[2]
	from, to := plane(x, (c-q)%c, m*n), plane(y, q, m*n)
	const tile = 16
	for i0 := 0; i0 < m; i0 += tile {
		for j0 := 0; j0 < n; j0 += tile {
			for j := j0; j < min(j0+tile, n); j++ {
				for i := i0; i < min(i0+tile, m); i++ {
					to[j*m+i] = from[i*n+j]
				}
			}
		}
	}
}

// Grad transposes.
func (o Transpose) Grad(b kernels.Builder, _ []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(o, dout)}
}

// CPU transposes slices in tiles.
func (o Transpose) CPU(c *kernels.Call) {
	s := c.Out.Shape
	chunks := c.Rows(s[0], float64(s[1])*float64(s[2]))
	if c.Out.DType == kernels.Float32 {
		c.For(chunks, transposeBody[float32])
	} else {
		c.For(chunks, transposeBody[float64])
	}
}

func transposeBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	lo, hi := c.Chunk(chunk, c.Out.Shape[0])
	for q := lo; q < hi; q++ {
		transposeSlice(kernels.Of[T](c.Out), kernels.Of[T](c.In[0]), c.In[0].Shape, q)
	}
}
