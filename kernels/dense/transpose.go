package dense

import (
	"fmt"
	"unsafe"

	"ganglion/kernels"
)

// Transpose permutes the axes: axis i of the output is axis Perm[i] of x. The zero value reverses all axes.
// Input: x (any type), at most 8 dimensions.  Output: the permuted shape.
//
// Gradient: the inverse permutation.
type Transpose struct{ Perm [MaxRank]int8 }

var (
	_ kernels.Differentiable = Transpose{}
	_ kernels.CPUOp          = Transpose{}
	_ kernels.CUDAOp         = Transpose{}
)

// NewTranspose is the transposition with the given axes of x, in the order of the output.
func NewTranspose(perm ...int) Transpose {
	var o Transpose
	for i, p := range perm[:min(len(perm), MaxRank)] {
		o.Perm[i] = int8(p)
	}
	return o
}

// Infer permutes the shape.
func (o Transpose) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, -1); err != nil {
		return kernels.Spec{}, err
	}
	if err := wantRank(o, in); err != nil {
		return kernels.Spec{}, err
	}
	rank := in[0].Rank()
	var seen Axes
	for i, p := range o.Perm {
		if o == (Transpose{}) {
			break
		}
		if i >= rank && p != 0 || p < 0 || i < rank && (int(p) >= rank || seen.Has(int(p))) {
			return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "%v is not an order of the %d axes",
				o.Perm[:max(rank, i+1)], rank)
		}
		seen |= 1 << p
	}
	shape := make([]int, rank)
	for i := range shape {
		shape[i] = in[0].Shape[o.source(i, rank)]
	}
	return kernels.S(in[0].DType, shape...), nil
}

// source is the axis of x that becomes axis i.
func (o Transpose) source(i, rank int) int {
	if o == (Transpose{}) {
		return rank - 1 - i
	}
	return int(o.Perm[i])
}

// Ref moves element by element.
func (o Transpose) Ref(out kernels.Tensor, in []kernels.Tensor) {
	rank := out.Rank()
	step := make([]int, rank) // of x, by axis of out
	for i := range step {
		step[i] = product(in[0].Shape[o.source(i, rank)+1:])
	}
	elem := out.DType.Size()
	to, from := out.Memory(), in[0].Memory()
	for i := range out.Size() {
		at, rest := 0, i
		for k := rank - 1; k >= 0; k-- {
			at += rest % out.Shape[k] * step[k]
			rest /= out.Shape[k]
		}
		copy(to[i*elem:(i+1)*elem], from[at*elem:])
	}
}

// Grad permutes back.
func (o Transpose) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	if !kernels.SpecOf(dout).DType.IsFloat() {
		return []*kernels.Node{nil}
	}
	var back Transpose
	if rank := in[0].Dims(); o != back {
		for i := range rank {
			back.Perm[o.source(i, rank)] = int8(i)
		}
	}
	return []*kernels.Node{b.Apply(back, dout)}
}

// CPU moves runs where the last axis stays the last, else square tiles.
func (o Transpose) CPU(c *kernels.Call) {
	if c.Out.Size() == 0 {
		return
	}
	w := o.walk(c.Out.Shape, c.In[0].Shape)
	if step, _ := w.inner(); step == 1 || w.rank == 1 {
		moves(c, cut(c, c.Out.Size(), 0.3), moveRuns[byte], moveRuns[int32], moveRuns[float64])
		return
	}
	tasks, _ := w.tiles()
	moves(c, c.Rows(tasks, tile*float64(w.dim[w.rank-1])), moveTiles[byte], moveTiles[int32], moveTiles[float64])
}

// walk goes through the output; the strides are x's.
func (o Transpose) walk(out, in []int) walk {
	var w walk
	w.rank = len(out)
	copy(w.dim[:], out)
	for i := range w.rank {
		w.a[i] = product(in[o.source(i, w.rank)+1:])
	}
	w.b = w.a
	return w.merged()
}

// moves calls the loop body for elements of the output's size.
func moves(c *kernels.Call, n int, one, four, eight func(c *kernels.Call, chunk, worker int)) {
	switch c.Out.DType.Size() {
	case 1:
		c.For(n, one)
	case 4:
		c.For(n, four)
	default:
		c.For(n, eight)
	}
}

// elements returns a tensor's memory as elements of the size of T.
func elements[T byte | int32 | float64](t kernels.Tensor) []T {
	var y []T
	switch p := any(&y).(type) {
	case *[]byte:
		*p = t.U8
	case *[]int32:
		*p = unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(t.Memory()))), t.Size())
	case *[]float64:
		*p = t.F64
	}
	return y
}

func moveRuns[T byte | int32 | float64](c *kernels.Call, chunk, _ int) {
	x, y := elements[T](c.In[0]), elements[T](c.Out)
	w := c.Op.(Transpose).walk(c.Out.Shape, c.In[0].Shape)
	lo, hi := c.Chunk(chunk, len(y))
	p := w.seek(lo)
	for lo < hi {
		n := min(w.left(&p), hi-lo)
		copy(y[lo:lo+n], x[p.a:])
		w.advance(&p, n)
		lo += n
	}
}

const tile = 32

// tiles returns the number of strips of tile rows, and the axis of the output along which x is contiguous.
func (w *walk) tiles() (tasks, unit int) {
	tasks = 1
	for k := range w.rank - 1 {
		n := w.dim[k]
		if w.a[k] == 1 {
			unit = k
			n = (n + tile - 1) / tile
		}
		tasks *= n
	}
	return tasks, unit
}

// moveTiles transposes strips: up to tile rows along the unit axis, and the whole of the last axis.
func moveTiles[T byte | int32 | float64](c *kernels.Call, chunk, _ int) {
	x, y := elements[T](c.In[0]), elements[T](c.Out)
	w := c.Op.(Transpose).walk(c.Out.Shape, c.In[0].Shape)
	tasks, unit := w.tiles()
	last := w.rank - 1
	var step [MaxRank]int // of y
	for k, s := last, 1; k >= 0; k-- {
		step[k] = s
		s *= w.dim[k]
	}
	lo, hi := c.Chunk(chunk, tasks)
	for t := lo; t < hi; t++ {
		from, to, rows, rest := 0, 0, 0, t
		for k := last - 1; k >= 0; k-- {
			n, size := w.dim[k], 1
			if k == unit {
				n, size = (n+tile-1)/tile, tile
			}
			at := rest % n * size
			rest /= n
			if k == unit {
				rows = min(tile, w.dim[k]-at)
			}
			from += at * w.a[k]
			to += at * step[k]
		}
		moveStrip(y[to:], x[from:], rows, w.dim[last], step[unit], w.a[last])
	}
}

// moveStrip is y[i·stepY + j] = x[i + j·stepX] for i < rows, j < cols.
func moveStrip[T byte | int32 | float64](y, x []T, rows, cols, stepY, stepX int) {
	for lo := 0; lo < cols; lo += tile {
		n := min(tile, cols-lo)
		for i := range rows {
			row := y[i*stepY+lo:][:n]
			at := lo*stepX + i
			for j := range row {
				row[j] = x[at]
				at += stepX
			}
		}
	}
}

// CUDA turns matrices by tiles when the last two axes change places (the others, before them, stay), and else copies an
// element in a thread.
func (o Transpose) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	width := fmt.Sprintf("_%d", out.DType.Size())
	w := o.walk(out.Shape, in[0].Shape)
	l := kernels.Launch{Module: "dense/transpose", Entry: "permute" + width, Grid: t.Loop(out.Size(), deviceThreads),
		Block: kernels.Threads(deviceThreads), Args: []kernels.Arg{w.arg(), kernels.IntArg(out.Size())}}
	if batch, rows, cols, ok := w.turns(); ok && out.DType.Size() >= 4 && out.Size() > 0 {
		l = kernels.Launch{Module: "dense/transpose", Entry: "turn" + width,
			Grid:  kernels.Dim{ceil(cols, tile), ceil(rows, tile), batch},
			Block: kernels.Dim{tile, 8, 1}, Args: []kernels.Arg{kernels.IntArg(rows), kernels.IntArg(cols)}}
	}
	l.Args = append(l.Args, kernels.InputArg(0), kernels.OutputArg())
	return []kernels.Launch{l}, nil
}

// turns reports whether the walk transposes a batch of matrices of rows × cols elements, few enough for a grid.
func (w *walk) turns() (batch, rows, cols int, ok bool) {
	k := w.rank - 2
	if k != 0 && k != 1 {
		return 0, 0, 0, false
	}
	batch, rows, cols = 1, w.dim[k+1], w.dim[k]
	if k == 1 {
		batch = w.dim[0]
	}
	const limit = 1 << 16 // blocks along y and z
	return batch, rows, cols, w.a[k] == 1 && w.a[k+1] == cols && (k == 0 || w.a[0] == rows*cols) && batch < limit &&
		rows < tile*limit
}
