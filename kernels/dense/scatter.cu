// Rows that are added, or put, at given places. The entries of each place are brought into ascending order first, so that
// sums are taken in the order of the entries. Whole numbers may be counted in any order.
#include "include/ganglion.cuh"

// reset clears bad and the counters.
KERNEL reset(i64 n, int *bad, int *start) {
	EACH(i, n + 1) start[i] = 0;
	if (blockIdx.x == 0 && threadIdx.x == 0) bad[0] = 0;
}

// count counts the entries of each place, one behind: start[r+1].
KERNEL count(i64 m, int n, const int *idx, int *bad, int *start, u32 *report) {
	EACH(i, m) {
		int r = idx[i];
		if (r < 0 || r >= n) {
			atomicAdd(bad, 1);
			atomicMax(report, 2u);
			atomicMax(report + 1, (u32)m);
			atomicAdd(report + 2, 1u);
		} else {
			atomicAdd(start + r + 1, 1);
		}
	}
}

// offsets turns the counts into where the entries of each place begin; one block of 256 threads. next gets a copy.
KERNEL offsets(i64 n, int *start, int *next) {
	__shared__ int sums[256];
	int carry = 0;
	for (i64 base = 0; base <= n; base += 256) {
		i64 i = base + threadIdx.x;
		sums[threadIdx.x] = i <= n ? start[i] : 0;
		__syncthreads();
		for (int d = 1; d < 256; d *= 2) {
			int v = threadIdx.x >= d ? sums[threadIdx.x - d] : 0;
			__syncthreads();
			sums[threadIdx.x] += v;
			__syncthreads();
		}
		if (i <= n) {
			start[i] = carry + sums[threadIdx.x];
			if (i < n) next[i] = carry + sums[threadIdx.x];
		}
		carry += sums[255];
		__syncthreads();
	}
}

// enter lists the entries of each place, in any order.
KERNEL enter(i64 m, int n, const int *idx, int *next, int *list) {
	EACH(i, m) {
		int r = idx[i];
		if (r >= 0 && r < n) list[atomicAdd(next + r, 1)] = (int)i;
	}
}

// sink restores the heap below root i of n elements.
inline __device__ void sink(int *a, int i, int n) {
	int v = a[i];
	for (int c = 2 * i + 1; c < n; i = c, c = 2 * i + 1) {
		if (c + 1 < n && a[c + 1] > a[c]) c++;
		if (a[c] <= v) break;
		a[i] = a[c];
	}
	a[i] = v;
}

// order sorts the entries of each place, a thread for each, by a heap: in place, and in n·log n steps at the worst.
KERNEL order(i64 n, const int *start, int *list) {
	EACH(r, n) {
		int *a = list + start[r], m = start[r + 1] - start[r];
		for (int i = m / 2 - 1; i >= 0; i--) sink(a, i, m);
		for (int i = m - 1; i > 0; i--) {
			int top = a[0];
			a[0] = a[i];
			a[i] = top;
			sink(a, 0, i);
		}
	}
}

// gathered sums the rows of d elements of v for each place; all is NaN if an index was bad.
template <class T>
__device__ void gathered(i64 n, i64 d, const T *v, const int *bad, const int *start, const int *list, T *y) {
	bool fails = bad[0] != 0;
	EACH(i, n * d) {
		i64 r = i / d, j = i - r * d;
		T s = 0;
		for (int k = start[r]; k < start[r + 1]; k++) s += v[list[k] * d + j];
		y[i] = fails ? T(0) * infinity<T>() : s;
	}
}
BOTH(gathered, (i64 n, i64 d, const T *v, const int *bad, const int *start, const int *list, T *y),
     (n, d, v, bad, start, list, y))

// replaced takes the last row of v for each place that has one, else the row of x; y may lie over x.
template <class T>
__device__ void replaced(i64 n, i64 d, const T *x, const T *v, const int *bad, const int *start, const int *list, T *y) {
	bool fails = bad[0] != 0;
	EACH(i, n * d) {
		i64 r = i / d, j = i - r * d;
		int last = start[r + 1];
		T s = last > start[r] ? v[list[last - 1] * d + j] : x[i];
		y[i] = fails ? T(0) * infinity<T>() : s;
	}
}
BOTH(replaced, (i64 n, i64 d, const T *x, const T *v, const int *bad, const int *start, const int *list, T *y),
     (n, d, x, v, bad, start, list, y))
