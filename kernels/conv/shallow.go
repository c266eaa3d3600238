package conv

import (
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
)

// Groups of one channel (depthwise convolutions) are computed tap by tap on whole lines.

// use is what a sweep does with a line of y and the elements of x that it meets.
type use uint8

const (
	gather  use = iota // y += w·x
	scatter            // x += w·y
	inner              // the result is Σ x·y
)

// sweep visits all lines of a plane y and what the tap meets of a plane x.
func sweep[T kernels.Float](g *geometry, v *vec.Table[T], how use, y, x []T, w T, t tap) float64 {
	lo, hi := g.valid(2, t)
	if lo >= hi {
		return 0
	}
	l := g.line(t, 0)
	step, first := g.stride[2], lo*g.stride[2]+g.shift(2, t)
	span := (hi-lo-1)*step + 1
	sum := 0.0
	for from := 0; from < len(y); from += g.y[2] {
		if row := l.row(g); row >= 0 {
			a, b := y[from+lo:from+hi], x[row+first:][:span]
			switch {
			case step > 1:
				sum += stepped(how, a, b, w, step)
			case how == gather:
				v.Axpy(a, w, b)
			case how == scatter:
				v.Axpy(b, w, a)
			default:
				sum += float64(v.Dot(a, b))
			}
		}
		l.down(g)
	}
	return sum
}

// stepped is a line of a sweep where the elements of x are step apart.
func stepped[T kernels.Float](how use, y, x []T, w T, step int) float64 {
	sum, at := T(0), 0
	switch how {
	case gather:
		for j := range y {
			y[j] += w * x[at]
			at += step
		}
	case scatter:
		for _, v := range y {
			x[at] += w * v
			at += step
		}
	default:
		for _, v := range y {
			sum += v * x[at]
			at += step
		}
	}
	return float64(sum)
}

func shallowBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	g := forward(c)
	x, w, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), kernels.Of[T](c.Out)
	v := vec.For[T](c.Path)
	taps, plane, area := g.taps(), g.plane(), g.area()
	lo, hi := c.Chunk(chunk, g.batch*g.groups*g.out)
	for i := lo; i < hi; i++ {
		to := y[i*area:][:area]
		clear(to)
		t, o := tap{}, i%(g.groups*g.out)
		for k := range taps {
			sweep(&g, v, gather, to, x[i/g.out*plane:][:plane], w[o*taps+k], t)
			t = g.next(t)
		}
	}
}

func shallowXBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	g := c.Op.(ConvGradX).Of.geometry(c.Out.Shape, c.In[1].Shape)
	dy, w, dx := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), kernels.Of[T](c.Out)
	v := vec.For[T](c.Path)
	taps, plane, area := g.taps(), g.plane(), g.area()
	lo, hi := c.Chunk(chunk, g.batch*g.groups)
	for i := lo; i < hi; i++ {
		to := dx[i*plane:][:plane]
		clear(to)
		for o := range g.out {
			t := tap{}
			for k := range taps {
				sweep(&g, v, scatter, dy[(i*g.out+o)*area:][:area], to, w[(i%g.groups*g.out+o)*taps+k], t)
				t = g.next(t)
			}
		}
	}
}

func shallowWBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	g := c.Op.(ConvGradW).Of.geometry(c.In[0].Shape, c.Out.Shape)
	x, dy, dw := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), kernels.Of[T](c.Out)
	v := vec.For[T](c.Path)
	taps, plane, area := g.taps(), g.plane(), g.area()
	all := g.groups * g.out
	lo, hi := c.Chunk(chunk, len(dw))
	for i := lo; i < hi; i++ {
		o, t, sum := i/taps, g.tapOf(i%taps), 0.0
		for n := range g.batch {
			sum += sweep(&g, v, inner, dy[(n*all+o)*area:][:area], x[(n*g.groups+o/g.out)*plane:][:plane], 0, t)
		}
		dw[i] = T(sum)
	}
}
