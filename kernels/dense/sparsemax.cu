#include "include/ganglion.cuh"

// sparsemax takes a warp for each row. The threshold rises from that of all elements less than 1 below the largest to
// that of the elements above it, until their number stays.
template <class T> __device__ void sparsemax(i64 rows, int n, const T *x, T *y) {
	int lane = threadIdx.x % 32;
	for (i64 r = ((i64)blockIdx.x * blockDim.x + threadIdx.x) / 32; r < rows; r += (i64)gridDim.x * blockDim.x / 32) {
		const T *from = x + r * n;
		T top = -infinity<T>();
		for (int i = lane; i < n; i += 32) top = max_(top, from[i]);
		top = warpReduce<Largest>(top);
		T tau = -1;
		for (int before = n + 1;;) {
			T sum = 0;
			int count = 0;
			for (int i = lane; i < n; i += 32) {
				T d = from[i] - top;
				if (d > tau) {
					sum += d;
					count++;
				}
			}
			sum = warpReduce<Sum>(sum);
			count = warpReduce<Sum>(count);
			if (count >= before) break;
			tau = (sum - 1) / count;
			before = count;
		}
		for (int i = lane; i < n; i += 32) y[r * n + i] = max_(from[i] - top - tau, (T)0);
	}
}

BOTH(sparsemax, (i64 rows, int n, const T *x, T *y), (rows, n, x, y))
