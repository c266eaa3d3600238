package diagram

import (
	"ganglion/internal/asm/plane"
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
)

// tables are the primitives of a path.
type tables[T kernels.Float] struct {
	v *vec.Table[T]
	p *plane.Table[T]
}

func tablesOf[T kernels.Float](c *kernels.Call) tables[T] {
	return tables[T]{vec.For[T](c.Path), plane.For[T](c.Path)}
}

// reduce fills the nodes of a side, but for the root, from the root: for every channel of a sample.
func reduce[T kernels.Float](s *side, t tables[T], root, nodes []T, channels int) {
	for _, st := range s.steps {
		n := s.nodes[st.node]
		from, size := view(s, n.parent, root, nodes, channels)
		from = from[:size*channels]
		to, _ := view(s, st.node, root, nodes, channels)
		switch st.way {
		case bothSums:
			lines, _ := view(s, st.mate, root, nodes, channels)
			t.p.Sums(len(from)/(s.n*s.n), s.n, s.n, from, to, lines)
		case rowSums:
			t.p.Sums(1, len(to), s.n, from, to, nil)
		case lineSums:
			t.p.Sums(len(to)/st.inner, s.n, st.inner, from, nil, to)
		default:
			for c := range channels {
				gather(n.run, s.n, t.v, to[c*n.size:(c+1)*n.size], from[c*size:(c+1)*size])
			}
		}
	}
}

// scatter adds the nodes of a side, children first, to their parents, the last to the root.
func scatter[T kernels.Float](s *side, t tables[T], root, nodes []T, channels int) {
	for i := len(s.steps) - 1; i >= 0; i-- {
		st := s.steps[i]
		n := s.nodes[st.node]
		to, size := view(s, n.parent, root, nodes, channels)
		to = to[:size*channels]
		from, _ := view(s, st.node, root, nodes, channels)
		switch st.way {
		case bothSums:
			lines, _ := view(s, st.mate, root, nodes, channels)
			t.p.Spread(len(to)/(s.n*s.n), s.n, s.n, to, from, lines)
		case rowSums:
			t.p.Spread(1, len(from), s.n, to, from, nil)
		case lineSums:
			t.p.Spread(len(from)/st.inner, s.n, st.inner, to, nil, from)
		default:
			for c := range channels {
				spread(n.run, s.n, t.v, to[c*size:(c+1)*size], from[c*n.size:(c+1)*n.size])
			}
		}
	}
}

// walk calls visit for every run of the output with its start in the output and in the input, and the input's stride
// along the run.
type walker struct {
	sum
	at    [20]int
	inner int // length of a run
	along int // stride of a run in the input
	outer int // number of runs
}

func newWalker(r sum) walker {
	w := walker{sum: r, inner: 1, outer: 1}
	if k := len(r.extents); k > 0 {
		w.inner, w.along = r.extents[k-1], r.strides[k-1]
		for _, e := range r.extents[:k-1] {
			w.outer *= e
		}
	}
	return w
}

// next returns the start of the next run in the input.
func (w *walker) next(at int) int {
	for i := len(w.extents) - 2; i >= 0; i-- {
		at += w.strides[i]
		if w.at[i]++; w.at[i] < w.extents[i] {
			return at
		}
		at -= w.strides[i] * w.extents[i]
		w.at[i] = 0
	}
	return at
}

// gather is out = the sum along the diagonal of in.
func gather[T kernels.Float](r sum, n int, v *vec.Table[T], out, in []T) {
	w := newWalker(r)
	at := 0
	for i := range w.outer {
		dst := out[i*w.inner : (i+1)*w.inner]
		switch {
		case r.forms != [2]int{}:
			gatherForm(w, n, dst, in[at:])
		case w.along == 1 && w.inner > 1:
			copy(dst, in[at:])
			for j := 1; j < n; j++ {
				v.Add(dst, dst, in[at+j*r.step:][:w.inner])
			}
		case r.step == 1:
			for k := range dst {
				dst[k] = v.Sum(in[at+k*w.along:][:n])
			}
		default:
			for k := range dst {
				sum, from := T(0), at+k*w.along
				for j := range n {
					sum += in[from+j*r.step]
				}
				dst[k] = sum
			}
		}
		at = w.next(at)
	}
}

// gatherForm is dst[k] = Σ_q in[2q, 2q+1] − in[2q+1, 2q] over the two axes of a pair.
func gatherForm[T kernels.Float](w walker, n int, dst, in []T) {
	a, b := w.forms[0], w.forms[1]
	for k := range dst {
		sum, from := T(0), k*w.along
		for q := 0; q < n; q += 2 {
			sum += in[from+q*a+(q+1)*b] - in[from+(q+1)*a+q*b]
		}
		dst[k] = sum
	}
}

// spread is the transpose of gather: it adds in to every element of out that it is the sum of.
func spread[T kernels.Float](r sum, n int, v *vec.Table[T], out, in []T) {
	w := newWalker(r)
	at := 0
	for i := range w.outer {
		src := in[i*w.inner : (i+1)*w.inner]
		switch {
		case r.forms != [2]int{}:
			spreadForm(w, n, out[at:], src)
		case w.along == 1 && w.inner > 1:
			for j := range n {
				to := out[at+j*r.step:][:w.inner]
				v.Add(to, to, src)
			}
		case r.step == 1:
			for k, x := range src {
				to := out[at+k*w.along:][:n]
				v.Shift(to, x, to)
			}
		default:
			for k, x := range src {
				to := at + k*w.along
				for j := range n {
					out[to+j*r.step] += x
				}
			}
		}
		at = w.next(at)
	}
}

func spreadForm[T kernels.Float](w walker, n int, out, src []T) {
	a, b := w.forms[0], w.forms[1]
	for k, x := range src {
		to := k * w.along
		for q := 0; q < n; q += 2 {
			out[to+q*a+(q+1)*b] += x
			out[to+(q+1)*a+q*b] -= x
		}
	}
}

// view returns the node of a pattern for all channels, and the size of one.
func view[T kernels.Float](s *side, p int, root, nodes []T, channels int) (x []T, size int) {
	n := s.nodes[p]
	if p == 0 {
		return root, n.size
	}
	return nodes[n.start*channels:][:n.size*channels], n.size
}

// line copies or adds one axis.
func line[T kernels.Float](flat, x []T, stride int, add bool) {
	switch {
	case add && stride == 1:
		for i, v := range flat {
			x[i] += v
		}
	case add:
		for i, v := range flat {
			x[i*stride] += v
		}
	case stride == 1:
		copy(flat, x)
	default:
		for i := range flat {
			flat[i] = x[i*stride]
		}
	}
}
