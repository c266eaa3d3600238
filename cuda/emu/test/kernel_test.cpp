// Kernels in CUDA C, compiled offline (the PTX lies beside its source), against results computed here.
#include <algorithm>
#include <cmath>
#include <complex>
#include <functional>

#include "harness.h"

namespace {

std::vector<float> noise(size_t n, u64 seed) {
  Random r{seed};
  std::vector<float> x(n);
  for (float& v : x) v = r.signedUniform();
  return x;
}

// near compares within a tolerance relative to the size of the numbers.
void near(const char* what, const std::vector<float>& got, const std::vector<double>& want, double tolerance) {
  double size = 1e-30, worst = 0;
  for (double v : want) size = std::max(size, std::fabs(v));
  for (size_t i = 0; i < want.size(); i++) {
    double e = std::fabs(got[i] - want[i]) / size;
    worst = e <= worst ? worst : e;
  }
  if (!(worst <= tolerance)) report(__FILE__, __LINE__, std::string(what) + ": error " + std::to_string(worst));
}

u64 network() { return load(readText("kernels/network.ptx")); }

void spmm() {
  begin();
  u64 f = function(network(), "spmm");
  for (int rows : {1, 31, 33, 100})
    for (int d : {1, 31, 32, 33, 70}) {
      Random r{static_cast<u64>(rows * 100 + d)};
      std::vector<int> ptr{0}, col;
      for (int i = 0; i < rows; i++) {
        for (u64 k = r.next() % 6; k; k--) col.push_back(static_cast<int>(r.next() % static_cast<u64>(rows)));
        ptr.push_back(static_cast<int>(col.size()));
      }
      if (col.empty()) col.push_back(0);
      auto v = noise(col.size(), 1), x = noise(static_cast<size_t>(rows * d), 2);
      std::vector<double> want(static_cast<size_t>(rows * d));
      for (int i = 0; i < rows; i++)
        for (int e = ptr[static_cast<size_t>(i)]; e < ptr[static_cast<size_t>(i) + 1]; e++)
          for (int j = 0; j < d; j++)
            want[static_cast<size_t>(i * d + j)] += static_cast<double>(v[static_cast<size_t>(e)]) *
                                                    x[static_cast<size_t>(col[static_cast<size_t>(e)] * d + j)];
      u64 y = allocate(want.size() * 4);
      CHECK(run(f, Shape{static_cast<u32>((rows + 3) / 4), 128},
                Args(device(ptr), device(col), device(v), device(x), y, rows, d)) == 0);
      near("spmm", host<float>(y, want.size()), want, 1e-6);
    }
}

std::vector<double> multiply(const std::vector<float>& a, const std::vector<float>& b, int m, int n, int k) {
  std::vector<double> c(static_cast<size_t>(m * n));
  for (int i = 0; i < m; i++)
    for (int l = 0; l < k; l++)
      for (int j = 0; j < n; j++)
        c[static_cast<size_t>(i * n + j)] +=
            static_cast<double>(a[static_cast<size_t>(i * k + l)]) * b[static_cast<size_t>(l * n + j)];
  return c;
}

void gemm() {
  begin();
  u64 f = function(network(), "gemm");
  const int sizes[][3] = {{1, 1, 1}, {16, 16, 16}, {17, 33, 31}, {40, 9, 65}};
  for (auto& s : sizes) {
    int m = s[0], n = s[1], k = s[2];
    auto a = noise(static_cast<size_t>(m * k), 3), b = noise(static_cast<size_t>(k * n), 4);
    u64 c = allocate(static_cast<size_t>(m * n) * 4);
    CHECK(run(f, Shape{static_cast<u32>((n + 15) / 16), 16, 0, 0, static_cast<u32>((m + 15) / 16), 16},
              Args(device(a), device(b), c, m, n, k)) == 0);
    near("gemm", host<float>(c, static_cast<size_t>(m * n)), multiply(a, b, m, n, k), 1e-6);
  }
}

void reductions() {
  begin();
  u64 m = network(), sum = function(m, "sum"), softmax = function(m, "softmax");
  u64 part = allocate(64), out = allocate(4), count = device(std::vector<u32>{0});
  for (int n : {0, 1, 31, 32, 33, 1000, 5000}) {
    auto x = noise(static_cast<size_t>(n) + 1, 5);
    double want = 0;
    for (int i = 0; i < n; i++) want += x[static_cast<size_t>(i)];
    CHECK(run(sum, Shape{5, 128}, Args(device(x), part, count, out, n)) == 0);
    CHECK(std::fabs(host<float>(out, 1)[0] - want) < 1e-5 * std::sqrt(n + 1));
  }
  for (int n : {1, 31, 33, 100}) {
    auto x = noise(static_cast<size_t>(3 * n), 6);
    std::vector<double> want;
    for (int r = 0; r < 3; r++) {
      double s = 0;
      for (int i = 0; i < n; i++) s += std::exp(static_cast<double>(x[static_cast<size_t>(r * n + i)]));
      for (int i = 0; i < n; i++) want.push_back(std::exp(static_cast<double>(x[static_cast<size_t>(r * n + i)])) / s);
    }
    u64 y = allocate(want.size() * 4);
    CHECK(run(softmax, Shape{3}, Args(device(x), y, n)) == 0);
    near("softmax", host<float>(y, want.size()), want, 1e-6);
  }
}

void adam() {
  begin();
  u64 f = function(network(), "adam");
  struct Rates {
    float rate, beta1, beta2, epsilon;
    int step;
  } r = {0.01f, 0.9f, 0.999f, 1e-8f, 3};
  auto w = noise(80, 7), g = noise(80, 8), m = noise(80, 9), v = noise(80, 10);
  for (float& x : v) x = std::fabs(x);
  std::vector<double> want(80);
  for (size_t i = 0; i < 80; i++) {
    double a = 0.9f * static_cast<double>(m[i]) + (1 - 0.9f) * static_cast<double>(g[i]),
           b = 0.999f * static_cast<double>(v[i]) + (1 - 0.999f) * static_cast<double>(g[i]) * g[i];
    want[i] = w[i] - 0.01 * (a / (1 - std::pow(0.9f, 3.0))) /
                         (std::sqrt(b / (1 - std::pow(static_cast<double>(0.999f), 3))) + 1e-8);
  }
  u64 pw = device(w), pg = device(g), pm = device(m), pv = device(v);
  int n = 20;
  void* params[] = {&pw, &pg, &pm, &pv, &n, &r};  // a structure by value
  CHECK(cu("cuLaunchKernel", f, 1u, 1u, 1u, 32u, 1u, 1u, 0u, u64{0}, params, static_cast<void**>(nullptr)) == 0);
  near("adam", host<float>(pw, 80), want, 1e-5);
}

// Known answers of Philox4x32-10: counters (i, 1, 2, 3) against a plain implementation, and the published vector of
// zeros through the same code.
void philoxReference(u32 (&c)[4], u32 k0, u32 k1) {
  for (int r = 0; r < 10; r++) {
    u64 a = 0xD2511F53ull * c[0], b = 0xCD9E8D57ull * c[2];
    u32 n[4] = {static_cast<u32>(b >> 32) ^ c[1] ^ k0, static_cast<u32>(b), static_cast<u32>(a >> 32) ^ c[3] ^ k1,
                static_cast<u32>(a)};
    std::copy(n, n + 4, c);
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
}

void philox() {
  begin();
  u32 zero[4] = {};
  philoxReference(zero, 0, 0);
  EQUAL(zero[0], 0x6627e8d5u);
  u64 out = allocate(4 * 4 * 96);
  CHECK(run(function(network(), "philox"), Shape{3}, Args(out, 0x12345678u, 0x9abcdef0u)) == 0);
  auto x = host<u32>(out, 4 * 96);
  for (u32 i = 0; i < 96; i++) {
    u32 c[4] = {i, 1, 2, 3};
    philoxReference(c, 0x12345678u, 0x9abcdef0u);
    for (u32 j = 0; j < 4; j++) EQUAL(x[4 * i + j], c[j]);
  }
}

void fft() {
  begin();
  u64 f = function(network(), "fft");
  for (int n : {2, 8, 64, 256}) {
    auto x = noise(static_cast<size_t>(4 * n), 11);
    std::vector<double> want;
    for (int s = 0; s < 2; s++)
      for (int k = 0; k < n; k++) {
        std::complex<double> y = 0;
        for (int i = 0; i < n; i++) {
          size_t at = static_cast<size_t>(2 * (s * n + i));
          y +=
              std::complex<double>(x[at], x[at + 1]) * std::polar(1.0, -2 * M_PI * ((static_cast<i64>(i) * k) % n) / n);
        }
        want.push_back(y.real()), want.push_back(y.imag());
      }
    u64 y = allocate(want.size() * 4);
    CHECK(run(f, Shape{2, static_cast<u32>(n / 2), static_cast<u32>(8 * n)}, Args(device(x), y, n)) == 0);
    near("fft", host<float>(y, want.size()), want, 1e-6);
  }
}

void compact() {
  begin();
  u64 f = function(network(), "compact");
  for (int n : {1, 31, 32, 33, 200}) {
    std::vector<int> x(static_cast<size_t>(n)), want;
    Random r{static_cast<u64>(n)};
    for (int& v : x) {
      v = static_cast<int>(r.next() % 7) - 3;
      if (v > 0) want.push_back(v);
    }
    u64 y = device(std::vector<int>(static_cast<size_t>(n))), count = allocate(4);
    CHECK(run(f, Shape{}, Args(device(x), y, count, n)) == 0);
    EQUAL(host<int>(count, 1)[0], static_cast<int>(want.size()));
    CHECK(host<int>(y, want.size()) == want);
  }
}

using Pair = std::function<double(double, double)>;
const std::vector<std::pair<const char*, Pair>>& functions(bool twice) {
  static const double far[2] = {1e6f, 1e12};
  static bool which;
  which = twice;
  static const std::vector<std::pair<const char*, Pair>> all = {
      {"exp", [](double a, double) { return std::exp(a); }},
      {"tanh", [](double a, double) { return std::tanh(a); }},
      {"erf", [](double a, double) { return std::erf(a); }},
      {"pow", [](double a, double b) { return std::pow(b, a); }},
      {"log", [](double, double b) { return std::log(b); }},
      {"log1p", [](double, double b) { return std::log1p(b); }},
      {"sin", [](double a, double) { return std::sin(a); }},
      {"cos", [](double a, double) { return std::cos(a); }},
      {"atan2", [](double a, double b) { return std::atan2(a, b); }},
      {"fmod", [](double a, double b) { return std::fmod(a, b); }},
      {"cbrt", [](double a, double) { return std::cbrt(a); }},
      {"sin of far",
       [](double a, double) {
         return std::sin(which ? a * far[1] : static_cast<double>(static_cast<float>(a) * 1e6f));
       }},
      {"expm1", [](double a, double) { return std::expm1(a); }},
      {"sqrt", [](double, double b) { return std::sqrt(b); }},
      {"rsqrt or reciprocal", [](double, double b) { return which ? 1 / b : 1 / std::sqrt(b); }},
      {"floor", [](double a, double) { return std::floor(a); }},
      {"rint", [](double a, double) { return std::nearbyint(a); }},
      {"fabs", [](double a, double) { return std::fabs(a); }},
      {"log2", [](double, double b) { return std::log2(b); }},
      {"exp2", [](double a, double) { return std::exp2(a); }},
      {"lgamma", [](double, double b) { return std::lgamma(b); }},
      {"tan", [](double a, double) { return std::tan(a); }},
      {"asin", [](double a, double) { return std::asin(a / 32); }},
      {"hypot", [](double a, double b) { return std::hypot(a, b); }},
  };
  return all;
}

// The functions of the CUDA library are within a few units of the last place (lgamma, which has zeros at 1 and 2, by
// its absolute error).
template <class T>
void mathematics() {
  begin();
  bool twice = sizeof(T) == 8;
  const int n = 200;
  Random r{12};
  std::vector<T> a, b;
  for (int i = 0; i < n; i++) {
    a.push_back(static_cast<T>(40 * r.signedUniform() * (i % 2 ? 0.05f : 0.7f)));
    b.push_back(static_cast<T>(5 * r.uniform() + 0.001f));
  }
  u64 y = allocate(sizeof(T) * 24 * n);
  CHECK(run(function(load(readText("kernels/maths.ptx")), twice ? "twice" : "single"), Shape{4, 64},
            Args(device(a), device(b), y, n)) == 0);
  auto got = host<T>(y, 24 * n);
  auto& all = functions(twice);
  for (size_t k = 0; k < all.size(); k++) {
    double worst = 0, unit = twice ? 0x1p-52 : 0x1p-23;
    for (size_t i = 0; i < n; i++) {
      double want = all[k].second(a[i], b[i]),
             size = k == 20 ? std::max(1.0, std::fabs(want)) : std::max(std::fabs(want), 1e-30);
      double e = std::fabs(got[k * n + i] - want) / size / unit;
      worst = e <= worst ? worst : e;
    }
    if (!(worst < 8))
      report(__FILE__, __LINE__, std::string(all[k].first) + ": " + std::to_string(worst) + " units of the last place");
  }
}

void tensor() {
  begin();
  u64 m = load(readText("kernels/tensor.ptx"));
  struct Kind {
    const char* name;
    double tolerance;
  };
  // inputs are rounded to 11, 8 and 11 bits
  for (const Kind& t : {Kind{"tf32", 1e-3}, Kind{"bf16", 8e-3}, Kind{"f16", 1e-3}})
    for (int k : {16, 48, 160}) {
      auto a = noise(static_cast<size_t>(16 * k), 13), b = noise(static_cast<size_t>(8 * k), 14);
      // values that the narrow types hold exactly give exact sums of products
      for (auto* v : {&a, &b})
        for (float& x : *v) x = k == 48 ? std::round(x * 16) / 16 : x;
      u64 c = allocate(16 * 8 * 4);
      CHECK(run(function(m, t.name), Shape{}, Args(device(a), device(b), c, k)) == 0);
      near(t.name, host<float>(c, 128), multiply(a, b, 16, 8, k), k == 48 ? 1e-7 : t.tolerance);
    }
  auto a = noise(64 * 64, 15), b = noise(64 * 64, 16);
  u64 c = allocate(64 * 64 * 4);
  CHECK(run(function(m, "buffered"), Shape{4, 16, 0, 0, 4, 16}, Args(device(a), device(b), c, 64)) == 0);
  near("buffered", host<float>(c, 64 * 64), multiply(a, b, 64, 64, 64), 1e-6);
  auto p = noise(256, 17), q = noise(256, 18), transposed = q;
  for (size_t i = 0; i < 256; i++) transposed[i % 16 * 16 + i / 16] = q[i];
  CHECK(run(function(m, "fragments"), Shape{}, Args(device(p), device(q), c)) == 0);
  near("fragments", host<float>(c, 256), multiply(p, transposed, 16, 16, 16), 1e-3);
}

void pairs() {
  begin();
  u64 x = device(std::vector<u32>(16, 0x40003c00)), y = allocate(64), total = device(std::vector<u32>{0});
  CHECK(run(function(load(readText("kernels/tensor.ptx")), "pairs"), Shape{}, Args(x, y, total, 16)) == 0);
  EQUAL(host<u32>(y, 16)[7], 0x45004000u);     // 5 and 2
  EQUAL(host<u32>(total, 1)[0], 0x50004c00u);  // 32 and 16
}

}  // namespace

std::vector<Test> kernelTests() {
  std::vector<Test> all = {
      {"kernels/spmm", spmm, {}},
      {"kernels/gemm", gemm, {}},
      {"kernels/adam", adam, {}},
      {"kernels/philox", philox, {}},
      {"kernels/fft", fft, {}},
      {"kernels/compact", compact, {}},
      {"kernels/tensor", tensor, {}},
      {"kernels/pairs", pairs, {}},
      {"kernels/f32 functions", mathematics<float>, {}},
      {"kernels/f64 functions", mathematics<double>, {}},
  };
  // The order of blocks changes with the seed; the sum that the last block makes must not mind.
  for (const char* seed : {"CUEMU_SEED=0", "CUEMU_SEED=1", "CUEMU_SEED=2"})
    all.push_back({"kernels/reductions", reductions, {seed}});
  return all;
}
