// Floating-point arithmetic: add sub mul fma div min max abs neg in f32, f64 and the half formats.
#include <cmath>

#include "half.h"
#include "lanes.h"

namespace emu {

namespace {

constexpr u32 kQuietNan = 0x7fffffffu;  // what f32 instructions give for NaN

inline float canonical(float x) { return x != x ? bitsAs<float>(kQuietNan) : x; }
inline double canonical(double x) { return x; }

struct Add {
  template <class T>
  static T run(T a, T b) {
    return canonical(a + b);
  }
};
struct Sub {
  template <class T>
  static T run(T a, T b) {
    return canonical(a - b);
  }
};
struct Mul {
  template <class T>
  static T run(T a, T b) {
    return canonical(a * b);
  }
};
struct Div {
  template <class T>
  static T run(T a, T b) {
    return canonical(a / b);
  }
};
struct Fma {
  template <class T>
  static T run(T a, T b, T c) {
    return canonical(std::fma(a, b, c));
  }
};
// min and max give the other operand for one NaN, and order -0 before +0.
struct Min {
  template <class T>
  static T run(T a, T b) {
    if (a != a) return canonical(b);
    if (b != b) return a;
    if (a == 0 && b == 0) return std::signbit(a) ? a : b;
    return a < b ? a : b;
  }
};
struct Max {
  template <class T>
  static T run(T a, T b) {
    if (a != a) return canonical(b);
    if (b != b) return a;
    if (a == 0 && b == 0) return std::signbit(a) ? b : a;
    return a < b ? b : a;
  }
};
template <class Op>
struct PassNan {
  template <class T>
  static T run(T a, T b) {
    return a != a || b != b ? canonical(static_cast<T>(NAN)) : Op::run(a, b);
  }
};
template <class Op>
struct SignOfXor {
  template <class T>
  static T run(T a, T b) {
    bool sign = std::signbit(a) != std::signbit(b);
    return std::copysign(Op::run(std::fabs(a), std::fabs(b)), static_cast<T>(sign ? -1 : 1));
  }
};
struct Abs {
  template <class T>
  static T run(T a) {
    return std::fabs(a);
  }
};
struct Neg {
  template <class T>
  static T run(T a) {
    return -a;
  }
};
struct AbsFlush {
  static float run(float a) { return std::fabs(a) < 1.17549435e-38f ? 0.0f : std::fabs(a); }
};
struct NegFlush {
  static float run(float a) { return std::fabs(a) < 1.17549435e-38f ? std::copysign(0.0f, -a) : -a; }
};

struct Options {
  std::string round;
  bool flush = false, saturate = false, nan = false, xorsign = false, relu = false, abs = false;
};

// Half formats: computed exactly in double, rounded once.
struct F16 {
  static double get(u16 x) { return fromHalf(x); }
  static u16 put(double x) { return toHalf(x); }
  static constexpr u16 nan = 0x7fff, sign = 0x8000, one = 0x3c00;
  static bool tiny(u16 x) { return (x & 0x7c00) == 0; }
};
struct BF16 {
  static double get(u16 x) { return fromBfloat(x); }
  static u16 put(double x) { return toBfloat(x); }
  static constexpr u16 nan = 0x7fff, sign = 0x8000, one = 0x3f80;
  static bool tiny(u16 x) { return (x & 0x7f80) == 0; }
};

enum HalfOp : u8 { hAdd, hSub, hMul, hFma, hMin, hMax, hAbs, hNeg };
enum : u8 { kFlush = 1, kSat = 2, kRelu = 4, kPassNan = 8, kXorSign = 16 };

template <class F>
u16 minMax(u16 x, u16 y, bool wantMin, u8 flags) {
  u16 sign = 0;
  if (flags & kXorSign) sign = (x ^ y) & F::sign, x &= 0x7fff, y &= 0x7fff;
  double a = F::get(x), b = F::get(y);
  if ((flags & kPassNan) && (a != a || b != b)) return F::nan;
  if (a != a) return b != b ? F::nan : static_cast<u16>((y & ~(flags & kXorSign ? F::sign : 0)) | sign);
  if (b != b) return static_cast<u16>(x | sign);
  u16 r = wantMin ? Min::run(a, b) == a && !(a == 0 && b == 0 && !(x & F::sign)) ? x : y
          : Max::run(a, b) == a && !(a == 0 && b == 0 && (x & F::sign)) ? x
                                                                        : y;
  return static_cast<u16>(r | sign);
}

template <class F>
u16 halfOp(u8 op, u8 flags, u16 x, u16 y, u16 z) {
  auto flush = [&](u16 v) { return (flags & kFlush) && F::tiny(v) ? static_cast<u16>(v & F::sign) : v; };
  x = flush(x), y = flush(y), z = flush(z);
  double a = F::get(x), b = F::get(y), c = F::get(z);
  u16 r = 0;
  switch (op) {
    case hAdd: r = F::put(addOdd(a, b)); break;
    case hSub: r = F::put(addOdd(a, -b)); break;
    case hMul: r = F::put(a * b); break;
    case hFma: r = F::put(addOdd(a * b, c)); break;
    case hMin: r = minMax<F>(x, y, true, flags); break;
    case hMax: r = minMax<F>(x, y, false, flags); break;
    case hAbs: r = x & 0x7fff; break;
    case hNeg: r = x ^ F::sign; break;
  }
  r = flush(r);
  bool isNan = (r & 0x7fff) > (F::put(INFINITY) & 0x7fff);
  if ((flags & kRelu) && (r & F::sign) && !isNan) r = 0;
  if (flags & kSat) r = isNan || (r & F::sign) ? 0 : r > F::one ? F::one : r;
  return r;
}

template <class F, int Halves>
void halfLanes(Warp& w, const Inst& in, u32 mask) {
  u16 *d = w.reg<u16>(in.d), *a = w.reg<u16>(in.a), *b = w.reg<u16>(in.b), *c = w.reg<u16>(in.c);
  for (u32 m = mask; m; m &= m - 1)
    for (int i = __builtin_ctz(m) * Halves, end = i + Halves; i < end; i++)
      d[i] = halfOp<F>(in.op, in.flags, a[i], b[i], c[i]);
}

void decodeHalf(Decoder& d, const std::string& op, Ty t, const Options& o) {
  const std::map<std::string, std::pair<HalfOp, size_t>> names = {
      {"add", {hAdd, 2}}, {"sub", {hSub, 2}}, {"mul", {hMul, 2}}, {"fma", {hFma, 3}},
      {"min", {hMin, 2}}, {"max", {hMax, 2}}, {"abs", {hAbs, 1}}, {"neg", {hNeg, 1}},
  };
  auto it = names.find(op);
  if (it == names.end()) d.bad("unsupported type");
  if (!o.round.empty() && o.round != "rn") d.bad("unsupported rounding");
  operands(d, t, it->second.second);
  if (it->second.second < 2) d.in.b = d.in.a;
  if (it->second.second < 3) d.in.c = d.in.a;
  d.in.op = it->second.first;
  d.in.flags = static_cast<u8>((o.flush ? kFlush : 0) | (o.saturate ? kSat : 0) | (o.relu ? kRelu : 0) |
                               (o.nan ? kPassNan : 0) | (o.xorsign ? kXorSign : 0));
  switch (t) {
    case Ty::f16: d.need(halfLanes<F16, 1>); break;
    case Ty::f16x2: d.need(halfLanes<F16, 2>); break;
    case Ty::bf16: d.need(halfLanes<BF16, 1>); break;
    default: d.need(halfLanes<BF16, 2>);
  }
  d.emit();
}

template <class T>
Fn minMaxFn(bool wantMin, const Options& o) {
  if (o.nan && o.xorsign) return wantMin ? binaryFn<T, PassNan<SignOfXor<Min>>> : binaryFn<T, PassNan<SignOfXor<Max>>>;
  if (o.nan) return wantMin ? binaryFn<T, PassNan<Min>> : binaryFn<T, PassNan<Max>>;
  if (o.xorsign) return wantMin ? binaryFn<T, SignOfXor<Min>> : binaryFn<T, SignOfXor<Max>>;
  return wantMin ? binaryFn<T, Min> : binaryFn<T, Max>;
}

template <class T>
Fn arithmeticFn(const std::string& op, const Options& o) {
  if (op == "add") return binaryFn<T, Add>;
  if (op == "sub") return binaryFn<T, Sub>;
  if (op == "mul") return binaryFn<T, Mul>;
  if (op == "div") return binaryFn<T, Div>;
  if (op == "fma") return ternaryFn<T, Fma>;
  if (op == "min" || op == "max") return minMaxFn<T>(op == "min", o);
  if (op == "abs") return unaryFn<T, Abs>;
  if (op == "neg") return unaryFn<T, Neg>;
  return nullptr;
}

Options optionsOf(Decoder& d, const std::string& op) {
  Options o;
  bool inexact = op == "div" || op == "fma";
  for (const char* r : {"rn", "rz", "rm", "rp"})
    if (d.mods.takeAny(r)) o.round = r;
  bool approximate = op == "div" && (d.mods.takeAny("approx") || d.mods.takeAny("full"));
  if (op != "abs" && op != "neg" && op != "div" && op != "min" && op != "max") o.saturate = d.mods.takeAny("sat");
  o.flush = d.mods.takeAny("ftz");
  if (op == "fma") o.relu = d.mods.takeAny("relu");
  if (op == "min" || op == "max") {
    o.nan = d.mods.takeAny("NaN");
    o.xorsign = d.mods.takeAny("xorsign");
    if (o.xorsign != d.mods.takeAny("abs")) d.bad("xorsign and abs go together");
  }
  if (inexact && o.round.empty() && !approximate) d.bad("needs a rounding mode");
  return o;
}

}  // namespace

bool isFloatOp(const Decoder& d) { return !d.mods.parts.empty() && isFloat(tyFrom(d.mods.parts.back())); }

void decodeFloatArithmetic(Decoder& d, const std::string& op) {
  Options o = optionsOf(d, op);
  Ty t = d.mods.type();
  if (t == Ty::f16 || t == Ty::f16x2 || t == Ty::bf16 || t == Ty::bf16x2) return decodeHalf(d, op, t, o);
  size_t sources = op == "fma" ? 3 : op == "abs" || op == "neg" ? 1 : 2;
  if (o.relu) d.bad("unsupported modifier .relu");
  if (t == Ty::f64 && (o.flush || o.saturate)) d.bad("unsupported modifier for f64");
  operands(d, t, sources);
  if (t != Ty::f32 && t != Ty::f64) d.bad("unsupported type");
  d.need(t == Ty::f32 ? arithmeticFn<float>(op, o) : arithmeticFn<double>(op, o));
  if (o.flush && op == "abs") d.need(unaryFn<float, AbsFlush>);
  if (o.flush && op == "neg") d.need(unaryFn<float, NegFlush>);
  d.wrap(o.round, o.flush, o.saturate);
  d.emit();
}

void addFloatOps(Ops& t) {
  t["fma"] = [](Decoder& d) { decodeFloatArithmetic(d, "fma"); };
}

}  // namespace emu
