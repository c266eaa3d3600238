#include "include/ganglion.cuh"

// complain counts an index that is out of range. The numbers are whole: the order does not matter.
inline __device__ void complain(u32 *report, int n) {
	atomicMax(report, 2u);
	atomicMax(report + 1, (u32)n);
	atomicAdd(report + 2, 1);
}

// gather copies rows of d elements out of n.
template <class T> __device__ void gather(i64 count, i64 n, i64 d, const T *x, const int *idx, T *y, u32 *report) {
	EACH(i, count * d) {
		i64 k = i / d, j = i - k * d, r = idx[k];
		bool good = r >= 0 && r < n;
		if (!good && j == 0) complain(report, count);
		y[i] = good ? x[r * d + j] : T(0) * infinity<T>();
	}
}

BOTH(gather, (i64 count, i64 n, i64 d, const T *x, const int *idx, T *y, u32 *report), (count, n, d, x, idx, y, report))
