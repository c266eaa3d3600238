// What the kernels of products share.
#pragma once
#include "include/ganglion.cuh"

// Product holds the sizes. Operands of neighbouring indices of a batch are stepA, stepB, stepC elements apart. k is cut
// into parts of depth elements each; with several, each part writes a C of its own behind the others', without
// epilogue.
struct Product {
	i64 m, n, k, transA, transB, batch, stepA, stepB, stepC, depth, relu;
};

// Share is what a block computes: the tile that begins at (i0, j0), of a product of the batch, over left elements of k
// from k0 on.
struct Share {
	i64 parts, part, item, i0, j0, k0, left;

	__device__ Share(const Product &s, int wide) {
		parts = (s.k + s.depth - 1) / s.depth, part = 0, item = blockIdx.z;
		if (parts > 1) {
			part = item / s.batch;
			item -= part * s.batch;
		}
		i0 = (i64)blockIdx.y * wide, j0 = (i64)blockIdx.x * wide, k0 = part * s.depth;
		left = min(s.k - k0, s.depth);
	}

	// place is where C of this part begins.
	__device__ i64 place(const Product &s) const { return (part * s.batch + item) * s.stepC; }
};

template <class T> struct Four {
	T v[4];
};

inline __device__ Four<float> four(const float *p) {
	float4 v = *(const float4 *)p;
	return {v.x, v.y, v.z, v.w};
}
inline __device__ Four<double> four(const double *p) {
	double2 v = *(const double2 *)p, w = *(const double2 *)(p + 2);
	return {v.x, v.y, w.x, w.y};
}

// finish is what is added and applied to an element of the product.
template <class T> __device__ T finish(T v, i64 i, i64 j, const Product &s, const T *bias, const T *residual) {
	if (bias) v += bias[j];
	if (residual) v += residual[i * s.n + j];
	return s.relu ? max_(v, T(0)) : v;
}

// rankOne adds to a thread's groups of 4 × 4 elements of a tile, 64 apart, the products of row p of both panels.
template <class T, int GROUPS>
__device__ void rankOne(T (&acc)[4 * GROUPS][4 * GROUPS], const T *as, const T *bs, int tx, int ty) {
	Four<T> x[GROUPS], y[GROUPS];
#pragma unroll
	for (int g = 0; g < GROUPS; g++) {
		x[g] = four(&as[g * 64 + ty * 4]);
		y[g] = four(&bs[g * 64 + tx * 4]);
	}
#pragma unroll
	for (int r = 0; r < 4 * GROUPS; r++) {
#pragma unroll
		for (int q = 0; q < 4 * GROUPS; q++) acc[r][q] += x[r / 4].v[r % 4] * y[q / 4].v[q % 4];
	}
}

// writeGroups finishes and writes them.
template <class T, int GROUPS>
__device__ void writeGroups(const T (&acc)[4 * GROUPS][4 * GROUPS], const Share &b, const Product &s, const T *bias,
                            const T *residual, T *c, int tx, int ty) {
	c += b.place(s);
#pragma unroll
	for (int r = 0; r < 4 * GROUPS; r++) {
		i64 i = b.i0 + r / 4 * 64 + ty * 4 + r % 4;
#pragma unroll
		for (int q = 0; q < 4 * GROUPS; q++) {
			i64 j = b.j0 + q / 4 * 64 + tx * 4 + q % 4;
			if (i < s.m && j < s.n)
				c[i * s.n + j] = b.parts > 1 ? acc[r][q] : finish(acc[r][q], i, j, s, bias, residual);
		}
	}
}
