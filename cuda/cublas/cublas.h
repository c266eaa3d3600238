// The functions of cuBLAS that are used, found by name at run time.
#pragma once
#include <stddef.h>

typedef struct {
	void *lib;
	int (*create)(void **);
	int (*destroy)(void *);
	int (*set_stream)(void *, void *);
	int (*set_workspace)(void *, void *, size_t);
	int (*set_math_mode)(void *, int);
	int (*sgemm)(void *, int, int, int, int, int, const float *, const float *, int, const float *, int, const float *,
	             float *, int);
	int (*dgemm)(void *, int, int, int, int, int, const double *, const double *, int, const double *, int,
	             const double *, double *, int);
	int (*strided)(void *, int, int, int, int, int, const void *, const void *, int, int, long long, const void *, int,
	               int, long long, const void *, void *, int, int, long long, int, int, int);
} gg_cublas;

// A gg_product is a call: matrices of columns, C = op(A)·op(B) with m rows and n columns, or a batch of them that lie
// strides of elements apart.
typedef struct {
	const gg_cublas *f;
	void *handle, *stream, *workspace;
	size_t workspace_bytes;
	const void *a, *b;
	void *c;
	long long stride_a, stride_b, stride_c;
	int wide; // double instead of float
	int op_a, op_b; // 0 as it is, 1 transposed
	int m, n, k, lda, ldb, ldc, batch;
} gg_product;

// gg_cublas_load fills the table. On failure it returns 1 and writes the reason.
int gg_cublas_load(gg_cublas *f, const char *path, char *why, int size);
int gg_cublas_create(const gg_cublas *f, void **handle);
int gg_cublas_destroy(const gg_cublas *f, void *handle);

// gg_cublas_multiply puts a gg_product into its stream. It returns 0, or GG_CUBLAS_FAILED plus a cublasStatus.
enum { GG_CUBLAS_FAILED = 100000 };
int gg_cublas_multiply(void *product);
void *gg_cublas_multiply_address(void);

// gg_product_place sets the addresses and the stream, which Go holds as numbers.
void gg_product_place(gg_product *p, unsigned long long a, unsigned long long b, unsigned long long c,
                      unsigned long long workspace, unsigned long long stream);
