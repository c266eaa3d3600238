package direct

import (
	"fmt"

	"ganglion/internal/cpu"
)

// SelfCheck runs every kernel of a path on small integers, for which all results are exact, beside its twin in Go, and
// returns an error that names the first that differs. It takes less than a millisecond.
func SelfCheck(path cpu.Path) error {
	if t := For[float32](path); t != nil {
		if err := selfCheck(t); err != nil {
			return fmt.Errorf("direct: self-check of path %s: float32: %w", path, err)
		}
	}
	if t := For[float64](path); t != nil {
		if err := selfCheck(t); err != nil {
			return fmt.Errorf("direct: self-check of path %s: float64: %w", path, err)
		}
	}
	return nil
}

// whole is n small integers without a pattern.
func whole[T float32 | float64](n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T((i*7+i/13*5)%19 - 9)
	}
	return x
}

func selfCheck[T float32 | float64](t *Table[T]) error {
	ref := twin(t)
	elem := int32(size[T]())
	off := []int32{0, 3 * elem, 17 * elem, 20 * elem, elem, 6 * elem}
	x := whole[T](40 * t.Lanes)
	for _, rows := range t.Heights {
		got, want := make([]T, rows*9*t.Lanes), make([]T, rows*9*t.Lanes)
		t.Patch(rows, 9, 3, x, x, 5*t.Lanes, off, got, 9*t.Lanes)
		ref.Patch(rows, 9, 3, x, x, 5*t.Lanes, off, want, 9*t.Lanes)
		if err := differ("patch", got, want); err != nil {
			return err
		}
	}
	for _, rows := range []int{1, 2, t.Tall} {
		for _, cols := range []int{1, t.Wide} {
			got, want := whole[T](rows*9), whole[T](rows*9)
			t.Shifted(rows, 2, 3, x, 4*t.Lanes, 5*t.Lanes, x, 7*t.Lanes, off[:cols], got, 9)
			ref.Shifted(rows, 2, 3, x, 4*t.Lanes, 5*t.Lanes, x, 7*t.Lanes, off[:cols], want, 9)
			if err := differ("shifted", got, want); err != nil {
				return err
			}
		}
	}
	n := t.Lanes + 3
	got, want := make([]T, 6*4*n), make([]T, 6*4*n)
	t.Move(5, n, got, 2*n, x, n+1, 2, -3)
	ref.Move(5, n, want, 2*n, x, n+1, 2, -3)
	if err := differ("move", got, want); err != nil {
		return err
	}
	t.Pool(3, n, got, x, 2*n+1)
	ref.Pool(3, n, want, x, 2*n+1)
	if err := differ("pool", got, want); err != nil {
		return err
	}
	t.PoolGrad(3, n, got, x, x, 2*n+1)
	ref.PoolGrad(3, n, want, x, x, 2*n+1)
	if err := differ("poolGrad", got, want); err != nil {
		return err
	}
	for i := range x {
		x[i] -= 7 // most windows are below 0
	}
	t.ReLUPoolGrad(3, n, got, x, x, 2*n+1)
	ref.ReLUPoolGrad(3, n, want, x, x, 2*n+1)
	return differ("reluPoolGrad", got, want)
}

// differ names the first element that is not what it should be.
func differ[T float32 | float64](what string, got, want []T) error {
	for i, v := range got {
		if v != want[i] {
			return fmt.Errorf("%s: element %d is %v, want %v", what, i, v, want[i])
		}
	}
	return nil
}
