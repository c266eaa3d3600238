//go:build gpu && cgo && linux

#include "cublas.h"

#include <dlfcn.h>
#include <stdio.h>

int gg_cublas_load(gg_cublas *f, const char *path, char *why, int size) {
	static const char *const names[] = {"cublasCreate_v2", "cublasDestroy_v2", "cublasSetStream_v2",
		"cublasSetWorkspace_v2", "cublasSetMathMode", "cublasSgemm_v2", "cublasDgemm_v2", "cublasGemmStridedBatchedEx"};
	void **const slots[] = {(void **)&f->create, (void **)&f->destroy, (void **)&f->set_stream,
		(void **)&f->set_workspace, (void **)&f->set_math_mode, (void **)&f->sgemm, (void **)&f->dgemm,
		(void **)&f->strided};
	f->lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!f->lib) {
		const char *text = dlerror();
		snprintf(why, size, "%s", text ? text : path);
		return 1;
	}
	for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
		*slots[i] = dlsym(f->lib, names[i]);
		if (!*slots[i]) {
			snprintf(why, size, "%s: has no function %s", path, names[i]);
			dlclose(f->lib);
			return 1;
		}
	}
	return 0;
}

static int failed(int status) { return status ? GG_CUBLAS_FAILED + status : 0; }

int gg_cublas_create(const gg_cublas *f, void **handle) {
	enum { DEFAULT_MATH = 0 }; // float32 is not cut to TF32
	int rc = f->create(handle);
	if (!rc) rc = f->set_math_mode(*handle, DEFAULT_MATH);
	return failed(rc);
}

int gg_cublas_destroy(const gg_cublas *f, void *handle) { return failed(f->destroy(handle)); }

int gg_cublas_multiply(void *product) {
	enum { R_32F = 0, R_64F = 1, COMPUTE_32F = 68, COMPUTE_64F = 70, GEMM_DEFAULT = -1 };
	const gg_product *p = product;
	const gg_cublas *f = p->f;
	const float one = 1, zero = 0;
	const double one_wide = 1, zero_wide = 0;
	int type = p->wide ? R_64F : R_32F;
	int rc = f->set_stream(p->handle, p->stream); // takes the workspace away
	if (!rc) rc = f->set_workspace(p->handle, p->workspace, p->workspace_bytes);
	if (rc) return failed(rc);
	if (p->batch != 1)
		rc = f->strided(p->handle, p->op_a, p->op_b, p->m, p->n, p->k, p->wide ? (void *)&one_wide : (void *)&one, p->a,
		                type, p->lda, p->stride_a, p->b, type, p->ldb, p->stride_b,
		                p->wide ? (void *)&zero_wide : (void *)&zero, p->c, type, p->ldc, p->stride_c, p->batch,
		                p->wide ? COMPUTE_64F : COMPUTE_32F, GEMM_DEFAULT);
	else if (p->wide)
		rc = f->dgemm(p->handle, p->op_a, p->op_b, p->m, p->n, p->k, &one_wide, p->a, p->lda, p->b, p->ldb, &zero_wide,
		              p->c, p->ldc);
	else
		rc = f->sgemm(p->handle, p->op_a, p->op_b, p->m, p->n, p->k, &one, p->a, p->lda, p->b, p->ldb, &zero, p->c,
		              p->ldc);
	return failed(rc);
}

void *gg_cublas_multiply_address(void) { return (void *)gg_cublas_multiply; }

void gg_product_place(gg_product *p, unsigned long long a, unsigned long long b, unsigned long long c,
                      unsigned long long workspace, unsigned long long stream) {
	p->a = (const void *)a;
	p->b = (const void *)b;
	p->c = (void *)c;
	p->workspace = (void *)workspace;
	p->stream = (void *)stream;
}
