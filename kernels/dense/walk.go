package dense

import "ganglion/kernels"

// walk goes through an output in order together with one or two inputs that are broadcast to it (as numpy does: shapes
// are aligned at the end, a missing dimension or one of size 1 is repeated). Dimensions that can be walked as one are
// merged, so that the inner one is as long as possible; an input's step along the inner dimension is 0 or 1.
type walk struct {
	rank int
	dim  [MaxRank]int
	a, b [MaxRank]int // strides of the inputs, in elements; 0 where they are repeated
}

// newWalk plans the walk for an output shape and inputs that are known to broadcast to it.
func newWalk(out, a, b []int) walk {
	var full walk
	full.rank = len(out)
	copy(full.dim[:], out)
	strides(&full.a, out, a)
	strides(&full.b, out, b)
	return full.merged()
}

// strides fills the strides with which an input of the given shape is walked.
func strides(s *[MaxRank]int, out, shape []int) {
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] != 1 {
			s[len(out)-len(shape)+i] = step
		}
		step *= shape[i]
	}
}

// merged drops dimensions of size 1 and joins neighbours that every input walks as one.
func (w walk) merged() walk {
	var m walk
	for i := range w.rank {
		if w.dim[i] == 1 {
			continue
		}
		if k := m.rank - 1; k >= 0 && m.a[k] == w.a[i]*w.dim[i] && m.b[k] == w.b[i]*w.dim[i] {
			m.dim[k] *= w.dim[i]
			m.a[k], m.b[k] = w.a[i], w.b[i]
			continue
		}
		m.dim[m.rank], m.a[m.rank], m.b[m.rank] = w.dim[i], w.a[i], w.b[i]
		m.rank++
	}
	if m.rank == 0 {
		m.rank, m.dim[0] = 1, 1
	}
	return m
}

// at is a position of a walk: the offsets in the inputs, and how many elements are left in the inner dimension.
type at struct {
	coord [MaxRank]int
	a, b  int
}

// seek returns the position of output element i.
func (w *walk) seek(i int) at {
	var p at
	for k := w.rank - 1; k >= 0; k-- {
		c := i % w.dim[k]
		i /= w.dim[k]
		p.coord[k] = c
		p.a += c * w.a[k]
		p.b += c * w.b[k]
	}
	return p
}

// left is the number of elements to the end of the inner dimension.
func (w *walk) left(p *at) int { return w.dim[w.rank-1] - p.coord[w.rank-1] }

// advance moves the position n elements on, n at most left.
func (w *walk) advance(p *at, n int) {
	k := w.rank - 1
	p.coord[k] += n
	p.a += n * w.a[k]
	p.b += n * w.b[k]
	for k > 0 && p.coord[k] == w.dim[k] {
		p.a += w.a[k-1] - w.dim[k]*w.a[k]
		p.b += w.b[k-1] - w.dim[k]*w.b[k]
		p.coord[k] = 0
		k--
		p.coord[k]++
	}
}

// inner returns the inputs' steps along the inner dimension, 0 or 1.
func (w *walk) inner() (a, b int) { return w.a[w.rank-1], w.b[w.rank-1] }

// broadcast returns the shape to which a and b are broadcast, or false.
func broadcast(a, b []int) ([]int, bool) {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := append([]int(nil), a...)
	shift := len(a) - len(b)
	for i, d := range b {
		switch {
		case out[shift+i] == 1:
			out[shift+i] = d
		case d != 1 && d != out[shift+i]:
			return nil, false
		}
	}
	return out, true
}

// broadcastTo checks that shape is broadcast to exactly out.
func broadcastTo(shape, out []int) bool {
	if len(shape) > len(out) {
		return false
	}
	for i, d := range shape {
		if d != 1 && d != out[len(out)-len(shape)+i] {
			return false
		}
	}
	return true
}

// source returns, for the reference, the offset in an input of the given shape of the element that is broadcast to
// output element i.
func source(i int, out, shape []int) int {
	offset, step := 0, 1
	for k := len(out) - 1; k >= 0; k-- {
		c := i % out[k]
		i /= out[k]
		if j := k - (len(out) - len(shape)); j >= 0 {
			if shape[j] != 1 {
				offset += c * step
			}
			step *= shape[j]
		}
	}
	return offset
}

// wantRank refuses more dimensions than a walk has.
func wantRank(op kernels.Op, in []kernels.Spec) error {
	for i, s := range in {
		if s.Rank() > MaxRank {
			return kernels.Errorf(op, in, kernels.ErrShape, "input %d has %d dimensions, at most %d are supported", i,
				s.Rank(), MaxRank)
		}
	}
	return nil
}
