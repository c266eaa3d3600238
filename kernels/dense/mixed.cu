// C = op(A)·op(B) by tiles on tensor cores: the operands, float32, are rounded to TF32 or bfloat16 when they come out of
// shared memory; products are summed in float32. Slices of DEEP columns come by asynchronous copies, STAGES - 1 on their
// way while one is multiplied.
// Targets: compute_80
#include "async.cuh"
#include "tensor.cuh"

const int DEEP = 16, STAGES = 3;

inline __device__ u32 toTF32(float x) {
	u32 r;
	asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(x));
	return r;
}

inline __device__ u32 toBF16(float low, float high) {
	u32 r;
	asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
	return r;
}

// The formats. STEP is the length along k of one product. Lane 4g + t holds, of a, rows g and g + 8, of b, column g; of
// both the elements of k that pair() gives it. The lengths of lines in shared memory are such that the lanes of a
// warp meet different banks: LINE + WIDE if rows are neighbours, NARROW if columns are.
struct TF32 {
	static const int STEP = 8, LINE = 8, NARROW = DEEP + 4;
	// pair is the part of a lane's register: element t, or t + 4 of the upper half.
	template <int ROW, int COLUMN> static __device__ u32 pair(const float *x, int t, int upper) {
		return toTF32(x[(t + 4 * upper) * COLUMN]);
	}
	static __device__ void multiply(float (&c)[4], const u32 (&a)[4], const u32 (&b)[2]) {
		asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
		             "{%0,%1,%2,%3};"
		             : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
		             : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
	}
};

struct BF16 {
	static const int STEP = 16, LINE = 4, NARROW = DEEP + 8;
	// pair is elements 2t and 2t + 1, or those 8 further of the upper half.
	template <int ROW, int COLUMN> static __device__ u32 pair(const float *x, int t, int upper) {
		const float *p = x + (2 * t + 8 * upper) * COLUMN;
		if (COLUMN == 1) {
			float2 v = *(const float2 *)p;
			return toBF16(v.x, v.y);
		}
		return toBF16(p[0], p[COLUMN]);
	}
	static __device__ void multiply(float (&c)[4], const u32 (&a)[4], const u32 (&b)[2]) { multiplyBF16(c, a, b); }
};

// Panel copies slices of op(A) or op(B)ᵀ to shared memory, in lines along what is contiguous in memory: along rows, line
// by line of k, if ALONG, else along k.
template <class F, int WIDE, bool ALONG> struct Panel {
	static const int ROW = ALONG ? 1 : F::NARROW, COLUMN = ALONG ? WIDE + F::LINE : 1; // steps in shared memory
	const float *any, *from;
	i64 size, rows, k;
	bool whole;

	__device__ Panel(const float *x, i64 n, i64 depth, i64 row0, i64 k0) {
		any = x, size = n, k = depth;
		rows = min((i64)WIDE, n - row0);
		from = x + (ALONG ? k0 * n + row0 : row0 * k + k0);
		whole = wholeRuns(x, ALONG ? n : k);
	}

	// fetch begins to copy the next slice, of which left columns exist.
	__device__ void fetch(float *to, i64 left) {
#pragma unroll
		for (int c = 0; c < WIDE * DEEP / 4 / 256; c++) {
			int item = threadIdx.x + c * 256;
			if (ALONG) {
				int row = item % (WIDE / 4) * 4, col = item / (WIDE / 4);
				copyRun(to + row + col * COLUMN, from + col * size + row, any, col < left ? rows - row : 0, whole);
			} else {
				int row = item / (DEEP / 4), col = item % (DEEP / 4) * 4;
				copyRun(to + row * ROW + col, from + row * k + col, any, row < rows ? left - col : 0, whole);
			}
		}
		from += ALONG ? DEEP * size : DEEP;
	}

	static __device__ u32 pair(const float *slice, int row, int k0, int t, int upper) {
		return F::template pair<ROW, COLUMN>(slice + row * ROW + k0 * COLUMN, t, upper);
	}
};

template <class F, int WIDE, bool TRANSA, bool TRANSB>
__device__ void mixed(const Product &s, const float *a, const float *b, const float *bias, const float *residual,
                      float *c) {
	typedef Panel<F, WIDE, TRANSA> PanelA;
	typedef Panel<F, WIDE, !TRANSB> PanelB;
	const int SLICE = WIDE * F::NARROW, TALL = WIDE / 32, BROAD = WIDE / 32; // products of a warp, by rows and columns
	extern __shared__ __align__(16) float slices[];                          // of A, then of B
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
	int row0 = warp / 4 * (WIDE / 2), col0 = warp % 4 * (WIDE / 4);
	Share share(s, WIDE);
	float acc[TALL][BROAD][4] = {};
	PanelA pa(a + share.item * s.stepA, s.m, s.k, share.i0, share.k0);
	PanelB pb(b + share.item * s.stepB, s.n, s.k, share.j0, share.k0);
	i64 left = share.left; // that have not been asked for
	auto fetch = [&](int stage) {
		if (left > 0) {
			pa.fetch(slices + stage * SLICE, left);
			pb.fetch(slices + (STAGES + stage) * SLICE, left);
			left -= DEEP;
		}
		arrival();
	};
#pragma unroll 1
	for (int stage = 0; stage < STAGES - 1; stage++) fetch(stage);
	int now = 0, next = STAGES - 1;
	for (i64 todo = share.left; todo > 0; todo -= DEEP) {
		waitFor<STAGES - 2>();
		__syncthreads();
		fetch(next);
		const float *as = slices + now * SLICE, *bs = slices + (STAGES + now) * SLICE;
#pragma unroll
		for (int k0 = 0; k0 < DEEP; k0 += F::STEP) {
			u32 y[BROAD][2];
#pragma unroll
			for (int q = 0; q < BROAD; q++) {
#pragma unroll
				for (int e = 0; e < 2; e++) y[q][e] = PanelB::pair(bs, col0 + q * 8 + g, k0, t, e);
			}
#pragma unroll
			for (int r = 0; r < TALL; r++) {
				u32 x[4];
#pragma unroll
				for (int e = 0; e < 4; e++) x[e] = PanelA::pair(as, row0 + r * 16 + g + e % 2 * 8, k0, t, e / 2);
#pragma unroll
				for (int q = 0; q < BROAD; q++) F::multiply(acc[r][q], x, y[q]);
			}
		}
		next = now;
		now = now + 1 == STAGES ? 0 : now + 1;
	}
	writeTile<WIDE, TALL, BROAD>(acc, share, s, bias, residual, c, row0, col0);
}

// MIXED defines the kernels of a format and width: format_wide_ab, where a and b are n, or t if transposed.
#define ONE(format, F, wide, name, ta, tb)                                                                             \
	KERNEL __launch_bounds__(256, wide == 64 ? 2 : 1) format##_##wide##_##name(Product s, const float *a, const float *b,                   \
	                                                       const float *bias, const float *residual, float *c) {       \
		mixed<F, wide, ta, tb>(s, a, b, bias, residual, c);                                                            \
	}
#define MIXED(format, F, wide)                                                                                         \
	ONE(format, F, wide, nn, false, false)                                                                             \
	ONE(format, F, wide, nt, false, true)                                                                              \
	ONE(format, F, wide, tn, true, false)                                                                              \
	ONE(format, F, wide, tt, true, true)

MIXED(tf32, TF32, 64)
MIXED(tf32, TF32, 128)
MIXED(bf16, BF16, 64)
MIXED(bf16, BF16, 128)
