// Basic types of the emulator: PTX element types, errors of loading, faults of running.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

namespace emu {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;

constexpr int kLanes = 32;
constexpr u32 kFull = 0xffffffffu;

// Result codes of the driver interface that the emulator uses.
enum Code : int {
  kOk = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kNotInitialized = 3,
  kDeinitialized = 4,
  kNoDevice = 100,
  kInvalidDevice = 101,
  kInvalidImage = 200,
  kInvalidContext = 201,
  kNoBinaryForGpu = 209,
  kPrimaryContextActive = 708,
  kInvalidPtx = 218,
  kUnsupportedPtxVersion = 222,
  kInvalidHandle = 400,
  kIllegalState = 401,
  kNotFound = 500,
  kNotReady = 600,
  kIllegalAddress = 700,
  kLaunchOutOfResources = 701,
  kLaunchTimeout = 702,
  kContextIsDestroyed = 709,
  kAssert = 710,
  kHostMemoryAlreadyRegistered = 712,
  kHostMemoryNotRegistered = 713,
  kIllegalInstruction = 715,
  kMisalignedAddress = 716,
  kLaunchFailed = 719,
  kCooperativeLaunchTooLarge = 720,
  kNotPermitted = 800,
  kNotSupported = 801,
  kCaptureUnsupported = 900,
  kCaptureInvalidated = 901,
  kCaptureMerge = 902,
  kCaptureUnmatched = 903,
  kCaptureUnjoined = 904,
  kCaptureIsolation = 905,
  kCaptureImplicit = 906,
  kCapturedEvent = 907,
  kCaptureWrongThread = 908,
  kGraphExecUpdateFailure = 910,
};

// PtxError is a defect of a module: it fails to load, with the line.
struct PtxError : std::runtime_error {
  int line;
  PtxError(int at, const std::string& text) : std::runtime_error(text), line(at) {}
};

// Fault ends a kernel; the scheduler adds kernel, block, thread and line to its text.
struct Fault : std::runtime_error {
  Code code;
  int lane;  // the lane at fault, or -1 where the whole warp is
  Fault(Code c, const std::string& text, int at = -1) : std::runtime_error(text), code(c), lane(at) {}
};

// Ty is the type suffix of an instruction.
enum class Ty : u8 {
  none,
  u8,
  u16,
  u32,
  u64,
  s8,
  s16,
  s32,
  s64,
  b8,
  b16,
  b32,
  b64,
  b128,
  f16,
  f16x2,
  bf16,
  bf16x2,
  tf32,
  f32,
  f64,
  pred,
};

// sizeOf is the number of bytes of a value (0 for predicates).
constexpr int sizeOf(Ty t) {
  switch (t) {
    case Ty::u8:
    case Ty::s8:
    case Ty::b8: return 1;
    case Ty::u16:
    case Ty::s16:
    case Ty::b16:
    case Ty::f16:
    case Ty::bf16: return 2;
    case Ty::u32:
    case Ty::s32:
    case Ty::b32:
    case Ty::f32:
    case Ty::f16x2:
    case Ty::bf16x2:
    case Ty::tf32: return 4;
    case Ty::u64:
    case Ty::s64:
    case Ty::b64:
    case Ty::f64: return 8;
    case Ty::b128: return 16;
    default: return 0;
  }
}

constexpr bool isSigned(Ty t) { return t == Ty::s8 || t == Ty::s16 || t == Ty::s32 || t == Ty::s64; }
constexpr bool isUnsigned(Ty t) { return t == Ty::u8 || t == Ty::u16 || t == Ty::u32 || t == Ty::u64; }
constexpr bool isBits(Ty t) { return t == Ty::b8 || t == Ty::b16 || t == Ty::b32 || t == Ty::b64 || t == Ty::b128; }
constexpr bool isInt(Ty t) { return isSigned(t) || isUnsigned(t); }
constexpr bool isFloat(Ty t) { return t >= Ty::f16 && t <= Ty::f64; }

// tyFrom reads a type name without its dot; Ty::none if it is none.
Ty tyFrom(const std::string& name);

template <class To, class From>
To bitsAs(const From& x) {
  static_assert(sizeof(To) == sizeof(From));
  To y;
  std::memcpy(&y, &x, sizeof y);
  return y;
}

// format is printf into a string.
std::string format(const char* form, ...) __attribute__((format(printf, 1, 2)));

}  // namespace emu
