package lane

import (
	"fmt"
	"testing"

	"ganglion/internal/cpu"
	"ganglion/internal/philox"
)

// BenchmarkProduct compares the sparse and the dense product of n rows, from which the solver's choice between them was
// taken.
func BenchmarkProduct(b *testing.B) {
	for _, path := range cpu.Paths() {
		for _, w := range []int{Group, 2 * Group} {
			for _, n := range []int{14, 100, 256} {
				benchDense[float32](b, "float32", path, w, n)
				benchDense[float64](b, "float64", path, w, n)
				for _, degree := range []int{4, n / 3} {
					benchRows[float32](b, "float32", path, w, n, degree)
					benchRows[float64](b, "float64", path, w, n, degree)
				}
			}
		}
	}
}

func benchDense[T float32 | float64](b *testing.B, name string, path cpu.Path, w, n int) {
	b.Run(fmt.Sprintf("dense/n=%d/%s/%v/lanes=%d", n, name, path, w), func(b *testing.B) {
		g, m, f := make([]T, n*w), make([]T, n*n), make([]T, n*w)
		t := For[T](path, w)
		for b.Loop() {
			t.Dense(g, g, m, f)
		}
		b.ReportMetric(2*float64(n*n*w)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	})
}

func benchRows[T float32 | float64](b *testing.B, name string, path cpu.Path, w, n, degree int) {
	b.Run(fmt.Sprintf("rows/n=%d,degree=%d/%s/%v/lanes=%d", n, degree, name, path, w), func(b *testing.B) {
		r := philox.New(1, 1, 0)
		g, f, value := make([]T, n*w), make([]T, n*w), make([]T, n*degree)
		lo, hi, index := make([]int32, n), make([]int32, n), make([]int32, n*degree)
		for i := range n {
			lo[i], hi[i] = int32(i*degree), int32((i+1)*degree)
		}
		for e := range index {
			index[e] = int32(r.Below(uint32(n)))
		}
		t := For[T](path, w)
		for b.Loop() {
			t.Rows(g, g, f, lo, hi, index, value)
		}
		b.ReportMetric(2*float64(n*degree*w)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	})
}

// BenchmarkWeights times the steps of the regularisers on rows of 100 weights.
func BenchmarkWeights(b *testing.B) {
	for _, path := range cpu.Paths() {
		w, z := make([]float32, 10000), make([]float32, 100)
		for i := range w {
			w[i], z[i%100] = float32(i%7)-3, 0.1
		}
		t := ForWeights[float32](path)
		rows := func(name string, step func(w []float32)) {
			b.Run(name+"/"+path.String(), func(b *testing.B) {
				for b.Loop() {
					for j := 0; j < len(w); j += len(z) {
						step(w[j : j+len(z)])
					}
				}
			})
		}
		rows("repel", func(w []float32) { t.Repel(w, z, 1e-9, 0.1, 1.1) })
		rows("shrink", func(w []float32) { t.Shrink(w, z, 1e-9) })
		rows("divide", func(w []float32) { t.Divide(w, z, 1e-9) })
	}
}
