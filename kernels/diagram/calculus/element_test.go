package calculus

import (
	"math"
	"testing"
)

func TestElements(t *testing.T) {
	for _, c := range groups {
		for seed := range uint64(5) {
			g, err := Element(c.g, c.n, seed)
			if err != nil {
				t.Fatal(err)
			}
			n := c.n
			for i := range n {
				for j := range n {
					got, want := 0.0, 0.0
					for k := range n {
						if c.g == Sp {
							for l := range n {
								got += g[k*n+i] * float64(form(k, l)) * g[l*n+j]
							}
						} else {
							got += g[k*n+i] * g[k*n+j]
						}
					}
					switch {
					case c.g == Sp:
						want = float64(form(i, j))
					case i == j:
						want = 1
					}
					if math.Abs(got-want) > 1e-12 {
						t.Fatalf("%s(%d): the form is not kept: %v at (%d, %d)", c.g, n, got, i, j)
					}
				}
			}
			if c.g == SO && determinantSign(append([]float64(nil), g...), n) < 0 {
				t.Errorf("SO(%d), seed %d: a reflection", n, seed)
			}
		}
	}
}

// Every diagram's matrix commutes with the group; a reflection changes the sign of kind H.
func TestDiagramsCommuteWithTheGroup(t *testing.T) {
	seed := uint64(0)
	for _, c := range groups {
		for l := range 4 {
			for k := range 4 {
				if l+k > 5 {
					continue
				}
				seed++
				g, err := Element(c.g, c.n, seed)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range mustList(t, c.g, c.n, l, k) {
					checkCommutes(t, d, g, c.n, 1)
					if d.Kind == H {
						mirror := append([]float64(nil), g...)
						for j := range c.n {
							mirror[j] = -mirror[j]
						}
						checkCommutes(t, d, mirror, c.n, -1)
					}
				}
			}
		}
	}
}

func checkCommutes(t *testing.T, d Diagram, g []float64, n int, sign float64) {
	t.Helper()
	v := make([]float64, size(n, d.K))
	for i := range v {
		v[i] = math.Sin(float64(3*i*i + i + 1))
	}
	moved, err := Act(g, n, d.K, v)
	if err != nil {
		t.Fatal(err)
	}
	m := mustMatrix(t, d, n)
	got := product(m, moved, size(n, d.L), len(v), 1)
	want, err := Act(g, n, d.L, product(m, v, size(n, d.L), len(v), 1))
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		want[i] *= sign
	}
	if different(got, want) > 1e-11 {
		t.Fatalf("n = %d: %v does not commute: off by %v", n, d, different(got, want))
	}
}
