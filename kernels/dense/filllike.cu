#include "include/ganglion.cuh"

template <class T> __device__ void fill(T value, i64 n, T *y) {
	EACH(i, n) y[i] = value;
}

BOTH(fill, (T value, i64 n, T *y), (value, n, y))
