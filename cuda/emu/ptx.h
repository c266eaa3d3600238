// The syntax tree of a PTX module, and its parser.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "types.h"

namespace emu {

struct Token {
  enum Kind { word, number, string, sign, end } kind;
  std::string text;
  int line;
};

// lex cuts PTX text into tokens; comments and newline-terminated debug directives (.loc, .file) are left out.
std::vector<Token> lex(const std::string& text);

// Operand of an instruction as written.
struct Operand {
  enum Kind { name, integer, f32, f64, address, vector, list, sink } kind = sink;
  std::string text;            // name: register, symbol, label; address: its base, empty if absolute
  i64 value = 0;               // integer; offset of address or of name+offset
  double real = 0;             // f32, f64
  bool negated = false;        // !p
  std::vector<Operand> parts;  // vector, list; second of a|b
  bool paired = false;         // a|b
};

// Variable of any state space; count 0 is an array of unknown size.
struct Variable {
  std::string name, space;  // reg, global, const, shared, local, param
  Ty type = Ty::none;
  int vec = 1;  // elements of a .v2/.v4 type
  u64 count = 1, align = 0;
  bool external = false;
  int range = -1;  // %r<range>
  std::vector<u8> init;
  std::vector<std::pair<u64, std::pair<std::string, i64>>> addresses;  // offset -> symbol + offset
  int line = 0;

  u64 bytes() const { return static_cast<u64>(sizeOf(type)) * vec * count; }
  u64 alignment() const { return align ? align : static_cast<u64>(sizeOf(type)) * vec; }
};

struct Statement {
  enum Kind { instruction, label, declare, open, close, targets } kind;
  int line = 0;
  std::string op;     // opcode with its modifiers; label name
  std::string guard;  // predicate register, empty if none
  bool guardNegated = false;
  std::vector<Operand> args;
  std::vector<std::string> labels;  // .branchtargets
  Variable var;
};

struct Function {
  std::string name;
  bool entry = false, defined = false;
  std::vector<Variable> params, results;
  u32 maxThreads[3] = {0, 0, 0};
  u32 reqThreads[3] = {0, 0, 0};
  std::vector<Statement> body;
  int line = 0;
};

struct Ptx {
  int major = 0, minor = 0, target = 0;
  std::vector<Variable> variables;
  std::vector<Function> functions;
  const Function* find(const std::string& name) const;
};

// parse reads a module; PtxError on anything that it does not know.
Ptx parse(const std::string& text);

}  // namespace emu
