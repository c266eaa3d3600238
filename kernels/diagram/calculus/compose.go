package calculus

import (
	"fmt"
	"slices"
)

// Term is one summand Sign · n^Loops · matrix(Diagram) of a product.
type Term struct {
	Sign    int
	Loops   int
	Diagram Diagram
}

// Value is the coefficient Sign · n^Loops.
func (t Term) Value(n int) float64 { return float64(t.Sign) * power(n, t.Loops) }

// Compose is the product matrix(b)·matrix(a) for a from k to l and b from l to m, as a sum of diagrams from k to m: one
// for kind E; one, with a sign, for kind F; none or one, of kind H, where one of them is H; and n! of kind E for two of
// kind H.
func Compose(b, a Diagram, n int) ([]Term, error) {
	kinds := [2]Kind{b.Kind, a.Kind}
	if b.K != a.L || (b.Kind == F) != (a.Kind == F) {
		return nil, fmt.Errorf("%w: %v does not follow %v", ErrDiagram, b, a)
	}
	for _, d := range []Diagram{a, b} {
		if _, _, _, bottom, top := d.Shape(); d.Kind == H && bottom+top != n {
			return nil, fmt.Errorf("%w: %v has %d free vertices, n is %d", ErrDiagram, d, bottom+top, n)
		}
	}
	if kinds != [2]Kind{E, E} && !(pairsOnly(a) && pairsOnly(b)) {
		return nil, fmt.Errorf("%w: %v and %v have blocks of other sizes than two", ErrDiagram, b, a)
	}
	switch kinds {
	case [2]Kind{E, E}:
		return []Term{composeBlocks(b, a)}, nil
	case [2]Kind{F, F}:
		return []Term{composeForms(b, a)}, nil
	case [2]Kind{H, H}:
		return composeFree(b, a), nil
	}
	return composeMixed(b, a), nil
}

// pairsOnly reports whether all blocks have two vertices, but for free ones.
func pairsOnly(d Diagram) bool {
	return !slices.ContainsFunc(d.sizes(), func(n int) bool { return n > 2 || n < 2 && d.Kind != H })
}

// composeBlocks joins the middle rows. Components that lie in the middle alone are loops.
func composeBlocks(b, a Diagram) Term {
	shift := b.Blocks()
	join := newSets(shift + a.Blocks())
	for v := range a.L {
		join.unite(int(b.Labels[b.L+v]), shift+int(a.Labels[v]))
	}
	var labels []int
	for _, l := range b.Labels[:b.L] {
		labels = append(labels, join.root(int(l)))
	}
	for _, l := range a.Labels[a.L:] {
		labels = append(labels, join.root(shift+int(l)))
	}
	d, _ := New(E, b.L, a.K, labels...) // of blocks of any size
	return Term{1, join.without(labels), d}
}

// weave is the graph of two diagrams of pairs one above the other: the vertices of b's top row, of the middle row, and
// of a's bottom row, in this order.
type weave struct {
	top, middle, bottom int
	up, down            []int // the other end of the pair of b and of a, or -1; the vertex itself if it is free
}

func newWeave(b, a Diagram) weave {
	w := weave{top: b.L, middle: a.L, bottom: a.K}
	w.up, w.down = make([]int, b.L+a.L+a.K), make([]int, b.L+a.L+a.K)
	for i := range w.up {
		w.up[i], w.down[i] = -1, -1
	}
	for v, p := range b.partners() {
		w.up[v] = p
	}
	for v, p := range a.partners() {
		w.down[b.L+v] = b.L + p
	}
	return w
}

// outer reports whether v is no vertex of the middle row.
func (w weave) outer(v int) bool { return v < w.top || v >= w.top+w.middle }

// walk follows the string from v, first along a pair of b or of a, and calls visit for every pair, until it ends at an
// outer vertex, at a free one, or, having begun along b, in itself.
func (w weave) walk(start int, alongB bool, visit func(from, to int)) (end int, free bool) {
	v := start
	for {
		next := w.down[v]
		if alongB {
			next = w.up[v]
		}
		if next == v {
			return v, true
		}
		visit(v, next)
		if v, alongB = next, !alongB; w.outer(v) || v == start && alongB {
			return v, false
		}
	}
}

// row is 0 for the top row, 1 for the middle and 2 for the bottom one.
func (w weave) row(v int) int {
	switch {
	case v < w.top:
		return 0
	case v < w.top+w.middle:
		return 1
	}
	return 2
}

// labels labels the outer vertices: of two ends of a string with the first, of others with themselves.
func (w weave) labels(end map[int]int) []int {
	var labels []int
	for v := range w.up {
		if e, is := end[v]; w.outer(v) && is {
			labels = append(labels, min(v, e))
		} else if w.outer(v) {
			labels = append(labels, v)
		}
	}
	return labels
}

// strings walks all strings from their left or upper end, and then all loops, with the pairs of each. Strings from free
// vertices of the middle row are not among them.
func (w weave) strings(of func(start, end int, free bool, pairs [][2]int)) {
	met := make([]bool, len(w.up))
	one := func(start int, alongB bool) {
		var pairs [][2]int
		end, free := w.walk(start, alongB, func(from, to int) {
			met[from], met[to] = true, true
			pairs = append(pairs, [2]int{from, to})
		})
		met[start] = true
		of(start, end, free, pairs)
	}
	for v := range w.up {
		if w.outer(v) && !met[v] {
			one(v, v < w.top)
		}
	}
	for v := w.top; v < w.top+w.middle; v++ {
		if w.up[v] == v && w.down[v] != v && !met[v] {
			one(v, false)
		} else if w.down[v] == v && w.up[v] != v && !met[v] {
			one(v, true)
		}
	}
	for v := w.top; v < w.top+w.middle; v++ {
		if !met[v] {
			one(v, true)
		}
	}
}

// composeForms joins pairs. A string, or loop, with q pairs within a row, r of them passed from right to left, gives
// the sign (−1)^{r+⌊q/2⌋}: ε·ε is −1, and ε backwards −ε. A string that ends in the row in which it began is walked
// from its left end.
func composeForms(b, a Diagram) Term {
	w := newWeave(b, a)
	t := Term{Sign: 1}
	ends := map[int]int{}
	w.strings(func(start, end int, _ bool, pairs [][2]int) {
		q, r := 0, 0
		for _, p := range pairs {
			if w.row(p[0]) == w.row(p[1]) {
				q++
				if p[0] > p[1] {
					r++
				}
			}
		}
		if (r+q/2)%2 == 1 {
			t.Sign = -t.Sign
		}
		if w.outer(start) {
			ends[start], ends[end] = end, start
		} else {
			t.Loops++
		}
	})
	t.Diagram, _ = New(F, b.L, a.K, w.labels(ends)...) // of the pairs of strings
	return t
}

// composeMixed joins a diagram of kind H with pairs: each free vertex slides along its string to the outer end. The
// product is 0 where a string joins two free vertices.
func composeMixed(b, a Diagram) []Term {
	w := newWeave(b, a)
	h, first := b, 0
	if a.Kind == H {
		h, first = a, b.L
	}
	t := Term{Sign: 1}
	ends := map[int]int{}
	place := map[int]int{} // of a free vertex of h, its outer end
	vanish := false
	w.strings(func(start, end int, free bool, _ [][2]int) {
		begins := !w.outer(start) && (w.up[start] == start || w.down[start] == start)
		switch {
		case w.outer(start) && free:
			place[end] = start
		case w.outer(start):
			ends[start], ends[end] = end, start
		case begins:
			vanish = true // from one free vertex of the middle row to another
		default:
			t.Loops++
		}
	})
	if vanish {
		return nil
	}
	var word []int
	for v, p := range h.partners() {
		if p == v {
			word = append(word, place[first+v])
		}
	}
	t.Sign = sign(word)
	t.Diagram, _ = New(H, b.L, a.K, w.labels(ends)...) // of pairs and of as many free vertices as h has
	return []Term{t}
}

// composeFree expands the product of two signs of labels: ε_I·ε_J = Σ_τ sgn τ ∏ δ(i_x, j_τ(x)).
func composeFree(b, a Diagram) []Term {
	shift := b.L + b.K
	free := func(d Diagram, by int) (vs []int) {
		for v, p := range d.partners() {
			if p == v {
				vs = append(vs, v+by)
			}
		}
		return vs
	}
	above, below := free(b, 0), free(a, shift)
	var out []Term
	permutations(len(above), func(perm []int) {
		// Blocks of b and of a, joined in the middle row and by the pairs of free vertices.
		join := newSets(shift + a.L + a.K)
		for v, p := range b.partners() {
			join.unite(v, p)
		}
		for v, p := range a.partners() {
			join.unite(shift+v, shift+p)
		}
		for v := range a.L {
			join.unite(b.L+v, shift+v)
		}
		for i, p := range perm {
			join.unite(above[i], below[p])
		}
		var labels []int
		for v := range b.L {
			labels = append(labels, join.root(v))
		}
		for v := range a.K {
			labels = append(labels, join.root(shift+a.L+v))
		}
		d, _ := New(E, b.L, a.K, labels...) // of blocks of any size
		out = append(out, Term{sign(perm), join.without(labels), d})
	})
	return out
}

// permutations calls visit with every permutation of 0 … n−1, in lexicographic order.
func permutations(n int, visit func(perm []int)) {
	perm := make([]int, 0, n)
	used := make([]bool, n)
	var next func()
	next = func() {
		if len(perm) == n {
			visit(perm)
			return
		}
		for v := range n {
			if used[v] {
				continue
			}
			used[v] = true
			perm = append(perm, v)
			next()
			perm = perm[:len(perm)-1]
			used[v] = false
		}
	}
	next()
}

// sets are disjoint sets of 0 … n−1.
type sets []int

func newSets(n int) sets {
	s := make(sets, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func (s sets) root(i int) int {
	for s[i] != i {
		i = s[i]
	}
	return i
}

func (s sets) unite(i, j int) { s[s.root(i)] = s.root(j) }

// without counts the sets none of whose elements has one of the roots.
func (s sets) without(roots []int) int {
	n := 0
	for i := range s {
		if s[i] == i && !slices.Contains(roots, i) {
			n++
		}
	}
	return n
}
