package gemm

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"ganglion/internal/cpu"
	"ganglion/internal/par"
)

// benchmarkShapes are thin, small and square products.
var benchmarkShapes = [][3]int{
	{1, 512, 784}, {64, 6, 100}, {64, 100, 128}, {100, 100, 64}, {128, 128, 128}, {128, 512, 784},
	{512, 512, 512}, {1024, 1024, 1024},
}

// BenchmarkGEMM reports GFLOP/s of A·B, Aᵀ·B and A·Bᵀ on every path, on one and two workers.
func BenchmarkGEMM(b *testing.B) {
	for _, d := range benchmarkShapes {
		for _, path := range cpu.Paths() {
			for _, trans := range []string{"nn", "tn", "nt"} {
				for workers := 1; workers <= 2; workers++ {
					name := fmt.Sprintf("m=%d,n=%d,k=%d/%s/%s/workers=%d", d[0], d[1], d[2], trans, path, workers)
					b.Run(name+"/f32", func(b *testing.B) { benchmark[float32](b, d, trans, path, workers) })
					b.Run(name+"/f64", func(b *testing.B) { benchmark[float64](b, d, trans, path, workers) })
				}
			}
		}
	}
}

func benchmark[T float](b *testing.B, d [3]int, trans string, path cpu.Path, workers int) {
	pool := par.New(workers)
	defer pool.Close()
	s := shape{m: d[0], n: d[1], k: d[2], transA: trans[0] == 't', transB: trans[1] == 't'}
	a := build(rand.New(rand.NewPCG(1, 1)), s, ordinary[T](), workers)
	p := new(Plan)
	for b.Loop() {
		product(p, path, pool, a)
	}
	flop := 2 * float64(d[0]) * float64(d[1]) * float64(d[2])
	b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
