package spectral

import (
	"math"

	"ganglion/kernels"
)

// haarBlock is the number of tubes of length c that are transformed together.
func haarBlock(c int) int { return max(1, min(64, 16384/c)) }

// haarBody transforms a block of tubes, level by level: sums and differences of neighbours, over √2.
func haarBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	o := c.Op.(Transform)
	n, p := tubes(c.Out.Shape)
	lo := chunk * c.Arg[0]
	b := min(p-lo, c.Arg[0])
	work := workOf(c, worker)
	w := kernels.Carve[T](&work, n*b)
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	if o.Inverse != o.Transposed {
		haarInverse(n, p, b, y[lo:], x[lo:], w)
	} else {
		haarForward(n, p, b, y[lo:], x[lo:], w)
	}
}

// haarForward reads rows of x and writes rows of y, each b elements at a distance of p.
func haarForward[T kernels.Float](n, p, b int, y, x, w []T) {
	for i := range n {
		copy(w[i*b:(i+1)*b], x[i*p:])
	}
	for half := n / 2; half >= 1; half /= 2 {
		for i := range half {
			first, second, sum := w[2*i*b:(2*i+1)*b], w[(2*i+1)*b:(2*i+2)*b], w[i*b:(i+1)*b]
			diff := y[(half+i)*p : (half+i)*p+b]
			for j, u := range first {
				v := second[j]
				diff[j] = (u - v) * T(math.Sqrt2/2)
				sum[j] = (u + v) * T(math.Sqrt2/2)
			}
		}
	}
	copy(y[:b], w[:b])
}

// haarInverse is the transposed map.
func haarInverse[T kernels.Float](n, p, b int, y, x, w []T) {
	copy(w[:b], x[:b])
	for half := 1; half < n; half *= 2 {
		for i := half - 1; i >= 0; i-- {
			first, second, sum := w[2*i*b:(2*i+1)*b], w[(2*i+1)*b:(2*i+2)*b], w[i*b:(i+1)*b]
			diff := x[(half+i)*p : (half+i)*p+b]
			for j, u := range sum {
				v := diff[j]
				first[j], second[j] = (u+v)*T(math.Sqrt2/2), (u-v)*T(math.Sqrt2/2)
			}
		}
	}
	for i := range n {
		copy(y[i*p:i*p+b], w[i*b:(i+1)*b])
	}
}
