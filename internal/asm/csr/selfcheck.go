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
	for _, heads := range []int{1, 3, 4, 8, 16} {
		if err := checkAttention(t, heads, ptr, col, pos); err != nil {
			return err
		}
	}
	if !t.Within(col, 5) || t.Within(col, 4) || t.Within([]int32{0, 1, 2, 3, 4, -5, 6, 7, 8, 9}, 10) {
		return fmt.Errorf("within: wrong")
	}
	return nil
}

// checkAttention compares the steps of attention, but that with a division.
func checkAttention[T float32 | float64](t *Table[T], h int, ptr, col, pos []int32) error {
	width, rows, n := 8*h, len(ptr)-1, len(col)
	x, e := whole[T](5*width), whole[T](n*h)
	lanes := make([]int32, width*size[T]()/4)
	LanesOf[T](lanes, h, width)
	var lists [2][]T
	for i := range lists {
		table := t
		if i == 1 {
			table = &Table[T]{}
		}
		list := make([]T, 5*n*h+2*rows*width+2*rows*h)
		take := func(n int) []T {
			part := list[:n]
			list = list[n:]
			lists[i] = lists[i][:len(lists[i])+n]
			return part
		}
		lists[i] = list[:0]
		table.Score(&Score[T]{Ptr: ptr, Col: col, U: x, V: x, StepU: h, StepV: h, E: e, Heads: h, Slope: 0.5,
			S: take(n * h)})
		table.Shift(&Shift[T]{Ptr: ptr, Heads: h, From: x, To: take(n * h), Top: take(rows * h), StepTop: h})
		table.Dots(&Dots[T]{Ptr: ptr, Col: col, Q: x, X: x, StepQ: width, StepX: width, Heads: h, Width: width,
			Out: take(n * h)})
		again := Rescore[T]{Ptr: ptr, Col: col, Pos: pos, U: x, Records: x, E: e, Heads: h, Slope: 0.5, S: take(n * h)}
		table.Rescore(&again)
		table.Derive(&Derive[T]{Rescore: again, G: x, DZ: take(n * h), DU: take(rows * h)})
		table.Mix(&Mix[T]{Ptr: ptr, Col: col, W: x, Heads: h, X: x, Y: take(rows * width), StepX: width, StepY: width,
			Width: width, Lanes: lanes})
		table.Slopes(&Slopes[T]{Ptr: ptr, Col: col, Q: x, X: x, Y: take(rows * width), StepQ: width, StepX: width,
			StepY: width, W: x, Heads: h, Width: width, Slope: 0.5, Lanes: lanes})
	}
	return differ(fmt.Sprintf("attention with %d heads", h), lists[0], lists[1])
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
