// Bit operations: logic, shifts, fields, permutations.
#include "lanes.h"

namespace emu {

namespace {

struct And {
  template <class T>
  static T run(T a, T b) {
    return a & b;
  }
};
struct Or {
  template <class T>
  static T run(T a, T b) {
    return a | b;
  }
};
struct Xor {
  template <class T>
  static T run(T a, T b) {
    return a ^ b;
  }
};
struct Not {
  template <class T>
  static T run(T a) {
    return static_cast<T>(~a);
  }
};
struct Cnot {
  template <class T>
  static T run(T a) {
    return a == 0 ? 1 : 0;
  }
};
struct Shl {
  template <class T>
  static T run(T a, u32 n) {
    return n >= 8 * sizeof(T) ? 0 : static_cast<T>(a << n);
  }
};
struct Shr {
  template <class T>
  static T run(T a, u32 n) {
    if (n < 8 * sizeof(T)) return static_cast<T>(a >> n);
    return a < 0 ? static_cast<T>(-1) : 0;
  }
};

// Logic on predicates is logic on masks.
enum : u8 { kAnd, kOr, kXor, kNot };
void predicateLogic(Warp& w, const Inst& in, u32 mask) {
  u32 a = w.mask(in.a), b = w.mask(in.b), r = 0;
  switch (in.op) {
    case kAnd: r = a & b; break;
    case kOr: r = a | b; break;
    case kXor: r = a ^ b; break;
    case kNot: r = ~a; break;
  }
  u32& d = w.mask(in.d);
  d = (d & ~mask) | (r & mask);
}

bool decodePredicate(Decoder& d, Ty t, u8 op) {
  if (t != Ty::pred) return false;
  d.count(op == kNot ? 2 : 3);
  d.in.d = d.dstPred(d.arg(0));
  d.in.a = d.srcPred(d.arg(1));
  if (op != kNot) d.in.b = d.srcPred(d.arg(2));
  d.in.op = op;
  d.need(predicateLogic);
  d.emit();
  return true;
}

template <class Op, u8 Code>
void decodeLogic(Decoder& d) {
  Ty t = d.mods.type();
  if (decodePredicate(d, t, Code)) return;
  operands(d, t, 2);
  d.need(EMU_FOR_BITS(t, binaryFn, Op));
  d.emit();
}

void decodeNot(Decoder& d) {
  Ty t = d.mods.type();
  if (decodePredicate(d, t, kNot)) return;
  operands(d, t, 1);
  d.need(EMU_FOR_BITS(t, unaryFn, Not));
  d.emit();
}

template <class T>
constexpr Fn shlFn = binary<T, T, u32, Shl>;
template <class T>
constexpr Fn shrFn = binary<T, T, u32, Shr>;

void decodeShift(Decoder& d, bool left) {
  Ty t = d.mods.type();
  d.count(3);
  d.in.d = d.dst(d.arg(0), t);
  d.in.a = d.src(d.arg(1), t);
  d.in.b = d.src(d.arg(2), Ty::u32);
  int size = sizeOf(t);
  if (left)
    d.need(!isBits(t) ? nullptr : size == 2 ? shlFn<u16> : size == 4 ? shlFn<u32> : size == 8 ? shlFn<u64> : nullptr);
  else if (isSigned(t))
    d.need(size == 2 ? shrFn<i16> : size == 4 ? shrFn<i32> : size == 8 ? shrFn<i64> : nullptr);
  else
    d.need(isFloat(t) ? nullptr : size == 2 ? shrFn<u16> : size == 4 ? shrFn<u32> : size == 8 ? shrFn<u64> : nullptr);
  d.emit();
}

template <bool Left, bool Wrap>
struct Funnel {
  static u32 run(u32 a, u32 b, u32 n) {
    n = Wrap ? n & 31 : n > 32 ? 32 : n;
    u64 x = static_cast<u64>(b) << 32 | a;
    return Left ? static_cast<u32>((x << n) >> 32) : static_cast<u32>(x >> n);
  }
};

void decodeShf(Decoder& d) {
  std::string way = d.mods.oneOf({"l", "r"}), mode = d.mods.oneOf({"clamp", "wrap"});
  if (way.empty() || mode.empty() || d.mods.type() != Ty::b32) d.bad("needs .l or .r, .clamp or .wrap, .b32");
  operands(d, Ty::b32, 3);
  bool wrap = mode == "wrap";
  d.need(way == "l" ? (wrap ? ternaryFn<u32, Funnel<true, true>> : ternaryFn<u32, Funnel<true, false>>)
                    : (wrap ? ternaryFn<u32, Funnel<false, true>> : ternaryFn<u32, Funnel<false, false>>));
  d.emit();
}

void lop3(Warp& w, const Inst& in, u32 mask) {
  u32 *d = w.reg<u32>(in.d), *a = w.reg<u32>(in.a), *b = w.reg<u32>(in.b), *c = w.reg<u32>(in.c);
  u32 term[8];
  for (int i = 0; i < 8; i++) term[i] = in.imm >> i & 1 ? kFull : 0;
  forLanes(mask, [=](int l) {
    u32 x = a[l], y = b[l], z = c[l];
    d[l] = (term[0] & ~x & ~y & ~z) | (term[1] & ~x & ~y & z) | (term[2] & ~x & y & ~z) | (term[3] & ~x & y & z) |
           (term[4] & x & ~y & ~z) | (term[5] & x & ~y & z) | (term[6] & x & y & ~z) | (term[7] & x & y & z);
  });
}

void decodeLop3(Decoder& d) {
  if (d.mods.type() != Ty::b32) d.bad("needs .b32");
  d.count(5);
  d.in.d = d.dst(d.arg(0), Ty::b32);
  d.in.a = d.src(d.arg(1), Ty::b32);
  d.in.b = d.src(d.arg(2), Ty::b32);
  d.in.c = d.src(d.arg(3), Ty::b32);
  if (d.arg(4).kind != Operand::integer || d.arg(4).value < 0 || d.arg(4).value > 255)
    d.bad("the table must be a constant of 8 bits");
  d.in.imm = d.arg(4).value;
  d.need(lop3);
  d.emit();
}

// prmt picks bytes of the pair (a, b); its modes are tables of selectors by the low two bits of c.
u32 permute(u32 a, u32 b, u32 selector) {
  u64 pair = static_cast<u64>(b) << 32 | a;
  u32 r = 0;
  for (int i = 0; i < 4; i++) {
    u32 s = selector >> (4 * i);
    u32 byte = static_cast<u32>(pair >> (8 * (s & 7))) & 0xff;
    if (s & 8) byte = byte & 0x80 ? 0xff : 0;
    r |= byte << (8 * i);
  }
  return r;
}

constexpr u16 kSelectors[6][4] = {
    {0x3210, 0x4321, 0x5432, 0x6543},  // f4e
    {0x5670, 0x6701, 0x7012, 0x0123},  // b4e
    {0x0000, 0x1111, 0x2222, 0x3333},  // rc8
    {0x3210, 0x3211, 0x3222, 0x3333},  // ecl
    {0x0000, 0x1110, 0x2210, 0x3210},  // ecr
    {0x1010, 0x3232, 0x1010, 0x3232},  // rc16
};

void prmt(Warp& w, const Inst& in, u32 mask) {
  u32 *d = w.reg<u32>(in.d), *a = w.reg<u32>(in.a), *b = w.reg<u32>(in.b), *c = w.reg<u32>(in.c);
  for (u32 m = mask; m; m &= m - 1) {
    int l = __builtin_ctz(m);
    d[l] = permute(a[l], b[l], in.op == 0 ? c[l] : kSelectors[in.op - 1][c[l] & 3]);
  }
}

void decodePrmt(Decoder& d) {
  if (d.mods.type() != Ty::b32) d.bad("needs .b32");
  const char* modes[] = {"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"};
  for (u8 i = 0; i < 6; i++)
    if (d.mods.take(modes[i])) d.in.op = static_cast<u8>(i + 1);
  operands(d, Ty::b32, 3);
  d.need(prmt);
  d.emit();
}

struct Popc {
  template <class T>
  static u32 run(T a) {
    return static_cast<u32>(sizeof(T) == 8 ? __builtin_popcountll(a) : __builtin_popcount(static_cast<u32>(a)));
  }
};
struct Clz {
  template <class T>
  static u32 run(T a) {
    if (a == 0) return 8 * sizeof(T);
    return static_cast<u32>(sizeof(T) == 8 ? __builtin_clzll(a) : __builtin_clz(static_cast<u32>(a)));
  }
};
struct Brev {
  template <class T>
  static T run(T a) {
    T r = 0;
    for (size_t i = 0; i < 8 * sizeof(T); i++) r = static_cast<T>(r | (a >> i & 1) << (8 * sizeof(T) - 1 - i));
    return r;
  }
};

template <bool Shift>
struct Bfind {
  template <class T>
  static u32 run(T a) {
    using U = Unsigned<T>;
    U x = static_cast<U>(a < 0 ? ~a : a);
    if (x == 0) return kFull;
    u32 top = static_cast<u32>(8 * sizeof(T) - 1) - Clz::run(x);
    return Shift ? static_cast<u32>(8 * sizeof(T) - 1) - top : top;
  }
};

struct Bfe {
  template <class T>
  static T run(T a, u32 position, u32 length) {
    using U = Unsigned<T>;
    constexpr u32 bits = 8 * sizeof(T);
    position &= 0xff;
    length &= 0xff;
    if (length == 0) return 0;
    u32 top = position + length - 1 < bits - 1 ? position + length - 1 : bits - 1;
    bool sign = std::is_signed_v<T> && (static_cast<U>(a) >> top & 1);
    U x = position < bits ? static_cast<U>(static_cast<U>(a) >> position) : 0;
    u32 have = top + 1 > position ? top + 1 - position : 0;  // bits that come from a
    if (have < bits) {
      U keep = static_cast<U>((U{1} << have) - 1);
      x = static_cast<U>((x & keep) | (sign ? ~keep : 0));
    }
    return static_cast<T>(x);
  }
};

template <class T>
void bfi(Warp& w, const Inst& in, u32 mask) {
  constexpr u32 bits = 8 * sizeof(T);
  T *d = w.reg<T>(in.d), *a = w.reg<T>(in.a), *b = w.reg<T>(in.b);
  const u32 *c = w.reg<u32>(in.c), *e = w.reg<u32>(in.e);
  for (u32 m = mask; m; m &= m - 1) {
    int l = __builtin_ctz(m);
    u32 position = c[l] & 0xff, length = e[l] & 0xff;
    T field = length >= bits ? static_cast<T>(~T{0}) : static_cast<T>((T{1} << length) - 1);
    T place = position >= bits ? 0 : static_cast<T>(field << position);
    T value = position >= bits ? 0 : static_cast<T>(a[l] << position);
    d[l] = static_cast<T>((b[l] & ~place) | (value & place));
  }
}

template <bool Wrap>
struct Bmsk {
  static u32 run(u32 a, u32 b) {
    if (Wrap) a &= 31, b &= 31;
    if (a > 31) return 0;
    u64 field = b > 31 ? kFull : (1ull << b) - 1;
    return static_cast<u32>(field << a);
  }
};

template <bool Wrap>
struct Szext {
  template <class T>
  static T run(T a, u32 n) {
    if (Wrap) n &= 31;
    if (n >= 32) return a;
    if (n == 0) return 0;
    u32 keep = (1u << n) - 1, x = static_cast<u32>(a) & keep;
    return static_cast<T>(std::is_signed_v<T> && (x >> (n - 1)) ? x | ~keep : x);
  }
};

template <class T>
constexpr Fn popcFn = unary<u32, T, Popc>;
template <class T>
constexpr Fn clzFn = unary<u32, T, Clz>;
template <class T, class Op>
constexpr Fn toU32Fn = unary<u32, T, Op>;
template <class T>
constexpr Fn bfeFn = ternary<T, T, u32, u32, Bfe>;

void decodeCountBits(Decoder& d, bool zeros) {
  Ty t = d.mods.type();
  d.count(2);
  d.in.d = d.dst(d.arg(0), Ty::u32);
  d.in.a = d.src(d.arg(1), t);
  if (zeros)
    d.need(t == Ty::b32 ? clzFn<u32> : t == Ty::b64 ? clzFn<u64> : nullptr);
  else
    d.need(t == Ty::b32 ? popcFn<u32> : t == Ty::b64 ? popcFn<u64> : nullptr);
  d.emit();
}

void decodeBfind(Decoder& d) {
  bool shift = d.mods.take("shiftamt");
  Ty t = d.mods.type();
  d.count(2);
  d.in.d = d.dst(d.arg(0), Ty::u32);
  d.in.a = d.src(d.arg(1), t);
  if (sizeOf(t) < 4) d.bad("unsupported type");
  d.need(shift ? EMU_FOR_INTS(t, toU32Fn, Bfind<true>) : EMU_FOR_INTS(t, toU32Fn, Bfind<false>));
  d.emit();
}

void decodeBfe(Decoder& d) {
  Ty t = d.mods.type();
  d.count(4);
  d.in.d = d.dst(d.arg(0), t);
  d.in.a = d.src(d.arg(1), t);
  d.in.b = d.src(d.arg(2), Ty::u32);
  d.in.c = d.src(d.arg(3), Ty::u32);
  d.need(t == Ty::u32   ? bfeFn<u32>
         : t == Ty::s32 ? bfeFn<i32>
         : t == Ty::u64 ? bfeFn<u64>
         : t == Ty::s64 ? bfeFn<i64>
                        : nullptr);
  d.emit();
}

void decodeBfi(Decoder& d) {
  Ty t = d.mods.type();
  d.count(5);
  d.in.d = d.dst(d.arg(0), t);
  d.in.a = d.src(d.arg(1), t);
  d.in.b = d.src(d.arg(2), t);
  d.in.c = d.src(d.arg(3), Ty::u32);
  d.in.e = d.src(d.arg(4), Ty::u32);
  d.need(t == Ty::b32 ? bfi<u32> : t == Ty::b64 ? bfi<u64> : nullptr);
  d.emit();
}

void decodeBmsk(Decoder& d) {
  std::string mode = d.mods.oneOf({"clamp", "wrap"});
  if (mode.empty() || d.mods.type() != Ty::b32) d.bad("needs .clamp or .wrap, .b32");
  operands(d, Ty::b32, 2);
  d.need(mode == "wrap" ? binaryFn<u32, Bmsk<true>> : binaryFn<u32, Bmsk<false>>);
  d.emit();
}

template <class T, bool W>
constexpr Fn szextFn = binary<T, T, u32, Szext<W>>;

void decodeSzext(Decoder& d) {
  std::string mode = d.mods.oneOf({"clamp", "wrap"});
  Ty t = d.mods.type();
  if (mode.empty()) d.bad("needs .clamp or .wrap");
  d.count(3);
  d.in.d = d.dst(d.arg(0), t);
  d.in.a = d.src(d.arg(1), t);
  d.in.b = d.src(d.arg(2), Ty::u32);
  bool wrap = mode == "wrap";
  d.need(t == Ty::u32   ? (wrap ? szextFn<u32, true> : szextFn<u32, false>)
         : t == Ty::s32 ? (wrap ? szextFn<i32, true> : szextFn<i32, false>)
                        : nullptr);
  d.emit();
}

}  // namespace

void addBitOps(Ops& t) {
  t["and"] = decodeLogic<And, kAnd>;
  t["or"] = decodeLogic<Or, kOr>;
  t["xor"] = decodeLogic<Xor, kXor>;
  t["not"] = decodeNot;
  t["cnot"] = [](Decoder& d) {
    Ty type = d.mods.type();
    operands(d, type, 1);
    d.need(EMU_FOR_BITS(type, unaryFn, Cnot));
    d.emit();
  };
  t["shl"] = [](Decoder& d) { decodeShift(d, true); };
  t["shr"] = [](Decoder& d) { decodeShift(d, false); };
  t["shf"] = decodeShf;
  t["lop3"] = decodeLop3;
  t["prmt"] = decodePrmt;
  t["popc"] = [](Decoder& d) { decodeCountBits(d, false); };
  t["clz"] = [](Decoder& d) { decodeCountBits(d, true); };
  t["brev"] = [](Decoder& d) {
    Ty type = d.mods.type();
    operands(d, type, 1);
    d.need(type == Ty::b32 ? unaryFn<u32, Brev> : type == Ty::b64 ? unaryFn<u64, Brev> : nullptr);
    d.emit();
  };
  t["bfind"] = decodeBfind;
  t["bfe"] = decodeBfe;
  t["bfi"] = decodeBfi;
  t["bmsk"] = decodeBmsk;
  t["szext"] = decodeSzext;
}

}  // namespace emu
