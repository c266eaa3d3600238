#include "dense/walk.cuh"

// broadcast repeats x, divided by copies. The second strides of the walk are unused.
template <class T> __device__ void broadcast(Walk w, T copies, i64 n, const T *x, T *y) {
	EACH(i, n) {
		T v = x[at(w, i).a];
		y[i] = copies == 1 ? v : v / copies;
	}
}

BOTH(broadcast, (Walk w, T copies, i64 n, const T *x, T *y), (w, copies, n, x, y))
