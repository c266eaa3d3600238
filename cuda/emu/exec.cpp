// The scheduler of warps and blocks.
#include "exec.h"

#include <algorithm>

namespace emu {

namespace {

// Opcodes of Kind::barrier in Inst::op.
struct Runner {
  Warp& w;
  u64& slice;

  u32 runnable() const { return ~(w.exited | w.atBarrier | w.atGather); }

  void place(u32 lanes, u32 pc) {
    for (u32 m = lanes; m; m &= m - 1) w.pc[__builtin_ctz(m)] = pc;
  }

  // select gives the lanes at one pc, and the smallest pc of the others.
  u32 select(u32 lanes, u32& pc, u32& next, bool last) const {
    u32 best = last ? 0 : kNone;
    for (u32 m = lanes; m; m &= m - 1) {
      u32 at = w.pc[__builtin_ctz(m)];
      best = last ? std::max(best, at) : std::min(best, at);
    }
    u32 group = 0;
    next = kNone;
    for (u32 m = lanes; m; m &= m - 1) {
      int l = __builtin_ctz(m);
      if (w.pc[l] == best)
        group |= 1u << l;
      else if (w.pc[l] > best)
        next = std::min(next, w.pc[l]);
    }
    pc = best;
    return group;
  }

  void leave(u32 mask) {
    w.exited |= mask;
    w.block->live -= static_cast<u32>(__builtin_popcount(mask));
  }

  // gather runs a warp-level instruction as soon as all members have come; true if all active lanes went on.
  bool gather(const Inst& in, u32 pc, u32 active, u32 m) {
    const u32* masks = w.reg<u32>(in.e);
    u32 first = masks[__builtin_ctz(m)];
    bool uniform = true;
    for (u32 r = m; r; r &= r - 1) {
      int l = __builtin_ctz(r);
      uniform = uniform && masks[l] == first;
      if (!(masks[l] >> l & 1))
        throw Fault(kLaunchFailed, format("lane %d is not in its own member mask 0x%08x", l, masks[l]), l);
    }
    if (uniform && first == m) {
      in.fn(w, in, m);
      return true;
    }
    place(active & ~m, pc + 1);
    place(m, pc);
    for (u32 r = m; r; r &= r - 1) w.gatherMask[__builtin_ctz(r)] = masks[__builtin_ctz(r)];
    w.atGather |= m;
    for (u32 todo = m; todo;) {
      u32 mask = w.gatherMask[__builtin_ctz(todo)], come = 0;
      for (u32 r = w.atGather; r; r &= r - 1) {
        int l = __builtin_ctz(r);
        if (w.pc[l] == pc && w.gatherMask[l] == mask) come |= 1u << l;
      }
      todo &= ~come;
      if (come != mask) continue;
      in.fn(w, in, mask);
      w.atGather &= ~mask;
      place(mask, pc + 1);
    }
    return false;
  }

  // control runs an instruction that may move the pc; true if the group goes on together at pc.
  bool control(const Inst& in, u32& pc, u32 active, u32 m) {
    switch (in.kind) {
      case Kind::branch:
        if (m == 0)
          pc++;
        else if (m == active)
          pc = in.target;
        else
          return place(m, in.target), place(active & ~m, pc + 1), false;
        return true;
      case Kind::indexed:
        place(active & ~m, pc + 1);
        for (u32 r = m; r; r &= r - 1) {
          int l = __builtin_ctz(r);
          u32 i = w.reg<u32>(in.a)[l];
          if (i >= in.list.size())
            throw Fault(kIllegalInstruction, format("branch index %u of %zu targets", i, in.list.size()), l);
          w.pc[l] = in.list[i];
        }
        return false;
      case Kind::leave:
        leave(m);
        place(active & ~m, pc + 1);
        return false;
      case Kind::trap:
        if (m)
          throw Fault(in.imm == kAssert ? kAssert : kLaunchFailed, in.imm == kAssert ? "assertion failed" : "trap",
                      __builtin_ctz(m));
        pc++;
        return true;
      case Kind::barrier:
        if (m == 0) return pc++, true;
        place(active & ~m, pc + 1);
        w.block->arrive(w, in, pc, m);
        return false;
      case Kind::gather:
        if (m && !gather(in, pc, active, m)) return false;
        pc++;
        return true;
      case Kind::plain: break;
    }
    return true;
  }

  void run() {
    const Inst* code = w.kernel->code.data();
    bool last = w.turn++ % 2 == 1;  // lanes that spin must not keep others of the warp from running
    while (u32 lanes = runnable()) {
      u32 pc, next;
      u32 active = select(lanes, pc, next, last);
      last = false;
      for (bool together = true; together;) {
        const Inst& in = code[pc];
        u32 m = active;
        if (in.pred != kNone) m &= w.mask(in.pred) ^ in.predXor;
        w.now = pc;
        w.steps++;
        if (in.kind == Kind::plain) {
          if (m) in.fn(w, in, m);
          pc++;
        } else {
          together = control(in, pc, active, m);
          if (!together) break;
        }
        if (--slice == 0) {
          place(active, pc);
          return;
        }
        if (pc >= next) {
          place(active, pc);
          break;
        }
      }
    }
  }
};

}  // namespace

Block::Block(LaunchState& l, u32 i) : launch(l), index(i) {
  const LaunchShape& s = l.shape;
  const Kernel& k = *l.kernel;
  at[0] = i % s.grid[0];
  at[1] = i / s.grid[0] % s.grid[1];
  at[2] = i / s.grid[0] / s.grid[1];
  threads = live = s.block[0] * s.block[1] * s.block[2];
  sharedBytes = s.dynamicShared ? k.dynamicAt + s.dynamicShared : k.sharedBytes;
  shared.assign(sharedBytes, 0xff);
  if (l.checkRaces || l.checkInit) shadow.assign(sharedBytes / 4 + 1, SharedWord{});
  u32 count = (threads + kLanes - 1) / kLanes;
  size_t file = (k.registers.size() + 63) / 64 * 64;
  registers.resize(file * count);
  locals.assign(k.localBytes * kLanes * count, 0xff);
  warps.resize(count);
  for (u32 n = 0; n < count; n++) {
    Warp& w = warps[n];
    w.block = this;
    w.kernel = &k;
    w.id = n;
    w.registers = registers.data() + file * n;
    w.local = locals.data() + k.localBytes * kLanes * n;
    std::copy(k.registers.begin(), k.registers.end(), w.registers);
    if (threads - n * kLanes < kLanes) w.absent = w.exited = kFull << (threads - n * kLanes);
    fillSpecials(w);
  }
}

bool Block::arrive(Warp& w, const Inst& in, u32 pc, u32 mask) {
  u32 id = w.reg<u32>(in.a)[__builtin_ctz(mask)];
  for (u32 m = mask; m; m &= m - 1)
    if (w.reg<u32>(in.a)[__builtin_ctz(m)] != id)
      throw Fault(kLaunchFailed, "barrier number differs between lanes", __builtin_ctz(m));
  if (id > 15) throw Fault(kIllegalInstruction, format("barrier %u of 16", id), __builtin_ctz(mask));
  Barrier& b = barriers[id];
  bool counted = in.b != kNone;
  u32 expected = counted ? w.reg<u32>(in.b)[__builtin_ctz(mask)] : threads;
  if (b.arrived == 0) b = Barrier{0, expected, counted, static_cast<int>(pc), 0, 0};
  if (b.expected != expected)
    throw Fault(kLaunchFailed, format("barrier %u expects %u threads here, %u elsewhere", id, expected, b.expected),
                __builtin_ctz(mask));
  if (!counted && b.pc != static_cast<int>(pc))
    throw Fault(kLaunchFailed,
                format("divergent barrier: other threads of the block wait at barrier %u in PTX line %d", id,
                       launch.kernel->code[static_cast<u32>(b.pc)].line),
                __builtin_ctz(mask));
  u32 n = static_cast<u32>(__builtin_popcount(mask));
  b.arrived += n;
  if (in.c != kNone) {
    b.voters += n;
    b.votes += static_cast<u32>(__builtin_popcount(mask & (w.mask(in.c) ^ static_cast<u32>(in.imm))));
  }
  bool waits = in.op != kBarArrive;
  for (u32 m = mask; m; m &= m - 1) {
    int l = __builtin_ctz(m);
    w.pc[l] = waits ? pc : pc + 1;
    w.barrier[l] = static_cast<u8>(id);
  }
  if (waits) w.atBarrier |= mask;
  if (b.arrived > b.expected)
    throw Fault(kLaunchFailed, format("barrier %u: %u threads came, %u were expected", id, b.arrived, b.expected),
                __builtin_ctz(mask));
  if (b.arrived == b.expected) release(id);
  return true;
}

void Block::release(u32 id) {
  Barrier& b = barriers[id];
  for (Warp& w : warps) {
    for (u32 m = w.atBarrier; m; m &= m - 1) {
      int l = __builtin_ctz(m);
      if (w.barrier[l] != id) continue;
      const Inst& in = launch.kernel->code[w.pc[l]];
      u32 bit = 1u << l;
      bool all = b.votes == b.voters, any = b.votes > 0;
      if (in.op == kBarPopc) w.reg<u32>(in.d)[l] = b.votes;
      if (in.op == kBarAnd) w.mask(in.d) = (w.mask(in.d) & ~bit) | (all ? bit : 0);
      if (in.op == kBarOr) w.mask(in.d) = (w.mask(in.d) & ~bit) | (any ? bit : 0);
      w.pc[l]++;
      w.atBarrier &= ~bit;
    }
    w.syncEpoch++;
  }
  b = Barrier{};
  epoch++;
}

// stuck reports why no lane of the block can go on.
void Block::stuck() {
  auto line = [&](const Warp& w, int l) { return launch.kernel->code[w.pc[l]].line; };
  for (Warp& w : warps) {
    if (!w.atGather) continue;
    int l = __builtin_ctz(w.atGather);
    u32 come = 0, mask = w.gatherMask[l];
    for (u32 m = w.atGather; m; m &= m - 1)
      if (w.pc[__builtin_ctz(m)] == w.pc[l] && w.gatherMask[__builtin_ctz(m)] == mask) come |= 1u << __builtin_ctz(m);
    std::string where;
    if (u32 gone = mask & ~come & w.exited) where += format("; lanes 0x%08x have exited", gone);
    if (u32 bar = mask & ~come & w.atBarrier)
      where += format("; lanes 0x%08x wait at a barrier in line %d", bar, line(w, __builtin_ctz(bar)));
    if (u32 other = mask & ~come & w.atGather)
      where += format("; lanes 0x%08x wait in line %d", other, line(w, __builtin_ctz(other)));
    current = &w;
    w.now = w.pc[l];
    throw Fault(kLaunchFailed, format("of lanes 0x%08x only lanes 0x%08x arrived%s", mask, come, where.c_str()), l);
  }
  for (Warp& w : warps) {
    if (!w.atBarrier) continue;
    int l = __builtin_ctz(w.atBarrier);
    current = &w;
    w.now = w.pc[l];
    u32 id = w.barrier[l];
    for (Warp& v : warps) {
      if (u32 gone = v.exited & ~v.absent)
        throw Fault(kLaunchFailed,
                    format("bar.sync %u not reached by thread %u, which has exited", id,
                           v.id * 32 + static_cast<u32>(__builtin_ctz(gone))),
                    l);
      for (int o = 0; o < kLanes; o++)
        if ((v.atBarrier >> o & 1) && v.barrier[o] != id)
          throw Fault(kLaunchFailed,
                      format("barrier %u not reached by thread %u, which waits at barrier %u in line %d", id,
                             v.id * 32 + static_cast<u32>(o), v.barrier[o], line(v, o)),
                      l);
    }
    throw Fault(kLaunchFailed,
                format("barrier %u: %u of %u threads arrived, and nobody else can", id, barriers[id].arrived,
                       barriers[id].expected),
                l);
  }
  throw Fault(kLaunchFailed, "the block cannot go on");
}

bool Block::run(u64 slice) {
  while (live > 0) {
    bool progress = false;
    for (Warp& w : warps) {
      if (!~(w.exited | w.atBarrier | w.atGather)) continue;
      progress = true;
      current = &w;
      u64 left = slice;
      Runner{w, left}.run();
      if (w.steps > launch.budget)
        throw Fault(kLaunchTimeout, format("more than %llu instructions in one warp: an endless loop?",
                                           static_cast<unsigned long long>(launch.budget)));
      if (left == 0 && launch.shape.cooperative) return false;
    }
    if (!progress && live > 0) {
      for (const Warp& w : warps)
        if (w.atBarrier || w.atGather) stuck();
      return false;
    }
  }
  return true;
}

namespace {

std::string report(const Block& b, const Fault& f) {
  const LaunchShape& s = b.launch.shape;
  std::string text = "kernel " + b.launch.kernel->name + format(", block (%u,%u,%u)", b.at[0], b.at[1], b.at[2]);
  if (b.current) {
    const Warp& w = *b.current;
    if (f.lane >= 0) {
      u32 t = w.id * 32 + static_cast<u32>(f.lane);
      text += format(", thread (%u,%u,%u)", t % s.block[0], t / s.block[0] % s.block[1], t / s.block[0] / s.block[1]);
    } else {
      text += format(", warp %u", w.id);
    }
    text += format(", PTX line %d", b.launch.kernel->code[w.now].line);
  }
  return text + ": " + f.what();
}

}  // namespace

LaunchReport runLaunch(LaunchState& state, u64 seed) {
  u32 blocks = state.shape.grid[0] * state.shape.grid[1] * state.shape.grid[2];
  std::vector<u32> fences(blocks), acquires(blocks);
  state.clock = GlobalClock{1, fences.data(), acquires.data()};
  // Any order of blocks must do; a step that is coprime to their number visits each once.
  u64 step = 1;
  if (seed) {
    auto gcd = [](u64 a, u64 b) {
      while (b) std::swap(a %= b, b);
      return a;
    };
    for (step = seed % blocks + 1; gcd(step, blocks) != 1;) step++;
  }
  std::vector<std::unique_ptr<Block>> open;
  std::unique_ptr<Block> b;  // outlives the try block: a fault is reported from it
  Block* at = nullptr;
  try {
    for (u64 n = 0, i = seed ? seed % blocks : 0; n < blocks; n++, i = (i + step) % blocks) {
      b = std::make_unique<Block>(state, static_cast<u32>(i));
      at = b.get();
      if (state.shape.cooperative)
        open.push_back(std::move(b));
      else
        while (!b->run(20000)) {
        }
    }
    while (!open.empty()) {
      for (auto& o : open) {
        at = o.get();
        if (o->run(20000)) o.reset();
      }
      open.erase(std::remove(open.begin(), open.end(), nullptr), open.end());
    }
  } catch (const Fault& f) {
    return {f.code, at ? report(*at, f) : f.what()};
  }
  return {};
}

}  // namespace emu
