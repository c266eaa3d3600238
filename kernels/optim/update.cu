// One sweep over the block [parameters | slots] of n numbers each. A step whose flag ok is not above 0 leaves the block
// as it is. hyper holds rate and step.
#include "include/ganglion.cuh"

// Adam (update.go); decay is that of AdamW. Neither the powers nor the division by 1 − βᵗ are done for each parameter.
template <class T>
__device__ void adam(double beta1, double beta2, double eps, double decay, i64 n, const T *z, const T *g,
                     const T *hyper, const T *ok, T *out) {
	__shared__ T shared[3];
	bool apply = ok[0] > 0;
	if (threadIdx.x == 0) {
		double rate = hyper[0], t = hyper[1];
		shared[0] = (T)(rate / (1 - pow(beta1, t)));
		shared[1] = (T)(1 / sqrt(1 - pow(beta2, t)));
		shared[2] = (T)(1 - rate * decay);
	}
	__syncthreads();
	T step = shared[0], scale = shared[1], keep = shared[2];
	T b1 = (T)beta1, rest1 = (T)(1 - beta1), b2 = (T)beta2, rest2 = (T)(1 - beta2);
	EACH(i, n) {
		T p = z[i], m = z[n + i], v = z[2 * n + i];
		if (apply) {
			T d = g[i];
			m = b1 * m + rest1 * d;
			v = b2 * v + rest2 * d * d;
			p = keep * p - step * m / (sqrt_(v) * scale + (T)eps);
		}
		out[i] = p;
		out[n + i] = m;
		out[2 * n + i] = v;
	}
}

BOTH(adam,
     (double beta1, double beta2, double eps, double decay, i64 n, const T *z, const T *g, const T *hyper, const T *ok,
      T *out),
     (beta1, beta2, eps, decay, n, z, g, hyper, ok, out))

template <class T>
__device__ void sgd(T momentum, T decay, int nesterov, i64 n, const T *z, const T *g, const T *hyper, const T *ok,
                    T *out) {
	bool apply = ok[0] > 0;
	T rate = hyper[0];
	EACH(i, n) {
		T p = z[i], m = momentum > 0 ? z[n + i] : T(0);
		if (apply) {
			T d = g[i] + decay * p;
			m = momentum * m + d;
			p -= rate * (nesterov ? d + momentum * m : m);
		}
		out[i] = p;
		if (momentum > 0) out[n + i] = m;
	}
}

BOTH(sgd,
     (T momentum, T decay, int nesterov, i64 n, const T *z, const T *g, const T *hyper, const T *ok, T *out),
     (momentum, decay, nesterov, n, z, g, hyper, ok, out))

// keep copies next, or state if the flag ok is 0.
template <class T> __device__ void keep(i64 n, const T *state, const T *next, const T *ok, T *out) {
	const T *from = ok[0] == 0 ? state : next;
	EACH(i, n) out[i] = from[i];
}

BOTH(keep, (i64 n, const T *state, const T *next, const T *ok, T *out), (n, state, next, ok, out))
