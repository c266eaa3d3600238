// C = op(A)·op(B) by tiles. A block of 16 × 16 threads computes a tile of C. It walks along k in steps of DEEP: while
// one step is multiplied out of shared memory, the next is on its way to registers, so there is one barrier a step. A
// thread holds groups of 4 × 4 elements of the tile, 64 apart, whose operands it reads four at a time.
#include "gemm.cuh"

// Panel is a slice of op(A) or op(B)ᵀ of WIDE rows and DEEP columns on its way from memory to shared memory.
// Neighbouring threads read neighbouring addresses: along the rows of the slice if alongRows, else along k.
template <class T, int WIDE, int DEEP> struct Panel {
	static const int COUNT = WIDE * DEEP / 256;
	T held[COUNT];
	const T *from;
	i64 stride, step; // between the elements of this thread, and from slice to slice
	int place, rows; // where the first element goes in shared memory; how many rows exist
	bool along;

	__device__ int row(int c) { return along ? threadIdx.x % WIDE : threadIdx.x / DEEP + c * (256 / DEEP); }
	__device__ int col(int c) { return along ? threadIdx.x / WIDE + c * (256 / WIDE) : threadIdx.x % DEEP; }

	__device__ Panel(bool alongRows, const T *x, i64 size, i64 k, i64 row0, i64 k0) {
		along = alongRows;
		rows = (int)min((i64)WIDE, size - row0);
		place = col(0) * (WIDE + 4) + row(0);
		i64 byRow = along ? 1 : k, byCol = along ? size : 1;
		from = x + (row0 + row(0)) * byRow + (k0 + col(0)) * byCol;
		stride = along ? 256 / WIDE * byCol : 256 / DEEP * byRow;
		step = DEEP * byCol;
	}

	// fetch reads the next slice, of which left columns exist.
	__device__ void fetch(i64 left) {
#pragma unroll
		for (int c = 0; c < COUNT; c++)
			held[c] = row(c) < rows && col(c) < left ? from[c * stride] : T(0);
		from += step;
	}

	__device__ void put(T *to) {
		int next = along ? 256 / WIDE * (WIDE + 4) : 256 / DEEP;
#pragma unroll
		for (int c = 0; c < COUNT; c++) to[place + c * next] = held[c];
	}
};

template <class T, int WIDE, int DEEP>
__device__ void gemm(const Product &s, const T *a, const T *b, const T *bias, const T *residual, T *c) {
	const int GROUPS = WIDE / 64;
	__shared__ __align__(16) T as[2][DEEP][WIDE + 4], bs[2][DEEP][WIDE + 4];
	int tx = threadIdx.x % 16, ty = threadIdx.x / 16;
	Share share(s, WIDE);
	T acc[4 * GROUPS][4 * GROUPS] = {};
	Panel<T, WIDE, DEEP> pa(s.transA, a + share.item * s.stepA, s.m, s.k, share.i0, share.k0);
	Panel<T, WIDE, DEEP> pb(!s.transB, b + share.item * s.stepB, s.n, s.k, share.j0, share.k0);
	i64 left = share.left;
	pa.fetch(left);
	pb.fetch(left);
	for (int now = 0; left > 0; left -= DEEP, now ^= 1) {
		pa.put(as[now][0]);
		pb.put(bs[now][0]);
		__syncthreads();
		if (left > DEEP) {
			pa.fetch(left - DEEP);
			pb.fetch(left - DEEP);
		}
#pragma unroll
		for (int p = 0; p < DEEP; p++) rankOne<T, GROUPS>(acc, as[now][p], bs[now][p], tx, ty);
	}
	writeGroups<T, GROUPS>(acc, share, s, bias, residual, c, tx, ty);
}

KERNEL __launch_bounds__(256, 2) gemm64_f32(Product s, const float *a, const float *b, const float *bias,
                                         const float *residual, float *c) {
	gemm<float, 64, 16>(s, a, b, bias, residual, c);
}
KERNEL __launch_bounds__(256, 2) gemm64_f64(Product s, const double *a, const double *b, const double *bias,
                                         const double *residual, double *c) {
	gemm<double, 64, 8>(s, a, b, bias, residual, c);
}
KERNEL __launch_bounds__(256) gemm128_f32(Product s, const float *a, const float *b, const float *bias,
                                          const float *residual, float *c) {
	gemm<float, 128, 8>(s, a, b, bias, residual, c);
}

// join adds the parts of C in order and finishes the elements.
template <class T>
__device__ void join(const Product &s, i64 parts, const T *from, const T *bias, const T *residual, T *c) {
	i64 size = s.m * s.n;
	EACH(e, size) {
		T v = from[e];
		for (i64 p = 1; p < parts; p++) v += from[p * size + e];
		c[e] = finish(v, e / s.n, e % s.n, s, bias, residual);
	}
}

BOTH(join, (Product s, i64 parts, const T *from, const T *bias, const T *residual, T *c),
     (s, parts, from, bias, residual, c))
