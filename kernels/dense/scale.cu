#include "include/ganglion.cuh"

template <class T> __device__ void scale(T alpha, T beta, i64 n, const T *x, T *y) {
	EACH(i, n) y[i] = alpha * x[i] + beta;
}

BOTH(scale, (T alpha, T beta, i64 n, const T *x, T *y), (alpha, beta, n, x, y))
