// A convolution in numbers, as in geometry.go.
#pragma once
#include "include/ganglion.cuh"

struct Geometry {
	i64 batch, groups, in, out; // in and out are channels of one group
	i64 x[3], k[3], y[3], stride[3], pad[3], dil[3];

	__device__ int taps() const { return k[0] * k[1] * k[2]; }
	__device__ int plane() const { return x[0] * x[1] * x[2]; }
	__device__ int area() const { return y[0] * y[1] * y[2]; }
};

// Triple is a position along three axes.
struct Triple {
	int v[3];
};

inline __device__ Triple split(int i, const i64 *extent) {
	int b = (int)extent[1], c = (int)extent[2], q = i / c;
	return {{q / b, q % b, i - q * c}};
}

// meets returns the position of x that tap t reads for position p of y, or -1 outside of x.
inline __device__ int meets(const Geometry &g, const Triple &p, const Triple &t) {
	int q = 0;
	for (int a = 0; a < 3; a++) {
		int i = p.v[a] * (int)g.stride[a] + t.v[a] * (int)g.dil[a] - (int)g.pad[a];
		if (i < 0 || i >= g.x[a]) return -1;
		q = q * (int)g.x[a] + i;
	}
	return q;
}

// met returns the position of y for which tap t reads position q of x, or -1.
inline __device__ int met(const Geometry &g, const Triple &q, const Triple &t) {
	int p = 0;
	for (int a = 0; a < 3; a++) {
		int i = q.v[a] + (int)g.pad[a] - t.v[a] * (int)g.dil[a], s = (int)g.stride[a];
		if (i < 0 || i % s != 0 || i / s >= g.y[a]) return -1;
		p = p * (int)g.y[a] + i / s;
	}
	return p;
}
