package tnn

import (
	"math"
	"testing"
)

// The distance is used up, and a factor on the gradient changes nothing; where the gradient is 0 nothing moves.
func TestAttack(t *testing.T) {
	const samples, features, channels, xi = 3, 2, 4, 0.25
	x := make([]float64, samples*features*channels)
	for i := range x {
		x[i] = math.Sin(float64(7*i + 1))
	}
	grad := func(scale float64) func([]float64) ([]float64, error) {
		return func(x []float64) ([]float64, error) {
			g := make([]float64, len(x))
			for i, v := range x {
				if i/features%samples != 1 {
					g[i] = scale * math.Cos(3*v)
				}
			}
			return g, nil
		}
	}
	for _, kind := range []string{"fgm2", "fgsm", "pgd2", "pgdinf"} {
		a := Attack{Kind: kind, Xi: xi}
		got, err := a.Perturb(x, samples, features, grad(1))
		if err != nil {
			t.Fatal(err)
		}
		again, err := a.Perturb(x, samples, features, grad(3))
		if err != nil {
			t.Fatal(err)
		}
		largest := make([]float64, samples)
		for i, v := range got {
			if math.Abs(v-again[i]) > 1e-9 {
				t.Errorf("%s: element %d is %v, with three times the gradient %v", kind, i, v, again[i])
			}
			largest[i/features%samples] = max(largest[i/features%samples], math.Abs(v))
		}
		if kind == "fgm2" || kind == "pgd2" {
			largest = norms(got, samples, features)
		}
		for i, want := range []float64{xi, 0, xi} {
			if math.Abs(largest[i]-want) > 1e-12 {
				t.Errorf("%s: sample %d moves by %v, want %v", kind, i, largest[i], want)
			}
		}
	}
	if _, err := (Attack{Kind: "fgsm2"}).Perturb(x, samples, features, grad(1)); err == nil {
		t.Error("an unknown attack passes")
	}
}
