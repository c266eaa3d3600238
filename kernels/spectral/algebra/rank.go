package algebra

// Values are the singular values of every slice in the domain of the transforms, descending: [slices][min(m, n)].
func (g *Algebra) Values(a Tensor) ([][]float64, error) {
	if err := g.check("singular values", a); err != nil {
		return nil, err
	}
	x := g.to(a)
	out := make([][]float64, len(x))
	_ = g.each(len(x), func(t int) error {
		_, out[t], _ = svd(x[t])
		out[g.mirror(t)] = out[t]
		return nil
	})
	return out, nil
}

// Measures are the ranks and norms of a tensor in an algebra.
type Measures struct {
	// MultiRank are the ranks of the slices in the domain of the transforms; singular values above 1e-9 of the largest
	// count.
	MultiRank []int
	// TubalRank is the largest of them.
	TubalRank int
	// AverageRank is their mean.
	AverageRank float64
	// Frobenius is the root of the sum of squares of all elements.
	Frobenius float64
	// Spectral is the largest singular value of all slices.
	Spectral float64
	// Nuclear is the tubal nuclear norm: the sum of all singular values, over ‖M‖²/c for transforms that are a multiple
	// of unitary ones: over c for the DFT. NaN for other transforms.
	Nuclear float64
	// Stable is Σσ²/max σ² over all slices: the stable rank of the block diagonal matrix. 0 for a tensor of zeros.
	Stable float64
}

// Measure computes ranks and norms.
func (g *Algebra) Measure(a Tensor) (Measures, error) {
	sigma, err := g.Values(a)
	if err != nil {
		return Measures{}, err
	}
	m := Measures{Frobenius: a.Frobenius(), Spectral: largest(sigma), MultiRank: make([]int, len(sigma))}
	sum, squares, total := 0.0, 0.0, 0
	for t, s := range sigma {
		for _, v := range s {
			sum += v
			if v > rankTolerance*m.Spectral {
				m.MultiRank[t]++
				squares += (v / m.Spectral) * (v / m.Spectral)
			}
		}
		m.TubalRank = max(m.TubalRank, m.MultiRank[t])
		total += m.MultiRank[t]
	}
	m.AverageRank = float64(total) / float64(len(sigma))
	m.Nuclear, m.Stable = sum/g.energy(), squares
	return m, nil
}
