// The threads that solve one module together: a warp, or a whole block. Both run the same code. All threads of a team
// take the same way through it, for what they decide by comes out of sums and maxima that are the same in all of them.
#pragma once
#include "include/ganglion.cuh"

const int WARPS = 8; // of a block at most
const int JOINT = 5; // numbers that are reduced at once at most

// Warp is a team of 32 threads.
struct Warp {
	static __device__ int rank() { return threadIdx.x % 32; }
	static __device__ int size() { return 32; }
	static __device__ int warp() { return 0; }
	static __device__ int warps() { return 1; }
	static __device__ bool reports() { return threadIdx.x % 32 == 0; } // one thread of the team
	static __device__ int slot() { return threadIdx.x / 32; }          // of the team, among those of the block
	static __device__ void sync() { __syncwarp(); }
	static __device__ bool any(bool v) { return __any_sync(0xffffffffu, v) != 0; }

	// reduce joins n numbers over the team, in one fixed order, into all of its threads. It is a sync too.
	template <class R, int N, class T> static __device__ void reduce(T (&v)[N], T *) {
		__syncwarp();
#pragma unroll
		for (int i = 0; i < N; i++) v[i] = warpReduce<R>(v[i]);
	}
};

// Block is a team of all threads of a block.
struct Block {
	static __device__ int rank() { return threadIdx.x; }
	static __device__ int size() { return blockDim.x; }
	static __device__ int warp() { return threadIdx.x / 32; }
	static __device__ int warps() { return blockDim.x / 32; }
	static __device__ bool reports() { return threadIdx.x == 0; }
	static __device__ int slot() { return 0; }
	static __device__ void sync() { __syncthreads(); }
	static __device__ bool any(bool v) { return __syncthreads_or(v) != 0; }

	// reduce does as Warp's. part holds JOINT·WARPS numbers.
	template <class R, int N, class T> static __device__ void reduce(T (&v)[N], T *part) {
		static_assert(N <= JOINT, "part is too small");
		int lane = threadIdx.x % 32;
#pragma unroll
		for (int i = 0; i < N; i++) v[i] = warpReduce<R>(v[i]);
		__syncthreads();
		if (lane == 0) {
#pragma unroll
			for (int i = 0; i < N; i++) part[i * WARPS + threadIdx.x / 32] = v[i];
		}
		__syncthreads();
#pragma unroll
		for (int i = 0; i < N; i++) {
			v[i] = part[i * WARPS];
			for (int w = 1; w < warps(); w++) v[i] = R::join(v[i], part[i * WARPS + w]);
		}
	}
};
