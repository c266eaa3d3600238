package diagram

import "ganglion/kernels/diagram/calculus"

// entry is one entry of the matrix of a diagram: ±1, times its scale.
type entry struct {
	diagram     int
	row, column int
	value       float64
}

// entries lists those of a diagram: one index for every block of E, or pair of F between the rows and twice n/2 for
// one within a row; for H every order of the free vertices.
func entries(d calculus.Diagram, position, n int, scale float64) []entry {
	blocks := d.Blocks()
	sizes := make([]int, blocks)
	for _, b := range d.Labels {
		sizes[b]++
	}
	index := make([]int, len(d.Labels))
	var out []entry
	emit := func(sign int) {
		e := entry{diagram: position, value: float64(sign) * scale}
		for v, i := range index {
			if v < d.L {
				e.row = e.row*n + i
			} else {
				e.column = e.column*n + i
			}
		}
		out = append(out, e)
	}
	var walk func(b, sign int, used uint)
	walk = func(b, sign int, used uint) {
		if b == blocks {
			emit(sign)
			return
		}
		var at []int
		for v, l := range d.Labels {
			if int(l) == b {
				at = append(at, v)
			}
		}
		for i := range n {
			s := sign
			for _, v := range at {
				index[v] = i
			}
			if d.Kind == calculus.F && (at[0] < d.L) == (at[1] < d.L) {
				index[at[1]] = i ^ 1
				if i%2 == 1 {
					s = -s
				}
			}
			if d.Kind != calculus.H || len(at) > 1 {
				walk(b+1, s, used)
				continue
			}
			if used>>i&1 == 1 {
				continue
			}
			for j := i + 1; j < n; j++ { // greater labels to the left are inversions
				if used>>j&1 == 1 {
					s = -s
				}
			}
			walk(b+1, s, used|1<<i)
		}
	}
	walk(0, 1, 0)
	return out
}
