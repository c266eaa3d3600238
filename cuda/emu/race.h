// Race detection: who touched which word since the last synchronisation.
#pragma once

#include "types.h"

namespace emu {

// SharedWord remembers the last accesses to 4 bytes of shared memory.
struct SharedWord {
  u32 writeEpoch = 0, readEpoch = 0;  // block barriers so far, 0 = never
  u32 writeSync = 0, readSync = 0;    // warp-level synchronisations of that warp so far
  u16 writer = 0, reader = 0;         // threads, or the marks below
  u8 writeBytes = 0, readBytes = 0;   // bytes of the word, one bit each
  u8 known = 0;                       // bytes that hold a value, one bit each
  bool atomic = false;                // the last write was an atomic operation
};

constexpr u16 kManyLanes = 0x8000;  // | warp: several lanes of one warp
constexpr u16 kManyWarps = 0xffff;

// GlobalWord remembers the last accesses to 4 bytes of global memory within one launch.
struct GlobalWord {
  u32 launch = 0;              // low bits of the launch's number; others are stale
  u32 writer = 0, reader = 0;  // block + 1; 0 = none
  u32 writeTime = 0;           // of the launch's clock
  u8 writeBytes = 0, readBytes = 0;
  bool atomic = false;  // the writes were atomic
};

constexpr u32 kManyBlocks = 0xffffffffu;

// GlobalClock orders fences and atomics of the blocks of a launch: data that a block wrote before a fence may be read
// by a block that has since done an atomic operation.
struct GlobalClock {
  u32 time = 1;
  u32* fence = nullptr;    // by block: time of its last fence
  u32* acquire = nullptr;  // by block: time of its last atomic
};

}  // namespace emu
