package calculus

import (
	"fmt"
	"math"
)

// Inner is the inner product ⟨matrix(a), matrix(b)⟩ = Σ a_ij·b_ij for axes of length n, from the diagrams alone: for E
// n to the number of components of both joined; for F with a sign; for H n! with the sign of the order in which strings
// join the free vertices, or 0. E and H are orthogonal.
func Inner(a, b Diagram, n int) (float64, error) {
	if a.L != b.L || a.K != b.K {
		return 0, fmt.Errorf("%w: %v and %v have other orders", ErrDiagram, a, b)
	}
	switch {
	case a.Kind == E && b.Kind == E:
		return innerBlocks(a, b, n), nil
	case a.Kind == F && b.Kind == F:
		return innerForms(a, b, n), nil
	case a.Kind == H && b.Kind == H:
		return innerFree(a, b, n), nil
	case a.Kind != F && b.Kind != F:
		return 0, nil // a reflection changes the sign of one of them alone
	}
	return 0, fmt.Errorf("%w: %v and %v belong to different groups", ErrDiagram, a, b)
}

func innerBlocks(a, b Diagram, n int) float64 {
	shift := a.Blocks()
	join := newSets(shift + b.Blocks())
	for v := range a.Labels {
		join.unite(int(a.Labels[v]), shift+int(b.Labels[v]))
	}
	return power(n, join.without(nil))
}

// alternate walks from v along pairs of a and of b in turn until it is back at v or comes to a free vertex.
func alternate(pa, pb []int, v int, visit func(from, to int)) (end int) {
	start := v
	for {
		if pa[v] == v {
			return v
		}
		visit(v, pa[v])
		v = pa[v]
		if pb[v] == v {
			return v
		}
		visit(v, pb[v])
		if v = pb[v]; v == start {
			return v
		}
	}
}

// innerForms is the product of the traces of the loops: ±n with the sign of composeForms.
func innerForms(a, b Diagram, n int) float64 {
	pa, pb := a.partners(), b.partners()
	met := make([]bool, len(pa))
	value := 1.0
	for v := range pa {
		if met[v] {
			continue
		}
		q, r := 0, 0
		alternate(pa, pb, v, func(from, to int) {
			met[from], met[to] = true, true
			if (from < a.L) == (to < a.L) {
				q++
				if from > to {
					r++
				}
			}
		})
		if value *= float64(n); (r+q/2)%2 == 1 {
			value = -value
		}
	}
	return value
}

func innerFree(a, b Diagram, n int) float64 {
	pa, pb := a.partners(), b.partners()
	met := make([]bool, len(pa))
	visit := func(from, to int) { met[from], met[to] = true, true }
	var word []int
	value := 1.0
	for v, p := range pa { // strings from free vertices of a begin along b
		if p != v {
			continue
		}
		met[v] = true
		end := v
		if pb[v] != v {
			visit(v, pb[v])
			if end = alternate(pa, pb, pb[v], visit); pb[end] != end {
				return 0 // two free vertices of a are equal
			}
		}
		word = append(word, end)
	}
	for i := range word { // n!·sgn
		value *= float64(i + 1)
	}
	value *= float64(sign(word))
	for v := range pa {
		if !met[v] && pa[v] != v && pb[v] != v {
			if end := alternate(pa, pb, v, visit); end == v {
				value *= float64(n)
			}
		}
	}
	return value
}

// Gram is the matrix [len(ds), len(ds)] of the inner products of diagrams of equal orders, row-major.
func Gram(ds []Diagram, n int) ([]float64, error) {
	g := make([]float64, len(ds)*len(ds))
	for i, a := range ds {
		for j, b := range ds[:i+1] {
			v, err := Inner(a, b, n)
			if err != nil {
				return nil, err
			}
			g[i*len(ds)+j], g[j*len(ds)+i] = v, v
		}
	}
	return g, nil
}

// maxReduce caps the diagrams whose Gram matrix is factored.
const maxReduce = 5000

// rankTolerance is what is left of a matrix, of norm 1, that counts as dependent on others.
const rankTolerance = 1e-8

// Reduce returns the positions, ascending, of diagrams whose matrices are independent and span the same space for axes
// of length n: a pivoted Cholesky factorisation of the Gram matrix of the normalised matrices. Their number is the
// rank.
func Reduce(ds []Diagram, n int) ([]int, error) {
	if len(ds) > maxReduce {
		return nil, fmt.Errorf("%w: the rank of %d diagrams, at most %d", ErrSize, len(ds), maxReduce)
	}
	g, err := Gram(ds, n)
	if err != nil {
		return nil, err
	}
	m := len(ds)
	norm := make([]float64, m)
	for i := range norm {
		norm[i] = math.Sqrt(g[i*m+i])
	}
	for i := range g {
		if d := norm[i/m] * norm[i%m]; d > 0 {
			g[i] /= d
		}
	}
	var rows [][]float64 // of the factor, one for each diagram that is kept
	left := make([]float64, m)
	for i := range left {
		left[i] = g[i*m+i]
	}
	kept := make([]bool, m)
	for {
		best := -1
		for i, v := range left { // of equal ones the first
			if v > rankTolerance && (best < 0 || v > left[best]*(1+rankTolerance)) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		kept[best] = true
		row := make([]float64, m)
		for j := range row {
			row[j] = g[best*m+j]
			for _, r := range rows {
				row[j] -= r[best] * r[j]
			}
			row[j] /= math.Sqrt(left[best])
		}
		for j := range left {
			left[j] -= row[j] * row[j]
		}
		left[best] = 0
		rows = append(rows, row)
	}
	var out []int
	for i, k := range kept {
		if k {
			out = append(out, i)
		}
	}
	return out, nil
}
