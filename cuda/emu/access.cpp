// Checked memory accesses: bounds, alignment, lifetime, initialisation, races.
#include <algorithm>

#include "exec.h"

namespace emu {

namespace {

// wordBits marks the bytes of one word that an access touches; an aligned one of less than 4 bytes lies in one word.
u32 wordBits(u64 offset, u32 bytes) { return bytes >= 4 ? 15 : ((1u << bytes) - 1) << (offset & 3); }

const char* verb(Access a) { return a == Access::read ? "reads" : a == Access::write ? "writes" : "updates"; }

std::string threadName(u16 mark) {
  if (mark == kManyWarps) return "several warps";
  if (mark & kManyLanes) return format("several lanes of warp %u", mark & 0x7fffu);
  return format("thread %u", mark);
}

// SharedCheck is one access of one lane to shared memory.
struct SharedCheck {
  Warp& w;
  int lane;
  Access access;
  u64 offset;
  u32 bytes;
  bool sameValue;

  u16 me() const { return static_cast<u16>(w.id * 32 + static_cast<u32>(lane)); }

  // unordered tells whether an earlier access of this epoch is not ordered before this one.
  bool unordered(u16 mark, u32 sync) const {
    if (mark == me()) return false;
    if (mark == kManyWarps) return true;
    u32 warp = mark & kManyLanes ? mark & 0x7fffu : mark / 32u;
    return warp != w.id || sync == w.syncEpoch;
  }

  [[noreturn]] void race(u16 mark, const char* did) const {
    throw Fault(kLaunchFailed,
                format("shared memory race: %s bytes %llu to %llu, which %s %s without a barrier in between",
                       verb(access), static_cast<unsigned long long>(offset),
                       static_cast<unsigned long long>(offset + bytes - 1), threadName(mark).c_str(), did),
                lane);
  }

  u16 joined(u16 mark, u32 sync) const {
    if (mark == me()) return mark;
    u32 warp = mark & kManyLanes ? mark & 0x7fffu : mark / 32u;
    if (mark == kManyWarps || warp != w.id) return kManyWarps;
    return sync == w.syncEpoch ? static_cast<u16>(kManyLanes | warp) : me();
  }

  void read(SharedWord& s, u32 bits, u32 epoch) const {
    if (s.writeEpoch == epoch && (s.writeBytes & bits) && unordered(s.writer, s.writeSync))
      race(s.writer, s.atomic ? "updated" : "wrote");
    bool fresh = s.readEpoch != epoch;
    s.reader = fresh ? me() : joined(s.reader, s.readSync);
    s.readBytes = static_cast<u8>(fresh ? bits : s.readBytes | bits);
    s.readEpoch = epoch;
    s.readSync = w.syncEpoch;
  }

  void write(SharedWord& s, u32 bits, u32 epoch) const {
    bool atomic = access == Access::atomic;
    bool before = s.writeEpoch == epoch && (s.writeBytes & bits);
    if (before && !(atomic && s.atomic) && !sameValue && unordered(s.writer, s.writeSync))
      race(s.writer, s.atomic ? "updated" : "wrote");
    if (s.readEpoch == epoch && (s.readBytes & bits) && unordered(s.reader, s.readSync)) race(s.reader, "read");
    s.writer = before ? joined(s.writer, s.writeSync) : me();
    s.writeBytes = static_cast<u8>(before ? s.writeBytes | bits : bits);
    s.writeEpoch = epoch;
    s.writeSync = w.syncEpoch;
    s.atomic = atomic;
  }

  void run(LaunchState& launch) const {
    Block& b = *w.block;
    const u32 bits = wordBits(offset, bytes);
    for (u64 word = offset / 4; word * 4 < offset + bytes; word++) {
      SharedWord& s = b.shadow[word];
      if (access != Access::write && launch.checkInit && (s.known & bits) != bits)
        throw Fault(
            kLaunchFailed,
            format("%s bytes %llu to %llu of shared memory, which nobody has written", verb(access),
                   static_cast<unsigned long long>(offset), static_cast<unsigned long long>(offset + bytes - 1)),
            lane);
      if (launch.checkRaces) access == Access::read ? read(s, bits, b.epoch) : write(s, bits, b.epoch);
      if (access != Access::read) s.known = static_cast<u8>(s.known | bits);
    }
  }
};

// GlobalCheck is one access of one lane to global memory.
struct GlobalCheck {
  Warp& w;
  int lane;
  Access access;
  Buffer* buffer;
  u64 offset;
  u32 bytes;
  bool sameValue, relaxed;

  [[noreturn]] void race(const GlobalWord& g, bool wrote) const {
    u32 other = wrote ? g.writer : g.reader;
    std::string who = other == kManyBlocks ? "several blocks" : format("block %u", other - 1);
    throw Fault(kLaunchFailed,
                format("global memory race: %s byte %llu of buffer %llu, which %s of the same launch %s", verb(access),
                       static_cast<unsigned long long>(offset), static_cast<unsigned long long>(buffer->order),
                       who.c_str(), wrote ? "wrote" : "read"),
                lane);
  }

  // ordered tells whether what another block did up to a time came before this access.
  bool ordered(u32 other, u32 time) const {
    const GlobalClock& c = w.block->launch.clock;
    u32 mine = c.acquire[w.block->index];
    if (other == kManyBlocks) return mine > 0;
    u32 fence = c.fence[other - 1];
    return fence >= time && fence > 0 && mine >= fence;
  }

  void word(GlobalWord& g, u32 bits, u32 launch) const {
    if (g.launch != launch) g = GlobalWord{}, g.launch = launch;
    u32 me = w.block->index + 1;
    bool wrote = g.writer && g.writer != me && (g.writeBytes & bits);
    bool weak = g.atomic && (access == Access::atomic || relaxed);
    if (wrote && !g.atomic && !sameValue && !ordered(g.writer, g.writeTime)) race(g, true);
    if (wrote && g.atomic && !weak && access == Access::write && !ordered(g.writer, g.writeTime)) race(g, true);
    if (access == Access::read) {
      if (relaxed) return;
      g.reader = g.reader == 0 || g.reader == me ? me : kManyBlocks;
      g.readBytes = static_cast<u8>(g.readBytes | bits);
      return;
    }
    bool read = g.reader && g.reader != me && (g.readBytes & bits);
    if (read && !ordered(g.reader, 1)) race(g, false);
    g.writer = g.writer == 0 || g.writer == me || !g.atomic ? me : kManyBlocks;
    g.writeBytes = static_cast<u8>(g.writeBytes | bits);
    g.writeTime = w.block->launch.clock.time;
    g.atomic = access == Access::atomic || relaxed;
  }

  void initialised(const u8* known) const {
    if (bytes <= 8 ? (~(known[offset / 8] >> (offset % 8)) & ((1u << bytes) - 1)) == 0
                   : known[offset / 8] == 0xff && known[offset / 8 + 1] == 0xff)
      return;
    throw Fault(kLaunchFailed,
                format("%s bytes %llu to %llu of buffer %llu, which nobody has written", verb(access),
                       static_cast<unsigned long long>(offset), static_cast<unsigned long long>(offset + bytes - 1),
                       static_cast<unsigned long long>(buffer->order)),
                lane);
  }

  void mark(u8* known) const {
    if (offset % 8 + bytes <= 8) {
      known[offset / 8] = static_cast<u8>(known[offset / 8] | ((1u << bytes) - 1) << (offset % 8));
      return;
    }
    std::memset(known + offset / 8, 0xff, bytes / 8);  // aligned, a multiple of 8 bytes
  }

  void run(LaunchState& launch) const {
    if (launch.checkInit && buffer->kind != Buffer::pinned) {
      u8* known = launch.memory->knownOf(buffer);
      if (access != Access::write) initialised(known);
      if (access != Access::read) mark(known);
    }
    if (!launch.checkRaces) return;
    GlobalWord* shadow = launch.memory->shadowOf(buffer);
    for (u64 i = offset / 4; i * 4 < offset + bytes; i++)
      word(shadow[i], wordBits(offset, bytes), static_cast<u32>(launch.id));
  }
};

[[noreturn]] void outside(const char* space, int lane, Access access, u64 at, u32 bytes, u64 limit) {
  throw Fault(
      kIllegalAddress,
      format("%s bytes %llu to %llu of %s memory, which has %llu", verb(access), static_cast<unsigned long long>(at),
             static_cast<unsigned long long>(at + bytes - 1), space, static_cast<unsigned long long>(limit)),
      lane);
}

void aligned(const char* space, int lane, Access access, u64 at, u32 bytes) {
  if (at & (bytes - 1))
    throw Fault(kMisalignedAddress,
                format("misaligned: %s %u bytes at %s address 0x%llx", verb(access), bytes, space,
                       static_cast<unsigned long long>(at)),
                lane);
}

bool same(const u8* host, const void* value, u32 bytes) { return value && std::memcmp(host, value, bytes) == 0; }

u8* shared(Warp& w, int lane, u64 at, u32 bytes, Access access, const void* value) {
  Block& b = *w.block;
  aligned("shared", lane, access, at, bytes);
  if (at > b.sharedBytes || bytes > b.sharedBytes - at) outside("shared", lane, access, at, bytes, b.sharedBytes);
  u8* host = b.shared.data() + at;
  if (b.launch.checkRaces || b.launch.checkInit)
    SharedCheck{w, lane, access, at, bytes, same(host, value, bytes)}.run(b.launch);
  return host;
}

u8* local(Warp& w, int lane, u64 at, u32 bytes, Access access) {
  u64 size = w.kernel->localBytes;
  aligned("local", lane, access, at, bytes);
  if (at > size || bytes > size - at) outside("local", lane, access, at, bytes, size);
  return w.local + static_cast<u64>(lane) * size + at;
}

u8* parameter(Warp& w, int lane, u64 at, u32 bytes, Access access) {
  u64 size = w.kernel->paramBytes;
  aligned("param", lane, access, at, bytes);
  if (access != Access::read) throw Fault(kIllegalAddress, "writes to the parameters of a kernel", lane);
  if (at > size || bytes > size - at) outside("param", lane, access, at, bytes, size);
  return const_cast<u8*>(w.block->launch.params) + at;
}

u8* global(Warp& w, const Inst& in, int lane, u64 at, u32 bytes, Access access, const void* value) {
  LaunchState& launch = w.block->launch;
  Memory& memory = *launch.memory;
  if (!in.cache || in.cacheEpoch != memory.epoch() || !in.cache->holds(at, bytes)) {
    Buffer* b = memory.findLive(at, bytes);
    if (!b)
      throw Fault(kIllegalAddress,
                  std::string(verb(access)) + " " + std::to_string(bytes) + " bytes: " + memory.describe(at, bytes),
                  lane);
    if (b->ordinal != launch.device && b->kind != Buffer::pinned)
      throw Fault(kIllegalAddress,
                  format("%s %u bytes of buffer %llu, which lies on device %u", verb(access), bytes,
                         static_cast<unsigned long long>(b->order), b->ordinal),
                  lane);
    in.cache = b;
    in.cacheEpoch = memory.epoch();
  }
  aligned("global", lane, access, at, bytes);
  Buffer* b = in.cache;
  if (b->readOnly && access != Access::read) throw Fault(kIllegalAddress, "writes to constant memory", lane);
  u64 offset = at - b->at;
  u8* host = b->host + offset;
  if (launch.checkRaces || launch.checkInit)
    GlobalCheck{w, lane, access, b, offset, bytes, same(host, value, bytes), (in.flags & kRelaxed) != 0}.run(launch);
  return host;
}

}  // namespace

u8* resolveIn(Warp& w, const Inst& in, Space space, int lane, u64 at, u32 bytes, Access access, const void* value) {
  switch (space) {
    case Space::shared:
      // a 64-bit shared address may come without cvta
      return shared(w, lane, at, bytes, access, value);
    case Space::local: return local(w, lane, at, bytes, access);
    case Space::param: return parameter(w, lane, at, bytes, access);
    case Space::generic:
      if (at - kSharedWindow < kWindowBytes) return shared(w, lane, at - kSharedWindow, bytes, access, value);
      if (at - kLocalWindow < kWindowBytes) return local(w, lane, at - kLocalWindow, bytes, access);
      if (at - kParamWindow < kWindowBytes) return parameter(w, lane, at - kParamWindow, bytes, access);
      return global(w, in, lane, at, bytes, access, value);
    case Space::constant:
      if (access != Access::read) throw Fault(kIllegalAddress, "writes to constant memory", lane);
      return global(w, in, lane, at, bytes, access, value);
    case Space::global: break;
  }
  return global(w, in, lane, at, bytes, access, value);
}

}  // namespace emu
