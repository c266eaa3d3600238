package calculus

import (
	"fmt"
	"math"
	"math/big"
	"testing"
)

func mustList(t *testing.T, g Group, n, l, k int) []Diagram {
	t.Helper()
	ds, err := Enumerate(g, n, l, k)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func mustMatrix(t *testing.T, d Diagram, n int) []float64 {
	t.Helper()
	m, err := d.Matrix(n)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// product is a·b for a [r, c] and b [c, s].
func product(a, b []float64, r, c, s int) []float64 {
	out := make([]float64, r*s)
	for i := range r {
		for j := range c {
			for k := range s {
				out[i*s+k] += a[i*c+j] * b[j*s+k]
			}
		}
	}
	return out
}

func size(n, e int) int { return int(power(n, e)) }

// different is the largest difference of two arrays.
func different(a, b []float64) float64 {
	d := math.Abs(float64(len(a) - len(b)))
	for i := range min(len(a), len(b)) {
		d = max(d, math.Abs(a[i]-b[i]))
	}
	return d
}

// groups are all groups with axes on which they act.
var groups = []struct {
	g Group
	n int
}{{S, 1}, {S, 2}, {S, 3}, {O, 1}, {O, 2}, {O, 3}, {SO, 1}, {SO, 2}, {SO, 3}, {Sp, 2}, {Sp, 4}}

func TestComposeIsTheProductOfMatrices(t *testing.T) {
	products := 0
	for _, c := range groups {
		for m := range 4 {
			for l := range 4 {
				for k := range 4 {
					if m+l > 5 || l+k > 5 || m+l+k > 7 {
						continue
					}
					for _, b := range mustList(t, c.g, c.n, m, l) {
						for _, a := range mustList(t, c.g, c.n, l, k) {
							checkProduct(t, b, a, c.n)
							products++
						}
					}
				}
			}
		}
	}
	if products < 1000 {
		t.Errorf("only %d products", products)
	}
}

func checkProduct(t *testing.T, b, a Diagram, n int) {
	t.Helper()
	want := product(mustMatrix(t, b, n), mustMatrix(t, a, n), size(n, b.L), size(n, a.L), size(n, a.K))
	terms, err := Compose(b, a, n)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float64, len(want))
	for _, term := range terms {
		for i, v := range mustMatrix(t, term.Diagram, n) {
			got[i] += term.Value(n) * v
		}
	}
	if different(got, want) > 0 {
		t.Fatalf("n = %d: %v ∘ %v is not %v", n, b, a, terms)
	}
}

func TestFlipIsTheTranspose(t *testing.T) {
	for _, c := range groups {
		for _, lk := range [][2]int{{0, 0}, {1, 1}, {2, 2}, {3, 1}, {1, 2}, {0, 3}, {3, 2}} {
			for _, d := range mustList(t, c.g, c.n, lk[0], lk[1]) {
				flip, sign := d.Flip()
				m, f := mustMatrix(t, d, c.n), mustMatrix(t, flip, c.n)
				rows, columns := size(c.n, d.L), size(c.n, d.K)
				for i := range rows {
					for j := range columns {
						if m[i*columns+j] != float64(sign)*f[j*rows+i] {
							t.Fatalf("n = %d: %v transposed is not %d·%v", c.n, d, sign, flip)
						}
					}
				}
				norm := 0.0
				for _, v := range m {
					norm += v * v
				}
				if norm != d.SquaredNorm(c.n) {
					t.Fatalf("n = %d: ‖%v‖² = %v, not %v", c.n, d, norm, d.SquaredNorm(c.n))
				}
			}
		}
	}
}

func TestTensorIsTheKroneckerProduct(t *testing.T) {
	for _, c := range groups {
		for _, a := range mustList(t, c.g, c.n, 1, 2) {
			for _, b := range mustList(t, c.g, c.n, 2, 1) {
				if a.Kind == H || b.Kind == H {
					if _, err := Tensor(a, b); err == nil {
						t.Errorf("%v ⊗ %v: no error", a, b)
					}
					continue
				}
				checkKronecker(t, a, b, c.n)
			}
		}
		for _, a := range mustList(t, c.g, c.n, 1, 1) {
			if a.Kind != H {
				checkKronecker(t, a, a, c.n)
			}
		}
	}
}

func checkKronecker(t *testing.T, a, b Diagram, n int) {
	t.Helper()
	d, err := Tensor(a, b)
	if err != nil {
		t.Fatal(err)
	}
	got, x, y := mustMatrix(t, d, n), mustMatrix(t, a, n), mustMatrix(t, b, n)
	ra, ca, rb, cb := size(n, a.L), size(n, a.K), size(n, b.L), size(n, b.K)
	for i := range ra * rb {
		for j := range ca * cb {
			if want := x[i/rb*ca+j/cb] * y[i%rb*cb+j%cb]; got[i*ca*cb+j] != want {
				t.Fatalf("%v ⊗ %v = %v is wrong at (%d, %d)", a, b, d, i, j)
			}
		}
	}
}

func TestCounts(t *testing.T) {
	for m, bell := range []int64{1, 1, 2, 5, 15, 52, 203, 877, 4140} {
		if got := Count(S, 100, m/2, m-m/2); got.Cmp(big.NewInt(bell)) != 0 {
			t.Errorf("Bell(%d) = %s, want %d", m, got, bell)
		}
	}
	for _, c := range groups {
		for l := range 4 {
			for k := range 4 {
				if got := len(mustList(t, c.g, c.n, l, k)); Count(c.g, c.n, l, k).Cmp(big.NewInt(int64(got))) != 0 {
					t.Errorf("%s(%d), (%d,%d): listed %d, counted %s", c.g, c.n, l, k, got, Count(c.g, c.n, l, k))
				}
			}
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{second(Enumerate(Sp, 3, 1, 1)), "not a diagram: Sp(n) wants an even n, has 3: take n = 4"},
		{second(Enumerate(S, 0, 1, 1)), "not a diagram: S(n) wants n from 1, has 0"},
		{second(Enumerate(S, 20, 6, 6)), "too large: 4213597 diagrams from order 6 to order 6 for S(20), listed are " +
			"at most 100000: take lower orders, or compose two layers of them"},
		{second(Enumerate(S, 2, -1, 1)), "not a diagram: orders -1 and 1: want 0 to 20 vertices"},
		{second(New(F, 1, 2, 0, 0, 0)), "not a diagram: block 0 of [0 0 0] has 3 vertices, kind F"},
		{second(New(E, 1, 1, 0)), "not a diagram: 1 labels for 1 top and 1 bottom vertices, at most 20"},
		{second(ParseGroup("U")), `group "U" is not one of S, O, SO, Sp`},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("error\n%v\nwant\n%s", c.err, c.want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func ExampleCompose() {
	sum, _ := New(E, 0, 1, 0)            // v ↦ Σ v_j
	diagonal, _ := New(E, 1, 2, 0, 0, 0) // v ↦ (v_ii)_i
	terms, _ := Compose(sum, diagonal, 5)
	fmt.Println(terms[0].Value(5), terms[0].Diagram) // the trace
	// Output: 1 E(|0,0)
}
