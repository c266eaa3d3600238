package fft

import (
	"fmt"
	"math"

	"ganglion/internal/cpu"
)

// SelfCheck runs every kernel of a path on a few columns beside the transforms of the Go path, and returns an error
// that names the first that differs by more than rounding. It takes a few milliseconds.
func SelfCheck(path cpu.Path) error {
	if path == cpu.Go {
		return nil
	}
	list, lanes := codelets(path)
	work := make([]float32, ShortWork)
	for _, c := range list {
		if err := checkShort(NewShort(path, c.kind, c.n, 0.5, 2), lanes, work); err != nil {
			return fmt.Errorf("fft: self-check of path %s: %w", path, err)
		}
	}
	for _, n := range []int{6, 35, 11, 2 * 8 * 4} { // each stage, first and last
		for _, kind := range []Kind{DFT, DCT} {
			if err := checkLong(NewLong[float32](path, kind, n, 0.5, 2), 1e-5); err != nil {
				return fmt.Errorf("fft: self-check of path %s: float32: %w", path, err)
			}
			if err := checkLong(NewLong[float64](path, kind, n, 0.5, 2), 1e-14); err != nil {
				return fmt.Errorf("fft: self-check of path %s: float64: %w", path, err)
			}
		}
	}
	return nil
}

// pattern is n numbers in [-1, 1] without a pattern.
func pattern[T float32 | float64](n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T((i*7+i/13*5)%19-9) / 9
	}
	return x
}

func checkShort(s *Short, lanes int, work []float32) error {
	x, got, want := pattern[float32](s.n*lanes), make([]float32, s.n*lanes), make([]float32, s.n*lanes)
	for _, back := range []bool{false, true} {
		s.Run(back, lanes, x, lanes, got, lanes, work)
		if s.kind == Haar {
			haar(back, s.n, lanes, x, want)
		} else {
			plain(s.kind, s.n, 0.5, 2, back, lanes, x, want)
		}
		if err := differ(s.kind, s.n, back, got, want, 1e-5); err != nil {
			return err
		}
	}
	return nil
}

func checkLong[T float32 | float64](l *Long[T], eps T) error {
	pitch := l.Columns()
	x, got, want := pattern[T](l.n*pitch), make([]T, l.n*pitch), make([]T, l.n*pitch)
	work := make([]T, LongWork(l.n, size[T]()))
	for _, back := range []bool{false, true} {
		l.Run(back, pitch, x, pitch, got, pitch, work)
		plain(l.kind, l.n, 0.5, 2, back, pitch, x, want)
		if err := differ(l.kind, l.n, back, got, want, eps); err != nil {
			return err
		}
	}
	return nil
}

// plain is a transform of the Go path.
func plain[T float32 | float64](kind Kind, n int, real, complex T, back bool, columns int, x, y []T) {
	l := NewLong(cpu.Go, kind, n, real, complex)
	work := make([]T, LongWork(n, size[T]()))
	for at := 0; at < columns; at += l.Columns() {
		l.Run(back, min(l.Columns(), columns-at), x[at:], columns, y[at:], columns, work)
	}
}

// haar is the transform by its definition.
func haar(back bool, n, columns int, x, y []float32) {
	clear(y)
	add := func(i, j int, v float32) {
		if back {
			i, j = j, i
		}
		for c := range columns {
			y[i*columns+c] += v * x[j*columns+c]
		}
	}
	for j := range n {
		add(0, j, float32(math.Sqrt(1/float64(n))))
	}
	for rows, length := 1, n; length > 1; rows, length = 2*rows, length/2 {
		v := float32(math.Sqrt(1 / float64(length)))
		for j := range n {
			if j%length < length/2 {
				add(rows+j/length, j, v)
			} else {
				add(rows+j/length, j, -v)
			}
		}
	}
}

// differ names the first element that is not what it should be.
func differ[T float32 | float64](kind Kind, n int, back bool, got, want []T, eps T) error {
	for i, v := range got {
		if d := v - want[i]; !(d <= eps*T(n) && -d <= eps*T(n)) {
			name := [...]string{DFT: "DFT", DCT: "DCT", Haar: "Haar"}[kind]
			return fmt.Errorf("%s of length %d, transposed %v: element %d is %v, want %v", name, n, back, i, v, want[i])
		}
	}
	return nil
}
