//go:build gpu && cgo && linux && (amd64 || arm64)

// The driver library is loaded at the first call, never linked: every cu* function is a trampoline (tramp_*.S) that
// jumps through its slot, and an empty slot comes here.
#include "driver.h"
#include "names.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_DEVICE = 100, NOT_FOUND = 500, UNSUPPORTED = 801 };

void *gg_cuda_slots[GG_SYMBOLS];

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void *lib;
static int init_result = NO_DEVICE;
static char why[512];

static int absent(void) { return init_result; }
static int unsupported(void) { return UNSUPPORTED; }

static void try(const char *path) {
	if (lib) return;
	lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (lib) {
		snprintf(why, sizeof why, "%s", path);
	} else if (!why[0]) {
		const char *text = dlerror();
		snprintf(why, sizeof why, "%s", text ? text : path);
	}
}

static void probe(void) {
	const char *path = getenv("GANGLION_LIBCUDA");
	if (path && !strcmp(path, "none")) {
		snprintf(why, sizeof why, "switched off by GANGLION_LIBCUDA=none");
		return;
	}
	if (path && path[0]) {
		try(path);
	} else {
		try("libcuda.so.1");
		try("libcuda.so");
		try("/usr/lib/wsl/lib/libcuda.so.1");
	}
	if (!lib) return;
	int (*init)(unsigned) = (int (*)(unsigned))dlsym(lib, "cuInit");
	init_result = init ? init(0) : NOT_FOUND;
}

// gg_cuda_resolve fills a slot. A driver without devices answers every call with the code of its cuInit, one that is
// too old for a function with CUDA_ERROR_NOT_SUPPORTED.
void *gg_cuda_resolve(uintptr_t i) {
	pthread_once(&once, probe);
	void *p = (void *)absent;
	if (lib && !init_result && !(p = dlsym(lib, gg_cuda_names[i]))) p = (void *)unsupported;
	__atomic_store_n(&gg_cuda_slots[i], p, __ATOMIC_RELEASE);
	return p;
}

// cuInit does nothing: gorgonia.org/cu calls it when the program starts and ends the program on any error.
int cuInit(unsigned flags) {
	(void)flags;
	return 0;
}

int gg_state(void) {
	pthread_once(&once, probe);
	return lib ? init_result : -1;
}

const char *gg_why(void) {
	pthread_once(&once, probe);
	return why;
}

int gg_emulated(unsigned long long *stats, int n) {
	pthread_once(&once, probe);
	int (*f)(unsigned long long *, int) =
	    lib ? (int (*)(unsigned long long *, int))dlsym(lib, "cuemuStats") : NULL;
	return f ? f(stats, n) : 0;
}

const char *gg_fault(void) {
	pthread_once(&once, probe);
	const char *(*f)(void) = lib ? (const char *(*)(void))dlsym(lib, "cuemuLastFault") : NULL;
	const char *text = f ? f() : NULL;
	return text ? text : "";
}

static int perform(const gg_command *c) {
	switch (c->kind) {
	case GG_LAUNCH:
		return cuLaunchKernel(c->function, c->grid[0], c->grid[1], c->grid[2], c->block[0], c->block[1], c->block[2],
		                      c->shared, c->stream, c->params, NULL);
	case GG_COPY: return cuMemcpyDtoDAsync_v2(c->dst, c->src, c->n, c->stream);
	case GG_COPY_IN: return cuMemcpyHtoDAsync_v2(c->dst, c->host, c->n, c->stream);
	case GG_COPY_OUT: return cuMemcpyDtoHAsync_v2(c->host, c->src, c->n, c->stream);
	case GG_SET8: return cuMemsetD8Async(c->dst, (unsigned char)c->value, c->n, c->stream);
	case GG_SET32: return cuMemsetD32Async(c->dst, c->value, c->n, c->stream);
	case GG_RECORD: return cuEventRecord(c->function, c->stream);
	case GG_CALL: return c->call(c->host);
	case GG_WAIT: return cuStreamWaitEvent(c->stream, c->function, 0);
	}
	return 1;
}

uint64_t gg_run(const gg_command *c, int n) {
	for (int i = 0; i < n; i++) {
		int rc = perform(&c[i]);
		if (rc) return (uint64_t)i << 32 | (uint32_t)rc;
	}
	return 0;
}

int gg_load(gg_handle *module, const void *image, char *log, size_t size) {
	enum { ERROR_LOG_BUFFER = 5, ERROR_LOG_BUFFER_SIZE_BYTES = 6 };
	int options[] = {ERROR_LOG_BUFFER, ERROR_LOG_BUFFER_SIZE_BYTES};
	void *values[] = {log, (void *)(uintptr_t)size};
	int rc = cuModuleLoadDataEx(module, image, 2, options, values);
	return rc == UNSUPPORTED ? cuModuleLoadData(module, image) : rc;
}

int gg_update(gg_handle exec, gg_handle graph) {
	struct {
		int result;
		void *node, *from;
	} info = {0, NULL, NULL};
	return cuGraphExecUpdate_v2(exec, graph, &info);
}
