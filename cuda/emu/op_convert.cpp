// cvt: conversions between all types.
#include <cmath>
#include <limits>

#include "half.h"
#include "lanes.h"

namespace emu {

namespace {

enum : u8 { kSat = 1, kRelu = 2 };

// Rounding of Inst::op: the first four to a float, the others to an integer value.
enum Mode : u8 { none, rn, rz, rm, rp, rna, rni, rzi, rmi, rpi };

Round roundOf(u8 mode) {
  switch (mode) {
    case rz: return Round::zero;
    case rm: return Round::down;
    case rp: return Round::up;
    case rna: return Round::away;
    default: return Round::nearest;
  }
}

double integral(double x, u8 mode) {
  switch (mode) {
    case rni: return std::nearbyint(x);
    case rzi: return std::trunc(x);
    case rmi: return std::floor(x);
    case rpi: return std::ceil(x);
    default: return x;
  }
}

// clampTo saturates a floating-point value into an integer type; NaN becomes 0.
template <class D>
u64 clampTo(double x) {
  if (x != x) return 0;
  constexpr D lo = std::numeric_limits<D>::min(), hi = std::numeric_limits<D>::max();
  if (x <= static_cast<double>(lo)) return static_cast<u64>(lo);
  if (x >= static_cast<double>(hi)) return static_cast<u64>(hi);
  return static_cast<u64>(static_cast<D>(x));
}

u64 toInteger(double x, Ty t) {
  switch (t) {
    case Ty::u8: return clampTo<u8>(x);
    case Ty::s8: return clampTo<i8>(x);
    case Ty::u16: return clampTo<u16>(x);
    case Ty::s16: return clampTo<i16>(x);
    case Ty::u32: return clampTo<u32>(x);
    case Ty::s32: return clampTo<i32>(x);
    case Ty::u64: return clampTo<u64>(x);
    default: return clampTo<i64>(x);
  }
}

u64 extend(u64 x, Ty t) {
  switch (sizeOf(t)) {
    case 1: return isSigned(t) ? static_cast<u64>(static_cast<i64>(static_cast<i8>(x))) : static_cast<u8>(x);
    case 2: return isSigned(t) ? static_cast<u64>(static_cast<i64>(static_cast<i16>(x))) : static_cast<u16>(x);
    case 4: return isSigned(t) ? static_cast<u64>(static_cast<i64>(static_cast<i32>(x))) : static_cast<u32>(x);
    default: return x;
  }
}

// saturateInteger clamps x, a value of type from, into type to.
u64 saturateInteger(u64 x, Ty from, Ty to) {
  bool negative = isSigned(from) && static_cast<i64>(x) < 0;
  int bits = 8 * sizeOf(to);
  if (isUnsigned(to)) {
    if (negative) return 0;
    u64 hi = bits == 64 ? ~0ull : (1ull << bits) - 1;
    return x > hi ? hi : x;
  }
  i64 hi = static_cast<i64>((1ull << (bits - 1)) - 1), lo = -hi - 1;
  if (negative) return static_cast<u64>(static_cast<i64>(x) < lo ? lo : static_cast<i64>(x));
  return x > static_cast<u64>(hi) ? static_cast<u64>(hi) : x;
}

double sourceFloat(u64 x, Ty t) {
  switch (t) {
    case Ty::f16: return fromHalf(static_cast<u16>(x));
    case Ty::bf16: return fromBfloat(static_cast<u16>(x));
    case Ty::f32: return bitsAs<float>(static_cast<u32>(x));
    default: return bitsAs<double>(x);
  }
}

// toFloat rounds by the control register for f32, by mode for the narrow formats.
u64 toFloat(double x, Ty t, u8 mode, u8 flags) {
  if (flags & kSat) x = x > 0 ? (x < 1 ? x : 1) : 0;
  if ((flags & kRelu) && x < 0) x = 0;
  switch (t) {
    case Ty::f16: return toHalf(x, roundOf(mode));
    case Ty::bf16: return toBfloat(x, roundOf(mode));
    case Ty::tf32: return x != x ? 0x7fffffffu : packFloat(x, 8, 10, roundOf(mode)) << 13;
    case Ty::f32: return x != x ? 0x7fffffffu : bitsAs<u32>(static_cast<float>(x));
    default: return bitsAs<u64>(x);
  }
}

u64 integerToFloat(u64 x, Ty from, Ty to, u8 mode) {
  bool s = isSigned(from);
  if (to == Ty::f32) return bitsAs<u32>(s ? static_cast<float>(static_cast<i64>(x)) : static_cast<float>(x));
  if (to == Ty::f64) return bitsAs<u64>(s ? static_cast<double>(static_cast<i64>(x)) : static_cast<double>(x));
  // Narrow: exact in two doubles, joined to odd.
  double high =
      s ? std::ldexp(static_cast<double>(static_cast<i64>(x) >> 32), 32) : std::ldexp(static_cast<double>(x >> 32), 32);
  return toFloat(addOdd(high, static_cast<double>(x & 0xffffffffu)), to, mode, 0);
}

u64 convert(u64 x, Ty from, Ty to, u8 mode, u8 flags) {
  if (isFloat(from)) {
    double v = integral(sourceFloat(x, from), mode);
    return isFloat(to) ? toFloat(v, to, mode, flags) : toInteger(v, to);
  }
  x = extend(x, from);
  if (isFloat(to)) return integerToFloat(x, from, to, mode);
  return flags & kSat ? saturateInteger(x, from, to) : x;
}

// Inst::imm holds the source type.
void cvt(Warp& w, const Inst& in, u32 mask) {
  Ty from = static_cast<Ty>(in.imm);
  const u8* a = w.registers + in.a;
  u8* d = w.registers + in.d;
  for (u32 m = mask; m; m &= m - 1) {
    u32 l = static_cast<u32>(__builtin_ctz(m));
    u64 x = 0;
    std::memcpy(&x, a + l * in.width2, in.width2);
    u64 r = extend(convert(x, from, in.type, in.op, in.flags), in.type);
    std::memcpy(d + l * in.width, &r, in.width);
  }
}

template <class D>
struct CastTo {
  template <class S>
  static D run(S a) {
    return static_cast<D>(a);
  }
};
template <class D, class S>
constexpr Fn castFn = unary<D, S, CastTo<D>>;

// fastPath gives a vectorisable loop for the common conversions.
Fn fastPath(Ty to, Ty from, u8 flags) {
  if (flags) return nullptr;
  auto is = [&](Ty a, Ty b) { return to == a && from == b; };
  if (is(Ty::u64, Ty::u32) || is(Ty::s64, Ty::u32)) return castFn<u64, u32>;
  if (is(Ty::s64, Ty::s32) || is(Ty::u64, Ty::s32)) return castFn<i64, i32>;
  if (isInt(from) && sizeOf(from) == 8 && (to == Ty::u32 || to == Ty::s32)) return castFn<u32, u64>;
  if (isInt(from) && sizeOf(from) == 4 && (to == Ty::u16 || to == Ty::s16)) return castFn<u16, u32>;
  if (is(Ty::u32, Ty::u16) || is(Ty::s32, Ty::u16)) return castFn<u32, u16>;
  if (is(Ty::s32, Ty::s16) || is(Ty::u32, Ty::s16)) return castFn<i32, i16>;
  if (is(Ty::f32, Ty::s32)) return castFn<float, i32>;
  if (is(Ty::f32, Ty::u32)) return castFn<float, u32>;
  if (is(Ty::f64, Ty::s32)) return castFn<double, i32>;
  if (is(Ty::f64, Ty::u32)) return castFn<double, u32>;
  return nullptr;
}

// packed converts two f32 into a pair of halves: the first operand is the upper.
void packed(Warp& w, const Inst& in, u32 mask) {
  Ty t = in.type == Ty::f16x2 ? Ty::f16 : Ty::bf16;
  for (u32 m = mask; m; m &= m - 1) {
    int l = __builtin_ctz(m);
    u32 high = static_cast<u32>(toFloat(w.reg<float>(in.a)[l], t, in.op, in.flags));
    u32 low = static_cast<u32>(toFloat(w.reg<float>(in.b)[l], t, in.op, in.flags));
    w.reg<u32>(in.d)[l] = high << 16 | low;
  }
}

u8 modeOf(const std::string& name) {
  const char* names[] = {"", "rn", "rz", "rm", "rp", "rna", "rni", "rzi", "rmi", "rpi"};
  for (u8 i = 1; i < 10; i++)
    if (name == names[i]) return i;
  return none;
}

// checkRounding: narrowing needs a rounding, float to integer an integer rounding, and nothing else may have one.
void checkRounding(Decoder& d, Ty to, Ty from, u8 mode) {
  bool narrow = isFloat(to) && ((isFloat(from) && sizeOf(to) < sizeOf(from)) || isInt(from) || to == Ty::tf32);
  bool same = to == from && isFloat(to), whole = mode >= rni;
  if (isInt(to) && isFloat(from) && !whole) d.bad("needs an integer rounding mode");
  if (isInt(to) && isInt(from) && mode != none) d.bad("integers are not rounded");
  if (narrow && (mode == none || whole)) d.bad("needs a rounding mode");
  if (same && mode != none && !whole) d.bad("needs an integer rounding mode");
  if (isFloat(to) && isFloat(from) && sizeOf(to) > sizeOf(from) && mode != none) d.bad("a widening is not rounded");
}

// fits tells whether all values of one integer type are values of another, so that there is nothing to saturate.
bool fits(Ty from, Ty to) {
  if (isSigned(from) && !isSigned(to)) return false;
  return isSigned(from) == isSigned(to) ? sizeOf(from) <= sizeOf(to) : sizeOf(from) < sizeOf(to);
}

void decodePacked(Decoder& d, Ty to) {
  if (d.mods.type() != Ty::f32) d.bad("unsupported type");
  d.count(3);
  if (d.in.op != rn && d.in.op != rz) d.bad("needs .rn or .rz");
  d.in.type = to;
  d.in.d = d.dst(d.arg(0), to);
  d.in.a = d.src(d.arg(1), Ty::f32);
  d.in.b = d.src(d.arg(2), Ty::f32);
  d.need(packed);
  d.emit();
}

void decodeCvt(Decoder& d) {
  std::string round = d.mods.oneOf({"rna", "rni", "rzi", "rmi", "rpi", "rn", "rz", "rm", "rp"});
  d.in.op = modeOf(round);
  if (d.mods.take("relu")) d.in.flags |= kRelu;
  bool flush = d.mods.take("ftz");
  if (d.mods.take("sat")) d.in.flags |= kSat;
  if (d.mods.take("relu")) d.in.flags |= kRelu;
  Ty to = d.mods.type();
  if (to == Ty::f16x2 || to == Ty::bf16x2) return decodePacked(d, to);
  Ty from = d.mods.type();
  auto good = [](Ty t) { return isInt(t) || t == Ty::f16 || t == Ty::bf16 || t == Ty::f32 || t == Ty::f64; };
  if (!(good(to) || (to == Ty::tf32 && from == Ty::f32)) || !good(from)) d.bad("unsupported type");
  checkRounding(d, to, from, d.in.op);
  if ((d.in.flags & kSat) && isInt(to) && isInt(from) && fits(from, to)) d.bad("there is nothing to saturate");
  d.count(2);
  d.in.type = to;
  d.in.imm = static_cast<i64>(from);
  d.in.d = d.dstWide(d.arg(0), to, d.in.width);
  d.in.a = d.srcWide(d.arg(1), from, d.in.width2);
  d.need(cvt);
  Fn fast = fastPath(to, from, d.in.flags);
  if (fast && d.in.width == std::max(2, sizeOf(to)) && d.in.width2 == std::max(2, sizeOf(from))) d.need(fast);
  bool byRegister = to == Ty::f32 || to == Ty::f64;
  d.wrap(byRegister ? round : "", flush, false);
  d.emit();
}

}  // namespace

void addConvertOps(Ops& t) { t["cvt"] = decodeCvt; }

}  // namespace emu
