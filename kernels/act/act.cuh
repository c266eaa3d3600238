// The functions of eval.go on the device, in the type of their argument. The numbers of the cases are those of Func.
#pragma once
#include "include/ganglion.cuh"

namespace act {

// pick is above for x > 0, below for x ≤ 0 and NaN for NaN.
template <class T> __device__ T pick(T x, T above, T below) { return x > 0 ? above : x <= 0 ? below : x; }

// times is x·y with the limit 0 where y, which falls faster than 1/x, has reached 0.
template <class T> __device__ T times(T x, T y) { return y == 0 ? T(0) : x * y; }

template <class T> __device__ T sech2(T x) {
	T e = exp_(-2 * abs_(x));
	return 4 * e / ((1 + e) * (1 + e));
}
template <class T> __device__ T tanh2(T x) { return -2 * tanh_(x) * sech2(x); }
template <class T> __device__ T sigmoid(T x) {
	T e = exp_(-abs_(x));
	return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}
template <class T> __device__ T sigmoid1(T x) {
	T e = exp_(-abs_(x));
	return e / ((1 + e) * (1 + e));
}
template <class T> __device__ T sigmoid2(T x) { return -sigmoid1(x) * tanh_(x / 2); }
template <class T> __device__ T softplus(T x) { return max_(x, T(0)) + log1p_(exp_(-abs_(x))); }
template <class T> __device__ T normal(T x) { return T(0.5) * erfc_(x * T(-0.70710678118654752440)); }
template <class T> __device__ T density(T x) { return exp_(T(-0.5) * x * x) * T(0.39894228040143267794); }
template <class T> __device__ T silu(T x) { return times(x, sigmoid(x)); }
template <class T> __device__ T mish1(T x) {
	T n = softplus(x);
	return tanh_(n) + times(x, sech2(n) * sigmoid(x));
}
template <class T> __device__ T mish2(T x) {
	T n = softplus(x), s = sigmoid(x);
	return 2 * sech2(n) * s + times(x, tanh2(n) * s * s + sech2(n) * sigmoid1(x));
}
template <class T> __device__ T sign(T x) { return x > 0 ? T(1) : x < 0 ? T(-1) : x == 0 ? T(0) : x; }

const double ln2 = 0.69314718055994530942;

template <class T> __device__ T eval0(int f, T x) {
	switch (f) {
	case 1: return tanh_(x);
	case 2: return sigmoid(x);
	case 3: return max_(x, T(0));
	case 4: return x * pick(x, T(1), T(0.01));
	case 5: return x > 0 ? x : expm1_(x);
	case 6: return softplus(x);
	case 7: return times(x, normal(x));
	case 8: return silu(x);
	case 9: return times(x, tanh_(softplus(x)));
	case 10: return sin_(x);
	case 11: return cos_(x);
	case 12: return exp_(x);
	case 13: return log_(x);
	case 14: return sqrt_(x);
	case 15: return x * x;
	case 16: return abs_(x);
	case 17: return sign(x);
	case 18: return -x;
	case 19: return 1 / x;
	case 20: return 1 / sqrt_(x);
	case 21: return x * x * x;
	case 22: return log1p_(x);
	case 23: return expm1_(x);
	case 24: return log2_(x);
	case 25: return ceil_(x);
	case 26: return floor_(x);
	}
	return x;
}

template <class T> __device__ T eval1(int f, T x) {
	switch (f) {
	case 1: return sech2(x);
	case 2: return sigmoid1(x);
	case 3: return pick(x, T(1), T(0));
	case 4: return pick(x, T(1), T(0.01));
	case 5: return x > 0 ? T(1) : exp_(x);
	case 6: return sigmoid(x);
	case 7: return normal(x) + times(x, density(x));
	case 8: return sigmoid(x) + times(x, sigmoid1(x));
	case 9: return mish1(x);
	case 10: return cos_(x);
	case 11: return -sin_(x);
	case 12:
	case 23: return exp_(x);
	case 13: return 1 / x;
	case 14: return T(0.5) / sqrt_(x);
	case 15: return 2 * x;
	case 16: return sign(x);
	case 17:
	case 25:
	case 26: return 0;
	case 18: return -1;
	case 19: return -1 / (x * x);
	case 20: return T(-0.5) / (x * sqrt_(x));
	case 21: return 3 * x * x;
	case 22: return 1 / (1 + x);
	case 24: return 1 / (x * T(ln2));
	}
	return 1;
}

template <class T> __device__ T eval2(int f, T x) {
	switch (f) {
	case 1: return tanh2(x);
	case 2: return sigmoid2(x);
	case 5: return x > 0 ? T(0) : exp_(x);
	case 6: return sigmoid1(x);
	case 7: return times(2 - x * x, density(x));
	case 8: return 2 * sigmoid1(x) + times(x, sigmoid2(x));
	case 9: return mish2(x);
	case 10: return -sin_(x);
	case 11: return -cos_(x);
	case 12:
	case 23: return exp_(x);
	case 13: return -1 / (x * x);
	case 14: return T(-0.25) / (x * sqrt_(x));
	case 15: return 2;
	case 19: return 2 / (x * x * x);
	case 20: return T(0.75) / (x * x * sqrt_(x));
	case 21: return 6 * x;
	case 22: return -1 / ((1 + x) * (1 + x));
	case 24: return -1 / (x * x * T(ln2));
	}
	return 0;
}

// eval is f(x), f′(x) or f″(x) for order 0, 1, 2.
template <class T> __device__ T eval(int f, int order, T x) {
	return order == 0 ? eval0(f, x) : order == 1 ? eval1(f, x) : eval2(f, x);
}

} // namespace act
