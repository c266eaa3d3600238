// Copies from global to shared memory that pass by the registers, for compute capability 8.0 and higher. They arrive
// in groups: what a thread has copied since the last arrival() is one. waitFor<N> waits for all of this thread's
// groups but the last N; a barrier after it makes the copies of the other threads visible.
#pragma once
#include "include/ganglion.cuh"

inline __device__ u32 sharedAddress(const void *p) { return (u32)__cvta_generic_to_shared(p); }

inline __device__ void arrival() { asm volatile("cp.async.commit_group;" ::: "memory"); }

template <int N> __device__ void waitFor() { asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory"); }

// copyOne copies an element, or writes zero if it is not there; any is an address that may be named instead.
template <class T> __device__ void copyOne(T *to, const T *from, const T *any, bool there) {
	u32 bytes = there ? (u32)sizeof(T) : 0;
	asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(sharedAddress(to)), "l"(there ? from : any),
	             "n"(sizeof(T)), "r"(bytes)
	             : "memory");
}

// copyRun copies 16 bytes of which the first count elements are there, and writes zeros for the others. whole says
// that they are there or not all together, and that any and from are aligned to 16 bytes.
template <class T> __device__ void copyRun(T *to, const T *from, const T *any, i64 count, bool whole) {
	const int RUN = 16 / sizeof(T);
	if (whole) {
		asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(sharedAddress(to)),
		             "l"(count > 0 ? from : any), "r"(count > 0 ? 16 : 0)
		             : "memory");
		return;
	}
#pragma unroll
	for (int e = 0; e < RUN; e++) copyOne(to + e, from + e, any, e < count);
}

// wholeRuns tells whether lines of that many elements from x on can be copied in runs of 16 bytes.
template <class T> __device__ bool wholeRuns(const T *x, i64 line) {
	return ((u64)x | (u64)line * sizeof(T)) % 16 == 0;
}
