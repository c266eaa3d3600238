package calculus

import "slices"

// Factors are the parts of a diagram d = Top ∘ Planar ∘ Bottom: two permutations of axes, and a diagram whose blocks
// follow one another: in its top row those of the top row alone, then the cross ones; in its bottom row the cross ones
// in the same order, then those of the bottom row alone. Free vertices of kind H stand first in the top row and last in
// the bottom row.
type Factors struct {
	Planar Diagram
	// Top[i] is the position in the planar diagram's top row of vertex i of d's top row; Bottom likewise.
	Top, Bottom []int
}

// Factor splits a diagram. The order of the vertices of a block is kept, and so is that of two vertices of a pair.
func (d Diagram) Factor() Factors {
	type block struct {
		rank  int // where it belongs in its row
		first int // its first vertex in the diagram
	}
	sizes := d.sizes()
	inTop, inBottom := make([]bool, len(sizes)), make([]bool, len(sizes))
	first := make([]int, len(sizes))
	for i := len(d.Labels) - 1; i >= 0; i-- {
		b := d.Labels[i]
		first[b] = i
		if i < d.L {
			inTop[b] = true
		} else {
			inBottom[b] = true
		}
	}
	at := func(b uint8, top bool) block {
		free := d.Kind == H && sizes[b] == 1
		cross := inTop[b] && inBottom[b]
		switch {
		case top && free:
			return block{0, first[b]}
		case top && !cross:
			return block{1, first[b]}
		case cross:
			return block{2, first[b]}
		case !free:
			return block{3, first[b]}
		}
		return block{4, first[b]}
	}
	order := func(lo, hi int, top bool) []int {
		vs := make([]int, hi-lo)
		for i := range vs {
			vs[i] = lo + i
		}
		slices.SortStableFunc(vs, func(v, w int) int {
			a, b := at(d.Labels[v], top), at(d.Labels[w], top)
			if a.rank != b.rank {
				return a.rank - b.rank
			}
			return a.first - b.first
		})
		return vs
	}
	top, bottom := order(0, d.L, true), order(d.L, d.L+d.K, false)
	labels := make([]int, 0, len(d.Labels))
	f := Factors{Top: make([]int, d.L), Bottom: make([]int, d.K)}
	for i, v := range top {
		f.Top[v] = i
		labels = append(labels, int(d.Labels[v]))
	}
	for i, v := range bottom {
		f.Bottom[v-d.L] = i
		labels = append(labels, int(d.Labels[v]))
	}
	f.Planar, _ = New(d.Kind, d.L, d.K, labels...) // of the same blocks
	return f
}

// Permutation is the diagram of kind E or F that moves axis i of its input to axis to[i] of its output.
func Permutation(kind Kind, to []int) (Diagram, error) {
	labels := make([]int, 2*len(to))
	for i, t := range to {
		if t < 0 || t >= len(to) {
			return Diagram{}, ErrDiagram
		}
		labels[t], labels[len(to)+i] = i, i
	}
	if kind == H {
		kind = E
	}
	return New(kind, len(to), len(to), labels...)
}
