package sparse

import (
	"testing"

	"ganglion/internal/optest"
	"ganglion/internal/philox"
	"ganglion/kernels"
)

func TestSpMM(t *testing.T) {
	var cases []optest.Case
	for _, g := range graphs(t) {
		for _, row := range shapes {
			x := optest.Normal(rowsOfShape(g.s.Cols(), row)...)
			w := optest.Normal(g.s.Entries())
			for _, kind := range []Kind{Sum, Mean} {
				cases = append(cases,
					optest.Case{Name: name(g.name, kind, row), Op: SpMM{Kind: kind}, In: args(g.s, x), Linear: true},
					optest.Case{Name: name(g.name, kind, row, "weights"), Op: SpMM{Kind: kind},
						In: append(args(g.s, x), w), Linear: true})
			}
			back := optest.Normal(rowsOfShape(g.s.Rows(), row)...)
			cases = append(cases,
				optest.Case{Name: name(g.name, "max", row), Op: SpMM{Kind: Max}, In: args(g.s, x)},
				optest.Case{Name: name(g.name, "transposed", row), Op: SpMM{Transposed: true}, In: args(g.s, back),
					Linear: true},
				optest.Case{Name: name(g.name, "transposed", row, "weights"), Op: SpMM{Transposed: true},
					In: append(args(g.s, back), w), Linear: true})
			if len(row) > 0 {
				heads := optest.Normal(g.s.Entries(), row[0])
				cases = append(cases,
					optest.Case{Name: name(g.name, row, "heads"), Op: SpMM{}, In: append(args(g.s, x), heads),
						Linear: true},
					optest.Case{Name: name(g.name, "transposed", row, "heads"), Op: SpMM{Transposed: true},
						In: append(args(g.s, back), heads), Linear: true})
			}
		}
	}
	optest.Check(t, cases)
}

// TestSpMMWide has widths around those of vectors and tiles, and rows that are summed in pieces. The gradient rules do
// not depend on widths.
func TestSpMMWide(t *testing.T) {
	var cases []optest.Case
	s := random(t, 6, 40, 30, 300, true)
	for _, d := range []int{8, 15, 16, 17, 63, 64, 65, 100, 129, 257} {
		for _, kind := range []Kind{Sum, Mean, Max} {
			cases = append(cases, optest.Case{Name: name(kind, d), Op: SpMM{Kind: kind}, NoGrad: true,
				In: args(s, optest.Normal(30, d))})
		}
		cases = append(cases, optest.Case{Name: name("weights", d), Op: SpMM{Transposed: true}, NoGrad: true,
			In: append(args(s, optest.Normal(40, d)), optest.Normal(300))},
			optest.Case{Name: name("heads", d), Op: SpMM{Kind: Mean}, NoGrad: true,
				In: append(args(s, optest.Normal(30, 3, d)), optest.Normal(300, 3))})
	}
	for seed, n := range []int{6000, 15000, 40000} {
		s := random(t, uint64(seed), 3, 5, n, true)
		for _, kind := range []Kind{Sum, Mean, Max} {
			cases = append(cases, optest.Case{Name: name("long", kind, n), Op: SpMM{Kind: kind}, NoGrad: true,
				Tol32: 5e-5, // seen: 1.9e-5, sums of thousands of numbers of both signs
				In:    args(s, optest.Normal(5, 3))})
		}
		cases = append(cases, optest.Case{Name: name("long", "transposed", n), Op: SpMM{Transposed: true}, NoGrad: true,
			Tol32: 5e-5, In: append(args(s, optest.Normal(3, 2, 3)), optest.Normal(n, 2))})
	}
	optest.Check(t, cases)
}

func TestSpMMErrors(t *testing.T) {
	f := kernels.Float32
	refuse(t, SpMM{}, "a row for each column", kernels.S(f, 2, 5))
	refuse(t, SpMM{Transposed: true}, "a row for each row", kernels.S(f, 3, 5))
	refuse(t, SpMM{}, "input 0 must be float32", kernels.S(kernels.Int32, 3))
	refuse(t, SpMM{Kind: Mean, Transposed: true}, "transposed goes with sum", kernels.S(f, 2))
	refuse(t, SpMM{CountZero: true}, "CountZero with max", kernels.S(f, 3))
	refuse(t, SpMM{Kind: 9}, "no such product", kernels.S(f, 2))
	optest.Errors(t, SpMM{}, "wants 6 inputs, has 1", kernels.S(f, 3))
	i := kernels.Int32
	in := []kernels.Spec{kernels.S(f, 3, 2, 5), kernels.S(i, 3), kernels.S(i, 4), kernels.S(i, 4), kernels.S(i, 4),
		kernels.S(i, 4)}
	for _, w := range [][]int{{3}, {4, 3}, {}, {4, 2, 5}} {
		optest.Errors(t, SpMM{}, "weights must be [4], or [4, heads]", append(in[:6:6], kernels.S(f, w...))...)
	}
	optest.Errors(t, SpMM{}, "differ in type", append(in[:6:6], kernels.S(kernels.Float64, 4))...)
	in[2] = kernels.S(f, 4)
	optest.Errors(t, SpMM{}, "input 2 must be int32", in...)
	in[2] = kernels.S(i, 7)
	optest.Errors(t, SpMM{}, "input 4 must have 7 elements", in...)
	in[1] = kernels.S(i, 0)
	optest.Errors(t, SpMM{}, "one element at least", in...)
	in[1] = kernels.S(i)
	optest.Errors(t, SpMM{}, "1 dimension", in...)
}

func TestSDDMM(t *testing.T) {
	var cases []optest.Case
	for _, g := range graphs(t) {
		for _, row := range shapes {
			q, x := optest.Normal(rowsOfShape(g.s.Rows(), row)...), optest.Normal(rowsOfShape(g.s.Cols(), row)...)
			for kind := range Multiply + 1 {
				cases = append(cases, optest.Case{Name: name(g.name, kind, row), Op: SDDMM{Kind: kind},
					In: args(g.s, q, x)})
			}
			if len(row) > 0 {
				cases = append(cases, optest.Case{Name: name(g.name, row, "heads"), Op: SDDMM{Heads: true},
					In: args(g.s, q, x)})
			}
		}
	}
	s := random(t, 6, 40, 30, 300, true)
	for _, d := range []int{8, 15, 16, 17, 63, 64, 65, 129, 257} {
		for kind := range Multiply + 1 {
			cases = append(cases, optest.Case{Name: name("wide", kind, d), Op: SDDMM{Kind: kind}, NoGrad: true,
				In: args(s, optest.Normal(40, d), optest.Normal(30, d))})
		}
	}
	optest.Check(t, cases)
	f := kernels.Float32
	refuse(t, SDDMM{}, "a row for each row", kernels.S(f, 3, 5), kernels.S(f, 3, 5))
	refuse(t, SDDMM{}, "with 3 rows", kernels.S(f, 2, 5), kernels.S(f, 3, 4))
	refuse(t, SDDMM{Kind: Plus, Heads: true}, "heads go with dot", kernels.S(f, 2, 5), kernels.S(f, 3, 5))
	refuse(t, SDDMM{}, "wants 7 inputs, has 6", kernels.S(f, 2))
}

func TestSegment(t *testing.T) {
	var cases []optest.Case
	for _, g := range graphs(t) {
		for _, row := range shapes {
			v := optest.Normal(rowsOfShape(g.s.Entries(), row)...)
			for _, kind := range []Kind{Sum, Mean, Max} {
				cases = append(cases, optest.Case{Name: name(g.name, kind, row), Op: Segment{Kind: kind},
					In: args(g.s, v), Linear: kind != Max})
			}
			cases = append(cases, optest.Case{Name: name(g.name, "source", row), Op: Segment{Source: true},
				In: args(g.s, v), Linear: true})
		}
	}
	s := random(t, 7, 3, 2, 20000, true)
	for _, d := range []int{1, 17} {
		for _, kind := range []Kind{Sum, Mean, Max} {
			cases = append(cases, optest.Case{Name: name("long", kind, d), Op: Segment{Kind: kind}, NoGrad: true,
				Tol32: 5e-5, // seen: 1.9e-5, as in TestSpMMWide
				In:    args(s, optest.Normal(20000, d))})
		}
		cases = append(cases, optest.Case{Name: name("long", "source", d), Op: Segment{Source: true}, NoGrad: true,
			Tol32: 5e-5, In: args(s, optest.Normal(20000, d))})
	}
	optest.Check(t, cases)
	f := kernels.Float32
	refuse(t, Segment{}, "a row for each entry", kernels.S(f, 3))
	refuse(t, Segment{CountZero: true}, "CountZero with max", kernels.S(f, 4))
	refuse(t, Segment{Kind: Max, Source: true}, "source goes with sum", kernels.S(f, 4))
}

func TestSpread(t *testing.T) {
	var cases []optest.Case
	for _, g := range graphs(t) {
		for _, row := range append(shapes, []int{33}) {
			cases = append(cases,
				optest.Case{Name: name(g.name, row), Op: Spread{}, Linear: true, Exact: true,
					In: args(g.s, optest.Normal(rowsOfShape(g.s.Rows(), row)...))},
				optest.Case{Name: name(g.name, "source", row), Op: Spread{Source: true}, Linear: true, Exact: true,
					In: args(g.s, optest.Normal(rowsOfShape(g.s.Cols(), row)...))})
		}
	}
	optest.Check(t, cases)
	refuse(t, Spread{}, "a row for each row", kernels.S(kernels.Float32, 3))
	refuse(t, Spread{Source: true}, "a row for each column", kernels.S(kernels.Float32, 2))
}

func TestAverage(t *testing.T) {
	var cases []optest.Case
	for _, g := range graphs(t) {
		for _, row := range append(shapes, []int{33}) {
			cases = append(cases, optest.Case{Name: name(g.name, row), Op: Average{}, Linear: true,
				In: args(g.s, optest.Normal(rowsOfShape(g.s.Rows(), row)...))})
		}
	}
	optest.Check(t, cases)
	refuse(t, Average{}, "a row for each row", kernels.S(kernels.Float32, 3))
}

func TestRoute(t *testing.T) {
	var cases []optest.Case
	for _, g := range graphs(t) {
		for _, row := range append(shapes, []int{33}) {
			x, m := coins(1, rowsOfShape(g.s.Cols(), row)...), coins(2, rowsOfShape(g.s.Rows(), row)...)
			cases = append(cases,
				optest.Case{Name: name(g.name, row), Op: Route{}, NoGrad: true, // the mask is not continuous
					In: args(g.s, optest.Normal(rowsOfShape(g.s.Cols(), row)...), x, m)},
				optest.Case{Name: name(g.name, "transposed", row), Op: Route{Transposed: true}, NoGrad: true,
					In: args(g.s, optest.Normal(rowsOfShape(g.s.Rows(), row)...), x, m)})
		}
	}
	optest.Check(t, cases)
	f := kernels.Float32
	refuse(t, Route{}, "with the same rows", kernels.S(f, 3, 2), kernels.S(f, 3, 2), kernels.S(f, 2, 3))
	refuse(t, Route{}, "a row for each column", kernels.S(f, 2), kernels.S(f, 2), kernels.S(f, 2))
}

// coins is an input of zeros and ones, so that every other entry attains a maximum.
func coins(seed uint64, shape ...int) optest.Arg {
	v := kernels.New(kernels.S(kernels.Float64, shape...))
	r := philox.New(seed, 9, 0)
	for i := range v.F64 {
		v.F64[i] = float64(r.Below(2))
	}
	return optest.Values(v)
}

// TestRouteAdjoint checks the gradient rule, which is the transposed operator: ⟨Rv, u⟩ = ⟨v, Rᵀu⟩.
func TestRouteAdjoint(t *testing.T) {
	for _, g := range graphs(t) {
		whole := func(n, from int) kernels.Tensor {
			v := kernels.New(kernels.S(kernels.Float64, n, 3))
			for i := range v.F64 {
				v.F64[i] = float64((i*7 + from) % 5)
			}
			return v
		}
		n, m := g.s.Cols(), g.s.Rows()
		v, x, top, u := whole(n, 1), whole(n, 2), whole(m, 4), whole(m, 3)
		product := func(op kernels.Op, w kernels.Tensor) kernels.Tensor {
			y, err := kernels.RunRef(op, append([]kernels.Tensor{w, x, top}, g.s.Tensors()...))
			if err != nil {
				t.Fatal(err)
			}
			return y
		}
		left, right := 0.0, 0.0
		for i, y := range product(Route{}, v).F64 {
			left += y * u.F64[i]
		}
		for i, y := range product(Route{Transposed: true}, u).F64 {
			right += y * v.F64[i]
		}
		if left != right {
			t.Errorf("%s: ⟨Rv, u⟩ = %v, ⟨v, Rᵀu⟩ = %v", g.name, left, right)
		}
	}
}

func TestSoftmax(t *testing.T) {
	var cases []optest.Case
	for _, g := range graphs(t) {
		for _, row := range append(shapes, []int{33}) {
			n := rowsOfShape(g.s.Entries(), row)
			cases = append(cases, optest.Case{Name: name(g.name, row), Op: Softmax{},
				In: args(g.s, optest.Normal(n...))},
				optest.Case{Name: name(g.name, row, "large"), Op: Softmax{}, NoGrad: true, // slopes beyond differences
					In: args(g.s, optest.Uniform(-700, 700, n...))})
		}
	}
	cases = append(cases, optest.Case{Name: "long", Op: Softmax{}, NoGrad: true,
		In: args(random(t, 7, 300, 20, 20000, true), optest.Normal(20000, 2))})
	optest.Check(t, cases)
	refuse(t, Softmax{}, "a row for each entry", kernels.S(kernels.Float32, 3))
}

func TestInvSqrt(t *testing.T) {
	cases := []optest.Case{
		{Name: "zeros", Op: InvSqrt{}, NoGrad: true, // infinite slopes
			In: []optest.Arg{optest.Values(kernels.FromSlice([]float64{0, 1, 4, -1, 1e-30}, 5))}},
	}
	for _, shape := range [][]int{{}, {0}, {1}, {7}, {3, 5}} {
		cases = append(cases, optest.Case{Name: name(shape), Op: InvSqrt{},
			In: []optest.Arg{optest.Uniform(0.5, 9, shape...)}})
	}
	cases = append(cases, optest.Case{Name: "many", Op: InvSqrt{}, In: []optest.Arg{optest.Uniform(1, 2, 9000)},
		NoGrad: true}) // checked on the small ones
	optest.Check(t, cases)
}

func TestPermute(t *testing.T) {
	var cases []optest.Case
	order := []int32{4, 0, 3, 1, 2}
	in := func(x optest.Arg, order []int32) []optest.Arg {
		return []optest.Arg{x, optest.Values(kernels.FromSlice(order, len(order))),
			optest.Values(kernels.FromSlice(Inverse(order), len(order)))}
	}
	for _, row := range shapes {
		cases = append(cases, optest.Case{Name: name(row), Op: Permute{}, Linear: true, Exact: true,
			In: in(optest.Normal(rowsOfShape(5, row)...), order)})
	}
	r := philoxOrder(5000)
	cases = append(cases,
		optest.Case{Name: "nothing", Op: Permute{}, Exact: true, In: in(optest.Normal(0, 3), nil)},
		optest.Case{Name: "many", Op: Permute{}, Exact: true, NoGrad: true, In: in(optest.Normal(5000, 3), r)},
		optest.Case{Name: "out of range", Op: Permute{}, Exact: true, NoGrad: true, // no permutation
			In: []optest.Arg{optest.Normal(2, 3), optest.Ints(-3, 5, 2), optest.Ints(0, 2, 2)}})
	optest.Check(t, cases)
	f, i := kernels.Float32, kernels.Int32
	optest.Errors(t, Permute{}, "a row for each index", kernels.S(f, 4), kernels.S(i, 5), kernels.S(i, 4))
	optest.Errors(t, Permute{}, "input 1 must be int32", kernels.S(f, 4), kernels.S(f, 4), kernels.S(i, 4))
}

// TestDamaged checks that structures with faults give NaN everywhere where they are read, and never a fault.
func TestDamaged(t *testing.T) {
	var cases []optest.Case
	add := func(g graph, what string, op kernels.Op, first ...optest.Arg) {
		cases = append(cases, optest.Case{Name: name(g.name, " ", what), Op: op, NoGrad: true, In: args(g.s, first...)})
	}
	for _, g := range damaged(t) {
		x, q, v := optest.Normal(3, 2), optest.Normal(2, 2), optest.Normal(4, 2)
		add(g, "sum", SpMM{}, x)
		add(g, "max", SpMM{Kind: Max}, x)
		add(g, "transposed", SpMM{Transposed: true}, q)
		add(g, "dot", SDDMM{}, q, x)
		add(g, "plus", SDDMM{Kind: Plus}, q, x)
		add(g, "segment", Segment{}, v)
		add(g, "source", Segment{Source: true}, v)
		add(g, "spread", Spread{}, q)
		add(g, "spread source", Spread{Source: true}, x)
		add(g, "average", Average{}, q)
		add(g, "softmax", Softmax{}, v)
		add(g, "route", Route{}, x, x, q)
		cases = append(cases, optest.Case{Name: name(g.name, " weights"), Op: SpMM{Transposed: true}, NoGrad: true,
			In: append(args(g.s, q), optest.Normal(4))})
	}
	optest.Check(t, cases)
}
