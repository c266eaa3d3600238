#include "nearest.cuh"

typedef unsigned short u16;

// The formats of 16 bits: the bits of the number nearest to x, and what bits stand for.
struct BF16 {
	static __device__ u16 bits(float x) {
		u32 b = __float_as_uint(x);
		return x != x ? 0x7fc0 : (u16)(finite(x) ? (b + 0x7fff + (b >> 16 & 1)) >> 16 : b >> 16);
	}
	static __device__ u16 bits(double x) { return bits((float)nearest(x, 7, -126, 0)); }
	static __device__ float number(u16 b) { return __uint_as_float((u32)b << 16); }
};
struct F16 {
	static __device__ u16 bits(float x) {
		u16 b;
		asm("cvt.rn.f16.f32 %0, %1;" : "=h"(b) : "f"(x));
		return x != x ? 0x7e00 : b;
	}
	static __device__ u16 bits(double x) { return bits((float)nearest(x, 10, -14, 0)); }
	static __device__ float number(u16 b) {
		float x;
		asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(b));
		return x;
	}
};

template <class F, class T> __device__ void narrow(i64 n, const T *x, u16 *y) {
	EACH(i, n) y[i] = F::bits(x[i]);
}

template <class F, class T> __device__ void widen(i64 n, const u16 *x, T *y) {
	EACH(i, n) y[i] = (T)F::number(x[i]);
}

#define FORMAT(name, F)                                                                                                \
	KERNEL narrow_##name##_f32(i64 n, const float *x, u16 *y) { narrow<F>(n, x, y); }                                   \
	KERNEL narrow_##name##_f64(i64 n, const double *x, u16 *y) { narrow<F>(n, x, y); }                                  \
	KERNEL widen_##name##_f32(i64 n, const u16 *x, float *y) { widen<F>(n, x, y); }                                     \
	KERNEL widen_##name##_f64(i64 n, const u16 *x, double *y) { widen<F>(n, x, y); }

FORMAT(bf16, BF16)
FORMAT(f16, F16)
