// cp.async: copies from global to shared memory that arrive only when they are waited for.
#include <algorithm>

#include "lanes.h"

namespace emu {

namespace {

u64 sourceOf(const Warp& w, const Inst& in, int lane) {
  return w.reg<u64>(in.b)[lane] + static_cast<u64>(static_cast<i64>(in.list[0]));
}

// arrive writes what a copy brings; the rest of a short one is zero.
void arrive(Warp& w, const PendingCopy& c) {
  const Inst& in = *c.inst;
  u8 value[16] = {};
  if (c.size)
    std::memcpy(value, resolveIn(w, in, Space::global, c.lane, c.from, c.size, Access::read, nullptr), c.size);
  std::memcpy(resolveIn(w, in, Space::shared, c.lane, c.to, c.bytes, Access::write, nullptr), value, c.bytes);
}

// Until it has arrived the destination holds NaN. Inst::vec is the size, e the register of the bytes to read.
void start(Warp& w, const Inst& in, u32 mask) {
  for (u32 m = mask; m; m &= m - 1) {
    int l = __builtin_ctz(m);
    u32 size = w.reg<u32>(in.e)[l];
    if (size > in.vec) throw Fault(kIllegalInstruction, format("reads %u bytes for a copy of %u", size, in.vec), l);
    PendingCopy c{l, &in, addressAt(w, in, l), sourceOf(w, in, l), in.vec, size, w.committed[l]};
    if (c.from % in.vec)
      throw Fault(kMisalignedAddress,
                  format("misaligned: copies %u bytes from global address 0x%llx", in.vec,
                         static_cast<unsigned long long>(c.from)),
                  l);
    if (size) resolveIn(w, in, Space::global, l, c.from, size, Access::read, nullptr);
    std::memset(resolveIn(w, in, Space::shared, l, c.to, in.vec, Access::write, nullptr), 0xff, in.vec);
    w.pending.push_back(c);
  }
}

void commit(Warp& w, const Inst&, u32 mask) {
  for (u32 m = mask; m; m &= m - 1) w.committed[__builtin_ctz(m)]++;
}

// wait lets all groups of a lane arrive but the latest imm; -1 stands for all copies, committed or not.
void wait(Warp& w, const Inst& in, u32 mask) {
  auto due = [&](const PendingCopy& c) {
    if (!(mask >> c.lane & 1)) return false;
    return in.imm < 0 || static_cast<i64>(c.group) < static_cast<i64>(w.committed[c.lane]) - in.imm;
  };
  for (const PendingCopy& c : w.pending)
    if (due(c)) arrive(w, c);
  w.pending.erase(std::remove_if(w.pending.begin(), w.pending.end(), due), w.pending.end());
}

void decodeCopy(Decoder& d) {
  std::string cache = d.mods.oneOf({"ca", "cg"});
  if (cache.empty()) d.bad("unknown form");
  if (!d.mods.take("shared") && !d.mods.take("shared::cta")) d.bad("needs .shared.global");
  if (!d.mods.take("global")) d.bad("needs .shared.global");
  d.mods.oneOf({"L2::64B", "L2::128B", "L2::256B"});
  if (d.st->args.size() != 4) d.count(3);
  if (d.arg(2).kind != Operand::integer) d.bad("the size must be a constant");
  i64 bytes = d.arg(2).value;
  if (!(bytes == 16 || (cache == "ca" && (bytes == 4 || bytes == 8)))) d.bad("unsupported size");
  d.address(d.arg(1), Space::global);
  u32 from = d.in.a;
  if (d.in.imm != static_cast<i32>(d.in.imm)) d.bad("offset out of range");
  u32 offset = static_cast<u32>(d.in.imm);
  d.address(d.arg(0), Space::shared);
  d.in.b = from;
  d.in.list = {offset};
  d.in.vec = static_cast<u8>(bytes);
  d.in.e = d.st->args.size() == 4 ? d.src(d.arg(3), Ty::u32) : d.constant(static_cast<u64>(bytes), 4);
  d.need(start);
  d.emit();
}

void decodeCp(Decoder& d) {
  if (!d.mods.take("async")) d.bad("needs .async");
  if (d.mods.take("commit_group")) {
    d.count(0);
    d.need(commit);
    return d.emit();
  }
  bool all = d.mods.take("wait_all");
  if (!all && !d.mods.take("wait_group")) return decodeCopy(d);
  d.count(all ? 0 : 1);
  d.in.imm = all ? -1 : d.arg(0).value;
  if (!all && (d.arg(0).kind != Operand::integer || d.in.imm < 0)) d.bad("the number of groups must be a constant");
  d.need(wait);
  d.emit();
}

}  // namespace

void addAsyncOps(Ops& t) { t["cp"] = decodeCp; }

}  // namespace emu
