package calculus

import "fmt"

// maxMatrix caps the elements of a matrix that is filled.
const maxMatrix = 1 << 26

// Matrix fills the dense matrix of the diagram, [n^L, n^K] row-major, entry by entry from its definition: the
// specification of everything else. It is for small sizes.
func (d Diagram) Matrix(n int) ([]float64, error) {
	size := 1
	for range d.L + d.K {
		if size > maxMatrix/max(1, n) {
			return nil, fmt.Errorf("%w: the matrix of %v with n = %d has more than %d elements", ErrSize, d, n,
				maxMatrix)
		}
		size *= n
	}
	if _, _, _, bottom, top := d.Shape(); d.Kind == H && bottom+top != n {
		return nil, fmt.Errorf("%w: %v has %d free vertices, SO(n) wants n = %d", ErrDiagram, d, bottom+top, n)
	}
	m := make([]float64, size)
	index := make([]int, d.L+d.K)
	for i := range m {
		rest := i
		for v := len(index) - 1; v >= 0; v-- {
			index[v], rest = rest%n, rest/n
		}
		m[i] = float64(d.entry(index))
	}
	return m, nil
}

// entry is the matrix at the labels of all vertices.
func (d Diagram) entry(index []int) int {
	value := 1
	var free []int
	partner := d.partners()
	for v, w := range partner {
		switch {
		case d.Kind == H && w == v:
			free = append(free, index[v])
		case w <= v: // the pair was met at its other end, or v is the first of its block
		case d.Kind == F && (v < d.L) == (w < d.L):
			value *= form(index[v], index[w])
		case index[v] != index[w]:
			return 0
		}
	}
	if d.Kind == H {
		value *= sign(free)
	}
	return value
}

// partners is for every vertex the next one of its block, or, for the last, the first; a single vertex is its own.
func (d Diagram) partners() []int {
	p := make([]int, len(d.Labels))
	last := map[uint8]int{}
	first := map[uint8]int{}
	for v, b := range d.Labels {
		if u, seen := last[b]; seen {
			p[u] = v
		} else {
			first[b] = v
		}
		last[b] = v
		p[v] = first[b]
	}
	return p
}

// form is ε at (i, j).
func form(i, j int) int {
	switch {
	case i%2 == 0 && j == i+1:
		return 1
	case i%2 == 1 && j == i-1:
		return -1
	}
	return 0
}

// sign is the sign of a word as a permutation of its letters, 0 with a letter twice.
func sign(word []int) int {
	s := 1
	for i, a := range word {
		for _, b := range word[i+1:] {
			switch {
			case a == b:
				return 0
			case a > b:
				s = -s
			}
		}
	}
	return s
}

// power is n^e.
func power(n, e int) float64 {
	p := 1.0
	for range e {
		p *= float64(n)
	}
	return p
}

// SquaredNorm is the sum of the squares of the matrix: n^blocks for E, n^{(L+K)/2} for F, n!·n^{(L+K−n)/2} for H.
func (d Diagram) SquaredNorm(n int) float64 {
	if d.Kind != H {
		return power(n, d.Blocks())
	}
	v := power(n, (d.L+d.K-n)/2)
	for i := 2; i <= n; i++ {
		v *= float64(i)
	}
	return v
}
