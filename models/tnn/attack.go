package tnn

import (
	"fmt"
	"math"
)

// Attack is a perturbation δ of inputs that raises a loss, within a distance Xi of each sample. It depends on
// directions of gradients alone, so that a positive factor on the weights of a network without bias does not change it.
type Attack struct {
	// Kind is fgm2 (δ = ξ·g/‖g‖₂), fgsm (δ = ξ·sign g), pgd2 or pgdinf (several such steps, projected after each).
	Kind string
	Xi   float64 // ξ ≥ 0
	// Steps and Step are those of pgd2 and pgdinf: 0 stands for 10 steps, and for 2.5ξ/Steps.
	Steps int
	Step  float64
}

// Perturb returns δ for samples x [c, N, d] in float64: grad is the gradient of the loss by the inputs, at x + δ. A
// sample whose gradient is 0 stays where it is.
func (a Attack) Perturb(
	x []float64,
	samples, features int,
	grad func(x []float64) ([]float64, error),
) ([]float64, error) {
	steps, size, ball := 1, a.Xi, false
	switch a.Kind {
	case "fgm2", "fgsm":
	case "pgd2", "pgdinf":
		if steps = a.Steps; steps == 0 {
			steps = 10
		}
		if size, ball = a.Step, true; size == 0 {
			size = 2.5 * a.Xi / float64(steps)
		}
	default:
		return nil, fmt.Errorf("tnn: attack %q is not fgm2, fgsm, pgd2 or pgdinf", a.Kind)
	}
	if !(a.Xi >= 0) || steps < 1 || !(size >= 0) || samples < 1 || features < 1 || len(x)%(samples*features) != 0 {
		return nil, fmt.Errorf(
			"tnn: attack %+v on %d elements of %d samples of %d features",
			a,
			len(x),
			samples,
			features,
		)
	}
	round := a.Kind == "fgm2" || a.Kind == "pgd2"
	delta, at := make([]float64, len(x)), append([]float64(nil), x...)
	for range steps {
		g, err := grad(at)
		if err != nil {
			return nil, err
		}
		if len(g) != len(x) {
			return nil, fmt.Errorf("tnn: attack: a gradient of %d elements for %d", len(g), len(x))
		}
		lengths := norms(g, samples, features)
		for i, v := range g {
			if n := lengths[i/features%samples]; round && n > 0 {
				delta[i] += size * v / n
			} else if !round && v != 0 {
				delta[i] += math.Copysign(size, v)
			}
		}
		if ball {
			a.project(delta, samples, features, round)
		}
		for i, v := range delta {
			at[i] = x[i] + v
		}
	}
	return delta, nil
}

// project brings every sample's perturbation back within the distance.
func (a Attack) project(delta []float64, samples, features int, round bool) {
	lengths := norms(delta, samples, features)
	for i, v := range delta {
		if !round {
			delta[i] = max(-a.Xi, min(a.Xi, v))
		} else if n := lengths[i/features%samples]; n > a.Xi {
			delta[i] = v * a.Xi / n
		}
	}
}

// norms are the Euclidean norms of samples of x [c, N, d].
func norms(x []float64, samples, features int) []float64 {
	out := make([]float64, samples)
	for i, v := range x {
		k := i / features % samples
		out[k] = math.Hypot(out[k], v)
	}
	return out
}
