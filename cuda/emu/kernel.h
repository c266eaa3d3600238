// Decoded kernels: what the interpreter runs.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "ptx.h"

namespace emu {

struct Warp;
struct Inst;
struct Buffer;

// Fn runs one instruction for the lanes of a mask.
using Fn = void (*)(Warp&, const Inst&, u32 mask);

enum class Space : u8 { generic, global, shared, local, param, constant };

// How the scheduler treats an instruction; plain ones run fn and go on.
enum class Kind : u8 { plain, branch, indexed, leave, trap, barrier, gather };

constexpr u32 kNone = 0xffffffffu;

// Inst is one decoded instruction. Operands are byte offsets into the register file of a warp.
struct Inst {
  Fn fn = nullptr;
  u32 d = 0, a = 0, b = 0, c = 0, e = 0;
  u32 pred = kNone, predXor = 0;  // guard: offset of its mask, all ones if negated
  i64 imm = 0;                    // offset of an address, lookup table, small parameters
  Kind kind = Kind::plain;
  Space space = Space::generic;
  Ty type = Ty::none;
  u8 vec = 1;                // elements of a vector access
  u8 width = 0, width2 = 0;  // bytes of the register of d, of a, where they may differ from the type's
  u8 op = 0;                 // sub-operation
  u8 flags = 0;
  u32 target = 0;  // branch
  int line = 0;
  std::vector<u32> list;  // vector operands, fragments, branch targets
  Fn inner = nullptr;     // what a wrapper calls
  u32 mode = 0;           // rounding and flush bits of the wrapper
  bool saturate = false;
  mutable Buffer* cache = nullptr;  // last buffer hit
  mutable u64 cacheEpoch = 0;
};

// Special registers that are filled in when a warp starts.
struct SpecialUse {
  std::string name;
  u32 offset;
};

struct Parameter {
  std::string name;
  u64 offset, size, align;
};

struct Kernel {
  std::string name;
  std::vector<Inst> code;
  std::vector<u8> registers;  // initial register file: 0xFF, and constants
  std::vector<SpecialUse> specials;
  std::vector<Parameter> params;
  u64 paramBytes = 0;
  u64 sharedBytes = 0;  // static
  u64 localBytes = 0;   // per thread
  u32 maxThreads = 1024;
  bool required = false;  // .reqntid
  u32 reqThreads[3] = {0, 0, 0};
  u64 dynamicAt = 0;  // offset of the dynamic shared memory
};

constexpr u32 kCarry = 0;  // offset of the carry mask in the register file
constexpr u64 kSharedWindow = 0x010000000000ull;
constexpr u64 kLocalWindow = 0x020000000000ull;
constexpr u64 kParamWindow = 0x030000000000ull;
constexpr u64 kWindowBytes = 0x010000000000ull;

// SymbolAddress gives the device address of a module variable.
using SymbolAddress = std::function<bool(const std::string&, u64&)>;

// compile decodes an entry; PtxError on anything unknown.
std::shared_ptr<Kernel> compile(const Ptx& ptx, const Function& entry, const SymbolAddress& addressOf);

}  // namespace emu
