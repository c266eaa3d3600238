package gemm

import (
	"ganglion/internal/cpu"
	"ganglion/internal/par"
)

// Multiply computes a product of either type: f32 or f64, which say how.
func Multiply[T float32 | float64](p *Plan, path cpu.Path, pool *par.Pool, a Args[T]) {
	switch a := any(&a).(type) {
	case *Args[float32]:
		f32(p, path, pool, *a)
	case *Args[float64]:
		f64(p, path, pool, *a)
	}
}
