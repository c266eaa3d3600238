// The CUDA driver calls that gorgonia.org/cu lacks, with prototypes of our own so that no CUDA header is needed here:
// handles and device addresses are integers of the width of a pointer, results are int. Every call goes through the
// trampolines of tramp_*.S.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef uintptr_t gg_handle;

int cuGetErrorName(int code, const char **text);
int cuGetErrorString(int code, const char **text);

int cuMemHostAlloc(void **p, size_t n, unsigned flags);
int cuMemHostRegister_v2(void *p, size_t n, unsigned flags);
int cuMemHostUnregister(void *p);

int cuMemAllocAsync(gg_handle *p, size_t n, gg_handle stream);
int cuMemFreeAsync(gg_handle p, gg_handle stream);
int cuDeviceGetDefaultMemPool(gg_handle *pool, int device);
int cuMemPoolSetAttribute(gg_handle pool, int attribute, void *value);
int cuMemPoolTrimTo(gg_handle pool, size_t keep);

int cuModuleLoadData(gg_handle *module, const void *image);
int cuModuleLoadDataEx(gg_handle *module, const void *image, unsigned n, int *options, void **values);
int cuFuncSetAttribute(gg_handle function, int attribute, int value);
int cuLaunchKernel(gg_handle function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, gg_handle stream, void **params, void **extra);
int cuLaunchCooperativeKernel(gg_handle function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                              unsigned bz, unsigned shared, gg_handle stream, void **params);
int cuLaunchHostFunc(gg_handle stream, void (*f)(void *), void *arg);
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, gg_handle function, int threads, size_t shared);

int cuMemcpyDtoDAsync_v2(gg_handle dst, gg_handle src, size_t n, gg_handle stream);
int cuMemcpyPeerAsync(gg_handle dst, gg_handle dst_context, gg_handle src, gg_handle src_context, size_t n,
                      gg_handle stream);
int cuMemcpyHtoDAsync_v2(gg_handle dst, const void *src, size_t n, gg_handle stream);
int cuMemcpyDtoHAsync_v2(void *dst, gg_handle src, size_t n, gg_handle stream);
int cuMemsetD8Async(gg_handle dst, unsigned char v, size_t n, gg_handle stream);
int cuMemsetD32Async(gg_handle dst, unsigned v, size_t n, gg_handle stream);
int cuDriverGetVersion(int *version);
int cuEventSynchronize(gg_handle event);
int cuEventRecord(gg_handle event, gg_handle stream);
int cuStreamWaitEvent(gg_handle stream, gg_handle event, unsigned flags);

int cuStreamBeginCapture_v2(gg_handle stream, int mode);
int cuStreamEndCapture(gg_handle stream, gg_handle *graph);
int cuStreamIsCapturing(gg_handle stream, int *status);
int cuThreadExchangeStreamCaptureMode(int *mode);
int cuGraphInstantiateWithFlags(gg_handle *exec, gg_handle graph, unsigned long long flags);
int cuGraphUpload(gg_handle exec, gg_handle stream);
int cuGraphLaunch(gg_handle exec, gg_handle stream);
int cuGraphExecUpdate_v2(gg_handle exec, gg_handle graph, void *info);
int cuGraphExecKernelNodeSetParams_v2(gg_handle exec, gg_handle node, const void *params);
int cuGraphDestroy(gg_handle graph);
int cuGraphExecDestroy(gg_handle exec);
int cuGraphDebugDotPrint(gg_handle graph, const char *path, unsigned flags);

// gg_state is 0 if the driver is ready, -1 if there is no library, else the code of its cuInit.
int gg_state(void);
// gg_why says why there is no library, or which one was loaded.
const char *gg_why(void);

// gg_emulated is the number of statistics that the library gives if it is the emulator of the tests, else 0. Up to n
// are written.
int gg_emulated(unsigned long long *stats, int n);

// gg_fault is the emulator's text for the last call that failed; "" without an emulator.
const char *gg_fault(void);

// A gg_command is one entry of a program.
enum { GG_LAUNCH, GG_COPY, GG_COPY_IN, GG_COPY_OUT, GG_SET8, GG_SET32, GG_RECORD, GG_WAIT, GG_CALL };
typedef struct {
	int kind;
	unsigned grid[3], block[3], shared;
	gg_handle stream, function; // the function, or the event
	gg_handle dst, src;
	void *host;
	size_t n; // bytes, or words of 32 bits for GG_SET32
	unsigned value;
	void **params; // one pointer an argument, each to 8 bytes
	int (*call)(void *); // of GG_CALL: puts what host describes into the stream
} gg_command;

// gg_run performs commands until one fails. The result is in the low half, the number of the failed one in the high half.
uint64_t gg_run(const gg_command *c, int n);

// gg_load is cuModuleLoadDataEx with a buffer for the log of the JIT compiler, or cuModuleLoadData without one.
int gg_load(gg_handle *module, const void *image, char *log, size_t size);

// gg_update is cuGraphExecUpdate_v2 without the information on what differs.
int gg_update(gg_handle exec, gg_handle graph);
