// Operators on all weights: the diagonal, the mask, and the steps of the regularisers.
#include "structure.cuh"

// nodiag is x without its diagonal. y may be x.
template <class T> __device__ void nodiag(i64 p, const T *x, T *y) {
	EACH(at, p * p) y[at] = at / p == at % p ? T(0) : x[at];
}
BOTH(nodiag, (i64 p, const T *x, T *y), (p, x, y))

// mask keeps the weights of the listed edges. A warp takes a row.
template <class T> __device__ void mask(int p, const T *w, const int *s, const int *wrong, T *y, u32 *report) {
	int lane = threadIdx.x % 32, j = (blockIdx.x * blockDim.x + threadIdx.x) / 32;
	bool bad = damaged(wrong);
	if (bad && threadIdx.x == 0 && blockIdx.x == 0) report[0] = 2; // Diverged
	if (j >= p) return;
	for (int i = lane; i < p; i += 32) y[(i64)j * p + i] = bad ? T(NAN32) : T(0);
	if (bad) return;
	__syncwarp();
	Layout l(s, p);
	for (int e = l.outPtr[j] + lane; e < l.outPtr[j + 1]; e += 32) {
		i64 at = (i64)j * p + l.out[e];
		y[at] = w[at];
	}
}
BOTH(mask, (int p, const T *w, const int *s, const int *wrong, T *y, u32 *report), (p, w, s, wrong, y, report))

// Rule is what a step of a regulariser does; the numbers are those of regularise.go.
struct Rule {
	i64 kind, scaling, distance, offset, p;
	i64 n;                 // elements in all
	i64 wideHyper, wideOK; // the type of hyper, and of ok, is double
};
enum { NM, L1, L2, NML1, NML2 };
enum { SIZE, MEAN, RAW };
enum { AFFINE, CONSTANT };

// Notes is what the launches of a step tell one another.
struct Notes {
	int wrong[WRONG_WORDS];
	u64 most;      // the bits of max|w| as double
	double factor; // by which the strength is multiplied
};

// weight is z_i as the kind counts it.
inline __device__ double weight(const Rule &q, const Layout &l, int i) {
	if (q.kind == NM) {
		double z = l.size(l.module[i]);
		return q.scaling == SIZE ? z / q.p : z;
	}
	return q.kind == NML1 || q.kind == NML2 ? (double)l.connected[i] : 1.0;
}

// scale is 1/max|w|, or 0 for weights that are all zero.
inline __device__ double scale(u64 most) {
	double v = __longlong_as_double((i64)most);
	return v == 0 ? 0 : 1 / v;
}

// prepare sets the notes before the first launch that adds to them.
KERNEL prepare(Notes *notes) {
	notes->most = 0;
	notes->factor = 1;
}

// largest raises most to the largest |w| off the diagonal: non-negative numbers are ordered as their bits, NaN above.
template <class T> __device__ void largest(Rule q, const T *z, Notes *notes) {
	__shared__ double part[32];
	double most = 0;
	EACH(at, q.p * q.p) {
		if (at / q.p != at % q.p) most = max_(most, (double)abs_(z[q.offset + at]));
	}
	most = blockReduce<Largest>(most, part);
	if (threadIdx.x == 0) atomicMax(&notes->most, (u64)__double_as_longlong(abs_(most)));
}
BOTH(largest, (Rule q, const T *z, Notes *notes), (q, z, notes))

// rows sums r_ij over each row. A warp takes a row.
template <class T>
__device__ void rows(Rule q, double eps, const T *z, const int *s, const Notes *notes, double *sums) {
	int p = (int)q.p, lane = threadIdx.x % 32, j = (blockIdx.x * blockDim.x + threadIdx.x) / 32;
	if (j >= p || notes->wrong[WRONG_NODES]) return;
	Layout l(s, p);
	double sum = 0, inverse = scale(notes->most);
	for (int i = lane; i < p; i += 32) {
		double d = q.distance == CONSTANT ? 1 : 1 + eps - abs_((double)z[q.offset + (i64)j * p + i]) * inverse;
		if (i != j) sum += (double)(T)weight(q, l, i) / d;
	}
	sum = warpReduce<Sum>(sum) * (double)(T)weight(q, l, j);
	if (lane == 0) sums[j] = sum;
}
BOTH(rows, (Rule q, double eps, const T *z, const int *s, const Notes *notes, double *sums),
     (q, eps, z, s, notes, sums))

// mean sets the factor to one over the mean of r. It is one block.
KERNEL mean(i64 p, const double *sums, Notes *notes) {
	__shared__ double part[32];
	double sum = 0;
	bool bad = notes->wrong[WRONG_NODES];
	for (i64 j = threadIdx.x; j < p && !bad; j += blockDim.x) sum += sums[j];
	sum = blockReduce<Sum>(sum, part);
	if (threadIdx.x == 0) notes->factor = (double)(p * (p - 1)) / sum;
}

inline __device__ double number(const void *a, bool wide, int i) {
	return wide ? ((const double *)a)[i] : (double)((const float *)a)[i];
}

// stepped is the weight v of the edge j → i after the step.
template <class T>
__device__ T stepped(const Rule &q, const Layout &l, T eps, double strength, double inverse, int j, int i, T v) {
	T z = (T)weight(q, l, i);
	if (q.kind == L1 || q.kind == NML1) {
		T cut = (T)strength * z;
		return max_(v - cut, T(0)) + min_(v + cut, T(0));
	}
	if (q.kind == L2 || q.kind == NML2) return v / (1 + (T)strength * z);
	double a = strength * (double)(T)weight(q, l, j);
	if (q.distance == CONSTANT) return v * (T)max_(0.0, 1 - a * (double)z);
	return v * max_(T(0), 1 - (T)a * z / (1 + eps - abs_(v) * (T)inverse));
}

// step writes z after the step; y may be z. ok is 0 or 1.
template <class T>
__device__ void step(Rule q, double eps, const T *z, const int *s, const void *hyper, const void *ok,
                     const Notes *notes, T *y, u32 *report) {
	bool go = q.p > 0 && number(ok, q.wideOK, 0) > 0, bad = go && notes->wrong[WRONG_NODES];
	if (bad && blockIdx.x == 0 && threadIdx.x == 0) {
		report[0] = 2; // Diverged
		report[2] = 1;
	}
	go = go && !bad;
	double rate = number(hyper, q.wideHyper, 0), alpha = number(hyper, q.wideHyper, 2);
	double strength = rate * alpha * notes->factor, inverse = scale(notes->most);
	Layout l(s, (int)q.p);
	EACH(n, q.n) {
		i64 at = n - q.offset;
		T v = z[n];
		if (go && at >= 0 && at < q.p * q.p) {
			int j = (int)(at / q.p), i = (int)(at % q.p);
			if (i != j) v = stepped(q, l, (T)eps, strength, inverse, j, i, v);
		}
		y[n] = v;
	}
}
BOTH(step,
     (Rule q, double eps, const T *z, const int *s, const void *hyper, const void *ok, const Notes *notes, T *y,
      u32 *report),
     (q, eps, z, s, hyper, ok, notes, y, report))
