package calculus

// The orbit basis of the maps that commute with S_n: X_π is 1 where the labels of the axes are equal within the blocks
// of π and different between them. With μ the Möbius function of the lattice of partitions,
//
//	E_π = Σ_{σ ≥ π} X_σ        X_π = Σ_{σ ≥ π} μ(π, σ)·E_σ
//
// where σ ≥ π if σ is coarser than π or equal.

// Coarser reports whether every block of π lies in a block of σ.
func Coarser(sigma, pi Diagram) bool {
	if len(sigma.Labels) != len(pi.Labels) {
		return false
	}
	of := map[uint8]uint8{}
	for v, b := range pi.Labels {
		if c, seen := of[b]; seen && c != sigma.Labels[v] {
			return false
		}
		of[b] = sigma.Labels[v]
	}
	return true
}

// Moebius is μ(π, σ) = ∏ (−1)^{q−1}·(q−1)! over the blocks of σ, each of which joins q blocks of π; 0 unless σ is
// coarser than π or equal.
func Moebius(pi, sigma Diagram) float64 {
	if !Coarser(sigma, pi) {
		return 0
	}
	joined := make([]map[uint8]bool, sigma.Blocks())
	for v, b := range sigma.Labels {
		if joined[b] == nil {
			joined[b] = map[uint8]bool{}
		}
		joined[b][pi.Labels[v]] = true
	}
	mu := 1.0
	for _, j := range joined {
		for i := 1; i < len(j); i++ {
			mu *= -float64(i)
		}
	}
	return mu
}

// FromOrbit turns coefficients of the orbit basis into those of the diagram basis, for the same map; both have one for
// each diagram of ds, which must hold with each diagram all coarser ones.
func FromOrbit(ds []Diagram, orbit []float64) []float64 {
	out := make([]float64, len(ds))
	for i, pi := range ds {
		for j, sigma := range ds {
			out[j] += Moebius(pi, sigma) * orbit[i]
		}
	}
	return out
}

// ToOrbit turns coefficients of the diagram basis into those of the orbit basis, the inverse of FromOrbit.
func ToOrbit(ds []Diagram, diagram []float64) []float64 {
	out := make([]float64, len(ds))
	for i, pi := range ds {
		for j, sigma := range ds {
			if Coarser(sigma, pi) {
				out[j] += diagram[i]
			}
		}
	}
	return out
}

// OrbitMatrix fills the matrix of X_π, [n^L, n^K] row-major.
func (d Diagram) OrbitMatrix(n int) ([]float64, error) {
	m, err := d.Matrix(n)
	if err != nil {
		return nil, err
	}
	index := make([]int, d.L+d.K)
	for i := range m {
		rest := i
		for v := len(index) - 1; v >= 0; v-- {
			index[v], rest = rest%n, rest/n
		}
		for v, x := range index {
			for w, y := range index[:v] {
				if x == y && d.Labels[v] != d.Labels[w] {
					m[i] = 0
				}
			}
		}
	}
	return m, nil
}
