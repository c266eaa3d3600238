// What all device code shares: types, loops over elements, sums in a fixed order.
#pragma once

typedef long long i64;
typedef unsigned long long u64;
typedef unsigned int u32;
typedef unsigned char u8;

#define KERNEL extern "C" __global__ void

// EACH runs i through 0 … n-1, each once over all threads of the grid.
#define EACH(i, n)                                                                                                     \
	for (i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x; i < (n); i += (i64)gridDim.x * blockDim.x)

// BOTH defines a kernel name_f32 and name_f64 that hand their arguments to a template over the float type T. PARAMS is
// the parameter list in brackets, in which T stands for the type, ARGS the names in brackets.
#define BOTH(name, params, args)                                                                                       \
	namespace name##_float {                                                                                           \
	typedef float T;                                                                                                   \
	KERNEL name##_f32 params { name<float> args; }                                                                     \
	}                                                                                                                  \
	namespace name##_double {                                                                                          \
	typedef double T;                                                                                                  \
	KERNEL name##_f64 params { name<double> args; }                                                                    \
	}

#define INF32 __int_as_float(0x7f800000)
#define NAN32 __int_as_float(0x7fffffff)

template <class T> __device__ T infinity();
template <> inline __device__ float infinity<float>() { return INF32; }
template <> inline __device__ double infinity<double>() { return __longlong_as_double(0x7ff0000000000000LL); }

// The functions of the C library, by type.
inline __device__ float exp_(float x) { return expf(x); }
inline __device__ double exp_(double x) { return exp(x); }
inline __device__ float expm1_(float x) { return expm1f(x); }
inline __device__ double expm1_(double x) { return expm1(x); }
inline __device__ float log_(float x) { return logf(x); }
inline __device__ double log_(double x) { return log(x); }
inline __device__ float log1p_(float x) { return log1pf(x); }
inline __device__ double log1p_(double x) { return log1p(x); }
inline __device__ float log2_(float x) { return log2f(x); }
inline __device__ double log2_(double x) { return log2(x); }
inline __device__ float tanh_(float x) { return tanhf(x); }
inline __device__ double tanh_(double x) { return tanh(x); }
inline __device__ float erfc_(float x) { return erfcf(x); }
inline __device__ double erfc_(double x) { return erfc(x); }
inline __device__ float sin_(float x) { return sinf(x); }
inline __device__ double sin_(double x) { return sin(x); }
inline __device__ float cos_(float x) { return cosf(x); }
inline __device__ double cos_(double x) { return cos(x); }
inline __device__ float sqrt_(float x) { return sqrtf(x); }
inline __device__ double sqrt_(double x) { return sqrt(x); }
inline __device__ float pow_(float x, float y) { return powf(x, y); }
inline __device__ double pow_(double x, double y) { return pow(x, y); }
inline __device__ float abs_(float x) { return fabsf(x); }
inline __device__ double abs_(double x) { return fabs(x); }
inline __device__ float ceil_(float x) { return ceilf(x); }
inline __device__ double ceil_(double x) { return ceil(x); }
inline __device__ float floor_(float x) { return floorf(x); }
inline __device__ double floor_(double x) { return floor(x); }

// max_ and min_ are NaN if either number is.
template <class T> __device__ T max_(T x, T y) { return x != x || x > y ? x : y; }
template <class T> __device__ T min_(T x, T y) { return x != x || x < y ? x : y; }

// finite tells whether x is neither NaN nor infinite.
template <class T> __device__ bool finite(T x) { return x - x == 0; }

// The reductions. start is what an empty one gives.
struct Sum {
	template <class T> static __device__ T start() { return 0; }
	template <class T> static __device__ T join(T x, T y) { return x + y; }
};
struct Largest {
	template <class T> static __device__ T start() { return -infinity<T>(); }
	template <class T> static __device__ T join(T x, T y) { return max_(x, y); }
};
struct Smallest {
	template <class T> static __device__ T start() { return infinity<T>(); }
	template <class T> static __device__ T join(T x, T y) { return min_(x, y); }
};

// warpReduce joins the values of the 32 lanes, in one fixed order, into all of them.
template <class R, class T> __device__ T warpReduce(T v) {
	for (int d = 16; d > 0; d /= 2) v = R::join(v, __shfl_xor_sync(0xffffffffu, v, d));
	return v;
}

// blockReduce joins the values of all threads of a block of up to 1024 threads, a multiple of 32, in one fixed order,
// into all of them. part holds 32 values. Every thread must take part.
template <class R, class T> __device__ T blockReduce(T v, T *part) {
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
	v = warpReduce<R>(v);
	__syncthreads();
	if (lane == 0) part[warp] = v;
	__syncthreads();
	v = lane < blockDim.x / 32 ? part[lane] : R::template start<T>();
	return warpReduce<R>(v);
}
