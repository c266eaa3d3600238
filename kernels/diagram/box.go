package diagram

import (
	"ganglion/internal/asm/plane"
	"ganglion/kernels"
)

// tilePoints is about the number of points of a level whose columns are packed, multiplied and added at a time, so that
// they stay in the caches.
const tilePoints = 1024

// tileSide is the length of a tile along its first axis: transposed columns read so many elements in a row.
const tileSide = 8

// box is a part of the points (i_1, …, i_d) of a level: from, and so many, along the first two axes; all others are of
// length n.
type box struct {
	d, n       int
	from, lead [2]int
}

// boxes is how the points of a level are cut.
type boxes struct {
	box
	across, total int
}

// cutBoxes cuts n^d points, first along the second axis if there are more than two.
func cutBoxes(d, n int) boxes {
	b := boxes{box: box{d: d, n: n}, across: 1, total: 1}
	for a := range min(d, 2) {
		b.lead[a] = n
	}
	if d < 2 || power(n, d) <= tilePoints+tilePoints/2 {
		return b
	}
	rest := power(n, d-2)
	b.lead[0] = min(n, tileSide)
	if d == 2 {
		b.lead[0] = min(n, max(tileSide, tilePoints/n))
	} else {
		b.lead[1] = min(n, max(1, tilePoints/(b.lead[0]*rest)))
	}
	b.across = (n + b.lead[1] - 1) / b.lead[1]
	b.total = (n + b.lead[0] - 1) / b.lead[0] * b.across
	return b
}

// at returns a part.
func (b boxes) at(i int) box {
	if b.d < 2 {
		return b.box
	}
	x := b.box
	x.from = [2]int{i / b.across * b.lead[0], i % b.across * b.lead[1]}
	for a := range x.lead {
		x.lead[a] = min(x.lead[a], x.n-x.from[a])
	}
	return x
}

// points is the number of points.
func (b box) points() int {
	size := 1
	for a := range b.d {
		size *= b.extent(a)
	}
	return size
}

func (b box) extent(axis int) int {
	if axis < len(b.lead) {
		return b.lead[axis]
	}
	return b.n
}

// start is where the first point stands in an array with these strides.
func (b box) start(strides []int) int {
	at := 0
	for a := range min(b.d, len(b.from)) {
		at += b.from[a] * strides[a]
	}
	return at
}

// read copies the points of an array with these strides, which begins at the first one, in order.
func read[T kernels.Float](t *plane.Table[T], b box, axis int, flat, x []T, strides []int) {
	left := b.d - axis
	if left < 2 {
		lineOrPoint(flat, x, strides, false)
		return
	}
	e0, e1 := b.extent(axis), b.extent(axis+1)
	s0, s1 := strides[0], strides[1]
	switch {
	case left == 3 && strides[2] == 1 && s1 == b.extent(axis+2):
		t.Move(e0, e1*s1, flat, e1*s1, x, s0)
	case left == 2 && s1 == 1:
		t.Move(e0, e1, flat, e1, x, s0)
	case left == 2 && s0 == 1:
		t.Transpose(e1, e0, flat, e1, x, s1)
	case left == 3 && s0 == 1:
		e2 := b.extent(axis + 2)
		for j := range e1 {
			t.Transpose(e2, e0, flat[j*e2:], e1*e2, x[j*s1:], strides[2])
		}
	default:
		inner := len(flat) / e0
		for i := range e0 {
			read(t, b, axis+1, flat[i*inner:(i+1)*inner], x[i*s0:], strides[1:])
		}
	}
}

// write adds the points in order to an array with these strides; or sets them, in an array that has them in order.
func write[T kernels.Float](t *plane.Table[T], b box, axis int, flat, x []T, strides []int, add bool) {
	left := b.d - axis
	if left < 2 {
		lineOrPoint(flat, x, strides, true)
		return
	}
	e0, e1 := b.extent(axis), b.extent(axis+1)
	switch {
	case left == 2 && strides[1] == 1 && add:
		t.Add(e0, e1, x, strides[0], flat, e1)
	case left == 2 && strides[1] == 1:
		t.Move(e0, e1, x, strides[0], flat, e1)
	default:
		inner := len(flat) / e0
		for i := range e0 {
			write(t, b, axis+1, flat[i*inner:(i+1)*inner], x[i*strides[0]:], strides[1:], add)
		}
	}
}

// lineOrPoint copies or adds one axis, or one element.
func lineOrPoint[T kernels.Float](flat, x []T, strides []int, add bool) {
	switch {
	case len(strides) > 0:
		line(flat, x, strides[0], add)
	case add:
		x[0] += flat[0]
	default:
		flat[0] = x[0]
	}
}
