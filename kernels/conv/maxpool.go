package conv

import (
	"math"

	"ganglion/internal/asm/direct"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// MaxPool is the largest element in each window; padding is never the largest. A window that holds NaN gives
// NaN, and the larger of two zeros is +0.
// Input: x float [batch, channels, extents…].  Output: [batch, channels, …] with the positions of a convolution with
// the same kernel, stride and padding.
//
// Gradient: MaxPoolGrad. Of equal elements the first, in row-major order, counts as the largest.
type MaxPool struct{ Window Window }

// MaxPoolGrad is the gradient of MaxPool: dy of each window added at its first maximum in x, and 0 elsewhere. The
// maxima are found anew.
// Inputs: x float [batch, channels, extents…], dy float [batch, channels, …].  Output: x's shape.
//
// Gradient: MaxPoolAt by dy; 0 by x.
type MaxPoolGrad struct{ Window Window }

// MaxPoolAt takes v at the place of the first maximum of each window of x: the transpose of MaxPoolGrad.
// Inputs: x, v float [batch, channels, extents…].  Output: as MaxPool's.
//
// Gradient: MaxPoolGrad by v; 0 by x.
type MaxPoolAt struct{ Window Window }

var (
	_ kernels.Differentiable = MaxPool{}
	_ kernels.Differentiable = MaxPoolGrad{}
	_ kernels.Differentiable = MaxPoolAt{}
	_ kernels.CPUOp          = MaxPool{}
	_ kernels.CPUOp          = MaxPoolGrad{}
	_ kernels.CPUOp          = MaxPoolAt{}
)

// Infer checks the window.
func (o MaxPool) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(o, in, 1); err != nil {
		return kernels.Spec{}, err
	}
	return o.Window.output(o, in, in[0])
}

// Infer checks that dy is as MaxPool's output.
func (o MaxPoolGrad) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(o, in, 2); err != nil {
		return kernels.Spec{}, err
	}
	y, err := o.Window.output(o, in, in[0])
	if err != nil {
		return kernels.Spec{}, err
	}
	if !y.Equal(in[1]) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "the windows give %v", y)
	}
	return in[0], nil
}

// Infer checks that x and v are alike.
func (o MaxPoolAt) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(o, in, 2); err != nil {
		return kernels.Spec{}, err
	}
	if !in[0].Equal(in[1]) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "the inputs differ in shape")
	}
	return o.Window.output(o, in, in[0])
}

// Ref looks at every window.
func (o MaxPool) Ref(out kernels.Tensor, in []kernels.Tensor) {
	pickRef(o.Window, out.F64, in[0], in[0])
}

// Ref looks at every window.
func (o MaxPoolAt) Ref(out kernels.Tensor, in []kernels.Tensor) {
	pickRef(o.Window, out.F64, in[0], in[1])
}

// Ref looks at every window.
func (o MaxPoolGrad) Ref(out kernels.Tensor, in []kernels.Tensor) {
	clear(out.F64)
	g := o.Window.geometry(in[0].Shape)
	for i, v := range in[1].F64 {
		plane := i / g.area() * g.plane()
		out.F64[plane+firstRef(&g, in[0].F64[plane:], i%g.area())] += v
	}
}

func pickRef(w Window, out []float64, x, v kernels.Tensor) {
	g := w.geometry(x.Shape)
	for i := range out {
		plane := i / g.area() * g.plane()
		out[i] = v.F64[plane+firstRef(&g, x.F64[plane:], i%g.area())]
	}
}

// firstRef goes through the window of position p tap by tap.
func firstRef(g *geometry, x []float64, p int) int {
	best := -1
	t := tap{}
	for range g.taps() {
		if q, ok := g.meets(p, t); ok && (best < 0 || x[q] > x[best] || x[q] != x[q] && x[best] == x[best]) {
			best = q
		}
		t = g.next(t)
	}
	return best
}

// Grad is MaxPoolGrad.
func (o MaxPool) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(MaxPoolGrad(o), in[0], dout)}
}

// Grad is MaxPoolAt.
func (o MaxPoolGrad) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{zeros(b, in[0]), b.Apply(MaxPoolAt(o), in[0], dout)}
}

// Grad is MaxPoolGrad.
func (o MaxPoolAt) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{zeros(b, in[0]), b.Apply(MaxPoolGrad(o), in[0], dout)}
}

// CPU goes through the planes.
func (o MaxPool) CPU(c *kernels.Call) {
	g := o.Window.geometry(c.In[0].Shape)
	planes(c, &g, c.Out.Shape, g.pace(c, 1), maxPoolBody[float32], maxPoolBody[float64])
}

// CPU goes through the planes.
func (o MaxPoolGrad) CPU(c *kernels.Call) {
	g := o.Window.geometry(c.In[0].Shape)
	planes(c, &g, c.Out.Shape, g.pace(c, 1.5), maxGradBody[float32], maxGradBody[float64])
}

// CPU goes through the planes.
func (o MaxPoolAt) CPU(c *kernels.Call) {
	g := o.Window.geometry(c.In[0].Shape)
	planes(c, &g, c.Out.Shape, 1.5, maxAtBody[float32], maxAtBody[float64])
}

// pace is the time of a position, ns without vectors.
func (g *geometry) pace(c *kernels.Call, ns float64) float64 {
	if g.quarters() && hasDirect(c) {
		return 0.1
	}
	return ns
}

// quarters reports whether the windows are squares of 2×2 side by side in planes, all inside.
func (g *geometry) quarters() bool {
	two := [maxDims]int{1, 2, 2}
	return g.k == two && g.stride[1] == 2 && g.stride[2] == 2 && g.pad == [maxDims]int{} && g.x[0] == 1 &&
		g.y[0] == 1 && 2*g.y[1] <= g.x[1] && 2*g.y[2] <= g.x[2]
}

// stacks calls f for planes lo … hi−1: for all of them as one when their lines follow each other, or one by one.
func (g *geometry) stacks(lo, hi int, f func(first, n int)) {
	if 2*g.y[1] == g.x[1] && hi > lo {
		f(lo, hi-lo)
		return
	}
	for i := lo; i < hi; i++ {
		f(i, 1)
	}
}

func maxPoolBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	g := c.Op.(MaxPool).Window.geometry(c.In[0].Shape)
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	plane, area := g.plane(), g.area()
	lo, hi := c.Chunk(chunk, c.Out.Shape[0]*c.Out.Shape[1])
	if t := direct.For[T](c.Path); t != nil && g.quarters() && area > 0 {
		g.stacks(lo, hi, func(i, n int) { t.Pool(n*g.y[1], g.y[2], y[i*area:], x[i*plane:], g.x[2]) })
		return
	}
	for i := lo; i < hi; i++ {
		largest(&g, y[i*area:][:area], x[i*plane:][:plane])
	}
}

// largest goes through the windows of a plane tap by tap, line by line.
func largest[T kernels.Float](g *geometry, y, x []T) {
	t := tap{}
	for i := range y {
		y[i] = T(math.Inf(-1))
	}
	for range g.taps() {
		lo, hi := g.valid(2, t)
		l := g.line(t, 0)
		step, first := g.stride[2], lo*g.stride[2]+g.shift(2, t)
		for from := 0; from < len(y); from += g.y[2] {
			if row := l.row(g); row >= 0 && lo < hi {
				to := y[from+lo : from+hi]
				line := x[row+first:][:(hi-lo-1)*step+1]
				for j, at := 0, 0; j < len(to) && at < len(line); j, at = j+1, at+step {
					to[j] = max(to[j], line[at])
				}
			}
			l.down(g)
		}
		t = g.next(t)
	}
}

func maxAtBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	g := c.Op.(MaxPoolAt).Window.geometry(c.In[0].Shape)
	pick(c, chunk, &g, kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]))
}

func pick[T kernels.Float](c *kernels.Call, chunk int, g *geometry, x, v []T) {
	y := kernels.Of[T](c.Out)
	plane, area := g.plane(), g.area()
	lo, hi := c.Chunk(chunk, c.Out.Shape[0]*c.Out.Shape[1])
	for i := lo; i < hi; i++ {
		from := x[i*plane:][:plane]
		to := y[i*area:][:area]
		w := g.start()
		for p := range to {
			to[p] = v[i*plane+first(g, w.next(g), from)]
		}
	}
}

func maxGradBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	g := c.Op.(MaxPoolGrad).Window.geometry(c.In[0].Shape)
	x, dy, dx := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), kernels.Of[T](c.Out)
	plane, area := g.plane(), g.area()
	lo, hi := c.Chunk(chunk, c.Out.Shape[0]*c.Out.Shape[1])
	if t := direct.For[T](c.Path); t != nil && g.quarters() && area > 0 {
		if 4*area != plane {
			clear(dx[lo*plane : hi*plane]) // a line or column is in no window
		}
		g.stacks(lo, hi, func(i, n int) {
			t.PoolGrad(n*g.y[1], g.y[2], dx[i*plane:], x[i*plane:], dy[i*area:], g.x[2])
		})
		return
	}
	for i := lo; i < hi; i++ {
		from, to := x[i*plane:][:plane], dx[i*plane:][:plane]
		clear(to)
		w := g.start()
		for _, v := range dy[i*area:][:area] {
			to[first(&g, w.next(&g), from)] += v
		}
	}
}

// GlobalMax is the largest element of each channel [batch, channels] of x [batch, channels, extents…].
func GlobalMax(b kernels.Builder, x *kernels.Node) *kernels.Node {
	return b.Apply(dense.Reduce{Kind: dense.Max, Axes: extents(x)}, x)
}

// GlobalAvg is the mean of each channel [batch, channels] of x [batch, channels, extents…].
func GlobalAvg(b kernels.Builder, x *kernels.Node) *kernels.Node {
	return b.Apply(dense.Reduce{Kind: dense.Mean, Axes: extents(x)}, x)
}

// extents is the set of axes behind the first two.
func extents(x *kernels.Node) dense.Axes {
	var set dense.Axes
	for a := 2; a < x.Dims(); a++ {
		set |= dense.On(a)
	}
	return set
}
