package gemm

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ganglion/internal/asm/vec"
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

// versus times two ways of the same work alternately, and reports the rate of the second one and the ratio of the
// median times, first to second.
func versus(b *testing.B, flop float64, first, second func()) {
	var times [2][]float64
	for b.Loop() {
		for i, f := range []func(){first, second} {
			start := time.Now()
			f()
			times[i] = append(times[i], time.Since(start).Seconds())
		}
	}
	median := func(x []float64) float64 { slices.Sort(x); return x[len(x)/2] }
	b.ReportMetric(flop/median(times[1])/1e9, "GFLOP/s")
	b.ReportMetric(median(times[0])/median(times[1]), "gain")
}

// BenchmarkPacked compares products with B packed beforehand with those of B as it is.
func BenchmarkPacked(b *testing.B) {
	for _, d := range [][3]int{{32, 512, 784}, {128, 256, 512}, {128, 512, 784}, {512, 512, 512}} {
		for _, trans := range []string{"nn", "nt"} {
			for workers := 1; workers <= 2; workers++ {
				b.Run(
					fmt.Sprintf("m=%d,n=%d,k=%d/%s/workers=%d", d[0], d[1], d[2], trans, workers),
					func(b *testing.B) {
						pool := par.New(workers)
						defer pool.Close()
						s := shape{m: d[0], n: d[1], k: d[2], transB: trans == "nt"}
						plain := build(rand.New(rand.NewPCG(1, 1)), s, ordinary[float32](), workers)
						packed, p := plain, new(Plan)
						packed.PackedB = PackB(cpu.Best(), s.transB, s.n, s.k, plain.B, plain.LDB,
							make([]float32, PackedLen(s.n, s.k)))
						flop := 2 * float64(d[0]) * float64(d[1]) * float64(d[2])
						versus(
							b,
							flop,
							func() { f32(p, cpu.Best(), pool, plain) },
							func() { f32(p, cpu.Best(), pool, packed) },
						)
					},
				)
			}
		}
	}
}

// BenchmarkEpilogue compares epilogues with separate passes, on one worker.
func BenchmarkEpilogue(b *testing.B) {
	t := vec.F32(cpu.Best())
	functions := map[string]func(x []float32){"identity": nil, "relu": func(x []float32) { t.ReLU(x, x) },
		"tanh": func(x []float32) { t.Tanh(x, x) }, "gelu": func(x []float32) { t.GELU(x, x) }}
	for _, d := range [][3]int{{128, 512, 784}, {1024, 1024, 256}, {4096, 256, 64}} {
		for _, name := range []string{"identity", "relu", "tanh", "gelu"} {
			b.Run(fmt.Sprintf("m=%d,n=%d,k=%d/%s", d[0], d[1], d[2], name), func(b *testing.B) {
				plain := build(rand.New(rand.NewPCG(1, 1)), shape{m: d[0], n: d[1], k: d[2]}, ordinary[float32](), 1)
				fused, e := plain, Epilogue[float32]{Bias: plain.A[:d[1]], F: functions[name]}
				fused.Epilogue = e
				versus(b, 2*float64(d[0])*float64(d[1])*float64(d[2]), func() {
					f32(nil, cpu.Best(), nil, plain)
					for i := range d[0] {
						row := plain.C[i*d[1]:][:d[1]]
						t.Add(row, row, e.Bias)
					}
					if e.F != nil {
						e.F(plain.C)
					}
				}, func() { f32(nil, cpu.Best(), nil, fused) })
			})
		}
	}
}
