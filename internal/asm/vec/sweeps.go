package vec

import (
	"fmt"
	"math"
)

// AdamConstants are the factors of one step of Adam (arXiv 1412.6980, Algorithm 1) with rate α, decay rates β₁ and β₂,
// ε, decoupled weight decay λ (arXiv 1711.05101), and the step's number t.
type AdamConstants[T float32 | float64] struct {
	Beta1, Rest1 T // β₁ and 1 − β₁
	Beta2, Rest2 T // β₂ and 1 − β₂
	Keep         T // 1 − αλ
	Step         T // α/(1 − β₁ᵗ)
	Scale        T // 1/√(1 − β₂ᵗ)
	Eps          T // ε
}

// AdamState are parameters and their moments, of the same length.
type AdamState[T float32 | float64] struct{ P, M, V []T }

// after returns the parts from element n on.
func (s AdamState[T]) after(n int) AdamState[T] {
	return AdamState[T]{s.P[n:], s.M[n:], s.V[n:]}
}

// sameAdam panics if the lengths of an update differ.
func sameAdam[T float](to, from AdamState[T], g []T) {
	for _, s := range [2]AdamState[T]{to, from} {
		if len(s.P) != len(g) || len(s.M) != len(g) || len(s.V) != len(g) {
			panic(
				fmt.Sprintf("vec: Adam: lengths %d, %d and %d of parameters and moments, and %d of the gradient differ",
					len(s.P), len(s.M), len(s.V), len(g)),
			)
		}
	}
}

// adamGo updates element by element. Conversions keep a compiler from fusing operations.
func adamGo[T float](c AdamConstants[T], to, from AdamState[T], g []T) {
	sameAdam(to, from, g)
	for i, d := range g {
		m := T(c.Beta1*from.M[i]) + T(c.Rest1*d)
		v := T(c.Beta2*from.V[i]) + T(T(c.Rest2*d)*d)
		down := T(T(math.Sqrt(float64(v)))*c.Scale) + c.Eps
		to.M[i], to.V[i] = m, v
		to.P[i] = T(c.Keep*from.P[i]) - T(c.Step*m)/down
	}
}

// tanhGradGo is (1−y)·(1+y)·dy.
func tanhGradGo[T float](dst, y, dy []T) {
	same3("TanhGrad", len(dst), len(y), len(dy))
	for i, v := range y {
		dst[i] = (1 - v) * (1 + v) * dy[i]
	}
}

// sigmoidGradGo is (1−y)·y·dy.
func sigmoidGradGo[T float](dst, y, dy []T) {
	same3("SigmoidGrad", len(dst), len(y), len(dy))
	for i, v := range y {
		dst[i] = (1 - v) * v * dy[i]
	}
}

// reluGradGo is dy for x > 0.
func reluGradGo[T float](dst, x, dy []T) {
	same3("ReLUGrad", len(dst), len(x), len(dy))
	for i, v := range x {
		switch {
		case v > 0:
			dst[i] = dy[i]
		case v <= 0:
			dst[i] = 0
		default:
			dst[i] = v
		}
	}
}

// expSumGo makes the exponentials with their sum from a function of one element.
func expSumGo[T float](exp func(T) T) func(dst, x []T, shift T) T {
	return func(dst, x []T, shift T) T {
		same2("ExpSum", len(dst), len(x))
		for i, v := range x {
			dst[i] = exp(v - shift)
		}
		return sumGo(dst)
	}
}

// sumSquaresGo adds every fourth square, and then the four sums in pairs.
func sumSquaresGo[T float](x []T) float64 {
	var s [4]float64
	for ; len(x) >= 4; x = x[4:] {
		s[0] += float64(x[0]) * float64(x[0])
		s[1] += float64(x[1]) * float64(x[1])
		s[2] += float64(x[2]) * float64(x[2])
		s[3] += float64(x[3]) * float64(x[3])
	}
	for i, v := range x {
		s[i] += float64(v) * float64(v)
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}

// Softmax sets dst to the softmax of one row x, e^(x − max x)/Σ e^(x − max x): three sweeps. A row that holds NaN or
// +Inf, or only −Inf, gives NaN. In T, the rounding of x − max x moves an element by up to |x − max x|/2 ulp.
func (t *Table[T]) Softmax(dst, x []T) {
	same2("Softmax", len(dst), len(x))
	if sum := t.ExpSum(dst, x, t.Max(x)); len(x) > 0 {
		t.Scale(dst, 1/sum, dst)
	}
}
