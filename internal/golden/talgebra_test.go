package golden_test

import (
	"testing"

	"ganglion/internal/golden"
	tensor "ganglion/kernels/spectral/algebra"
)

// modeOf is a transform of a case: by its name, or by its matrix.
func modeOf(t *testing.T, c golden.Case, option, array string, length int) tensor.Mode {
	t.Helper()
	switch name := c.String(option); name {
	case "dft":
		return tensor.DFT(length)
	case "dct":
		return tensor.DCT(length)
	case "id":
		return tensor.Identity(length)
	}
	m, err := tensor.Matrix(length, c.Arrays[array].Float)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// tensorArray is an array [rows, columns, tube…] of a case.
func tensorArray(c golden.Case, name string) tensor.Tensor {
	a := c.Arrays[name]
	perm := []int{}
	for i := 2; i < len(a.Shape); i++ {
		perm = append(perm, i)
	}
	x := tensor.NewTensor(a.Shape[0], a.Shape[1], a.Shape[2:]...)
	copy(x.Data, move(a, append(perm, 0, 1)...).Float)
	return x
}

// expectTensor compares a tensor with an array of the case.
func expectTensor(t *testing.T, c golden.Case, name string, x tensor.Tensor, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s %s: %v", c.Name, name, err)
		return
	}
	back := []int{len(x.Tube), len(x.Tube) + 1}
	for i := range x.Tube {
		back = append(back, i)
	}
	shape := append(append([]int{}, x.Tube...), x.Rows, x.Cols)
	expect(t, c, "algebra", name, move(golden.Array{Shape: shape, Float: x.Data}, back...).Float, tol64)
}

func algebraOf(t *testing.T, c golden.Case, length int) *tensor.Algebra {
	t.Helper()
	g, err := tensor.New(modeOf(t, c, "transform", "M", length))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func tensorSVD(t *testing.T, c golden.Case) {
	x := tensorArray(c, "T")
	g := algebraOf(t, c, x.Tube[0])
	sigma, err := g.Values(x)
	if err != nil {
		t.Fatal(err)
	}
	var all []float64
	for _, s := range sigma {
		all = append(all, s...)
	}
	expect(t, c, "algebra", "sigma", all, tol64)
	m, err := g.Measure(x)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]float64{"fro": m.Frobenius, "spectral": m.Spectral, "tnn": m.Nuclear,
		"average_rank": m.AverageRank, "stable_rank": m.Stable, "tubalrank": float64(m.TubalRank)} {
		expect(t, c, "algebra", name, []float64{v}, tol64)
	}
	ranks := make([]float64, len(m.MultiRank))
	for i, r := range m.MultiRank {
		ranks[i] = float64(r)
	}
	expect(t, c, "algebra", "multirank", ranks, tol64)
	low, err := g.Truncate(x, int(c.Number("trunc_r")))
	expectTensor(t, c, "Tr", low, err)
	d, err := x.Sub(low)
	if err != nil {
		t.Fatal(err)
	}
	// Of a tensor of that rank already, the error is what rounding leaves: it is judged beside the tensor.
	want, left := c.Number("trunc_err2"), d.Frobenius()*d.Frobenius()
	if diff := left - want; diff > tol64*m.Frobenius*m.Frobenius || -diff > tol64*m.Frobenius*m.Frobenius {
		t.Errorf("%s: the square of the error of truncation is %v, want %v", c.Name, left, want)
	}
	soft, err := g.Shrink(x, c.Number("tau"))
	expectTensor(t, c, "Tsvt", soft, err)
	u, s, v, err := g.SVD(x)
	if err != nil {
		t.Fatal(err)
	}
	us, err := g.Product(u, s)
	if err != nil {
		t.Fatal(err)
	}
	vt, err := g.Transpose(v)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := g.Product(us, vt)
	expectTensor(t, c, "T", whole, err)
}

func tensorSolve(t *testing.T, c golden.Case) {
	a := tensorArray(c, "A")
	x, err := algebraOf(t, c, a.Tube[0]).Solve(a, tensorArray(c, "B"))
	expectTensor(t, c, "X", x, err)
}

// tensorOrder4 compares the product, and its gradients dA = G * Bᵀ and dB = Aᵀ * G.
func tensorOrder4(t *testing.T, c golden.Case) {
	a, b, dc := tensorArray(c, "A"), tensorArray(c, "B"), tensorArray(c, "G")
	g, err := tensor.New(modeOf(t, c, "transform3", "M3", a.Tube[0]), modeOf(t, c, "transform4", "M4", a.Tube[1]))
	if err != nil {
		t.Fatal(err)
	}
	at, err := g.Transpose(a)
	if err != nil {
		t.Fatal(err)
	}
	bt, err := g.Transpose(b)
	if err != nil {
		t.Fatal(err)
	}
	y, err := g.Product(a, b)
	expectTensor(t, c, "C", y, err)
	da, err := g.Product(dc, bt)
	expectTensor(t, c, "dA", da, err)
	db, err := g.Product(at, dc)
	expectTensor(t, c, "dB", db, err)
}
