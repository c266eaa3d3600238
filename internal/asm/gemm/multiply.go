package gemm

import (
	"ganglion/internal/cpu"
	"ganglion/internal/par"
)

// Multiply is F32 or F64, by the type of the elements: for code that is generic over it.
func Multiply[T float32 | float64](p *Plan, path cpu.Path, pool *par.Pool, a Args[T]) {
	switch a := any(&a).(type) {
	case *Args[float32]:
		F32(p, path, pool, *a)
	case *Args[float64]:
		F64(p, path, pool, *a)
	}
}
