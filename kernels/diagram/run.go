package diagram

import (
	"ganglion/internal/asm/gemm"
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
)

// reduce fills the nodes of a side, but for the root, from the root: for every channel of a sample.
func reduce[T kernels.Float](s *side, v *vec.Table[T], root, nodes []T, channels int) {
	for _, n := range s.nodes[1:] {
		from, size := root, s.nodes[0].size
		if n.parent > 0 {
			p := s.nodes[n.parent]
			from, size = nodes[p.start*channels:], p.size
		}
		for c := range channels {
			gather(n.run, s.n, v, nodes[n.start*channels+c*n.size:][:n.size], from[c*size:(c+1)*size])
		}
	}
}

// scatter adds the nodes of a side, children first, to their parents, the last to the root.
func scatter[T kernels.Float](s *side, v *vec.Table[T], root, nodes []T, channels int) {
	for i := len(s.nodes) - 1; i > 0; i-- {
		n := s.nodes[i]
		to, size := root, s.nodes[0].size
		if n.parent > 0 {
			p := s.nodes[n.parent]
			to, size = nodes[p.start*channels:], p.size
		}
		for c := range channels {
			spread(n.run, s.n, v, to[c*size:(c+1)*size], nodes[n.start*channels+c*n.size:][:n.size])
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

// diagonal copies out of x, or adds to x, the elements (i_1, …, i_d) with the given strides; flat has them in order.
func diagonal[T kernels.Float](flat, x []T, strides []int, n int, add bool) {
	switch d := len(strides); {
	case d == 0 && add:
		x[0] += flat[0]
	case d == 0:
		flat[0] = x[0]
	case d == 1:
		line(flat[:n], x, strides[0], add)
	case d == 2 && strides[0] == 1 && strides[1] > 1:
		transpose(flat, x, strides[1], n, add)
	default:
		inner := power(n, d-1)
		for i := range n {
			diagonal(flat[i*inner:(i+1)*inner], x[i*strides[0]:], strides[1:], n, add)
		}
	}
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

// blockSide is that of the squares in which matrices are transposed.
const blockSide = 16

// transpose copies or adds flat[i, j] from or to x[i + j·stride], square by square.
func transpose[T kernels.Float](flat, x []T, stride, n int, add bool) {
	for i0 := 0; i0 < n; i0 += blockSide {
		for j0 := 0; j0 < n; j0 += blockSide {
			width := min(n-i0, blockSide)
			for j := j0; j < min(n, j0+blockSide); j++ {
				row := x[i0+j*stride:][:width]
				if add {
					for i := range row {
						row[i] += flat[(i0+i)*n+j]
					}
					continue
				}
				for i, v := range row {
					flat[(i0+i)*n+j] = v
				}
			}
		}
	}
}

// product is c = op(a)·op(b) or c += op(a)·op(b), on the calling goroutine.
func product[T kernels.Float](c *kernels.Call, a gemm.Args[T]) {
	switch a := any(&a).(type) {
	case *gemm.Args[float32]:
		gemm.F32(nil, c.Path, nil, *a)
	case *gemm.Args[float64]:
		gemm.F64(nil, c.Path, nil, *a)
	}
}
