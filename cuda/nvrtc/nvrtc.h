// The functions of NVRTC that are used, found by name at run time.
#pragma once
#include <stddef.h>

typedef struct {
	void *lib;
	int (*version)(int *, int *);
	int (*create)(void **, const char *, const char *, int, const char *const *, const char *const *);
	int (*compile)(void *, int, const char *const *);
	int (*log_size)(void *, size_t *);
	int (*log)(void *, char *);
	int (*ptx_size)(void *, size_t *);
	int (*ptx)(void *, char *);
	int (*destroy)(void **);
} gg_nvrtc;

// gg_nvrtc_load fills the table. On failure it returns 1 and writes the reason.
int gg_nvrtc_load(gg_nvrtc *f, const char *path, char *why, int size);
int gg_nvrtc_version(gg_nvrtc *f, int *major, int *minor);

// gg_nvrtc_compile returns an nvrtcResult. PTX and log are allocated by malloc and belong to the caller; n does not
// count the NUL at the end. The log may be NULL.
int gg_nvrtc_compile(gg_nvrtc *f, const char *name, const char *source, int argc, char **argv, char **ptx, size_t *n,
                     char **log);
