// Branches, calls, barriers, exit.
#include "lanes.h"

namespace emu {

namespace {

void nothing(Warp&, const Inst&, u32) {}

void decodeBranch(Decoder& d) {
  d.mods.take("uni");
  d.count(1);
  d.in.kind = Kind::branch;
  d.branchTo(d.arg(0).text);
  d.emit();
}

void decodeIndexed(Decoder& d) {
  if (!d.mods.take("idx")) d.bad("needs .idx");
  d.mods.take("uni");
  d.count(2);
  d.in.kind = Kind::indexed;
  d.in.a = d.src(d.arg(0), Ty::u32);
  d.branchTo(d.arg(1).text);
  d.emit();
}

void decodeExit(Decoder& d) {
  d.count(0);
  d.in.kind = Kind::leave;
  d.emit();
}

void decodeTrap(Decoder& d) {
  d.count(0);
  d.in.kind = Kind::trap;
  d.emit();
}

// reduction reads bar.red: result, barrier, optional count, predicate.
void reduction(Decoder& d, size_t& next) {
  std::string op = d.mods.oneOf({"popc", "and", "or"});
  Ty t = d.mods.type();
  if (op.empty() || t != (op == "popc" ? Ty::u32 : Ty::pred)) d.bad("unsupported reduction");
  d.in.op = op == "popc" ? kBarPopc : op == "and" ? kBarAnd : kBarOr;
  d.in.d = op == "popc" ? d.dst(d.arg(0), Ty::u32) : d.dstPred(d.arg(0));
  const Operand& p = d.arg(d.st->args.size() - 1);
  d.in.c = d.srcPred(p);
  d.in.imm = p.negated ? kFull : 0;
  next = 1;
}

void decodeBarrier(Decoder& d) {
  bool warp = d.mods.take("warp");
  if (!warp) d.mods.oneOf({"cta"});
  std::string what = d.mods.oneOf({"sync", "arrive", "red"});
  if (what.empty()) d.bad("unknown kind of barrier");
  d.mods.take("aligned");
  if (warp) {
    d.count(1);
    d.in.kind = Kind::gather;
    d.in.e = d.src(d.arg(0), Ty::u32);
    d.need([](Warp& w, const Inst&, u32) { w.syncEpoch++; });
    return d.emit();
  }
  d.in.kind = Kind::barrier;
  d.in.op = what == "arrive" ? kBarArrive : kBarSync;
  d.in.b = d.in.c = kNone;
  size_t next = 0, last = d.st->args.size();
  if (what == "red") reduction(d, next), last--;
  d.in.a = d.src(d.arg(next), Ty::u32);
  if (next + 1 < last) d.in.b = d.src(d.arg(next + 1), Ty::u32);
  if (next + 2 < last || (what == "arrive" && d.in.b == kNone)) d.bad("wrong number of operands");
  d.emit();
}

void decodeNothing(Decoder& d) {
  while (d.mods.at < d.mods.parts.size()) d.mods.at++;
  d.need(nothing);
  d.emit();
}

}  // namespace

void addControlOps(Ops& t) {
  t["bra"] = decodeBranch;
  t["brx"] = decodeIndexed;
  t["ret"] = [](Decoder& d) {
    d.mods.take("uni");
    d.leaveFunction();
  };
  t["exit"] = decodeExit;
  t["trap"] = decodeTrap;
  t["call"] = [](Decoder& d) {
    d.mods.take("uni");
    d.call();
  };
  t["bar"] = t["barrier"] = decodeBarrier;
  t["nanosleep"] = t["pmevent"] = decodeNothing;
}

}  // namespace emu
