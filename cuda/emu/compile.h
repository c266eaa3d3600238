// The decoder: from statements to instructions. Each group of operations registers its opcodes in a table.
#pragma once

#include <initializer_list>
#include <map>
#include <set>
#include <unordered_map>

#include "kernel.h"

namespace emu {

// Symbol is what a name stands for inside a function.
struct Symbol {
  enum Kind { reg, predicate, shared, local, param, frame, address } kind = reg;
  Ty type = Ty::none;
  u64 offset = 0;  // register file offset, state space offset, or device address
  u64 bytes = 0;
};

struct Scope {
  int parent = -1;
  std::map<std::string, Symbol> symbols;
  std::map<std::string, u32> labels;
  std::map<std::string, std::vector<std::string>> targets;
};

// Mods are the dotted parts of an opcode; each must be used by the decoder of the instruction.
struct Mods {
  std::vector<std::string> parts;
  size_t at = 0;

  bool take(const char* name);                                  // next part, if it is this one
  bool takeAny(const char* name);                               // any remaining part
  std::string oneOf(std::initializer_list<const char*> names);  // next part if among these, else empty
  Ty type();                                                    // next part if a type, else none
};

struct Decoder {
  Decoder(const Ptx& module, Kernel& into, const SymbolAddress& lookup) : ptx(module), k(into), addressOf(lookup) {}

  const Ptx& ptx;
  Kernel& k;
  const SymbolAddress& addressOf;

  const Statement* st = nullptr;  // the statement being decoded
  Mods mods;
  Inst in;
  int scope = -1;

  void run(const Function& entry);

  // bad refuses the present statement.
  [[noreturn]] void bad(const std::string& why) const;
  void need(Fn fn) {
    if (!fn) bad("unsupported type or modifier");
    in.fn = fn;
  }
  const Operand& arg(size_t i) const;
  void count(size_t n) const;  // exactly n operands

  u32 dst(const Operand& o, Ty t);                 // register of exactly this type
  u32 dstWide(const Operand& o, Ty t, u8& width);  // register at least as wide as the type
  u32 src(const Operand& o, Ty t);                 // register, special register, constant or symbol
  u32 srcWide(const Operand& o, Ty t, u8& width);
  u32 dstPred(const Operand& o);
  u32 srcPred(const Operand& o);  // without negation
  u32 constant(u64 bits, int width);
  u32 allocate(int width);                      // a fresh register
  void address(const Operand& o, Space space);  // fills a, width2, imm
  void emit();                                  // appends the instruction
  void branchTo(const std::string& label);      // target of the instruction about to be emitted
  const Symbol* find(const std::string& name);
  bool isSpecial(const std::string& name) const;

  // wrap adds rounding (rn, rz, rm, rp), flush to zero and saturation around the instruction.
  void wrap(const std::string& round, bool flush, bool saturate);

  void call();
  void leaveFunction();

 private:
  struct Patch {
    u32 inst;
    int scope;
    std::string label;
    int line;
    int listIndex;
  };
  std::vector<Scope> scopes;
  std::vector<Patch> patches;
  std::vector<std::vector<u32>> returns;
  std::vector<std::string> calls;
  std::map<std::pair<u64, int>, u32> constants;
  std::map<std::string, u32> specials;
  std::map<std::string, u64> sharedAt;  // function:name or :name
  std::set<std::string> visited;
  u64 dynamicAlign = 16;

  void collectShared(const Function& f);
  void placeShared(const std::string& key, const Variable& v);
  void declare(const Function& f, const Variable& v);
  void body(const Function& f, bool inlined);
  void instruction();
  void resolve(size_t from);
  u32 special(const std::string& name, Ty t, u8& width);
  Symbol moduleSymbol(const Variable& v);
  std::string functionName;
  bool inInline = false;

  std::unordered_map<std::string, Symbol> moduleSymbols;
};

using Decode = void (*)(Decoder&);
using Ops = std::unordered_map<std::string, Decode>;

void addIntOps(Ops&);
void addBitOps(Ops&);
void addFloatOps(Ops&);
void addMathOps(Ops&);
void addCompareOps(Ops&);
void addConvertOps(Ops&);
void addMoveOps(Ops&);
void addMemoryOps(Ops&);
void addAtomicOps(Ops&);
void addControlOps(Ops&);
void addWarpOps(Ops&);
void addAsyncOps(Ops&);
void addMatrixOps(Ops&);

}  // namespace emu
