package dense

import (
	"math"

	"ganglion/kernels"
)

// ScatterAdd adds rows at given places of an array of zeros: y[idx_i] += v_i, for i in order.
// Inputs: v float (idx's shape followed by the shape of a row), idx int32 [any], like float [n, ...] (only its shape
// counts).  Output: like's shape.
//
// If an index is outside of 0 … n−1, all of y is NaN and the report counts it as failed. The order of the additions is
// that of i, so the result does not depend on the number of workers.
//
// Gradient: dv = Gather(dy, idx).
type ScatterAdd struct{}

var (
	_ kernels.Differentiable = ScatterAdd{}
	_ kernels.CPUOp          = ScatterAdd{}
	_ kernels.Scratcher      = ScatterAdd{}
)

// Infer returns like's shape.
func (o ScatterAdd) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, -1, -1, -1); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0, 2); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantType(o, in, 1, kernels.Int32); err != nil {
		return kernels.Spec{}, err
	}
	if in[2].Rank() == 0 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "input 2 is a scalar and has no rows")
	}
	return in[2], wantRowShape(o, in, in[0].Shape, in[1].Shape, in[2].Shape)
}

// wantRowShape checks that v is idx's shape followed by the shape of a row of x.
func wantRowShape(op kernels.Op, in []kernels.Spec, v, idx, x []int) error {
	want := append(append([]int(nil), idx...), x[1:]...)
	if !kernels.S(0, want...).Equal(kernels.S(0, v...)) {
		return kernels.Errorf(op, in, kernels.ErrShape, "rows must have the shape %v, have %v", want, v)
	}
	return nil
}

// Ref adds row by row.
func (o ScatterAdd) Ref(out kernels.Tensor, in []kernels.Tensor) {
	d := rowLength(out)
	clear(out.F64)
	for i, r := range in[1].I32 {
		if r < 0 || int(r) >= out.Shape[0] {
			fill(out.F64, math.NaN())
			return
		}
		for j := range d {
			out.F64[int(r)*d+j] += in[0].F64[i*d+j]
		}
	}
}

// Grad gathers.
func (o ScatterAdd) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(Gather{}, dout, in[1]), nil, zeros(b, in[2])}
}

// scatterSerial is the number of elements up to which sorting the indices does not pay.
const scatterSerial = 32768

// Workspace holds the indices sorted by destination: where the entries of each row start, and the entries.
func (o ScatterAdd) Workspace(in []kernels.Spec, out kernels.Spec, _ int) int {
	if in[0].Size() <= scatterSerial {
		return 0
	}
	return kernels.CarveSize(out.Shape[0]+1, 4) + kernels.CarveSize(in[1].Size(), 4)
}

// CPU adds directly when there is little to do, else by destination.
func (o ScatterAdd) CPU(c *kernels.Call) {
	n := c.Out.Shape[0]
	reportRange(c, c.In[1].I32, n)
	c.Arg[0] = 0
	if inRange(c.In[1].I32, n) {
		c.Arg[0] = 1
	}
	if c.Arg[0] == 0 || c.In[0].Size() <= scatterSerial {
		run(c, 1, scatterAll[float32], scatterAll[float64])
		return
	}
	start, order := scatterLists(c)
	sortByRow(start, order, c.In[1].I32)
	perRow := float64(len(order)) / float64(n) * (3 + 0.4*float64(rowLength(c.Out)))
	run(c, c.Rows(n, 5+perRow), scatterBody[float32], scatterBody[float64])
}

func inRange(idx []int32, n int) bool {
	for _, v := range idx {
		if v < 0 || int(v) >= n {
			return false
		}
	}
	return true
}

func scatterLists(c *kernels.Call) (start, order []int32) {
	work := c.Work
	start = kernels.Carve[int32](&work, c.Out.Shape[0]+1)
	return start, kernels.Carve[int32](&work, c.In[1].Size())
}

// sortByRow lists, for each row r, the entries i with idx[i] = r in order: order[start[r]:start[r+1]].
func sortByRow(start, order, idx []int32) {
	clear(start)
	for _, r := range idx {
		start[r+1]++
	}
	for r := 1; r < len(start); r++ {
		start[r] += start[r-1]
	}
	for i, r := range idx {
		order[start[r]] = int32(i)
		start[r]++
	}
	copy(start[1:], start[:len(start)-1])
	start[0] = 0
}

func scatterAll[T kernels.Float](c *kernels.Call, _, _ int) {
	y, v, d := kernels.Of[T](c.Out), kernels.Of[T](c.In[0]), rowLength(c.Out)
	if c.Arg[0] == 0 {
		fill(y, T(math.NaN()))
		return
	}
	clear(y)
	for i, r := range c.In[1].I32 {
		row := y[int(r)*d : (int(r)+1)*d]
		binaryVV(c.Path, Add, row, row, v[i*d:(i+1)*d])
	}
}

func scatterBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	y, v, d := kernels.Of[T](c.Out), kernels.Of[T](c.In[0]), rowLength(c.Out)
	start, order := scatterLists(c)
	lo, hi := c.Chunk(chunk, c.Out.Shape[0])
	for r := lo; r < hi; r++ {
		row := y[r*d : (r+1)*d]
		clear(row)
		for _, i := range order[start[r]:start[r+1]] {
			binaryVV(c.Path, Add, row, row, v[int(i)*d:(int(i)+1)*d])
		}
	}
}
