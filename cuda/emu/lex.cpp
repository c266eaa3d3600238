#include <cctype>
#include <cstdarg>
#include <map>

#include "ptx.h"

namespace emu {

std::string format(const char* form, ...) {
  va_list args;
  va_start(args, form);
  char buffer[2048];
  std::vsnprintf(buffer, sizeof buffer, form, args);
  va_end(args);
  return buffer;
}

Ty tyFrom(const std::string& name) {
  static const std::map<std::string, Ty> table = {
      {"u8", Ty::u8},     {"u16", Ty::u16},   {"u32", Ty::u32},       {"u64", Ty::u64}, {"s8", Ty::s8},
      {"s16", Ty::s16},   {"s32", Ty::s32},   {"s64", Ty::s64},       {"b8", Ty::b8},   {"b16", Ty::b16},
      {"b32", Ty::b32},   {"b64", Ty::b64},   {"b128", Ty::b128},     {"f16", Ty::f16}, {"f16x2", Ty::f16x2},
      {"bf16", Ty::bf16}, {"tf32", Ty::tf32}, {"bf16x2", Ty::bf16x2}, {"f32", Ty::f32}, {"f64", Ty::f64},
      {"pred", Ty::pred},
  };
  auto at = table.find(name);
  return at == table.end() ? Ty::none : at->second;
}

namespace {

bool wordStart(char c) { return std::isalpha(static_cast<u8>(c)) || c == '_' || c == '$' || c == '%' || c == '.'; }
bool wordPart(char c) { return std::isalnum(static_cast<u8>(c)) || c == '_' || c == '$' || c == '%' || c == '.'; }

struct Lexer {
  const std::string& text;
  size_t at = 0;
  int line = 1;
  std::vector<Token> out;

  char peek(size_t ahead = 0) const { return at + ahead < text.size() ? text[at + ahead] : '\0'; }

  void skipLine() {
    while (at < text.size() && text[at] != '\n') at++;
  }

  void skipBlockComment() {
    int from = line;
    for (at += 2; peek() != '*' || peek(1) != '/'; at++) {
      if (at >= text.size()) throw PtxError(from, "comment without end");
      if (peek() == '\n') line++;
    }
    at += 2;
  }

  void readString() {
    std::string s;
    for (at++; peek() != '"'; at++) {
      if (at >= text.size() || peek() == '\n') throw PtxError(line, "string without end");
      s += peek();
    }
    at++;
    out.push_back({Token::string, s, line});
  }

  void readWord() {
    size_t from = at;
    for (;; at++) {
      if (wordPart(peek())) continue;
      if (peek() == ':' && peek(1) == ':') {  // a modifier such as .L2::128B
        at++;
        continue;
      }
      break;
    }
    std::string word = text.substr(from, at - from);
    if (word == ".loc" || word == ".file") {  // these end with the line
      skipLine();
      return;
    }
    out.push_back({Token::word, word, line});
  }

  void readNumber() {
    size_t from = at;
    while (std::isalnum(static_cast<u8>(peek())) || peek() == '.' ||
           ((peek() == '+' || peek() == '-') && decimalExponent(from)))
      at++;
    out.push_back({Token::number, text.substr(from, at - from), line});
  }

  // decimalExponent tells whether a sign at this place belongs to a number such as 1.5e-3.
  bool decimalExponent(size_t from) const {
    char last = text[at - 1];
    return (last == 'e' || last == 'E') && text.substr(from, at - from).find('.') != std::string::npos;
  }

  std::vector<Token> run() {
    while (at < text.size()) {
      char c = peek();
      if (c == '\n')
        line++, at++;
      else if (std::isspace(static_cast<u8>(c)))
        at++;
      else if (c == '/' && peek(1) == '/')
        skipLine();
      else if (c == '/' && peek(1) == '*')
        skipBlockComment();
      else if (c == '"')
        readString();
      else if (wordStart(c))
        readWord();
      else if (std::isdigit(static_cast<u8>(c)))
        readNumber();
      else if (std::string("{}[]();,:+-|!<>=@").find(c) != std::string::npos)
        out.push_back({Token::sign, std::string(1, c), line}), at++;
      else
        throw PtxError(line, format("unexpected character 0x%02x", static_cast<u8>(c)));
    }
    out.push_back({Token::end, "end of text", line});
    return std::move(out);
  }
};

}  // namespace

std::vector<Token> lex(const std::string& text) { return Lexer{text, 0, 1, {}}.run(); }

}  // namespace emu
