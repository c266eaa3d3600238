// Elementary functions. The approximate ones are computed accurately: within the documented error bounds.
#include <cmath>

#include "half.h"
#include "lanes.h"

namespace emu {

namespace {

inline float canonical(float x) { return x != x ? bitsAs<float>(0x7fffffffu) : x; }
inline double canonical(double x) { return x; }

struct Rcp {
  template <class T>
  static T run(T a) {
    return canonical(1 / a);
  }
};
struct Sqrt {
  template <class T>
  static T run(T a) {
    return canonical(std::sqrt(a));
  }
};
struct Rsqrt {
  static float run(float a) { return canonical(static_cast<float>(1 / std::sqrt(static_cast<double>(a)))); }
  static double run(double a) { return 1 / std::sqrt(a); }
};
// The .approx.ftz forms for f64 give the upper word only.
template <class Op>
struct UpperWord {
  static double run(double a) { return bitsAs<double>(bitsAs<u64>(Op::run(a)) & ~0xffffffffull); }
};
struct Ex2 {
  static float run(float a) { return canonical(std::exp2(a)); }
};
struct Lg2 {
  static float run(float a) { return canonical(std::log2(a)); }
};
struct Sin {
  static float run(float a) { return canonical(static_cast<float>(std::sin(static_cast<double>(a)))); }
};
struct Cos {
  static float run(float a) { return canonical(static_cast<float>(std::cos(static_cast<double>(a)))); }
};
struct Tanh {
  static float run(float a) { return canonical(static_cast<float>(std::tanh(static_cast<double>(a)))); }
};

template <class Op, bool Bfloat>
struct InHalf {
  static u16 run(u16 a) {
    float x = static_cast<float>(Bfloat ? fromBfloat(a) : fromHalf(a));
    return Bfloat ? toBfloat(Op::run(x)) : toHalf(Op::run(x));
  }
};
template <class Op>
struct Pair {
  static u32 run(u32 a) {
    return Op::run(static_cast<u16>(a)) | static_cast<u32>(Op::run(static_cast<u16>(a >> 16))) << 16;
  }
};

// approximate decodes ex2, lg2, sin, cos, tanh.
template <class Op, bool Halves>
void approximate(Decoder& d) {
  if (!d.mods.take("approx")) d.bad("needs .approx");
  bool flush = d.mods.take("ftz");
  Ty t = d.mods.type();
  operands(d, t, 1);
  if (t == Ty::f32)
    d.need(unaryFn<float, Op>);
  else if (Halves && t == Ty::f16)
    d.need(unaryFn<u16, InHalf<Op, false>>);
  else if (Halves && t == Ty::bf16)
    d.need(unaryFn<u16, InHalf<Op, true>>);
  else if (Halves && t == Ty::f16x2)
    d.need(unaryFn<u32, Pair<InHalf<Op, false>>>);
  else if (Halves && t == Ty::bf16x2)
    d.need(unaryFn<u32, Pair<InHalf<Op, true>>>);
  else
    d.bad("unsupported type");
  if (t == Ty::f32) d.wrap("", flush, false);
  d.emit();
}

// rounded decodes rcp and sqrt: .approx or a rounding mode.
template <class Op>
void rounded(Decoder& d) {
  bool approx = d.mods.take("approx");
  std::string round = d.mods.oneOf({"rn", "rz", "rm", "rp"});
  if (approx != round.empty()) d.bad("needs .approx or a rounding mode");
  bool flush = d.mods.take("ftz");
  Ty t = d.mods.type();
  operands(d, t, 1);
  if (t == Ty::f64 && approx && !(flush && std::is_same_v<Op, Rcp>)) d.bad("unsupported for f64");
  if (t == Ty::f64 && flush && !approx) d.bad("unsupported modifier for f64");
  if (t == Ty::f64)
    d.need(approx ? unaryFn<double, UpperWord<Rcp>> : unaryFn<double, Op>);
  else
    d.need(t == Ty::f32 ? unaryFn<float, Op> : nullptr);
  d.wrap(round, flush, false);
  d.emit();
}

void decodeRsqrt(Decoder& d) {
  if (!d.mods.take("approx")) d.bad("needs .approx");
  bool flush = d.mods.take("ftz");
  Ty t = d.mods.type();
  operands(d, t, 1);
  if (t == Ty::f64)
    d.need(flush ? unaryFn<double, UpperWord<Rsqrt>> : unaryFn<double, Rsqrt>);
  else
    d.need(t == Ty::f32 ? unaryFn<float, Rsqrt> : nullptr);
  d.wrap("", flush, false);
  d.emit();
}

struct CopySign {  // d has the sign of a and the size of b
  template <class T>
  static T run(T a, T b) {
    return std::copysign(b, a);
  }
};

void decodeCopysign(Decoder& d) {
  Ty t = d.mods.type();
  operands(d, t, 2);
  d.need(t == Ty::f32 ? binaryFn<float, CopySign> : t == Ty::f64 ? binaryFn<double, CopySign> : nullptr);
  d.emit();
}

enum : u8 { kFinite, kInfinite, kNumber, kNotANumber, kNormal, kSubnormal };

template <class T>
void testp(Warp& w, const Inst& in, u32 mask) {
  u32 r = 0;
  for (u32 m = mask; m; m &= m - 1) {
    int l = __builtin_ctz(m), kind = std::fpclassify(w.reg<T>(in.a)[l]);
    bool yes = false;
    switch (in.op) {
      case kFinite: yes = kind != FP_NAN && kind != FP_INFINITE; break;
      case kInfinite: yes = kind == FP_INFINITE; break;
      case kNumber: yes = kind != FP_NAN; break;
      case kNotANumber: yes = kind == FP_NAN; break;
      case kNormal: yes = kind == FP_NORMAL; break;
      case kSubnormal: yes = kind == FP_SUBNORMAL; break;
    }
    if (yes) r |= 1u << l;
  }
  u32& d = w.mask(in.d);
  d = (d & ~mask) | r;
}

void decodeTestp(Decoder& d) {
  const char* names[] = {"finite", "infinite", "number", "notanumber", "normal", "subnormal"};
  bool known = false;
  for (u8 i = 0; i < 6 && !known; i++)
    if ((known = d.mods.take(names[i]))) d.in.op = i;
  if (!known) d.bad("unknown test");
  Ty t = d.mods.type();
  d.count(2);
  d.in.d = d.dstPred(d.arg(0));
  d.in.a = d.src(d.arg(1), t);
  d.need(t == Ty::f32 ? testp<float> : t == Ty::f64 ? testp<double> : nullptr);
  d.emit();
}

}  // namespace

void addMathOps(Ops& t) {
  t["rcp"] = rounded<Rcp>;
  t["sqrt"] = rounded<Sqrt>;
  t["rsqrt"] = decodeRsqrt;
  t["ex2"] = approximate<Ex2, true>;
  t["lg2"] = approximate<Lg2, false>;
  t["sin"] = approximate<Sin, false>;
  t["cos"] = approximate<Cos, false>;
  t["tanh"] = approximate<Tanh, true>;
  t["copysign"] = decodeCopysign;
  t["testp"] = decodeTestp;
}

}  // namespace emu
