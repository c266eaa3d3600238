package vec

import (
	"fmt"
	"testing"

	"ganglion/internal/cpu"
)

// BenchmarkVec reports the time for one element of each primitive, on every path, for slices in the first-level cache.
func BenchmarkVec(b *testing.B) {
	const n = 1000
	for _, path := range cpu.Paths() {
		b.Run(path.String()+"/f32", func(b *testing.B) { benchmark[float32](b, path, n) })
		b.Run(path.String()+"/f64", func(b *testing.B) { benchmark[float64](b, path, n) })
	}
}

func benchmark[T float](b *testing.B, path cpu.Path, n int) {
	table := For[T](path)
	x, y, dst := make([]T, n), make([]T, n), make([]T, n)
	for i := range x {
		x[i], y[i] = T(i%37)/9-2, T(i%31)/7+1
	}
	run := func(name string, f func()) {
		b.Run(fmt.Sprintf("%s/n=%d", name, n), func(b *testing.B) {
			for b.Loop() {
				f()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/element")
		})
	}
	for _, p := range primitives[T]() {
		in := x
		if p.adds {
			in = make([]T, n) // the sum must not run away
		}
		run(p.name, func() { p.run(table, dst, in, y) })
	}
	run("Sum", func() { table.Sum(x) })
	run("Dot", func() { table.Dot(x, y) })
	run("Max", func() { table.Max(x) })
}
