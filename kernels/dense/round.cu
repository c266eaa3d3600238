#include "nearest.cuh"

template <class T>
__device__ void round_(int fraction, int least, int away, i64 n, const T *x, T *y) {
	EACH(i, n) y[i] = nearest(x[i], fraction, least, away);
}

KERNEL round_f32(int fraction, int least, int away, i64 n, const float *x, float *y) {
	round_(fraction, least, away, n, x, y);
}
KERNEL round_f64(int fraction, int least, int away, i64 n, const double *x, double *y) {
	round_(fraction, least, away, n, x, y);
}
