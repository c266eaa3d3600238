#include "memory.h"

#include <sys/mman.h>

#include <algorithm>

namespace emu {

namespace {

constexpr u64 kPage = 4096;
constexpr u8 kCanary = 0xa5;

u64 alignUp(u64 x, u64 to) { return (x + to - 1) / to * to; }

}  // namespace

Memory::~Memory() {
  for (auto& e : buffers_) unmap(e.second.get());
}

void Memory::unmap(Buffer* b) {
  if (b->mapping) munmap(b->mapping, b->mapped);
  if (b->shadow) munmap(b->shadow, alignUp((b->size / 4 + 2) * sizeof(GlobalWord), kPage));
  if (b->known) munmap(b->known, alignUp(b->size / 8 + 1, kPage));
  b->mapping = b->host = nullptr;
  b->shadow = nullptr;
  b->known = nullptr;
}

Buffer* Memory::allocate(u64 bytes, Buffer::Kind kind, u64 context, u32 device) {
  bool counts = kind != Buffer::pinned;
  if (bytes == 0 || bytes > 1ull << 40 || (counts && bytes > limit_ - std::min(used_[device], limit_))) return nullptr;
  // The end lies against the upper guard page as far as 256-byte alignment allows.
  u64 body = alignUp(bytes, 256), mapped = alignUp(body, kPage) + 2 * kPage;
  void* m = mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (m == MAP_FAILED) return nullptr;
  auto b = std::make_unique<Buffer>();
  b->mapping = static_cast<u8*>(m);
  b->mapped = mapped;
  if (mprotect(b->mapping + kPage, mapped - 2 * kPage, PROT_READ | PROT_WRITE) != 0) {
    munmap(m, mapped);
    return nullptr;
  }
  b->host = b->mapping + mapped - kPage - body;
  std::memset(b->host, 0xff, bytes);
  std::memset(b->host + bytes, kCanary, body - bytes);
  b->kind = kind;
  b->size = bytes;
  b->context = context;
  b->ordinal = device;
  b->order = ++count_;
  if (kind == Buffer::pinned) {
    b->at = reinterpret_cast<u64>(b->host);
  } else {
    b->at = next_;
    next_ += alignUp(body, 1 << 16) + (1 << 16);  // a gap: adjacent buffers never touch
  }
  if (counts) used_[device] += bytes, total_ += bytes, peak_ = std::max(peak_, total_);
  Buffer* out = b.get();
  buffers_[b->at] = std::move(b);
  return out;
}

Buffer* Memory::adopt(void* host, u64 bytes, u64 context) {
  auto b = std::make_unique<Buffer>();
  b->kind = Buffer::pinned;
  b->registered = true;
  b->host = static_cast<u8*>(host);
  b->at = reinterpret_cast<u64>(host);
  b->size = bytes;
  b->context = context;
  b->order = ++count_;
  Buffer* out = b.get();
  buffers_[b->at] = std::move(b);
  return out;
}

bool Memory::free(Buffer* b) {
  bool intact = true;
  if (b->mapping)
    for (u8* p = b->host + b->size; p < b->mapping + b->mapped - kPage; p++) intact = intact && *p == kCanary;
  if (b->kind != Buffer::pinned) used_[b->ordinal] -= b->size, total_ -= b->size;
  epoch_++;
  if (b->kind == Buffer::pinned) {  // its address may come back from the system
    unmap(b);
    buffers_.erase(b->at);
    return intact;
  }
  unmap(b);
  b->live = b->pending = false;  // the address stays taken, so that use after free is told apart
  return intact;
}

Buffer* Memory::find(u64 address) {
  auto it = buffers_.upper_bound(address);
  if (it == buffers_.begin()) return nullptr;
  Buffer* b = std::prev(it)->second.get();
  return address - b->at < std::max<u64>(b->size, 1) ? b : nullptr;
}

Buffer* Memory::findLive(u64 address, u64 bytes) {
  Buffer* b = find(address);
  return b && b->live && b->holds(address, bytes) ? b : nullptr;
}

std::string Memory::describe(u64 address, u64 bytes) {
  auto it = buffers_.upper_bound(address);
  Buffer* b = it == buffers_.begin() ? nullptr : std::prev(it)->second.get();
  auto at = static_cast<unsigned long long>(address);
  if (address < 4096) return format("address 0x%llx is null or nearly so", at);
  if (!b || address - b->at > b->size + (1 << 16))
    return format("address 0x%llx is in no device buffer (a host pointer?)", at);
  std::string what = format("buffer %llu of %llu bytes", static_cast<unsigned long long>(b->order),
                            static_cast<unsigned long long>(b->size));
  if (!b->name.empty())
    what = format("variable %s of %llu bytes", b->name.c_str(), static_cast<unsigned long long>(b->size));
  auto offset = static_cast<unsigned long long>(address - b->at);
  if (!b->live) return format("address 0x%llx lies at byte %llu of freed %s", at, offset, what.c_str());
  return format("bytes %llu to %llu of %s are outside of it", offset, offset + bytes - 1, what.c_str());
}

GlobalWord* Memory::shadowOf(Buffer* b) {
  if (!b->shadow) {
    u64 bytes = alignUp((b->size / 4 + 2) * sizeof(GlobalWord), kPage);
    void* m = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (m == MAP_FAILED) throw Fault(kOutOfMemory, "no memory for the race check");
    b->shadow = static_cast<GlobalWord*>(m);
  }
  return b->shadow;
}

u8* Memory::knownOf(Buffer* b) {
  if (!b->known) {
    void* m = mmap(nullptr, alignUp(b->size / 8 + 1, kPage), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (m == MAP_FAILED) throw Fault(kOutOfMemory, "no memory for the initialisation check");
    b->known = static_cast<u8*>(m);
  }
  return b->known;
}

void Memory::wrote(Buffer* b, u64 address, u64 bytes) {
  u8* known = knownOf(b);
  u64 from = address - b->at, to = from + bytes;
  for (; from < to && from % 8; from++) known[from / 8] |= static_cast<u8>(1 << (from % 8));
  if (from < to) std::memset(known + from / 8, 0xff, (to - from) / 8);
  for (from = std::max(from, to / 8 * 8); from < to; from++) known[from / 8] |= static_cast<u8>(1 << (from % 8));
}

u64 Memory::liveBuffers(Buffer::Kind kind) const {
  return static_cast<u64>(std::count_if(buffers_.begin(), buffers_.end(),
                                        [&](auto& e) { return e.second->live && e.second->kind == kind; }));
}

u64 Memory::liveBytes(Buffer::Kind kind) const {
  u64 n = 0;
  for (auto& e : buffers_)
    if (e.second->live && e.second->kind == kind) n += e.second->size;
  return n;
}

}  // namespace emu
