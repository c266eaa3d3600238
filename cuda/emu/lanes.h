// Loops over the lanes of a warp, and templates for instructions without side effects.
#pragma once

#include "compile.h"
#include "exec.h"

namespace emu {

// forLanes calls f(lane); the loop over a full warp is written so that the compiler can vectorise it.
template <class F>
inline void forLanes(u32 mask, F f) {
  if (mask == kFull) {
#pragma GCC ivdep
    for (int l = 0; l < kLanes; l++) f(l);
    return;
  }
  for (; mask; mask &= mask - 1) f(__builtin_ctz(mask));
}

template <class D, class A, class Op>
void unary(Warp& w, const Inst& in, u32 mask) {
  D* d = w.reg<D>(in.d);
  const A* a = w.reg<A>(in.a);
  forLanes(mask, [=](int l) { d[l] = Op::run(a[l]); });
}

template <class D, class A, class B, class Op>
void binary(Warp& w, const Inst& in, u32 mask) {
  D* d = w.reg<D>(in.d);
  const A* a = w.reg<A>(in.a);
  const B* b = w.reg<B>(in.b);
  forLanes(mask, [=](int l) { d[l] = Op::run(a[l], b[l]); });
}

template <class D, class A, class B, class C, class Op>
void ternary(Warp& w, const Inst& in, u32 mask) {
  D* d = w.reg<D>(in.d);
  const A* a = w.reg<A>(in.a);
  const B* b = w.reg<B>(in.b);
  const C* c = w.reg<C>(in.c);
  forLanes(mask, [=](int l) { d[l] = Op::run(a[l], b[l], c[l]); });
}

template <class T, class Op>
constexpr Fn unaryFn = unary<T, T, Op>;
template <class T, class Op>
constexpr Fn binaryFn = binary<T, T, T, Op>;
template <class T, class Op>
constexpr Fn ternaryFn = ternary<T, T, T, T, Op>;

// forInts picks the instance for an integer type of 16, 32 or 64 bits, signed or not.
#define EMU_FOR_INTS(t, form, Op)   \
  ((t) == Ty::u16   ? form<u16, Op> \
   : (t) == Ty::s16 ? form<i16, Op> \
   : (t) == Ty::u32 ? form<u32, Op> \
   : (t) == Ty::s32 ? form<i32, Op> \
   : (t) == Ty::u64 ? form<u64, Op> \
   : (t) == Ty::s64 ? form<i64, Op> \
                    : nullptr)

#define EMU_FOR_BITS(t, form, Op) \
  ((t) == Ty::b16 ? form<u16, Op> : (t) == Ty::b32 ? form<u32, Op> : (t) == Ty::b64 ? form<u64, Op> : nullptr)

// addressAt is the address that an instruction has for a lane.
inline u64 addressAt(const Warp& w, const Inst& in, int lane) {
  u64 base = in.width2 == 8 ? w.reg<u64>(in.a)[lane] : w.reg<u32>(in.a)[lane];
  return base + static_cast<u64>(in.imm);
}

// operands fills d, a, b, c of a plain instruction whose operands all have one type.
inline void operands(Decoder& d, Ty t, size_t sources) {
  if (t == Ty::none) d.bad("unsupported type or modifier");
  d.count(sources + 1);
  d.in.type = t;
  d.in.d = d.dst(d.arg(0), t);
  d.in.a = d.src(d.arg(1), t);
  if (sources > 1) d.in.b = d.src(d.arg(2), t);
  if (sources > 2) d.in.c = d.src(d.arg(3), t);
}

// WideOf is the type of twice the width.
template <class T>
struct WideOf;
template <>
struct WideOf<u16> {
  using type = u32;
};
template <>
struct WideOf<i16> {
  using type = i32;
};
template <>
struct WideOf<u32> {
  using type = u64;
};
template <>
struct WideOf<i32> {
  using type = i64;
};
template <>
struct WideOf<u64> {
  using type = unsigned __int128;
};
template <>
struct WideOf<i64> {
  using type = __int128;
};
template <class T>
using Wide = typename WideOf<T>::type;
template <class T>
using Unsigned = std::make_unsigned_t<T>;

// Floating-point groups that share opcodes with the integers.
void decodeFloatArithmetic(Decoder& d, const std::string& op);
bool isFloatOp(const Decoder& d);

}  // namespace emu
