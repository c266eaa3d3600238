#include "compile.h"

#include <algorithm>

#include "exec.h"

namespace emu {

bool Mods::take(const char* name) {
  if (at >= parts.size() || parts[at] != name) return false;
  at++;
  return true;
}

bool Mods::takeAny(const char* name) {
  for (size_t i = at; i < parts.size(); i++) {
    if (parts[i] != name) continue;
    parts.erase(parts.begin() + static_cast<long>(i));
    return true;
  }
  return false;
}

std::string Mods::oneOf(std::initializer_list<const char*> names) {
  for (const char* n : names)
    if (take(n)) return n;
  return "";
}

Ty Mods::type() {
  if (at >= parts.size()) return Ty::none;
  Ty t = tyFrom(parts[at]);
  if (t != Ty::none) at++;
  return t;
}

namespace {

const Ops& table() {
  static const Ops ops = [] {
    Ops t;
    addIntOps(t), addBitOps(t), addFloatOps(t), addMathOps(t), addCompareOps(t), addConvertOps(t), addMoveOps(t);
    addMemoryOps(t), addAtomicOps(t), addControlOps(t), addWarpOps(t), addAsyncOps(t), addMatrixOps(t);
    return t;
  }();
  return ops;
}

std::vector<std::string> split(const std::string& op) {
  std::vector<std::string> parts;
  size_t from = 0;
  for (size_t at; (at = op.find('.', from)) != std::string::npos; from = at + 1)
    parts.push_back(op.substr(from, at - from));
  parts.push_back(op.substr(from));
  return parts;
}

bool compatible(Ty reg, Ty inst) {
  if (isBits(reg) || isBits(inst)) return true;
  if (inst == Ty::f16 || inst == Ty::bf16 || inst == Ty::f16x2 || inst == Ty::bf16x2 || inst == Ty::tf32) return true;
  return isInt(reg) == isInt(inst);
}

u64 alignUp(u64 x, u64 to) { return (x + to - 1) / to * to; }

}  // namespace

void Decoder::bad(const std::string& why) const {
  throw PtxError(st ? st->line : 0, (st && st->kind == Statement::instruction ? st->op + ": " : "") + why);
}

const Operand& Decoder::arg(size_t i) const {
  if (i >= st->args.size()) bad(format("needs more than %zu operands", st->args.size()));
  return st->args[i];
}

void Decoder::count(size_t n) const {
  if (st->args.size() != n) bad(format("has %zu operands, needs %zu", st->args.size(), n));
}

u32 Decoder::allocate(int width) {
  size_t at = alignUp(k.registers.size(), 64);
  k.registers.resize(at + static_cast<size_t>(width == 0 ? 4 : 32 * width), 0xFF);
  if (at > 0x7fffffff) bad("too many registers");
  return static_cast<u32>(at);
}

u32 Decoder::constant(u64 bits, int width) {
  if (width == 1) width = 2;
  auto [it, fresh] = constants.insert({{bits, width}, 0});
  if (!fresh) return it->second;
  u32 at = allocate(width);
  for (int l = 0; l < kLanes; l++)
    std::memcpy(&k.registers[at + static_cast<size_t>(l * width)], &bits, static_cast<size_t>(width));
  return it->second = at;
}

const Symbol* Decoder::find(const std::string& name) {
  for (int s = scope; s >= 0; s = scopes[static_cast<size_t>(s)].parent) {
    auto& symbols = scopes[static_cast<size_t>(s)].symbols;
    auto it = symbols.find(name);
    if (it != symbols.end()) return &it->second;
  }
  auto it = moduleSymbols.find(name);
  if (it != moduleSymbols.end()) return &it->second;
  for (const Variable& v : ptx.variables)
    if (v.name == name) return &(moduleSymbols[name] = moduleSymbol(v));
  return nullptr;
}

Symbol Decoder::moduleSymbol(const Variable& v) {
  Symbol s;
  s.type = v.type;
  s.bytes = v.bytes();
  if (v.space == "shared") {
    s.kind = Symbol::shared;
    s.offset = sharedAt[":" + v.name];
    return s;
  }
  s.kind = Symbol::address;
  if (!addressOf(v.name, s.offset)) bad("unresolved variable '" + v.name + "'");
  return s;
}

u32 Decoder::dstWide(const Operand& o, Ty t, u8& width) {
  width = static_cast<u8>(std::max(2, sizeOf(t)));
  if (o.kind == Operand::sink) return allocate(width);
  if (o.kind != Operand::name || o.value != 0 || o.negated) bad("destination must be a register");
  const Symbol* s = find(o.text);
  if (!s) bad("unknown register '" + o.text + "'");
  if (s->kind != Symbol::reg) bad("'" + o.text + "' is not a register of a value");
  int w = std::max(2, sizeOf(s->type));
  if (w < sizeOf(t)) bad("register '" + o.text + "' is narrower than the instruction's type");
  width = static_cast<u8>(w);
  return static_cast<u32>(s->offset);
}

u32 Decoder::dst(const Operand& o, Ty t) {
  u8 width = 0;
  u32 at = dstWide(o, t, width);
  if (width != std::max(2, sizeOf(t))) bad("register '" + o.text + "' has not the width of the instruction's type");
  if (o.kind == Operand::name && !compatible(find(o.text)->type, t)) bad("register '" + o.text + "' has another type");
  return at;
}

u32 Decoder::srcWide(const Operand& o, Ty t, u8& width) {
  int size = std::max(2, sizeOf(t));
  width = static_cast<u8>(size);
  u64 mask = size == 8 ? ~0ull : (1ull << (8 * size)) - 1;
  switch (o.kind) {
    case Operand::integer: {
      if (t == Ty::f32) return constant(bitsAs<u32>(static_cast<float>(o.value)), 4);
      if (t == Ty::f64) return constant(bitsAs<u64>(static_cast<double>(o.value)), 8);
      return constant(static_cast<u64>(o.value) & mask, size);
    }
    case Operand::f32:
    case Operand::f64:
      if (t == Ty::f64 || (isBits(t) && o.kind == Operand::f64 && size == 8)) return constant(bitsAs<u64>(o.real), 8);
      if (t == Ty::f32)
        return constant(
            o.kind == Operand::f32 ? static_cast<u64>(o.value) & mask : bitsAs<u32>(static_cast<float>(o.real)), 4);
      if (t == Ty::b32 && o.kind == Operand::f32) return constant(static_cast<u64>(o.value) & mask, 4);
      bad("a floating-point constant does not fit the type");
    case Operand::name: break;
    default: bad("unsupported form of operand");
  }
  if (o.negated || o.paired) bad("unsupported form of operand '" + o.text + "'");
  if (o.text == "WARP_SZ") return constant(32, size);
  const Symbol* s = find(o.text);
  if (!s) return special(o.text, t, width);
  if (s->kind == Symbol::predicate) bad("'" + o.text + "' is a predicate");
  if (s->kind == Symbol::frame) bad("the address of a parameter of a call is not supported");
  if (s->kind != Symbol::reg) return constant((s->offset + static_cast<u64>(o.value)) & mask, size);
  if (o.value != 0) bad("offset on a register outside of an address");
  int w = std::max(2, sizeOf(s->type));
  if (w < sizeOf(t)) bad("register '" + o.text + "' is narrower than the instruction's type");
  width = static_cast<u8>(w);
  return static_cast<u32>(s->offset);
}

u32 Decoder::src(const Operand& o, Ty t) {
  u8 width = 0;
  u32 at = srcWide(o, t, width);
  if (width != std::max(2, sizeOf(t))) bad("register '" + o.text + "' has not the width of the instruction's type");
  if (o.kind == Operand::name) {
    const Symbol* s = find(o.text);
    if (s && s->kind == Symbol::reg && !compatible(s->type, t)) bad("register '" + o.text + "' has another type");
  }
  return at;
}

bool Decoder::isSpecial(const std::string& name) const { return specialWidth(name) != 0; }

u32 Decoder::special(const std::string& name, Ty t, u8& width) {
  int w = specialWidth(name);
  if (!w) bad("unknown name '" + name + "'");
  if (w < sizeOf(t)) bad("'" + name + "' is narrower than the instruction's type");
  width = static_cast<u8>(w);
  auto [it, fresh] = specials.insert({name, 0});
  if (!fresh) return it->second;
  it->second = allocate(w);
  k.specials.push_back({name, it->second});
  return it->second;
}

u32 Decoder::dstPred(const Operand& o) {
  if (o.kind == Operand::sink) return allocate(0);
  return srcPred(o);
}

u32 Decoder::srcPred(const Operand& o) {
  if (o.kind == Operand::integer) return constant(o.value ? ~0ull >> 32 : 0, 4);
  const Symbol* s = o.kind == Operand::name ? find(o.text) : nullptr;
  if (!s) bad("unknown predicate '" + o.text + "'");
  if (s->kind != Symbol::predicate) bad("'" + o.text + "' is not a predicate");
  return static_cast<u32>(s->offset);
}

void Decoder::address(const Operand& o, Space space) {
  if (o.kind != Operand::address) bad("expected an address in brackets");
  in.space = space;
  in.imm = o.value;
  in.width2 = 8;
  if (o.text.empty()) {
    in.imm = 0;
    in.a = constant(static_cast<u64>(o.value), 8);
    return;
  }
  const Symbol* s = find(o.text);
  if (!s) bad("unknown name '" + o.text + "'");
  if (s->kind == Symbol::reg) {
    in.a = static_cast<u32>(s->offset);
    in.width2 = static_cast<u8>(sizeOf(s->type));
    if (in.width2 != 8 && (in.width2 != 4 || space == Space::global || space == Space::generic))
      bad("register '" + o.text + "' is no address");
    return;
  }
  static const std::map<Symbol::Kind, Space> home = {{Symbol::shared, Space::shared},
                                                     {Symbol::local, Space::local},
                                                     {Symbol::param, Space::param},
                                                     {Symbol::frame, Space::param}};
  auto at = home.find(s->kind);
  if (s->kind == Symbol::predicate || (at != home.end() && at->second != space))
    bad("'" + o.text + "' lies in another state space");
  if (s->kind == Symbol::address && space != Space::global && space != Space::constant)
    bad("'" + o.text + "' lies in another state space");
  if (s->kind == Symbol::frame) in.space = Space::local;
  in.a = constant(s->offset, 8);
}

void Decoder::wrap(const std::string& round, bool flush, bool saturate) {
  in.mode = roundingMode(round, flush);
  in.saturate = saturate;
  if (in.mode == kPlainMode && !saturate) return;
  in.inner = in.fn;
  in.fn = runWrapped;
}

void Decoder::emit() {
  if (mods.at < mods.parts.size()) bad("unknown modifier '." + mods.parts[mods.at] + "'");
  if (!in.fn && in.kind == Kind::plain) bad("unsupported type or modifier");
  k.code.push_back(in);
}

void Decoder::branchTo(const std::string& label) {
  patches.push_back({static_cast<u32>(k.code.size()), scope, label, st->line, -1});
}

void Decoder::instruction() {
  mods = Mods{split(st->op), 1};
  in = Inst{};
  in.line = st->line;
  if (!st->guard.empty()) {
    Operand g;
    g.kind = Operand::name;
    g.text = st->guard;
    in.pred = srcPred(g);
    in.predXor = st->guardNegated ? kFull : 0;
  }
  auto it = table().find(mods.parts[0]);
  if (it == table().end()) bad("unknown instruction");
  it->second(*this);
}

void Decoder::declare(const Function& f, const Variable& v) {
  Symbol s;
  s.type = v.type;
  s.bytes = v.bytes();
  auto& symbols = scopes[static_cast<size_t>(scope)].symbols;
  if (v.space == "reg") {
    if (v.vec != 1) bad("vector registers are not supported");
    for (int i = 0; i < std::max(1, v.range); i++) {
      s.kind = v.type == Ty::pred ? Symbol::predicate : Symbol::reg;
      s.offset = allocate(v.type == Ty::pred ? 0 : std::max(2, sizeOf(v.type)));
      symbols[v.range >= 0 ? v.name + std::to_string(i) : v.name] = s;
    }
    return;
  }
  if (v.space == "shared") {
    s.kind = Symbol::shared;
    s.offset = sharedAt[f.name + ":" + v.name];
  } else if (v.space == "local" || v.space == "param") {
    s.kind = v.space == "local" ? Symbol::local : Symbol::frame;
    s.offset = k.localBytes = alignUp(k.localBytes, std::max<u64>(v.alignment(), 1));
    k.localBytes += v.bytes();
  } else {
    bad("variable of space ." + v.space + " inside a function");
  }
  symbols[v.name] = s;
}

void Decoder::placeShared(const std::string& key, const Variable& v) {
  if (sharedAt.count(key)) return;
  if (v.count == 0) {
    sharedAt[key] = ~0ull;  // dynamic: placed after the static part
    dynamicAlign = std::max(dynamicAlign, v.alignment());
    return;
  }
  sharedAt[key] = k.sharedBytes = alignUp(k.sharedBytes, std::max<u64>(v.alignment(), 1));
  k.sharedBytes += v.bytes();
}

// collectShared finds the shared variables that a kernel can reach.
void Decoder::collectShared(const Function& f) {
  if (!visited.insert(f.name).second) return;
  auto seen = [&](const Operand& o) {
    for (const Variable& v : ptx.variables)
      if (v.name == o.text && v.space == "shared") placeShared(":" + v.name, v);
    if (const Function* g = ptx.find(o.text)) collectShared(*g);
  };
  for (const Statement& s : f.body) {
    if (s.kind == Statement::declare && s.var.space == "shared") placeShared(f.name + ":" + s.var.name, s.var);
    for (const Operand& o : s.args) {
      seen(o);
      for (const Operand& part : o.parts) seen(part);
    }
  }
}

void Decoder::body(const Function& f, bool inlined) {
  std::string outerName = functionName;
  bool outerInline = inInline;
  functionName = f.name;
  inInline = inlined;
  calls.push_back(f.name);
  size_t firstPatch = patches.size();
  int outer = scope;
  const Statement* at = st;
  for (const Statement& s : f.body) {
    st = &s;
    switch (s.kind) {
      case Statement::open:
        scopes.push_back({scope, {}, {}, {}});
        scope = static_cast<int>(scopes.size()) - 1;
        break;
      case Statement::close: scope = scopes[static_cast<size_t>(scope)].parent; break;
      case Statement::label:
        if (!scopes[static_cast<size_t>(scope)].labels.insert({s.op, static_cast<u32>(k.code.size())}).second)
          bad("label '" + s.op + "' stands twice");
        break;
      case Statement::declare: declare(f, s.var); break;
      case Statement::targets: {
        auto& labels = scopes[static_cast<size_t>(scope)].labels;
        for (auto& l : labels)
          if (l.second == k.code.size()) scopes[static_cast<size_t>(scope)].targets[l.first] = s.labels;
        break;
      }
      case Statement::instruction: instruction(); break;
    }
  }
  resolve(firstPatch);
  st = at;
  scope = outer;
  calls.pop_back();
  functionName = outerName;
  inInline = outerInline;
}

void Decoder::resolve(size_t from) {
  auto place = [&](const Patch& p, const std::string& label) {
    for (int s = p.scope; s >= 0; s = scopes[static_cast<size_t>(s)].parent) {
      auto& labels = scopes[static_cast<size_t>(s)].labels;
      auto it = labels.find(label);
      if (it != labels.end()) return it->second;
    }
    throw PtxError(p.line, "unknown label '" + label + "'");
  };
  for (size_t i = from; i < patches.size(); i++) {
    const Patch& p = patches[i];
    Inst& inst = k.code[p.inst];
    if (inst.kind != Kind::indexed) {
      inst.target = place(p, p.label);
      continue;
    }
    for (int s = p.scope; s >= 0 && inst.list.empty(); s = scopes[static_cast<size_t>(s)].parent) {
      auto& targets = scopes[static_cast<size_t>(s)].targets;
      auto it = targets.find(p.label);
      if (it == targets.end()) continue;
      for (const std::string& label : it->second) inst.list.push_back(place(p, label));
    }
    if (inst.list.empty()) throw PtxError(p.line, "unknown branch targets '" + p.label + "'");
  }
  patches.resize(from);
}

void Decoder::run(const Function& entry) {
  k.name = entry.name;
  allocate(0);  // the carry mask, at offset 0
  scopes.push_back({});
  scope = 0;
  for (const Variable& p : entry.params) {
    u64 align = std::max<u64>(p.alignment(), 1);
    u64 at = alignUp(k.paramBytes, align);
    k.params.push_back({p.name, at, p.bytes(), align});
    scopes[0].symbols[p.name] = {Symbol::param, p.type, at, p.bytes()};
    k.paramBytes = at + p.bytes();
  }
  if (entry.maxThreads[0])
    k.maxThreads = std::min(1024u, entry.maxThreads[0] * entry.maxThreads[1] * entry.maxThreads[2]);
  if (entry.reqThreads[0]) {
    k.required = true;
    std::copy(entry.reqThreads, entry.reqThreads + 3, k.reqThreads);
  }
  collectShared(entry);
  u64 dynamicAt = alignUp(k.sharedBytes, dynamicAlign);
  for (auto& s : sharedAt) {
    if (s.second == ~0ull) s.second = dynamicAt;
  }
  k.dynamicAt = dynamicAt;
  body(entry, false);
  Inst end;  // falling off the end is a return
  end.kind = Kind::leave;
  end.line = entry.body.empty() ? entry.line : entry.body.back().line;
  k.code.push_back(end);
}

std::shared_ptr<Kernel> compile(const Ptx& ptx, const Function& entry, const SymbolAddress& addressOf) {
  auto k = std::make_shared<Kernel>();
  Decoder d(ptx, *k, addressOf);
  d.run(entry);
  return k;
}

}  // namespace emu
