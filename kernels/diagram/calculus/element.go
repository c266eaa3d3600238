package calculus

import (
	"fmt"
	"math"

	"ganglion/internal/philox"
)

// Element is a random element of the group, an n×n matrix by rows: a permutation; an orthogonal matrix, of determinant
// 1 for SO(n); for Sp(n) exp(εS) with a small symmetric S.
func Element(g Group, n int, seed uint64) ([]float64, error) {
	if err := g.Check(n); err != nil {
		return nil, err
	}
	random := philox.New(seed, 0x656c656d, uint32(g))
	switch g {
	case S:
		order := make([]int32, n)
		for i := range order {
			order[i] = int32(i)
		}
		random.Shuffle(order)
		m := make([]float64, n*n)
		for i, j := range order {
			m[i*n+int(j)] = 1
		}
		return m, nil
	case Sp:
		return symplectic(&random, n), nil
	}
	for {
		m := make([]float64, n*n)
		for i := range m {
			m[i] = random.Normal()
		}
		if det, ok := orthogonalise(m, n); ok {
			if g == SO && det < 0 {
				for j := range n {
					m[j] = -m[j]
				}
			}
			return m, nil
		}
	}
}

// orthogonalise makes the rows of m orthonormal, each twice for the sake of rounding, and returns the sign of the
// determinant; ok is false for rows that are nearly dependent.
func orthogonalise(m []float64, n int) (det float64, ok bool) {
	det = determinantSign(append([]float64(nil), m...), n)
	for i := range n {
		row := m[i*n : (i+1)*n]
		for range 2 {
			for k := range i {
				dot := 0.0
				for j, v := range m[k*n : (k+1)*n] {
					dot += v * row[j]
				}
				for j, v := range m[k*n : (k+1)*n] {
					row[j] -= dot * v
				}
			}
			norm := 0.0
			for _, v := range row {
				norm += v * v
			}
			if norm = math.Sqrt(norm); norm < 1e-3 {
				return 0, false
			}
			for j := range row {
				row[j] /= norm
			}
		}
	}
	return det, true
}

// determinantSign is the sign of the determinant of m, which it destroys.
func determinantSign(m []float64, n int) float64 {
	sign := 1.0
	for c := range n {
		best := c
		for r := c; r < n; r++ {
			if math.Abs(m[r*n+c]) > math.Abs(m[best*n+c]) {
				best = r
			}
		}
		if best != c {
			sign = -sign
			for j := range n {
				m[c*n+j], m[best*n+j] = m[best*n+j], m[c*n+j]
			}
		}
		if m[c*n+c] < 0 {
			sign = -sign
		}
		for r := c + 1; r < n; r++ {
			f := m[r*n+c] / m[c*n+c]
			for j := c; j < n; j++ {
				m[r*n+j] -= f * m[c*n+j]
			}
		}
	}
	return sign
}

// symplectic is exp(εS) by its series; gᵀεg = ε since ε(εS) + (εS)ᵀε = 0.
func symplectic(random *philox.Stream, n int) []float64 {
	s := make([]float64, n*n)
	for i := range n {
		for j := range i + 1 {
			v := 0.5 * random.Normal() / math.Sqrt(float64(n))
			s[i*n+j], s[j*n+i] = v, v
		}
	}
	a := make([]float64, n*n) // ε·S: row 2q is row 2q+1 of S, row 2q+1 minus row 2q
	for i := range n {
		for j := range n {
			a[i*n+j] = float64(form(i, i^1)) * s[(i^1)*n+j]
		}
	}
	g, term := make([]float64, n*n), make([]float64, n*n)
	for i := range n {
		g[i*n+i], term[i*n+i] = 1, 1
	}
	for k := 1; k <= 40; k++ {
		next := make([]float64, n*n)
		for i := range n {
			for j := range n {
				for m := range n {
					next[i*n+j] += term[i*n+m] * a[m*n+j] / float64(k)
				}
			}
		}
		term = next
		for i := range g {
			g[i] += term[i]
		}
	}
	return g
}

// Act applies g, an n×n matrix, to every axis of a tensor with the given number of axes of length n; x may be several
// such tensors one behind another.
func Act(g []float64, n, order int, x []float64) ([]float64, error) {
	size := 1
	for range order {
		size *= n
	}
	if len(g) != n*n || size == 0 || len(x)%size != 0 {
		return nil, fmt.Errorf("%w: %d numbers are no tensors of %d axes of length %d", ErrDiagram, len(x), order, n)
	}
	out := append([]float64(nil), x...)
	stride := 1
	for range order {
		next := make([]float64, len(out))
		for at := range out {
			i, rest := at/stride%n, at-at/stride%n*stride
			for j := range n {
				next[at] += g[i*n+j] * out[rest+j*stride]
			}
		}
		out = next
		stride *= n
	}
	return out, nil
}
