#include "operations.h"

#include <cmath>
#include <map>

namespace {

std::vector<u64> integers(int bits) {
  std::vector<u64> v = {0, 1, 2, 3, 7, 15, 16, 31, 32, 33, 63, 64, 255, 0x55555555aaaaaaaaull, 0x123456789abcdef0ull};
  Random r{static_cast<u64>(bits)};
  for (u64 x :
       {~0ull, ~1ull, 1ull << (bits - 1), (1ull << (bits - 1)) - 1, (1ull << (bits - 1)) + 1, 0x8000ull, 0x7fffull})
    v.push_back(x);
  for (int i = 0; i < 4; i++) v.push_back(r.next());
  for (u64& x : v) x &= bits == 64 ? ~0ull : (1ull << bits) - 1;
  return v;
}

std::vector<u64> floats() {
  std::vector<u64> v;
  for (u32 x : {0u, 0x80000000u, 1u, 0x80000001u, 0x7fffffu, 0x800000u, 0x80800000u, 0x7f7fffffu, 0x7f800000u,
                0xff800000u, 0x7fc00001u, 0x34000000u})
    v.push_back(x);
  for (float x : {1.0f, -1.0f, 0.5f, 1.5f, 2.5f, -2.5f, 3.14159265f, 1e10f, -1e-20f, 1.0000001f, 88.5f, 4294967040.0f})
    v.push_back(as<u32>(x));
  return v;
}

std::vector<u64> doubles() {
  std::vector<u64> v = {0,
                        1ull << 63,
                        1,
                        0xfffffffffffffull,
                        1ull << 52,
                        0x7fefffffffffffffull,
                        0x7ffull << 52,
                        0xfffull << 52,
                        0x7ff8000000000001ull,
                        0x3cb0000000000000ull};
  for (double x :
       {1.0, -1.0, 0.5, 1.5, 2.5, -2.5, 3.141592653589793, 1e300, -1e-200, 1.0000000000000002, 700.25, 1e19, 0.1})
    v.push_back(as<u64>(x));
  return v;
}

std::vector<u64> halves() {
  return {0,      0x8000, 1,      0x3ff,  0x400,  0x8401, 0x7bff, 0x7c00, 0xfc00, 0x7e00,
          0x3c00, 0xbc00, 0x3c01, 0x3800, 0x4248, 0xc500, 0x6400, 0x1234, 0x5555, 0x0200};
}

std::vector<u64> pairs() {
  std::vector<u64> v;
  Random r{5};
  for (u64 a : halves()) v.push_back(a | halves()[r.next() % halves().size()] << 16);
  return v;
}

int bitsOf(const std::string& t) {
  return t == "pred" ? 32 : t == "f16x2" ? 32 : t == "h16" ? 16 : std::stoi(t.substr(1));
}
std::string loadType(const std::string& t) { return t == "f32" || t == "f64" ? t : "b" + std::to_string(bitsOf(t)); }

std::string registerOf(const std::string& t, int i) {
  std::string n = std::to_string(10 + i);
  if (t == "f32") return "%f" + n;
  if (t == "f64") return "%e" + n;
  return (bitsOf(t) == 16 ? "%h" : bitsOf(t) == 32 ? "%r" : "%d") + n;
}

// bodyOf loads operands of element i, applies the operation and stores the result.
std::string bodyOf(const Operation& o) {
  std::string s =
      "mad.lo.u32 %r3, %r1, %r2, %r0; ld.param.u32 %r4, [p3+4]; setp.ge.u32 %p9, %r3, %r4; @%p9 bra DONE;\n";
  std::string list;
  for (size_t i = 0; i < o.sources.size(); i++) {
    std::string bytes = std::to_string(bitsOf(o.sources[i]) / 8), reg = registerOf(o.sources[i], static_cast<int>(i));
    // the inputs of one operation lie one after another, each of 8 bytes an element
    s += "mul.wide.u32 %d5, %r4, " + std::to_string(8 * i) +
         "; add.s64 %d5, %d5, %d0; mul.wide.u32 %d6, %r3, 8; add.s64 %d5, %d5, %d6;\n";
    s += "ld.global." + loadType(o.sources[i]) + " " + reg + ", [%d5];\n";
    list += ", " + reg;
  }
  std::string result = o.result == "pred" ? "%p1" : registerOf(o.result, 5);
  s += o.text + " " + result + list + o.tail + ";\n";
  if (o.result == "pred") s += "selp.u32 %r15, 1, 0, %p1;\n", result = "%r15";
  std::string type = o.result == "pred" ? "b32" : loadType(o.result);
  s += "mul.wide.u32 %d6, %r3, 8; add.s64 %d6, %d6, %d1; st.global." + type + " [%d6], " + result + ";\nDONE:";
  return s;
}

double distance(u64 got, u64 want, const std::string& t) {
  if (t == "f32") {
    float a = as<float>(static_cast<u32>(got)), b = as<float>(static_cast<u32>(want));
    if (a != a && b != b) return 0;
    if (a == b) return as<u32>(a) == as<u32>(b) ? 0 : 0.5;
    return std::fabs(static_cast<double>(a) - b) / std::max(std::fabs(static_cast<double>(b)) * 0x1p-23, 0x1p-149);
  }
  if (t == "f64") {
    double a = as<double>(got), b = as<double>(want);
    if (a != a && b != b) return 0;
    if (a == b) return got == want ? 0 : 0.5;
    return std::fabs(a - b) / std::max(std::fabs(b) * 0x1p-52, 0x1p-1074);
  }
  return got == want ? 0 : 1e9;
}

}  // namespace

const std::vector<u64>& edges(const std::string& type) {
  static const std::map<std::string, std::vector<u64>> all = {
      {"b16", integers(16)}, {"b32", integers(32)}, {"b64", integers(64)}, {"f32", floats()},
      {"f64", doubles()},    {"h16", halves()},     {"f16x2", pairs()},
  };
  return all.at(type);
}

void check(const std::vector<Operation>& operations) {
  for (const Operation& o : operations) {
    std::vector<const std::vector<u64>*> values;
    size_t n = 1;
    for (const std::string& s : o.sources) values.push_back(&edges(s)), n *= values.back()->size();
    std::vector<u64> in(n * o.sources.size());
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0, rest = i; j < o.sources.size(); j++)
        in[j * n + i] = (*values[j])[rest % values[j]->size()], rest /= values[j]->size();
    u64 m = 0;
    if (cu("cuModuleLoadData", &m, kernel(bodyOf(o)).c_str())) {
      report(__FILE__, __LINE__, o.text + ": " + lastFault());
      continue;
    }
    u64 a = device(in), out = device(std::vector<u64>(n));
    if (run(function(m, "k"), Shape{static_cast<u32>((n + 127) / 128), 128},
            Args(a, out, u64{0}, static_cast<u64>(n) << 32))) {
      report(__FILE__, __LINE__, o.text + ": " + lastFault());
      return;
    }
    std::vector<u64> got = host<u64>(out, n);
    int wrong = 0;
    for (size_t i = 0; i < n; i++) {
      u64 x[3] = {};
      for (size_t j = 0; j < o.sources.size(); j++) x[j] = in[j * n + i];
      u64 mask = bitsOf(o.result) == 64 ? ~0ull : (1ull << bitsOf(o.result)) - 1,
          want = o.reference(x[0], x[1], x[2]) & mask;
      if (distance(got[i], want, o.result) <= o.ulps) continue;
      char text[200];
      std::snprintf(text, sizeof text, "%s(%llx, %llx, %llx) = %llx, not %llx", o.text.c_str(),
                    static_cast<unsigned long long>(x[0]), static_cast<unsigned long long>(x[1]),
                    static_cast<unsigned long long>(x[2]), static_cast<unsigned long long>(got[i]),
                    static_cast<unsigned long long>(want));
      if (wrong++ < 3) report(__FILE__, __LINE__, text);
    }
    cu("cuMemFree_v2", a), cu("cuMemFree_v2", out), cu("cuModuleUnload", m);
  }
}
