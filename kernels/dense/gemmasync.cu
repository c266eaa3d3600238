// C = op(A)·op(B) by tiles, as in gemm.cu, with the slices of A and B on their way by asynchronous copies: STAGES - 1 of
// them while one is multiplied. No registers hold what is on its way. Every element is summed in the same order as
// there, so the bits are the same.
// Targets: compute_80
#include "async.cuh"
#include "gemm.cuh"

// Panel copies slices of op(A) or op(B)ᵀ, WIDE rows and DEEP columns, to shared memory in lines of WIDE + 4 rows. Where
// rows are neighbours in memory, 16 bytes go at once; else the elements are turned one by one on the way.
template <class T, int WIDE, int DEEP> struct Panel {
	static const int RUN = 16 / sizeof(T), RUNS = WIDE * DEEP / RUN / 256, COUNT = WIDE * DEEP / 256;
	const T *any, *from;
	i64 size, k, rows; // rows that exist
	bool along, whole;

	__device__ Panel(bool alongRows, const T *x, i64 n, i64 depth, i64 row0, i64 k0) {
		any = x, along = alongRows, size = n, k = depth;
		rows = min((i64)WIDE, n - row0);
		from = x + (along ? k0 * n + row0 : row0 * k + k0);
		whole = wholeRuns(x, n);
	}

	// fetch begins to copy the next slice, of which left columns exist.
	__device__ void fetch(T *to, i64 left) {
		if (along) {
#pragma unroll
			for (int c = 0; c < RUNS; c++) {
				int item = threadIdx.x + c * 256, row = item % (WIDE / RUN) * RUN, col = item / (WIDE / RUN);
				copyRun(to + col * (WIDE + 4) + row, from + col * size + row, any, col < left ? rows - row : 0, whole);
			}
			from += DEEP * size;
			return;
		}
#pragma unroll
		for (int c = 0; c < COUNT; c++) {
			int item = threadIdx.x + c * 256, row = item / DEEP, col = item % DEEP;
			copyOne(to + col * (WIDE + 4) + row, from + row * k + col, any, row < rows && col < left);
		}
		from += DEEP;
	}
};

template <class T, int WIDE, int DEEP, int STAGES>
__device__ void gemm(const Product &s, const T *a, const T *b, const T *bias, const T *residual, T *c) {
	const int GROUPS = WIDE / 64;
	__shared__ __align__(16) T as[STAGES][DEEP][WIDE + 4], bs[STAGES][DEEP][WIDE + 4];
	int tx = threadIdx.x % 16, ty = threadIdx.x / 16;
	Share share(s, WIDE);
	T acc[4 * GROUPS][4 * GROUPS] = {};
	Panel<T, WIDE, DEEP> pa(s.transA, a + share.item * s.stepA, s.m, s.k, share.i0, share.k0);
	Panel<T, WIDE, DEEP> pb(!s.transB, b + share.item * s.stepB, s.n, s.k, share.j0, share.k0);
	i64 left = share.left; // that have not been asked for
	auto fetch = [&](int stage) {
		if (left > 0) {
			pa.fetch(as[stage][0], left);
			pb.fetch(bs[stage][0], left);
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
#pragma unroll
		for (int p = 0; p < DEEP; p++) rankOne<T, GROUPS>(acc, as[now][p], bs[now][p], tx, ty);
		next = now;
		now = now + 1 == STAGES ? 0 : now + 1;
	}
	writeGroups<T, GROUPS>(acc, share, s, bias, residual, c, tx, ty);
}

KERNEL __launch_bounds__(256, 2) async64_f32(Product s, const float *a, const float *b, const float *bias,
                                          const float *residual, float *c) {
	gemm<float, 64, 16, 4>(s, a, b, bias, residual, c);
}
KERNEL __launch_bounds__(256, 2) async64_f64(Product s, const double *a, const double *b, const double *bias,
                                          const double *residual, double *c) {
	gemm<double, 64, 8, 4>(s, a, b, bias, residual, c);
}
KERNEL __launch_bounds__(256) async128_f32(Product s, const float *a, const float *b, const float *bias,
                                           const float *residual, float *c) {
	gemm<float, 128, 8, 4>(s, a, b, bias, residual, c);
}
