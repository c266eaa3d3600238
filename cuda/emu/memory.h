// Device memory: buffers with exact bounds behind device addresses that are never used twice.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "race.h"

namespace emu {

struct Buffer {
  enum Kind : u8 { device, pinned, managed, variable } kind = device;
  u64 at = 0, size = 0;  // device address, bytes
  u8* host = nullptr;
  u8* mapping = nullptr;  // of mmap, with guard pages
  u64 mapped = 0;
  bool live = true;         // false: freed, or not yet allocated in stream order
  bool pending = false;     // allocated in stream order, not yet reached
  bool releasing = false;   // its release in stream order is enqueued
  bool registered = false;  // pinned memory of the caller
  bool readOnly = false;
  u64 context = 0;               // owner
  u32 ordinal = 0;               // of its device
  u64 order = 0;                 // number of the allocation
  GlobalWord* shadow = nullptr;  // one per 4 bytes, on demand
  u8* known = nullptr;           // one bit per byte that was ever written, on demand
  std::string name;              // of a module variable

  bool holds(u64 address, u64 bytes) const { return address >= at && bytes <= size && address - at <= size - bytes; }
};

// Memory is the memory of all devices, which share one space of addresses.
class Memory {
 public:
  Memory(u64 limit, u32 devices) : limit_(limit), used_(devices) {}
  ~Memory();

  // allocate gives a new buffer filled with 0xFF, or nullptr beyond the limit of the device.
  Buffer* allocate(u64 bytes, Buffer::Kind kind, u64 context, u32 device);
  // adopt registers host memory of the caller as pinned.
  Buffer* adopt(void* host, u64 bytes, u64 context);
  // free returns false if the tail canary was overwritten (a defect of the emulator).
  bool free(Buffer* b);
  // find gives the buffer around an address, live or freed; nullptr if none ever was there.
  Buffer* find(u64 address);
  Buffer* findLive(u64 address, u64 bytes);
  // describe says what lies at an address.
  std::string describe(u64 address, u64 bytes);

  GlobalWord* shadowOf(Buffer* b);
  u8* knownOf(Buffer* b);
  // wrote marks bytes as initialised.
  void wrote(Buffer* b, u64 address, u64 bytes);

  u64 limit() const { return limit_; }  // of each device
  u64 used(u32 device) const { return used_[device]; }
  u64 peak() const { return peak_; }
  u64 liveBuffers(Buffer::Kind kind) const;
  u64 liveBytes(Buffer::Kind kind) const;
  u64 epoch() const { return epoch_; }  // changes with each free
  void touch() { epoch_++; }
  template <class F>
  void each(F f) {
    for (auto& e : buffers_) f(*e.second);
  }

 private:
  void unmap(Buffer* b);
  std::map<u64, std::unique_ptr<Buffer>> buffers_;  // by device address
  u64 limit_, total_ = 0, peak_ = 0, next_ = 0x0a0000000000ull, count_ = 0, epoch_ = 1;
  std::vector<u64> used_;  // by device
};

}  // namespace emu
