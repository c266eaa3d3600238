#include "include/ganglion.cuh"

// reduce joins x [outer, n, inner] over the middle dimension in parts of rows: y [outer, parts, inner]. A block takes 32
// columns (blockIdx.x) of one part (blockIdx.y) of one outer index (blockIdx.z, and on). Its 8 rows of threads each join
// every eighth row, and are joined in order. The result is divided by count.
template <class R, class T>
__device__ void columns(i64 outer, i64 n, i64 inner, i64 rows, T count, const T *x, T *y) {
	__shared__ T part[8][32];
	i64 parts = max((n + rows - 1) / rows, 1LL), j = (i64)blockIdx.x * 32 + threadIdx.x;
	for (i64 o = blockIdx.z; o < outer; o += gridDim.z) {
		for (i64 p = blockIdx.y; p < parts; p += gridDim.y) {
			i64 end = min(n, (p + 1) * rows);
			T v = R::template start<T>();
			if (j < inner) {
				for (i64 i = p * rows + threadIdx.y; i < end; i += 8) v = R::join(v, x[(o * n + i) * inner + j]);
			}
			part[threadIdx.y][threadIdx.x] = v;
			__syncthreads();
			if (threadIdx.y == 0 && j < inner) {
				for (int k = 1; k < 8; k++) v = R::join(v, part[k][threadIdx.x]);
				y[(o * parts + p) * inner + j] = count == 1 ? v : v / count;
			}
			__syncthreads();
		}
	}
}

// lines is the same for inner = 1: a block of 256 threads takes one part (blockIdx.y) of one line (blockIdx.z, and on).
template <class R, class T> __device__ void lines(i64 outer, i64 n, i64 rows, T count, const T *x, T *y) {
	__shared__ T part[32];
	i64 parts = max((n + rows - 1) / rows, 1LL); // a sum over nothing is written too
	for (i64 o = blockIdx.z; o < outer; o += gridDim.z) {
		for (i64 p = blockIdx.y; p < parts; p += gridDim.y) {
			i64 end = min(n, (p + 1) * rows);
			T v = R::template start<T>();
			for (i64 i = p * rows + threadIdx.x; i < end; i += 256) v = R::join(v, x[o * n + i]);
			v = blockReduce<R>(v, part);
			if (threadIdx.x == 0) y[o * parts + p] = count == 1 ? v : v / count;
		}
	}
}

template <class T>
__device__ void reduce(int kind, i64 outer, i64 n, i64 inner, i64 rows, T count, const T *x, T *y) {
	if (inner == 1) {
		switch (kind) {
		case 5: return lines<Largest>(outer, n, rows, count, x, y);
		case 6: return lines<Smallest>(outer, n, rows, count, x, y);
		}
		return lines<Sum>(outer, n, rows, count, x, y);
	}
	switch (kind) {
	case 5: return columns<Largest>(outer, n, inner, rows, count, x, y);
	case 6: return columns<Smallest>(outer, n, inner, rows, count, x, y);
	}
	columns<Sum>(outer, n, inner, rows, count, x, y);
}

BOTH(reduce, (int kind, i64 outer, i64 n, i64 inner, i64 rows, T count, const T *x, T *y),
     (kind, outer, n, inner, rows, count, x, y))

// brief joins short runs: a thread for each result.
template <class R, class T> __device__ void brief(i64 results, i64 n, i64 inner, T count, const T *x, T *y) {
	EACH(e, results) {
		const T *from = x + e / inner * n * inner + e % inner;
		T v = R::template start<T>();
		for (i64 i = 0; i < n; i++) v = R::join(v, from[i * inner]);
		y[e] = count == 1 ? v : v / count;
	}
}

template <class T> __device__ void few(int kind, i64 results, i64 n, i64 inner, T count, const T *x, T *y) {
	switch (kind) {
	case 5: return brief<Largest>(results, n, inner, count, x, y);
	case 6: return brief<Smallest>(results, n, inner, count, x, y);
	}
	brief<Sum>(results, n, inner, count, x, y);
}

BOTH(few, (int kind, i64 results, i64 n, i64 inner, T count, const T *x, T *y), (kind, results, n, inner, count, x, y))
