// Solve and Linear: the weights are packed by modules once, then a block takes a sample and walks through the levels.
// Within a level, threads take single nodes, warps small modules, and the block large ones. A sample's vectors lie in
// shared memory where that is large enough.
#include "module.cuh"

const int SMALL = 32; // nodes of a module that a warp solves

// Sizes are the numbers that both kernels read; the vectors lie in shared memory if shared is not 0.
struct Sizes {
	i64 kind, act, method, maxIter, batch, p, vectors, shared;
};

// pack copies the kept weights in the order of the structure's lists, and those of dense modules as matrices. A warp
// takes a row of M.
template <class T>
__device__ void pack(const Sizes &q, const T *w, const int *s, int *wrong, int *inner, int *index, T *value, T *dense) {
	if (wrong[WRONG_NODES]) return;
	int p = (int)q.p, lane = threadIdx.x % 32, at = (blockIdx.x * blockDim.x + threadIdx.x) / 32;
	if (at >= p) return;
	Layout l(s, p);
	bool back = q.kind == ADJOINT;
	const int *ptr = back ? l.outPtr : l.inPtr, *mid = back ? l.outMid : l.inMid, *list = back ? l.out : l.in;
	int i = l.order[at], m = l.module[i], first = l.modulePtr[m], n = l.size(m), edges = 0;
	for (int k = lane; k < n; k += 32) {
		int j = l.order[first + k];
		edges += ptr[j + 1] - mid[j];
	}
	edges = warpReduce<Sum>(edges);
	if (at == first && lane == 0) inner[m] = edges;
	bool full = isDense(n, edges), bad = false;
	T *column = dense + (i64)first * p + (at - first);
	for (int k = lane; full && k < n; k += 32) column[(i64)k * n] = 0;
	__syncwarp();
	for (int e = ptr[i] + lane; e < ptr[i + 1]; e += 32) {
		int j = list[e];
		bool own = e >= mid[i];
		if (!(back ? l.follows(i, j, own) : l.follows(j, i, own))) {
			bad = true;
			continue;
		}
		T v = back ? w[(i64)i * p + j] : w[(i64)j * p + i];
		int k = l.position[j] - (own ? first : 0);
		index[e] = k, value[e] = v;
		if (own && full) column[(i64)k * n] = v;
	}
	if (bad) atomicOr(wrong + WRONG_EDGES, 1);
}
BOTH(pack, (Sizes q, const T *w, const int *s, int *wrong, int *inner, int *index, T *value, T *dense),
     (q, w, s, wrong, inner, index, value, dense))

// Stage is one method of those that a module goes through.
struct Stage {
	int method, limit, skip, starts;
	double patience;
};

// stage returns stage k of a module of n nodes. The numbers and the order are those of auto.go.
template <class T> __device__ Stage stage(const System<T> &q, int k, int n, int inner) {
	const int few = 2, many = n <= 64 ? 16 : few;
	switch (k == 0 ? q.method : AUTO) {
	case NEWTON: return {NEWTON, q.limit(100), 1, many, 0};
	case FIXEDPOINT: return {FIXEDPOINT, q.limit(2000), 0, 0, 0};
	case ANDERSON: return {ANDERSON, q.limit(500), 0, 0, 0};
	case BROYDEN: return {BROYDEN, q.limit(500), 0, 0, 0};
	}
	if (q.method != AUTO) return {NOTHING};
	bool linear = q.kind != NONLINEAR;
	double size = n, steps = linear ? 1 : 4, apply = linear ? 0.1 : 0.5;
	double picard = size * (0.2 + apply) + (isDense(n, inner) ? size * size * 0.02 : 0.1 * inner);
	double anderson = picard + 100 + 3 * size;
	double newton = 2 * picard + size * size * size * 0.04 + size * size * 0.2 + size * apply;
	bool large = steps * newton > 30 * anderson;
	int mixes = large ? 200 : 60, newtons = large ? 30 : 100;
	mixes = min(mixes, q.limit(mixes)), newtons = min(newtons, q.limit(newtons));
	switch (k) {
	case 0: return {FIXEDPOINT, q.limit(2000), 0, 0, large ? 60 : max(8.0, steps * newton / picard)};
	case 1: return {large ? ANDERSON : NOTHING, mixes};
	case 2: return {NEWTON, newtons, 1, few};
	case 3: return {linear || large ? NOTHING : ANDERSON, mixes};
	case 4: return {linear || large ? NOTHING : NEWTON, newtons, few, many};
	}
	return {NOTHING};
}

// run solves one module for one sample; f is what later modules see of it.
template <class T, class Team>
__device__ void run(const System<T> &q, int m, const T *start, T *v, T *jac, T *mix, T *part, Tally &tally) {
	Module<T, Team> a(q, m, v, jac, mix, part);
	T *f = v + VEC_F * q.p;
	int n = a.n, first = a.first;
	OWN(r) a.z[r] = enter(q, first + r, v);
	a.begin(start);
	for (int k = 0; k < 5 && a.state == OPEN; k++) {
		Stage s = stage(q, k, n, q.inner[m]);
		switch (s.method) {
		case NEWTON: a.newton(s.limit, s.skip, s.starts); break;
		case FIXEDPOINT: a.picard(s.limit, s.patience); break;
		case ANDERSON: a.anderson(s.limit); break;
		case BROYDEN: a.broyden(s.limit); break;
		}
	}
	a.report(tally);
	OWN(r) f[first + r] = seen(q, a.z[r], a.d[r]);
}

// enter is what enters the node at a position: its part of the constant and what other modules contribute.
template <class T> __device__ T enter(const System<T> &q, int at, const T *v) {
	const T *f = v + VEC_F * q.p;
	int i = q.l.order[at];
	T sum = q.kind == ADJOINT ? T(0) : v[at];
	for (int e = q.ptr[i]; e < q.mid[i]; e++) sum += q.value[e] * f[q.index[e]];
	return q.kind == ADJOINT ? v[at] + v[VEC_D * q.p + at] * sum : sum;
}

// seen is what other modules see of the value z of a node, d being f′(x) in the linear systems.
template <class T> __device__ T seen(const System<T> &q, T z, T d) {
	return q.kind == NONLINEAR ? value(q.f, z) : q.kind == TANGENT ? d * z : z;
}

// level solves the modules lo … hi-1 and tells whether a single node among them is not finite.
template <class T>
__device__ bool level(const System<T> &q, int lo, int hi, const T *start, T *v, T *jac, T *mix, T *part,
                      Tally &tally) {
	bool bad = false;
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32, turn = 0;
	for (int m = lo + threadIdx.x; m < hi; m += blockDim.x) {
		if (q.l.size(m) > 1) continue;
		int at = q.l.modulePtr[m];
		T z = enter(q, at, v);
		v[at] = z;
		v[VEC_F * q.p + at] = seen(q, z, v[VEC_D * q.p + at]);
		bad |= !finite(z);
	}
	for (int base = lo; base < hi; base += 32) {
		int n = base + lane < hi ? q.l.size(base + lane) : 0;
		u32 small = __ballot_sync(0xffffffffu, n > 1 && n <= SMALL);
		for (; small; small &= small - 1, turn++) {
			if (turn % warps == warp) run<T, Warp>(q, base + __ffs(small) - 1, start, v, jac, mix, part, tally);
		}
	}
	for (int base = lo; base < hi; base += 32) {
		int n = base + lane < hi ? q.l.size(base + lane) : 0;
		u32 large = __ballot_sync(0xffffffffu, n > SMALL);
		for (; large; large &= large - 1) run<T, Block>(q, base + __ffs(large) - 1, start, v, jac, mix, part, tally);
	}
	return __syncthreads_or(bad) != 0;
}

// lost counts a failure for each run of single nodes of a level, one behind the other, that is not finite somewhere.
template <class T> __device__ void lost(const System<T> &q, int lo, int hi, const T *v, Tally &tally) {
	bool counted = false;
	for (int m = lo; m < hi; m++) {
		if (q.l.size(m) > 1) {
			counted = false;
		} else if (!counted && !finite(v[q.l.modulePtr[m]])) {
			counted = true;
			tally.fail(DIVERGED, infinity<double>());
		}
	}
}

// refuse answers an array that is no structure: there is no solution to return.
template <class T> __device__ void refuse(const Sizes &q, T *out, u32 *report) {
	EACH(i, q.batch * q.p) out[i] = T(NAN32);
	if (blockIdx.x > 0 || threadIdx.x > 0) return;
	report[0] = DIVERGED;
	report[1] = report[2] = (u32)q.batch;
	report[3] = 0x7fc00000u;
}

// sample walks through the levels, for the adjoint from the last to the first. row is where the sample's rows begin.
template <class T>
__device__ void sample(const System<T> &q, i64 row, const T *x, const T *c, const T *start, T *v, T *jac, T *mix,
                       T *part, T *out, Tally &tally) {
	for (int at = threadIdx.x; at < q.p; at += blockDim.x) {
		int i = q.l.order[at];
		v[at] = c[row + i];
		v[VEC_D * q.p + at] = q.kind == NONLINEAR ? T(0) : slope(q.f, x[row + i]);
	}
	__syncthreads();
	for (int k = 0; k < q.l.levels; k++) {
		int at = q.kind == ADJOINT ? q.l.levels - 1 - k : k, lo = q.l.levelPtr[at], hi = q.l.levelPtr[at + 1];
		bool bad = level(q, lo, hi, start ? start + row : start, v, jac, mix, part, tally);
		if (bad && threadIdx.x == 0) lost(q, lo, hi, v, tally);
	}
	for (int at = threadIdx.x; at < q.p; at += blockDim.x) out[row + q.l.order[at]] = v[at];
	__syncthreads();
}

// solve takes the samples that fall to the block. scratch holds the vectors of each block where shared memory does not,
// and jac the Jacobians.
template <class T>
__device__ void solve(const Sizes &q, double tol, double beta, const T *x, const T *c, const int *s, const T *start,
                      const int *wrong, const int *inner, const int *index, const T *value, const T *dense, T *scratch,
                      T *jac, T *out, u32 *report) {
	__shared__ T part[JOINT * WARPS], mix[WARPS * MIXING];
	extern __shared__ double memory[];
	if (damaged(wrong)) {
		refuse(q, out, report);
		return;
	}
	int p = (int)q.p;
	System<T> a(s, p);
	bool back = q.kind == ADJOINT;
	a.ptr = back ? a.l.outPtr : a.l.inPtr, a.mid = back ? a.l.outMid : a.l.inMid;
	a.index = index, a.value = value, a.inner = inner, a.dense = dense;
	a.kind = (int)q.kind, a.f = (int)q.act, a.method = (int)q.method, a.maxIter = (int)q.maxIter, a.p = p;
	a.tol = (T)tol, a.beta = (T)beta;
	T *v = q.shared ? (T *)memory : scratch + blockIdx.x * q.vectors * p;
	Tally tally;
	for (i64 b = blockIdx.x; b < q.batch; b += gridDim.x)
		sample(a, b * p, x, c, start, v, jac + (i64)blockIdx.x * p * (p + 1), mix, part, out, tally);
	if (threadIdx.x % 32 == 0) tally.flush(report);
}
BOTH(solve,
     (Sizes q, double tol, double beta, const T *x, const T *c, const int *s, const T *start, const int *wrong,
      const int *inner, const int *index, const T *value, const T *dense, T *scratch, T *jac, T *out, u32 *report),
     (q, tol, beta, x, c, s, start, wrong, inner, index, value, dense, scratch, jac, out, report))
