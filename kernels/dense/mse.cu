#include "include/ganglion.cuh"

// squares writes Σ (x − y)² over each part of rows elements, a block of 256 threads for each.
template <class T> __device__ void squares(i64 n, i64 rows, const T *x, const T *y, T *sums) {
	__shared__ T part[32];
	i64 parts = (n + rows - 1) / rows;
	for (i64 p = blockIdx.x; p < parts; p += gridDim.x) {
		i64 end = min(n, (p + 1) * rows);
		T s = 0;
		for (i64 i = p * rows + threadIdx.x; i < end; i += 256) {
			T d = x[i] - y[i];
			s += d * d;
		}
		s = blockReduce<Sum>(s, part);
		if (threadIdx.x == 0) sums[p] = s;
	}
}

BOTH(squares, (i64 n, i64 rows, const T *x, const T *y, T *sums), (n, rows, x, y, sums))
