#include "include/ganglion.cuh"

// box copies a box of outer × count × inner elements between arrays whose middle dimensions have other lengths: from
// element fromAt of the middle of x, n long, to element toAt of the middle of y, m long. If clear, the rest of y is set
// to zero.
template <class T>
__device__ void box(i64 outer, i64 count, i64 inner, i64 fromAt, i64 n, i64 toAt, i64 m, int clear, const T *x, T *y) {
	i64 length = clear ? m : count;
	EACH(i, outer * length * inner) {
		i64 o = i / (length * inner), rest = i - o * length * inner, k = rest / inner, j = rest - k * inner;
		if (clear) k -= toAt;
		bool in = k >= 0 && k < count;
		y[(o * m + toAt + k) * inner + j] = in ? x[(o * n + fromAt + k) * inner + j] : T(0);
	}
}

#define BOX(width, T)                                                                                                  \
	KERNEL box_##width(i64 outer, i64 count, i64 inner, i64 fromAt, i64 n, i64 toAt, i64 m, int clear, const T *x,      \
	                   T *y) {                                                                                           \
		box(outer, count, inner, fromAt, n, toAt, m, clear, x, y);                                                         \
	}

BOX(1, u8)
BOX(4, u32)
BOX(8, u64)
