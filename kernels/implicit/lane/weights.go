package lane

// The Go path of the primitives for weights. The other paths use it for the elements behind the last whole vector, with
// the same results: the operations and their order are the same.

func twinWeights[T float32 | float64]() *Weights[T] {
	return &Weights[T]{
		Repel: func(w, z []T, a, inverse, b T) {
			checkWeights(w, z)
			repel(w, z, a, inverse, b)
		},
		Shrink: func(w, z []T, a T) {
			checkWeights(w, z)
			shrink(w, z, a)
		},
		Divide: func(w, z []T, a T) {
			checkWeights(w, z)
			divide(w, z, a)
		},
		Largest: func(most, w []T) {
			checkLargest(most)
			most[0] = largest(most[0], w)
		},
	}
}

func repel[T float32 | float64](w, z []T, a, inverse, b T) {
	for k, v := range w {
		size := v
		if size < 0 {
			size = -size
		}
		scaled := T(size * inverse) // the conversions forbid fusing
		w[k] = v * max(0, 1-T(a*z[k])/(b-scaled))
	}
}

func shrink[T float32 | float64](w, z []T, a T) {
	for k, v := range w {
		cut := T(a * z[k])
		w[k] = max(v-cut, 0) + min(v+cut, 0)
	}
}

func divide[T float32 | float64](w, z []T, a T) {
	for k, v := range w {
		w[k] = v / (1 + T(a*z[k]))
	}
}

// largest is the largest of most and all |w|.
func largest[T float32 | float64](most T, w []T) T {
	for _, v := range w {
		most = larger(most, v)
	}
	return most
}

func checkWeights[T float32 | float64](w, z []T) {
	if len(w) != len(z) {
		misfit("Repel, Shrink or Divide", len(w), len(z))
	}
}

func checkLargest[T float32 | float64](most []T) {
	if len(most) != Group {
		misfit("Largest", len(most))
	}
}
