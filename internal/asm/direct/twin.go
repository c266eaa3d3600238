package direct

import "unsafe"

// twin returns the kernels in plain Go, with the shape of a table: what the kernels of the other paths are compared
// with. Offsets and pitches of its functions are in bytes, as those of the assembly are.
func twin[T float32 | float64](like *Table[T]) *Table[T] {
	t := *like
	lanes := like.Lanes
	t.patch = func(rows, n, channels, taps int, a, x *T, plane int, off *int32, c *T, ldc int) {
		w, shift := from(a, rows*channels*taps), from(off, taps)
		for r := range rows {
			out := from(at(c, r*ldc), n*lanes)
			clear(out)
			for k := range channels * taps {
				in := from(at(x, k/taps*plane+int(shift[k%taps])), n*lanes)
				for p, v := range in {
					out[p] += w[k*rows+r] * v
				}
			}
		}
	}
	t.shifted = func(rows, cols, images, n int, y *T, ldy, stepy int, x *T, stepx int, off *int32, sums *T, ld int) {
		for r := range rows {
			out := from(at(sums, r*ld), cols)
			for i := range images {
				line := from(at(y, i*stepy+r*ldy), n*lanes)
				for j, o := range from(off, cols) {
					for p, v := range from(at(x, i*stepx+int(o)), n*lanes) {
						out[j] += line[p] * v
					}
				}
			}
		}
	}
	t.move = func(rows, n int, to *T, ldt int, source *T, ldf int, bias, floor T) {
		for r := range rows {
			out := from(at(to, r*ldt), n)
			for p, v := range from(at(source, r*ldf), n) {
				out[p] = max(v+bias, floor)
			}
		}
	}
	t.pool = func(rows, n int, y, x *T, ldx int) {
		out := from(y, rows*n)
		for i := range out {
			w := corners(x, i/n, i%n, ldx)
			out[i] = max(*w[0], *w[1], *w[2], *w[3])
		}
	}
	t.poolGrad = func(rows, n int, dx, x, dy *T, ldx int) {
		spread(rows, n, dx, x, dy, ldx, func(v, _ T) T { return v })
	}
	t.reluPoolGrad = func(rows, n int, dx, x, dy *T, ldx int) {
		spread(rows, n, dx, x, dy, ldx, func(v, top T) T {
			if top != top {
				return top
			}
			if top > 0 {
				return v
			}
			return 0
		})
	}
	return &t
}

// spread sets windows of dx to 0, but the place of the first maximum of x: that to f of dy and the maximum.
func spread[T float32 | float64](rows, n int, dx, x, dy *T, ldx int, f func(v, top T) T) {
	for i, v := range from(dy, rows*n) {
		w, out := corners(x, i/n, i%n, ldx), corners(dx, i/n, i%n, ldx)
		best := 0
		for k, p := range w {
			*out[k] = 0
			if top := *w[best]; *p > top || *p != *p && top == top {
				best = k
			}
		}
		*out[best] = f(v, *w[best])
	}
}

// from is a slice of n elements from the pointer p on.
func from[T any](p *T, n int) []T { return unsafe.Slice(p, n) }

// at is the pointer the given number of bytes behind p.
func at[T any](p *T, bytes int) *T { return (*T)(unsafe.Add(unsafe.Pointer(p), bytes)) }

// corners are the elements of a window of 2×2 in order.
func corners[T float32 | float64](x *T, row, col, ldx int) [4]*T {
	up := from(at(x, 2*row*ldx), 2*col+2)
	down := from(at(x, (2*row+1)*ldx), 2*col+2)
	return [4]*T{&up[2*col], &up[2*col+1], &down[2*col], &down[2*col+1]}
}
