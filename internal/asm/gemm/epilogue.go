package gemm

import "fmt"

// Epilogue is what is done to a product before it leaves the cache: C ← F(S + bias), where S is the product with what
// it is added to. The result has the very bits of separate passes over the finished product. The zero value does
// nothing.
type Epilogue[T float32 | float64] struct {
	Bias []T         // [N], added to every row; nil for none
	F    func(x []T) // applied after the bias, in place, to parts of rows or to several rows; nil for none
}

// empty reports whether there is nothing to do.
func (e *Epilogue[T]) empty() bool { return e.Bias == nil && e.F == nil }

// validate panics if the epilogue does not fit a product of n columns.
func (e *Epilogue[T]) validate(n int) {
	if e.Bias != nil && len(e.Bias) != n {
		panic(fmt.Sprintf("gemm: bias of %d elements for %d columns", len(e.Bias), n))
	}
}

// begin sets the given rows and columns of C to what the product is added to, if that stands elsewhere.
func (j *job[T]) begin(i0, i1, j0, j1 int) {
	if j.Init == nil {
		return
	}
	for i := i0; i < i1; i++ {
		copy(j.C[i*j.LDC+j0:][:j1-j0], j.Init[i*j.LDI+j0:])
	}
}

// finish applies the epilogue to the given rows and columns of C.
func (j *job[T]) finish(i0, i1, j0, j1 int) {
	e := &j.Epilogue
	if j.plain {
		return
	}
	rows, cols, ldc := i1-i0, j1-j0, j.LDC
	if cols == j.N && ldc == cols && e.Bias == nil {
		rows, cols = 1, rows*cols // rows without gaps are one
	}
	for i := range rows {
		c := j.C[(i0+i)*ldc+j0:][:cols]
		if e.Bias != nil {
			j.vec.Add(c, c, e.Bias[j0:j1])
		}
		if e.F != nil {
			e.F(c)
		}
	}
}
