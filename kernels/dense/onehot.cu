#include "include/ganglion.cuh"

// onehot writes rows of n elements. A label out of range gives a row of NaN and is counted in the report; the counts
// are whole: the order does not matter.
template <class T> __device__ void onehot(i64 count, int n, const int *labels, T *y, u32 *report) {
	i64 width = max(n, 1); // labels are looked at even if there are no classes
	EACH(i, count * width) {
		i64 k = i / width, j = i - k * width;
		int label = labels[k];
		bool good = label >= 0 && label < n;
		if (!good && j == 0) {
			atomicMax(report, 2u);
			atomicMax(report + 1, (u32)count);
			atomicAdd(report + 2, 1);
		}
		if (n > 0) y[i] = good ? T(j == label) : T(0) * infinity<T>();
	}
}

BOTH(onehot, (i64 count, int n, const int *labels, T *y, u32 *report), (count, n, labels, y, report))
