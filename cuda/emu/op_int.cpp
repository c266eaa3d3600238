// Integer arithmetic.
#include <algorithm>
#include <limits>

#include "lanes.h"

namespace emu {

namespace {

struct Add {
  template <class T>
  static T run(T a, T b) {
    return static_cast<T>(static_cast<Unsigned<T>>(a) + static_cast<Unsigned<T>>(b));
  }
};
struct Sub {
  template <class T>
  static T run(T a, T b) {
    return static_cast<T>(static_cast<Unsigned<T>>(a) - static_cast<Unsigned<T>>(b));
  }
};
template <class T>
T clampWide(Wide<T> x) {
  return static_cast<T>(
      std::min<Wide<T>>(std::max<Wide<T>>(x, std::numeric_limits<T>::min()), std::numeric_limits<T>::max()));
}
struct AddSat {
  template <class T>
  static T run(T a, T b) {
    return clampWide<T>(static_cast<Wide<T>>(a) + b);
  }
};
struct SubSat {
  template <class T>
  static T run(T a, T b) {
    return clampWide<T>(static_cast<Wide<T>>(a) - b);
  }
};
struct MulLo {
  template <class T>
  static T run(T a, T b) {
    return static_cast<T>(static_cast<u64>(a) * static_cast<u64>(b));
  }
};
struct MulHi {
  template <class T>
  static T run(T a, T b) {
    return static_cast<T>((static_cast<Wide<T>>(a) * b) >> (8 * sizeof(T)));
  }
};
struct MadLo {
  template <class T>
  static T run(T a, T b, T c) {
    return Add::run(MulLo::run(a, b), c);
  }
};
struct MadHi {
  template <class T>
  static T run(T a, T b, T c) {
    return Add::run(MulHi::run(a, b), c);
  }
};
struct MadHiSat {
  template <class T>
  static T run(T a, T b, T c) {
    return AddSat::run(MulHi::run(a, b), c);
  }
};
struct MulWide {
  template <class T>
  static Wide<T> run(T a, T b) {
    return static_cast<Wide<T>>(a) * static_cast<Wide<T>>(b);
  }
};
struct MadWide {
  template <class T, class W>
  static W run(T a, T b, W c) {
    return Add::run(static_cast<W>(static_cast<W>(a) * static_cast<W>(b)), c);
  }
};
// Division by zero gives all ones, the remainder of it the dividend; so does the hardware.
struct Div {
  template <class T>
  static T run(T a, T b) {
    if (b == 0) return static_cast<T>(~static_cast<T>(0));
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) return Sub::run(static_cast<T>(0), a);
    return static_cast<T>(a / b);
  }
};
struct Rem {
  template <class T>
  static T run(T a, T b) {
    if (b == 0) return a;
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) return 0;
    return static_cast<T>(a % b);
  }
};
struct Min {
  template <class T>
  static T run(T a, T b) {
    return a < b ? a : b;
  }
};
struct Max {
  template <class T>
  static T run(T a, T b) {
    return a < b ? b : a;
  }
};
struct Abs {
  template <class T>
  static T run(T a) {
    return a < 0 ? Sub::run(static_cast<T>(0), a) : a;
  }
};
struct Neg {
  template <class T>
  static T run(T a) {
    return Sub::run(static_cast<T>(0), a);
  }
};
struct Sad {
  template <class T>
  static T run(T a, T b, T c) {
    return Add::run(c, a < b ? Sub::run(b, a) : Sub::run(a, b));
  }
};
template <bool High>
struct Mul24 {
  template <class T>
  static T run(T a, T b) {
    i64 x = std::is_signed_v<T> ? static_cast<i64>(static_cast<i32>(static_cast<u32>(a) << 8) >> 8)
                                : static_cast<i64>(static_cast<u32>(a) & 0xffffff);
    i64 y = std::is_signed_v<T> ? static_cast<i64>(static_cast<i32>(static_cast<u32>(b) << 8) >> 8)
                                : static_cast<i64>(static_cast<u32>(b) & 0xffffff);
    return static_cast<T>((x * y) >> (High ? 16 : 0));
  }
};
template <bool High>
struct Mad24 {
  template <class T>
  static T run(T a, T b, T c) {
    return Add::run(Mul24<High>::run(a, b), c);
  }
};

// Carry chains: the flag of all lanes is one mask at the start of the register file.
enum : u8 { kReadCarry = 1, kWriteCarry = 2, kSubtract = 4, kHigh = 8, kMultiply = 16 };

template <class T>
void carryChain(Warp& w, const Inst& in, u32 mask) {
  using U = Unsigned<T>;
  u32& carry = w.mask(kCarry);
  for (u32 m = mask; m; m &= m - 1) {
    int l = __builtin_ctz(m);
    U x = static_cast<U>(w.reg<T>(in.a)[l]), y = static_cast<U>(w.reg<T>(in.b)[l]);
    if (in.flags & kMultiply) {
      T a = w.reg<T>(in.a)[l], b = w.reg<T>(in.b)[l];
      x = static_cast<U>(in.flags & kHigh ? MulHi::run(a, b) : MulLo::run(a, b));
      y = static_cast<U>(w.reg<T>(in.c)[l]);
    }
    U c = in.flags & kReadCarry ? carry >> l & 1 : 0, r;
    bool out;
    if (in.flags & kSubtract) {
      U t;
      out = __builtin_sub_overflow(x, y, &t);
      out |= __builtin_sub_overflow(t, c, &r);
    } else {
      U t;
      out = __builtin_add_overflow(x, y, &t);
      out |= __builtin_add_overflow(t, c, &r);
    }
    w.reg<U>(in.d)[l] = r;
    if (in.flags & kWriteCarry) carry = (carry & ~(1u << l)) | (out ? 1u << l : 0);
  }
}

void decodeCarry(Decoder& d, u8 flags, size_t sources) {
  if (d.mods.take("cc")) flags |= kWriteCarry;
  Ty t = d.mods.type();
  operands(d, t, sources);
  d.in.flags = flags;
  d.need(t == Ty::u32   ? carryChain<u32>
         : t == Ty::s32 ? carryChain<i32>
         : t == Ty::u64 ? carryChain<u64>
         : t == Ty::s64 ? carryChain<i64>
                        : nullptr);
  d.emit();
}

template <class Op>
void decodeBinary(Decoder& d) {
  Ty t = d.mods.type();
  operands(d, t, 2);
  d.need(EMU_FOR_INTS(t, binaryFn, Op));
  d.emit();
}

template <class Op>
void decodeUnarySigned(Decoder& d) {
  Ty t = d.mods.type();
  operands(d, t, 1);
  d.need(t == Ty::s16 ? unaryFn<i16, Op> : t == Ty::s32 ? unaryFn<i32, Op> : t == Ty::s64 ? unaryFn<i64, Op> : nullptr);
  d.emit();
}

// add and sub: integers with .sat or .cc, else floating point.
template <class Op, class Sat, u8 Flags>
void decodeAddSub(Decoder& d) {
  if (isFloatOp(d)) return decodeFloatArithmetic(d, Flags & kSubtract ? "sub" : "add");
  for (const std::string& p : d.mods.parts)
    if (p == "cc") return decodeCarry(d, Flags, 2);
  bool sat = d.mods.take("sat");
  if (!sat) return decodeBinary<Op>(d);
  Ty t = d.mods.type();
  operands(d, t, 2);
  d.need(t == Ty::s32 ? binaryFn<i32, Sat> : nullptr);
  d.emit();
}

Ty doubled(Ty t) {
  switch (t) {
    case Ty::u16: return Ty::u32;
    case Ty::s16: return Ty::s32;
    case Ty::u32: return Ty::u64;
    case Ty::s32: return Ty::s64;
    default: return Ty::none;
  }
}

template <class T>
constexpr Fn mulWideFn = binary<Wide<T>, T, T, MulWide>;
template <class T>
constexpr Fn madWideFn = ternary<Wide<T>, T, T, Wide<T>, MadWide>;

void decodeMul(Decoder& d) {
  if (isFloatOp(d)) return decodeFloatArithmetic(d, "mul");
  std::string part = d.mods.oneOf({"lo", "hi", "wide"});
  Ty t = d.mods.type();
  if (part == "wide") {
    d.count(3);
    Ty wide = doubled(t);
    if (wide == Ty::none) d.bad("unsupported type");
    d.in.d = d.dst(d.arg(0), wide);
    d.in.a = d.src(d.arg(1), t);
    d.in.b = d.src(d.arg(2), t);
    d.need(t == Ty::u16   ? mulWideFn<u16>
           : t == Ty::s16 ? mulWideFn<i16>
           : t == Ty::u32 ? mulWideFn<u32>
                          : mulWideFn<i32>);
    return d.emit();
  }
  if (part.empty()) d.bad("needs .lo, .hi or .wide");
  operands(d, t, 2);
  d.need(part == "lo" ? EMU_FOR_INTS(t, binaryFn, MulLo) : EMU_FOR_INTS(t, binaryFn, MulHi));
  d.emit();
}

void decodeMad(Decoder& d) {
  if (isFloatOp(d)) return decodeFloatArithmetic(d, "fma");
  std::string part = d.mods.oneOf({"lo", "hi", "wide"});
  for (const std::string& p : d.mods.parts)
    if (p == "cc") return decodeCarry(d, static_cast<u8>(kMultiply | (part == "hi" ? kHigh : 0)), 3);
  bool sat = d.mods.take("sat");
  Ty t = d.mods.type();
  if (part == "wide") {
    d.count(4);
    Ty wide = doubled(t);
    if (wide == Ty::none) d.bad("unsupported type");
    d.in.d = d.dst(d.arg(0), wide);
    d.in.a = d.src(d.arg(1), t);
    d.in.b = d.src(d.arg(2), t);
    d.in.c = d.src(d.arg(3), wide);
    d.need(t == Ty::u16   ? madWideFn<u16>
           : t == Ty::s16 ? madWideFn<i16>
           : t == Ty::u32 ? madWideFn<u32>
                          : madWideFn<i32>);
    return d.emit();
  }
  if (part.empty()) d.bad("needs .lo, .hi or .wide");
  operands(d, t, 3);
  if (sat)
    d.need(t == Ty::s32 && part == "hi" ? ternaryFn<i32, MadHiSat> : nullptr);
  else
    d.need(part == "lo" ? EMU_FOR_INTS(t, ternaryFn, MadLo) : EMU_FOR_INTS(t, ternaryFn, MadHi));
  d.emit();
}

void decodeMadc(Decoder& d) {
  std::string part = d.mods.oneOf({"lo", "hi"});
  if (part.empty()) d.bad("needs .lo or .hi");
  decodeCarry(d, static_cast<u8>(kMultiply | kReadCarry | (part == "hi" ? kHigh : 0)), 3);
}

void decode24(Decoder& d, bool mad) {
  std::string part = d.mods.oneOf({"lo", "hi"});
  if (part.empty()) d.bad("needs .lo or .hi");
  Ty t = d.mods.type();
  operands(d, t, mad ? 3 : 2);
  bool s = t == Ty::s32;
  if (t != Ty::u32 && !s) d.bad("unsupported type");
  if (mad && part == "lo") d.need(s ? ternaryFn<i32, Mad24<false>> : ternaryFn<u32, Mad24<false>>);
  if (mad && part == "hi") d.need(s ? ternaryFn<i32, Mad24<true>> : ternaryFn<u32, Mad24<true>>);
  if (!mad && part == "lo") d.need(s ? binaryFn<i32, Mul24<false>> : binaryFn<u32, Mul24<false>>);
  if (!mad && part == "hi") d.need(s ? binaryFn<i32, Mul24<true>> : binaryFn<u32, Mul24<true>>);
  d.emit();
}

template <class Op>
void decodeMinMax(Decoder& d) {
  if (isFloatOp(d)) return decodeFloatArithmetic(d, std::is_same_v<Op, Min> ? "min" : "max");
  decodeBinary<Op>(d);
}

template <class Op>
void decodeAbsNeg(Decoder& d) {
  if (isFloatOp(d)) return decodeFloatArithmetic(d, std::is_same_v<Op, Abs> ? "abs" : "neg");
  decodeUnarySigned<Op>(d);
}

template <bool A, bool B>
struct Dp4a {
  static u32 run(u32 a, u32 b, u32 c) {
    i32 sum = 0;
    for (int i = 0; i < 4; i++) {
      i32 x = A ? static_cast<i8>(a >> (8 * i)) : static_cast<u8>(a >> (8 * i));
      i32 y = B ? static_cast<i8>(b >> (8 * i)) : static_cast<u8>(b >> (8 * i));
      sum += x * y;
    }
    return c + static_cast<u32>(sum);
  }
};
template <bool A, bool B, bool High>
struct Dp2a {
  static u32 run(u32 a, u32 b, u32 c) {
    i32 sum = 0;
    for (int i = 0; i < 2; i++) {
      i32 x = A ? static_cast<i16>(a >> (16 * i)) : static_cast<u16>(a >> (16 * i));
      u32 byte = b >> (8 * i + (High ? 16 : 0));
      i32 y = B ? static_cast<i8>(byte) : static_cast<u8>(byte);
      sum = static_cast<i32>(static_cast<u32>(sum) + static_cast<u32>(x) * static_cast<u32>(y));
    }
    return c + static_cast<u32>(sum);
  }
};

void dotOperands(Decoder& d, Ty& a, Ty& b) {
  a = d.mods.type();
  b = d.mods.type();
  auto good = [](Ty t) { return t == Ty::u32 || t == Ty::s32; };
  if (!good(a) || !good(b)) d.bad("unsupported type");
  Ty r = a == Ty::u32 && b == Ty::u32 ? Ty::u32 : Ty::s32;
  d.count(4);
  d.in.d = d.dst(d.arg(0), r);
  d.in.a = d.src(d.arg(1), a);
  d.in.b = d.src(d.arg(2), b);
  d.in.c = d.src(d.arg(3), r);
}

void decodeDp4a(Decoder& d) {
  Ty a, b;
  dotOperands(d, a, b);
  bool x = a == Ty::s32, y = b == Ty::s32;
  d.need(x ? (y ? ternaryFn<u32, Dp4a<true, true>> : ternaryFn<u32, Dp4a<true, false>>)
           : (y ? ternaryFn<u32, Dp4a<false, true>> : ternaryFn<u32, Dp4a<false, false>>));
  d.emit();
}

template <bool High>
Fn dp2aFn(bool x, bool y) {
  return x ? (y ? ternaryFn<u32, Dp2a<true, true, High>> : ternaryFn<u32, Dp2a<true, false, High>>)
           : (y ? ternaryFn<u32, Dp2a<false, true, High>> : ternaryFn<u32, Dp2a<false, false, High>>);
}

void decodeDp2a(Decoder& d) {
  std::string part = d.mods.oneOf({"lo", "hi"});
  if (part.empty()) d.bad("needs .lo or .hi");
  Ty a, b;
  dotOperands(d, a, b);
  d.need(part == "hi" ? dp2aFn<true>(a == Ty::s32, b == Ty::s32) : dp2aFn<false>(a == Ty::s32, b == Ty::s32));
  d.emit();
}

void decodeSad(Decoder& d) {
  Ty t = d.mods.type();
  operands(d, t, 3);
  d.need(EMU_FOR_INTS(t, ternaryFn, Sad));
  d.emit();
}

}  // namespace

void addIntOps(Ops& t) {
  t["add"] = decodeAddSub<Add, AddSat, 0>;
  t["sub"] = decodeAddSub<Sub, SubSat, kSubtract>;
  t["addc"] = [](Decoder& d) { decodeCarry(d, kReadCarry, 2); };
  t["subc"] = [](Decoder& d) { decodeCarry(d, kReadCarry | kSubtract, 2); };
  t["mul"] = decodeMul;
  t["mad"] = decodeMad;
  t["madc"] = decodeMadc;
  t["mul24"] = [](Decoder& d) { decode24(d, false); };
  t["mad24"] = [](Decoder& d) { decode24(d, true); };
  t["sad"] = decodeSad;
  t["div"] = [](Decoder& d) { isFloatOp(d) ? decodeFloatArithmetic(d, "div") : decodeBinary<Div>(d); };
  t["rem"] = decodeBinary<Rem>;
  t["min"] = decodeMinMax<Min>;
  t["max"] = decodeMinMax<Max>;
  t["abs"] = decodeAbsNeg<Abs>;
  t["neg"] = decodeAbsNeg<Neg>;
  t["dp4a"] = decodeDp4a;
  t["dp2a"] = decodeDp2a;
}

}  // namespace emu
