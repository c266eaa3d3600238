// Elements of inputs that are broadcast to an output, or lie in it in another order (walk.go).
#pragma once
#include "include/ganglion.cuh"

// Walk holds the sizes of the output's dimensions and the strides of two inputs along them, in elements.
struct Walk {
	i64 rank, dim[8], a[8], b[8];
};

struct At {
	i64 a, b;
};

// at returns the offsets in the inputs that belong to output element i.
inline __device__ At at(const Walk &w, i64 i) {
	if (w.rank == 1) return {i * w.a[0], i * w.b[0]};
	At p = {0, 0};
	for (int k = w.rank - 1; k > 0; k--) {
		i64 next = i < 0xffffffffLL ? (i64)((u32)i / (u32)w.dim[k]) : i / w.dim[k], c = i - next * w.dim[k];
		p.a += c * w.a[k];
		p.b += c * w.b[k];
		i = next;
	}
	return {p.a + i * w.a[0], p.b + i * w.b[0]};
}
