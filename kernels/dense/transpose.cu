#include "dense/walk.cuh"

// permute copies the elements of x in the order of the walk.
template <class T> __device__ void permute(Walk w, i64 n, const T *x, T *y) {
	EACH(i, n) y[i] = x[at(w, i).a];
}

KERNEL permute_4(Walk w, i64 n, const u32 *x, u32 *y) { permute(w, n, x, y); }
KERNEL permute_8(Walk w, i64 n, const u64 *x, u64 *y) { permute(w, n, x, y); }
KERNEL permute_1(Walk w, i64 n, const u8 *x, u8 *y) { permute(w, n, x, y); }

// turn transposes matrices, one for each z of the grid: y[j][i] = x[i][j] for rows × cols elements, by tiles of 32 × 32
// that go through shared memory, so that both sides are read and written in whole lines.
template <class T> __device__ void turn(int rows, int cols, const T *x, T *y) {
	__shared__ T tile[32][33];
	i64 from = (i64)blockIdx.z * rows * cols;
	int i0 = blockIdx.y * 32, j0 = blockIdx.x * 32;
	for (int r = threadIdx.y; r < 32; r += 8) {
		int i = i0 + r, j = j0 + threadIdx.x;
		if (i < rows && j < cols) tile[r][threadIdx.x] = x[from + (i64)i * cols + j];
	}
	__syncthreads();
	for (int r = threadIdx.y; r < 32; r += 8) {
		int j = j0 + r, i = i0 + threadIdx.x;
		if (i < rows && j < cols) y[from + (i64)j * rows + i] = tile[threadIdx.x][r];
	}
}

KERNEL turn_4(int rows, int cols, const u32 *x, u32 *y) { turn(rows, cols, x, y); }
KERNEL turn_8(int rows, int cols, const u64 *x, u64 *y) { turn(rows, cols, x, y); }
