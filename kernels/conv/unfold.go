package conv

import "ganglion/kernels"

// unfold writes rows k0 … k1−1 of the matrix of which Conv is a product: row (channel, tap) holds, for the positions p0
// … p1−1 of y, what the tap reads of the channel. x holds the channels of one group of one image; rows of col are ld
// apart.
func unfold[T kernels.Float](g *geometry, col []T, ld int, x []T, k0, k1, p0, p1 int) {
	taps, plane := g.taps(), g.plane()
	t := g.tapOf(k0 % taps)
	for k := k0; k < k1; k++ {
		unfoldRow(g, col[(k-k0)*ld:][:p1-p0], x[k/taps*plane:][:plane], t, p0)
		t = g.next(t)
	}
}

func unfoldRow[T kernels.Float](g *geometry, dst, src []T, t tap, p0 int) {
	lo, hi := g.valid(2, t)
	l := g.line(t, p0)
	step, shift := g.stride[2], g.shift(2, t)
	for len(dst) > 0 {
		n := min(len(dst), g.y[2]-l.o)
		line := dst[:n]
		dst = dst[n:]
		row := l.row(g)
		a := min(max(lo-l.o, 0), n)
		b := min(max(hi-l.o, a), n)
		if row < 0 {
			a, b = n, n
		}
		clear(line[:a])
		if a < b {
			at := row + (l.o+a)*step + shift
			if step == 1 {
				copy(line[a:b], src[at:at+b-a])
			} else {
				for j := a; j < b; j++ {
					line[j] = src[at]
					at += step
				}
			}
		}
		clear(line[b:])
		l.down(g)
	}
}

// fold adds what unfold reads: it is its transpose.
func fold[T kernels.Float](g *geometry, col []T, ld int, x []T, k0, k1, p0, p1 int) {
	taps, plane := g.taps(), g.plane()
	t := g.tapOf(k0 % taps)
	for k := k0; k < k1; k++ {
		foldRow(g, x[k/taps*plane:][:plane], col[(k-k0)*ld:][:p1-p0], t, p0)
		t = g.next(t)
	}
}

func foldRow[T kernels.Float](g *geometry, dst, src []T, t tap, p0 int) {
	lo, hi := g.valid(2, t)
	l := g.line(t, p0)
	step, shift := g.stride[2], g.shift(2, t)
	for len(src) > 0 {
		n := min(len(src), g.y[2]-l.o)
		line := src[:n]
		src = src[n:]
		a := min(max(lo-l.o, 0), n)
		b := min(max(hi-l.o, a), n)
		if row := l.row(g); row >= 0 && a < b {
			at := row + (l.o+a)*step + shift
			if step == 1 {
				to := dst[at:][:b-a]
				for j, v := range line[a:b] {
					to[j] += v
				}
			} else {
				for _, v := range line[a:b] {
					dst[at] += v
					at += step
				}
			}
		}
		l.down(g)
	}
}

// line walks through the lines of y together with those of x that a tap reads.
type line struct {
	z, y, o int // position in y; o along the line
	sz, sy  int // shifts of the tap
}

// line begins at position p of y.
func (g *geometry) line(t tap, p int) line {
	return line{z: p / (g.y[1] * g.y[2]), y: p / g.y[2] % g.y[1], o: p % g.y[2], sz: g.shift(0, t), sy: g.shift(1, t)}
}

// row is the offset of the line in x, −1 if it lies outside.
func (l *line) row(g *geometry) int {
	z, y := l.z*g.stride[0]+l.sz, l.y*g.stride[1]+l.sy
	if z < 0 || z >= g.x[0] || y < 0 || y >= g.x[1] {
		return -1
	}
	return (z*g.x[1] + y) * g.x[2]
}

// down goes to the start of the next line.
func (l *line) down(g *geometry) {
	l.o = 0
	if l.y++; l.y == g.y[1] {
		l.y = 0
		l.z++
	}
}
