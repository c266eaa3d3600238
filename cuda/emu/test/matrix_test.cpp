// mma in every shape, with fragments laid out here as the instruction set manual gives them, one formula for each
// shape.
#include <cmath>
#include <functional>

#include "harness.h"

namespace {

struct Place {
  int row, column;
};
using Layout = std::function<Place(int lane, int i)>;

struct Case {
  std::string name;
  int m, n, k;
  std::string a, b, c, d;  // element types
  int na, nb, nc;          // elements a lane
  Layout pa, pb, pc;
};

int group(int lane) { return lane / 4; }
int in(int lane) { return lane % 4; }

// Layouts of a and b by shape and width, as in the manual.
Place c16(int l, int i) { return {i < 2 ? group(l) : group(l) + 8, in(l) * 2 + (i & 1)}; }
Place c8(int l, int i) { return {group(l), in(l) * 2 + i}; }

std::vector<Case> cases() {
  std::vector<Case> all;
  Layout a16k16 = [](int l, int i) {
    return Place{(i < 2 || (i >= 4 && i < 6)) ? group(l) : group(l) + 8,
                 i < 4 ? in(l) * 2 + (i & 1) : in(l) * 2 + (i & 1) + 8};
  };
  Layout b16k16 = [](int l, int i) { return Place{i < 2 ? in(l) * 2 + (i & 1) : in(l) * 2 + (i & 1) + 8, group(l)}; };
  Layout a16k8 = [](int l, int i) { return Place{i < 2 ? group(l) : group(l) + 8, in(l) * 2 + (i & 1)}; };
  Layout b16k8 = [](int l, int i) { return Place{in(l) * 2 + i, group(l)}; };
  for (const char* t : {"f16", "bf16"}) {
    all.push_back({"m16n8k16.row.col", 16, 8, 16, t, t, "f32", "f32", 8, 4, 4, a16k16, b16k16, c16});
    all.push_back({"m16n8k8.row.col", 16, 8, 8, t, t, "f32", "f32", 4, 2, 4, a16k8, b16k8, c16});
  }
  all.push_back({"m16n8k16.row.col", 16, 8, 16, "f16", "f16", "f16", "f16", 8, 4, 4, a16k16, b16k16, c16});
  all.push_back(
      {"m16n8k8.row.col", 16, 8, 8, "tf32", "tf32", "f32", "f32", 4, 2, 4,
       [](int l, int i) { return Place{i == 0 || i == 2 ? group(l) : group(l) + 8, i < 2 ? in(l) : in(l) + 4}; },
       [](int l, int i) { return Place{i == 0 ? in(l) : in(l) + 4, group(l)}; }, c16});
  all.push_back({"m16n8k4.row.col", 16, 8, 4, "tf32", "tf32", "f32", "f32", 2, 1, 4,
                 [](int l, int i) { return Place{i == 0 ? group(l) : group(l) + 8, in(l)}; },
                 [](int l, int) { return Place{in(l), group(l)}; }, c16});
  all.push_back({"m8n8k4.row.col", 8, 8, 4, "f64", "f64", "f64", "f64", 1, 1, 2,
                 [](int l, int) { return Place{group(l), in(l)}; }, [](int l, int) { return Place{in(l), group(l)}; },
                 c8});
  for (const char* t : {"s8", "u8"}) {
    all.push_back({"m8n8k16.row.col", 8, 8, 16, t, t, "s32", "s32", 4, 4, 2,
                   [](int l, int i) { return Place{group(l), in(l) * 4 + i}; },
                   [](int l, int i) { return Place{in(l) * 4 + i, group(l)}; }, c8});
    all.push_back({"m16n8k16.row.col", 16, 8, 16, t, t, "s32", "s32", 8, 4, 4,
                   [](int l, int i) { return Place{i < 4 ? group(l) : group(l) + 8, in(l) * 4 + (i & 3)}; },
                   [](int l, int i) { return Place{in(l) * 4 + i, group(l)}; }, c16});
    all.push_back({"m16n8k32.row.col", 16, 8, 32, t, t, "s32", "s32", 16, 8, 4,
                   [](int l, int i) {
                     return Place{(i < 4 || (i >= 8 && i < 12)) ? group(l) : group(l) + 8,
                                  i < 8 ? in(l) * 4 + (i & 3) : in(l) * 4 + (i & 3) + 16};
                   },
                   [](int l, int i) { return Place{i < 4 ? in(l) * 4 + i : in(l) * 4 + (i & 3) + 16, group(l)}; },
                   c16});
  }
  return all;
}

int bytesOf(const std::string& t) {
  return t == "f64" ? 8 : t == "f16" || t == "bf16" ? 2 : t == "s8" || t == "u8" ? 1 : 4;
}

// Small integers are exact in all types.
void put(u8* at, const std::string& t, int v) {
  float f = static_cast<float>(v);
  double e = v;
  if (t == "f64")
    std::memcpy(at, &e, 8);
  else if (t == "f32" || t == "tf32")
    std::memcpy(at, &f, 4);
  else if (t == "s32")
    std::memcpy(at, &v, 4);
  else if (t == "bf16")
    std::memcpy(at, reinterpret_cast<u8*>(&f) + 2, 2);
  else if (t == "f16") {
    u32 b = as<u32>(f);
    u16 h = v == 0 ? 0 : static_cast<u16>((b >> 16 & 0x8000) | (((b >> 23 & 255) - 112) << 10) | (b >> 13 & 1023));
    std::memcpy(at, &h, 2);
  } else {
    *at = static_cast<u8>(v);
  }
}

double get(const u8* at, const std::string& t) {
  if (t == "f64") return as<double>(*reinterpret_cast<const u64*>(at));
  if (t == "f32") return as<float>(*reinterpret_cast<const u32*>(at));
  if (t == "s32") return static_cast<double>(*reinterpret_cast<const i32*>(at));
  u16 h = *reinterpret_cast<const u16*>(at);
  double v = (h & 0x7fff) == 0 ? 0 : std::ldexp((h & 1023) + 1024, (h >> 10 & 31) - 25);
  return h >> 15 ? -v : v;
}

// Fragments lie lane by lane in memory, each in whole registers.
std::string loadRegisters(const char* base, const std::string& t, int bytes, int first, std::string& list) {
  int size = t == "f64" ? 8 : 4, count = bytes / size;
  std::string s, reg = t == "f64" ? "%e" : t == "f32" ? "%f" : "%r";
  s += "mul.wide.u32 %d5, %r0, " + std::to_string(bytes) + "; add.s64 %d5, %d5, " + base + ";\n";
  for (int i = 0; i < count; i++) {
    std::string r = reg + std::to_string(first + i);
    s += "ld.global." +
         std::string(size == 8    ? "f64 "
                     : t == "f32" ? "f32 "
                                  : "b32 ") +
         r + ", [%d5+" + std::to_string(i * size) + "];\n";
    list += (i ? ", " : "{") + r;
  }
  list += "}";
  return s;
}

void runCase(const Case& c, const std::string& text) {
  Random r{static_cast<u64>(c.m * 100 + c.k)};
  bool sign = c.a != "u8";
  auto value = [&] { return static_cast<int>(r.next() % 9) - (sign ? 4 : 0); };
  std::vector<double> a(static_cast<size_t>(c.m * c.k)), b(static_cast<size_t>(c.k * c.n)),
      x(static_cast<size_t>(c.m * c.n));
  for (auto* v : {&a, &b, &x})
    for (double& e : *v) e = value();
  int wa = c.na * bytesOf(c.a), wb = c.nb * bytesOf(c.b), wc = c.nc * bytesOf(c.c), wd = c.nc * bytesOf(c.d);
  std::vector<u8> fa(static_cast<size_t>(32 * wa)), fb(static_cast<size_t>(32 * wb)), fc(static_cast<size_t>(32 * wc));
  for (int l = 0; l < 32; l++) {
    for (int i = 0; i < c.na; i++)
      put(&fa[static_cast<size_t>(l * wa + i * bytesOf(c.a))], c.a,
          static_cast<int>(a[static_cast<size_t>(c.pa(l, i).row * c.k + c.pa(l, i).column)]));
    for (int i = 0; i < c.nb; i++)
      put(&fb[static_cast<size_t>(l * wb + i * bytesOf(c.b))], c.b,
          static_cast<int>(b[static_cast<size_t>(c.pb(l, i).row * c.n + c.pb(l, i).column)]));
    for (int i = 0; i < c.nc; i++)
      put(&fc[static_cast<size_t>(l * wc + i * bytesOf(c.c))], c.c,
          static_cast<int>(x[static_cast<size_t>(c.pc(l, i).row * c.n + c.pc(l, i).column)]));
  }
  std::string la, lb, lc;
  std::string body = loadRegisters("%d0", c.a, wa, 10, la) + loadRegisters("%d1", c.b, wb, 16, lb) +
                     loadRegisters("%d2", c.c, wc, 20, lc);
  body += text + " " + lc + ", " + la + ", " + lb + ", " + lc + ";\n";  // the result replaces c
  body += "mul.wide.u32 %d5, %r0, " + std::to_string(wd) + "; add.s64 %d5, %d5, %d3;\n";
  int size = c.d == "f64" ? 8 : 4;
  for (int i = 0; i < wd / size; i++)
    body += "st.global." +
            std::string(size == 8      ? "f64"
                        : c.d == "f32" ? "f32"
                                       : "b32") +
            " [%d5+" + std::to_string(i * size) + "], " +
            (c.d == "f64"   ? "%e"
             : c.d == "f32" ? "%f"
                            : "%r") +
            std::to_string(20 + i) + ";\n";
  u64 out = allocate(static_cast<size_t>(32 * wd));
  if (run(function(load(kernel(body)), "k"), Shape{}, Args(device(fa), device(fb), device(fc), out)))
    return report(__FILE__, __LINE__, text + ": " + lastFault());
  auto got = host<u8>(out, static_cast<size_t>(32 * wd));
  for (int l = 0; l < 32; l++)
    for (int i = 0; i < c.nc; i++) {
      Place p = c.pc(l, i);
      double want = x[static_cast<size_t>(p.row * c.n + p.column)];
      for (int k = 0; k < c.k; k++)
        want += a[static_cast<size_t>(p.row * c.k + k)] * b[static_cast<size_t>(k * c.n + p.column)];
      double v = get(&got[static_cast<size_t>(l * wd + i * bytesOf(c.d))], c.d);
      if (v != want)
        return report(
            __FILE__, __LINE__,
            text + " gives " + std::to_string(v) + " in lane " + std::to_string(l) + ", not " + std::to_string(want));
    }
}

void shapes() {
  begin();
  for (const Case& c : cases())
    runCase(c, "mma.sync.aligned." + c.name + "." + c.d + "." + c.a + "." + c.b + "." + c.c);
}

// The four products of m8n8k4 in f16: lanes 4q..4q+3 and 16+4q..16+4q+3 hold product q, in all layouts.
void quads() {
  begin();
  for (bool f32 : {false, true})
    for (bool rowA : {true, false})
      for (bool rowB : {true, false}) {
        // All four products as one block diagonal one: product q has rows and columns 8q to 8q+7.
        Case c{"", 32, 32, 16,      "f16",   "f16",  f32 ? "f32" : "f16", f32 ? "f32" : "f16",
               4,  4,  8,  nullptr, nullptr, nullptr};
        auto quad = [](int l) { return l % 16 / 4; };
        c.pa = [=](int l, int i) {
          int row = rowA ? l % 4 + (l < 16 ? 0 : 4) : i + (l < 16 ? 0 : 4), column = rowA ? i : l % 4;
          return Place{8 * quad(l) + row, 4 * quad(l) + column};
        };
        c.pb = [=](int l, int i) {
          int row = rowB ? l % 4 : i, column = rowB ? i + (l < 16 ? 0 : 4) : l % 4 + (l < 16 ? 0 : 4);
          return Place{4 * quad(l) + row, 8 * quad(l) + column};
        };
        c.pc = [=](int l, int i) {
          int row = f32 ? (l & 1) + (i & 2) : l % 4, column = f32 ? (i & 4) + (l & 2) + (i & 1) : i;
          return Place{8 * quad(l) + row + (l < 16 ? 0 : 4), 8 * quad(l) + column};
        };
        Case q = c;
        q.k = 4;  // seen by one quad: the reference reads only its own block
        q.pa = [=](int l, int i) { return Place{c.pa(l, i).row, c.pa(l, i).column % 4}; };
        q.pb = [=](int l, int i) { return Place{c.pb(l, i).row % 4, c.pb(l, i).column}; };
        std::string t = f32 ? "f32" : "f16";
        runCase(q, std::string("mma.sync.aligned.m8n8k4.") + (rowA ? "row." : "col.") + (rowB ? "row." : "col.") + t +
                       ".f16.f16." + t);
      }
}

}  // namespace

std::vector<Test> matrixTests() { return {{"matrices/shapes", shapes, {}}, {"matrices/quads", quads, {}}}; }
