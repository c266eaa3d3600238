#include "include/ganglion.cuh"


// addn is z = x₁ + … , added in this order. z may lie over any of the terms.
template <class T>
__device__ void addn(i64 n, int count, const T *a, const T *b, const T *c, const T *d, const T *e, T *z) {
	EACH(i, n) {
		T s = a[i];
		if (count > 1) s += b[i];
		if (count > 2) s += c[i];
		if (count > 3) s += d[i];
		if (count > 4) s += e[i];
		z[i] = s;
	}
}

BOTH(addn, (i64 n, int count, const T *a, const T *b, const T *c, const T *d, const T *e, T *z),
     (n, count, a, b, c, d, e, z))
