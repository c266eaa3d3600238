package csr

import (
	"math"
	"unsafe"
)

// behind is the pointer n elements behind p.
func behind[T float32 | float64](p *T, n int) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(p), n*size[T]()))
}

// LanesOf writes the table that Mix needs: for each element of a row the number of its head, in parts of four bytes.
// lanes must have width·(bytes of an element)/4 numbers.
func LanesOf[T float32 | float64](lanes []int32, heads, width int) {
	words := size[T]() / 4
	if heads < 1 || len(lanes) < width*words {
		misfit("LanesOf", heads, width, len(lanes))
	}
	each := width / heads
	for c := range width {
		for w := range words {
			lanes[c*words+w] = int32(c/each*words + w)
		}
	}
}

// leaky is LeakyReLU for slopes up to 1.
func leaky[T float32 | float64](z, slope T) T { return max(z, slope*z) }

// scoreGo is Score in plain Go.
func scoreGo[T float32 | float64](a *Score[T]) {
	h, base := a.Heads, int(a.Ptr[0])
	for i := range len(a.Ptr) - 1 {
		v := a.V[i*a.StepV:][:h]
		for k := int(a.Ptr[i]); k < int(a.Ptr[i+1]); k++ {
			s, u := a.S[(k-base)*h:][:h], a.U[int(a.Col[k])*a.StepU:][:h]
			for c := range s {
				z := u[c] + v[c]
				if a.E != nil {
					z += a.E[k*h+c]
				}
				s[c] = leaky(z, a.Slope)
			}
		}
	}
}

// shiftGo is Shift in plain Go.
func shiftGo[T float32 | float64](a *Shift[T]) {
	h, base := a.Heads, int(a.Ptr[0])
	for i := range len(a.Ptr) - 1 {
		lo, hi := (int(a.Ptr[i])-base)*h, (int(a.Ptr[i+1])-base)*h
		for c := range h {
			top := T(0)
			if lo < hi {
				top = T(math.Inf(-1))
			}
			for at := lo + c; at < hi; at += h {
				top = max(top, a.From[at])
			}
			for at := lo + c; at < hi; at += h {
				a.To[at] = a.From[at] - top
			}
			if a.Top != nil {
				a.Top[i*a.StepTop+c] = top
			}
		}
	}
}

// shareGo is Share in plain Go.
func shareGo[T float32 | float64](a *Share[T]) {
	h, base := a.Heads, int(a.Ptr[0])
	for i := range len(a.Ptr) - 1 {
		lo, hi := (int(a.Ptr[i])-base)*h, (int(a.Ptr[i+1])-base)*h
		for c := range h {
			sum := T(0)
			for at := lo + c; at < hi; at += h {
				sum += a.X[at]
			}
			inverse := 1 / (sum + a.Tiny)
			for at := lo + c; at < hi; at += h {
				a.X[at] *= inverse
			}
			if a.Inverse != nil {
				a.Inverse[i*a.StepInv+c] = inverse
			}
		}
	}
}

// mixGo is Mix in plain Go.
func mixGo[T float32 | float64](a *Mix[T]) {
	h, base, each := a.Heads, int(a.Ptr[0]), a.Width/a.Heads
	for i := range len(a.Ptr) - 1 {
		y := a.Y[i*a.StepY:][:a.Width]
		clear(y)
		for c := range h {
			sum, part := T(0), y[c*each:(c+1)*each]
			for k := int(a.Ptr[i]); k < int(a.Ptr[i+1]); k++ {
				w := a.W[(k-base)*h+c]
				sum += w
				for n, x := range a.X[int(a.Col[k])*a.StepX+c*each:][:each] {
					part[n] += w * x
				}
			}
			if !a.Mean {
				continue
			}
			inverse := 1 / (sum + a.Tiny)
			for n := range part {
				part[n] *= inverse
			}
		}
	}
}

// dotsGo is Dots in plain Go.
func dotsGo[T float32 | float64](a *Dots[T]) {
	h, base, each := a.Heads, int(a.Ptr[0]), a.Width/a.Heads
	for i := range len(a.Ptr) - 1 {
		q := a.Q[i*a.StepQ:][:a.Width]
		for k := int(a.Ptr[i]); k < int(a.Ptr[i+1]); k++ {
			x, out := a.X[int(a.Col[k])*a.StepX:][:a.Width], a.Out[(k-base)*h:][:h]
			for c := range out {
				sum := T(0)
				for n := c * each; n < (c+1)*each; n++ {
					if a.A == nil {
						sum += q[n] * x[n]
					} else {
						sum += a.A[n] * leaky(q[n]+x[n], a.Slope)
					}
				}
				out[c] = sum
			}
		}
	}
}

// at returns z of entry k of row i for head c, and the record of its column.
func (a *Rescore[T]) at(i, k, c int) (z T, record []T) {
	record = a.Records[int(a.Col[k])*4*a.Heads:][:4*a.Heads]
	z = a.U[i*a.Heads+c] + record[c]
	if a.E != nil {
		z += a.E[int(a.Pos[k])*a.Heads+c]
	}
	return z, record
}

// rescoreGo is Rescore in plain Go.
func rescoreGo[T float32 | float64](a *Rescore[T]) {
	h, base := a.Heads, int(a.Ptr[0])
	for i := range len(a.Ptr) - 1 {
		for k := int(a.Ptr[i]); k < int(a.Ptr[i+1]); k++ {
			for c := range h {
				z, record := a.at(i, k, c)
				a.S[(k-base)*h+c] = leaky(z, a.Slope) - record[h+c]
			}
		}
	}
}

// deriveGo is Derive in plain Go.
func deriveGo[T float32 | float64](a *Derive[T]) {
	h, base := a.Heads, int(a.Ptr[0])
	for i := range len(a.Ptr) - 1 {
		du := a.DU[i*h:][:h]
		clear(du)
		for k := int(a.Ptr[i]); k < int(a.Ptr[i+1]); k++ {
			for c := range h {
				z, record := a.at(i, k, c)
				at := (k-base)*h + c
				alpha := a.S[at] * record[2*h+c]
				dz := alpha * (a.G[at] - record[3*h+c])
				if !(z > 0) {
					dz *= a.Slope
				}
				a.S[at] = alpha
				a.DZ[int(a.Pos[k])*h+c] = dz
				du[c] += dz
			}
		}
	}
}

// slopesGo is Slopes in plain Go.
func slopesGo[T float32 | float64](a *Slopes[T]) {
	h, base, each := a.Heads, int(a.Ptr[0]), a.Width/a.Heads
	for i := range len(a.Ptr) - 1 {
		y, q := a.Y[i*a.StepY:][:a.Width], a.Q[i*a.StepQ:][:a.Width]
		clear(y)
		for k := int(a.Ptr[i]); k < int(a.Ptr[i+1]); k++ {
			x := a.X[int(a.Col[k])*a.StepX:][:a.Width]
			for c, w := range a.W[(k-base)*h:][:h] {
				low := w * a.Slope
				for n := c * each; n < (c+1)*each; n++ {
					if q[n]+x[n] > 0 {
						y[n] += w
					} else {
						y[n] += low
					}
				}
			}
		}
	}
}
