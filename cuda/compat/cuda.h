// CUDA's header with the functions that gorgonia.org/cu calls in their form of CUDA 12, so that it compiles with the
// headers of CUDA 13 too. This folder comes before that of the real header in the search path.
#pragma once
#include_next <cuda.h>

#if CUDA_VERSION >= 13000
#undef cuCtxCreate
#define cuCtxCreate cuCtxCreate_v2
CUresult CUDAAPI cuCtxCreate_v2(CUcontext *pctx, unsigned int flags, CUdevice dev);

#undef cuMemAdvise
#define cuMemAdvise gg_cuMemAdvise_v1
CUresult CUDAAPI gg_cuMemAdvise_v1(CUdeviceptr p, size_t n, CUmem_advise a, CUdevice d) __asm__("cuMemAdvise");

#undef cuMemPrefetchAsync
#define cuMemPrefetchAsync gg_cuMemPrefetchAsync_v1
CUresult CUDAAPI gg_cuMemPrefetchAsync_v1(CUdeviceptr p, size_t n, CUdevice d, CUstream s)
    __asm__("cuMemPrefetchAsync");

#undef cuGraphAddDependencies
#define cuGraphAddDependencies gg_cuGraphAddDependencies_v1
CUresult CUDAAPI gg_cuGraphAddDependencies_v1(CUgraph g, const CUgraphNode *f, const CUgraphNode *t, size_t n)
    __asm__("cuGraphAddDependencies");

#undef cuGraphGetEdges
#define cuGraphGetEdges gg_cuGraphGetEdges_v1
CUresult CUDAAPI gg_cuGraphGetEdges_v1(CUgraph g, CUgraphNode *f, CUgraphNode *t, size_t *n)
    __asm__("cuGraphGetEdges");
#endif
