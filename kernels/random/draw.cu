// A thread draws the four numbers of a block. The arithmetic is that of the processor, in float64 and without fused
// operations, so that the numbers are the same.
#include "random/philox.cuh"

struct UniformRule {
	double lo, range;
	__device__ void draw(const u32 *w, double *v) const {
		for (int j = 0; j < 4; j++) v[j] = __dadd_rn(lo, __dmul_rn(range, unit(w[j])));
	}
};

struct BernoulliRule {
	double p, unused;
	__device__ void draw(const u32 *w, double *v) const {
		for (int j = 0; j < 4; j++) v[j] = unit(w[j]) < p;
	}
};

struct NormalRule {
	double mean, std;
	__device__ void draw(const u32 *w, double *v) const {
		for (int j = 0; j < 4; j += 2) {
			double r = std * sqrt(-2 * log((w[j] + 0.5) * (1.0 / 4294967296.0))), s, c;
			sincospi(w[j + 1] * (2.0 / 4294967296.0), &s, &c);
			v[j] = __dadd_rn(mean, __dmul_rn(r, c));
			v[j + 1] = __dadd_rn(mean, __dmul_rn(r, s));
		}
	}
};

template <class R, class T> __device__ void draw(const R &rule, u32 stream, i64 n, const int *key, T *y) {
	EACH(b, (n + 3) / 4) {
		Words r = words(key, stream, b);
		double v[4];
		rule.draw(r.w, v);
		for (int j = 0; j < 4 && 4 * b + j < n; j++) y[4 * b + j] = (T)v[j];
	}
}

#define RULE(name, Rule)                                                                                               \
	KERNEL name##_f32(double a, double b, u32 stream, i64 n, const int *key, float *y) {                                \
		draw(Rule{a, b}, stream, n, key, y);                                                                             \
	}                                                                                                                  \
	KERNEL name##_f64(double a, double b, u32 stream, i64 n, const int *key, double *y) {                               \
		draw(Rule{a, b}, stream, n, key, y);                                                                             \
	}

RULE(uniform, UniformRule)
RULE(bernoulli, BernoulliRule)
RULE(normal, NormalRule)

// dropout keeps an element whose number is least at least, and multiplies it by scale.
template <class T> __device__ void dropout(u32 least, T scale, u32 stream, i64 n, const int *key, const T *x, T *y) {
	EACH(b, (n + 3) / 4) {
		Words r = words(key, stream, b);
		for (int j = 0; j < 4 && 4 * b + j < n; j++) {
			T v = x[4 * b + j] * scale;
			y[4 * b + j] = r.w[j] >> 8 >= least ? v : T(0);
		}
	}
}

BOTH(dropout, (u32 least, T scale, u32 stream, i64 n, const int *key, const T *x, T *y),
     (least, scale, stream, n, key, x, y))
