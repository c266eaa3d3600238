#include "include/ganglion.cuh"

// A warp for each sample: the largest logit, Σ exp(x − top), Σ t′ and Σ t′·(x − top).
template <class T> struct Row {
	T top, sum, mass, dot;
};

template <class T> __device__ T smoothed(T t, T smoothing, int classes) { return (1 - smoothing) * t + smoothing / classes; }

template <class T> __device__ Row<T> row(const T *x, const T *t, T smoothing, int classes, int lane) {
	Row<T> r = {-infinity<T>(), 0, 0, 0};
	for (int j = lane; j < classes; j += 32) r.top = max_(r.top, x[j]);
	r.top = warpReduce<Largest>(r.top);
	for (int j = lane; j < classes; j += 32) {
		T w = smoothed(t[j], smoothing, classes), d = x[j] - r.top;
		r.sum += exp_(d);
		r.mass += w;
		r.dot += w * d;
	}
	r.sum = warpReduce<Sum>(r.sum);
	r.mass = warpReduce<Sum>(r.mass);
	r.dot = warpReduce<Sum>(r.dot);
	return r;
}

// softlosses writes the loss of each sample.
template <class T> __device__ void softlosses(T smoothing, int n, int classes, const T *x, const T *t, T *loss) {
	int lane = threadIdx.x % 32;
	for (int i = (blockIdx.x * blockDim.x + threadIdx.x) / 32; i < n; i += gridDim.x * blockDim.x / 32) {
		i64 at = (i64)i * classes;
		Row<T> r = row(x + at, t + at, smoothing, classes, lane);
		if (lane == 0) loss[i] = classes == 0 ? T(0) : r.mass * log_(r.sum) - r.dot;
	}
}

BOTH(softlosses, (T smoothing, int n, int classes, const T *x, const T *t, T *loss), (smoothing, n, classes, x, t, loss))

// softgradient is (softmax(x)·Σ t′ − t′)·dout/n.
template <class T>
__device__ void softgradient(T smoothing, int n, int classes, const T *x, const T *t, const T *dout, T *dx) {
	int lane = threadIdx.x % 32;
	for (int i = (blockIdx.x * blockDim.x + threadIdx.x) / 32; i < n; i += gridDim.x * blockDim.x / 32) {
		i64 at = (i64)i * classes;
		Row<T> r = row(x + at, t + at, smoothing, classes, lane);
		T scale = dout[0] / n;
		for (int j = lane; j < classes; j += 32)
			dx[at + j] = (exp_(x[at + j] - r.top) / r.sum * r.mass - smoothed(t[at + j], smoothing, classes)) * scale;
	}
}

BOTH(softgradient, (T smoothing, int n, int classes, const T *x, const T *t, const T *dout, T *dx),
     (smoothing, n, classes, x, t, dout, dx))
