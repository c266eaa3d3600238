// cvt in all pairs of types, and the half formats, against the processor's own conversions.
#include <immintrin.h>

#include <cfenv>
#include <cmath>
#include <limits>

#include "operations.h"

namespace {

struct Type {
  const char* name;
  int bits;
  bool sign;
};
const Type types[] = {{"u8", 8, false},   {"s8", 8, true},   {"u16", 16, false}, {"s16", 16, true},
                      {"u32", 32, false}, {"s32", 32, true}, {"u64", 64, false}, {"s64", 64, true}};

using Wide = __int128;
Wide valueOf(const Type& t, u64 x) {
  u64 low = t.bits == 64 ? x : x & ((1ull << t.bits) - 1);
  return t.sign ? static_cast<Wide>(static_cast<i64>(low << (64 - t.bits)) >> (64 - t.bits)) : static_cast<Wide>(low);
}
Wide clamp(const Type& t, Wide x) {
  Wide hi = (static_cast<Wide>(1) << (t.bits - t.sign)) - 1, lo = t.sign ? -hi - 1 : 0;
  return x < lo ? lo : x > hi ? hi : x;
}
// Registers hold 16 bits at least: results of 8 bits are extended.
std::string registerType(const Type& t) { return "b" + std::to_string(t.bits < 16 ? 16 : t.bits); }

void integers() {
  std::vector<Operation> all;
  for (const Type& to : types)
    for (const Type& from : types) {
      std::string names = std::string(to.name) + "." + from.name;
      all.push_back({"cvt." + names, registerType(to), {registerType(from)}, [=](u64 x, u64, u64) {
                       return static_cast<u64>(valueOf(to, static_cast<u64>(valueOf(from, x))));
                     }});
      Wide hi = (static_cast<Wide>(1) << (from.bits - from.sign)) - 1, lo = from.sign ? -hi - 1 : 0;
      if (clamp(to, hi) == hi && clamp(to, lo) == lo) continue;  // not allowed: there is nothing to saturate
      all.push_back({"cvt.sat." + names, registerType(to), {registerType(from)}, [=](u64 x, u64, u64) {
                       return static_cast<u64>(clamp(to, valueOf(from, x)));
                     }});
    }
  check(all);
}

struct Mode {
  const char* name;
  int mode;
};
const Mode modes[] = {{"rn", FE_TONEAREST}, {"rz", FE_TOWARDZERO}, {"rm", FE_DOWNWARD}, {"rp", FE_UPWARD}};

template <class F>
auto rounded(int mode, F f) {
  std::fesetround(mode);
  volatile auto r = f();
  std::fesetround(FE_TONEAREST);
  return static_cast<decltype(f())>(r);
}

void integersAndFloats() {
  std::vector<Operation> all;
  for (const Type& t : types)
    for (const Mode& m : modes) {
      int mode = m.mode;
      auto source = [=](u64 x, auto f) {
        volatile i64 s = static_cast<i64>(valueOf(t, x));
        volatile u64 u = static_cast<u64>(valueOf(t, x));
        return rounded(mode, [&] { return t.sign ? f(s) : f(u); });
      };
      all.push_back({std::string("cvt.") + m.name + ".f32." + t.name, "f32", {registerType(t)}, [=](u64 x, u64, u64) {
                       return u64{as<u32>(source(x, [](auto v) { return static_cast<float>(v); }))};
                     }});
      all.push_back({std::string("cvt.") + m.name + ".f64." + t.name, "f64", {registerType(t)}, [=](u64 x, u64, u64) {
                       return as<u64>(source(x, [](auto v) { return static_cast<double>(v); }));
                     }});
      auto integral = [=](double x) {
        if (x != x) return u64{0};
        long double r = mode == FE_TONEAREST    ? std::nearbyint(x)
                        : mode == FE_TOWARDZERO ? std::trunc(x)
                        : mode == FE_DOWNWARD   ? std::floor(x)
                                                : std::ceil(x);
        if (std::fabs(r) > 1e30L) r = r < 0 ? -1e30L : 1e30L;
        return static_cast<u64>(clamp(t, static_cast<Wide>(r)));
      };
      std::string round = std::string("cvt.") + m.name + "i." + t.name;
      all.push_back({round + ".f32", registerType(t), {"f32"}, [=](u64 x, u64, u64) {
                       return integral(as<float>(static_cast<u32>(x)));
                     }});
      all.push_back(
          {round + ".f64", registerType(t), {"f64"}, [=](u64 x, u64, u64) { return integral(as<double>(x)); }});
    }
  check(all);
}

u64 floatBits(float x) { return x != x ? 0x7fffffff : as<u32>(x); }

u16 halfOf(float x, int mode) {
  __m128 v = _mm_set_ss(x);
  __m128i h = mode == FE_TONEAREST    ? _mm_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT)
              : mode == FE_TOWARDZERO ? _mm_cvtps_ph(v, _MM_FROUND_TO_ZERO)
              : mode == FE_DOWNWARD   ? _mm_cvtps_ph(v, _MM_FROUND_TO_NEG_INF)
                                      : _mm_cvtps_ph(v, _MM_FROUND_TO_POS_INF);
  return static_cast<u16>(_mm_extract_epi16(h, 0));
}
float fromHalf(u64 h) { return _mm_cvtss_f32(_mm_cvtph_ps(_mm_set1_epi16(static_cast<i16>(h)))); }
bool isNan16(u16 h) { return (h & 0x7c00) == 0x7c00 && (h & 0x3ff); }

void floats() {
  std::vector<Operation> all;
  for (const Mode& m : modes) {
    int mode = m.mode;
    std::string name = m.name;
    all.push_back({"cvt." + name + ".f32.f64", "f32", {"f64"}, [=](u64 x, u64, u64) {
                     volatile double v = as<double>(x);
                     return floatBits(rounded(mode, [&] { return static_cast<float>(v); }));
                   }});
    all.push_back({"cvt." + name + "i.f32.f32", "f32", {"f32"}, [=](u64 x, u64, u64) {
                     float v = as<float>(static_cast<u32>(x));
                     return floatBits(mode == FE_TONEAREST    ? std::nearbyint(v)
                                      : mode == FE_TOWARDZERO ? std::trunc(v)
                                      : mode == FE_DOWNWARD   ? std::floor(v)
                                                              : std::ceil(v));
                   }});
    if (mode == FE_TONEAREST || mode == FE_TOWARDZERO)
      all.push_back({"cvt." + name + ".f16.f32", "b16", {"f32"}, [=](u64 x, u64, u64) {
                       u16 h = halfOf(as<float>(static_cast<u32>(x)), mode);
                       return isNan16(h) ? u64{0x7fff} : u64{h};
                     }});
    all.push_back({"cvt." + name + ".bf16.f32", "b16", {"f32"}, [=](u64 x, u64, u64) {
                     // two integers around the value, and the choice between them
                     u32 b = static_cast<u32>(x), low = b & 0xffff, high = b >> 16;
                     if ((b & 0x7fffffff) > 0x7f800000) return u64{0x7fff};
                     bool negative = b >> 31, up = false;
                     if (mode == FE_TONEAREST) up = low > 0x8000 || (low == 0x8000 && (high & 1));
                     if (mode == FE_DOWNWARD) up = negative && low;
                     if (mode == FE_UPWARD) up = !negative && low;
                     return u64{high} + up;
                   }});
  }
  all.push_back({"cvt.f64.f32", "f64", {"f32"}, [](u64 x, u64, u64) {
                   return as<u64>(static_cast<double>(as<float>(static_cast<u32>(x))));
                 }});
  all.push_back({"cvt.f32.f16", "f32", {"h16"}, [](u64 x, u64, u64) { return floatBits(fromHalf(x)); }});
  all.push_back({"cvt.f32.bf16", "f32", {"h16"}, [](u64 x, u64, u64) {
                   return floatBits(as<float>(static_cast<u32>(x) << 16));
                 }});
  all.push_back({"cvt.rna.tf32.f32", "b32", {"f32"}, [](u64 x, u64, u64) {
                   u32 b = static_cast<u32>(x);
                   if ((b & 0x7fffffff) > 0x7f800000) return u64{0x7fffffff};
                   return (b & 0x7fffffff) == 0x7f800000 ? u64{b} : u64{(b + 0x1000) & ~0x1fffu};
                 }});
  auto pair = [](u64 x, u64 y) {
    u16 a = halfOf(as<float>(static_cast<u32>(x)), FE_TONEAREST),
        b = halfOf(as<float>(static_cast<u32>(y)), FE_TONEAREST);
    return (isNan16(a) ? 0x7fffull : a) << 16 | (isNan16(b) ? 0x7fffull : b);
  };
  all.push_back({"cvt.rn.f16x2.f32", "b32", {"f32", "f32"}, [=](u64 x, u64 y, u64) { return pair(x, y); }});
  all.push_back({"cvt.rni.s32.f16", "b32", {"h16"}, [](u64 x, u64, u64) {
                   float v = fromHalf(x);
                   if (v != v) return u64{0};
                   return static_cast<u64>(std::isinf(v) ? (v < 0 ? INT32_MIN : INT32_MAX)
                                                         : static_cast<i64>(std::nearbyint(v)));
                 }});
  check(all);
}

// Sums and products of halves are exact in double, so one rounding through float (24 bits: twice 11 and 2) is right.
u64 halfResult(double x) {
  u16 h = halfOf(static_cast<float>(x), FE_TONEAREST);
  return isNan16(h) ? 0x7fff : h;
}

void halves() {
  std::vector<Operation> all;
  auto h = [](u64 x) { return static_cast<double>(fromHalf(x & 0xffff)); };
  auto canon = [](u64 x) { return (x & 0x7fff) > 0x7c00 ? u64{0x7fff} : x & 0xffff; };
  (void)canon;
  auto two = [&](const std::string& op, auto g) {
    all.push_back({op + ".f16", "b16", {"h16", "h16"}, [=](u64 x, u64 y, u64) { return halfResult(g(h(x), h(y))); }});
    all.push_back({op + ".f16x2", "b32", {"f16x2", "f16x2"}, [=](u64 x, u64 y, u64) {
                     return halfResult(g(h(x), h(y))) | halfResult(g(h(x >> 16), h(y >> 16))) << 16;
                   }});
  };
  two("add", [](double a, double b) { return a + b; });
  two("sub.rn", [](double a, double b) { return a - b; });
  two("mul", [](double a, double b) { return a * b; });
  // The fused sum has up to 80 bits: exact as a 128-bit integer of units of 2^-48.
  all.push_back({"fma.rn.f16", "b16", {"h16", "h16", "h16"}, [=](u64 x, u64 y, u64 z) {
                   double a = h(x), b = h(y), c = h(z), rough = a * b + c;
                   if (!std::isfinite(rough)) return halfResult(rough);
                   Wide sum = static_cast<Wide>(std::ldexp(a, 24)) * static_cast<Wide>(std::ldexp(b, 24)) +
                              (static_cast<Wide>(std::ldexp(c, 24)) << 24);
                   if (sum == 0) return halfResult(rough);
                   // to odd in 40 bits, then one rounding to float cannot be a tie that was not one
                   unsigned __int128 m = static_cast<unsigned __int128>(sum < 0 ? -sum : sum);
                   int shift = 0;
                   bool sticky = false;
                   while (m >> 23) sticky |= static_cast<bool>(m & 1), m >>= 1, shift++;
                   double v = std::ldexp(static_cast<double>(static_cast<u64>(m | sticky)), shift - 48);
                   return halfResult(sum < 0 ? -v : v);
                 }});
  auto bf = [](u64 x) { return as<float>(static_cast<u32>(x) << 16); };
  all.push_back({"fma.rn.bf16", "b16", {"h16", "h16", "h16"}, [=](u64 x, u64 y, u64 z) {
                   // through a long double of 64 bits, rounded to odd
                   long double p = static_cast<long double>(bf(x)) * bf(y), s = p + static_cast<long double>(bf(z));
                   if (s != s) return u64{0x7fff};
                   float r = static_cast<float>(s);
                   u32 b = as<u32>(r), low = b & 0xffff, high = b >> 16;
                   if (std::isinf(r)) return u64{high};
                   // a tie of the float may hide what the long double knows
                   long double rest = s - static_cast<long double>(r);
                   bool beyond = rest != 0 && (rest > 0) == (r > 0), below = rest != 0 && !beyond;
                   bool up = low > 0x8000 || (low == 0x8000 && (beyond || (!below && (high & 1))));
                   return u64{high} + up;
                 }});
  auto pick = [=](u64 x, u64 y, bool least) {
    double a = h(x), b = h(y);
    if (a != a) return b != b ? u64{0x7fff} : y;
    if (b != b) return x;
    if (a == b) return std::signbit(a) == least ? x : y;
    return (a < b) == least ? x : y;
  };
  all.push_back({"min.f16", "b16", {"h16", "h16"}, [=](u64 x, u64 y, u64) { return pick(x, y, true); }});
  all.push_back({"max.f16", "b16", {"h16", "h16"}, [=](u64 x, u64 y, u64) { return pick(x, y, false); }});
  all.push_back({"neg.f16", "b16", {"h16"}, [](u64 x, u64, u64) { return x ^ 0x8000; }});
  all.push_back({"abs.f16x2", "b32", {"f16x2"}, [](u64 x, u64, u64) { return x & 0x7fff7fff; }});
  all.push_back(
      {"setp.lt.f16", "pred", {"h16", "h16"}, [=](u64 x, u64 y, u64) { return static_cast<u64>(h(x) < h(y)); }});
  check(all);
}

template <void (*F)()>
void started() {
  begin();
  F();
}

}  // namespace

std::vector<Test> conversionTests() {
  return {
      {"conversions/integers", started<integers>, {}},
      {"conversions/integers and floats", started<integersAndFloats>, {}},
      {"conversions/floats", started<floats>, {}},
      {"conversions/halves", started<halves>, {}},
  };
}
