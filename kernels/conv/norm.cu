// A block of 256 threads takes a row, or a channel; sums are taken in one fixed order.
#include "include/ganglion.cuh"

// Spread is the mean of a row and 1/√(variance + eps).
template <class T> struct Spread {
	T mean, inv;
};

// element is the place of element i of row r: rows are contiguous when strides are 0, else a row is a channel of signals
// [batch, channels, plane].
inline __device__ i64 element(i64 r, i64 i, i64 n, i64 channels, i64 plane) {
	if (channels == 0) return r * n + i;
	i64 image = i / plane;
	return (image * channels + r) * plane + (i - image * plane);
}

// moments returns the mean and Σ (x − mean)² of a row.
template <class T>
__device__ Spread<T> moments(i64 r, i64 n, i64 channels, i64 plane, const T *x, T *part) {
	T s = 0, q = 0;
	for (i64 i = threadIdx.x; i < n; i += 256) s += x[element(r, i, n, channels, plane)];
	T mean = blockReduce<Sum>(s, part) / (T)n;
	for (i64 i = threadIdx.x; i < n; i += 256) {
		T d = x[element(r, i, n, channels, plane)] - mean;
		q += d * d;
	}
	return {mean, blockReduce<Sum>(q, part)};
}

template <class T> __device__ Spread<T> spread(i64 r, i64 n, double eps, const T *x, T *part) {
	Spread<T> m = moments(r, n, 0, 0, x, part);
	return {m.mean, 1 / sqrt_(m.inv / (T)n + (T)eps)};
}

// channels writes mean and variance of each channel.
template <class T> __device__ void channels(i64 count, i64 n, i64 plane, const T *x, T *y) {
	__shared__ T part[32];
	for (i64 c = blockIdx.x; c < count; c += gridDim.x) {
		Spread<T> m = moments(c, n, count, plane, x, part);
		if (threadIdx.x == 0) {
			y[c] = m.mean;
			y[count + c] = m.inv / (T)n;
		}
	}
}
BOTH(channels, (i64 count, i64 n, i64 plane, const T *x, T *y), (count, n, plane, x, y))

// sums writes Σ (x − shift)·y and Σ y of each channel.
template <class T>
__device__ void sums(i64 count, i64 n, i64 plane, const T *x, const T *shift, const T *y, T *out) {
	__shared__ T part[32];
	for (i64 c = blockIdx.x; c < count; c += gridDim.x) {
		T m = shift[c], s = 0, d = 0;
		for (i64 i = threadIdx.x; i < n; i += 256) {
			i64 at = element(c, i, n, count, plane);
			T v = y[at];
			s += (x[at] - m) * v;
			d += v;
		}
		s = blockReduce<Sum>(s, part);
		d = blockReduce<Sum>(d, part);
		if (threadIdx.x == 0) {
			out[c] = s;
			out[count + c] = d;
		}
	}
}
BOTH(sums, (i64 count, i64 n, i64 plane, const T *x, const T *shift, const T *y, T *out),
     (count, n, plane, x, shift, y, out))

// affine is (x − shift)·scale + bias by channel.
template <class T>
__device__ void affine(i64 count, i64 plane, i64 n, const T *x, const T *shift, const T *scale, const T *bias, T *y) {
	EACH(i, n) {
		i64 c = i / plane % count;
		y[i] = (x[i] - shift[c]) * scale[c] + bias[c];
	}
}
BOTH(affine,
     (i64 count, i64 plane, i64 n, const T *x, const T *shift, const T *scale, const T *bias, T *y),
     (count, plane, n, x, shift, scale, bias, y))

// rowmean writes the mean of each of count rows to all of its elements.
template <class T> __device__ void rowmean(i64 count, i64 n, const T *x, T *y) {
	__shared__ T part[32];
	for (i64 r = blockIdx.x; r < count; r += gridDim.x) {
		T s = 0;
		for (i64 i = threadIdx.x; i < n; i += 256) s += x[r * n + i];
		s = blockReduce<Sum>(s, part) / (T)n;
		for (i64 i = threadIdx.x; i < n; i += 256) y[r * n + i] = s;
	}
}
BOTH(rowmean, (i64 count, i64 n, const T *x, T *y), (count, n, x, y))

// standardise writes x̂·gamma + beta. gamma and beta may be missing; they belong to element i of a row if period is 0,
// else to the channel, of which each has period elements.
template <class T>
__device__ void standardise(i64 count, i64 n, double eps, i64 period, i64 channels, const T *x, const T *gamma,
                            const T *beta, T *y) {
	__shared__ T part[32];
	for (i64 r = blockIdx.x; r < count; r += gridDim.x) {
		Spread<T> m = spread(r, n, eps, x, part);
		for (i64 i = threadIdx.x; i < n; i += 256) {
			T v = (x[r * n + i] - m.mean) * m.inv;
			if (gamma) {
				i64 c = period == 0 ? i : (r * n + i) / period % channels;
				v = v * gamma[c] + beta[c];
			}
			y[r * n + i] = v;
		}
	}
}
BOTH(standardise,
     (i64 count, i64 n, double eps, i64 period, i64 channels, const T *x, const T *gamma, const T *beta, T *y),
     (count, n, eps, period, channels, x, gamma, beta, y))

// slope is the gradient of standardise (without gamma): (u − mean(u) − x̂·mean(u·x̂))/√(variance + eps).
template <class T> __device__ void slope(i64 count, i64 n, double eps, const T *x, const T *u, T *y) {
	__shared__ T part[32];
	for (i64 r = blockIdx.x; r < count; r += gridDim.x) {
		Spread<T> m = spread(r, n, eps, x, part);
		T s = 0, b = 0;
		for (i64 i = threadIdx.x; i < n; i += 256) {
			T v = u[r * n + i];
			s += v;
			b += v * ((x[r * n + i] - m.mean) * m.inv);
		}
		s = blockReduce<Sum>(s, part) / (T)n;
		b = blockReduce<Sum>(b, part) / (T)n;
		for (i64 i = threadIdx.x; i < n; i += 256)
			y[r * n + i] = (u[r * n + i] - s - (x[r * n + i] - m.mean) * m.inv * b) * m.inv;
	}
}
BOTH(slope, (i64 count, i64 n, double eps, const T *x, const T *u, T *y), (count, n, eps, x, u, y))
