// The three products of a convolution as products of matrices whose operands are read where they lie: no tensor is
// unfolded in memory. A block of 16 × 16 threads computes a tile of 64 × 64; each thread 4 × 4 of it.
#include "conv/geometry.cuh"

const int WIDE = 64, DEEP = 16, COUNT = WIDE * DEEP / 256;

// The views of one convolution. rows × cols is the product, sum the length of its sums; a(i, p) and b(p, j) are the
// operands, of which Row, Col and Sum hold what belongs to i, j and p; to(i, j) is the place of a result, and done(i, s)
// the result for the sum s.

template <class T> struct Forward {
	const Geometry &g;
	const T *x, *w;
	int group;
	typedef int Row;
	struct Col {
		i64 from;
		Triple p;
	};
	struct Sum {
		int at;
		i64 from;
		Triple t;
	};
	__device__ i64 rows() const { return g.out; }
	__device__ i64 cols() const { return g.batch * g.area(); }
	__device__ i64 sum() const { return g.in * g.taps(); }
	__device__ Row row(i64 i) const { return (int)((group * g.out + i) * g.in * g.taps()); }
	__device__ Col col(i64 j) const {
		i64 n = j / g.area();
		return {(n * g.groups + group) * g.in * g.plane(), split((int)(j - n * g.area()), g.y)};
	}
	__device__ Sum at(i64 p) const {
		int taps = g.taps(), c = (int)p / taps;
		return {(int)p, (i64)c * g.plane(), split((int)p - c * taps, g.k)};
	}
	__device__ T a(Row i, const Sum &p) const { return w[(i64)i + p.at]; }
	__device__ T b(const Sum &p, const Col &j) const {
		int q = meets(g, j.p, p.t);
		return q < 0 ? T(0) : x[j.from + p.from + q];
	}
	__device__ i64 to(i64 i, i64 j) const {
		i64 n = j / g.area();
		return ((n * g.groups + group) * g.out + i) * g.area() + (j - n * g.area());
	}
	__device__ T done(i64, T s) const { return s; }
};

// Levelled is Forward with a bias for each row, and ReLU of that if relu is not 0.
template <class T> struct Levelled : Forward<T> {
	const T *bias;
	int relu;
	__device__ T done(i64 i, T s) const {
		s += bias[this->group * this->g.out + i];
		return relu ? max_(s, T(0)) : s;
	}
};

template <class T> struct GradX {
	const Geometry &g;
	const T *dy, *w;
	int group;
	typedef int Row;
	struct Col {
		i64 from;
		Triple q;
	};
	struct Sum {
		i64 w, from;
		Triple t;
	};
	__device__ i64 rows() const { return g.in; }
	__device__ i64 cols() const { return g.batch * g.plane(); }
	__device__ i64 sum() const { return g.out * g.taps(); }
	__device__ Row row(i64 i) const { return (int)i * g.taps(); }
	__device__ Col col(i64 j) const {
		i64 n = j / g.plane();
		return {(n * g.groups + group) * g.out * g.area(), split((int)(j - n * g.plane()), g.x)};
	}
	__device__ Sum at(i64 p) const {
		int taps = g.taps(), o = (int)p / taps, t = (int)p - o * taps;
		return {(group * g.out + o) * g.in * taps + t, (i64)o * g.area(), split(t, g.k)};
	}
	__device__ T a(Row i, const Sum &p) const { return w[p.w + i]; }
	__device__ T b(const Sum &p, const Col &j) const {
		int q = met(g, j.q, p.t);
		return q < 0 ? T(0) : dy[j.from + p.from + q];
	}
	__device__ i64 to(i64 i, i64 j) const {
		i64 n = j / g.plane();
		return ((n * g.groups + group) * g.in + i) * g.plane() + (j - n * g.plane());
	}
	__device__ T done(i64, T s) const { return s; }
};

template <class T> struct GradW {
	const Geometry &g;
	const T *x, *dy;
	int group;
	typedef i64 Row;
	struct Col {
		i64 from;
		Triple t;
	};
	struct Sum {
		i64 x, dy;
		Triple p;
	};
	__device__ i64 rows() const { return g.out; }
	__device__ i64 cols() const { return g.in * g.taps(); }
	__device__ i64 sum() const { return g.batch * g.area(); }
	__device__ Row row(i64 i) const { return (group * g.out + i) * g.area(); }
	__device__ Col col(i64 j) const {
		int taps = g.taps(), c = (int)j / taps;
		return {(group * g.in + c) * g.plane(), split((int)j - c * taps, g.k)};
	}
	__device__ Sum at(i64 p) const {
		i64 n = p / g.area(), at = p - n * g.area();
		return {n * g.groups * g.in * g.plane(), n * g.groups * g.out * g.area() + at, split((int)at, g.y)};
	}
	__device__ T a(Row i, const Sum &p) const { return dy[i + p.dy]; }
	__device__ T b(const Sum &p, const Col &j) const {
		int q = meets(g, p.p, j.t);
		return q < 0 ? T(0) : x[j.from + p.x + q];
	}
	__device__ i64 to(i64 i, i64 j) const { return (group * g.out + i) * cols() + j; }
	__device__ T done(i64, T s) const { return s; }
};

// multiply computes the tile of a block: column tile blockIdx.x, row tile blockIdx.y. Sums run over part number part,
// of depth elements.
template <class T, class V> __device__ void multiply(const V &v, i64 part, i64 depth, T *c) {
	__shared__ T as[2][DEEP][WIDE + 1], bs[2][DEEP][WIDE];
	int t = threadIdx.x, tx = t % 16, ty = t / 16;
	i64 i0 = (i64)blockIdx.y * WIDE, j0 = (i64)blockIdx.x * WIDE, rows = v.rows(), cols = v.cols();
	i64 k0 = part * depth, end = min(v.sum(), k0 + depth);
	// Of a, neighbouring threads read neighbours along the sum; of b, neighbouring columns.
	int ap = t % DEEP, ai = t / DEEP, bj = t % WIDE, bp = t / WIDE;
	bool col = j0 + bj < cols;
	typename V::Col j = v.col(col ? j0 + bj : 0);
	T acc[4][4] = {}, ha[COUNT], hb[COUNT];
	for (int now = 0; k0 < end; k0 += DEEP, now ^= 1) {
		{
			bool in = k0 + ap < end;
			typename V::Sum p = v.at(in ? k0 + ap : 0);
			for (int e = 0; e < COUNT; e++) {
				i64 i = i0 + ai + e * (256 / DEEP);
				ha[e] = in && i < rows ? v.a(v.row(i), p) : T(0);
			}
		}
		for (int e = 0; e < COUNT; e++) {
			i64 k = k0 + bp + e * (256 / WIDE);
			hb[e] = col && k < end ? v.b(v.at(k), j) : T(0);
		}
		for (int e = 0; e < COUNT; e++) {
			as[now][ap][ai + e * (256 / DEEP)] = ha[e];
			bs[now][bp + e * (256 / WIDE)][bj] = hb[e];
		}
		__syncthreads();
#pragma unroll
		for (int p = 0; p < DEEP; p++) {
			T x[4], y[4];
#pragma unroll
			for (int e = 0; e < 4; e++) {
				x[e] = as[now][p][ty + e * 16];
				y[e] = bs[now][p][tx + e * 16];
			}
#pragma unroll
			for (int r = 0; r < 4; r++) {
#pragma unroll
				for (int q = 0; q < 4; q++) acc[r][q] += x[r] * y[q];
			}
		}
	}
	for (int r = 0; r < 4; r++) {
		for (int q = 0; q < 4; q++) {
			i64 i = i0 + ty + r * 16, k = j0 + tx + q * 16;
			if (i < rows && k < cols) c[v.to(i, k)] = v.done(i, acc[r][q]);
		}
	}
}

template <class T> __device__ void forward(const Geometry &g, const T *x, const T *w, T *y) {
	Forward<T> v = {g, x, w, (int)blockIdx.z};
	multiply(v, 0, v.sum(), y);
}
BOTH(forward, (Geometry g, const T *x, const T *w, T *y), (g, x, w, y))

template <class T>
__device__ void biased(const Geometry &g, int relu, const T *x, const T *w, const T *bias, T *y) {
	Levelled<T> v = {{g, x, w, (int)blockIdx.z}, bias, relu};
	multiply(v, 0, v.sum(), y);
}
BOTH(biased, (Geometry g, int relu, const T *x, const T *w, const T *bias, T *y), (g, relu, x, w, bias, y))

template <class T> __device__ void gradx(const Geometry &g, const T *dy, const T *w, T *dx) {
	GradX<T> v = {g, dy, w, (int)blockIdx.z};
	multiply(v, 0, v.sum(), dx);
}
BOTH(gradx, (Geometry g, const T *dy, const T *w, T *dx), (g, dy, w, dx))

// gradw writes the sums of each part behind each other; blockIdx.z counts groups and, slower, parts.
template <class T> __device__ void gradw(const Geometry &g, i64 depth, const T *x, const T *dy, T *dw) {
	i64 part = blockIdx.z / g.groups;
	GradW<T> v = {g, x, dy, (int)(blockIdx.z - part * g.groups)};
	multiply(v, part, depth, dw + part * g.groups * g.out * g.in * g.taps());
}
BOTH(gradw, (Geometry g, i64 depth, const T *x, const T *dy, T *dw), (g, depth, x, dy, dw))

// join adds the parts in order.
template <class T> __device__ void join(i64 parts, i64 n, const T *from, T *to) {
	EACH(i, n) {
		T s = from[i];
		for (i64 p = 1; p < parts; p++) s += from[p * n + i];
		to[i] = s;
	}
}
BOTH(join, (i64 parts, i64 n, const T *from, T *to), (parts, n, from, to))

// unfold lays out what each position reads.
template <class T> __device__ void unfold(const Geometry &g, i64 n, const T *x, T *y) {
	i64 depth = g.in * g.taps();
	EACH(i, n) {
		i64 position = i / depth, image = position / g.area();
		int rest = (int)(i - position * depth), c = rest / g.taps();
		int q = meets(g, split((int)(position - image * g.area()), g.y), split(rest - c * g.taps(), g.k));
		y[i] = q < 0 ? T(0) : x[(image * g.in + c) * g.plane() + q];
	}
}
BOTH(unfold, (Geometry g, i64 n, const T *x, T *y), (g, n, x, y))

// fold adds, for each element of the signal, what unfold copied from it, in the order of the taps.
template <class T> __device__ void fold(const Geometry &g, i64 n, const T *dy, T *dx) {
	i64 depth = g.in * g.taps();
	EACH(i, n) {
		i64 channel = i / g.plane(), image = channel / g.in;
		Triple q = split((int)(i - channel * g.plane()), g.x);
		T s = 0;
		for (int t = 0; t < g.taps(); t++) {
			int p = met(g, q, split(t, g.k));
			if (p >= 0) s += dy[(image * g.area() + p) * depth + (channel - image * g.in) * g.taps() + t];
		}
		dx[i] = s;
	}
}
BOTH(fold, (Geometry g, i64 n, const T *dy, T *dx), (g, n, dy, dx))
