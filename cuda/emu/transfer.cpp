// Memory management, copies and fills.
#include <algorithm>

#include "driver.h"

namespace emu {

void checkedFree(Driver& d, Buffer* b) {
  auto order = static_cast<unsigned long long>(b->order);
  if (!d.memory->free(b)) failWith(kLaunchFailed, format("the guard after buffer %llu was overwritten", order));
}

Buffer* checkRange(Driver& d, u64 address, u64 bytes, const char* what) {
  Buffer* b = d.memory->find(address);
  if (!b || !(b->live || b->pending) || !b->holds(address, bytes))
    failWith(kInvalidValue, std::string(what) + ": " + d.memory->describe(address, bytes));
  return b;
}

namespace {

// rangeOf is the span of a two- or three-dimensional side.
u64 spanOf(const Copy& c, u64 pitch, u64 slice) { return (c.depth - 1) * slice + (c.height - 1) * pitch + c.width; }

u8* hostOf(Driver& d, u64 address, bool host, u64 bytes) {
  if (host) return reinterpret_cast<u8*>(address);
  Buffer* b = d.memory->findLive(address, bytes);
  if (!b) failWith(kIllegalAddress, "a copy found " + d.memory->describe(address, bytes));
  return b->host + (address - b->at);
}

bool pinned(Driver& d, u64 address, u64 bytes) {
  Buffer* b = d.memory->findLive(address, bytes);
  return b && b->kind == Buffer::pinned;
}

template <class F>
void eachRow(const Copy& c, F f) {
  for (u64 z = 0; z < c.depth; z++)
    for (u64 y = 0; y < c.height; y++) f(z * c.srcSlice + y * c.srcPitch, z * c.dstSlice + y * c.dstPitch);
}

void stage(Copy& c) {
  c.data.resize(c.width * c.height * c.depth);
  u8* to = c.data.data();
  eachRow(c, [&](u64 from, u64) {
    std::memcpy(to, reinterpret_cast<u8*>(c.src) + from, c.width);
    to += c.width;
  });
  c.staged = true;
}

}  // namespace

void runCopy(Driver& d, const Copy& c) {
  u64 dstSpan = spanOf(c, c.dstPitch, c.dstSlice);
  u8* dst = hostOf(d, c.dst, c.dstHost, dstSpan);
  const u8* src = c.staged ? c.data.data() : hostOf(d, c.src, c.srcHost, spanOf(c, c.srcPitch, c.srcSlice));
  Buffer* to = c.dstHost ? nullptr : d.memory->find(c.dst);
  u64 row = 0;
  eachRow(c, [&](u64 from, u64 at) {
    std::memmove(dst + at, src + (c.staged ? row : from), c.width);
    if (to) d.memory->wrote(to, c.dst + at, c.width);
    row += c.width;
  });
}

void runFill(Driver& d, const Fill& f) {
  u64 bytes = f.width * f.size, span = (f.height - 1) * f.pitch + bytes;
  u8* dst = hostOf(d, f.dst, false, span);
  Buffer* to = d.memory->find(f.dst);
  for (u64 y = 0; y < f.height; y++) {
    for (u64 x = 0; x < f.width; x++) std::memcpy(dst + y * f.pitch + x * f.size, &f.value, f.size);
    d.memory->wrote(to, f.dst + y * f.pitch, bytes);
  }
}

namespace {

// here refuses device memory that is not of the current device; peer copies name the devices themselves.
void here(const Buffer* b, const char* what) {
  if (b->ordinal != current()->device && b->kind != Buffer::pinned)
    failWith(kInvalidValue, format("%s: buffer %llu lies on device %u, the call is for device %u", what,
                                   static_cast<unsigned long long>(b->order), b->ordinal, current()->device));
}

// transfer enqueues a copy; a synchronous one is waited for. Pageable host memory is read at once, and written before
// the call returns, as the real driver stages it; pinned memory is touched when the copy runs.
void transfer(Driver& d, Handle stream, Copy c, bool async) {
  if (c.width == 0 || c.height == 0 || c.depth == 0) return;
  u64 dstSpan = spanOf(c, c.dstPitch, c.dstSlice), srcSpan = spanOf(c, c.srcPitch, c.srcSlice);
  if ((c.dstHost && !c.dst) || (c.srcHost && !c.src)) failWith(kInvalidValue, "null host pointer");
  if (!c.dstHost) here(checkRange(d, c.dst, dstSpan, "destination"), "destination");
  if (!c.srcHost) here(checkRange(d, c.src, srcSpan, "source"), "source");
  if (c.dstHost && !c.srcHost && d.memory->find(c.dst) && d.memory->find(c.dst)->kind == Buffer::device)
    failWith(kInvalidValue, "the host pointer is a device address");
  bool pageable = (c.dstHost && !pinned(d, c.dst, dstSpan)) || (c.srcHost && !pinned(d, c.src, srcSpan));
  auto s = d.stream(stream);
  if (!async) d.refuseInCapture("a synchronous copy");
  if (s->capture && pageable) {
    d.invalidate(*s->capture);
    failWith(kCaptureUnsupported, "a copy of pageable memory cannot be captured");
  }
  if (c.srcHost && pageable && !s->capture) stage(c);
  Work w;
  w.kind = Work::copy;
  bool wait = !async || (c.dstHost && pageable);
  w.transfer = std::make_shared<Copy>(std::move(c));
  u64 position = d.enqueue(stream, std::move(w));
  if (wait && position) d.finish(d.resolveStream(stream), position);
}

Copy linear(u64 dst, bool dstHost, u64 src, bool srcHost, u64 bytes) {
  Copy c;
  c.dst = dst, c.dstHost = dstHost, c.src = src, c.srcHost = srcHost, c.width = bytes;
  return c;
}

int copy(const char* name, Handle stream, const Copy& c, bool async) {
  return call(name, 0, [&](Driver& d) { transfer(d, stream, c, async); });
}

// unified decides by the address what is host memory.
int unified(const char* name, Handle stream, u64 dst, u64 src, u64 bytes, bool async) {
  return call(name, 0, [&](Driver& d) {
    auto host = [&](u64 a) {
      Buffer* b = d.memory->find(a);
      return !b || b->kind == Buffer::pinned;
    };
    transfer(d, stream, linear(dst, host(dst), src, host(src), bytes), async);
  });
}

int fill(const char* name, Handle stream, const Fill& f, bool async) {
  return call(name, 0, [&](Driver& d) {
    if (f.width == 0 || f.height == 0) return;
    if (f.dst % f.size) failWith(kInvalidValue, "misaligned fill");
    if (f.height > 1 && f.pitch < f.width * f.size) failWith(kInvalidValue, "the pitch is smaller than a row");
    here(checkRange(d, f.dst, (f.height - 1) * f.pitch + f.width * f.size, "fill"), "fill");
    Work w;
    w.kind = Work::fill;
    w.set = f;
    if (!async) d.refuseInCapture("a synchronous fill");
    u64 position = d.enqueue(stream, std::move(w));
    if (!async && position) d.finish(d.resolveStream(stream), position);
  });
}

Buffer* allocate(Driver& d, u64 bytes, Buffer::Kind kind) {
  if (bytes == 0) failWith(kInvalidValue, "no bytes asked for");
  Buffer* b = d.memory->allocate(bytes, kind, current()->id, current()->device);
  if (!b)
    throw Failure{
        kOutOfMemory,
        format("%llu bytes asked for, %llu of %llu in use", static_cast<unsigned long long>(bytes),
               static_cast<unsigned long long>(d.memory->used(current()->device)),
               static_cast<unsigned long long>(d.memory->limit()))};
  return b;
}

struct Memcpy2D {
  size_t srcX, srcY;
  int srcType;
  const void* srcHost;
  u64 srcDevice;
  void* srcArray;
  size_t srcPitch;
  size_t dstX, dstY;
  int dstType;
  void* dstHost;
  u64 dstDevice;
  void* dstArray;
  size_t dstPitch, width, height;
};

struct Memcpy3D {
  size_t srcX, srcY, srcZ, srcLod;
  int srcType;
  const void* srcHost;
  u64 srcDevice;
  void* srcArray;
  void* reserved0;
  size_t srcPitch, srcHeight;
  size_t dstX, dstY, dstZ, dstLod;
  int dstType;
  void* dstHost;
  u64 dstDevice;
  void* dstArray;
  void* reserved1;
  size_t dstPitch, dstHeight, width, height, depth;
};

u64 side(int type, const void* host, u64 device, bool& isHost) {
  isHost = type == 1;
  if (type == 1) return reinterpret_cast<u64>(host);
  if (type == 2) return device;
  failWith(kNotSupported, "copies of arrays are not supported");
}

Copy from2D(const Memcpy2D& p) {
  Copy c;
  c.src = side(p.srcType, p.srcHost, p.srcDevice, c.srcHost) + p.srcY * p.srcPitch + p.srcX;
  c.dst = side(p.dstType, p.dstHost, p.dstDevice, c.dstHost) + p.dstY * p.dstPitch + p.dstX;
  c.width = p.width, c.height = p.height, c.srcPitch = p.srcPitch, c.dstPitch = p.dstPitch;
  if (p.height > 1 && (p.srcPitch < p.width || p.dstPitch < p.width))
    failWith(kInvalidValue, "the pitch is smaller than a row");
  return c;
}

Copy from3D(const Memcpy3D& p) {
  Copy c;
  c.srcSlice = p.srcHeight * p.srcPitch, c.dstSlice = p.dstHeight * p.dstPitch;
  c.src = side(p.srcType, p.srcHost, p.srcDevice, c.srcHost) + p.srcZ * c.srcSlice + p.srcY * p.srcPitch + p.srcX;
  c.dst = side(p.dstType, p.dstHost, p.dstDevice, c.dstHost) + p.dstZ * c.dstSlice + p.dstY * p.dstPitch + p.dstX;
  c.width = p.width, c.height = p.height, c.depth = p.depth, c.srcPitch = p.srcPitch, c.dstPitch = p.dstPitch;
  if (p.height > 1 && (p.srcPitch < p.width || p.dstPitch < p.width))
    failWith(kInvalidValue, "the pitch is smaller than a row");
  return c;
}

u64 bits(const void* p) { return reinterpret_cast<u64>(p); }

constexpr Handle kPools = 0x600900000000ull;  // of device 0, and the others behind it

void checkPool(const Driver& d, Handle pool) {
  if (pool < kPools || pool - kPools >= d.settings.devices) failWith(kInvalidValue, "not a pool");
}

}  // namespace

}  // namespace emu

using namespace emu;

EMU_API(cuMemAlloc_v2)(u64* out, size_t bytes) {
  return call("cuMemAlloc_v2", 0, [&](Driver& d) {
    d.refuseInCapture("an allocation");
    *out = allocate(d, bytes, Buffer::device)->at;
  });
}

EMU_API(cuMemAllocPitch_v2)(u64* out, size_t* pitch, size_t width, size_t height, unsigned element) {
  return call("cuMemAllocPitch_v2", 0, [&](Driver& d) {
    d.refuseInCapture("an allocation");
    if (element != 4 && element != 8 && element != 16) failWith(kInvalidValue, "elements have 4, 8 or 16 bytes");
    *pitch = (width + 511) / 512 * 512;
    *out = allocate(d, *pitch * height, Buffer::device)->at;
  });
}

EMU_API(cuMemAllocManaged)(u64* out, size_t bytes, unsigned) {
  return call("cuMemAllocManaged", 0, [&](Driver&) {
    (void)out, (void)bytes;
    failWith(kNotSupported, "managed memory is not supported");
  });
}

EMU_API(cuMemFree_v2)(u64 at) {
  return call("cuMemFree_v2", 0, [&](Driver& d) {
    if (at == 0) return;
    d.refuseInCapture("a release");
    Buffer* b = d.memory->find(at);
    if (b && b->at == at && !b->live && !b->pending)
      failWith(kInvalidValue, format("buffer %llu is freed twice", static_cast<unsigned long long>(b->order)));
    if (!b || b->at != at || !b->live || b->kind != Buffer::device)
      failWith(kInvalidValue, "not the start of a device buffer");
    here(b, "release");
    d.finishAll(current()->id);  // as the real driver waits here
    checkedFree(d, b);
  });
}

EMU_API(cuMemAllocAsync)(u64* out, size_t bytes, Handle stream) {
  return call("cuMemAllocAsync", 0, [&](Driver& d) {
    auto s = d.stream(stream);
    if (s->capture) {
      d.invalidate(*s->capture);
      failWith(kCaptureUnsupported, "an allocation in a capture is not supported");
    }
    Buffer* b = allocate(d, bytes, Buffer::device);
    b->live = false;
    b->pending = true;
    Work w;
    w.kind = Work::allocate;
    w.buffer = b;
    *out = b->at;
    d.enqueue(stream, std::move(w));
  });
}

EMU_API(cuMemFreeAsync)(u64 at, Handle stream) {
  return call("cuMemFreeAsync", 0, [&](Driver& d) {
    auto s = d.stream(stream);
    if (s->capture) {
      d.invalidate(*s->capture);
      failWith(kCaptureUnsupported, "a release in a capture is not supported");
    }
    Buffer* b = d.memory->find(at);
    if (!b || b->at != at || b->kind != Buffer::device || !(b->live || b->pending))
      failWith(kInvalidValue, "not the start of a live device buffer");
    if (b->releasing)
      failWith(kInvalidValue, format("buffer %llu is freed twice", static_cast<unsigned long long>(b->order)));
    b->releasing = true;
    Work w;
    w.kind = Work::release;
    w.buffer = b;
    d.enqueue(stream, std::move(w));
  });
}

EMU_API(cuDeviceGetDefaultMemPool)(Handle* out, int device) {
  return call("cuDeviceGetDefaultMemPool", kNoContext, [&](Driver& d) {
    checkDevice(d, device);
    *out = kPools + static_cast<Handle>(device);
  });
}

EMU_API(cuMemPoolSetAttribute)(Handle pool, int which, void*) {
  return call("cuMemPoolSetAttribute", kNoContext, [&](Driver& d) {
    checkPool(d, pool);
    if (which < 1 || which > 8) failWith(kInvalidValue, "unknown attribute");
  });
}

EMU_API(cuMemPoolTrimTo)(Handle pool, size_t) {
  return call("cuMemPoolTrimTo", kNoContext, [&](Driver& d) {
    checkPool(d, pool);
  });
}

EMU_API(cuMemGetInfo_v2)(size_t* free, size_t* total) {
  return call("cuMemGetInfo_v2", 0, [&](Driver& d) {
    *total = d.memory->limit();
    *free = d.memory->limit() - d.memory->used(current()->device);
  });
}

EMU_API(cuMemGetAddressRange_v2)(u64* base, size_t* size, u64 at) {
  return call("cuMemGetAddressRange_v2", 0, [&](Driver& d) {
    Buffer* b = checkRange(d, at, 1, "address");
    if (base) *base = b->at;
    if (size) *size = b->size;
  });
}

EMU_API(cuPointerGetAttribute)(void* out, int which, u64 at) {
  return call("cuPointerGetAttribute", kNoContext, [&](Driver& d) {
    Buffer* b = d.memory->findLive(at, 1);
    if (!b) failWith(kInvalidValue, d.memory->describe(at, 1));
    auto put = [&](auto value) { std::memcpy(out, &value, sizeof value); };
    switch (which) {
      case 1: return put(b->context);
      case 2: return put(static_cast<u32>(b->kind == Buffer::pinned ? 1 : 2));
      case 3: return put(at);
      case 7: return put(b->order);
      case 8: return put(static_cast<u32>(0));
      case 9: return put(static_cast<u32>(0));
      case 11: return put(b->at);
      case 12: return put(b->size);
      default: failWith(kNotSupported, format("pointer attribute %d", which));
    }
  });
}

EMU_API(cuMemHostAlloc)(void** out, size_t bytes, unsigned flags) {
  return call("cuMemHostAlloc", 0, [&](Driver& d) {
    d.refuseInCapture("an allocation");
    if (flags > 7) failWith(kInvalidValue, "unknown flags");
    *out = allocate(d, bytes, Buffer::pinned)->host;
  });
}

EMU_API(cuMemAllocHost_v2)(void** out, size_t bytes) { return cuMemHostAlloc(out, bytes, 0); }

EMU_API(cuMemFreeHost)(void* p) {
  return call("cuMemFreeHost", 0, [&](Driver& d) {
    d.refuseInCapture("a release");
    Buffer* b = d.memory->find(bits(p));
    if (!b || b->at != bits(p) || b->kind != Buffer::pinned || b->registered)
      failWith(kInvalidValue, "not pinned memory of cuMemHostAlloc");
    d.finishAll(current()->id);
    checkedFree(d, b);
  });
}

EMU_API(cuMemHostGetDevicePointer_v2)(u64* out, void* p, unsigned) {
  return call("cuMemHostGetDevicePointer_v2", 0, [&](Driver& d) {
    if (!pinned(d, bits(p), 1)) failWith(kInvalidValue, "not pinned memory");
    *out = bits(p);
  });
}

EMU_API(cuMemHostRegister_v2)(void* p, size_t bytes, unsigned) {
  return call("cuMemHostRegister_v2", 0, [&](Driver& d) {
    if (!p || !bytes) failWith(kInvalidValue, "no memory");
    if (d.memory->find(bits(p)) || d.memory->find(bits(p) + bytes - 1))
      failWith(kHostMemoryAlreadyRegistered, "the memory is registered already");
    d.memory->adopt(p, bytes, current()->id);
  });
}

EMU_API(cuMemHostUnregister)(void* p) {
  return call("cuMemHostUnregister", 0, [&](Driver& d) {
    Buffer* b = d.memory->find(bits(p));
    if (!b || b->at != bits(p) || !b->registered) failWith(kHostMemoryNotRegistered, "the memory is not registered");
    d.finishAll(current()->id);
    checkedFree(d, b);
  });
}

EMU_API(cuMemcpyHtoD_v2)(u64 to, const void* from, size_t n) {
  return copy("cuMemcpyHtoD_v2", 0, linear(to, false, bits(from), true, n), false);
}
EMU_API(cuMemcpyDtoH_v2)(void* to, u64 from, size_t n) {
  return copy("cuMemcpyDtoH_v2", 0, linear(bits(to), true, from, false, n), false);
}
EMU_API(cuMemcpyDtoD_v2)(u64 to, u64 from, size_t n) {
  return copy("cuMemcpyDtoD_v2", 0, linear(to, false, from, false, n), false);
}
EMU_API(cuMemcpyHtoDAsync_v2)(u64 to, const void* from, size_t n, Handle s) {
  return copy("cuMemcpyHtoDAsync_v2", s, linear(to, false, bits(from), true, n), true);
}
EMU_API(cuMemcpyDtoHAsync_v2)(void* to, u64 from, size_t n, Handle s) {
  return copy("cuMemcpyDtoHAsync_v2", s, linear(bits(to), true, from, false, n), true);
}
EMU_API(cuMemcpyDtoDAsync_v2)(u64 to, u64 from, size_t n, Handle s) {
  return copy("cuMemcpyDtoDAsync_v2", s, linear(to, false, from, false, n), true);
}
EMU_API(cuMemcpy)(u64 to, u64 from, size_t n) { return unified("cuMemcpy", 0, to, from, n, false); }
EMU_API(cuMemcpyAsync)(u64 to, u64 from, size_t n, Handle s) { return unified("cuMemcpyAsync", s, to, from, n, true); }

EMU_API(cuMemcpy2D_v2)(const Memcpy2D* p) {
  return call("cuMemcpy2D_v2", 0, [&](Driver& d) { transfer(d, 0, from2D(*p), false); });
}
EMU_API(cuMemcpy2DUnaligned_v2)(const Memcpy2D* p) {
  return call("cuMemcpy2DUnaligned_v2", 0, [&](Driver& d) { transfer(d, 0, from2D(*p), false); });
}
EMU_API(cuMemcpy2DAsync_v2)(const Memcpy2D* p, Handle s) {
  return call("cuMemcpy2DAsync_v2", 0, [&](Driver& d) { transfer(d, s, from2D(*p), true); });
}
EMU_API(cuMemcpy3D_v2)(const Memcpy3D* p) {
  return call("cuMemcpy3D_v2", 0, [&](Driver& d) { transfer(d, 0, from3D(*p), false); });
}
EMU_API(cuMemcpy3DAsync_v2)(const Memcpy3D* p, Handle s) {
  return call("cuMemcpy3DAsync_v2", 0, [&](Driver& d) { transfer(d, s, from3D(*p), true); });
}

// Fills of 8, 16 and 32 bits, of rows too, at once and in stream order.
#define EMU_FILL(bits, type)                                                                      \
  EMU_API(cuMemsetD##bits##_v2)(u64 to, type v, size_t n) {                                       \
    return fill("cuMemsetD" #bits "_v2", 0, Fill{to, 0, n, 1, v, sizeof(type)}, false);           \
  }                                                                                               \
  EMU_API(cuMemsetD##bits##Async)(u64 to, type v, size_t n, Handle s) {                           \
    return fill("cuMemsetD" #bits "Async", s, Fill{to, 0, n, 1, v, sizeof(type)}, true);          \
  }                                                                                               \
  EMU_API(cuMemsetD2D##bits##_v2)(u64 to, size_t pitch, type v, size_t n, size_t h) {             \
    return fill("cuMemsetD2D" #bits "_v2", 0, Fill{to, pitch, n, h, v, sizeof(type)}, false);     \
  }                                                                                               \
  EMU_API(cuMemsetD2D##bits##Async)(u64 to, size_t pitch, type v, size_t n, size_t h, Handle s) { \
    return fill("cuMemsetD2D" #bits "Async", s, Fill{to, pitch, n, h, v, sizeof(type)}, true);    \
  }
EMU_FILL(8, u8)
EMU_FILL(16, u16)
EMU_FILL(32, u32)
