// Elementary functions of both precisions: column k of the output is function k.
extern "C" __global__ void single(const float* x, const float* p, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float a = x[i], b = p[i],
        r[] = {expf(a),      tanhf(a),    erff(a),  powf(b, a),     logf(b),    log1pf(b), sinf(a),       cosf(a),
               atan2f(a, b), fmodf(a, b), cbrtf(a), sinf(a * 1e6f), expm1f(a),  sqrtf(b),  rsqrtf(b),     floorf(a),
               rintf(a),     fabsf(a),    log2f(b), exp2f(a),       lgammaf(b), tanf(a),   asinf(a / 32), hypotf(a, b)};
  for (int k = 0; k < 24; k++) y[k * n + i] = r[k];
}

extern "C" __global__ void twice(const double* x, const double* p, double* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  double a = x[i], b = p[i],
         r[] = {exp(a),      tanh(a),    erf(a),  pow(b, a),     log(b),    log1p(b), sin(a),       cos(a),
                atan2(a, b), fmod(a, b), cbrt(a), sin(a * 1e12), expm1(a),  sqrt(b),  1 / b,        floor(a),
                rint(a),     fabs(a),    log2(b), exp2(a),       lgamma(b), tan(a),   asin(a / 32), hypot(a, b)};
  for (int k = 0; k < 24; k++) y[k * n + i] = r[k];
}
