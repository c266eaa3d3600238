#include "dense/walk.cuh"

// apply is x ∘ y; the numbers of the cases are those of Kind.
template <class T> __device__ T apply(int kind, T x, T y) {
	switch (kind) {
	case 0: return x + y;
	case 1: return x - y;
	case 2: return x * y;
	case 3: return x / y;
	case 4: return pow_(x, y);
	case 5: return max_(x, y);
	case 6: return min_(x, y);
	case 7: return x < y;
	case 8: return x > y;
	case 9: return x <= y;
	case 10: return x >= y;
	case 11: return x == y;
	}
	return x != y;
}

template <class T> __device__ void binary(int kind, Walk w, i64 n, const T *x, const T *y, T *z) {
	EACH(i, n) {
		At p = at(w, i);
		z[i] = apply(kind, x[p.a], y[p.b]);
	}
}

BOTH(binary, (int kind, Walk w, i64 n, const T *x, const T *y, T *z), (kind, w, n, x, y, z))
