package algebra_test

import (
	"fmt"

	"ganglion/kernels/spectral/algebra"
)

// The t-product of two tubes under the DFT is their circular convolution.
func ExampleAlgebra_Product() {
	g, err := algebra.New(algebra.DFT(4))
	if err != nil {
		fmt.Println(err)
		return
	}
	a, b := algebra.NewTensor(1, 1, 4), algebra.NewTensor(1, 1, 4)
	copy(a.Data, []float64{1, 2, 0, 0})
	copy(b.Data, []float64{5, 0, 0, 1})
	c, err := g.Product(a, b)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.0f\n", c.Data)
	// Output: [7 10 0 1]
}

// A tensor of tubal rank 1 and a little noise: the best approximation of rank 1 leaves the noise.
func ExampleAlgebra_Truncate() {
	g, err := algebra.New(algebra.DCT(2))
	if err != nil {
		fmt.Println(err)
		return
	}
	a := algebra.NewTensor(2, 2, 2)
	copy(a.Data, []float64{1, 2, 2, 4.01, 3, 1, 6, 2})
	low, err := g.Truncate(a, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := g.Measure(low)
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := a.Sub(low)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf(
		"tubal rank %d, multi-rank %v, error %.3f of %.2f\n",
		m.TubalRank,
		m.MultiRank,
		d.Frobenius(),
		m.Frobenius,
	)
	// Output: tubal rank 1, multi-rank [1 1], error 0.004 of 8.66
}
