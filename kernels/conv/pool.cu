#include "conv/geometry.cuh"

// first is the position of the first maximum in the window of position p, or of the first NaN if there is one.
template <class T> __device__ int first(const Geometry &g, const T *x, const Triple &p) {
	int best = -1;
	T top = 0;
	for (int t = 0; t < g.taps(); t++) {
		int q = meets(g, p, split(t, g.k));
		if (q < 0) continue;
		T v = x[q];
		if (best < 0 || v > top || (v != v && top == top)) {
			best = q;
			top = v;
		}
	}
	return best;
}

// largest takes, for each of n windows, v at the place of the first maximum of x. Of two zeros +0 is the larger one.
template <class T> __device__ void largest(const Geometry &g, int value, i64 n, const T *x, const T *v, T *y) {
	EACH(i, n) {
		i64 plane = i / g.area();
		const T *from = x + plane * g.plane();
		Triple p = split((int)(i - plane * g.area()), g.y);
		int q = first(g, from, p);
		T best = v[plane * g.plane() + q];
		if (value && best == 0) {
			for (int t = 0; t < g.taps(); t++) {
				int k = meets(g, p, split(t, g.k));
				if (k >= 0 && from[k] == 0) best += from[k]; // −0 + 0 is +0
			}
		}
		y[i] = best;
	}
}
BOTH(largest, (Geometry g, int value, i64 n, const T *x, const T *v, T *y), (g, value, n, x, v, y))

// spread adds, for each of n elements of x, dy of the windows whose first maximum it is, in order of the windows. If
// relu is not 0, x is a value of ReLU and dx the gradient of its argument: 0 unless x is above 0, NaN where x is.
template <class T> __device__ void spread(const Geometry &g, int relu, i64 n, const T *x, const T *dy, T *dx) {
	EACH(i, n) {
		T top = x[i];
		if (relu && top <= 0) {
			dx[i] = 0;
			continue;
		}
		i64 plane = i / g.plane();
		int at = (int)(i - plane * g.plane());
		Triple q = split(at, g.x);
		T s = 0;
		for (int t = g.taps() - 1; t >= 0; t--) {
			int p = met(g, q, split(t, g.k));
			if (p >= 0 && first(g, x + plane * g.plane(), split(p, g.y)) == at) {
				s += relu && top != top ? top : dy[plane * g.area() + p];
			}
		}
		dx[i] = s;
	}
}
BOTH(spread, (Geometry g, int relu, i64 n, const T *x, const T *dy, T *dx), (g, relu, n, x, dy, dx))

// inside is the number of positions of a window that lie in x.
inline __device__ int inside(const Geometry &g, const Triple &p) {
	int n = 1;
	for (int a = 0; a < 3; a++) {
		int lo = p.v[a] * (int)g.stride[a] - (int)g.pad[a], hi = lo + (int)g.k[a];
		n *= min(hi, (int)g.x[a]) - max(lo, 0);
	}
	return n;
}

// mean averages each of n windows; whole counts the padding.
template <class T> __device__ void mean(const Geometry &g, int whole, i64 n, const T *x, T *y) {
	EACH(i, n) {
		i64 plane = i / g.area();
		Triple p = split((int)(i - plane * g.area()), g.y);
		T s = 0;
		for (int t = 0; t < g.taps(); t++) {
			int q = meets(g, p, split(t, g.k));
			if (q >= 0) s += x[plane * g.plane() + q];
		}
		y[i] = s / (T)(whole ? g.taps() : inside(g, p));
	}
}
BOTH(mean, (Geometry g, int whole, i64 n, const T *x, T *y), (g, whole, n, x, y))

// share adds, for each of n elements of x, its part of dy of the windows that hold it, in order of the windows.
template <class T> __device__ void share(const Geometry &g, int whole, i64 n, const T *dy, T *dx) {
	EACH(i, n) {
		i64 plane = i / g.plane();
		Triple q = split((int)(i - plane * g.plane()), g.x);
		T s = 0;
		for (int t = g.taps() - 1; t >= 0; t--) {
			int p = met(g, q, split(t, g.k));
			if (p >= 0) s += dy[plane * g.area() + p] / (T)(whole ? g.taps() : inside(g, split(p, g.y)));
		}
		dx[i] = s;
	}
}
BOTH(share, (Geometry g, int whole, i64 n, const T *dy, T *dx), (g, whole, n, dy, dx))

// Blocks holds the extents of the small signal and the factors by which the large one is larger.
struct Blocks {
	i64 small[3], factor[3];
};

// repeat copies each of the small signal's positions to a block of n elements of the large one in all.
template <class T> __device__ void repeat(const Blocks &b, i64 n, const T *x, T *y) {
	i64 large[3] = {b.small[0] * b.factor[0], b.small[1] * b.factor[1], b.small[2] * b.factor[2]};
	i64 area = large[0] * large[1] * large[2];
	EACH(i, n) {
		i64 plane = i / area;
		Triple p = split((int)(i - plane * area), large);
		i64 q = plane;
		for (int a = 0; a < 3; a++) q = q * b.small[a] + p.v[a] / (int)b.factor[a];
		y[i] = x[q];
	}
}
BOTH(repeat, (Blocks b, i64 n, const T *x, T *y), (b, n, x, y))

// gather adds the blocks, in order, for n positions of the small signal.
template <class T> __device__ void gather(const Blocks &b, i64 n, const T *dy, T *dx) {
	i64 large[3] = {b.small[0] * b.factor[0], b.small[1] * b.factor[1], b.small[2] * b.factor[2]};
	i64 area = large[0] * large[1] * large[2], plane = b.small[0] * b.small[1] * b.small[2];
	int size = (int)(b.factor[0] * b.factor[1] * b.factor[2]);
	EACH(i, n) {
		i64 c = i / plane;
		Triple p = split((int)(i - c * plane), b.small);
		T s = 0;
		for (int k = 0; k < size; k++) {
			Triple o = split(k, b.factor);
			i64 q = 0;
			for (int a = 0; a < 3; a++) q = q * large[a] + p.v[a] * b.factor[a] + o.v[a];
			s += dy[c * area + q];
		}
		dx[i] = s;
	}
}
BOTH(gather, (Blocks b, i64 n, const T *dy, T *dx), (b, n, dy, dx))
