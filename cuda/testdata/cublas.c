// A stand-in for cuBLAS on the emulated driver: columns and leading dimensions as in the library, work in the order of
// the stream, every element in memory of the device. FAKE_CUBLAS_FAIL makes products fail.
#include <dlfcn.h>
#include <stdlib.h>

enum { OK = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 7, EXECUTION_FAILED = 13 };

enum { POOL = 16 << 20 };

typedef struct {
	void *stream, *workspace;
	size_t bytes;
	char *pool; // pinned memory for operands and results, given out once
	size_t used;
} state;

typedef struct {
	int wide, op_a, op_b, m, n, k, lda, ldb, ldc, batch;
	const char *a, *b; // on the device; in a copy of the host
	char *c;
	long long sa, sb, sc;
	double alpha, beta;
} work;

static void *driver(const char *name) {
	static void *lib;
	const char *path = getenv("GANGLION_LIBCUDA");
	if (!lib && path) lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	return lib ? dlsym(lib, name) : NULL;
}

// held tells whether n bytes at p lie in one buffer of the device.
static int held(const void *p, size_t n) {
	int (*range)(unsigned long long *, size_t *, unsigned long long) = driver("cuMemGetAddressRange_v2");
	unsigned long long base = 0, at = (unsigned long long)p;
	size_t size = 0;
	return range && !range(&base, &size, at) && at + n <= base + size;
}

static double get(int wide, const char *p, long long i) { return wide ? ((const double *)p)[i] : ((const float *)p)[i]; }

static void run(void *data) {
	work *w = data;
	for (int q = 0; q < w->batch; q++)
		for (int j = 0; j < w->n; j++)
			for (int i = 0; i < w->m; i++) {
				double s = 0;
				for (int p = 0; p < w->k; p++)
					s += get(w->wide, w->a, q * w->sa + (w->op_a ? p + (long long)i * w->lda : i + (long long)p * w->lda)) *
					     get(w->wide, w->b, q * w->sb + (w->op_b ? j + (long long)p * w->ldb : p + (long long)j * w->ldb));
				long long at = q * w->sc + i + (long long)j * w->ldc;
				s *= w->alpha;
				if (w->wide) ((double *)w->c)[at] = s;
				else ((float *)w->c)[at] = (float)s;
			}
}

static size_t extent(int rows, int cols, int ld, long long step, int batch, int wide) {
	return ((batch - 1) * step + (long long)(cols - 1) * ld + rows) * (wide ? 8 : 4);
}

// lend gives out pinned memory.
static char *lend(state *h, size_t n) {
	char *p = h->pool + h->used;
	h->used += (n + 63) / 64 * 64;
	return h->used <= POOL ? p : NULL;
}

static int enqueue(state *h, work w) {
	int (*host)(void *, void (*)(void *), void *) = driver("cuLaunchHostFunc");
	int (*out)(void *, unsigned long long, size_t, void *) = driver("cuMemcpyDtoHAsync_v2");
	int (*in)(unsigned long long, const void *, size_t, void *) = driver("cuMemcpyHtoDAsync_v2");
	if (getenv("FAKE_CUBLAS_FAIL")) return EXECUTION_FAILED;
	if (!h || !h->stream || !h->workspace || !h->bytes) return NOT_INITIALIZED;
	if (w.lda < (w.op_a ? w.k : w.m) || w.ldb < (w.op_b ? w.n : w.k) || w.ldc < w.m || w.op_a > 1 || w.op_b > 1 || w.beta)
		return INVALID_VALUE;
	size_t na = extent(w.op_a ? w.k : w.m, w.op_a ? w.m : w.k, w.lda, w.sa, w.batch, w.wide);
	size_t nb = extent(w.op_b ? w.n : w.k, w.op_b ? w.k : w.n, w.ldb, w.sb, w.batch, w.wide);
	size_t nc = extent(w.m, w.n, w.ldc, w.sc, w.batch, w.wide);
	if (!held(w.a, na) || !held(w.b, nb) || !held(w.c, nc)) return INVALID_VALUE;
	work *copy = (work *)lend(h, sizeof w);
	char *a = lend(h, na), *b = lend(h, nb), *c = lend(h, nc);
	if (!copy || !a || !b || !c) return NOT_INITIALIZED;
	*copy = w;
	copy->a = a;
	copy->b = b;
	copy->c = c;
	int rc = out(a, (unsigned long long)w.a, na, h->stream);
	if (!rc) rc = out(b, (unsigned long long)w.b, nb, h->stream);
	if (!rc) rc = host(h->stream, run, copy);
	if (!rc) rc = in((unsigned long long)w.c, c, nc, h->stream);
	return rc ? EXECUTION_FAILED : OK;
}

int cublasCreate_v2(state **h) {
	int (*alloc)(void **, size_t, unsigned) = driver("cuMemHostAlloc");
	*h = calloc(1, sizeof **h);
	return alloc && !alloc((void **)&(*h)->pool, POOL, 0) ? OK : NOT_INITIALIZED;
}
int cublasDestroy_v2(state *h) {
	int (*release)(void *) = driver("cuMemFreeHost");
	int rc = release(h->pool);
	free(h);
	return rc ? EXECUTION_FAILED : OK;
}
int cublasSetStream_v2(state *h, void *stream) {
	h->stream = stream;
	h->workspace = NULL;
	h->bytes = 0;
	return OK;
}
int cublasSetWorkspace_v2(state *h, void *p, size_t n) {
	if ((size_t)p % 256 || !held(p, n)) return INVALID_VALUE;
	h->workspace = p;
	h->bytes = n;
	return OK;
}
int cublasSetMathMode(state *h, int mode) { return h && mode == 0 ? OK : INVALID_VALUE; }
int cublasSgemm_v2(state *h, int ta, int tb, int m, int n, int k, const float *alpha, const void *a, int lda,
                   const void *b, int ldb, const float *beta, void *c, int ldc) {
	return enqueue(h, (work){0, ta, tb, m, n, k, lda, ldb, ldc, 1, a, b, c, 0, 0, 0, *alpha, *beta});
}
int cublasDgemm_v2(state *h, int ta, int tb, int m, int n, int k, const double *alpha, const void *a, int lda,
                   const void *b, int ldb, const double *beta, void *c, int ldc) {
	return enqueue(h, (work){1, ta, tb, m, n, k, lda, ldb, ldc, 1, a, b, c, 0, 0, 0, *alpha, *beta});
}
int cublasGemmStridedBatchedEx(state *h, int ta, int tb, int m, int n, int k, const void *alpha, const void *a, int at,
                               int lda, long long sa, const void *b, int bt, int ldb, long long sb, const void *beta,
                               void *c, int ct, int ldc, long long sc, int batch, int compute, int algo) {
	int wide = at == 1;
	if (at != bt || at != ct || at > 1 || compute != (wide ? 70 : 68) || algo != -1 || batch < 1) return INVALID_VALUE;
	return enqueue(h, (work){wide, ta, tb, m, n, k, lda, ldb, ldc, batch, a, b, c, sa, sb, sc, get(wide, alpha, 0),
	                         get(wide, beta, 0)});
}
