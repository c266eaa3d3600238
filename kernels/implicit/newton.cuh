// Members of Module: Newton's method, as in newton.go and jacobian.go. The matrix I - G′ lies in jac, n rows of n+1
// elements, the right-hand side being the last column.

// newton starts from the iterate kept so far and then from the starts skip … starts-1, until the sample is solved.
__device__ void newton(int limit, int skip, int starts) {
	if (q.kind != NONLINEAR) starts = 1;
#pragma unroll 1
	for (int s = 0; s < starts && state == OPEN; s++) {
		if (s > 0) s = max(s, skip);
		restart(s);
		descend(limit);
	}
}

// restart sets the start number s: 0 the iterate kept so far, 1 the constant part, 2 zero, others random.
__device__ void restart(int s) {
	OWN(r) {
		T v = s == 0 ? z[r] : s == 1 ? c[r] : T(0);
		if (s > 2) {
			Words u = philox(r, s, 0, 0, 0, 0);
			double radius = sqrt(-2 * log((u.w[0] + 1.0) / 4294967296.0));
			v = c[r] + (T)(rowNorm(r) * radius * cospi(2 * (u.w[1] / 4294967296.0)));
		}
		x[r] = v;
	}
}

// rowNorm is the Euclidean norm of row r of the module's part of M.
__device__ double rowNorm(int r) {
	double sum = 0;
	if (full) {
#pragma unroll 1
		for (int k = 0; k < n; k++) {
			double w = q.dense[(i64)first * q.p + (i64)k * n + r];
			sum += w * w;
		}
	} else {
		int i = q.l.order[first + r];
		for (int e = q.mid[i]; e < q.ptr[i + 1]; e++) sum += (double)q.value[e] * q.value[e];
	}
	return sqrt(sum);
}

// descend is Newton's method with a backtracking line search on ‖F‖².
__noinline__ __device__ void descend(int limit) {
	T *at = x, *image = g, *next = y, *nextImage = h;
	eval(image, at);
	for (int k = 0;; k++) {
		measure(at, image);
		iters++;
		if (passes()) {
			put(at, res, norm);
			state = SOLVED;
			return;
		}
		if (!finite(res) || !finite(norm)) {
			status = DIVERGED;
			return;
		}
		int why = NOT_CONVERGED;
		bool go = k < limit;
		if (go && !newtonStep(at, image)) go = false, why = SINGULAR;
		if (!go || !lineSearch(next, nextImage, at, image)) {
			improve(at, res);
			status = why;
			return;
		}
		T *t = at;
		at = next, next = t;
		t = image;
		image = nextImage, nextImage = t;
	}
}

// newtonStep sets step to the solution of (I - G′(a))·step = b - a, or tells that there is none.
__device__ bool newtonStep(const T *a, const T *b) {
	int width = n + 1, lane = threadIdx.x % 32;
	OWN(r) {
		if (q.kind == NONLINEAR) d[r] = slope(q.f, a[r]);
		jac[r * (i64)width + n] = b[r] - a[r];
	}
	Team::sync();
#pragma unroll 1
	for (int r = Team::warp(); r < n; r += Team::warps()) {
		T *row = jac + r * (i64)width;
#pragma unroll 1
		for (int k = lane; k < n; k += 32) {
			T v = full ? -q.dense[(i64)first * q.p + (i64)k * n + r] * d[q.kind == ADJOINT ? r : k] : T(0);
			row[k] = k == r ? v + 1 : v;
		}
		__syncwarp();
		if (full) continue;
		int i = q.l.order[first + r];
		for (int e = q.mid[i] + lane; e < q.ptr[i + 1]; e += 32) {
			int k = q.index[e];
			row[k] = -q.value[e] * d[q.kind == ADJOINT ? r : k];
		}
	}
	Team::sync();
#pragma unroll 1
	for (int k = 0; k < n; k++) {
		if (!eliminate(k)) return false;
	}
	substitute();
	return true;
}

// pivot is the row of the largest |element| of column k from row k on, the first of equals; every warp finds it.
__device__ int pivot(int k, T &most) {
	int width = n + 1, row = k;
	most = 0;
#pragma unroll 1
	for (int r = k + threadIdx.x % 32; r < n; r += 32) {
		T v = abs_(jac[r * (i64)width + k]);
		if (v > most) most = v, row = r;
	}
#pragma unroll 1
	for (int way = 16; way > 0; way /= 2) {
		T v = __shfl_xor_sync(0xffffffffu, most, way);
		int r = __shfl_xor_sync(0xffffffffu, row, way);
		if (v > most || (v == most && r < row)) most = v, row = r;
	}
	return row;
}

// eliminate brings the pivot of column k to row k and clears the column below, or tells that there is no pivot.
__device__ bool eliminate(int k) {
	int width = n + 1;
	T most;
	int p = pivot(k, most);
	if (!(most > 0) || !finite(most)) return false;
	T *top = jac + k * (i64)width;
	if (p != k) {
		T *row = jac + p * (i64)width;
		Team::sync(); // all have looked for the pivot
#pragma unroll 1
		for (int e = k + Team::rank(); e < width; e += Team::size()) {
			T v = row[e];
			row[e] = top[e], top[e] = v;
		}
		Team::sync();
	}
	T inverse = 1 / top[k];
#pragma unroll 1
	for (int r = k + 1 + Team::warp(); r < n; r += Team::warps()) {
		T *row = jac + r * (i64)width;
		T f = row[k] * inverse;
		if (f == 0) continue;
#pragma unroll 1
		for (int e = k + 1 + threadIdx.x % 32; e < width; e += 32) row[e] -= f * top[e];
	}
	Team::sync();
	return true;
}

// substitute solves the triangular system that is left; one warp does.
__device__ void substitute() {
	int width = n + 1, lane = threadIdx.x % 32;
	if (Team::warp() == 0) {
#pragma unroll 1
		for (int r = n - 1; r >= 0; r--) {
			const T *row = jac + r * (i64)width;
			T sum = 0;
#pragma unroll 1
			for (int k = r + 1 + lane; k < n; k += 32) sum += row[k] * step[k];
			sum = warpReduce<Sum>(sum);
			if (lane == 0) step[r] = (row[n] - sum) / row[r];
			__syncwarp();
		}
	}
	Team::sync();
}

// lineSearch sets next = a + s·step with the largest s = 1, ½, ¼, … for which ‖F‖² falls enough, and image = G(next);
// b is G(a). It tells whether there is one.
__device__ bool lineSearch(T *next, T *image, const T *a, const T *b) {
	const double armijo = 1e-4;
	const int halvings = 20;
	T square = distance(a, b), s = 1;
#pragma unroll 1
	for (int k = 0; k < halvings; k++) {
		OWN(r) next[r] = a[r] + s * step[r];
		eval(image, next);
		if (distance(next, image) <= (1 - (T)(2 * armijo) * s) * square) return true;
		s /= 2;
	}
	return false;
}

// distance is Σ (b_r-a_r)².
__device__ T distance(const T *a, const T *b) {
	T sum = 0;
	OWN(r) sum += (b[r] - a[r]) * (b[r] - a[r]);
	return joined<Sum>(sum);
}
