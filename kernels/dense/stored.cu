// C = op(A)·op(B) by tiles on tensor cores, of operands that are bfloat16 in memory; products are summed in float32.
// Slices of DEEP columns come by asynchronous copies, STAGES - 1 on their way while one is multiplied.
// Targets: compute_80
#include "async.cuh"
#include "tensor.cuh"

typedef unsigned short u16;

const int DEEP = 32, STAGES = 3, LINE = DEEP + 8; // lines of LINE or WIDE + 8 numbers: lanes meet different banks

// Panel copies slices of op(A) or op(B)ᵀ to shared memory, in lines along what is contiguous in memory: along rows, line
// by line of k, if ALONG, else along k.
template <int WIDE, bool ALONG> struct Panel {
	const u16 *from;
	i64 size, rows, k;
	bool whole;

	__device__ Panel(const u16 *x, i64 n, i64 depth, i64 row0, i64 k0) {
		size = n, k = depth;
		rows = min((i64)WIDE, n - row0);
		from = x + (ALONG ? k0 * n + row0 : row0 * k + k0);
		whole = wholeRuns(x, ALONG ? n : k);
	}

	// run copies 8 numbers of which count are there. Where they cannot be copied at once they go through registers.
	__device__ void run(u16 *to, const u16 *x, i64 count) {
		if (whole) {
			copyRun(to, x, from, count, true);
			return;
		}
#pragma unroll 1
		for (int e = 0; e < 8; e++) to[e] = e < count ? x[e] : 0;
	}

	// fetch begins to copy the next slice, of which left columns exist.
	__device__ void fetch(u16 *to, i64 left) {
#pragma unroll
		for (int c = 0; c < WIDE * DEEP / 8 / 256; c++) {
			int item = threadIdx.x + c * 256;
			if (ALONG) {
				int row = item % (WIDE / 8) * 8, col = item / (WIDE / 8);
				run(to + row + col * (WIDE + 8), from + col * size + row, col < left ? rows - row : 0);
			} else {
				int row = item / (DEEP / 8), col = item % (DEEP / 8) * 8;
				run(to + row * LINE + col, from + row * k + col, row < rows ? left - col : 0);
			}
		}
		from += ALONG ? DEEP * size : DEEP;
	}

	// load gives the lanes their parts of four matrices of 8 × 8 numbers, of which the calling lane names a line: that
	// of rows from row on, if rows are lines, else that of column col.
	static __device__ void load(u32 (&x)[4], const u16 *slice, int row, int col) {
		if (ALONG) {
			u32 at = sharedAddress(slice + row + col * (WIDE + 8));
			asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
			             : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
			             : "r"(at)
			             : "memory");
		} else {
			u32 at = sharedAddress(slice + row * LINE + col);
			asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
			             : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
			             : "r"(at)
			             : "memory");
		}
	}
};

template <int WIDE, bool TRANSA, bool TRANSB>
__device__ void stored(const Product &s, const u16 *a, const u16 *b, const float *bias, const float *residual, float *c) {
	typedef Panel<WIDE, TRANSA> PanelA;
	typedef Panel<WIDE, !TRANSB> PanelB;
	const int SLICE = WIDE * LINE, TALL = WIDE / 32, BROAD = WIDE / 32; // products of a warp, by rows and columns
	extern __shared__ __align__(16) u16 slices[];                        // of A, then of B
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
	int row0 = warp / 4 * (WIDE / 2), col0 = warp % 4 * (WIDE / 4);
	// The lines that a lane names. The matrices of A are, in turn, of the upper and lower rows, and then of the further
	// columns; those of B, of the nearer and further rows of k, and then of the columns beside them.
	int inner = lane % 8, second = lane / 8 % 2 * 8, third = lane / 16 * 8;
	int rowA = second + (TRANSA ? 0 : inner), colA = third + (TRANSA ? inner : 0);
	int rowB = third + (TRANSB ? inner : 0), colB = second + (TRANSB ? 0 : inner);
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
		const u16 *as = slices + now * SLICE, *bs = slices + (STAGES + now) * SLICE;
#pragma unroll
		for (int k0 = 0; k0 < DEEP; k0 += 16) {
			u32 y[BROAD][2];
#pragma unroll
			for (int q = 0; q < BROAD; q += 2) {
				u32 pair[4];
				PanelB::load(pair, bs, col0 + q * 8 + rowB, k0 + colB);
				y[q][0] = pair[0], y[q][1] = pair[1], y[q + 1][0] = pair[2], y[q + 1][1] = pair[3];
			}
#pragma unroll
			for (int r = 0; r < TALL; r++) {
				u32 x[4];
				PanelA::load(x, as, row0 + r * 16 + rowA, k0 + colA);
#pragma unroll
				for (int q = 0; q < BROAD; q++) multiplyBF16(acc[r][q], x, y[q]);
			}
		}
		next = now;
		now = now + 1 == STAGES ? 0 : now + 1;
	}
	writeTile<WIDE, TALL, BROAD>(acc, share, s, bias, residual, c, row0, col0);
}

// STORED defines the kernels of a width: stored_wide_ab, where a and b are n, or t if transposed.
#define ONE(wide, name, ta, tb)                                                                                        \
	KERNEL __launch_bounds__(256, wide == 64 ? 2 : 1) stored_##wide##_##name(                                           \
	    Product s, const u16 *a, const u16 *b, const float *bias, const float *residual, float *c) {                   \
		stored<wide, ta, tb>(s, a, b, bias, residual, c);                                                              \
	}
#define STORED(wide)                                                                                                   \
	ONE(wide, nn, false, false)                                                                                        \
	ONE(wide, nt, false, true)                                                                                         \
	ONE(wide, tn, true, false)                                                                                         \
	ONE(wide, tt, true, true)

STORED(64)
STORED(128)
