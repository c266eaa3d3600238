// Exchange between the lanes of a warp.
#include <algorithm>

#include "lanes.h"

namespace emu {

namespace {

enum Shuffle : u8 { up, down, bfly, idx };

void shfl(Warp& w, const Inst& in, u32 mask) {
  u32 source[kLanes];
  std::memcpy(source, w.reg<u32>(in.a), sizeof source);
  const u32 *b = w.reg<u32>(in.b), *c = w.reg<u32>(in.c);
  u32* d = w.reg<u32>(in.d);
  u32 valid = 0;
  for (u32 m = mask; m; m &= m - 1) {
    int l = __builtin_ctz(m);
    int by = static_cast<int>(b[l] & 31), clamp = static_cast<int>(c[l] & 31),
        segment = static_cast<int>(c[l] >> 8 & 31);
    int top = (l & segment) | (clamp & ~segment), low = l & segment, j = 0;
    bool in_range = false;
    switch (in.op) {
      case up: j = l - by, in_range = j >= top; break;
      case down: j = l + by, in_range = j <= top; break;
      case bfly: j = l ^ by, in_range = j <= top; break;
      case idx: j = low | (by & ~segment), in_range = j <= top; break;
    }
    if (!in_range) j = l;
    if (!(mask >> j & 1))
      throw Fault(kLaunchFailed, format("reads lane %d, which does not take part (mask 0x%08x)", j, mask), l);
    d[l] = source[j];
    if (in_range) valid |= 1u << l;
  }
  if (in.list[0] == kNone) return;
  u32& p = w.mask(in.list[0]);
  p = (p & ~mask) | valid;
}

void decodeShfl(Decoder& d) {
  if (!d.mods.take("sync")) d.bad("needs .sync");
  const char* modes[] = {"up", "down", "bfly", "idx"};
  bool known = false;
  for (u8 i = 0; i < 4 && !known; i++)
    if ((known = d.mods.take(modes[i]))) d.in.op = i;
  if (!known || d.mods.type() != Ty::b32) d.bad("unknown mode or type");
  d.count(5);
  Operand to = d.arg(0);
  d.in.list = {to.paired ? d.dstPred(to.parts[0]) : kNone};
  to.paired = false;
  d.in.kind = Kind::gather;
  d.in.d = d.dst(to, Ty::b32);
  d.in.a = d.src(d.arg(1), Ty::b32);
  d.in.b = d.src(d.arg(2), Ty::b32);
  d.in.c = d.src(d.arg(3), Ty::b32);
  d.in.e = d.src(d.arg(4), Ty::b32);
  d.need(shfl);
  d.emit();
}

enum Vote : u8 { all, any, uni, ballot };

void vote(Warp& w, const Inst& in, u32 mask) {
  u32 p = (w.mask(in.a) ^ static_cast<u32>(in.imm)) & mask;
  if (in.op == ballot) {
    u32* d = w.reg<u32>(in.d);
    forLanes(mask, [=](int l) { d[l] = p; });
    return;
  }
  bool yes = in.op == all ? p == mask : in.op == any ? p != 0 : p == mask || p == 0;
  u32& d = w.mask(in.d);
  d = (d & ~mask) | (yes ? mask : 0);
}

void decodeVote(Decoder& d) {
  if (!d.mods.take("sync")) d.bad("needs .sync");
  std::string mode = d.mods.oneOf({"all", "any", "uni", "ballot"});
  Ty t = d.mods.type();
  if (mode.empty() || t != (mode == "ballot" ? Ty::b32 : Ty::pred)) d.bad("unknown mode or type");
  d.in.op = mode == "all" ? all : mode == "any" ? any : mode == "uni" ? uni : ballot;
  d.count(3);
  d.in.kind = Kind::gather;
  d.in.d = d.in.op == ballot ? d.dst(d.arg(0), Ty::b32) : d.dstPred(d.arg(0));
  d.in.a = d.srcPred(d.arg(1));
  d.in.imm = d.arg(1).negated ? kFull : 0;
  d.in.e = d.src(d.arg(2), Ty::b32);
  d.need(vote);
  d.emit();
}

template <class T>
void matchAny(Warp& w, const Inst& in, u32 mask) {
  const T* a = w.reg<T>(in.a);
  for (u32 m = mask; m; m &= m - 1) {
    int l = __builtin_ctz(m);
    u32 same = 0;
    for (u32 r = mask; r; r &= r - 1)
      if (a[__builtin_ctz(r)] == a[l]) same |= 1u << __builtin_ctz(r);
    w.reg<u32>(in.d)[l] = same;
  }
}

template <class T>
void matchAll(Warp& w, const Inst& in, u32 mask) {
  const T* a = w.reg<T>(in.a);
  bool same = true;
  for (u32 r = mask; r; r &= r - 1) same = same && a[__builtin_ctz(r)] == a[__builtin_ctz(mask)];
  for (u32 r = mask; r; r &= r - 1) w.reg<u32>(in.d)[__builtin_ctz(r)] = same ? mask : 0;
  if (in.list[0] == kNone) return;
  u32& p = w.mask(in.list[0]);
  p = (p & ~mask) | (same ? mask : 0);
}

void decodeMatch(Decoder& d) {
  std::string mode = d.mods.oneOf({"any", "all"});
  if (mode.empty() || !d.mods.take("sync")) d.bad("needs .any or .all, .sync");
  Ty t = d.mods.type();
  d.count(3);
  Operand to = d.arg(0);
  d.in.list = {to.paired ? d.dstPred(to.parts[0]) : kNone};
  if (to.paired && mode == "any") d.bad("unsupported form of operand");
  to.paired = false;
  d.in.kind = Kind::gather;
  d.in.d = d.dst(to, Ty::b32);
  d.in.a = d.src(d.arg(1), t);
  d.in.e = d.src(d.arg(2), Ty::b32);
  if (mode == "any")
    d.need(t == Ty::b32 ? matchAny<u32> : t == Ty::b64 ? matchAny<u64> : nullptr);
  else
    d.need(t == Ty::b32 ? matchAll<u32> : t == Ty::b64 ? matchAll<u64> : nullptr);
  d.emit();
}

struct Add {
  static u32 run(u32 a, u32 b) { return a + b; }
};
template <class T>
struct Min {
  static u32 run(u32 a, u32 b) { return static_cast<u32>(std::min(static_cast<T>(a), static_cast<T>(b))); }
};
template <class T>
struct Max {
  static u32 run(u32 a, u32 b) { return static_cast<u32>(std::max(static_cast<T>(a), static_cast<T>(b))); }
};
struct And {
  static u32 run(u32 a, u32 b) { return a & b; }
};
struct Or {
  static u32 run(u32 a, u32 b) { return a | b; }
};
struct Xor {
  static u32 run(u32 a, u32 b) { return a ^ b; }
};

template <class Op>
void redux(Warp& w, const Inst& in, u32 mask) {
  const u32* a = w.reg<u32>(in.a);
  u32 r = a[__builtin_ctz(mask)];
  for (u32 m = mask & (mask - 1); m; m &= m - 1) r = Op::run(r, a[__builtin_ctz(m)]);
  u32* d = w.reg<u32>(in.d);
  forLanes(mask, [=](int l) { d[l] = r; });
}

void decodeRedux(Decoder& d) {
  if (!d.mods.take("sync")) d.bad("needs .sync");
  std::string op = d.mods.oneOf({"add", "min", "max", "and", "or", "xor"});
  Ty t = d.mods.type();
  bool logic = op == "and" || op == "or" || op == "xor";
  if (op.empty() || (logic ? t != Ty::b32 : t != Ty::u32 && t != Ty::s32)) d.bad("unknown operation or type");
  d.count(3);
  d.in.kind = Kind::gather;
  d.in.d = d.dst(d.arg(0), t);
  d.in.a = d.src(d.arg(1), t);
  d.in.e = d.src(d.arg(2), Ty::b32);
  bool s = t == Ty::s32;
  d.need(op == "add"   ? redux<Add>
         : op == "min" ? (s ? redux<Min<i32>> : redux<Min<u32>>)
         : op == "max" ? (s ? redux<Max<i32>> : redux<Max<u32>>)
         : op == "and" ? redux<And>
         : op == "or"  ? redux<Or>
                       : redux<Xor>);
  d.emit();
}

void activemask(Warp& w, const Inst& in, u32 mask) {
  u32* d = w.reg<u32>(in.d);
  forLanes(mask, [=](int l) { d[l] = mask; });
}

}  // namespace

void addWarpOps(Ops& t) {
  t["shfl"] = decodeShfl;
  t["vote"] = decodeVote;
  t["match"] = decodeMatch;
  t["redux"] = decodeRedux;
  t["activemask"] = [](Decoder& d) {
    if (d.mods.type() != Ty::b32) d.bad("needs .b32");
    d.count(1);
    d.in.d = d.dst(d.arg(0), Ty::b32);
    d.need(activemask);
    d.emit();
  };
}

}  // namespace emu
