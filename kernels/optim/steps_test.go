package optim

import (
	"math"
	"testing"

	"ganglion/kernels"
)

// descend applies a rule to f(θ) = Σ aᵢ(θᵢ − bᵢ)² from θ = start, and returns θ after each step.
func descend(t *testing.T, op kernels.Op, slots, steps int, rate float64, a, b, start []float64) [][]float64 {
	t.Helper()
	n := len(start)
	z := kernels.New(kernels.S(kernels.Float64, (1+slots)*n))
	copy(z.F64, start)
	var path [][]float64
	for step := 1; step <= steps; step++ {
		g := kernels.New(kernels.S(kernels.Float64, n))
		for i := range g.F64 {
			g.F64[i] = 2 * a[i] * (z.F64[i] - b[i])
		}
		hyper := kernels.FromSlice([]float64{rate, float64(step)}, 2)
		next, err := kernels.RunRef(op, []kernels.Tensor{z, g, hyper, kernels.FromSlice([]float64{1}, 1)})
		if err != nil {
			t.Fatal(err)
		}
		z = next
		path = append(path, append([]float64(nil), z.F64[:n]...))
	}
	return path
}

// The rules as the manual of PyTorch writes them, as plain loops over single parameters.
func TestStepsFollowPyTorch(t *testing.T) {
	const rate, steps = 0.05, 7
	a, b, start := []float64{1, 0.3, 2}, []float64{0.5, -1, 0}, []float64{1, 1, -0.25}
	type state struct{ p, m, v, t float64 }
	for _, c := range []struct {
		name  string
		op    kernels.Op
		slots int
		step  func(s *state, g float64)
	}{
		{"sgd", SGD{}, 0, func(s *state, g float64) { s.p -= rate * g }},
		{"sgd weight_decay", SGD{WeightDecay: 0.1}, 0, func(s *state, g float64) { s.p -= rate * (g + 0.1*s.p) }},
		{"sgd momentum", SGD{Momentum: 0.9}, 1, func(s *state, g float64) {
			if s.t == 1 {
				s.m = g
			} else {
				s.m = 0.9*s.m + g
			}
			s.p -= rate * s.m
		}},
		{"sgd nesterov weight_decay", SGD{Momentum: 0.9, Nesterov: true, WeightDecay: 0.1}, 1,
			func(s *state, g float64) {
				g += 0.1 * s.p
				if s.t == 1 {
					s.m = g
				} else {
					s.m = 0.9*s.m + g
				}
				s.p -= rate * (g + 0.9*s.m)
			}},
		{"adam", Adam{}, 2, func(s *state, g float64) {
			s.m = 0.9*s.m + 0.1*g
			s.v = 0.999*s.v + 0.001*g*g
			mHat, vHat := s.m/(1-math.Pow(0.9, s.t)), s.v/(1-math.Pow(0.999, s.t))
			s.p -= rate * mHat / (math.Sqrt(vHat) + 1e-8)
		}},
		{"adamw", AdamW{WeightDecay: 0.2}, 2, func(s *state, g float64) {
			s.p *= 1 - rate*0.2
			s.m = 0.9*s.m + 0.1*g
			s.v = 0.999*s.v + 0.001*g*g
			mHat, vHat := s.m/(1-math.Pow(0.9, s.t)), s.v/(1-math.Pow(0.999, s.t))
			s.p -= rate * mHat / (math.Sqrt(vHat) + 1e-8)
		}},
	} {
		path := descend(t, c.op, c.slots, steps, rate, a, b, start)
		for i := range start {
			s := state{p: start[i]}
			for k := range steps {
				s.t++
				c.step(&s, 2*a[i]*(s.p-b[i]))
				if got := path[k][i]; math.Abs(got-s.p) > 1e-14 {
					t.Errorf("%s: parameter %d after step %d is %v, want %v", c.name, i, k+1, got, s.p)
				}
			}
		}
	}
}

// The first steps by hand. Adam moves every parameter by the rate at first, whatever the gradient: m̂/√v̂ = g/|g|.
func TestFirstStepsByHand(t *testing.T) {
	one, zero := []float64{1}, []float64{0}
	path := descend(t, Adam{}, 2, 1, 0.1, one, zero, one)
	if want := 1 - 0.1*2/(2+1e-8); math.Abs(path[0][0]-want) > 1e-15 {
		t.Errorf("adam: %v, want %v", path[0][0], want)
	}
	// g = 2θ: 1 → 1 − 0.1·2 = 0.8; m = 0.5·2 + 1.6 = 2.6, 0.8 − 0.26 = 0.54.
	path = descend(t, SGD{Momentum: 0.5}, 1, 2, 0.1, one, zero, one)
	if math.Abs(path[0][0]-0.8) > 1e-15 || math.Abs(path[1][0]-0.54) > 1e-15 {
		t.Errorf("momentum: %v, want 0.8 and 0.54", path)
	}
}
