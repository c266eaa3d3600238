// Matrix instructions of a warp: ldmatrix, mma, wmma. All lanes take part.
#include <algorithm>
#include <cmath>

#include "half.h"
#include "lanes.h"

namespace emu {

namespace {

// Shape of a product; types of a and b, c, d; each element of a register of 32 bits, for 16- and 8-bit types.
struct Product {
  int m = 0, n = 0, k = 0;
  Ty ab = Ty::none, bb = Ty::none, c = Ty::none, d = Ty::none;
  bool aColumns = false, bRows = false, saturate = false;
};

struct Place {
  int row, column;
};

int packed(Ty t) { return t == Ty::f16 || t == Ty::bf16 ? 2 : sizeOf(t) == 1 ? 4 : 1; }

// The documented fragments: with group g = lane/4 and t = lane%4, register r and element j of it.
Place placeA(const Product& p, int lane, int i) {
  int e = packed(p.ab), r = i / e, j = i % e, g = lane / 4, t = lane % 4;
  if (p.m == 16) return {g + 8 * (r & 1), e * t + j + 4 * e * (r >> 1)};
  return {g, e * t + j + 4 * e * r};
}
Place placeB(const Product& p, int lane, int i) {
  int e = packed(p.bb), r = i / e, j = i % e, g = lane / 4, t = lane % 4;
  return {e * t + j + 4 * e * r, g};
}
Place placeC(const Product&, int lane, int i) { return {lane / 4 + 8 * (i >> 1), 2 * (lane % 4) + (i & 1)}; }

// element reads element i of a fragment whose registers start at in.list[from].
double element(const Warp& w, const Inst& in, size_t from, Ty t, int lane, int i) {
  int e = packed(t);
  u32 at = in.list[from + static_cast<size_t>(i / e)];
  if (t == Ty::f64) return w.reg<double>(at)[lane];
  u32 x = w.reg<u32>(at)[lane];
  switch (t) {
    case Ty::f16: return fromHalf(static_cast<u16>(x >> (16 * (i % 2))));
    case Ty::bf16: return fromBfloat(static_cast<u16>(x >> (16 * (i % 2))));
    case Ty::tf32: return bitsAs<float>(x & ~0x1fffu);  // the low bits are not looked at
    case Ty::s8: return static_cast<i8>(x >> (8 * (i % 4)));
    case Ty::u8: return static_cast<u8>(x >> (8 * (i % 4)));
    case Ty::s32: return static_cast<i32>(x);
    default: return bitsAs<float>(x);
  }
}

void putElement(Warp& w, const Inst& in, Ty t, int lane, int i, double v) {
  u32 at = in.list[static_cast<size_t>(t == Ty::f16 ? i / 2 : i)];
  if (t == Ty::f64)
    w.reg<double>(at)[lane] = v;
  else if (t == Ty::f16)
    w.reg<u16>(at)[2 * lane + i % 2] = toHalf(v);
  else if (t == Ty::s32)
    w.reg<u32>(at)[lane] = static_cast<u32>(static_cast<i64>(v));
  else
    w.reg<float>(at)[lane] = static_cast<float>(v);
}

// dot is one element of the result. Products of narrow types are exact in double; the sum is rounded once to the
// result.
double dot(const Product& p, const double* a, const double* b, double c) {
  double sum = c;
  for (int k = 0; k < p.k; k++) sum = std::fma(a[k], b[k], sum);
  if (p.d != Ty::s32) return sum;
  if (p.saturate) return std::min(std::max(sum, -2147483648.0), 2147483647.0);
  return static_cast<i32>(static_cast<u32>(static_cast<i64>(sum)));
}

Product productOf(const Inst& in) {
  Product p;
  std::memcpy(static_cast<void*>(&p), in.list.data() + in.list.size() - (sizeof(Product) + 3) / 4, sizeof p);
  return p;
}
void keepProduct(Inst& in, const Product& p) {
  std::vector<u32> words((sizeof(Product) + 3) / 4);
  std::memcpy(words.data(), &p, sizeof p);
  in.list.insert(in.list.end(), words.begin(), words.end());
}

// Registers of the fragments; those of d come first in Inst::list, then a, b, c.
int registersOf(int elements, Ty t) { return elements / 32 / packed(t); }

struct Matrices {
  double a[32][32], b[32][32], c[32][32];  // b by columns
};

void multiply(const Product& p, Matrices& x) {
  for (int r = 0; r < p.m; r++)
    for (int c = 0; c < p.n; c++) x.c[r][c] = dot(p, x.a[r], x.b[c], x.c[r][c]);
}

void mma(Warp& w, const Inst& in, u32) {
  Product p = productOf(in);
  Matrices x;
  size_t nd = static_cast<size_t>(registersOf(p.m * p.n, p.d)), na = static_cast<size_t>(registersOf(p.m * p.k, p.ab)),
         nb = static_cast<size_t>(registersOf(p.k * p.n, p.bb));
  for (int l = 0; l < kLanes; l++) {
    for (int i = 0; i < p.m * p.k / 32; i++) {
      Place at = placeA(p, l, i);
      x.a[at.row][at.column] = element(w, in, nd, p.ab, l, i);
    }
    for (int i = 0; i < p.k * p.n / 32; i++) {
      Place at = placeB(p, l, i);
      x.b[at.column][at.row] = element(w, in, nd + na, p.bb, l, i);
    }
    for (int i = 0; i < p.m * p.n / 32; i++) {
      Place at = placeC(p, l, i);
      x.c[at.row][at.column] = element(w, in, nd + na + nb, p.c, l, i);
    }
  }
  multiply(p, x);
  for (int l = 0; l < kLanes; l++)
    for (int i = 0; i < p.m * p.n / 32; i++) {
      Place at = placeC(p, l, i);
      putElement(w, in, p.d, l, i, x.c[at.row][at.column]);
    }
}

// The f16 form m8n8k4 is four products, one for each group of lanes 4q..4q+3 and 16+4q..16+4q+3.
Place quadA(const Product& p, int lane, int i) {
  int low = lane % 4, high = lane >= 16 ? 4 : 0;
  return p.aColumns ? Place{i + high, low} : Place{low + high, i};
}
Place quadB(const Product& p, int lane, int i) {
  int low = lane % 4, high = lane >= 16 ? 4 : 0;
  return p.bRows ? Place{low, i + high} : Place{i, low + high};
}
Place quadC(Ty t, int lane, int i) {
  int high = lane >= 16 ? 4 : 0;
  if (t == Ty::f16) return {lane % 4 + high, i};
  return {(lane & 1) + (i & 2) + high, (i & 4) + (lane & 2) + (i & 1)};
}

void mmaQuads(Warp& w, const Inst& in, u32) {
  Product p = productOf(in);
  size_t nd = p.d == Ty::f16 ? 4 : 8;
  Matrices x[4];
  for (int l = 0; l < kLanes; l++) {
    Matrices& q = x[l % 16 / 4];
    for (int i = 0; i < 4; i++) {
      Place a = quadA(p, l, i), b = quadB(p, l, i);
      q.a[a.row][a.column] = element(w, in, nd, Ty::f16, l, i);
      q.b[b.column][b.row] = element(w, in, nd + 2, Ty::f16, l, i);
    }
    for (int i = 0; i < 8; i++) {
      Place c = quadC(p.c, l, i);
      q.c[c.row][c.column] = element(w, in, nd + 4, p.c, l, i);
    }
  }
  for (Matrices& q : x) multiply(p, q);
  for (int l = 0; l < kLanes; l++)
    for (int i = 0; i < 8; i++) {
      Place d = quadC(p.d, l, i);
      putElement(w, in, p.d, l, i, x[l % 16 / 4].c[d.row][d.column]);
    }
}

void shapeFrom(Decoder& d, Product& p) {
  if (d.mods.at >= d.mods.parts.size() ||
      std::sscanf(d.mods.parts[d.mods.at].c_str(), "m%dn%dk%d", &p.m, &p.n, &p.k) != 3)
    d.bad("unknown shape");
  d.mods.at++;
}

void alignedSync(Decoder& d) {
  if (!d.mods.take("sync")) d.bad("needs .sync");
  d.mods.take("aligned");
  d.in.kind = Kind::gather;
  d.in.e = d.constant(kFull, 4);
}

// fragment reads the registers of one operand.
void fragment(Decoder& d, const Operand& o, int registers, Ty t, bool writes) {
  std::vector<Operand> parts = o.kind == Operand::vector ? o.parts : std::vector<Operand>{o};
  if (static_cast<int>(parts.size()) != registers)
    d.bad(format("an operand has %zu registers, needs %d", parts.size(), registers));
  Ty as = t == Ty::f64 || t == Ty::f32 || t == Ty::s32 ? t : Ty::b32;
  for (const Operand& part : parts) d.in.list.push_back(writes ? d.dst(part, as) : d.src(part, as));
}

bool supported(const Product& p) {
  auto shape = [&](int m, int n, int k) { return p.m == m && p.n == n && p.k == k; };
  bool real = p.c == p.d && p.d == Ty::f32;
  if (p.ab == Ty::f16 && p.bb == Ty::f16)
    return (shape(16, 8, 8) || shape(16, 8, 16)) && (real || (p.c == Ty::f16 && p.d == Ty::f16));
  if (p.ab == Ty::bf16 && p.bb == Ty::bf16) return (shape(16, 8, 8) || shape(16, 8, 16)) && real;
  if (p.ab == Ty::tf32 && p.bb == Ty::tf32) return (shape(16, 8, 4) || shape(16, 8, 8)) && real;
  if (p.ab == Ty::f64 && p.bb == Ty::f64) return shape(8, 8, 4) && p.c == Ty::f64 && p.d == Ty::f64;
  if (sizeOf(p.ab) == 1 && sizeOf(p.bb) == 1)
    return (shape(8, 8, 16) || shape(16, 8, 16) || shape(16, 8, 32)) && p.c == Ty::s32 && p.d == Ty::s32;
  return false;
}

void decodeMma(Decoder& d) {
  alignedSync(d);
  Product p;
  shapeFrom(d, p);
  std::string a = d.mods.oneOf({"row", "col"}), b = d.mods.oneOf({"row", "col"});
  p.aColumns = a == "col";
  p.bRows = b == "row";
  p.saturate = d.mods.take("satfinite");
  p.d = d.mods.type(), p.ab = d.mods.type(), p.bb = d.mods.type(), p.c = d.mods.type();
  d.count(4);
  bool quads = p.m == 8 && p.n == 8 && p.k == 4 && p.ab == Ty::f16 && p.bb == Ty::f16;
  if (a.empty() || b.empty() || (!quads && (p.aColumns || p.bRows))) d.bad("unsupported layout");
  if (quads) {
    auto good = [](Ty t) { return t == Ty::f16 || t == Ty::f32; };
    if (!good(p.c) || !good(p.d)) d.bad("unsupported type");
    fragment(d, d.arg(0), p.d == Ty::f16 ? 4 : 8, p.d, true);
    fragment(d, d.arg(1), 2, Ty::f16, false);
    fragment(d, d.arg(2), 2, Ty::f16, false);
    fragment(d, d.arg(3), p.c == Ty::f16 ? 4 : 8, p.c, false);
  } else {
    if (!supported(p)) d.bad("unsupported shape or type");
    fragment(d, d.arg(0), registersOf(p.m * p.n, p.d), p.d, true);
    fragment(d, d.arg(1), registersOf(p.m * p.k, p.ab), p.ab, false);
    fragment(d, d.arg(2), registersOf(p.k * p.n, p.bb), p.bb, false);
    fragment(d, d.arg(3), registersOf(p.m * p.n, p.c), p.c, false);
  }
  keepProduct(d.in, p);
  d.need(quads ? mmaQuads : mma);
  d.emit();
}

// ldmatrix: lane 8i+r gives the address of row r of matrix i; lane l receives elements 2(l%4) and the next of row l/4,
// or, transposed, of column l/4.
void ldmatrix(Warp& w, const Inst& in, u32) {
  for (u32 i = 0; i < in.vec; i++) {
    u16 matrix[8][8];
    for (int r = 0; r < 8; r++) {
      int lane = static_cast<int>(8 * i) + r;
      std::memcpy(matrix[r], resolveIn(w, in, in.space, lane, addressAt(w, in, lane), 16, Access::read, nullptr), 16);
    }
    for (int l = 0; l < kLanes; l++) {
      int r = l / 4, c = 2 * (l % 4);
      u32 low = in.op ? matrix[c][r] : matrix[r][c], high = in.op ? matrix[c + 1][r] : matrix[r][c + 1];
      w.reg<u32>(in.list[i])[l] = low | high << 16;
    }
  }
}

void decodeLdmatrix(Decoder& d) {
  alignedSync(d);
  if (!d.mods.take("m8n8")) d.bad("unknown shape");
  std::string many = d.mods.oneOf({"x1", "x2", "x4"});
  if (many.empty()) d.bad("needs .x1, .x2 or .x4");
  d.in.op = d.mods.take("trans");
  Space space = d.mods.take("shared") || d.mods.take("shared::cta") ? Space::shared : Space::generic;
  if (d.mods.type() != Ty::b16) d.bad("needs .b16");
  d.in.op |= d.mods.take("trans");
  d.count(2);
  d.in.vec = static_cast<u8>(many[1] - '0');
  fragment(d, d.arg(0), d.in.vec, Ty::b32, true);
  d.address(d.arg(1), space);
  d.need(ldmatrix);
  d.emit();
}

// wmma fragments have no documented layout; here lane l holds consecutive elements in rows. f16 ones of a and b have 16
// elements a lane and repeat the matrix.
struct Tile {
  int rows = 0, columns = 0, perLane = 0;
  bool byColumns = false;
  Ty type = Ty::none;
};

constexpr int kTileWords = (sizeof(Tile) + 3) / 4;

Tile tileOf(const Inst& in) {
  Tile t;
  std::memcpy(static_cast<void*>(&t), in.list.data() + in.list.size() - kTileWords, sizeof t);
  return t;
}

u64 tileAddress(const Warp& w, const Inst& in, const Tile& t, int lane, int element) {
  int r = element / t.columns, c = element % t.columns;
  i64 stride = w.reg<i32>(in.c)[lane];
  i64 offset = t.byColumns ? c * stride + r : r * stride + c;
  return addressAt(w, in, lane) + static_cast<u64>(offset * std::max(2, sizeOf(t.type)));
}

void tileLoad(Warp& w, const Inst& in, u32) {
  Tile t = tileOf(in);
  u32 size = static_cast<u32>(sizeOf(t.type) == 2 ? 2 : 4);
  for (int l = 0; l < kLanes; l++)
    for (int i = 0; i < t.perLane; i++) {
      int e = (l * t.perLane + i) % (t.rows * t.columns);
      const u8* p = resolveIn(w, in, in.space, l, tileAddress(w, in, t, l, e), size, Access::read, nullptr);
      std::memcpy(w.registers + in.list[static_cast<size_t>(i * static_cast<int>(size) / 4)] + l * 4 +
                      (i * static_cast<int>(size)) % 4,
                  p, size);
    }
}

void tileStore(Warp& w, const Inst& in, u32) {
  Tile t = tileOf(in);
  u32 size = static_cast<u32>(sizeOf(t.type) == 2 ? 2 : 4);
  for (int l = 0; l < kLanes; l++)
    for (int i = 0; i < t.perLane; i++) {
      const u8* value = w.registers + in.list[static_cast<size_t>(i * static_cast<int>(size) / 4)] + l * 4 +
                        (i * static_cast<int>(size)) % 4;
      std::memcpy(
          resolveIn(w, in, in.space, l, tileAddress(w, in, t, l, l * t.perLane + i), size, Access::write, value), value,
          size);
    }
}

int tileElements(Ty t, int count) { return t == Ty::f16 ? 16 : count / 32; }

void wmma(Warp& w, const Inst& in, u32) {
  Product p = productOf(in);
  Matrices x;
  int na = tileElements(p.ab, p.m * p.k), nb = tileElements(p.ab, p.k * p.n), nc = p.m * p.n / 32;
  size_t nd = static_cast<size_t>(nc / (p.d == Ty::f16 ? 2 : 1)), ra = static_cast<size_t>(na / packed(p.ab)),
         rb = static_cast<size_t>(nb / packed(p.ab));
  for (int l = 0; l < kLanes; l++) {
    for (int i = 0; i < na; i++) {
      int e = (l * na + i) % (p.m * p.k);
      x.a[e / p.k][e % p.k] = element(w, in, nd, p.ab, l, i);
    }
    for (int i = 0; i < nb; i++) {
      int e = (l * nb + i) % (p.k * p.n);
      x.b[e % p.n][e / p.n] = element(w, in, nd + ra, p.ab, l, i);
    }
    for (int i = 0; i < nc; i++) {
      int e = l * nc + i;
      x.c[e / p.n][e % p.n] = element(w, in, nd + ra + rb, p.c, l, i);
    }
  }
  multiply(p, x);
  for (int l = 0; l < kLanes; l++)
    for (int i = 0; i < nc; i++) putElement(w, in, p.d, l, i, x.c[(l * nc + i) / p.n][(l * nc + i) % p.n]);
}

bool tileShape(const Product& p) {
  auto shape = [&](int m, int n, int k) { return p.m == m && p.n == n && p.k == k; };
  if (p.ab == Ty::tf32) return shape(16, 16, 8);
  return shape(16, 16, 16) || shape(32, 8, 16) || shape(8, 32, 16);
}

void decodeTileMove(Decoder& d, const std::string& what) {
  bool stores = what == "store";
  std::string which = d.mods.oneOf({"a", "b", "c", "d"});
  alignedSync(d);
  Tile t;
  std::string layout = d.mods.oneOf({"row", "col"});
  Product p;
  shapeFrom(d, p);
  Space space = d.mods.take("global")                                 ? Space::global
                : d.mods.take("shared") || d.mods.take("shared::cta") ? Space::shared
                                                                      : Space::generic;
  t.type = p.ab = d.mods.type();
  if (layout.empty() || (which == "d") != stores || which.empty() ||
      !(tileShape(p) || (p.m == 16 && p.n == 16 && p.k == 8)))
    d.bad("unsupported form");
  bool result = which == "c" || which == "d";
  t.rows = which == "b" ? p.k : p.m;
  t.columns = which == "a" ? p.k : p.n;
  t.byColumns = layout == "col";
  bool good =
      result ? t.type == Ty::f16 || t.type == Ty::f32 : t.type == Ty::f16 || t.type == Ty::bf16 || t.type == Ty::tf32;
  if (!good) d.bad("unsupported type");
  t.perLane = result ? t.rows * t.columns / 32 : tileElements(t.type, t.rows * t.columns);
  const Operand& address = d.arg(stores ? 0 : 1);
  fragment(d, d.arg(stores ? 1 : 0), t.perLane / packed(t.type), t.type, !stores);
  if (d.st->args.size() == 3)
    d.in.c = d.src(d.arg(2), Ty::b32);
  else
    d.count(2), d.in.c = d.constant(static_cast<u64>(t.byColumns ? t.rows : t.columns), 4);
  std::vector<u32> words(kTileWords);
  std::memcpy(words.data(), &t, sizeof t);
  d.in.list.insert(d.in.list.end(), words.begin(), words.end());
  d.address(address, space);
  d.need(stores ? tileStore : tileLoad);
  d.emit();
}

void decodeWmma(Decoder& d) {
  std::string what = d.mods.oneOf({"load", "store", "mma"});
  if (what.empty()) d.bad("unknown form");
  if (what != "mma") return decodeTileMove(d, what);
  alignedSync(d);
  Product p;
  if (d.mods.oneOf({"row", "col"}).empty() || d.mods.oneOf({"row", "col"}).empty()) d.bad("unsupported layout");
  shapeFrom(d, p);
  p.d = d.mods.type();
  Ty next = d.mods.type(), third = d.mods.type();
  p.ab = p.bb = third == Ty::none ? Ty::f16 : next;
  p.c = third == Ty::none ? next : d.mods.type();
  auto good = [](Ty t) { return t == Ty::f16 || t == Ty::f32; };
  bool inputs = p.ab == Ty::f16 || ((p.ab == Ty::bf16 || p.ab == Ty::tf32) && p.c == Ty::f32 && p.d == Ty::f32);
  if (!tileShape(p) || !good(p.c) || !good(p.d) || !inputs) d.bad("unsupported shape or type");
  d.count(4);
  fragment(d, d.arg(0), registersOf(p.m * p.n, p.d), p.d, true);
  fragment(d, d.arg(1), tileElements(p.ab, p.m * p.k) / packed(p.ab), p.ab, false);
  fragment(d, d.arg(2), tileElements(p.ab, p.k * p.n) / packed(p.ab), p.ab, false);
  fragment(d, d.arg(3), registersOf(p.m * p.n, p.c), p.c, false);
  keepProduct(d.in, p);
  d.need(wmma);
  d.emit();
}

}  // namespace

void addMatrixOps(Ops& t) {
  t["mma"] = decodeMma;
  t["wmma"] = decodeWmma;
  t["ldmatrix"] = decodeLdmatrix;
}

}  // namespace emu
