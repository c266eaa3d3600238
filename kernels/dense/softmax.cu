#include "include/ganglion.cuh"

// lines works on lines that are contiguous, a warp for each.
template <class T> __device__ void lines(int logarithm, i64 count, int n, const T *x, T *y) {
	int lane = threadIdx.x % 32;
	for (i64 l = ((i64)blockIdx.x * blockDim.x + threadIdx.x) / 32; l < count; l += (i64)gridDim.x * blockDim.x / 32) {
		const T *from = x + l * n;
		T top = -infinity<T>(), sum = 0;
		for (int i = lane; i < n; i += 32) top = max_(top, from[i]);
		top = warpReduce<Largest>(top);
		for (int i = lane; i < n; i += 32) sum += exp_(from[i] - top);
		sum = warpReduce<Sum>(sum);
		T shift = log_(sum);
		for (int i = lane; i < n; i += 32) {
			T d = from[i] - top;
			y[l * n + i] = logarithm ? d - shift : exp_(d) / sum;
		}
	}
}

// columns works on lines whose elements are inner apart, a thread for each.
template <class T> __device__ void columns(int logarithm, i64 count, int n, i64 inner, const T *x, T *y) {
	EACH(l, count) {
		i64 first = l / inner * n * inner + l % inner;
		T top = -infinity<T>(), sum = 0;
		for (int i = 0; i < n; i++) top = max_(top, x[first + i * inner]);
		for (int i = 0; i < n; i++) sum += exp_(x[first + i * inner] - top);
		T shift = log_(sum);
		for (int i = 0; i < n; i++) {
			T d = x[first + i * inner] - top;
			y[first + i * inner] = logarithm ? d - shift : exp_(d) / sum;
		}
	}
}

template <class T> __device__ void softmax(int logarithm, i64 count, int n, i64 inner, const T *x, T *y) {
	if (inner == 1) lines(logarithm, count, n, x, y);
	else columns(logarithm, count, n, inner, x, y);
}

BOTH(softmax, (int logarithm, i64 count, int n, i64 inner, const T *x, T *y), (logarithm, count, n, inner, x, y))
