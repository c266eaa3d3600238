// One module for one sample, solved by a team of threads: what system.go, iterate.go and picard.go do for a block of
// samples, with the same tests and limits. A thread owns the elements r ≡ its rank of every vector; what others read is
// written before a sync.
#pragma once
#include "act/act.cuh"
#include "random/philox.cuh"
#include "structure.cuh"
#include "team.cuh"

enum { NONLINEAR, TANGENT, ADJOINT };                         // the kinds of system.go
enum { AUTO, NEWTON, FIXEDPOINT, ANDERSON, BROYDEN, NOTHING }; // the methods of method.go
enum { FINE, NOT_CONVERGED, DIVERGED, SINGULAR };             // kernels.Status
enum { OPEN, SOLVED, BAD };

const int MIXED = 5;       // mixed of anderson.go
const int REMEMBERED = 10; // remembered of broyden.go
const int MIXING = MIXED * (MIXED + 2);

// value and slope are f and f′, compiled once.
template <class T> __noinline__ __device__ T value(int f, T x) { return act::eval(f, 0, x); }
template <class T> __noinline__ __device__ T slope(int f, T x) { return act::eval(f, 1, x); }

// System is what all modules and samples share.
template <class T> struct System {
	Layout l;
	const int *ptr, *mid;  // of the edges of a row of M: its node's sources, or destinations for the adjoint
	const int *index;      // where the other end lies: its position, within the module for inner edges
	const T *value;        // the weights of the edges
	const int *inner;      // inner edges of each module
	const T *dense;        // dense modules: entry (r, k) of module m is at ModulePtr[m]·p + k·n + r
	int kind, f, method, maxIter, p;
	T tol, beta;

	__device__ System(const int *s, int p) : l(s, p) {}
	__device__ int limit(int byDefault) const { return maxIter > 0 ? maxIter : byDefault; }
};

// isDense says whether a module is multiplied as a full matrix.
inline __device__ bool isDense(int n, int inner) { return n >= 8 && 5 * (i64)inner >= 2 * (i64)n * n; }

// Tally is what a thread has to report at the end.
struct Tally {
	u32 status = 0, samples = 0, failed = 0, worst = 0, iterations = 0, total = 0;

	// residual takes in a residual: rounded down if it passed the test, so that it still passes it, else up.
	__device__ void residual(double v, bool passed) {
		float w = passed ? __double2float_rd(v) : __double2float_ru(v);
		worst = max(worst, v != v ? 0x7fc00000u : __float_as_uint(w));
	}
	__device__ void fail(int why, double v) {
		failed++;
		status = max(status, (u32)why);
		residual(v, false);
	}
	__device__ void flush(u32 *report) const {
		if (failed > 0) {
			atomicMax(report, status);
			atomicAdd(report + 2, failed);
		}
		if (samples > 0) {
			atomicAdd(report + 1, samples);
			atomicMax(report + 4, iterations);
			atomicAdd(report + 5, total);
		}
		atomicMax(report + 3, worst);
	}
};

// The vectors of p elements that a sample has; VEC_PAST is the first of the histories (see vectorsDevice).
enum { VEC_Z, VEC_F, VEC_D, VEC_C, VEC_X, VEC_G, VEC_Y, VEC_H, VEC_STEP, VEC_SEEN, VEC_PAST };

template <class T> struct Watch {
	int limit, step, at;
	double patience;
	T least, mark;
};

template <class T, class Team> struct Module {
	const System<T> &q;
	int m, first, n;
	bool full; // multiplied as a matrix
	T *z, *d, *c, *x, *g, *y, *h, *step, *seen, *history, *jac, *mix, *part;

	int state, status, iters;
	T best, worst; // of the iterate in z: residual, and that relative to its size
	T res, norm;   // what measure found

	// The vectors lie p elements apart from v on, those of the module at its first position.
	__device__ Module(const System<T> &q, int m, T *v, T *jac, T *mix, T *part)
	    : q(q), m(m), first(q.l.modulePtr[m]), n(q.l.size(m)), full(isDense(n, q.inner[m])), z(v + first),
	      d(v + VEC_D * q.p + first), c(v + VEC_C * q.p + first), x(v + VEC_X * q.p + first),
	      g(v + VEC_G * q.p + first), y(v + VEC_Y * q.p + first), h(v + VEC_H * q.p + first),
	      step(v + VEC_STEP * q.p + first), seen(v + VEC_SEEN * q.p + first), history(v + VEC_PAST * q.p + first),
	      jac(jac + (i64)first * (q.p + 1)), mix(mix + Team::slot() * MIXING), part(part) {}

#define OWN(r) _Pragma("unroll 1") for (int r = Team::rank(); r < n; r += Team::size())

	__device__ T *past(int i) { return history + i * q.p; }

	template <class R> __noinline__ __device__ T joined(T v) {
		T a[1] = {v};
		Team::template reduce<R>(a, part);
		return a[0];
	}

	__device__ T dot(const T *a, const T *b) {
		T sum = 0;
		OWN(r) sum += a[r] * b[r];
		return joined<Sum>(sum);
	}

	// scale is what the residual is measured by: 1+‖x‖∞, or ‖u‖∞ for the linear systems.
	__device__ T scale(T size) {
		const T tiny = sizeof(T) == 4 ? T(1.17549435e-38f) : T(2.2250738585072014e-308);
		return q.kind == NONLINEAR ? 1 + size : size + tiny;
	}
	__device__ bool passes() { return res <= q.tol * scale(norm); }

	// eval sets to = G(of).
	__noinline__ __device__ void eval(T *to, const T *of) {
		OWN(r) seen[r] = q.kind == NONLINEAR ? value(q.f, of[r]) : q.kind == TANGENT ? d[r] * of[r] : of[r];
		Team::sync();
		OWN(r) {
			T sum = q.kind == ADJOINT ? T(0) : c[r];
			if (full) {
				const T *w = q.dense + (i64)first * q.p + r;
				for (int k = 0; k < n; k++) sum += w[(i64)k * n] * seen[k];
			} else {
				int i = q.l.order[first + r];
				for (int e = q.mid[i]; e < q.ptr[i + 1]; e++) sum += q.value[e] * seen[q.index[e]];
			}
			to[r] = q.kind == ADJOINT ? c[r] + d[r] * sum : sum;
		}
	}

	// measure sets res = ‖b-a‖∞ and norm = ‖a‖∞; NaN stays NaN.
	__noinline__ __device__ void measure(const T *a, const T *b) {
		T v[2] = {0, 0};
		OWN(r) {
			v[0] = max_(v[0], abs_(b[r] - a[r]));
			v[1] = max_(v[1], abs_(a[r]));
		}
		Team::template reduce<Largest>(v, part);
		res = v[0], norm = v[1];
	}

	// put keeps a as the solution.
	__device__ void put(const T *a, T residual, T size) {
		best = residual, worst = residual / scale(size);
		OWN(r) z[r] = a[r];
	}

	// improve keeps a when its residual is less than that of the iterate kept so far.
	__noinline__ __device__ void improve(const T *a, T residual) {
		if (!(residual < best)) return;
		T size = 0;
		OWN(r) size = max_(size, abs_(a[r]));
		put(a, residual, joined<Largest>(size));
	}

	// begin sets the start: the given one where it is finite, else the constant part, which lies in z.
	__device__ void begin(const T *start) {
		state = OPEN, status = NOT_CONVERGED, iters = 0, best = worst = infinity<T>();
		T size = 0;
		OWN(r) size = max_(size, abs_(c[r] = z[r]));
		if (!finite(joined<Largest>(size))) {
			state = BAD, status = DIVERGED;
			return;
		}
		if (!start) return;
		const int *nodes = q.l.order + first;
		bool unknown = false;
		OWN(r) unknown |= !finite(start[nodes[r]]);
		if (Team::any(unknown)) return;
		OWN(r) z[r] = start[nodes[r]];
	}

	__device__ void report(Tally &t) {
		if (!Team::reports()) return;
		t.samples++;
		t.iterations = max(t.iterations, (u32)iters);
		t.total += iters;
		if (state == SOLVED) t.residual(worst, true);
		else t.fail(status, worst);
	}

	__device__ Watch<T> watch(int limit, double patience) { return {limit, 0, 0, patience, infinity<T>(), 0}; }

	// follow looks at the residual of a just measured, before being the iterate before it, and tells whether to go on.
	__device__ bool follow(Watch<T> &w, const T *a, const T *before) {
		const int window = 4;
		bool review = w.step + 1 >= w.limit || (w.patience > 0 && w.step % window == 0);
		if (res < w.least && !review && !passes()) {
			w.least = res, w.at = w.step; // the usual case
		} else if (close(w, a, before)) {
			iters += w.step + 1;
			return false;
		}
		w.step++;
		return true;
	}

	// close is follow where it may have to end.
	__noinline__ __device__ bool close(Watch<T> &w, const T *a, const T *before) {
		bool worse = !(res < w.least);
		if (worse && w.step > 0 && w.at == w.step - 1) improve(before, w.least);
		if (passes()) {
			put(a, res, norm);
			state = SOLVED;
			return true;
		}
		if (!finite(res) || !finite(norm)) {
			status = DIVERGED;
			return true;
		}
		if (!worse) w.least = res, w.at = w.step;
		if (w.step + 1 < w.limit && !hopeless(w)) return false;
		improve(a, res);
		status = NOT_CONVERGED;
		return true;
	}

	// hopeless tells, every few steps, whether more than patience further ones are to come.
	__device__ bool hopeless(Watch<T> &w) {
		const int window = 4;
		if (w.patience <= 0 || w.step % window != 0) return false;
		T before = w.mark;
		w.mark = res;
		if (w.step == 0) return false;
		double rate = res / before, wanted = q.tol * scale(norm) / res;
		if (rate >= 0.999) return w.step > window;
		double square = rate * rate;
		if (square * square <= wanted && 4 * window <= w.patience) return false;
		return window * log(wanted) / log(rate) > w.patience;
	}

	// picard is the fixed-point iteration x ← x + β(G(x)-x).
	__device__ void picard(int limit, double patience) {
		T *at = x, *image = g, *before = y;
		OWN(r) at[r] = z[r];
		Watch<T> w = watch(limit, patience);
		for (;;) {
			eval(image, at);
			measure(at, image);
			if (!follow(w, at, before)) return;
			if (q.beta != 1) {
				OWN(r) image[r] = at[r] + q.beta * (image[r] - at[r]);
			}
			T *t = before;
			before = at, at = image, image = t;
		}
	}

#include "mixing.cuh"
#include "newton.cuh"
};
