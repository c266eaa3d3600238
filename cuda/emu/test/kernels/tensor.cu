// Matrix instructions and asynchronous copies (compute_80): c = a b for a [16, k], b [k, 8], by one warp, and a tiled
// product with double buffering.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <mma.h>
typedef unsigned int u32;

extern "C" __global__ void tf32(const float* a, const float* b, float* c, int k) {
  int g = threadIdx.x / 4, t = threadIdx.x % 4;
  float d[4] = {};
  for (int i = 0; i < k; i += 8) {
    u32 r[6];
    float v[6] = {a[g * k + i + t],           a[(g + 8) * k + i + t], a[g * k + i + t + 4],
                  a[(g + 8) * k + i + t + 4], b[(i + t) * 8 + g],     b[(i + t + 4) * 8 + g]};
    for (int j = 0; j < 6; j++) asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r[j]) : "f"(v[j]));
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3]), "r"(r[4]), "r"(r[5]));
  }
  for (int j = 0; j < 4; j++) c[(g + j / 2 * 8) * 8 + 2 * t + j % 2] = d[j];
}

// half pairs in shared memory, fetched by ldmatrix; b is stored [k, 8] and transposed on the way.
template <bool BF>
__device__ void narrow(const float* a, const float* b, float* c, int k) {
  __shared__ __align__(16) unsigned short A[16][16], B[16][8];
  int l = threadIdx.x, g = l / 4, t = l % 4;
  float d[4] = {};
  auto pack = [](float x) {
    return BF ? __bfloat16_as_ushort(__float2bfloat16(x)) : __half_as_ushort(__float2half(x));
  };
  for (int i = 0; i < k; i += 16) {
    for (int e = l; e < 256; e += 32) A[e / 16][e % 16] = pack(a[e / 16 * k + i + e % 16]);
    for (int e = l; e < 128; e += 32) B[e / 8][e % 8] = pack(b[(i + e / 8) * 8 + e % 8]);
    __syncwarp();
    u32 x[4], y[2], pa = (u32)__cvta_generic_to_shared(&A[l % 16][l / 16 * 8]),
                    pb = (u32)__cvta_generic_to_shared(&B[l % 16][0]);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
                 : "r"(pa)
                 : "memory");
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
                 : "=r"(y[0]), "=r"(y[1])
                 : "r"(pb)
                 : "memory");
    if (BF)
      asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
          : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
          : "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(y[0]), "r"(y[1]));
    else
      asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
          : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
          : "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(y[0]), "r"(y[1]));
    __syncwarp();
  }
  for (int j = 0; j < 4; j++) c[(g + j / 2 * 8) * 8 + 2 * t + j % 2] = d[j];
}
extern "C" __global__ void bf16(const float* a, const float* b, float* c, int k) { narrow<true>(a, b, c, k); }
extern "C" __global__ void f16(const float* a, const float* b, float* c, int k) { narrow<false>(a, b, c, k); }

// c [n, n] = a b, tiles of 16, the next tile is under way while one is used.
extern "C" __global__ void buffered(const float* a, const float* b, float* c, int n) {
  __shared__ __align__(16) float A[2][16][16], B[2][16][16];
  int x = threadIdx.x, y = threadIdx.y, row = blockIdx.y * 16 + y, column = blockIdx.x * 16 + x;
  auto fetch = [&](int s, int t) {
    u32 pa = (u32)__cvta_generic_to_shared(&A[s][y][x]), pb = (u32)__cvta_generic_to_shared(&B[s][y][x]);
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(pa), "l"(a + row * n + t + x) : "memory");
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(pb), "l"(b + (t + y) * n + column) : "memory");
    asm volatile("cp.async.commit_group;" ::: "memory");
  };
  float s = 0;
  fetch(0, 0);
  for (int t = 0; t < n; t += 16) {
    int now = t / 16 % 2;
    if (t + 16 < n) {
      fetch(1 - now, t + 16);
      asm volatile("cp.async.wait_group 1;" ::: "memory");
    } else {
      asm volatile("cp.async.wait_group 0;" ::: "memory");
    }
    __syncthreads();
    for (int i = 0; i < 16; i++) s = fmaf(A[now][y][i], B[now][i][x], s);
    __syncthreads();
  }
  c[row * n + column] = s;
}

extern "C" __global__ void fragments(const float* a, const float* b, float* c) {
  using namespace nvcuda;
  __shared__ __align__(32) half A[256], B[256];
  for (int i = threadIdx.x; i < 256; i += 32) A[i] = __float2half(a[i]), B[i] = __float2half(b[i]);
  __syncwarp();
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> fa;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::col_major> fb;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> fc;
  wmma::fill_fragment(fc, 0.0f);
  wmma::load_matrix_sync(fa, A, 16);
  wmma::load_matrix_sync(fb, B, 16);
  wmma::mma_sync(fc, fa, fb, fc);
  wmma::store_matrix_sync(c, fc, 16, wmma::mem_row_major);
}

// Sums of halves in pairs, by atomics too.
extern "C" __global__ void pairs(const __half2* x, __half2* y, __half2* total, int n) {
  int i = threadIdx.x;
  if (i < n) y[i] = __hfma2(x[i], x[i], __float2half2_rn(1));
  if (i < n) atomicAdd(total, x[i]);
}
