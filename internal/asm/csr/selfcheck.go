package csr

import (
	"fmt"

	"ganglion/internal/cpu"
)

// SelfCheck runs every kernel of a path on small integers, for which all results are exact, beside its twin in Go, and
// returns an error that names the first that differs. It takes less than a millisecond.
func SelfCheck(path cpu.Path) error {
	if err := selfCheck(For[float32](path)); err != nil {
		return fmt.Errorf("csr: self-check of path %s: float32: %w", path, err)
	}
	if err := selfCheck(For[float64](path)); err != nil {
		return fmt.Errorf("csr: self-check of path %s: float64: %w", path, err)
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
	ptr := []int32{2, 2, 3, 9, 14}
	col := []int32{0, 4, 3, 1, 1, 0, 4, 2, 3, 3, 2, 0, 1, 4}
	pos := []int32{13, 2, 5, 7, 11, 3, 0, 1, 4, 12, 6, 9, 8, 10}
	width := 15*max(t.lanes, 1) + 3
	x := whole[T](5 * width)
	for _, weights := range [][]T{nil, whole[T](2 * len(col))} {
		for _, places := range [][]int32{nil, pos} {
			got, want := make([]T, 4*width), make([]T, 4*width)
			a := Sum[T]{Ptr: ptr, Col: col, Pos: places, W: weights, StepW: 2, X: x, StepX: width, StepY: width,
				Width: width, Y: got}
			t.Sum(&a)
			a.Y = want
			sumGo(&a)
			if err := differ("sum", got, want); err != nil {
				return err
			}
		}
	}
	got, want := make([]T, 3*len(col)), make([]T, 3*len(col))
	a := Dot[T]{Ptr: ptr, Col: col, Q: x, X: x, StepQ: width, StepX: width, Out: got, StepO: 3, Width: width}
	t.Dot(&a)
	a.Out = want
	dotGo(&a)
	if err := differ("dot", got, want); err != nil {
		return err
	}
	if !t.Within(col, 5) || t.Within(col, 4) || t.Within([]int32{0, 1, 2, 3, 4, -5, 6, 7, 8, 9}, 10) {
		return fmt.Errorf("within: wrong")
	}
	return nil
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
