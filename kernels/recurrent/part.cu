#include "include/ganglion.cuh"

// part copies n bytes of x from byte first on.
KERNEL part(i64 n, i64 first, const u8 *x, u8 *y) {
	EACH(i, n) y[i] = x[first + i];
}

// place writes n bytes: x, of count bytes, from byte first on, and zeros.
KERNEL place(i64 n, i64 first, i64 count, const u8 *x, u8 *y) {
	EACH(i, n) y[i] = i >= first && i < first + count ? x[i - first] : 0;
}
