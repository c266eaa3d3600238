// The nearest numbers of formats of fewer bits.
#pragma once
#include "include/ganglion.cuh"

// nearest is the number nearest to x of a format with so many bits of fraction, whose least exponent of a number that is
// not subnormal is least; away says which of two equally near ones: the one farther from zero, else the one whose last
// bit is 0. In float64 all steps are exact.
template <class T> __device__ T nearest(T x, int fraction, int least, int away) {
	double a = fabs((double)x);
	if (x == 0 || !finite(x)) return x;
	int e = (int)(__double_as_longlong(a) >> 52) - 1023; // subnormal numbers of float64 are far below all formats
	int step = max(e, least) - fraction;
	double up = __longlong_as_double((i64)(1023 + step) << 52), down = __longlong_as_double((i64)(1023 - step) << 52);
	double n = a * down;
	double y = (away ? round(n) : rint(n)) * up;
	double limit = __longlong_as_double((i64)(1023 + 2 - least) << 52);
	y = y >= limit ? infinity<double>() : y;
	return (T)(x < 0 ? -y : y);
}
