package implicit

import "math"

// The functions below are the formulas of Section 5 in float64, loop by loop. w is [p, p] with w_ji at row j, column i.

// Distances sets d [p, p] to d_ij, and to 1 on the diagonal.
func (o Regularise) Distances(d, w []float64, p int) {
	most := 0.0
	for at, v := range w {
		if at/p != at%p {
			most = larger(most, v)
		}
	}
	for at, v := range w {
		switch {
		case at/p == at%p:
			d[at] = 1
		case most == 0:
			d[at] = distances[o.Distance](0, o.eps())
		default:
			d[at] = distances[o.Distance](math.Abs(v)/most, o.eps())
		}
	}
}

// Repulsion sets r [p, p] to the repulsion r_ij of NM in o's scaling, 0 on the diagonal.
func (o Regularise) Repulsion(r, w []float64, l Layout) {
	p := l.Nodes
	o.Kind, o.P = NM, p
	o.Distances(r, w, p)
	for at, d := range r {
		if j, i := at/p, at%p; i == j {
			r[at] = 0
		} else {
			r[at] = o.weight(l, i) * o.weight(l, j) / d
		}
	}
	if o.Scaling == Mean {
		mean := MeanRepulsion(r, p)
		for at := range r {
			r[at] /= mean
		}
	}
}

// MeanRepulsion is the mean of r [p, p] over the off-diagonal, 1 if there is none.
func MeanRepulsion(r []float64, p int) float64 {
	if p < 2 {
		return 1
	}
	sum := 0.0
	for _, v := range r {
		sum += v
	}
	return sum / float64(p*(p-1))
}

// Penalty is the term that o adds to the loss, for the strength alpha.
func (o Regularise) Penalty(w []float64, l Layout, alpha float64) float64 {
	p := l.Nodes
	r := o.factors(w, l)
	sum := 0.0
	for at, v := range w {
		switch {
		case at/p == at%p:
		case o.Kind == L1 || o.Kind == NML1:
			sum += r[at] * math.Abs(v)
		default:
			sum += r[at] * v * v / 2
		}
	}
	return alpha * sum
}

// PenaltyGrad sets grad [p, p] to the derivative of the penalty with r and z held constant; 0 on the diagonal.
func (o Regularise) PenaltyGrad(grad, w []float64, l Layout, alpha float64) {
	p := l.Nodes
	r := o.factors(w, l)
	for at, v := range w {
		switch {
		case at/p == at%p || v == 0:
			grad[at] = 0
		case o.Kind == L1 || o.Kind == NML1:
			grad[at] = alpha * r[at] * math.Copysign(1, v)
		default:
			grad[at] = alpha * r[at] * v
		}
	}
}

// Step makes the step of o on w, strength being ηα.
func (o Regularise) Step(w []float64, l Layout, strength float64) {
	p := l.Nodes
	r := o.factors(w, l)
	for at, v := range w {
		if at/p == at%p {
			continue
		}
		a := strength * r[at]
		switch o.Kind {
		case NM:
			w[at] = v * max(0, 1-a)
		case L1, NML1:
			w[at] = math.Copysign(max(math.Abs(v)-a, 0), v)
		default:
			w[at] = v / (1 + a)
		}
	}
}

// factors is what the strength of each weight is multiplied by: r_ij, z_i or 1.
func (o Regularise) factors(w []float64, l Layout) []float64 {
	p := l.Nodes
	r := make([]float64, len(w))
	if o.Kind == NM {
		o.Repulsion(r, w, l)
		return r
	}
	for at := range r {
		r[at] = o.weight(l, at%p)
	}
	return r
}
