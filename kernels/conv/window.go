package conv

import "ganglion/kernels"

// Window is what pooling looks through. The first Dims entries of the arrays count.
type Window struct {
	// Dims is the number of extents: 1, 2 or 3.
	Dims int
	// Kernel is the size of the window, 1 at least.
	Kernel [maxDims]int32
	// Stride is the step of the window; 0 is the size of the window.
	Stride [maxDims]int32
	// Pad is the number of positions in front of and behind the signal; less than Kernel.
	Pad [maxDims]int32
	// Extra is the number of positions added to Pad behind the signal alone; negative takes some of them away.
	Extra [maxDims]int32
}

// geometry is that of a convolution of single planes.
func (o Window) geometry(x []int) geometry {
	c, w := o.conv(x)
	g := c.geometry(x, w[:o.Dims+2])
	return g
}

// conv returns the convolution of the same geometry, and its kernel's shape.
func (o Window) conv(x []int) (c Conv, w [maxDims + 2]int) {
	c = Conv{Dims: o.Dims, Stride: o.Stride, Pad: o.Pad, Extra: o.Extra}
	w[0], w[1] = 1, x[1]
	for i := range o.Dims {
		w[2+i] = int(o.Kernel[i])
		if c.Stride[i] == 0 {
			c.Stride[i] = o.Kernel[i]
		}
	}
	return c, w
}

// output checks the window and returns the spec of what it makes of x.
func (o Window) output(op kernels.Op, in []kernels.Spec, x kernels.Spec) (kernels.Spec, error) {
	none := kernels.Spec{}
	if o.Dims < 1 || o.Dims > maxDims {
		return none, kernels.Errorf(op, in, kernels.ErrShape, "Dims is %d, wants 1, 2 or 3", o.Dims)
	}
	if x.Rank() != o.Dims+2 {
		return none, kernels.Errorf(op, in, kernels.ErrShape, "signals must have %d dimensions, have %d", o.Dims+2,
			x.Rank())
	}
	c, w := o.conv(x.Shape)
	for i := range o.Dims {
		if o.Pad[i] >= o.Kernel[i] && o.Kernel[i] > 0 || o.Pad[i]+o.Extra[i] >= o.Kernel[i] && o.Kernel[i] > 0 {
			return none, kernels.Errorf(op, in, kernels.ErrShape,
				"axis %d: a window of %d lies in the padding of %d and %d alone",
				i, o.Kernel[i], o.Pad[i], o.Pad[i]+o.Extra[i])
		}
		if x.Shape[2+i] == 0 {
			return none, kernels.Errorf(op, in, kernels.ErrShape, "axis %d has no positions", i)
		}
		if err := c.checkAxis(op, in, i, x.Shape[2+i], w[2+i]); err != nil {
			return none, err
		}
	}
	g := o.geometry(x.Shape)
	return kernels.S(x.DType, append([]int{x.Shape[0], x.Shape[1]}, g.y[maxDims-o.Dims:]...)...), nil
}

// box is the part of a window inside of x.
type box struct{ lo, hi [maxDims]int }

// size is the number of positions in the box.
func (b *box) size() int { return (b.hi[0] - b.lo[0]) * (b.hi[1] - b.lo[1]) * (b.hi[2] - b.lo[2]) }

// first is the position of the first maximum of x in the box, or of the first NaN if there is one.
func first[T kernels.Float](g *geometry, b *box, x []T) int {
	best := (b.lo[0]*g.x[1]+b.lo[1])*g.x[2] + b.lo[2]
	top := x[best]
	for z := b.lo[0]; z < b.hi[0]; z++ {
		for y := b.lo[1]; y < b.hi[1]; y++ {
			row := (z*g.x[1] + y) * g.x[2]
			for i, v := range x[row+b.lo[2] : row+b.hi[2]] {
				if v > top || v != v && top == top {
					best, top = row+b.lo[2]+i, v
				}
			}
		}
	}
	return best
}

// windowsOf visits the windows of a plane in order: next returns the box of the window behind the last one.
type windowsOf struct {
	at [maxDims]int
	b  box
}

// start is the walk before the first window.
func (g *geometry) start() windowsOf {
	var w windowsOf
	for a := range maxDims - 1 {
		w.along(g, a)
	}
	w.at[maxDims-1] = -1
	return w
}

// along sets the box along axis a.
func (w *windowsOf) along(g *geometry, a int) {
	first := w.at[a]*g.stride[a] - g.pad[a]
	w.b.lo[a], w.b.hi[a] = max(0, first), min(g.x[a], first+g.k[a])
}

// next goes to the next window; there must be one.
func (w *windowsOf) next(g *geometry) *box {
	a := maxDims - 1
	for w.at[a]++; w.at[a] == g.y[a]; w.at[a]++ {
		w.at[a] = 0
		w.along(g, a)
		a--
	}
	w.along(g, a)
	return &w.b
}

// planes runs a body over the planes of signals; ns is the estimated time of a position of the window.
func planes(c *kernels.Call, g *geometry, signals []int, ns float64, f32, f64 func(c *kernels.Call, chunk,
	worker int)) {
	n := signals[0] * signals[1]
	c.ForFloat(c.Rows(n, 20+ns*float64(g.area()*g.taps()+g.plane())), f32, f64)
}
