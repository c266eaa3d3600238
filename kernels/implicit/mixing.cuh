// Members of Module: Anderson's and Broyden's methods, as in anderson.go and broyden.go.

// anderson mixes the last MIXED iterates. r is the residual, h and step the iterate before and its residual; mix holds
// the Gram matrix of the differences of residuals and their products with the residual.
__device__ void anderson(int limit) {
	T *r = y, *last = h, *before = step;
	int age = 0;
	Watch<T> w = watch(limit, 0);
	OWN(e) {
		x[e] = z[e];
		for (int i = 0; i < 2 * MIXED; i++) past(i)[e] = 0; // columns that are not in use have the factor 0
	}
	for (;;) {
		eval(g, x);
		measure(x, g);
		if (!follow(w, x, last)) return;
		OWN(e) r[e] = g[e] - x[e];
		int newest = (w.step - 2 + MIXED) % MIXED;
		if (w.step > 1) {
			OWN(e) {
				past(newest)[e] = x[e] - last[e];
				past(MIXED + newest)[e] = r[e] - before[e];
			}
			age = min(age + 1, MIXED);
		}
		OWN(e) last[e] = x[e], before[e] = r[e];
		T gamma[MIXED];
		weigh(newest, r, age, gamma);
		OWN(e) {
			T v = x[e] + q.beta * r[e];
#pragma unroll
			for (int i = 0; i < MIXED; i++) {
				int j = (newest - i + MIXED) % MIXED;
				if (i < age) v -= gamma[i] * past(j)[e] + q.beta * gamma[i] * past(MIXED + j)[e];
			}
			x[e] = v;
		}
		if (!(res < 10 * w.least)) {
			OWN(e) x[e] = z[e];
			age = 0;
		}
	}
}

// weigh renews the products of the newest difference and finds the factors: gamma[i] is that of the i-th newest.
__device__ void weigh(int newest, const T *r, int &age, T (&gamma)[MIXED]) {
	T gram[MIXED] = {}, rhs[MIXED] = {};
	const T *own = past(MIXED + newest);
	OWN(e) {
#pragma unroll
		for (int j = 0; j < MIXED; j++) {
			T v = past(MIXED + j)[e];
			gram[j] += own[e] * v;
			rhs[j] += v * r[e];
		}
	}
	Team::template reduce<Sum>(gram, part);
	Team::template reduce<Sum>(rhs, part);
	if (Team::rank() == 0) {
#pragma unroll
		for (int j = 0; j < MIXED; j++) {
			mix[newest * MIXED + j] = mix[j * MIXED + newest] = gram[j];
			mix[MIXED * MIXED + j] = rhs[j];
		}
	}
	Team::sync();
	if (age > 0 && !cholesky(newest, age, gamma)) age = 0;
	Team::sync(); // before mix is written again
}

// cholesky solves for the factors of the n newest differences with λ = 1e-10 of the trace (1e-6 in float32), and tells
// whether no pivot has lost all its digits.
__device__ bool cholesky(int newest, int n, T (&gamma)[MIXED]) {
	const double lambda = sizeof(T) == 4 ? 1e-6 : 1e-10, lost = sizeof(T) == 4 ? 1e-7 : 1e-14;
	double a[MIXED][MIXED], b[MIXED], trace = 0;
	auto at = [&](int i) { return (newest - i + MIXED) % MIXED; };
#pragma unroll
	for (int i = 0; i < MIXED; i++) trace += i < n ? (double)mix[at(i) * (MIXED + 1)] : 0.0;
#pragma unroll
	for (int i = 0; i < MIXED; i++) {
		b[i] = i < n ? (double)mix[MIXED * MIXED + at(i)] : 0.0;
#pragma unroll
		for (int j = 0; j <= i; j++) {
			a[i][j] = i < n ? (double)mix[at(i) * MIXED + at(j)] : 0.0;
			if (i == j) a[i][j] = i < n ? a[i][j] + lambda * trace : 1.0; // the rest is the identity
		}
	}
#pragma unroll
	for (int i = 0; i < MIXED; i++) {
#pragma unroll
		for (int j = 0; j <= i; j++) {
			double sum = a[i][j];
#pragma unroll
			for (int k = 0; k < j; k++) sum -= a[i][k] * a[j][k];
			if (i > j) {
				a[i][j] = sum / a[j][j];
				continue;
			}
			if (i < n && (!(sum > lost * trace) || !finite(sum))) return false;
			a[i][i] = sqrt(sum);
		}
#pragma unroll
		for (int k = 0; k < i; k++) b[i] -= a[i][k] * b[k];
		b[i] /= a[i][i];
	}
#pragma unroll
	for (int i = MIXED - 1; i >= 0; i--) {
#pragma unroll
		for (int k = i + 1; k < MIXED; k++) b[i] -= a[k][i] * b[k];
		b[i] /= a[i][i];
		gamma[i] = (T)b[i];
	}
	return true;
}

// broyden is the good Broyden method with a limited memory: H = I + Σ u_i v_iᵀ. r and last are the residual and the
// iterate before, step the step from there.
__device__ void broyden(int limit) {
	T *r = y, *last = h;
	int used = 0;
	Watch<T> w = watch(limit, 0);
	OWN(e) x[e] = z[e];
	for (;;) {
		eval(g, x);
		measure(x, g);
		if (!follow(w, x, last)) return;
		if (w.step > 1) {
			if (used == REMEMBERED) used = 0;
			update(used, r);
			used++;
		}
		OWN(e) {
			r[e] = g[e] - x[e];
			last[e] = x[e];
			step[e] = r[e];
		}
		if (!(res < 100 * w.least)) { // back to the best iterate, and forget
			OWN(e) {
				x[e] = z[e];
				step[e] = 0;
#pragma unroll 1
				for (int i = 0; i < used; i++) past(i)[e] = 0;
			}
		}
		apply(step, used, r);
		OWN(e) x[e] += step[e];
	}
}

// apply adds Σ u_i (v_iᵀ·a) to to.
__device__ void apply(T *to, int used, const T *a) {
#pragma unroll 1
	for (int i = 0; i < used; i++) {
		T s = dot(past(REMEMBERED + i), a);
		OWN(e) to[e] += s * past(i)[e];
	}
}

// update stores u and v of the step that led to x with image g; r is the residual before the step.
__device__ void update(int used, const T *r) {
	T *u = past(used), *v = past(REMEMBERED + used), *change = seen; // seen was read before the last sync
	OWN(e) {
		change[e] = r[e] - (g[e] - x[e]);
		u[e] = change[e];
		v[e] = step[e];
	}
	apply(u, used, change); // H·change
#pragma unroll 1
	for (int i = 0; i < used; i++) { // stepᵀH
		T s = dot(past(i), step);
		OWN(e) v[e] += s * past(REMEMBERED + i)[e];
	}
	T inverse = 1 / dot(v, change);
	bool skip = !finite(inverse) || inverse == 0;
	OWN(e) {
		u[e] = skip ? T(0) : (step[e] - u[e]) * inverse;
		if (skip) v[e] = 0;
	}
}
