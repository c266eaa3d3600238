package plane

import (
	"fmt"

	"ganglion/internal/cpu"
)

// SelfCheck runs every kernel of a path on small integers, for which all results are exact, beside its twin in Go, and
// returns an error that names the first that differs. It takes less than a millisecond.
func SelfCheck(path cpu.Path) error {
	if err := selfCheck(For[float32](path)); err != nil {
		return fmt.Errorf("plane: self-check of path %s: float32: %w", path, err)
	}
	if err := selfCheck(For[float64](path)); err != nil {
		return fmt.Errorf("plane: self-check of path %s: float64: %w", path, err)
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
	ref := plain[T]()
	for _, s := range [][3]int{{2, 5, 3}, {1, 6, 16}, {2, 9, 37}} {
		planes, m, n := s[0], s[1], s[2]
		x := whole[T](planes * m * n)
		for _, which := range []int{1, 2, 3} {
			if err := checkSums(t, ref, planes, m, n, x, which); err != nil {
				return err
			}
		}
		x = whole[T](m * (n + 2))
		for i, move := range []func(t *Table[T], dst []T){
			func(t *Table[T], dst []T) { t.Move(m, n, dst, n+1, x, n+2) },
			func(t *Table[T], dst []T) { t.Add(m, n, dst, n+1, x, n+2) },
			func(t *Table[T], dst []T) { t.Transpose(m, n, dst, m+1, x, n+2) },
		} {
			got, want := whole[T]((m+1)*(n+1)), whole[T]((m+1)*(n+1))
			move(t, got)
			move(ref, want)
			if err := differ([]string{"move", "add", "transpose"}[i], got, want); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkSums compares the sums, and what adds them, by rows for bit 1 of which, and by columns for bit 2.
func checkSums[T float32 | float64](t, ref *Table[T], planes, m, n int, x []T, which int) error {
	lines := func() (rows, cols []T) {
		if which&1 > 0 {
			rows = make([]T, planes*m)
		}
		if which&2 > 0 {
			cols = make([]T, planes*n)
		}
		return rows, cols
	}
	rows, cols := lines()
	wantRows, wantCols := lines()
	t.Sums(planes, m, n, x, rows, cols)
	ref.Sums(planes, m, n, x, wantRows, wantCols)
	if err := differ("sums of rows", rows, wantRows); err != nil {
		return err
	}
	if err := differ("sums of columns", cols, wantCols); err != nil {
		return err
	}
	got, want := whole[T](len(x)), whole[T](len(x))
	t.Spread(planes, m, n, got, rows, cols)
	ref.Spread(planes, m, n, want, rows, cols)
	return differ("spread", got, want)
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
