// Integer, bit, floating-point and comparison instructions, each spelling against a reference.
#include <cfenv>
#include <cmath>
#include <limits>

#include "operations.h"

namespace {

using Wide = __int128;
using UWide = unsigned __int128;

// signedOf extends the low bits of a value.
i64 signedOf(u64 x, int bits) { return static_cast<i64>(x << (64 - bits)) >> (64 - bits); }
u64 unsignedOf(u64 x, int bits) { return bits == 64 ? x : x & ((1ull << bits) - 1); }

// integer is the value of an operand as the type says.
Wide integer(u64 x, bool sign, int bits) {
  return sign ? static_cast<Wide>(signedOf(x, bits)) : static_cast<Wide>(unsignedOf(x, bits));
}

void arithmetic() {
  std::vector<Operation> all;
  for (int bits : {16, 32, 64})
    for (bool s : {false, true}) {
      std::string t = (s ? "s" : "u") + std::to_string(bits), b = "b" + std::to_string(bits);
      auto value = [=](u64 x) { return integer(x, s, bits); };
      auto two = [&](const std::string& op, auto f) {
        all.push_back(
            {op + "." + t, b, {b, b}, [=](u64 x, u64 y, u64) { return static_cast<u64>(f(value(x), value(y))); }});
      };
      auto three = [&](const std::string& op, auto f) {
        all.push_back({op + "." + t, b, {b, b, b}, [=](u64 x, u64 y, u64 z) {
                         return static_cast<u64>(f(value(x), value(y), value(z)));
                       }});
      };
      two("add", [](Wide x, Wide y) { return x + y; });
      two("sub", [](Wide x, Wide y) { return x - y; });
      two("mul.lo", [](Wide x, Wide y) { return static_cast<Wide>(static_cast<UWide>(x) * static_cast<UWide>(y)); });
      two("mul.hi", [=](Wide x, Wide y) {
        if (s || bits < 64) return (x * y) >> bits;
        return static_cast<Wide>((static_cast<UWide>(x) * static_cast<UWide>(y)) >> 64);
      });
      two("min", [](Wide x, Wide y) { return x < y ? x : y; });
      two("max", [](Wide x, Wide y) { return x < y ? y : x; });
      two("div", [](Wide x, Wide y) { return y == 0 ? -1 : x / y; });
      two("rem", [](Wide x, Wide y) { return y == 0 ? x : x % y; });
      three("mad.lo", [](Wide x, Wide y, Wide z) {
        return static_cast<Wide>(static_cast<UWide>(x) * static_cast<UWide>(y) + static_cast<UWide>(z));
      });
      three("sad", [](Wide x, Wide y, Wide z) { return z + (x < y ? y - x : x - y); });
      if (bits < 64) three("mad.hi", [=](Wide x, Wide y, Wide z) { return ((x * y) >> bits) + z; });
      if (bits < 64) {
        std::string w = "b" + std::to_string(2 * bits);
        all.push_back(
            {"mul.wide." + t, w, {b, b}, [=](u64 x, u64 y, u64) { return static_cast<u64>(value(x) * value(y)); }});
        all.push_back({"mad.wide." + t, w, {b, b, w}, [=](u64 x, u64 y, u64 z) {
                         return static_cast<u64>(value(x) * value(y)) + z;
                       }});
      }
      if (!s) continue;
      all.push_back(
          {"abs." + t, b, {b}, [=](u64 x, u64, u64) { return static_cast<u64>(value(x) < 0 ? -value(x) : value(x)); }});
      all.push_back({"neg." + t, b, {b}, [=](u64 x, u64, u64) { return static_cast<u64>(-value(x)); }});
    }
  auto clamp = [](Wide x) { return static_cast<u64>(x < INT32_MIN ? INT32_MIN : x > INT32_MAX ? INT32_MAX : x); };
  auto i = [](u64 x) { return static_cast<Wide>(static_cast<i32>(x)); };
  all.push_back({"add.sat.s32", "b32", {"b32", "b32"}, [=](u64 x, u64 y, u64) { return clamp(i(x) + i(y)); }});
  all.push_back({"sub.sat.s32", "b32", {"b32", "b32"}, [=](u64 x, u64 y, u64) { return clamp(i(x) - i(y)); }});
  all.push_back({"mad.hi.sat.s32", "b32", {"b32", "b32", "b32"}, [=](u64 x, u64 y, u64 z) {
                   return clamp(((i(x) * i(y)) >> 32) + i(z));
                 }});
  auto low24 = [](u64 x) { return static_cast<u64>(signedOf(x, 24)); };
  auto u24 = [](u64 x) { return x & 0xffffff; };
  all.push_back({"mul24.lo.s32", "b32", {"b32", "b32"}, [=](u64 x, u64 y, u64) { return low24(x) * low24(y); }});
  all.push_back({"mul24.hi.u32", "b32", {"b32", "b32"}, [=](u64 x, u64 y, u64) { return u24(x) * u24(y) >> 16; }});
  all.push_back(
      {"mad24.lo.u32", "b32", {"b32", "b32", "b32"}, [=](u64 x, u64 y, u64 z) { return u24(x) * u24(y) + z; }});
  check(all);
}

void dots() {
  std::vector<Operation> all;
  for (bool a : {false, true})
    for (bool b : {false, true}) {
      std::string types = std::string(a ? ".s32" : ".u32") + (b ? ".s32" : ".u32");
      all.push_back({"dp4a" + types, "b32", {"b32", "b32", "b32"}, [=](u64 x, u64 y, u64 z) {
                       for (int i = 0; i < 4; i++)
                         z += static_cast<u64>(integer(x >> 8 * i, a, 8) * integer(y >> 8 * i, b, 8));
                       return z;
                     }});
      for (bool high : {false, true})
        all.push_back({std::string("dp2a") + (high ? ".hi" : ".lo") + types,
                       "b32",
                       {"b32", "b32", "b32"},
                       [=](u64 x, u64 y, u64 z) {
                         for (int i = 0; i < 2; i++)
                           z += static_cast<u64>(integer(x >> 16 * i, a, 16) *
                                                 integer(y >> (8 * i + (high ? 16 : 0)), b, 8));
                         return z;
                       }});
    }
  check(all);
}

u32 bitReverse(u64 x, int bits, u64* out) {
  *out = 0;
  for (int i = 0; i < bits; i++)
    if (x >> i & 1) *out |= 1ull << (bits - 1 - i);
  return 0;
}

void bitwise() {
  std::vector<Operation> all;
  for (int bits : {16, 32, 64}) {
    std::string b = "b" + std::to_string(bits), s = "s" + std::to_string(bits), u = "u" + std::to_string(bits);
    all.push_back({"and." + b, b, {b, b}, [](u64 x, u64 y, u64) { return x & y; }});
    all.push_back({"or." + b, b, {b, b}, [](u64 x, u64 y, u64) { return x | y; }});
    all.push_back({"xor." + b, b, {b, b}, [](u64 x, u64 y, u64) { return x ^ y; }});
    all.push_back({"not." + b, b, {b}, [](u64 x, u64, u64) { return ~x; }});
    all.push_back({"cnot." + b, b, {b}, [](u64 x, u64, u64) { return static_cast<u64>(x == 0); }});
    auto shift = [=](u64 n) { return static_cast<int>(n > 64 ? 64 : n); };
    all.push_back({"shl." + b, b, {b, "b32"}, [=](u64 x, u64 n, u64) { return shift(n) >= bits ? 0 : x << n; }});
    all.push_back({"shr." + b, b, {b, "b32"}, [=](u64 x, u64 n, u64) { return shift(n) >= bits ? 0 : x >> n; }});
    all.push_back({"shr." + u, b, {b, "b32"}, [=](u64 x, u64 n, u64) { return shift(n) >= bits ? 0 : x >> n; }});
    all.push_back({"shr." + s, b, {b, "b32"}, [=](u64 x, u64 n, u64) {
                     return static_cast<u64>(signedOf(x, bits) >> (shift(n) > 63 ? 63 : shift(n)));
                   }});
    if (bits == 16) continue;
    all.push_back({"popc." + b, "b32", {b}, [](u64 x, u64, u64) { return static_cast<u64>(__builtin_popcountll(x)); }});
    all.push_back({"clz." + b, "b32", {b}, [=](u64 x, u64, u64) {
                     return static_cast<u64>(x ? __builtin_clzll(x) - (64 - bits) : bits);
                   }});
    all.push_back({"brev." + b, b, {b}, [=](u64 x, u64, u64) {
                     u64 r;
                     bitReverse(x, bits, &r);
                     return r;
                   }});
    for (bool sign : {false, true})
      for (bool amount : {false, true})
        all.push_back({std::string("bfind") + (amount ? ".shiftamt." : ".") + (sign ? s : u),
                       "b32",
                       {b},
                       [=](u64 x, u64, u64) -> u64 {
                         if (sign && signedOf(x, bits) < 0) x = unsignedOf(~x, bits);
                         for (int i = bits - 1; i >= 0; i--)
                           if (x >> i & 1) return static_cast<u64>(amount ? bits - 1 - i : i);
                         return 0xffffffff;
                       }});
    // As the instruction set manual gives it: a loop over bits, with the sign bit at min(position + length - 1, msb).
    for (bool sign : {false, true})
      all.push_back({"bfe." + (sign ? s : u), b, {b, "b32", "b32"}, [=](u64 x, u64 p, u64 n) {
                       int position = static_cast<int>(p & 255), length = static_cast<int>(n & 255), msb = bits - 1;
                       u64 r = 0, fill = sign && length && (x >> std::min(position + length - 1, msb) & 1);
                       for (int i = 0; i <= msb; i++)
                         r |= (i < length && position + i <= msb ? x >> (position + i) & 1 : fill) << i;
                       return r;
                     }});
  }
  all.push_back({"shf.l.wrap.b32", "b32", {"b32", "b32", "b32"}, [](u64 a, u64 b, u64 n) {
                   return n & 31 ? b << (n & 31) | (a >> (32 - (n & 31))) : b;
                 }});
  all.push_back({"shf.r.wrap.b32", "b32", {"b32", "b32", "b32"}, [](u64 a, u64 b, u64 n) {
                   return n & 31 ? b << (32 - (n & 31)) | (a >> (n & 31)) : a;
                 }});
  all.push_back({"shf.l.clamp.b32", "b32", {"b32", "b32", "b32"}, [](u64 a, u64 b, u64 n) {
                   return n >= 32 ? a : n ? b << n | a >> (32 - n) : b;
                 }});
  all.push_back({"shf.r.clamp.b32", "b32", {"b32", "b32", "b32"}, [](u64 a, u64 b, u64 n) {
                   return n >= 32 ? b : n ? b << (32 - n) | a >> n : a;
                 }});
  for (int table = 0; table < 256; table += table < 16 ? 1 : 37)
    all.push_back({"lop3.b32",
                   "b32",
                   {"b32", "b32", "b32"},
                   [=](u64 a, u64 b, u64 c) {
                     u64 r = 0;
                     for (int i = 0; i < 32; i++)
                       r |= static_cast<u64>(table >> ((a >> i & 1) * 4 + (b >> i & 1) * 2 + (c >> i & 1)) & 1) << i;
                     return r;
                   },
                   0,
                   ", " + std::to_string(table)});
  all.push_back({"prmt.b32", "b32", {"b32", "b32", "b32"}, [](u64 a, u64 b, u64 c) {
                   u64 pair = b << 32 | a, r = 0;
                   for (int i = 0; i < 4; i++) {
                     u64 s = c >> (4 * i) & 15, byte = pair >> (8 * (s & 7)) & 255;
                     r |= (s & 8 ? (byte >> 7) * 255 : byte) << (8 * i);
                   }
                   return r;
                 }});
  for (int bits : {32, 64})
    for (u64 p : {0, 5, 31, 40, 70})
      for (u64 n : {0, 1, 8, 32, 64, 200}) {
        std::string b = "b" + std::to_string(bits);
        all.push_back({"bfi." + b,
                       b,
                       {b, b},
                       [=](u64 x, u64 y, u64) {
                         for (u64 i = 0; i < n && p + i < static_cast<u64>(bits); i++)
                           y = (y & ~(1ull << (p + i))) | (i < 64 ? (x >> i & 1) << (p + i) : 0);
                         return y;
                       },
                       0,
                       ", " + std::to_string(p) + ", " + std::to_string(n)});
      }
  check(all);
}

float f(u64 x) { return as<float>(static_cast<u32>(x)); }
double e(u64 x) { return as<double>(x); }
u64 bits(float x) { return x != x ? 0x7fffffff : as<u32>(x); }
u64 bits(double x) { return as<u64>(x); }

struct Mode {
  const char* name;
  int mode;
};
const Mode modes[] = {{"rn", FE_TONEAREST}, {"rz", FE_TOWARDZERO}, {"rm", FE_DOWNWARD}, {"rp", FE_UPWARD}};

// rounded evaluates f in a rounding mode.
template <class F>
auto rounded(int mode, F f) {
  std::fesetround(mode);
  volatile auto r = f();
  std::fesetround(FE_TONEAREST);
  return static_cast<decltype(f())>(r);
}

template <class T>
void addRounded(std::vector<Operation>& all, const std::string& t, T (*get)(u64)) {
  for (const Mode& m : modes) {
    int mode = m.mode;
    auto two = [&](const std::string& op, auto g) {
      all.push_back({op + "." + m.name + "." + t, t, {t, t}, [=](u64 x, u64 y, u64) {
                       volatile T a = get(x), b = get(y);
                       return bits(rounded(mode, [&] { return static_cast<T>(g(a, b)); }));
                     }});
    };
    two("add", [](T a, T b) { return a + b; });
    two("sub", [](T a, T b) { return a - b; });
    two("mul", [](T a, T b) { return a * b; });
    two("div", [](T a, T b) { return a / b; });
    all.push_back({std::string("fma.") + m.name + "." + t, t, {t, t, t}, [=](u64 x, u64 y, u64 z) {
                     volatile T a = get(x), b = get(y), c = get(z);
                     return bits(rounded(
                         mode, [&] { return std::fma(static_cast<T>(a), static_cast<T>(b), static_cast<T>(c)); }));
                   }});
    all.push_back({std::string("rcp.") + m.name + "." + t, t, {t}, [=](u64 x, u64, u64) {
                     volatile T a = get(x), one = 1;
                     return bits(rounded(mode, [&] { return static_cast<T>(one / a); }));
                   }});
    all.push_back({std::string("sqrt.") + m.name + "." + t, t, {t}, [=](u64 x, u64, u64) {
                     volatile T a = get(x);
                     return bits(rounded(mode, [&] { return std::sqrt(static_cast<T>(a)); }));
                   }});
  }
  all.push_back({"neg." + t, t, {t}, [=](u64 x, u64, u64) { return bits(-get(x)); }});
  all.push_back({"abs." + t, t, {t}, [=](u64 x, u64, u64) { return bits(std::fabs(get(x))); }});
  auto pick = [=](u64 x, u64 y, bool least) {
    T a = get(x), b = get(y);
    if (a != a) return bits(b);
    if (b != b) return bits(a);
    if (a == b) return std::signbit(a) == least ? bits(a) : bits(b);
    return (a < b) == least ? bits(a) : bits(b);
  };
  all.push_back({"min." + t, t, {t, t}, [=](u64 x, u64 y, u64) { return pick(x, y, true); }});
  all.push_back({"max." + t, t, {t, t}, [=](u64 x, u64 y, u64) { return pick(x, y, false); }});
  all.push_back({"copysign." + t, t, {t, t}, [=](u64 x, u64 y, u64) { return bits(std::copysign(get(y), get(x))); }});
}

void floating() {
  std::vector<Operation> all;
  addRounded<float>(all, "f32", f);
  addRounded<double>(all, "f64", e);
  auto one = [&](const std::string& op, double ulps, float (*g)(float)) {
    all.push_back({op, "f32", {"f32"}, [=](u64 x, u64, u64) { return bits(g(f(x))); }, ulps});
  };
  // Bounds of the instruction set manual, in units of the last place; sin, cos and lg2 have absolute ones, far above.
  one("ex2.approx.f32", 2, [](float x) { return static_cast<float>(std::exp2(static_cast<double>(x))); });
  one("lg2.approx.f32", 2, [](float x) { return static_cast<float>(std::log2(static_cast<double>(x))); });
  one("sin.approx.f32", 2, [](float x) { return static_cast<float>(std::sin(static_cast<double>(x))); });
  one("cos.approx.f32", 2, [](float x) { return static_cast<float>(std::cos(static_cast<double>(x))); });
  one("tanh.approx.f32", 2, [](float x) { return static_cast<float>(std::tanh(static_cast<double>(x))); });
  one("rsqrt.approx.f32", 2, [](float x) { return static_cast<float>(1 / std::sqrt(static_cast<double>(x))); });
  one("rcp.approx.f32", 1, [](float x) { return 1 / x; });
  one("sqrt.approx.f32", 1, [](float x) { return std::sqrt(x); });
  all.push_back({"div.approx.f32", "f32", {"f32", "f32"}, [](u64 x, u64 y, u64) { return bits(f(x) / f(y)); }, 2});
  all.push_back({"div.full.f32", "f32", {"f32", "f32"}, [](u64 x, u64 y, u64) { return bits(f(x) / f(y)); }, 2});
  auto flush = [](float x) { return std::fabs(x) < std::numeric_limits<float>::min() ? std::copysign(0.0f, x) : x; };
  auto flushed = [&](const std::string& op, auto g) {
    all.push_back({op + ".ftz.f32", "f32", {"f32", "f32"}, [=](u64 x, u64 y, u64) {
                     // tininess is seen after rounding
                     return bits(flush(g(flush(f(x)), flush(f(y)))));
                   }});
  };
  flushed("add", [](float a, float b) { return a + b; });
  flushed("sub", [](float a, float b) { return a - b; });
  flushed("mul", [](float a, float b) { return a * b; });
  auto saturated = [](float x) { return x != x ? 0.0f : x < 0 ? 0.0f : x > 1 ? 1.0f : std::fabs(x); };
  all.push_back(
      {"add.sat.f32", "f32", {"f32", "f32"}, [=](u64 x, u64 y, u64) { return bits(saturated(f(x) + f(y))); }, 0.5});
  all.push_back({"fma.rn.sat.f32",
                 "f32",
                 {"f32", "f32", "f32"},
                 [=](u64 x, u64 y, u64 z) { return bits(saturated(std::fma(f(x), f(y), f(z)))); },
                 0.5});
  all.push_back({"max.NaN.f32", "f32", {"f32", "f32"}, [](u64 x, u64 y, u64) {
                   float a = f(x), b = f(y);
                   if (a != a || b != b) return u64{0x7fffffff};
                   return bits(a == b ? (std::signbit(a) ? b : a) : std::max(a, b));
                 }});
  check(all);
}

template <class T>
bool compare(const std::string& c, T a, T b) {
  bool unordered = a != a || b != b;
  if (c == "num") return !unordered;
  if (c == "nan") return unordered;
  std::string base = c.size() == 3 ? c.substr(0, 2) : c;
  if (c.size() == 3 && unordered) return true;
  if (unordered) return false;
  if (base == "eq") return a == b;
  if (base == "ne") return a != b;
  if (base == "lt" || base == "lo") return a < b;
  if (base == "le" || base == "ls") return a <= b;
  if (base == "gt" || base == "hi") return a > b;
  return a >= b;
}

void comparison() {
  std::vector<Operation> all;
  for (int n : {16, 32, 64})
    for (const char* sign : {"s", "u", "b"})
      for (const char* c : {"eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs"}) {
        std::string cmp = c, b = "b" + std::to_string(n);
        if (*sign == 'b' && cmp != "eq" && cmp != "ne") continue;
        bool s = *sign == 's';
        if (s && (cmp == "lo" || cmp == "ls" || cmp == "hi" || cmp == "hs")) continue;
        all.push_back({"setp." + cmp + "." + sign + std::to_string(n), "pred", {b, b}, [=](u64 x, u64 y, u64) {
                         return static_cast<u64>(compare(cmp, integer(x, s, n), integer(y, s, n)));
                       }});
      }
  for (const char* c : {"eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"}) {
    std::string cmp = c;
    all.push_back({"setp." + cmp + ".f32", "pred", {"f32", "f32"}, [=](u64 x, u64 y, u64) {
                     return static_cast<u64>(compare(cmp, f(x), f(y)));
                   }});
    all.push_back({"setp." + cmp + ".f64", "pred", {"f64", "f64"}, [=](u64 x, u64 y, u64) {
                     return static_cast<u64>(compare(cmp, e(x), e(y)));
                   }});
    all.push_back({"set." + cmp + ".u32.f32", "b32", {"f32", "f32"}, [=](u64 x, u64 y, u64) {
                     return compare(cmp, f(x), f(y)) ? 0xffffffff : 0;
                   }});
    all.push_back({"set." + cmp + ".f32.f32", "b32", {"f32", "f32"}, [=](u64 x, u64 y, u64) {
                     return compare(cmp, f(x), f(y)) ? 0x3f800000 : 0;
                   }});
  }
  // Joined with a predicate that holds for elements 0 to 99 of the run.
  all.push_back({"setp.lt.s32", "pred", {"b32", "b32"}, [](u64 x, u64 y, u64) {
                   return static_cast<u64>(static_cast<i32>(x) < static_cast<i32>(y));
                 }});
  for (const char* t : {"b16", "b32", "b64", "f32", "f64"}) {
    std::string type = t;
    all.push_back({"selp." + type, type, {type, type}, [](u64, u64 y, u64) { return y; }, 0, ", 0"});
    all.push_back({"selp." + type, type, {type, type}, [](u64 x, u64, u64) { return x; }, 0, ", 1"});
    all.push_back({"slct." + type + ".s32", type, {type, type, "b32"}, [](u64 x, u64 y, u64 c) {
                     return static_cast<i32>(c) >= 0 ? x : y;
                   }});
    all.push_back(
        {"slct." + type + ".f32", type, {type, type, "f32"}, [](u64 x, u64 y, u64 c) { return f(c) >= 0 ? x : y; }});
  }
  auto classify = [&](const std::string& name, bool (*g)(double, bool)) {
    all.push_back({"testp." + name + ".f32", "pred", {"f32"}, [=](u64 x, u64, u64) {
                     return static_cast<u64>(g(f(x), std::fabs(f(x)) < std::numeric_limits<float>::min()));
                   }});
    all.push_back({"testp." + name + ".f64", "pred", {"f64"}, [=](u64 x, u64, u64) {
                     return static_cast<u64>(g(e(x), std::fabs(e(x)) < std::numeric_limits<double>::min()));
                   }});
  };
  classify("finite", [](double x, bool) { return std::isfinite(x); });
  classify("infinite", [](double x, bool) { return std::isinf(x); });
  classify("number", [](double x, bool) { return x == x; });
  classify("notanumber", [](double x, bool) { return x != x; });
  classify("normal", [](double x, bool tiny) { return std::isfinite(x) && !tiny; });
  classify("subnormal", [](double x, bool tiny) { return tiny && x != 0; });
  check(all);
}

// Joined comparisons, both predicates of a pair, carry chains and predicate logic, each as a small program.
void programs() {
  auto result = [](const std::string& body) {
    u64 out = device(std::vector<u32>(32));
    u64 m = load(kernel(body + "\nmul.wide.u32 %d5, %r0, 4; add.s64 %d5, %d5, %d0; st.global.u32 [%d5], %r20;"));
    CHECK(run(function(m, "k"), Shape{}, Args(out, u64{0}, u64{0}, u64{0})) == 0);
    return host<u32>(out, 32);
  };
  auto select = [](const std::string& p) { return "selp.u32 %r20, 1, 0, " + p + ";"; };
  auto a = result("setp.lt.u32 %p1, %r0, 8; setp.gt.and.u32 %p2|%p3, %r0, 3, %p1;" + select("%p2"));
  auto b = result("setp.lt.u32 %p1, %r0, 8; setp.gt.and.u32 %p2|%p3, %r0, 3, %p1;" + select("%p3"));
  auto c = result("setp.lt.u32 %p1, %r0, 8; setp.gt.or.u32 %p2, %r0, 3, !%p1;" + select("%p2"));
  auto d = result("setp.lt.u32 %p1, %r0, 8; setp.gt.xor.u32 %p2, %r0, 3, %p1;" + select("%p2"));
  auto e = result(
      "setp.lt.u32 %p1, %r0, 8; setp.gt.u32 %p2, %r0, 3; and.pred %p3, %p1, %p2; not.pred %p4, %p3; or.pred %p5, %p4, "
      "%p1; xor.pred %p6, %p5, %p2;" +
      select("%p6"));
  auto g = result("setp.lt.u32 %p1, %r0, 8; mov.u32 %r20, 5; @!%p1 mov.u32 %r20, 7; @%p1 add.u32 %r20, %r20, 1;");
  for (u32 i = 0; i < 32; i++) {
    EQUAL(a[i], u32{i > 3 && i < 8});
    EQUAL(b[i], u32{i <= 3 && i < 8});
    EQUAL(c[i], u32{i > 3 || i >= 8});
    EQUAL(d[i], u32{(i > 3) != (i < 8)});
    EQUAL(e[i], u32{((!(i > 3 && i < 8)) || i < 8) != (i > 3)});
    EQUAL(g[i], i < 8 ? 6u : 7u);
  }
  // 96-bit sum, difference and product by carries.
  std::string wide =
      "mov.u32 %r10, 0xffffffff; mov.u32 %r11, 0xfffffff0; add.u32 %r11, %r11, %r0; mov.u32 %r12, 3;"
      "add.cc.u32 %r13, %r10, %r0; addc.cc.u32 %r14, %r11, 15; addc.u32 %r15, %r12, 0;";
  auto s0 = result(wide + "mov.u32 %r20, %r13;"), s1 = result(wide + "mov.u32 %r20, %r14;"),
       s2 = result(wide + "mov.u32 %r20, %r15;");
  for (u64 i = 0; i < 32; i++) {
    unsigned __int128 x = (static_cast<unsigned __int128>(3) << 64 |
                           static_cast<u64>(static_cast<u32>(0xfffffff0 + i)) << 32 | 0xffffffff) +
                          (static_cast<u64>(15) << 32 | i);
    EQUAL(s0[i], static_cast<u32>(x));
    EQUAL(s1[i], static_cast<u32>(x >> 32));
    EQUAL(s2[i], static_cast<u32>(x >> 64));
  }
  auto t = result("sub.cc.u32 %r13, %r0, 5; subc.u32 %r20, 9, 0;");
  auto p = result("mov.u32 %r10, 0xfffffffb; mad.lo.cc.u32 %r13, %r10, %r0, %r10; madc.hi.u32 %r20, %r10, %r0, 0;");
  for (u64 i = 0; i < 32; i++) {
    EQUAL(t[i], i < 5 ? 8u : 9u);
    EQUAL(p[i], static_cast<u32>((0xfffffffbull * i + 0xfffffffb) >> 32));
  }
}

template <void (*F)()>
void started() {
  begin();
  F();
}

}  // namespace

std::vector<Test> operationTests() {
  return {
      {"operations/integer", started<arithmetic>, {}}, {"operations/dot", started<dots>, {}},
      {"operations/bits", started<bitwise>, {}},       {"operations/floating", started<floating>, {}},
      {"operations/compare", started<comparison>, {}}, {"operations/programs", started<programs>, {}},
  };
}
