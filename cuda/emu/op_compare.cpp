// Comparison and selection.
#include <cmath>

#include "half.h"
#include "lanes.h"

namespace emu {

namespace {

enum Cmp : u8 { eq, ne, lt, le, gt, ge, equ, neu, ltu, leu, gtu, geu, num, nan };

struct Half16 {
  u16 bits;
  operator double() const { return fromHalf(bits); }
};
struct Bfloat16 {
  u16 bits;
  operator double() const { return fromBfloat(bits); }
};

template <class T, Cmp C>
bool compare(T x, T y) {
  using V = std::conditional_t<std::is_class_v<T>, double, T>;
  V a = x, b = y;
  bool unordered = false;
  if constexpr (!std::is_integral_v<V>) unordered = a != a || b != b;
  switch (C) {
    case eq: return a == b;
    case ne: return !unordered && a != b;
    case lt: return a < b;
    case le: return a <= b;
    case gt: return a > b;
    case ge: return a >= b;
    case equ: return unordered || a == b;
    case neu: return a != b;
    case ltu: return unordered || a < b;
    case leu: return unordered || a <= b;
    case gtu: return unordered || a > b;
    case geu: return unordered || a >= b;
    case num: return !unordered;
    case nan: return unordered;
  }
  return false;
}

using Compare = u32 (*)(const void* a, const void* b);

template <class T, Cmp C>
u32 compareLanes(const void* pa, const void* pb) {
  const T *a = static_cast<const T*>(pa), *b = static_cast<const T*>(pb);
  u32 r = 0;
  for (int l = 0; l < kLanes; l++) r |= static_cast<u32>(compare<T, C>(a[l], b[l])) << l;
  return r;
}

template <class T>
Compare compareFor(u8 c) {
  static constexpr Compare table[] = {
      compareLanes<T, eq>,  compareLanes<T, ne>,  compareLanes<T, lt>,  compareLanes<T, le>,  compareLanes<T, gt>,
      compareLanes<T, ge>,  compareLanes<T, equ>, compareLanes<T, neu>, compareLanes<T, ltu>, compareLanes<T, leu>,
      compareLanes<T, gtu>, compareLanes<T, geu>, compareLanes<T, num>, compareLanes<T, nan>,
  };
  return table[c];
}

Compare compareOf(Ty t, u8 c) {
  switch (t) {
    case Ty::b16:
    case Ty::u16: return compareFor<u16>(c);
    case Ty::b32:
    case Ty::u32: return compareFor<u32>(c);
    case Ty::b64:
    case Ty::u64: return compareFor<u64>(c);
    case Ty::s16: return compareFor<i16>(c);
    case Ty::s32: return compareFor<i32>(c);
    case Ty::s64: return compareFor<i64>(c);
    case Ty::f16: return compareFor<Half16>(c);
    case Ty::bf16: return compareFor<Bfloat16>(c);
    case Ty::f32: return compareFor<float>(c);
    case Ty::f64: return compareFor<double>(c);
    default: return nullptr;
  }
}

// Flushing reads denormals as zero; comparisons obey the control register like arithmetic.
enum : u8 { kBoolAnd = 1, kBoolOr, kBoolXor };

struct Comparison {
  u8 cmp = 0, join = 0;
  bool flush = false;
  bool unsignedOnly = false;  // lo, ls, hi, hs
};

Comparison comparisonOf(Decoder& d) {
  static const std::map<std::string, Cmp> names = {
      {"eq", eq},   {"ne", ne},   {"lt", lt},   {"le", le},   {"gt", gt},   {"ge", ge},
      {"lo", lt},   {"ls", le},   {"hi", gt},   {"hs", ge},   {"equ", equ}, {"neu", neu},
      {"ltu", ltu}, {"leu", leu}, {"gtu", gtu}, {"geu", geu}, {"num", num}, {"nan", nan},
  };
  Comparison c;
  auto it = d.mods.at < d.mods.parts.size() ? names.find(d.mods.parts[d.mods.at]) : names.end();
  if (it == names.end()) d.bad("unknown comparison");
  d.mods.at++;
  c.cmp = it->second;
  c.unsignedOnly = it->first == "lo" || it->first == "ls" || it->first == "hi" || it->first == "hs";
  std::string join = d.mods.oneOf({"and", "or", "xor"});
  c.join = join == "and" ? kBoolAnd : join == "or" ? kBoolOr : join == "xor" ? kBoolXor : 0;
  c.flush = d.mods.take("ftz");
  return c;
}

void checkComparison(Decoder& d, const Comparison& c, Ty t) {
  if (!isFloat(t) && c.cmp > ge) d.bad("comparison of floating point for another type");
  if (isBits(t) && c.cmp > ne) d.bad("bits have no order");
  if (c.unsignedOnly && !isUnsigned(t)) d.bad("comparison of unsigned integers for another type");
  if ((t == Ty::bf16 || t == Ty::bf16x2) && d.ptx.target < 90) d.bad("comparison of bf16 needs sm_90");
}

// joined combines a result with the third operand.
u32 joined(Warp& w, const Inst& in, u32 r) {
  if (in.c == kNone) return r;
  u32 c = w.mask(in.c) ^ static_cast<u32>(in.imm);
  return in.flags == kBoolAnd ? r & c : in.flags == kBoolOr ? r | c : r ^ c;
}

void assign(Warp& w, u32 offset, u32 mask, u32 r) {
  u32& d = w.mask(offset);
  d = (d & ~mask) | (r & mask);
}

// Inst::list holds the comparison function as two words.
Compare functionOf(const Inst& in) { return bitsAs<Compare>(static_cast<u64>(in.list[1]) << 32 | in.list[0]); }
void setFunction(Inst& in, Compare f) {
  u64 bits = bitsAs<u64>(f);
  in.list = {static_cast<u32>(bits), static_cast<u32>(bits >> 32)};
}

void setp(Warp& w, const Inst& in, u32 mask) {
  u32 r = functionOf(in)(w.registers + in.a, w.registers + in.b);
  u32 first = joined(w, in, r), second = in.e == kNone ? 0 : joined(w, in, ~r);
  assign(w, in.d, mask, first);
  if (in.e != kNone) assign(w, in.e, mask, second);
}

// setp of a pair of halves gives one predicate for each.
void setpPair(Warp& w, const Inst& in, u32 mask) {
  u16 half[2][2][kLanes];
  for (int l = 0; l < kLanes; l++)
    for (int h = 0; h < 2; h++) {
      half[0][h][l] = w.reg<u16>(in.a)[2 * l + h];
      half[1][h][l] = w.reg<u16>(in.b)[2 * l + h];
    }
  u32 low = functionOf(in)(half[0][0], half[1][0]), high = functionOf(in)(half[0][1], half[1][1]);
  u32 first = joined(w, in, low), second = joined(w, in, high);
  assign(w, in.d, mask, first);
  if (in.e != kNone) assign(w, in.e, mask, second);
}

void joinOperand(Decoder& d, const Comparison& c, size_t at) {
  d.in.c = kNone;
  d.in.flags = c.join;
  if (!c.join) return d.count(at);
  d.count(at + 1);
  d.in.c = d.srcPred(d.arg(at));
  d.in.imm = d.arg(at).negated ? kFull : 0;
}

void decodeSetp(Decoder& d) {
  Comparison c = comparisonOf(d);
  Ty t = d.mods.type();
  checkComparison(d, c, t);
  joinOperand(d, c, 3);
  Operand p = d.arg(0);
  d.in.e = kNone;
  if (p.paired) d.in.e = d.dstPred(p.parts[0]);
  p.paired = false;
  d.in.d = d.dstPred(p);
  d.in.a = d.src(d.arg(1), t);
  d.in.b = d.src(d.arg(2), t);
  bool pair = t == Ty::f16x2 || t == Ty::bf16x2;
  Compare f = compareOf(t == Ty::f16x2 ? Ty::f16 : t == Ty::bf16x2 ? Ty::bf16 : t, c.cmp);
  if (!f) d.bad("unsupported type");
  setFunction(d.in, f);
  d.need(pair ? setpPair : setp);
  if (t == Ty::f32) d.wrap("", c.flush, false);
  d.emit();
}

void set(Warp& w, const Inst& in, u32 mask) {
  u32 r = joined(w, in, functionOf(in)(w.registers + in.a, w.registers + in.b));
  u32* d = w.reg<u32>(in.d);
  u32 yes = in.type == Ty::f32 ? 0x3f800000u : kFull;
  for (u32 m = mask; m; m &= m - 1) {
    int l = __builtin_ctz(m);
    d[l] = r >> l & 1 ? yes : 0;
  }
}

void decodeSet(Decoder& d) {
  Comparison c = comparisonOf(d);
  Ty to = d.mods.type(), t = d.mods.type();
  if (to != Ty::u32 && to != Ty::s32 && to != Ty::f32) d.bad("unsupported type");
  checkComparison(d, c, t);
  joinOperand(d, c, 3);
  d.in.type = to;
  d.in.d = d.dst(d.arg(0), to);
  d.in.a = d.src(d.arg(1), t);
  d.in.b = d.src(d.arg(2), t);
  Compare f = compareOf(t, c.cmp);
  if (!f) d.bad("unsupported type");
  setFunction(d.in, f);
  d.need(set);
  if (t == Ty::f32) d.wrap("", c.flush, false);
  d.emit();
}

template <class T>
void selp(Warp& w, const Inst& in, u32 mask) {
  T *d = w.reg<T>(in.d), *a = w.reg<T>(in.a), *b = w.reg<T>(in.b);
  u32 p = w.mask(in.c) ^ static_cast<u32>(in.imm);
  forLanes(mask, [=](int l) { d[l] = p >> l & 1 ? a[l] : b[l]; });
}

void decodeSelp(Decoder& d) {
  Ty t = d.mods.type();
  d.count(4);
  d.in.d = d.dst(d.arg(0), t);
  d.in.a = d.src(d.arg(1), t);
  d.in.b = d.src(d.arg(2), t);
  d.in.c = d.srcPred(d.arg(3));
  d.in.imm = d.arg(3).negated ? kFull : 0;
  int size = sizeOf(t);
  d.need(size == 2 ? selp<u16> : size == 4 ? selp<u32> : size == 8 ? selp<u64> : nullptr);
  d.emit();
}

template <class T, class C>
void slct(Warp& w, const Inst& in, u32 mask) {
  T *d = w.reg<T>(in.d), *a = w.reg<T>(in.a), *b = w.reg<T>(in.b);
  C* c = w.reg<C>(in.c);
  forLanes(mask, [=](int l) { d[l] = c[l] >= 0 ? a[l] : b[l]; });
}

void decodeSlct(Decoder& d) {
  bool flush = d.mods.take("ftz");
  Ty t = d.mods.type(), by = d.mods.type();
  d.count(4);
  d.in.d = d.dst(d.arg(0), t);
  d.in.a = d.src(d.arg(1), t);
  d.in.b = d.src(d.arg(2), t);
  d.in.c = d.src(d.arg(3), by);
  int size = sizeOf(t);
  if (by == Ty::s32)
    d.need(size == 2 ? slct<u16, i32> : size == 4 ? slct<u32, i32> : size == 8 ? slct<u64, i32> : nullptr);
  else if (by == Ty::f32)
    d.need(size == 2 ? slct<u16, float> : size == 4 ? slct<u32, float> : size == 8 ? slct<u64, float> : nullptr);
  else
    d.bad("unsupported type");
  d.wrap("", flush, false);
  d.emit();
}

}  // namespace

void addCompareOps(Ops& t) {
  t["setp"] = decodeSetp;
  t["set"] = decodeSet;
  t["selp"] = decodeSelp;
  t["slct"] = decodeSlct;
}

}  // namespace emu
