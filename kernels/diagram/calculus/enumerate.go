package calculus

import (
	"fmt"
	"math/big"
)

// MaxDiagrams is the largest number of diagrams that Enumerate lists.
const MaxDiagrams = 100_000

// Check returns an error unless the group acts on axes of length n: Sp wants an even n.
func (g Group) Check(n int) error {
	switch {
	case int(g) >= len(groupNames):
		return fmt.Errorf("%w: %s is no group", ErrDiagram, g)
	case n < 1:
		return fmt.Errorf("%w: %s(n) wants n from 1, has %d", ErrDiagram, g, n)
	case g == Sp && n%2 == 1:
		return fmt.Errorf("%w: Sp(n) wants an even n, has %d: take n = %d", ErrDiagram, n, n+1)
	}
	return nil
}

// Count is the number of diagrams from k to l that Enumerate lists, of any size: Bell(l+k) partitions, for S_n those
// with at most n blocks; (l+k−1)!! pairings for O(n) and Sp(n), and for SO(n) besides them C(l+k, n)·(l+k−n−1)!!.
func Count(g Group, n, l, k int) *big.Int {
	m := l + k
	switch g {
	case S:
		return partitions(m, n)
	case SO:
		sum := pairings(m)
		if m >= n {
			sum.Add(sum, new(big.Int).Mul(new(big.Int).Binomial(int64(m), int64(n)), pairings(m-n)))
		}
		return sum
	}
	return pairings(m)
}

// pairings is (m−1)!! for an even m, else 0.
func pairings(m int) *big.Int {
	p := big.NewInt(1)
	if m%2 == 1 {
		return new(big.Int)
	}
	for i := m - 1; i > 1; i -= 2 {
		p.Mul(p, big.NewInt(int64(i)))
	}
	return p
}

// partitions is Σ_{t≤n} S2(m, t), the number of partitions of m things into at most n blocks.
func partitions(m, n int) *big.Int {
	row := []*big.Int{big.NewInt(1)} // Stirling numbers S2(i, t), t = 0 … i
	for i := 1; i <= m; i++ {
		next := make([]*big.Int, i+1)
		for t := range next {
			next[t] = new(big.Int)
			if t > 0 {
				next[t].Set(row[t-1])
			}
			if t < len(row) {
				next[t].Add(next[t], new(big.Int).Mul(big.NewInt(int64(t)), row[t]))
			}
		}
		row = next
	}
	sum := new(big.Int)
	for t, s := range row {
		if t <= n {
			sum.Add(sum, s)
		}
	}
	return sum
}

// Enumerate lists the diagrams from k to l whose matrices span the maps that commute with the group on axes of length
// n. For S_n they are a basis; O(n) and Sp(n) have one if n is large (Reduce). Partitions come in the lexicographic
// order of their labels, pairings by pairing the first vertex that is left with each later one; for SO(n) the diagrams
// with free vertices follow.
func Enumerate(g Group, n, l, k int) ([]Diagram, error) {
	if err := g.Check(n); err != nil {
		return nil, err
	}
	if l < 0 || k < 0 || l+k > MaxVertices {
		return nil, fmt.Errorf("%w: orders %d and %d: want 0 to %d vertices", ErrDiagram, l, k, MaxVertices)
	}
	if c := Count(g, n, l, k); c.Cmp(big.NewInt(MaxDiagrams)) > 0 {
		return nil, fmt.Errorf("%w: %s diagrams from order %d to order %d for %s(%d), listed are at most %d: take "+
			"lower orders, or compose two layers of them", ErrSize, c, k, l, g, n, MaxDiagrams)
	}
	e := enumeration{l: l, k: k, labels: make([]int, l+k)}
	switch g {
	case S:
		e.kind = E
		e.partitions(0, 0, n)
	case Sp:
		e.kind = F
		e.pairs(nil)
	default:
		e.kind = E
		e.pairs(nil)
	}
	if g == SO && l+k >= n && (l+k-n)%2 == 0 {
		e.kind = H
		e.choose(nil, 0, n)
	}
	return e.out, nil
}

type enumeration struct {
	kind   Kind
	l, k   int
	labels []int
	out    []Diagram
}

func (e *enumeration) emit() {
	d, _ := New(e.kind, e.l, e.k, e.labels...) // right by construction
	e.out = append(e.out, d)
}

// partitions lists the restricted growth strings with at most n symbols behind the first i labels, of which blocks are
// different.
func (e *enumeration) partitions(i, blocks, n int) {
	if i == len(e.labels) {
		e.emit()
		return
	}
	for v := range min(blocks+1, n) {
		e.labels[i] = v
		e.partitions(i+1, max(blocks, v+1), n)
	}
}

// pairs lists the pairings of the vertices that are not taken. A vertex is labelled by the first one of its block.
func (e *enumeration) pairs(taken []bool) {
	if taken == nil {
		if len(e.labels)%2 == 1 {
			return
		}
		taken = make([]bool, len(e.labels))
	}
	first := 0
	for first < len(taken) && taken[first] {
		first++
	}
	if first == len(taken) {
		e.emit()
		return
	}
	taken[first] = true
	for other := first + 1; other < len(taken); other++ {
		if taken[other] {
			continue
		}
		taken[other] = true
		e.labels[first], e.labels[other] = first, first
		e.pairs(taken)
		taken[other] = false
	}
	taken[first] = false
}

// choose lists the choices of n free vertices from position from on, each with the pairings of the others.
func (e *enumeration) choose(free []int, from, n int) {
	if len(free) == n {
		taken := make([]bool, len(e.labels))
		for _, v := range free {
			taken[v] = true
			e.labels[v] = v
		}
		e.pairs(taken)
		return
	}
	for v := from; v < len(e.labels); v++ {
		e.choose(append(free, v), v+1, n)
	}
}
