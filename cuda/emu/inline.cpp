// Calls of device functions: their bodies are copied into the caller.
#include <algorithm>

#include "compile.h"

namespace emu {

// call copies the body of a device function into the caller: registers and frames are then plain offsets.
void Decoder::call() {
  size_t i = 0;
  std::vector<Operand> results, args;
  if (i < st->args.size() && st->args[i].kind == Operand::list) results = st->args[i++].parts;
  const std::string name = arg(i++).text;
  if (i < st->args.size() && st->args[i].kind == Operand::list) args = st->args[i++].parts;
  if (i != st->args.size()) bad("indirect calls are not supported");
  const Function* f = ptx.find(name);
  if (!f) bad("indirect calls are not supported ('" + name + "' is no function)");
  if (!f->defined && name == "__assertfail") {
    in.kind = Kind::trap;
    in.imm = kAssert;
    return emit();
  }
  if (!f->defined) bad("function '" + name + "' has no body");
  if (std::count(calls.begin(), calls.end(), name)) bad("recursive calls are not supported");
  if (args.size() != f->params.size() || results.size() != f->results.size())
    bad("arguments do not match '" + name + "'");
  Scope inner;
  auto bind = [&](const Variable& formal, const Operand& actual) {
    const Symbol* s = find(actual.text);
    if (!s) bad("unknown argument '" + actual.text + "'");
    if (s->kind != (formal.space == "param" ? Symbol::frame : Symbol::reg))
      bad("argument '" + actual.text + "' is in another space");
    if (s->bytes < formal.bytes() && formal.count > 0) bad("argument '" + actual.text + "' is too small");
    inner.symbols[formal.name] = *s;
  };
  for (size_t n = 0; n < args.size(); n++) bind(f->params[n], args[n]);
  for (size_t n = 0; n < results.size(); n++) bind(f->results[n], results[n]);
  u32 skip = kNone;
  if (in.pred != kNone) {  // a guarded call: jump over the body where the guard does not hold
    in.kind = Kind::branch;
    in.predXor = ~in.predXor;
    skip = static_cast<u32>(k.code.size());
    mods.at = mods.parts.size();
    emit();
  }
  int outer = scope;
  scopes.push_back(inner);
  scope = static_cast<int>(scopes.size()) - 1;
  returns.emplace_back();
  body(*f, true);
  scope = outer;
  for (u32 r : returns.back()) k.code[r].target = static_cast<u32>(k.code.size());
  returns.pop_back();
  if (skip != kNone) k.code[skip].target = static_cast<u32>(k.code.size());
}

void Decoder::leaveFunction() {
  if (!inInline) {
    in.kind = Kind::leave;
    return emit();
  }
  in.kind = Kind::branch;
  returns.back().push_back(static_cast<u32>(k.code.size()));
  emit();
}

}  // namespace emu
