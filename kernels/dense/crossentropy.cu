#include "include/ganglion.cuh"

// A warp for each sample. bad counts the labels that are out of range.
template <class T> struct Row {
	T top, sum, total; // largest logit, Σ exp(x − top), Σ (x − top)
};

template <class T> __device__ Row<T> row(const T *x, int classes, int lane) {
	Row<T> r = {-infinity<T>(), 0, 0};
	for (int j = lane; j < classes; j += 32) r.top = max_(r.top, x[j]);
	r.top = warpReduce<Largest>(r.top);
	for (int j = lane; j < classes; j += 32) {
		r.sum += exp_(x[j] - r.top);
		r.total += x[j] - r.top;
	}
	r.sum = warpReduce<Sum>(r.sum);
	r.total = warpReduce<Sum>(r.total);
	return r;
}

// complain says in the report that a label was out of range. The numbers are whole: the order does not matter.
inline __device__ void complain(u32 *report, int n) {
	atomicMax(report, 2u);
	atomicMax(report + 1, (u32)n);
	atomicAdd(report + 2, 1);
}

// losses writes the loss of each sample.
template <class T>
__device__ void losses(T smoothing, int n, int classes, const T *x, const int *labels, T *loss, u32 *report) {
	int lane = threadIdx.x % 32;
	for (int i = (blockIdx.x * blockDim.x + threadIdx.x) / 32; i < n; i += gridDim.x * blockDim.x / 32) {
		int label = labels[i];
		if (label < 0 || label >= classes) {
			if (lane == 0) {
				loss[i] = T(0) * infinity<T>();
				complain(report, n);
			}
			continue;
		}
		const T *from = x + (i64)i * classes;
		Row<T> r = row(from, classes, lane);
		if (lane == 0)
			loss[i] = log_(r.sum) + (1 - smoothing) * (r.top - from[label]) -
			          (smoothing == 0 ? T(0) : smoothing * (r.total / classes));
	}
}

BOTH(losses, (T smoothing, int n, int classes, const T *x, const int *labels, T *loss, u32 *report),
     (smoothing, n, classes, x, labels, loss, report))

// gradient is (softmax(x) − t)·dout/n; it may lie over x.
template <class T>
__device__ void gradient(T smoothing, int n, int classes, const T *x, const int *labels, const T *dout, T *dx,
                         u32 *report) {
	int lane = threadIdx.x % 32;
	for (int i = (blockIdx.x * blockDim.x + threadIdx.x) / 32; i < n; i += gridDim.x * blockDim.x / 32) {
		int label = labels[i];
		bool good = label >= 0 && label < classes;
		if (!good && lane == 0) complain(report, n);
		const T *from = x + (i64)i * classes;
		Row<T> r = row(from, classes, lane);
		T scale = dout[0] / n;
		for (int j = lane; j < classes; j += 32) {
			T t = smoothing / classes + (j == label ? 1 - smoothing : T(0));
			T v = (exp_(from[j] - r.top) / r.sum - t) * scale;
			dx[(i64)i * classes + j] = good ? v : T(0) * infinity<T>();
		}
	}
}

BOTH(gradient,
     (T smoothing, int n, int classes, const T *x, const int *labels, const T *dout, T *dx, u32 *report),
     (smoothing, n, classes, x, labels, dout, dx, report))
