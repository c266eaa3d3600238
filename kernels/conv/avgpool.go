package conv

import "ganglion/kernels"

// AvgPool is the mean over each window: over its positions inside of x or, with CountIncludePad, its sum there divided
// by the size of the whole window, padding included.
// Input: x float [batch, channels, extents…].  Output: as MaxPool's.
//
// Gradient: AvgPoolGrad.
type AvgPool struct {
	Window          Window
	CountIncludePad bool
}

// AvgPoolGrad is the gradient of AvgPool: dy of each window in equal parts at its positions.
// Inputs: dy float [batch, channels, …], like float [batch, channels, extents…] (the signal; only its shape counts).
// Output: like's shape.
//
// Gradient: AvgPool.
type AvgPoolGrad struct {
	Window          Window
	CountIncludePad bool
}

var (
	_ kernels.Differentiable = AvgPool{}
	_ kernels.Differentiable = AvgPoolGrad{}
	_ kernels.CPUOp          = AvgPool{}
	_ kernels.CPUOp          = AvgPoolGrad{}
)

// Infer checks the window.
func (o AvgPool) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(o, in, 1); err != nil {
		return kernels.Spec{}, err
	}
	return o.Window.output(o, in, in[0])
}

// Infer checks that dy is as AvgPool's output.
func (o AvgPoolGrad) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(o, in, 2); err != nil {
		return kernels.Spec{}, err
	}
	y, err := o.Window.output(o, in, in[1])
	if err != nil {
		return kernels.Spec{}, err
	}
	if !y.Equal(in[0]) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "the windows give %v", y)
	}
	return in[1], nil
}

// Ref adds tap by tap.
func (o AvgPool) Ref(out kernels.Tensor, in []kernels.Tensor) {
	clear(out.F64)
	averageRef(o, in[0].Shape, out.Shape, func(x, y int, share float64) { out.F64[y] += share * in[0].F64[x] })
}

// Ref adds tap by tap.
func (o AvgPoolGrad) Ref(out kernels.Tensor, in []kernels.Tensor) {
	clear(out.F64)
	averageRef(AvgPool(o), out.Shape, in[0].Shape, func(x, y int, share float64) { out.F64[x] += share * in[0].F64[y] })
}

// averageRef calls f with every place in x that belongs to a window, the window's place in y, and its share.
func averageRef(o AvgPool, x, y []int, f func(x, y int, share float64)) {
	g := o.Window.geometry(x)
	for i := range volume(y) {
		var inside []int
		t := tap{}
		for range g.taps() {
			if q, ok := g.meets(i%g.area(), t); ok {
				inside = append(inside, q)
			}
			t = g.next(t)
		}
		share := 1 / float64(len(inside))
		if o.CountIncludePad {
			share = 1 / float64(g.taps())
		}
		for _, q := range inside {
			f(i/g.area()*g.plane()+q, i, share)
		}
	}
}

// Grad is AvgPoolGrad.
func (o AvgPool) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(AvgPoolGrad(o), dout, in[0])}
}

// Grad is AvgPool.
func (o AvgPoolGrad) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(AvgPool(o), dout), zeros(b, in[1])}
}

// CPU goes through the planes.
func (o AvgPool) CPU(c *kernels.Call) {
	g := o.Window.geometry(c.In[0].Shape)
	planes(c, &g, c.Out.Shape, 1, avgBody[float32], avgBody[float64])
}

// CPU goes through the planes.
func (o AvgPoolGrad) CPU(c *kernels.Call) {
	g := o.Window.geometry(c.Out.Shape)
	planes(c, &g, c.Out.Shape, 1, avgGradBody[float32], avgGradBody[float64])
}

func avgBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(AvgPool)
	g := o.Window.geometry(c.In[0].Shape)
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	plane, area := g.plane(), g.area()
	lo, hi := c.Chunk(chunk, c.Out.Shape[0]*c.Out.Shape[1])
	for i := lo; i < hi; i++ {
		from, to := x[i*plane:][:plane], y[i*area:][:area]
		w := g.start()
		for p := range to {
			b := w.next(&g)
			n := b.size()
			if o.CountIncludePad {
				n = g.taps()
			}
			sum := T(0)
			for z := b.lo[0]; z < b.hi[0]; z++ {
				for l := b.lo[1]; l < b.hi[1]; l++ {
					row := (z*g.x[1] + l) * g.x[2]
					for _, v := range from[row+b.lo[2] : row+b.hi[2]] {
						sum += v
					}
				}
			}
			to[p] = sum / T(n)
		}
	}
}

func avgGradBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(AvgPoolGrad)
	g := o.Window.geometry(c.Out.Shape)
	dy, dx := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	plane, area := g.plane(), g.area()
	lo, hi := c.Chunk(chunk, c.Out.Shape[0]*c.Out.Shape[1])
	for i := lo; i < hi; i++ {
		from, to := dy[i*area:][:area], dx[i*plane:][:plane]
		clear(to)
		w := g.start()
		for _, v := range from {
			b := w.next(&g)
			n := b.size()
			if o.CountIncludePad {
				n = g.taps()
			}
			v /= T(n)
			for z := b.lo[0]; z < b.hi[0]; z++ {
				for l := b.lo[1]; l < b.hi[1]; l++ {
					row := (z*g.x[1] + l) * g.x[2]
					part := to[row+b.lo[2] : row+b.hi[2]]
					for j := range part {
						part[j] += v
					}
				}
			}
		}
	}
}
