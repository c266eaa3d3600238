package implicit

import (
	"math"
	"math/cmplx"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestSpectralRadius compares with gonum's eigenvalues, for one dense module and for many modules, complex leading
// pairs included.
func TestSpectralRadius(t *testing.T) {
	for _, c := range []struct{ p, keep int }{{1, 0}, {2, -1}, {5, -1}, {12, -1}, {30, 60}, {40, 100}, {40, 0}} {
		for seed := range uint64(20) {
			w := weights(seed, c.p, 1)
			l := View(structure(w, c.keep).I32)
			masked := mat.NewDense(c.p, c.p, refMasked(w.F64, l, c.p))
			var eigen mat.Eigen
			if !eigen.Factorize(masked, mat.EigenNone) {
				t.Fatal("gonum finds no eigenvalues")
			}
			want := 0.0
			for _, v := range eigen.Values(nil) {
				want = max(want, cmplx.Abs(v))
			}
			if l.Cyclic == 0 {
				want = 0 // gonum's eigenvalues of a nilpotent matrix carry its rounding
			}
			if got := SpectralRadius(w.F64, l); math.Abs(got-want) > 1e-9*(1+want) {
				t.Errorf("p=%d keep=%d seed=%d: %v, want %v", c.p, c.keep, seed, got, want)
			}
		}
	}
}
