// Special registers, rounding modes.
#include <immintrin.h>

#include <atomic>
#include <map>

#include "exec.h"

namespace emu {

namespace {

using Value = u64 (*)(const Warp&, u32 lane);

struct SpecialRegister {
  int width;
  Value value;
};

u32 threadOf(const Warp& w, u32 lane) { return w.id * kLanes + lane; }

template <int Axis>
u64 tid(const Warp& w, u32 lane) {
  const u32* n = w.block->launch.shape.block;
  u32 t = threadOf(w, lane);
  return Axis == 0 ? t % n[0] : Axis == 1 ? t / n[0] % n[1] : t / n[0] / n[1];
}
template <int Axis>
u64 ntid(const Warp& w, u32) {
  return w.block->launch.shape.block[Axis];
}
template <int Axis>
u64 ctaid(const Warp& w, u32) {
  return w.block->at[Axis];
}
template <int Axis>
u64 nctaid(const Warp& w, u32) {
  return w.block->launch.shape.grid[Axis];
}

const std::map<std::string, SpecialRegister>& specials() {
  static const std::map<std::string, SpecialRegister> table = {
      {"%tid.x", {4, tid<0>}},
      {"%tid.y", {4, tid<1>}},
      {"%tid.z", {4, tid<2>}},
      {"%ntid.x", {4, ntid<0>}},
      {"%ntid.y", {4, ntid<1>}},
      {"%ntid.z", {4, ntid<2>}},
      {"%ctaid.x", {4, ctaid<0>}},
      {"%ctaid.y", {4, ctaid<1>}},
      {"%ctaid.z", {4, ctaid<2>}},
      {"%nctaid.x", {4, nctaid<0>}},
      {"%nctaid.y", {4, nctaid<1>}},
      {"%nctaid.z", {4, nctaid<2>}},
      {"%laneid", {4, [](const Warp&, u32 l) -> u64 { return l; }}},
      {"%warpid", {4, [](const Warp& w, u32) -> u64 { return w.id; }}},
      {"%nwarpid", {4, [](const Warp&, u32) -> u64 { return 64; }}},
      {"%smid", {4, [](const Warp& w, u32) -> u64 { return w.block->index % 8; }}},
      {"%nsmid", {4, [](const Warp&, u32) -> u64 { return 8; }}},
      {"%gridid", {8, [](const Warp& w, u32) -> u64 { return w.block->launch.id; }}},
      {"%lanemask_eq", {4, [](const Warp&, u32 l) -> u64 { return 1u << l; }}},
      {"%lanemask_lt", {4, [](const Warp&, u32 l) -> u64 { return (1u << l) - 1; }}},
      {"%lanemask_le", {4, [](const Warp&, u32 l) -> u64 { return (2u << l) - 1; }}},
      {"%lanemask_gt", {4, [](const Warp&, u32 l) -> u64 { return ~((2u << l) - 1); }}},
      {"%lanemask_ge", {4, [](const Warp&, u32 l) -> u64 { return ~((1u << l) - 1); }}},
      {"%dynamic_smem_size", {4, [](const Warp& w, u32) -> u64 { return w.block->launch.shape.dynamicShared; }}},
      {"%total_smem_size", {4, [](const Warp& w, u32) -> u64 { return w.block->sharedBytes; }}},
      {"%clock", {4, nullptr}},
      {"%clock_hi", {4, nullptr}},
      {"%clock64", {8, nullptr}},
      {"%globaltimer", {8, nullptr}},
      {"%globaltimer_lo", {4, nullptr}},
      {"%globaltimer_hi", {4, nullptr}},
  };
  return table;
}

}  // namespace

int specialWidth(const std::string& name) {
  auto it = specials().find(name);
  return it == specials().end() ? 0 : it->second.width;
}

void fillSpecials(Warp& w) {
  for (const SpecialUse& use : w.kernel->specials) {
    const SpecialRegister& s = specials().at(use.name);
    for (u32 l = 0; l < kLanes; l++) {
      u64 v = s.value ? s.value(w, l) : 0;  // clocks are read when they are moved
      std::memcpy(w.registers + use.offset + l * static_cast<u32>(s.width), &v, static_cast<size_t>(s.width));
    }
  }
}

u32 roundingMode(const std::string& round, bool flush) {
  u32 mode = kPlainMode;
  if (round == "rm") mode |= _MM_ROUND_DOWN;
  if (round == "rp") mode |= _MM_ROUND_UP;
  if (round == "rz") mode |= _MM_ROUND_TOWARD_ZERO;
  if (flush) mode |= _MM_FLUSH_ZERO_ON | 0x40;  // and denormals read as zero
  return mode;
}

void runWrapped(Warp& w, const Inst& in, u32 mask) {
  u32 old = _mm_getcsr();
  _mm_setcsr(in.mode);
  in.inner(w, in, mask);
  _mm_setcsr(old);
  if (!in.saturate) return;
  for (u32 m = mask; m; m &= m - 1) {
    int l = __builtin_ctz(m);
    if (in.type == Ty::f64) {
      double& x = w.reg<double>(in.d)[l];
      x = x > 0 ? (x < 1 ? x : 1) : 0;  // NaN becomes 0
    } else {
      float& x = w.reg<float>(in.d)[l];
      x = x > 0 ? (x < 1 ? x : 1) : 0;
    }
  }
}

}  // namespace emu
