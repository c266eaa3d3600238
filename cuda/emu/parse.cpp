#include <cstdlib>
#include <set>

#include "ptx.h"

namespace emu {

const Function* Ptx::find(const std::string& name) const {
  const Function* found = nullptr;
  for (const Function& f : functions)
    if (f.name == name && (!found || f.defined)) found = &f;
  return found;
}

namespace {

struct Parser {
  std::vector<Token> tokens;
  size_t at = 0;
  Ptx out;

  const Token& peek(size_t ahead = 0) const { return tokens[std::min(at + ahead, tokens.size() - 1)]; }
  int line() const { return peek().line; }
  bool is(const char* sign) const { return peek().kind == Token::sign && peek().text == sign; }
  bool isWord(const char* word) const { return peek().kind == Token::word && peek().text == word; }

  [[noreturn]] void fail(const std::string& text) const { throw PtxError(line(), text); }

  bool take(const char* sign) {
    if (!is(sign)) return false;
    at++;
    return true;
  }

  bool takeWord(const char* word) {
    if (!isWord(word)) return false;
    at++;
    return true;
  }

  void expect(const char* sign) {
    if (!take(sign)) fail(std::string("expected '") + sign + "', found '" + peek().text + "'");
  }

  std::string word(const char* what) {
    if (peek().kind != Token::word) fail(std::string("expected ") + what + ", found '" + peek().text + "'");
    return tokens[at++].text;
  }

  // literal reads one number without its sign.
  Operand literal() {
    Token t = tokens[at++];
    const std::string& s = t.text;
    Operand o;
    char* end = nullptr;
    if (s.size() == 10 && s[0] == '0' && (s[1] == 'f' || s[1] == 'F')) {
      o.kind = Operand::f32;
      o.real = bitsAs<float>(static_cast<u32>(std::strtoul(s.c_str() + 2, &end, 16)));
      o.value = static_cast<i64>(std::strtoul(s.c_str() + 2, &end, 16));
    } else if (s.size() == 18 && s[0] == '0' && (s[1] == 'd' || s[1] == 'D')) {
      o.kind = Operand::f64;
      o.value = static_cast<i64>(std::strtoull(s.c_str() + 2, &end, 16));
      o.real = bitsAs<double>(o.value);
    } else if (s.find('.') != std::string::npos) {
      o.kind = Operand::f64;
      o.real = std::strtod(s.c_str(), &end);
      o.value = bitsAs<i64>(o.real);
    } else {
      o.kind = Operand::integer;
      bool binary = s.size() > 2 && s[0] == '0' && (s[1] == 'b' || s[1] == 'B');
      o.value = static_cast<i64>(binary ? std::strtoull(s.c_str() + 2, &end, 2) : std::strtoull(s.c_str(), &end, 0));
      if (*end == 'U') end++;
    }
    if (*end) throw PtxError(t.line, "malformed number '" + s + "'");
    return o;
  }

  Operand signedLiteral() {
    bool minus = take("-");
    if (peek().kind != Token::number) fail("expected a number, found '" + peek().text + "'");
    Operand o = literal();
    if (!minus) return o;
    if (o.kind == Operand::integer)
      o.value = -o.value;
    else
      o.real = -o.real, o.value = o.kind == Operand::f32 ? o.value ^ 0x80000000ll : bitsAs<i64>(o.real);
    return o;
  }

  i64 integer(const char* what) {
    Operand o = signedLiteral();
    if (o.kind != Operand::integer) fail(std::string("expected an integer for ") + what);
    return o.value;
  }

  Operand group(const char* close, Operand::Kind kind) {
    Operand o;
    o.kind = kind;
    at++;
    while (!take(close)) {
      o.parts.push_back(operand());
      if (!is(close)) expect(",");
    }
    return o;
  }

  Operand address() {
    Operand o;
    at++;
    o.kind = Operand::address;
    if (peek().kind == Token::word)
      o.text = word("an address");
    else
      o.value = integer("an address");
    while (is("+") || is("-")) {
      bool minus = is("-");
      if (!minus) at++;
      o.value += integer("an offset");
    }
    if (!take("]")) fail("unsupported form of address at '" + peek().text + "'");
    return o;
  }

  Operand operand() {
    if (is("[")) return address();
    if (is("{")) return group("}", Operand::vector);
    if (is("(")) return group(")", Operand::list);
    if (is("-") || peek().kind == Token::number) return signedLiteral();
    Operand o;
    o.negated = take("!");
    o.text = word("an operand");
    if (o.text == "_") return o;  // a sink
    o.kind = Operand::name;
    if (take("|")) {
      o.paired = true;
      o.parts.push_back(operand());
    } else if (take("+")) {
      o.value = integer("an offset");
    }
    return o;
  }

  // types reads .align N, .v2/.v4, .ptr clauses and the element type.
  void typeOf(Variable& v) {
    for (;;) {
      std::string w = word("a type");
      if (w == ".align")
        v.align = static_cast<u64>(integer("an alignment"));
      else if (w == ".v2")
        v.vec = 2;
      else if (w == ".v4")
        v.vec = 4;
      else if (Ty t = tyFrom(w.substr(1)); w[0] == '.' && t != Ty::none) {
        v.type = t;
        break;
      } else {
        fail("unknown type '" + w + "'");
      }
    }
    while (takeWord(".ptr") || takeWord(".global") || takeWord(".shared") || takeWord(".const") || takeWord(".local")) {
    }
    if (takeWord(".align")) integer("an alignment");  // of what a pointer parameter points to
  }

  void arraySizes(Variable& v) {
    while (take("[")) {
      if (take("]")) {
        v.count = 0;
        continue;
      }
      i64 n = integer("an array size");
      if (n < 0) fail("negative array size");
      v.count *= static_cast<u64>(n);
      expect("]");
    }
  }

  void putValue(Variable& v) {
    if (peek().kind == Token::word) {
      bool generic = takeWord("generic");
      if (generic) expect("(");
      std::string symbol = word("a symbol");
      if (generic) expect(")");
      i64 offset = take("+") ? integer("an offset") : 0;
      if (sizeOf(v.type) != 8) fail("an address needs 8-byte elements");
      v.addresses.push_back({v.init.size(), {symbol, offset}});
      v.init.resize(v.init.size() + 8);
      return;
    }
    Operand o = signedLiteral();
    u64 bits = static_cast<u64>(o.value);
    if (v.type == Ty::f32 && o.kind != Operand::f32)
      bits = bitsAs<u32>(static_cast<float>(o.kind == Operand::integer ? static_cast<double>(o.value) : o.real));
    if (v.type == Ty::f64 && o.kind != Operand::f64)
      bits = bitsAs<u64>(o.kind == Operand::integer ? static_cast<double>(o.value) : o.real);
    for (int i = 0; i < sizeOf(v.type); i++) v.init.push_back(static_cast<u8>(bits >> (8 * i)));
  }

  void values(Variable& v) {
    if (!take("{")) return putValue(v);
    while (!take("}")) {
      values(v);
      if (!is("}")) expect(",");
    }
  }

  // variables reads one declaration of one or more names after the state space.
  std::vector<Variable> variables(const std::string& space) {
    Variable base;
    base.space = space;
    base.line = line();
    typeOf(base);
    std::vector<Variable> all;
    do {
      Variable v = base;
      v.name = word("a name");
      if (take("<")) {
        v.range = static_cast<int>(integer("a register range"));
        if (v.range < 0 || v.range > 1 << 20) fail("register range out of bounds");
        expect(">");
      }
      arraySizes(v);
      if (take("=")) values(v);
      if (v.count == 0 && !v.init.empty()) v.count = v.init.size() / static_cast<u64>(sizeOf(v.type));
      if (v.init.size() > v.bytes()) fail("more initial values than elements of " + v.name);
      all.push_back(v);
    } while (take(","));
    return all;
  }

  std::vector<Variable> parameters() {
    std::vector<Variable> all;
    if (!take("(")) return all;
    while (!take(")")) {
      std::string space = word("a parameter");
      if (space != ".param" && space != ".reg") fail("unexpected '" + space + "' in a parameter list");
      Variable v;
      v.space = space.substr(1);
      v.line = line();
      typeOf(v);
      v.name = word("a parameter name");
      arraySizes(v);
      all.push_back(v);
      if (!is(")")) expect(",");
    }
    return all;
  }

  void triple(u32 (&into)[3]) {
    into[0] = into[1] = into[2] = 1;
    for (int i = 0; i < 3; i++) {
      into[i] = static_cast<u32>(integer("a thread count"));
      if (!take(",")) break;
    }
  }

  void function(bool entry) {
    Function f;
    f.entry = entry;
    f.line = line();
    if (!entry) f.results = parameters();
    f.name = word("a function name");
    f.params = parameters();
    for (;;) {
      if (takeWord(".maxntid"))
        triple(f.maxThreads);
      else if (takeWord(".reqntid"))
        triple(f.reqThreads);
      else if (takeWord(".minnctapersm") || takeWord(".maxnctapersm") || takeWord(".maxnreg"))
        integer("a limit");
      else if (takeWord(".noreturn"))
        continue;
      else
        break;
    }
    if (!take(";")) {
      f.defined = true;
      body(f);
    }
    out.functions.push_back(std::move(f));
  }

  void body(Function& f) {
    if (!is("{")) fail("expected the body of " + f.name + ", found '" + peek().text + "'");
    int depth = 0;
    do {
      Statement s;
      s.line = line();
      if (peek().kind == Token::end) fail("text ends inside " + f.name);
      if (take("{"))
        depth++, s.kind = Statement::open, f.body.push_back(s);
      else if (take("}"))
        depth--, s.kind = Statement::close, f.body.push_back(s);
      else if (!take(";"))
        statement(f, s);
    } while (depth > 0);
  }

  void statement(Function& f, Statement& s) {
    static const std::set<std::string> spaces = {".reg", ".shared", ".local", ".param", ".global", ".const"};
    bool external = takeWord(".extern");
    if (peek().kind == Token::word && spaces.count(peek().text)) {
      std::string space = word("a state space").substr(1);
      for (Variable& v : variables(space)) {
        v.external = external;
        s.kind = Statement::declare;
        s.var = v;
        f.body.push_back(s);
      }
      return expect(";");
    }
    if (isWord(".pragma") || isWord(".callprototype")) {
      while (!take(";")) {
        if (peek().kind == Token::end) fail("directive without end");
        at++;
      }
      return;
    }
    if (takeWord(".branchtargets")) {
      s.kind = Statement::targets;
      do s.labels.push_back(word("a label"));
      while (take(","));
      f.body.push_back(s);
      return expect(";");
    }
    instruction(f, s);
  }

  void instruction(Function& f, Statement& s) {
    if (take("@")) {
      s.guardNegated = take("!");
      s.guard = word("a predicate");
    }
    s.op = word("an instruction");
    if (s.guard.empty() && take(":")) {
      s.kind = Statement::label;
      f.body.push_back(s);
      return;
    }
    if (s.op[0] == '.') fail("unknown directive '" + s.op + "'");
    s.kind = Statement::instruction;
    while (!take(";")) {
      s.args.push_back(operand());
      if (!is(";")) expect(",");
    }
    f.body.push_back(s);
  }

  void header(const std::string& w) {
    if (w == ".version") {
      Token t = tokens[at++];
      if (t.kind != Token::number || std::sscanf(t.text.c_str(), "%d.%d", &out.major, &out.minor) != 2)
        throw PtxError(t.line, "malformed .version '" + t.text + "'");
    } else if (w == ".target") {
      do {
        std::string target = word("a target");
        if (std::sscanf(target.c_str(), "sm_%d", &out.target) != 1 && target != "texmode_independent" &&
            target != "debug")
          fail("unknown target '" + target + "'");
      } while (take(","));
    } else if (integer("an address size") != 64) {
      fail("only .address_size 64 is supported");
    }
  }

  void skipSection() {
    while (!is("{")) {
      if (peek().kind == Token::end) fail("section without body");
      at++;
    }
    for (int depth = 0;; at++) {
      if (peek().kind == Token::end) fail("section without end");
      if (is("{")) depth++;
      if (is("}") && --depth == 0) break;
    }
    at++;
  }

  Ptx run() {
    bool external = false;
    while (peek().kind != Token::end) {
      std::string w = word("a directive");
      if (w == ".version" || w == ".target" || w == ".address_size")
        header(w);
      else if (w == ".visible" || w == ".weak" || w == ".common")
        external = false;
      else if (w == ".extern")
        external = true;
      else if (w == ".entry" || w == ".func")
        function(w == ".entry"), external = false;
      else if (w == ".section")
        skipSection();
      else if (w == ".global" || w == ".const" || w == ".shared") {
        for (Variable& v : variables(w.substr(1))) {
          v.external = external;
          out.variables.push_back(v);
        }
        external = false;
        expect(";");
      } else {
        at--;
        fail("unknown directive '" + w + "'");
      }
    }
    if (out.major == 0) throw PtxError(1, ".version is missing");
    if (out.target == 0) throw PtxError(1, ".target is missing");
    return std::move(out);
  }
};

}  // namespace

Ptx parse(const std::string& text) {
  Parser p;
  p.tokens = lex(text);
  return p.run();
}

}  // namespace emu
