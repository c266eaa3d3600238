// An array of integers is tested before it is used for addresses: the nodes by one block, the edges by many.
#include "structure.cuh"

// any tells all threads of the block whether one of them found something wrong.
inline __device__ bool any(bool wrong) { return __syncthreads_or(wrong) != 0; }

// descending tells whether ptr and mid do not cut a list of the given length.
inline __device__ bool descending(const int *ptr, const int *mid, int p, int length) {
	bool bad = ptr[0] != 0 || ptr[p] != length;
	for (int i = threadIdx.x; i < p; i += blockDim.x) bad |= ptr[i] < 0 || ptr[i] > mid[i] || mid[i] > ptr[i + 1];
	return bad;
}

// wrongNodes is checkNodes of layout.go for p nodes, p > 0. Each part relies on those before it.
inline __device__ bool wrongNodes(const int *s, int p) {
	if (s[0] != p) return true;
	Layout l(s, p);
	if (l.modules < 1 || l.modules > p || l.kept < 0 || l.kept > (i64)p * (p - 1) || l.levels < 1 ||
	    l.levels > l.modules)
		return true;
	if (l.modulePtr[0] != 0 || l.modulePtr[l.modules] != p || l.levelPtr[0] != 0 ||
	    l.levelPtr[l.levels] != l.modules)
		return true;
	bool bad = descending(l.inPtr, l.inMid, p, l.kept) | descending(l.outPtr, l.outMid, p, l.kept);
	for (int m = threadIdx.x; m < l.modules; m += blockDim.x) {
		int lo = l.modulePtr[m], hi = l.modulePtr[m + 1];
		bad |= lo < 0 || lo >= hi || hi > p;
	}
	for (int k = threadIdx.x; k < l.levels; k += blockDim.x) {
		int lo = l.levelPtr[k], hi = l.levelPtr[k + 1];
		bad |= lo < 0 || lo >= hi || hi > l.modules;
	}
	if (any(bad)) return true;
	for (int m = threadIdx.x; m < l.modules; m += blockDim.x) {
		for (int at = l.modulePtr[m]; at < l.modulePtr[m + 1]; at++) {
			int i = l.order[at];
			bad |= (u32)i >= (u32)p || l.module[i] != m || l.position[i] != at;
		}
	}
	for (int k = threadIdx.x; k < l.levels; k += blockDim.x)
		for (int m = l.levelPtr[k]; m < l.levelPtr[k + 1]; m++) bad |= l.level[m] != k;
	return any(bad);
}

// check says in wrong whether s is no structure of p nodes, the edges apart. It is one block.
KERNEL check(int p, const int *s, int *wrong) {
	bool bad = wrongNodes(s, p);
	if (threadIdx.x == 0) {
		wrong[WRONG_NODES] = bad;
		wrong[WRONG_EDGES] = 0;
	}
}

// edges says in wrong whether an edge of either list cannot be. A warp takes a node.
KERNEL edges(int p, const int *s, int *wrong) {
	if (wrong[WRONG_NODES]) return;
	Layout l(s, p);
	int lane = threadIdx.x % 32, j = (blockIdx.x * blockDim.x + threadIdx.x) / 32;
	if (j >= p) return;
	bool bad = false;
	for (int e = l.outPtr[j] + lane; e < l.outPtr[j + 1]; e += 32) bad |= !l.follows(j, l.out[e], e >= l.outMid[j]);
	for (int e = l.inPtr[j] + lane; e < l.inPtr[j + 1]; e += 32) bad |= !l.follows(l.in[e], j, e >= l.inMid[j]);
	if (bad) atomicOr(wrong + WRONG_EDGES, 1);
}
