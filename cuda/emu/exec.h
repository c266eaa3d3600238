// The interpreter: warps with a program counter per lane, blocks with barriers, launches.
#pragma once

#include <memory>

#include "kernel.h"
#include "memory.h"
#include "race.h"

namespace emu {

struct Block;

// PendingCopy is one cp.async of a lane, not yet arrived.
struct PendingCopy {
  int lane;
  const Inst* inst;
  u64 to, from;
  u32 bytes, size;  // size bytes are read, the rest of bytes is zero
  u32 group;        // number of the lane's group
};

struct Warp {
  Block* block = nullptr;
  const Kernel* kernel = nullptr;
  u8* registers = nullptr;
  u8* local = nullptr;  // lane-major frames
  u32 id = 0;
  u32 exited = 0;     // includes lanes that never existed
  u32 absent = 0;     // lanes that never existed
  u32 atBarrier = 0;  // lanes that wait at a barrier
  u32 atGather = 0;   // lanes that wait for others of their warp
  u32 pc[kLanes] = {};
  u32 gatherMask[kLanes] = {};
  u8 barrier[kLanes] = {};  // which barrier a lane waits at
  u32 syncEpoch = 0;        // warp-level synchronisations so far
  u64 steps = 0, turn = 0;
  u32 now = 0;                 // pc of the running instruction, for reports
  u32 committed[kLanes] = {};  // cp.async groups so far
  std::vector<PendingCopy> pending;

  template <class T>
  T* reg(u32 offset) const {
    return reinterpret_cast<T*>(registers + offset);
  }
  u32& mask(u32 offset) const { return *reinterpret_cast<u32*>(registers + offset); }
};

// A barrier resource of a block.
struct Barrier {
  u32 arrived = 0, expected = 0;
  bool counted = false;       // with a thread count
  int pc = -1;                // of the first to arrive
  u32 votes = 0, voters = 0;  // bar.red
};

// Inst::op of barriers.
enum : u8 { kBarSync, kBarArrive, kBarPopc, kBarAnd, kBarOr };

struct LaunchShape {
  u32 grid[3] = {1, 1, 1}, block[3] = {1, 1, 1};
  u32 dynamicShared = 0;
  bool cooperative = false;
};

// LaunchState is shared by the blocks of one launch.
struct LaunchState {
  const Kernel* kernel;
  LaunchShape shape;
  const u8* params;
  Memory* memory;
  u32 device = 0;
  u64 id = 0;  // number of the launch
  bool checkRaces = true, checkInit = true;
  u64 budget = 0;  // instructions a warp may run
  GlobalClock clock;
};

struct Block {
  Block(LaunchState& l, u32 index);
  LaunchState& launch;
  u32 index, at[3];
  u32 threads;
  u64 sharedBytes;
  std::vector<u8> shared, registers, locals;
  std::vector<SharedWord> shadow;
  std::vector<Warp> warps;
  Barrier barriers[16];
  u32 epoch = 1;            // block barriers so far
  u32 live;                 // threads that have not exited
  Warp* current = nullptr;  // of the running instruction

  // run goes on until all have ended (true) or the slice is used up (false).
  bool run(u64 slice);
  bool arrive(Warp& w, const Inst& in, u32 pc, u32 mask);
  void release(u32 id);
  [[noreturn]] void stuck();
};

// runLaunch interprets a whole launch; Fault with a complete report.
struct LaunchReport {
  Code code = kOk;
  std::string text;
};
LaunchReport runLaunch(LaunchState& state, u64 seed);

// resolveIn gives the host address of an access of one lane after all checks; value is what
// will be written, if known (several threads may write the same value).
enum class Access : u8 { read, write, atomic };
u8* resolveIn(Warp& w, const Inst& in, Space space, int lane, u64 address, u32 bytes, Access access, const void* value);

constexpr u8 kRelaxed = 1;  // Inst::flags of memory instructions: volatile, relaxed, acquire, release
constexpr u8 kAcquire = 2;

int specialWidth(const std::string& name);
void fillSpecials(Warp& w);

// Rounding and flushing: bits of the MXCSR register around an instruction.
constexpr u32 kPlainMode = 0x1f80;
u32 roundingMode(const std::string& round, bool flush);
void runWrapped(Warp& w, const Inst& in, u32 mask);

}  // namespace emu
