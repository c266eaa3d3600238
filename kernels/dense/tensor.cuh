// What the kernels of tensor cores share. A block of 8 warps computes a tile of WIDE × WIDE elements, a warp a part of
// WIDE/2 × WIDE/4, in products of 16 × 8 elements: TALL by BROAD of them, of which a lane holds four elements each.
#pragma once
#include "gemm.cuh"

inline __device__ void multiplyBF16(float (&c)[4], const u32 (&a)[4], const u32 (&b)[2]) {
	asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
	             "{%0,%1,%2,%3};"
	             : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
	             : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// writeTile finishes and writes the elements of a warp, whose part of the tile begins at (row0, col0).
template <int WIDE, int TALL, int BROAD>
__device__ void writeTile(const float (&acc)[TALL][BROAD][4], const Share &share, const Product &s, const float *bias,
                          const float *residual, float *c, int row0, int col0) {
	int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
	if (share.parts > 1) bias = residual = 0;
	bool relu = share.parts <= 1 && s.relu;
	i64 i0 = share.i0 + row0 + g, j0 = share.j0 + col0 + 2 * t, at = i0 * s.n + j0;
	int rows = (int)min((i64)WIDE, s.m - i0), cols = (int)min((i64)WIDE, s.n - j0); // that exist from here on
	float add[BROAD * 2];
#pragma unroll
	for (int q = 0; q < BROAD * 2; q++) {
		int j = q / 2 * 8 + q % 2;
		add[q] = bias && j < cols ? bias[j0 + j] : 0;
	}
	c += share.place(s) + at;
	residual += residual ? at : 0;
#pragma unroll
	for (int r = 0; r < TALL * 2; r++) {
		if (r * 8 < rows) {
#pragma unroll
			for (int q = 0; q < BROAD * 2; q++) {
				int j = q / 2 * 8 + q % 2;
				float v = acc[r / 2][q / 2][r % 2 * 2 + q % 2] + add[q];
				if (j < cols) {
					if (residual) v += residual[j];
					c[j] = relu ? max_(v, 0.0f) : v;
				}
			}
		}
		c += 8 * s.n;
		residual += residual ? 8 * s.n : 0;
	}
}
