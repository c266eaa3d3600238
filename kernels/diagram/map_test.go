package diagram

import (
	"fmt"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
	"ganglion/kernels/diagram/calculus"
)

// families are small ones of all groups: every pair of orders up to 3, below and above the n at which diagrams become
// dependent.
func families(t *testing.T) []Family {
	t.Helper()
	var out []Family
	for _, g := range []struct {
		group calculus.Group
		ns    []int
	}{{calculus.S, []int{1, 2, 5}}, {calculus.O, []int{1, 3}}, {calculus.SO, []int{2, 3}}, {calculus.Sp, []int{2, 4}}} {
		for _, n := range g.ns {
			for l := range 4 {
				for k := range 4 {
					if l+k <= 5 && power(n, l+k) <= 260 {
						out = append(out, Family{g.group, n, l, k})
					}
				}
			}
		}
	}
	return out
}

func (f Family) args(t *testing.T, batch, channels, order int) optest.Arg {
	t.Helper()
	return optest.Normal(f.signal(kernels.Float64, batch, channels, order).Shape...)
}

func (f Family) weights(t *testing.T, to, from int) optest.Arg {
	t.Helper()
	count, err := f.check(Map{Family: f}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return optest.Normal(count, to, from)
}

func title(f Family, more ...any) string {
	return fmt.Sprint(f.Group, f.N, " ", f.K, "→", f.L, " ", more)
}

func TestMap(t *testing.T) {
	var cases []optest.Case
	for _, f := range families(t) {
		for i, c := range [][3]int{{2, 1, 1}, {3, 2, 3}, {1, 3, 2}} {
			if i > 0 && f.L+f.K > 4 {
				continue // of large ones one size
			}
			op := Map{f, Scaling(i)}
			cases = append(cases, optest.Case{Name: title(f, c), Op: op, Linear: true,
				In: []optest.Arg{f.args(t, c[0], c[1], f.K), f.weights(t, c[2], c[1])}})
		}
	}
	optest.Check(t, cases)
}

func TestInner(t *testing.T) {
	var cases []optest.Case
	for _, f := range families(t) {
		for i, c := range [][3]int{{2, 1, 1}, {17, 2, 3}, {1, 3, 2}} {
			if i > 0 && f.L+f.K > 3 {
				continue
			}
			cases = append(cases, optest.Case{Name: title(f, c), Op: Inner{f, Scaling(i)}, Linear: true,
				In: []optest.Arg{f.args(t, c[0], c[1], f.K), f.args(t, c[0], c[2], f.L)}})
		}
	}
	optest.Check(t, cases)
}

func TestTurn(t *testing.T) {
	var cases []optest.Case
	for _, f := range families(t) {
		cases = append(cases, optest.Case{Name: title(f), Op: Turn{f}, Linear: true, Exact: true,
			In: []optest.Arg{f.weights(t, 2, 3)}})
	}
	optest.Check(t, cases)
}

func TestConstantAndTraces(t *testing.T) {
	var cases []optest.Case
	for _, f := range families(t) {
		if f.K > 0 {
			continue
		}
		z := f.signal(kernels.Float64, 1, 3, f.L).Shape[1:]
		count, err := f.check(Constant{f}, nil)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, optest.Case{Name: title(f), Op: Constant{f}, Linear: true,
			In: []optest.Arg{optest.Normal(count, 3)}},
			optest.Case{Name: title(f, "traces"), Op: Traces{f}, Linear: true, In: []optest.Arg{optest.Normal(z...)}})
	}
	optest.Check(t, cases)
}

// TestLarger has the sizes that the gradient check would take minutes for; the rules do not depend on them.
func TestLarger(t *testing.T) {
	var cases []optest.Case
	for _, f := range []Family{{calculus.S, 7, 2, 2}, {calculus.S, 17, 2, 1}, {calculus.S, 4, 3, 2},
		{calculus.S, 3, 3, 3}, {calculus.S, 2, 4, 4}, {calculus.O, 3, 3, 3}, {calculus.SO, 3, 3, 2},
		{calculus.SO, 4, 2, 2}, {calculus.Sp, 4, 3, 1}, {calculus.Sp, 2, 3, 3}} {
		x, z := f.args(t, 3, 2, f.K), f.args(t, 3, 2, f.L)
		cases = append(cases, optest.Case{Name: title(f), Op: Map{f, Means}, NoGrad: true, In: []optest.Arg{x,
			f.weights(t, 2, 2)}},
			optest.Case{Name: title(f, "inner"), Op: Inner{f, Means}, NoGrad: true, In: []optest.Arg{x, z}})
	}
	optest.Check(t, cases)
}

// TestEmpty has no samples and no channels.
func TestEmpty(t *testing.T) {
	f := Family{calculus.S, 3, 2, 1}
	optest.Check(t, []optest.Case{
		{Name: "no samples", Op: Map{Family: f}, In: []optest.Arg{f.args(t, 0, 2, 1), f.weights(t, 3, 2)}},
		{Name: "no input", Op: Map{Family: f}, In: []optest.Arg{f.args(t, 2, 0, 1), f.weights(t, 3, 0)}},
		{Name: "no output", Op: Map{Family: f}, In: []optest.Arg{f.args(t, 2, 2, 1), f.weights(t, 0, 2)}},
		{Name: "no samples, inner", Op: Inner{Family: f}, In: []optest.Arg{f.args(t, 0, 2, 1), f.args(t, 0, 3, 2)}},
		{Name: "no input, inner", Op: Inner{Family: f}, In: []optest.Arg{f.args(t, 2, 0, 1), f.args(t, 2, 3, 2)}},
	})
}

// TestClosedForms compares the additions of a plan and the products of its levels with those of the theory: for the
// partitions of K axes Σ_{j<K} C(K, j)·Bell(K−j)·n^{j+1}, and Σ_d N(K, d)·N(L, d)·d!·n^d.
func TestClosedForms(t *testing.T) {
	for _, c := range []struct{ l, k, n, adds, mixes int }{
		{1, 1, 100, 100, 101 + 0}, {2, 2, 10, 220, 294}, {2, 2, 100, 20200, 20904}, {3, 3, 10, 3650, 14225},
		{3, 3, 30, 86550, 229825},
	} {
		p := newPlan(Family{calculus.S, c.n, c.l, c.k}, Sums)
		if p.in.adds() != c.adds || p.out.adds() != c.adds {
			t.Errorf("(%d,%d), n = %d: %d and %d additions, want %d", c.k, c.l, c.n, p.in.adds(), p.out.adds(), c.adds)
		}
		mixes := 0
		for _, l := range p.levels {
			mixes += len(l.rows) * len(l.columns) * power(c.n, l.d)
		}
		if mixes != c.mixes {
			t.Errorf("(%d,%d), n = %d: %d products, want %d", c.k, c.l, c.n, mixes, c.mixes)
		}
	}
	for k, nodes := range []int{1, 2, 5, 15, 52} { // the numbers of Bell
		if p := newPlan(Family{calculus.S, 9, k, k}, Sums); len(p.in.nodes) != nodes {
			t.Errorf("order %d: %d nodes, want %d", k, len(p.in.nodes), nodes)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		op     kernels.Op
		want   string
		shapes [][]int
	}{
		{Map{Family: Family{calculus.Sp, 3, 1, 1}}, "Sp(n) wants an even n, has 3: take n = 4",
			[][]int{{2, 1, 3}, {1, 1, 1}}},
		{Map{Family: Family{calculus.S, 20, 6, 6}}, "4213597 diagrams from order 6 to order 6",
			[][]int{{2, 1, 20, 20, 20, 20, 20, 20}, {1, 1, 1}}},
		{Map{Family: Family{calculus.S, 2000, 3, 3}}, "2000^3 elements are too many",
			[][]int{{2, 1, 2000, 2000, 2000}, {203, 1, 1}}},
		{Map{Family: Family{calculus.SO, 7, 4, 3}}, "SO(7) has diagrams with 7 free vertices, at most 6: take O(7)",
			[][]int{{2, 1, 7, 7, 7}, {1, 1, 1}}},
		{Map{Family: Family{calculus.S, 4, 2, 2}}, "must be [batch, channels] and 2 axes of length 4",
			[][]int{{2, 1, 4, 3}, {15, 1, 1}}},
		{Map{Family: Family{calculus.S, 4, 2, 2}}, "weights must be [15, channels of the output, 1]",
			[][]int{{2, 1, 4, 4}, {14, 1, 1}}},
		{Inner{Family: Family{calculus.S, 4, 1, 1}}, "batches of 2 and 3 samples", [][]int{{2, 1, 4}, {3, 1, 4}}},
		{Constant{Family{calculus.S, 4, 1, 1}}, "constants have no input axes", [][]int{{2, 1}}},
		{Traces{Family{calculus.S, 4, 2, 0}}, "wants [channels] and 2 axes of length 4", [][]int{{2, 4, 5}}},
		{Turn{Family{calculus.S, 4, 2, 2}}, "weights must be [15, channels, channels]", [][]int{{5, 1, 1}}},
	} {
		var in []kernels.Spec
		for _, s := range c.shapes {
			in = append(in, kernels.S(kernels.Float64, s...))
		}
		optest.Errors(t, c.op, c.want, in...)
	}
}
