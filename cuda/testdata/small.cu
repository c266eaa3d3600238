// Kernels of the tests of package cuda. The PTX beside it is what NVRTC 12.0 makes of this for compute_70:
// go test -tags gpu ./cuda -run SmallPTX -update writes it.

// axpy: y += a·x.
extern "C" __global__ void axpy(int n, float a, const float *x, float *y) {
	for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) y[i] += a * x[i];
}

// ramp: y_i = i + first.
extern "C" __global__ void ramp(long long n, double first, double *y) {
	for (long long i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) y[i] = i + first;
}

// reverse turns a line of blockDim.x words round in dynamic shared memory.
extern "C" __global__ void reverse(int *y) {
	extern __shared__ int line[];
	line[threadIdx.x] = y[threadIdx.x];
	__syncthreads();
	y[threadIdx.x] = line[blockDim.x - 1 - threadIdx.x];
}

// astray writes n floats behind y.
extern "C" __global__ void astray(float *y, long long n) { y[n + threadIdx.x] = 1; }

// nothing has no parameters.
extern "C" __global__ void nothing() {}

struct Three {
	float a, b, c;
};

// packed has a struct of 12 bytes between two numbers: y = first + a + 10·b + 100·c.
extern "C" __global__ void packed(int first, Three t, float *y) { *y = first + t.a + 10 * t.b + 100 * t.c; }
