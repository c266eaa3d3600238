// Atomic operations. Lanes act in ascending order, blocks in the order of the launch.
#include <algorithm>

#include "half.h"
#include "lanes.h"

namespace emu {

namespace {

enum Op : u8 { aAdd, aMin, aMax, aAnd, aOr, aXor, aExch, aCas, aInc, aDec };

template <class T>
T combine(u8 op, T old, T b, T c) {
  switch (op) {
    case aAdd:
      if constexpr (std::is_integral_v<T>)
        return static_cast<T>(static_cast<Unsigned<T>>(old) + static_cast<Unsigned<T>>(b));
      else
        return old + b;
    case aMin: return std::min(old, b);
    case aMax: return std::max(old, b);
    case aExch: return b;
    case aCas: return old == b ? c : old;
    default: break;
  }
  if constexpr (std::is_integral_v<T>) {
    switch (op) {
      case aAnd: return old & b;
      case aOr: return old | b;
      case aXor: return old ^ b;
      case aInc: return old >= b ? 0 : static_cast<T>(old + 1);
      case aDec: return old == 0 || old > b ? b : static_cast<T>(old - 1);
      default: break;
    }
  }
  return old;
}

struct F16 {
  static u16 add(u16 a, u16 b) { return toHalf(addOdd(fromHalf(a), fromHalf(b))); }
};
struct BF16 {
  static u16 add(u16 a, u16 b) { return toBfloat(addOdd(fromBfloat(a), fromBfloat(b))); }
};
template <class F>
u32 addPair(u32 a, u32 b) {
  return F::add(static_cast<u16>(a), static_cast<u16>(b)) |
         static_cast<u32>(F::add(static_cast<u16>(a >> 16), static_cast<u16>(b >> 16))) << 16;
}

u8* target(Warp& w, const Inst& in, int lane, u32 bytes) {
  GlobalClock& clock = w.block->launch.clock;
  clock.acquire[w.block->index] = ++clock.time;
  return resolveIn(w, in, in.space, lane, addressAt(w, in, lane), bytes, Access::atomic, nullptr);
}

template <class T, class F>
void eachLane(Warp& w, const Inst& in, u32 mask, F f) {
  for (u32 m = mask; m; m &= m - 1) {
    int l = __builtin_ctz(m);
    u8* p = target(w, in, l, sizeof(T));
    T old;
    std::memcpy(&old, p, sizeof old);
    T next = f(old, w.reg<T>(in.b)[l], w.reg<T>(in.c)[l]);
    std::memcpy(p, &next, sizeof next);
    if (in.d != kNone) w.reg<T>(in.d)[l] = old;
  }
}

template <class T>
void atomic(Warp& w, const Inst& in, u32 mask) {
  eachLane<T>(w, in, mask, [&](T old, T b, T c) { return combine<T>(in.op, old, b, c); });
}
template <class F>
void atomicHalf(Warp& w, const Inst& in, u32 mask) {
  eachLane<u16>(w, in, mask, [](u16 old, u16 b, u16) { return F::add(old, b); });
}
template <class F>
void atomicPair(Warp& w, const Inst& in, u32 mask) {
  eachLane<u32>(w, in, mask, [](u32 old, u32 b, u32) { return addPair<F>(old, b); });
}

// atomicFn gives the function, or nullptr where the combination does not exist.
Fn atomicFn(u8 op, Ty t) {
  bool logic = op == aAnd || op == aOr || op == aXor || op == aExch || op == aCas;
  if (logic)
    return t == Ty::b32 ? atomic<u32> : t == Ty::b64 ? atomic<u64> : op == aCas && t == Ty::b16 ? atomic<u16> : nullptr;
  if (op == aInc || op == aDec) return t == Ty::u32 ? atomic<u32> : nullptr;
  switch (t) {
    case Ty::u32: return atomic<u32>;
    case Ty::s32: return atomic<i32>;
    case Ty::u64: return atomic<u64>;
    case Ty::s64: return op == aAdd ? nullptr : atomic<i64>;
    default: break;
  }
  if (op != aAdd) return nullptr;
  switch (t) {
    case Ty::f32: return atomic<float>;
    case Ty::f64: return atomic<double>;
    case Ty::f16: return atomicHalf<F16>;
    case Ty::bf16: return atomicHalf<BF16>;
    case Ty::f16x2: return atomicPair<F16>;
    case Ty::bf16x2: return atomicPair<BF16>;
    default: return nullptr;
  }
}

void decode(Decoder& d, bool returns) {
  static const std::map<std::string, Op> names = {
      {"add", aAdd}, {"min", aMin},   {"max", aMax}, {"and", aAnd}, {"or", aOr},
      {"xor", aXor}, {"exch", aExch}, {"cas", aCas}, {"inc", aInc}, {"dec", aDec},
  };
  if (!d.mods.oneOf({"relaxed", "acquire", "release", "acq_rel"}).empty()) d.mods.oneOf({"cta", "gpu", "sys"});
  Space space = Space::generic;
  auto readSpace = [&] {
    if (d.mods.take("global")) space = Space::global;
    if (d.mods.take("shared") || d.mods.take("shared::cta")) space = Space::shared;
  };
  readSpace();
  d.mods.oneOf({"cta", "gpu", "sys"});
  readSpace();
  auto it = d.mods.at < d.mods.parts.size() ? names.find(d.mods.parts[d.mods.at]) : names.end();
  if (it == names.end()) d.bad("unknown operation");
  d.mods.at++;
  d.in.op = it->second;
  d.mods.take("noftz");
  Ty t = d.mods.type();
  if (!returns && (d.in.op == aExch || d.in.op == aCas)) d.bad("unknown operation");
  d.need(atomicFn(d.in.op, t));
  size_t first = returns ? 1 : 0;
  d.count(first + (d.in.op == aCas ? 3 : 2));
  d.in.d = returns && d.arg(0).kind != Operand::sink ? d.dst(d.arg(0), t) : kNone;
  d.address(d.arg(first), space);
  d.in.b = d.src(d.arg(first + 1), t);
  d.in.c = d.in.op == aCas ? d.src(d.arg(first + 2), t) : d.in.b;
  d.emit();
}

}  // namespace

void addAtomicOps(Ops& t) {
  t["atom"] = [](Decoder& d) { decode(d, true); };
  t["red"] = [](Decoder& d) { decode(d, false); };
}

}  // namespace emu
