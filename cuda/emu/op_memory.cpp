// Loads, stores and what goes with them.
#include "lanes.h"

namespace emu {

namespace {

// A register may be wider than the value: loads extend, stores take the low part.
void put(u8* d, const u8* value, u32 bytes, u32 width, bool sign) {
  std::memcpy(d, value, bytes);
  if (width > bytes) std::memset(d + bytes, sign && value[bytes - 1] >> 7 ? 0xff : 0, width - bytes);
}

template <u32 Bytes>
void load1(Warp& w, const Inst& in, u32 mask) {
  u8* d = w.registers + in.d;
  for (u32 m = mask; m; m &= m - 1) {
    int l = __builtin_ctz(m);
    std::memcpy(d + static_cast<u32>(l) * Bytes,
                resolveIn(w, in, in.space, l, addressAt(w, in, l), Bytes, Access::read, nullptr), Bytes);
  }
}

template <u32 Bytes>
void store1(Warp& w, const Inst& in, u32 mask) {
  const u8* d = w.registers + in.d;
  for (u32 m = mask; m; m &= m - 1) {
    int l = __builtin_ctz(m);
    const u8* value = d + static_cast<u32>(l) * Bytes;
    std::memcpy(resolveIn(w, in, in.space, l, addressAt(w, in, l), Bytes, Access::write, value), value, Bytes);
  }
}

// The general forms: vectors, registers wider than the value. Inst::list holds registers and their widths in turn.
void load(Warp& w, const Inst& in, u32 mask) {
  u32 bytes = static_cast<u32>(sizeOf(in.type));
  for (u32 m = mask; m; m &= m - 1) {
    int l = __builtin_ctz(m);
    const u8* host = resolveIn(w, in, in.space, l, addressAt(w, in, l), bytes * in.vec, Access::read, nullptr);
    if (in.flags & kAcquire) w.block->launch.clock.acquire[w.block->index] = ++w.block->launch.clock.time;
    for (u32 i = 0; i < in.vec; i++) {
      u32 width = in.list[2 * i + 1];
      put(w.registers + in.list[2 * i] + static_cast<u32>(l) * width, host + i * bytes, bytes, width,
          isSigned(in.type));
    }
  }
}

void store(Warp& w, const Inst& in, u32 mask) {
  u32 bytes = static_cast<u32>(sizeOf(in.type));
  for (u32 m = mask; m; m &= m - 1) {
    int l = __builtin_ctz(m);
    u8 value[16];
    for (u32 i = 0; i < in.vec; i++) {
      u32 width = in.list[2 * i + 1];
      std::memcpy(value + i * bytes, w.registers + in.list[2 * i] + static_cast<u32>(l) * width, bytes);
    }
    std::memcpy(resolveIn(w, in, in.space, l, addressAt(w, in, l), bytes * in.vec, Access::write, value), value,
                bytes * in.vec);
  }
}

// A parameter at a fixed place is one value for all lanes.
template <class T>
void loadParameter(Warp& w, const Inst& in, u32 mask) {
  T value;
  u64 at = w.reg<u64>(in.a)[0] + static_cast<u64>(in.imm);
  std::memcpy(&value, resolveIn(w, in, Space::param, __builtin_ctz(mask), at, sizeof(T), Access::read, nullptr),
              sizeof(T));
  T* d = w.reg<T>(in.d);
  forLanes(mask, [=](int l) { d[l] = value; });
}

Space spaceOf(Decoder& d) {
  if (d.mods.take("global")) return Space::global;
  if (d.mods.take("shared") || d.mods.take("shared::cta")) return Space::shared;
  if (d.mods.take("local")) return Space::local;
  if (d.mods.take("param")) return Space::param;
  if (d.mods.take("const")) return Space::constant;
  return Space::generic;
}

// Cache hints change nothing here.
void skipHints(Decoder& d) {
  static const std::vector<const char*> hints = {
      "ca",
      "cg",
      "cs",
      "lu",
      "cv",
      "wb",
      "wt",
      "nc",
      "L1::evict_normal",
      "L1::evict_unchanged",
      "L1::evict_first",
      "L1::evict_last",
      "L1::no_allocate",
      "L2::64B",
      "L2::128B",
      "L2::256B",
  };
  for (bool more = true; more;) {
    more = false;
    for (const char* h : hints) more = d.mods.take(h) || more;
  }
}

void orderOf(Decoder& d) {
  if (d.mods.take("weak")) return;
  std::string order = d.mods.oneOf({"volatile", "relaxed", "acquire", "release"});
  if (order.empty()) return;
  d.in.flags |= kRelaxed;
  if (order != "release") d.in.flags |= kAcquire;
  if (order != "volatile" && d.mods.oneOf({"cta", "gpu", "sys", "cluster"}).empty()) d.bad("needs a scope");
}

void vectorAndType(Decoder& d) {
  std::string vec = d.mods.oneOf({"v2", "v4"});
  d.in.vec = vec == "v2" ? 2 : vec == "v4" ? 4 : 1;
  d.in.type = d.mods.type();
  if (d.in.type == Ty::none || sizeOf(d.in.type) == 0 || sizeOf(d.in.type) > 8) d.bad("unsupported type");
  if (sizeOf(d.in.type) * d.in.vec > 16) d.bad("vectors have at most 16 bytes");
}

void valueOperands(Decoder& d, const Operand& o, bool loads) {
  if ((o.kind == Operand::vector) != (d.in.vec > 1) || (d.in.vec > 1 && o.parts.size() != d.in.vec))
    d.bad("operand has not the size of the vector");
  for (u32 i = 0; i < d.in.vec; i++) {
    const Operand& part = d.in.vec > 1 ? o.parts[i] : o;
    u8 width = 0;
    u32 at = loads ? d.dstWide(part, d.in.type, width) : d.srcWide(part, d.in.type, width);
    d.in.list.push_back(at);
    d.in.list.push_back(width);
  }
}

void decodeLoad(Decoder& d) {
  orderOf(d);
  Space space = spaceOf(d);
  skipHints(d);
  vectorAndType(d);
  d.count(2);
  valueOperands(d, d.arg(0), true);
  d.address(d.arg(1), space);
  d.in.d = d.in.list[0];
  u32 bytes = static_cast<u32>(sizeOf(d.in.type));
  bool plain = d.in.vec == 1 && d.in.list[1] == bytes && !d.in.flags;
  const Symbol* s = d.find(d.arg(1).text);
  if (plain && s && s->kind == Symbol::param) {
    d.need(bytes == 2 ? loadParameter<u16> : bytes == 4 ? loadParameter<u32> : loadParameter<u64>);
  } else if (plain) {
    d.need(bytes == 2 ? load1<2> : bytes == 4 ? load1<4> : load1<8>);
  } else {
    d.need(load);
  }
  d.emit();
}

void decodeStore(Decoder& d) {
  orderOf(d);
  Space space = spaceOf(d);
  if (space == Space::constant) d.bad("constant memory is not written");
  skipHints(d);
  vectorAndType(d);
  d.count(2);
  d.address(d.arg(0), space);
  if (d.in.space == Space::param) d.bad("parameters of a kernel are not written");
  valueOperands(d, d.arg(1), false);
  d.in.d = d.in.list[0];
  u32 bytes = static_cast<u32>(sizeOf(d.in.type));
  bool plain = d.in.vec == 1 && d.in.list[1] == bytes && !d.in.flags;
  if (plain)
    d.need(bytes == 2 ? store1<2> : bytes == 4 ? store1<4> : store1<8>);
  else
    d.need(store);
  d.emit();
}

// fence marks what the block wrote so far as visible to others.
void fence(Warp& w, const Inst&, u32) {
  GlobalClock& c = w.block->launch.clock;
  c.fence[w.block->index] = ++c.time;
}

void nothing(Warp&, const Inst&, u32) {}

void decodeFence(Decoder& d) {
  d.mods.oneOf({"sc", "acq_rel", "acquire", "release"});
  std::string scope = d.mods.oneOf({"cta", "gl", "gpu", "sys"});
  if (scope.empty()) d.bad("needs a scope");
  d.count(0);
  d.need(scope == "cta" ? nothing : fence);
  d.emit();
}

// prefetch touches no data; any address will do.
void decodePrefetch(Decoder& d) {
  Space space = spaceOf(d);
  if (d.mods.oneOf({"L1", "L2", "L2::evict_last", "L2::evict_normal"}).empty()) d.bad("needs a cache level");
  d.count(1);
  d.address(d.arg(0), space);
  d.need(nothing);
  d.emit();
}

}  // namespace

void addMemoryOps(Ops& t) {
  t["ld"] = decodeLoad;
  t["ldu"] = decodeLoad;
  t["st"] = decodeStore;
  t["membar"] = t["fence"] = decodeFence;
  t["prefetch"] = t["prefetchu"] = decodePrefetch;
}

}  // namespace emu
