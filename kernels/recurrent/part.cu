#include "include/ganglion.cuh"

// part copies n bytes of x from byte first on.
KERNEL part(i64 n, i64 first, const u8 *x, u8 *y) {
	EACH(i, n) y[i] = x[first + i];
}
