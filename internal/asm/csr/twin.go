package csr

// sumGo is Sum in plain Go: the Go path, and what the other paths are compared with.
func sumGo[T float32 | float64](a *Sum[T]) {
	for i := range len(a.Ptr) - 1 {
		y := a.Y[i*a.StepY:][:a.Width]
		clear(y)
		for k := int(a.Ptr[i]); k < int(a.Ptr[i+1]); k++ {
			x := a.X[int(a.Col[k])*a.StepX:][:len(y)]
			if a.W == nil {
				for c, v := range x {
					y[c] += v
				}
				continue
			}
			w := a.W[weightAt(a.Pos, k)*a.StepW]
			for c, v := range x {
				y[c] += w * v
			}
		}
	}
}

// weightAt is where the weight of entry k stands.
func weightAt(pos []int32, k int) int {
	if pos == nil {
		return k
	}
	return int(pos[k])
}

// dotGo is Dot in plain Go.
func dotGo[T float32 | float64](a *Dot[T]) {
	for i := range len(a.Ptr) - 1 {
		q := a.Q[i*a.StepQ:][:a.Width]
		for k := int(a.Ptr[i]); k < int(a.Ptr[i+1]); k++ {
			x := a.X[int(a.Col[k])*a.StepX:][:len(q)]
			s := T(0)
			for c, v := range x {
				s += q[c] * v
			}
			a.Out[k*a.StepO] = s
		}
	}
}
