// Kernels of a network: sparse product, tiled product, reductions, softmax, optimiser, random numbers.
typedef unsigned int u32;
typedef unsigned long long u64;

extern "C" __global__ void spmm(const int* rowptr, const int* col, const float* v, const float* x, float* y, int rows,
                                int d) {
  int row = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (row >= rows) return;
  for (int f = lane; f < d; f += 32) {
    float s = 0;
    for (int e = rowptr[row]; e < rowptr[row + 1]; e++) s = fmaf(v[e], x[(u64)col[e] * d + f], s);
    y[(u64)row * d + f] = s;
  }
}

template <int T>
__device__ void product(const float* a, const float* b, float* c, int m, int n, int k) {
  __shared__ float A[T][T + 1], B[T][T + 1];
  int x = threadIdx.x, y = threadIdx.y, row = blockIdx.y * T + y, column = blockIdx.x * T + x;
  float s = 0;
  for (int t = 0; t < k; t += T) {
    A[y][x] = row < m && t + x < k ? a[row * k + t + x] : 0;
    B[y][x] = column < n && t + y < k ? b[(t + y) * n + column] : 0;
    __syncthreads();
    for (int i = 0; i < T; i++) s = fmaf(A[y][i], B[i][x], s);
    __syncthreads();
  }
  if (row < m && column < n) c[row * n + column] = s;
}
extern "C" __global__ void gemm(const float* a, const float* b, float* c, int m, int n, int k) {
  product<16>(a, b, c, m, n, k);
}

__device__ float blockSum(float s) {
  __shared__ float part[32];
  for (int d = 16; d; d /= 2) s += __shfl_xor_sync(~0u, s, d);
  if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = s;
  __syncthreads();
  s = threadIdx.x % 32 < blockDim.x / 32 ? part[threadIdx.x % 32] : 0;
  for (int d = 16; d; d /= 2) s += __shfl_xor_sync(~0u, s, d);
  __syncthreads();
  return s;
}

// The last block to finish adds up what all have left: fence, counter, read.
extern "C" __global__ void sum(const float* x, float* part, u32* count, float* out, int n) {
  float s = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) s += x[i];
  s = blockSum(s);
  __shared__ bool last;
  if (threadIdx.x == 0) {
    part[blockIdx.x] = s;
    __threadfence();
    last = atomicInc(count, gridDim.x - 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last) return;
  __threadfence();
  s = threadIdx.x < gridDim.x ? part[threadIdx.x] : 0;
  s = blockSum(s);
  if (threadIdx.x == 0) *out = s;
}

extern "C" __global__ void softmax(const float* x, float* y, int n) {
  const float* row = x + blockIdx.x * n;
  float top = __int_as_float(0xff800000), s = 0;
  for (int i = threadIdx.x; i < n; i += 32) top = fmaxf(top, row[i]);
  for (int d = 16; d; d /= 2) top = fmaxf(top, __shfl_xor_sync(~0u, top, d));
  for (int i = threadIdx.x; i < n; i += 32) s += expf(row[i] - top);
  for (int d = 16; d; d /= 2) s += __shfl_xor_sync(~0u, s, d);
  for (int i = threadIdx.x; i < n; i += 32) y[blockIdx.x * n + i] = expf(row[i] - top) / s;
}

struct Rates {
  float rate, beta1, beta2, epsilon;
  int step;
};
extern "C" __global__ void adam(float4* w, const float4* g, float4* m, float4* v, int n4, Rates r) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n4) return;
  float c1 = 1 - powf(r.beta1, r.step), c2 = 1 - powf(r.beta2, r.step);
  float4 W = w[i], G = g[i], M = m[i], V = v[i];
  float *pw = &W.x, *pg = &G.x, *pm = &M.x, *pv = &V.x;
#pragma unroll
  for (int j = 0; j < 4; j++) {
    pm[j] = r.beta1 * pm[j] + (1 - r.beta1) * pg[j];
    pv[j] = r.beta2 * pv[j] + (1 - r.beta2) * pg[j] * pg[j];
    pw[j] -= r.rate * (pm[j] / c1) / (sqrtf(pv[j] / c2) + r.epsilon);
  }
  w[i] = W, m[i] = M, v[i] = V;
}

extern "C" __global__ void philox(u32* out, u32 k0, u32 k1) {
  u32 c[4] = {blockIdx.x * blockDim.x + threadIdx.x, 1, 2, 3};
  u32 i = c[0];
  for (int r = 0; r < 10; r++) {
    u32 h0 = __umulhi(0xD2511F53u, c[0]), l0 = 0xD2511F53u * c[0], h1 = __umulhi(0xCD9E8D57u, c[2]),
        l1 = 0xCD9E8D57u * c[2];
    c[0] = h1 ^ c[1] ^ k0, c[1] = l1, c[2] = h0 ^ c[3] ^ k1, c[3] = l0;
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
  for (int j = 0; j < 4; j++) out[4 * i + j] = c[j];
}

// Radix-2 transform of n complex numbers in shared memory, n a power of two, n / 2 threads.
extern "C" __global__ void fft(const float2* x, float2* y, int n) {
  extern __shared__ float2 s[];
  int bits = __ffs(n) - 1;
  for (int i = threadIdx.x; i < n; i += blockDim.x) s[__brev(i) >> (32 - bits)] = x[blockIdx.x * n + i];
  for (int h = 1; h < n; h *= 2) {
    __syncthreads();
    int k = threadIdx.x % h, i = threadIdx.x / h * 2 * h + k;
    float sn, cs;
    sincospif(-(float)k / h, &sn, &cs);
    float2 a = s[i], b = s[i + h], t = make_float2(b.x * cs - b.y * sn, b.x * sn + b.y * cs);
    s[i] = make_float2(a.x + t.x, a.y + t.y);
    s[i + h] = make_float2(a.x - t.x, a.y - t.y);
  }
  __syncthreads();
  for (int i = threadIdx.x; i < n; i += blockDim.x) y[blockIdx.x * n + i] = s[i];
}

// Order-preserving compaction of positive values by ballots, one warp.
extern "C" __global__ void compact(const int* x, int* y, int* count, int n) {
  int base = 0;
  for (int i = threadIdx.x; i < (n + 31) / 32 * 32; i += 32) {
    bool keep = i < n && x[i] > 0;
    u32 votes = __ballot_sync(~0u, keep);
    if (keep) y[base + __popc(votes & ((1u << threadIdx.x) - 1))] = x[i];
    base += __popc(votes);
  }
  if (threadIdx.x == 0) *count = base;
}
