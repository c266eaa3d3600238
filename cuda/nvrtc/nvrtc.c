//go:build gpu && cgo && linux

#include "nvrtc.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int gg_nvrtc_load(gg_nvrtc *f, const char *path, char *why, int size) {
	static const char *const names[] = {"nvrtcVersion", "nvrtcCreateProgram", "nvrtcCompileProgram",
		"nvrtcGetProgramLogSize", "nvrtcGetProgramLog", "nvrtcGetPTXSize", "nvrtcGetPTX", "nvrtcDestroyProgram"};
	void **const slots[] = {(void **)&f->version, (void **)&f->create, (void **)&f->compile, (void **)&f->log_size,
		(void **)&f->log, (void **)&f->ptx_size, (void **)&f->ptx, (void **)&f->destroy};
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

int gg_nvrtc_version(gg_nvrtc *f, int *major, int *minor) { return f->version(major, minor); }

int gg_nvrtc_compile(gg_nvrtc *f, const char *name, const char *source, int argc, char **argv, char **ptx, size_t *n,
                     char **log) {
	enum { OUT_OF_MEMORY = 1 };
	void *program = NULL;
	size_t size = 0;
	int rc = f->create(&program, source, name, 0, NULL, NULL);
	*ptx = *log = NULL;
	*n = 0;
	if (rc) return rc;
	rc = f->compile(program, argc, (const char *const *)argv);
	if (!f->log_size(program, &size) && size > 1 && (*log = calloc(1, size + 1))) f->log(program, *log);
	if (!rc) rc = f->ptx_size(program, &size);
	if (!rc && !(*ptx = malloc(size + 1))) rc = OUT_OF_MEMORY;
	if (!rc) rc = f->ptx(program, *ptx);
	if (!rc) *n = size ? size - 1 : 0;
	f->destroy(&program);
	return rc;
}
