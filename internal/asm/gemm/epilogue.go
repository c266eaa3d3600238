package gemm

import (
	"fmt"

	"ganglion/internal/asm/vec"
)

// Activation is a function that an epilogue applies to every element.
type Activation uint8

const (
	// Identity leaves elements as they are.
	Identity Activation = iota
	// ReLU is max(x, 0).
	ReLU
	// Tanh is tanh x.
	Tanh
	// Sigmoid is 1/(1+e⁻ˣ).
	Sigmoid
	// GELU is x·Φ(x), Φ the normal distribution function.
	GELU
	// SiLU is x/(1+e⁻ˣ).
	SiLU
	activations
)

// Epilogue is what is done to a product before it leaves the cache: C ← F(S + bias) + residual, where S is the product,
// or C plus the product if Args.Acc is set. The result has the very bits of separate passes of internal/asm/vec over
// the finished product. The zero value does nothing.
type Epilogue[T float32 | float64] struct {
	Bias []T        // [N], added to every row; nil for none
	F    Activation // applied after the bias

	Residual []T // [M, N], added last; nil for none; it must not overlap C
	LDR      int // its leading dimension
}

// empty reports whether there is nothing to do.
func (e *Epilogue[T]) empty() bool { return e.Bias == nil && e.F == Identity && e.Residual == nil }

// validate panics if the epilogue does not fit a product of m rows and n columns.
func (e *Epilogue[T]) validate(m, n int) {
	if e.Bias != nil && len(e.Bias) != n {
		panic(fmt.Sprintf("gemm: bias of %d elements for %d columns", len(e.Bias), n))
	}
	if e.F >= activations {
		panic(fmt.Sprintf("gemm: unknown activation %d", e.F))
	}
	if e.Residual != nil {
		validMatrix("residual", len(e.Residual), m, n, e.LDR)
	}
}

// finish applies the epilogue to the given rows and columns of C.
func (j *job[T]) finish(i0, i1, j0, j1 int) {
	e := &j.Epilogue
	if j.plain {
		return
	}
	rows, cols, ldc, ldr := i1-i0, j1-j0, j.LDC, e.LDR
	if whole := cols == j.N && ldc == cols && (e.Residual == nil || ldr == cols); whole && e.Bias == nil {
		rows, cols = 1, rows*cols // rows without gaps are one
	}
	for i := range rows {
		c := j.C[(i0+i)*ldc+j0:][:cols]
		if e.Bias != nil {
			j.vec.Add(c, c, e.Bias[j0:j1])
		}
		activate(j.vec, e.F, c)
		if e.Residual != nil {
			j.vec.Add(c, c, e.Residual[(i0+i)*ldr+j0:][:cols])
		}
	}
}

// activate applies an activation in place.
func activate[T float](t *vec.Table[T], f Activation, x []T) {
	switch f {
	case ReLU:
		t.ReLU(x, x)
	case Tanh:
		t.Tanh(x, x)
	case Sigmoid:
		t.Sigmoid(x, x)
	case GELU:
		t.GELU(x, x)
	case SiLU:
		t.SiLU(x, x)
	}
}
