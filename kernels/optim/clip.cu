#include "include/ganglion.cuh"

// ready sets the flag.
KERNEL ready(u32 *flag) { flag[0] = 1; }

// scan clears the flag if an element is not finite.
template <class T> __device__ void scan(i64 n, const T *x, u32 *flag) {
	bool bad = false;
	EACH(i, n) bad |= !finite(x[i]);
	if (bad) atomicAnd(flag, 0u);
}

BOTH(scan, (i64 n, const T *x, u32 *flag), (n, x, flag))

KERNEL answer_f32(const u32 *flag, float *y) { y[0] = (float)flag[0]; }
KERNEL answer_f64(const u32 *flag, double *y) { y[0] = (double)flag[0]; }

// squares writes the sum of the squares of each part of rows elements, a block of 256 threads for each.
template <class T> __device__ void squares(i64 n, i64 rows, const T *x, double *sums) {
	__shared__ double part[32];
	i64 end = min(n, (blockIdx.x + 1) * rows);
	double s = 0;
	for (i64 i = blockIdx.x * rows + threadIdx.x; i < end; i += 256) s += (double)x[i] * x[i];
	s = blockReduce<Sum>(s, part);
	if (threadIdx.x == 0) sums[blockIdx.x] = s;
}

BOTH(squares, (i64 n, i64 rows, const T *x, double *sums), (n, rows, x, sums))

// limit scales x so that the norm, of which sums holds the squares in parts, is at most most.
template <class T> __device__ void limit(double most, int parts, i64 n, const double *sums, const T *x, T *y) {
	__shared__ double part[32];
	double s = 0;
	for (int i = threadIdx.x; i < parts; i += 256) s += sums[i];
	double norm = sqrt(blockReduce<Sum>(s, part));
	T f = norm <= most ? T(1) : (T)(most / norm);
	EACH(i, n) y[i] = f * x[i];
}

BOTH(limit, (double most, int parts, i64 n, const double *sums, const T *x, T *y), (most, parts, n, sums, x, y))

// clamp limits every element to [−most, most]; NaN stays NaN.
template <class T> __device__ void clamp(T most, i64 n, const T *x, T *y) {
	EACH(i, n) y[i] = max_(-most, min_(most, x[i]));
}

BOTH(clamp, (T most, i64 n, const T *x, T *y), (most, n, x, y))
