#include "include/ganglion.cuh"

template <class S> __device__ void convert(S v, float &y) { y = (float)v; }
template <class S> __device__ void convert(S v, double &y) { y = (double)v; }

// To whole numbers the fraction is cut off, NaN becomes 0, and what is out of range goes to the nearest end.
template <class S> __device__ double limited(S v, double low, double high) {
	double w = (double)v;
	return w != w ? 0 : w < low ? low : w > high ? high : w;
}
template <class S> __device__ void convert(S v, int &y) { y = (int)limited(v, -2147483648.0, 2147483647.0); }
template <class S> __device__ void convert(S v, u8 &y) { y = (u8)(int)limited(v, 0, 255); }

template <class S, class D> __device__ void cast(i64 n, const S *x, D *y) {
	EACH(i, n) convert(x[i], y[i]);
}

#define FROM(name, S)                                                                                                  \
	KERNEL cast_##name##_f32(i64 n, const S *x, float *y) { cast(n, x, y); }                                            \
	KERNEL cast_##name##_f64(i64 n, const S *x, double *y) { cast(n, x, y); }                                           \
	KERNEL cast_##name##_i32(i64 n, const S *x, int *y) { cast(n, x, y); }                                              \
	KERNEL cast_##name##_u8(i64 n, const S *x, u8 *y) { cast(n, x, y); }

FROM(f32, float)
FROM(f64, double)
FROM(i32, int)
FROM(u8, u8)
