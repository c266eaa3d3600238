// The packed structure of a pruned graph, as layout.go has it, and what is found wrong with it.
#pragma once
#include "include/ganglion.cuh"

// Layout points into a structure of p nodes; the names are those of Layout in layout.go.
struct Layout {
	int nodes, kept, modules, levels;
	const int *order, *position, *module, *component, *connected, *level;
	const int *modulePtr, *levelPtr, *inPtr, *inMid, *outPtr, *outMid, *in, *out;

	__device__ Layout(const int *s, int p) {
		nodes = s[0], kept = s[1], modules = s[2], levels = s[3];
		order = s + 16, position = order + p, module = position + p, component = module + p;
		connected = component + p, level = connected + p;
		modulePtr = level + p, levelPtr = modulePtr + p + 1, inPtr = levelPtr + p + 1, inMid = inPtr + p + 1;
		outPtr = inMid + p + 1, outMid = outPtr + p + 1;
		in = outMid + p + 1, out = in + (i64)p * (p - 1);
	}

	__device__ int size(int m) const { return modulePtr[m + 1] - modulePtr[m]; }

	// follows tells whether j → i can be an edge within a module (inner) or between two.
	__device__ bool follows(int j, int i, bool inner) const {
		if ((u32)j >= (u32)nodes || (u32)i >= (u32)nodes || i == j) return false;
		int from = module[j], to = module[i];
		return inner ? from == to : level[from] < level[to];
	}
};

// The words in which kernels of one step tell one another that the structure is none: of its nodes, of its edges.
enum { WRONG_NODES, WRONG_EDGES, WRONG_WORDS };

// damaged tells what earlier launches have found.
inline __device__ bool damaged(const int *wrong) { return (wrong[WRONG_NODES] | wrong[WRONG_EDGES]) != 0; }
