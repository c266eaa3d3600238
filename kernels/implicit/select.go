package implicit

import (
	"math"
	"math/bits"
	"unsafe"

	"ganglion/kernels"
)

const (
	digitBits = 11
	histogram = 1 << digitBits
)

// rank maps |v| to an integer of the same order: 0 for ±0, NaN above +Inf.
func rank[T kernels.Float](v T) uint64 {
	if unsafe.Sizeof(v) == 4 {
		return uint64(math.Float32bits(float32(v))<<1) << 32
	}
	return math.Float64bits(float64(v)) << 1
}

// selection is the memory of the choice of edges: candidates by row-major position, with their weights.
type selection[T kernels.Float] struct {
	weight []T     // [p²] of the candidates
	at     []int32 // [p²] j·p+i of the candidates
	part   []T     // [p²] weights among which γ is sought
	hist   []int32
	found  []int32 // [p] candidates of each chunk of rows
}

func selectionSize(w kernels.Spec) int {
	p, elem := w.Shape[0], w.DType.Size()
	return 2*kernels.CarveSize(p*p, elem) + kernels.CarveSize(p*p, 4) + kernels.CarveSize(histogram, 4) +
		kernels.CarveSize(p, 4)
}

func newSelection[T kernels.Float](c *kernels.Call) selection[T] {
	work, p := c.Work, c.In[0].Shape[0]
	return selection[T]{
		weight: kernels.Carve[T](&work, p*p), at: kernels.Carve[int32](&work, p*p), part: kernels.Carve[T](&work, p*p),
		hist: kernels.Carve[int32](&work, histogram), found: kernels.Carve[int32](&work, p),
	}
}

// keepEdges lists the edges to be kept by source: those whose weight is not 0, and of at least the rank of the keep-th
// if keep >= 0. The candidates are the weights above a bound that a sample suggests; when they turn out too few, all
// weights are. γ is sought among the candidates below another such bound; when it is not there, among all.
func keepEdges[T kernels.Float](c *kernels.Call, s *search, keep int, scan body) {
	sel, p := newSelection[T](c), s.l.Nodes
	if keep == 0 {
		return
	}
	chunks := c.Rows(p, 0.8*float64(p))
	lo, hi := sel.bounds(kernels.Of[T](c.In[0]), keep, p*(p-1))
	n := sel.collect(c, scan, chunks, lo)
	if lo > 1 && n < keep {
		n = sel.collect(c, scan, chunks, 1)
	}
	gamma := uint64(1)
	if keep > 0 && keep < n {
		gamma = sel.gamma(n, keep, hi)
	}
	kept, j, end := 0, 0, p // end is that of row j
	for e, v := range sel.weight[:n] {
		at := int(sel.at[e])
		for at >= end {
			s.l.OutPtr[j+1] = int32(kept)
			j, end = j+1, end+p
		}
		s.l.Out[kept] = int32(at - end + p)
		kept += reaches(v, gamma)
	}
	for ; j < p; j++ {
		s.l.OutPtr[j+1] = int32(kept)
	}
	s.l.Kept = kept
}

// reaches is 1 if the rank of v is at least r and else 0, without a jump.
func reaches[T kernels.Float](v T, r uint64) int {
	_, below := bits.Sub64(rank(v), r, 0)
	return 1 - int(below)
}

// gamma returns the rank of the keep-th largest of n > keep candidates, which is probably at most hi.
func (s *selection[T]) gamma(n, keep int, hi uint64) uint64 {
	part, k := s.part[:n], 0
	for _, v := range s.weight[:n] {
		part[k] = v
		k += 1 - reaches(v, hi)
	}
	if need := keep - (n - k); need >= 1 {
		return s.largest(part[:k], need)
	}
	copy(part, s.weight)
	return s.largest(part, keep)
}

// samples is the number of weights of which the bounds are estimated.
const samples = 1024

// bounds returns a rank that some more than keep weights have or exceed, and one that some fewer do, if the weights at
// regular distances are typical of all; the extreme ranks where a sample would save nothing.
func (s *selection[T]) bounds(w []T, keep, edges int) (lo, hi uint64) {
	if keep < 0 || len(w) < 4*samples || 4*keep > 3*edges {
		return 1, math.MaxUint64
	}
	n := s.sample(w)
	expected := float64(keep) * float64(n) / float64(edges)
	margin := 0.1*expected + 3*math.Sqrt(expected) + 4
	lo, hi = s.largest(s.part[:n], int(expected+margin)), math.MaxUint64
	if fewer := int(expected - margin); fewer > 0 {
		hi = s.largest(s.part[:s.sample(w)], fewer)
	}
	return lo, hi
}

// sample copies some weights to where γ is sought, and returns their number.
func (s *selection[T]) sample(w []T) int {
	n := 0
	for at := 0; at < len(w); at += len(w)/samples | 1 {
		s.part[n] = w[at]
		n++
	}
	return n
}

// collect gathers the weights off the diagonal that have at least the given rank, and returns their number.
func (s *selection[T]) collect(c *kernels.Call, scan body, chunks int, bound uint64) int {
	c.Arg[0], c.Arg[1] = int(uint32(bound>>32)), int(uint32(bound))
	c.For(chunks, scan)
	p, n := c.In[0].Shape[0], 0
	for k := range chunks {
		lo, _ := c.Chunk(k, p)
		from, found := lo*p, int(s.found[k])
		copy(s.weight[n:], s.weight[from:from+found])
		copy(s.at[n:], s.at[from:from+found])
		n += found
	}
	return n
}

// scanBody collects the candidates of some rows, at the place of these rows.
func scanBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	s, p := newSelection[T](c), c.In[0].Shape[0]
	bound := uint64(uint32(c.Arg[0]))<<32 | uint64(uint32(c.Arg[1]))
	w := kernels.Of[T](c.In[0])
	lo, hi := c.Chunk(chunk, p)
	weight, at, n := s.weight[lo*p:hi*p], s.at[lo*p:hi*p], 0
	for j := lo; j < hi; j++ {
		for i, v := range w[j*p : j*p+j] {
			weight[n], at[n] = v, int32(j*p+i)
			n += reaches(v, bound)
		}
		for i, v := range w[j*p+j+1 : j*p+p] {
			weight[n], at[n] = v, int32(j*p+j+1+i)
			n += reaches(v, bound)
		}
	}
	s.found[chunk] = int32(n)
}

// largest returns the rank of the keep-th largest |v|, but 1 at least: weights of exactly 0 are not kept. Radix
// selection from the top digit down, at most six passes over what is left; v is used up.
func (s *selection[T]) largest(v []T, keep int) uint64 {
	shift := 64
	need := min(keep, len(v))
	for shift > 0 && len(v) > 1 {
		shift = max(0, shift-digitBits)
		clear(s.hist)
		tally(s.hist, v, shift)
		var digit uint64
		digit, need = descend(s.hist, need)
		v = gather(v[:0], v, shift, digit)
	}
	return max(1, rank(v[0]))
}

// tally counts the digits of the ranks of row.
func tally[T kernels.Float](hist []int32, row []T, shift int) {
	h := (*[histogram]int32)(hist)
	for _, v := range row {
		h[rank(v)>>shift&(histogram-1)]++
	}
}

// descend returns the digit of the need-th largest element, and how many of the elements with that digit are needed.
func descend(hist []int32, need int) (digit uint64, left int) {
	for d := len(hist) - 1; d > 0; d-- {
		if need <= int(hist[d]) {
			return uint64(d), need
		}
		need -= int(hist[d])
	}
	return 0, need
}

// gather appends the elements of row with the given digit to dst.
func gather[T kernels.Float](dst, row []T, shift int, digit uint64) []T {
	for _, v := range row {
		if rank(v)>>shift&(histogram-1) == digit {
			dst = append(dst, v)
		}
	}
	return dst
}
