#include "include/ganglion.cuh"

// argmax takes a line whose elements are inner apart in a thread. A NaN is larger than all; of equals the first wins.
template <class T> __device__ void argmax(i64 count, int n, i64 inner, const T *x, int *y) {
	EACH(l, count) {
		const T *from = x + l / inner * n * inner + l % inner;
		T best = from[0];
		int at = 0;
		for (int i = 1; i < n && best == best; i++) {
			T v = from[i * inner];
			if (!(v <= best)) {
				best = v;
				at = i;
			}
		}
		y[l] = at;
	}
}

BOTH(argmax, (i64 count, int n, i64 inner, const T *x, int *y), (count, n, inner, x, y))
