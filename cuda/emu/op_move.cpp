// mov with packing and unpacking, address conversion.
#include <chrono>

#include "lanes.h"

namespace emu {

namespace {

struct Same {
  template <class T>
  static T run(T a) {
    return a;
  }
};

void movePredicate(Warp& w, const Inst& in, u32 mask) {
  u32& d = w.mask(in.d);
  d = (d & ~mask) | (w.mask(in.a) & mask);
}

// pack joins parts, lowest first; unpack takes them apart. Inst::list holds the parts, width2 their bytes.
void pack(Warp& w, const Inst& in, u32 mask) {
  for (u32 m = mask; m; m &= m - 1) {
    u32 l = static_cast<u32>(__builtin_ctz(m));
    u8* d = w.registers + in.d + l * in.width;
    u8 joined[8];
    for (size_t i = 0; i < in.list.size(); i++)
      std::memcpy(joined + i * in.width2, w.registers + in.list[i] + l * in.width2, in.width2);
    std::memcpy(d, joined, in.width);
  }
}

void unpack(Warp& w, const Inst& in, u32 mask) {
  for (u32 m = mask; m; m &= m - 1) {
    u32 l = static_cast<u32>(__builtin_ctz(m));
    u8 joined[8];
    std::memcpy(joined, w.registers + in.a + l * in.width, in.width);
    for (size_t i = 0; i < in.list.size(); i++)
      std::memcpy(w.registers + in.list[i] + l * in.width2, joined + i * in.width2, in.width2);
  }
}

void clock(Warp& w, const Inst& in, u32 mask) {
  u64 now = in.op == 'c' ? w.steps : static_cast<u64>(std::chrono::steady_clock::now().time_since_epoch().count());
  now >>= in.imm;
  for (u32 m = mask; m; m &= m - 1) {
    u32 l = static_cast<u32>(__builtin_ctz(m));
    std::memcpy(w.registers + in.d + l * in.width, &now, in.width);
  }
}

bool decodeClock(Decoder& d, Ty t) {
  const std::string& name = d.arg(1).text;
  if (d.arg(1).kind != Operand::name) return false;
  if (name.rfind("%clock", 0) != 0 && name.rfind("%globaltimer", 0) != 0) return false;
  d.src(d.arg(1), t);  // checks width
  d.in.op = static_cast<u8>(name[1]);
  d.in.imm = name.size() > 3 && name.substr(name.size() - 3) == "_hi" ? 32 : 0;
  d.in.d = d.dst(d.arg(0), t);
  d.in.width = static_cast<u8>(sizeOf(t));
  d.need(clock);
  d.emit();
  return true;
}

void decodeVectorMove(Decoder& d, Ty t) {
  bool joins = d.arg(1).kind == Operand::vector;
  const std::vector<Operand>& parts = d.arg(joins ? 1 : 0).parts;
  int size = sizeOf(t), each = parts.empty() ? 0 : size / static_cast<int>(parts.size());
  Ty part = each == 4 ? Ty::b32 : each == 2 ? Ty::b16 : Ty::none;
  if (!isBits(t) || part == Ty::none || each * static_cast<int>(parts.size()) != size)
    d.bad("unsupported form of vector");
  for (const Operand& p : parts) d.in.list.push_back(joins ? d.src(p, part) : d.dst(p, part));
  d.in.width = static_cast<u8>(size);
  d.in.width2 = static_cast<u8>(each);
  if (joins)
    d.in.d = d.dst(d.arg(0), t);
  else
    d.in.a = d.src(d.arg(1), t);
  d.need(joins ? pack : unpack);
  d.emit();
}

void decodeMov(Decoder& d) {
  Ty t = d.mods.type();
  d.count(2);
  if (t == Ty::pred) {
    d.in.d = d.dstPred(d.arg(0));
    d.in.a = d.srcPred(d.arg(1));
    d.need(movePredicate);
    return d.emit();
  }
  if (d.arg(0).kind == Operand::vector || d.arg(1).kind == Operand::vector) return decodeVectorMove(d, t);
  if (decodeClock(d, t)) return;
  operands(d, t, 1);
  int size = sizeOf(t);
  d.need(size == 2 ? unaryFn<u16, Same> : size == 4 ? unaryFn<u32, Same> : size == 8 ? unaryFn<u64, Same> : nullptr);
  d.emit();
}

u64 windowOf(Decoder& d, const std::string& space) {
  if (space == "shared") return kSharedWindow;
  if (space == "local") return kLocalWindow;
  if (space == "param") return kParamWindow;
  if (space == "global" || space == "const") return 0;  // these addresses are generic ones
  d.bad("unknown state space");
}

// cvta adds the window of a space to an address, cvta.to takes it away; an address of another space is a fault at its
// use.
void addWindow(Warp& w, const Inst& in, u32 mask) {
  u64 *d = w.reg<u64>(in.d), *a = w.reg<u64>(in.a);
  u64 by = static_cast<u64>(in.imm);
  forLanes(mask, [=](int l) { d[l] = a[l] + by; });
}

void decodeCvta(Decoder& d) {
  bool to = d.mods.take("to");
  std::string space = d.mods.oneOf({"global", "shared", "shared::cta", "local", "const", "param"});
  if (space == "shared::cta") space = "shared";
  u64 window = windowOf(d, space);
  if (d.mods.type() != Ty::u64) d.bad("needs .u64");
  operands(d, Ty::u64, 1);
  d.in.imm = static_cast<i64>(to ? 0 - window : window);
  d.need(addWindow);
  d.emit();
}

void isSpace(Warp& w, const Inst& in, u32 mask) {
  u64* a = w.reg<u64>(in.a);
  u64 window = static_cast<u64>(in.imm);
  u32 r = 0;
  for (int l = 0; l < kLanes; l++) {
    bool inWindow = a[l] - kSharedWindow < 3 * kWindowBytes;
    bool yes = window ? a[l] - window < kWindowBytes : !inWindow;
    r |= static_cast<u32>(yes) << l;
  }
  u32& d = w.mask(in.d);
  d = (d & ~mask) | (r & mask);
}

void decodeIsspacep(Decoder& d) {
  std::string space = d.mods.oneOf({"global", "shared", "shared::cta", "local", "param"});
  if (space == "shared::cta") space = "shared";
  d.count(2);
  d.in.imm = static_cast<i64>(windowOf(d, space));
  d.in.d = d.dstPred(d.arg(0));
  d.in.a = d.src(d.arg(1), Ty::u64);
  d.need(isSpace);
  d.emit();
}

}  // namespace

void addMoveOps(Ops& t) {
  t["mov"] = decodeMov;
  t["cvta"] = decodeCvta;
  t["isspacep"] = decodeIsspacep;
}

}  // namespace emu
