// Narrow floating-point formats, in exact integer arithmetic.
#pragma once

#include <cmath>

#include "types.h"

namespace emu {

enum class Round : u8 { nearest, zero, down, up, away };  // away: nearest, ties away from zero

// packFloat rounds to a format of ebits exponent and mbits fraction bits; NaN becomes all ones without the sign.
inline u32 packFloat(double v, int ebits, int mbits, Round mode) {
  u64 bits = bitsAs<u64>(v);
  u32 sign = static_cast<u32>(bits >> 63), top = ((1u << ebits) - 1) << mbits;
  if (v != v) return (1u << (ebits + mbits)) - 1;
  u32 out = sign << (ebits + mbits);
  if (std::isinf(v)) return out | top;
  if (v == 0) return out;
  int e = static_cast<int>(bits >> 52 & 0x7ff) - 1023, emin = 2 - (1 << (ebits - 1));
  u64 m = bits & ((1ull << 52) - 1);
  if (e > -1023)
    m |= 1ull << 52;
  else
    e = -1022;
  int base = e > emin ? e : emin, shift = base - mbits - (e - 52);
  u64 r = shift > 60 ? 0 : m >> shift, rest = shift > 60 ? 1 : m & ((1ull << shift) - 1),
      half = shift > 60 ? 2 : 1ull << (shift - 1);
  bool up = false;
  switch (mode) {
    case Round::nearest: up = rest > half || (rest == half && (r & 1)); break;
    case Round::away: up = rest >= half; break;
    case Round::zero: break;
    case Round::down: up = sign && rest; break;
    case Round::up: up = !sign && rest; break;
  }
  r += up;
  u64 result = (static_cast<u64>(base - emin) << mbits) + r;
  if (result < top) return out | static_cast<u32>(result);
  bool infinite =
      mode == Round::nearest || mode == Round::away || (mode == Round::down && sign) || (mode == Round::up && !sign);
  return out | (infinite ? top : top - 1);
}

inline u16 toHalf(double v, Round mode = Round::nearest) { return static_cast<u16>(packFloat(v, 5, 10, mode)); }
inline u16 toBfloat(double v, Round mode = Round::nearest) { return static_cast<u16>(packFloat(v, 8, 7, mode)); }

inline double fromHalf(u16 h) {
  int e = h >> 10 & 31, m = h & 1023;
  double v = e == 31 ? (m ? std::nan("") : INFINITY) : e == 0 ? std::ldexp(m, -24) : std::ldexp(m + 1024, e - 25);
  return h >> 15 ? -v : v;
}
inline double fromBfloat(u16 h) { return bitsAs<float>(static_cast<u32>(h) << 16); }

// addOdd is a + b rounded to odd: rounding it again to a narrower format rounds the exact sum.
inline double addOdd(double a, double b) {
  double s = a + b;
  if (!std::isfinite(s)) return s;
  double t = s - a, err = (a - (s - t)) + (b - t);
  if (err == 0 || (bitsAs<u64>(s) & 1)) return s;
  return std::nextafter(s, err > 0 ? INFINITY : -INFINITY);
}

}  // namespace emu
