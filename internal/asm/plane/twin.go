package plane

import "unsafe"

// twin returns the kernels in plain Go. Pitches are in bytes, as those of the assembly are.
func twin[T float32 | float64]() *Table[T] {
	return &Table[T]{tall: 1, wide: 1,
		sumRows:       func(planes, m, n int, x, rows *T) { sums(planes, m, n, x, rows, nil) },
		sumColumns:    func(planes, m, n int, x, cols *T) { sums(planes, m, n, x, nil, cols) },
		sumBoth:       sums[T],
		spreadRows:    func(planes, m, n int, z, rows *T) { spread(planes, m, n, z, rows, nil) },
		spreadColumns: func(planes, m, n int, z, cols *T) { spread(planes, m, n, z, nil, cols) },
		spreadBoth:    spread[T],
		move: func(m, n int, dst *T, ldd int, src *T, lds int) {
			for i := range m {
				copy(from(dst, i*ldd, n), from(src, i*lds, n))
			}
		},
		add: func(m, n int, dst *T, ldd int, src *T, lds int) {
			for i := range m {
				to := from(dst, i*ldd, n)
				for j, v := range from(src, i*lds, n) {
					to[j] += v
				}
			}
		},
		transpose: func(m, n int, dst *T, ldd int, src *T, lds int) {
			for j := range n {
				for i := range m {
					from(dst, j*ldd, m)[i] = from(src, i*lds, n)[j]
				}
			}
		},
	}
}

var (
	go32 = twin[float32]()
	go64 = twin[float64]()
)

// plain returns the table of the Go path.
func plain[T float32 | float64]() *Table[T] {
	if t, ok := any(go32).(*Table[T]); ok {
		return t
	}
	return any(go64).(*Table[T])
}

// from is n elements that begin some bytes behind p.
func from[T float32 | float64](p *T, bytes, n int) []T {
	return unsafe.Slice((*T)(unsafe.Add(unsafe.Pointer(p), bytes)), n)
}

// sums adds row by row; rows or cols may be nil.
func sums[T float32 | float64](planes, m, n int, x, rows, cols *T) {
	elem := size[T]()
	for p := range planes {
		var line []T
		if cols != nil {
			line = from(cols, p*n*elem, n)
			clear(line)
		}
		for i := range m {
			row, sum := from(x, (p*m+i)*n*elem, n), T(0)
			for _, v := range row {
				sum += v
			}
			if rows != nil {
				from(rows, (p*m+i)*elem, 1)[0] = sum
			}
			for j := range line {
				line[j] += row[j]
			}
		}
	}
}

// spread adds to row by row; rows or cols may be nil.
func spread[T float32 | float64](planes, m, n int, z, rows, cols *T) {
	elem := size[T]()
	for i := range planes * m {
		row := from(z, i*n*elem, n)
		if cols != nil {
			for j, v := range from(cols, i/m*n*elem, n) {
				row[j] += v
			}
		}
		if rows != nil {
			v := from(rows, i*elem, 1)[0]
			for j := range row {
				row[j] += v
			}
		}
	}
}
