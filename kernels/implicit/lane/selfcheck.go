package lane

import (
	"fmt"
	"slices"

	"ganglion/internal/cpu"
)

// SelfCheck runs every primitive of the given path and of the Go path on a few elements, and returns an error that
// names the first one that differs. The operands are small integers, of which sums and products are exact in any order,
// so the results must be equal. It takes some microseconds.
func SelfCheck(path cpu.Path) error {
	if err := selfCheck[float32](path); err != nil {
		return fmt.Errorf("lane: self-check of path %s: float32: %w", path, err)
	}
	if err := selfCheck[float64](path); err != nil {
		return fmt.Errorf("lane: self-check of path %s: float64: %w", path, err)
	}
	return nil
}

// sample is what the primitives of one path made of the operands.
type sample[T float32 | float64] struct {
	names  []string
	values [][]T
}

// add runs a primitive on new memory of n elements.
func (s *sample[T]) add(name string, n int, f func(out []T)) {
	out := small[T](n, len(s.names))
	f(out)
	s.names, s.values = append(s.names, name), append(s.values, out)
}

// small returns n integers from −4 to 4.
func small[T float32 | float64](n, from int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T((i*7+from*5+i/9)%9 - 4)
	}
	return x
}

func selfCheck[T float32 | float64](path cpu.Path) error {
	got, want := &sample[T]{}, &sample[T]{}
	for _, lanes := range []int{Group, 2 * Group} {
		got.table(For[T](path, lanes), lanes)
		want.table(For[T](cpu.Go, lanes), lanes)
	}
	got.jacobians(ForJacobians[T](path))
	want.jacobians(ForJacobians[T](cpu.Go))
	got.weights(ForWeights[T](path))
	want.weights(ForWeights[T](cpu.Go))
	return differ(got, want)
}

// differ returns an error that names the first difference.
func differ[T float32 | float64](got, want *sample[T]) error {
	for k, name := range got.names {
		for i, v := range got.values[k] {
			if w := want.values[k][i]; v != w {
				return fmt.Errorf("%s: element %d is %v, want %v", name, i, v, w)
			}
		}
	}
	return nil
}

// checkedRows is the number of rows of lanes: a pass of every loop over several rows, and a rest.
const checkedRows = 13

// table runs the primitives of a Table.
func (s *sample[T]) table(t *Table[T], w int) {
	const n = checkedRows
	x, y, one := small[T](n*w, 1), small[T](n*w, 2), small[T](w, 3)
	var lo, hi, index []int32
	for r := range n {
		lo = append(lo, int32(len(index)))
		for e := range r % 7 {
			index = append(index, int32((r*5+e*3)%n))
		}
		hi = append(hi, int32(len(index)))
	}
	name := func(what string) string { return fmt.Sprintf("%s of %d lanes", what, w) }
	s.add(name("Rows"), n*w, func(d []T) { t.Rows(d, x, y, lo, hi, index, small[T](len(index), 4)) })
	s.add(name("Dense"), n*w, func(d []T) { t.Dense(d, x, small[T](n*n, 5), y) })
	s.add(name("Extent"), 2*w, func(d []T) { t.Extent(d[:w], d[w:], x, y) })
	s.add(name("Step"), n*w, func(d []T) { t.Step(d, x, y, one) })
	s.add(name("Dots"), w, func(d []T) { t.Dots(d, x, y) })
	s.add(name("Squares"), w, func(d []T) { t.Squares(d, x, y) })
	s.add(name("FMA"), n*w, func(d []T) { t.FMA(d, x, y, small[T](n*w, 6)) })
}

// jacobians runs those for matrices.
func (s *sample[T]) jacobians(j *Jacobians[T]) {
	const n, w = checkedRows, Group
	m, x, row := small[T](n, 1), small[T](2*n*w, 2), small[T](4*w, 3)
	s.add("Columns", n*w, func(d []T) { j.Columns(d, m, x[:n*w]) })
	s.add("Scale", n*w, func(d []T) { j.Scale(d, m, x[:w]) })
	s.add("Pivots", 2*w, func(d []T) { j.Pivots(d[:w], d[w:], x, n, 2) })
	s.add("Eliminate", n*w, func(d []T) { j.Eliminate(d, x[:n*w], row[:w]) })
	s.add("Eliminate4", n*w, func(d []T) { j.Eliminate4(d, x, row, 3) })
}

// weights runs those for regularisers, whose results are the same on all paths.
func (s *sample[T]) weights(t *Weights[T]) {
	const n = 3*Group + 5
	z := small[T](n, 1)
	for i, v := range z {
		z[i] = v * v
	}
	s.add("Repel", n, func(d []T) { t.Repel(d, z, 0.125, 0.0625, 2) })
	s.add("Shrink", n, func(d []T) { t.Shrink(d, z, 0.125) })
	s.add("Divide", n, func(d []T) { t.Divide(d, z, 0.125) })
	s.add("Largest", 1, func(d []T) {
		most := make([]T, Group)
		t.Largest(most, small[T](n, 2))
		d[0] = slices.Max(most)
	})
}
