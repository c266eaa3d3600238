// Structure and Restructure: γ by radix selection, the components by closing the graph transitively in bits, levels and
// weakly connected parts by relaxing until nothing changes. All results are integers that do not depend on the order of
// the threads, laid out as layout.go says. A launch does nothing at steps at which a structure is kept.
#include "structure.cuh"

// The counts at the beginning of a structure.
enum { NODES, KEPT, MODULES, LEVELS, CYCLIC, LARGEST, SMALLEST, EDGES, HEAD = 16 };

// due tells whether there is something to do: at the steps 1, 1+every, …, always if there is no step.
inline __device__ bool due(const int *step, i64 every) { return !step || ((i64)step[0] - 1) % every == 0; }

// rank maps |v| to an integer of the same order: 0 for ±0, NaN above +Inf.
inline __device__ u64 rank(float v) { return (u64)(__float_as_uint(v) << 1) << 32; }
inline __device__ u64 rank(double v) { return (u64)__double_as_longlong(v) << 1; }

// begin clears the structure, or copies the previous one, over which it may lie.
KERNEL begin(i64 n, const int *step, i64 every, const int *previous, int *s) {
	bool now = due(step, every);
	EACH(i, n) s[i] = now ? 0 : previous[i];
}

// choose finds γ, the rank of the keep-th largest weight off the diagonal, at least 1; one block.
template <class T> __device__ void choose(int p, i64 keep, const int *step, i64 every, const T *w, u64 *gamma) {
	__shared__ i64 part[32];
	__shared__ int histogram[256];
	__shared__ u64 digits;
	__shared__ i64 wanted;
	if (!due(step, every)) return;
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
	i64 found = 0;
	for (int j = warp; j < p; j += warps) {
		for (int i = lane; i < p; i += 32) found += i != j && w[(i64)j * p + i] != 0;
	}
	found = blockReduce<Sum>(found, part);
	if (keep <= 0 || keep >= found) {
		if (threadIdx.x == 0) *gamma = keep == 0 ? ~0ull : 1;
		return;
	}
	if (threadIdx.x == 0) digits = 0, wanted = keep;
	for (int shift = 56; shift >= (sizeof(T) == 4 ? 32 : 0); shift -= 8) {
		for (int d = threadIdx.x; d < 256; d += blockDim.x) histogram[d] = 0;
		__syncthreads();
		u64 above = digits;
		for (int j = warp; j < p; j += warps) {
			for (int i = lane; i < p; i += 32) {
				u64 r = rank(w[(i64)j * p + i]);
				if (i != j && (shift == 56 || r >> (shift + 8) == above)) atomicAdd(&histogram[r >> shift & 255], 1);
			}
		}
		__syncthreads();
		i64 need = wanted, larger = 0;
		__syncthreads();
		int d = threadIdx.x;
		for (int e = 255; e > d; e--) larger += histogram[e];
		if (d < 256 && larger < need && need <= larger + histogram[d]) digits = above << 8 | d, wanted = need - larger;
		__syncthreads();
	}
	if (threadIdx.x == 0) *gamma = digits << (sizeof(T) == 4 ? 32 : 0);
}
BOTH(choose, (int p, i64 keep, const int *step, i64 every, const T *w, u64 *gamma), (p, keep, step, every, w, gamma))

// adjacent sets bit i of row j for every edge j → i that is kept. A warp takes a row.
template <class T>
__device__ void adjacent(int p, const int *step, i64 every, const T *w, const u64 *gamma, u32 *edge) {
	int lane = threadIdx.x % 32, j = (blockIdx.x * blockDim.x + threadIdx.x) / 32, words = (p + 31) / 32;
	if (j >= p || !due(step, every)) return;
	for (int k = 0; k < words; k++) {
		int i = k * 32 + lane;
		u32 bits = __ballot_sync(0xffffffffu, i < p && i != j && rank(w[(i64)j * p + min(i, p - 1)]) >= *gamma);
		if (lane == 0) edge[(i64)j * words + k] = bits;
	}
}
BOTH(adjacent, (int p, const int *step, i64 every, const T *w, const u64 *gamma, u32 *edge),
     (p, step, every, w, gamma, edge))

// Graph is what the parts of the search share; a component is named by its smallest node.
struct Graph {
	int p, words;
	const u32 *edge; // [p, words]
	u32 *reach;      // [p, words] the closure of edge
	int *level;      // [p] of each component
	int *number;     // [p] module number of each component
	int *label;      // [p] smallest node of the weakly connected part, as far as known
	int *count;      // [p] edges of each part
	int *s;          // the structure

	__device__ int *array(int k) const { return s + HEAD + k * p; }
	__device__ int *component() const { return array(3); }
	__device__ int *pointers(int k) const { return array(6) + k * (p + 1); }
	__device__ bool has(const u32 *bits, int j, int i) const { return bits[(i64)j * words + i / 32] >> (i % 32) & 1; }
};

#define NODE(i) for (int i = threadIdx.x; i < g.p; i += blockDim.x)
#define ROW(j) for (int j = threadIdx.x / 32; j < g.p; j += blockDim.x / 32)
#define LANES(k, n) for (int k = threadIdx.x % 32; k < (n); k += 32)

// close is Warshall's algorithm; a warp takes a row.
inline __device__ void close(const Graph &g) {
	ROW(j) LANES(k, g.words) g.reach[(i64)j * g.words + k] = g.edge[(i64)j * g.words + k];
	for (int m = 0; m < g.p; m++) {
		__syncthreads();
		ROW(j) {
			bool through = j != m && g.has(g.reach, j, m);
			__syncwarp();
			if (through) LANES(k, g.words) g.reach[(i64)j * g.words + k] |= g.reach[(i64)m * g.words + k];
			__syncwarp();
		}
	}
	__syncthreads();
}

// components finds the smallest node of each component.
inline __device__ void components(const Graph &g) {
	ROW(i) {
		int first = i;
		for (int base = 0; base < i; base += 32) {
			int j = base + threadIdx.x % 32;
			u32 both = __ballot_sync(0xffffffffu, j < i && g.has(g.reach, i, j) && g.has(g.reach, j, i));
			if (both) {
				first = base + __ffs(both) - 1;
				break;
			}
		}
		if (threadIdx.x % 32 == 0) {
			g.component()[i] = first;
			g.level[i] = g.number[i] = g.count[i] = 0;
			g.label[i] = first;
		}
	}
	__syncthreads();
}

// relax raises levels along edges between components, and lowers labels, until nothing changes.
inline __device__ void relax(const Graph &g) {
	const int *component = g.component();
	for (int round = 0; round <= 2 * g.p; round++) {
		bool changed = false;
		ROW(j) LANES(k, g.words) {
			for (u32 bits = g.edge[(i64)j * g.words + k]; bits; bits &= bits - 1) {
				int i = k * 32 + __ffs(bits) - 1, a = component[j], b = component[i];
				if (a == b) continue;
				int next = atomicAdd(&g.level[a], 0) + 1;
				changed |= atomicMax(&g.level[b], next) < next;
				int x = atomicAdd(&g.label[a], 0), y = atomicAdd(&g.label[b], 0);
				if (x == y) continue;
				changed = true;
				atomicMin(&g.label[a], y);
				atomicMin(&g.label[b], x);
			}
		}
		if (!__syncthreads_or(changed)) return;
	}
}

// enumerate gives modules their numbers, by level and then by smallest node, and nodes their places.
inline __device__ void enumerate(const Graph &g) {
	int *order = g.array(0), *position = g.array(1), *module = g.array(2), *level = g.array(5);
	int *modulePtr = g.pointers(0), *levelPtr = g.pointers(1), *head = g.s;
	const int *component = g.component();
	NODE(c) {
		if (component[c] != c) continue;
		int m = 0, before = 0, size = 0, mine = g.level[c];
		bool first = true;
		for (int i = 0; i < g.p; i++) {
			int d = component[i], other = g.level[d];
			bool less = other < mine || (other == mine && d < c);
			before += less;
			m += less && d == i;
			first = first && !(less && other == mine);
			size += d == c;
		}
		g.number[c] = m, modulePtr[m] = before, level[m] = mine;
		if (first) levelPtr[mine] = m;
		atomicAdd(&head[MODULES], 1);
		atomicMax(&head[LEVELS], mine + 1);
		atomicMax(&head[LARGEST], size);
		if (size > 1) {
			atomicAdd(&head[CYCLIC], 1);
			atomicMin(&head[SMALLEST], size);
		}
	}
	__syncthreads();
	NODE(i) {
		int c = component[i], at = modulePtr[g.number[c]];
		for (int j = c; j < i; j++) at += component[j] == c;
		order[at] = i, position[i] = at, module[i] = g.number[c];
	}
	if (threadIdx.x == 0) {
		modulePtr[head[MODULES]] = g.p, levelPtr[head[LEVELS]] = head[MODULES];
		if (head[CYCLIC] == 0) head[SMALLEST] = 0;
	}
	__syncthreads();
}

// degrees counts the edges of each node: those of all modules go to ptr[i+1], those of other modules to mid[i].
inline __device__ void degrees(const Graph &g) {
	const int *component = g.component();
	int *inPtr = g.pointers(2), *inMid = g.pointers(3), *outPtr = g.pointers(4), *outMid = g.pointers(5);
	ROW(i) {
		int n[4] = {};
		LANES(j, g.p) {
			bool in = g.has(g.edge, j, i), out = g.has(g.edge, i, j), other = component[i] != component[j];
			n[0] += in, n[1] += in && other, n[2] += out, n[3] += out && other;
		}
		for (int k = 0; k < 4; k++) n[k] = warpReduce<Sum>(n[k]);
		if (threadIdx.x % 32 > 0) continue;
		inPtr[i + 1] = n[0], inMid[i] = n[1], outPtr[i + 1] = n[2], outMid[i] = n[3];
		atomicAdd(&g.count[g.label[component[i]]], n[2]);
	}
	__syncthreads();
	NODE(i) g.array(4)[i] = g.count[g.label[component[i]]];
}

// sum turns the counts of one list into pointers; one warp.
inline __device__ void sum(const Graph &g, int *ptr, int *mid) {
	int lane = threadIdx.x % 32, total = 0;
	for (int base = 0; base < g.p; base += 32) {
		int i = base + lane, own = i < g.p ? ptr[i + 1] : 0, n = own;
		for (int way = 1; way < 32; way *= 2) {
			int left = __shfl_up_sync(0xffffffffu, n, way);
			if (lane >= way) n += left;
		}
		if (i < g.p) ptr[i + 1] = total + n, mid[i] += total + n - own;
		total += __shfl_sync(0xffffffffu, n, 31);
	}
}

// search finds all but the lists of edges; one block. scratch holds [p, words] bits of the closure and four arrays.
KERNEL search(int p, const int *step, i64 every, const u32 *edge, u32 *reach, int *scratch, int *s) {
	if (!due(step, every)) return;
	Graph g = {p, (p + 31) / 32, edge, reach, scratch, scratch + p, scratch + 2 * p, scratch + 3 * p, s};
	if (threadIdx.x == 0) s[NODES] = p, s[EDGES] = p * (p - 1), s[SMALLEST] = p + 1;
	close(g);
	components(g);
	relax(g);
	__syncthreads();
	enumerate(g);
	degrees(g);
	__syncthreads();
	if (threadIdx.x / 32 == 0) sum(g, g.pointers(2), g.pointers(3));
	__syncthreads();
	if (threadIdx.x / 32 == 0) sum(g, g.pointers(4), g.pointers(5));
	__syncthreads();
	if (threadIdx.x == 0) s[KEPT] = g.pointers(2)[p];
}

// put appends i to the list of other modules' nodes or to that of the own, for the lanes that have an edge.
inline __device__ void put(bool edge, bool other, int i, int *list, int &outer, int &inner) {
	u32 before = (1u << threadIdx.x % 32) - 1;
	u32 far = __ballot_sync(0xffffffffu, edge && other), near = __ballot_sync(0xffffffffu, edge && !other);
	if (edge) list[other ? outer + __popc(far & before) : inner + __popc(near & before)] = i;
	outer += __popc(far), inner += __popc(near);
}

// lists writes the edges of each node; a warp takes a node. It reports the counts in any case.
KERNEL lists(int p, const int *step, i64 every, const u32 *edge, int *s, u32 *report) {
	if (blockIdx.x == 0 && threadIdx.x == 0) {
		const int words[] = {NODES, KEPT, MODULES, CYCLIC, LARGEST, LEVELS, SMALLEST};
		for (int k = 0; k < 7; k++) report[6 + k] = (u32)s[words[k]];
	}
	int lane = threadIdx.x % 32, i = (blockIdx.x * blockDim.x + threadIdx.x) / 32, words = (p + 31) / 32;
	if (i >= p || !due(step, every)) return;
	Layout l(s, p);
	int *in = s + (l.in - s), *out = s + (l.out - s), module = l.module[i];
	int sources = l.inPtr[i], own = l.inMid[i], ends = l.outPtr[i], inner = l.outMid[i];
	for (int base = 0; base < p; base += 32) {
		int j = min(base + lane, p - 1);
		bool there = base + lane < p, other = l.module[j] != module;
		put(there && (edge[(i64)j * words + i / 32] >> (i % 32) & 1), other, j, in, sources, own);
		put(there && (edge[(i64)i * words + base / 32] >> lane & 1), other, j, out, ends, inner);
	}
}
