// Devices and contexts.
#include <algorithm>
#include <cstdio>

#include "driver.h"

namespace emu {

namespace {

std::shared_ptr<Context> makeContext(Driver& d, Handle& h, u32 flags, int device) {
  auto c = std::make_shared<Context>();
  h = d.contexts.add(c);
  c->id = h;
  c->flags = flags;
  c->device = static_cast<u32>(device);
  auto s = std::make_shared<Stream>();
  s->context = h;
  s->legacy = true;
  c->legacy = d.streams.add(s);
  return c;
}

// destroyContext releases all that belongs to a context.
void destroyContext(Driver& d, Context& c) {
  if (!c.sticky) d.finishAll(c.id);
  c.alive = false;
  d.discardContext(c.id);
  std::vector<Buffer*> owned;
  d.memory->each([&](Buffer& b) {
    if (b.live && b.context == c.id) owned.push_back(&b);
  });
  for (Buffer* b : owned) checkedFree(d, b);
  auto drop = [&](auto& handles) {
    auto& all = handles.all();
    for (auto it = all.begin(); it != all.end();) it = it->second->context == c.id ? all.erase(it) : std::next(it);
  };
  drop(d.modules), drop(d.functions), drop(d.events), drop(d.graphs), drop(d.execs);
}

int attribute(const Driver& d, int which, bool& known) {
  static const std::map<int, int> values = {
      {1, 1024},       {2, 1024},     {3, 1024},   {4, 64},       {5, 2147483647}, {6, 65535},    {7, 65535},
      {8, 48 << 10},   {9, 64 << 10}, {10, 32},    {11, 1 << 30}, {12, 65536},     {13, 1000000}, {14, 512},
      {15, 1},         {16, 8},       {17, 0},     {18, 0},       {19, 1},         {20, 0},       {31, 1},
      {32, 0},         {33, 0},       {34, 0},     {35, 0},       {36, 1000000},   {37, 256},     {38, 4 << 20},
      {39, 2048},      {40, 2},       {41, 1},     {50, 0},       {78, 1},         {79, 1},       {80, 1},
      {81, 100 << 10}, {82, 65536},   {83, 1},     {84, 0},       {87, 32},        {88, 0},       {89, 0},
      {90, 1},         {91, 1},       {95, 1},     {96, 0},       {97, 99 << 10},  {99, 1},       {102, 0},
      {106, 16},       {108, 0},      {111, 1024}, {115, 1},      {120, 0},
  };
  known = true;
  if (which == 75) return d.settings.major;
  if (which == 76) return d.settings.minor;
  auto it = values.find(which);
  known = it != values.end();
  return known ? it->second : 0;
}

// primaryOf is the primary context of a device, nullptr if there is none.
std::shared_ptr<Context> primaryOf(Driver& d, int device) {
  checkDevice(d, device);
  auto c = d.contexts.get(d.primary[static_cast<size_t>(device)]);
  return c && c->alive ? c : nullptr;
}

}  // namespace

void checkDevice(const Driver& d, int device) {
  if (device < 0 || static_cast<u32>(device) >= d.settings.devices)
    failWith(kInvalidDevice, format("there are %u devices, numbered from 0", d.settings.devices));
}

}  // namespace emu

using namespace emu;

EMU_API(cuDriverGetVersion)(int* out) {
  return call("cuDriverGetVersion", kAnyTime, [&](Driver&) {
    if (!out) failWith(kInvalidValue, "no place for the result");
    *out = 12000;
  });
}

EMU_API(cuDeviceGetCount)(int* out) {
  return call("cuDeviceGetCount", kNoContext, [&](Driver& d) { *out = static_cast<int>(d.settings.devices); });
}

EMU_API(cuDeviceGet)(int* out, int ordinal) {
  return call("cuDeviceGet", kNoContext, [&](Driver& d) {
    checkDevice(d, ordinal);
    *out = ordinal;
  });
}

EMU_API(cuDeviceGetName)(char* out, int n, int device) {
  return call("cuDeviceGetName", kNoContext, [&](Driver& d) {
    checkDevice(d, device);
    if (n < 1) failWith(kInvalidValue, "no place for the name");
    std::snprintf(out, static_cast<size_t>(n), "cuemu PTX interpreter");
  });
}

EMU_API(cuDeviceGetUuid)(u8* out, int device) {
  return call("cuDeviceGetUuid", kNoContext, [&](Driver& d) {
    checkDevice(d, device);
    std::memcpy(out, format("cuemu-device-%03d", device).data(), 16);
  });
}
EMU_API(cuDeviceGetUuid_v2)(u8* out, int device) { return cuDeviceGetUuid(out, device); }

EMU_API(cuDeviceTotalMem_v2)(size_t* out, int device) {
  return call("cuDeviceTotalMem_v2", kNoContext, [&](Driver& d) {
    checkDevice(d, device);
    *out = d.settings.limit;
  });
}

EMU_API(cuDeviceGetAttribute)(int* out, int which, int device) {
  return call("cuDeviceGetAttribute", kNoContext, [&](Driver& d) {
    checkDevice(d, device);
    bool known;
    *out = attribute(d, which, known);
    if (!known && (which < 1 || which > 200)) failWith(kInvalidValue, format("unknown device attribute %d", which));
  });
}

EMU_API(cuDeviceCanAccessPeer)(int* out, int device, int peer) {
  return call("cuDeviceCanAccessPeer", kNoContext, [&](Driver& d) {
    checkDevice(d, device);
    checkDevice(d, peer);
    *out = 0;
  });
}

EMU_API(cuDevicePrimaryCtxRetain)(Handle* out, int device) {
  return call("cuDevicePrimaryCtxRetain", kNoContext, [&](Driver& d) {
    auto c = primaryOf(d, device);
    if (!c) {
      c = makeContext(d, d.primary[static_cast<size_t>(device)], 0, device);
      c->primary = true;
    }
    c->retained++;
    *out = c->id;
  });
}

EMU_API(cuDevicePrimaryCtxRelease_v2)(int device) {
  return call("cuDevicePrimaryCtxRelease_v2", kNoContext, [&](Driver& d) {
    auto c = primaryOf(d, device);
    if (!c || c->retained == 0) failWith(kInvalidContext, "the primary context is not retained");
    if (--c->retained == 0) destroyContext(d, *c);
  });
}

EMU_API(cuDevicePrimaryCtxReset_v2)(int device) {
  return call("cuDevicePrimaryCtxReset_v2", kNoContext, [&](Driver& d) {
    auto c = primaryOf(d, device);
    if (c) destroyContext(d, *c);
  });
}

EMU_API(cuDevicePrimaryCtxGetState)(int device, unsigned* flags, int* active) {
  return call("cuDevicePrimaryCtxGetState", kNoContext, [&](Driver& d) {
    auto c = primaryOf(d, device);
    *active = c != nullptr;
    *flags = *active ? c->flags : 0;
  });
}

EMU_API(cuDevicePrimaryCtxSetFlags_v2)(int device, unsigned) {
  return call("cuDevicePrimaryCtxSetFlags_v2", kNoContext, [&](Driver& d) { checkDevice(d, device); });
}

EMU_API(cuCtxCreate_v2)(Handle* out, unsigned flags, int device) {
  return call("cuCtxCreate_v2", kNoContext, [&](Driver& d) {
    checkDevice(d, device);
    makeContext(d, *out, flags, device);
    contextStack().push_back(*out);
  });
}

EMU_API(cuCtxDestroy_v2)(Handle h) {
  return call("cuCtxDestroy_v2", kNoContext, [&](Driver& d) {
    auto c = d.contexts.get(h);
    if (!c || !c->alive) failWith(kInvalidContext, "not a context");
    if (c->primary) failWith(kInvalidContext, "the primary context is released, not destroyed");
    destroyContext(d, *c);
    auto& stack = contextStack();
    if (!stack.empty() && stack.back() == h) stack.pop_back();
  });
}

EMU_API(cuCtxPushCurrent_v2)(Handle h) {
  return call("cuCtxPushCurrent_v2", kNoContext, [&](Driver& d) {
    auto c = d.contexts.get(h);
    if (!c) failWith(kInvalidContext, "not a context");
    if (!c->alive) failWith(kContextIsDestroyed, "the context was destroyed");
    contextStack().push_back(h);
  });
}

EMU_API(cuCtxPopCurrent_v2)(Handle* out) {
  return call("cuCtxPopCurrent_v2", kNoContext, [&](Driver&) {
    auto& stack = contextStack();
    if (stack.empty()) failWith(kInvalidContext, "no context is current on this thread");
    if (out) *out = stack.back();
    stack.pop_back();
  });
}

EMU_API(cuCtxSetCurrent)(Handle h) {
  return call("cuCtxSetCurrent", kNoContext, [&](Driver& d) {
    auto& stack = contextStack();
    if (!stack.empty()) stack.pop_back();
    if (h == 0) return;
    auto c = d.contexts.get(h);
    if (!c) failWith(kInvalidContext, "not a context");
    if (!c->alive) failWith(kContextIsDestroyed, "the context was destroyed");
    stack.push_back(h);
  });
}

EMU_API(cuCtxGetCurrent)(Handle* out) {
  return call("cuCtxGetCurrent", kNoContext,
              [&](Driver&) { *out = contextStack().empty() ? 0 : contextStack().back(); });
}

EMU_API(cuCtxGetDevice)(int* out) {
  return call("cuCtxGetDevice", 0, [&](Driver&) { *out = static_cast<int>(current()->device); });
}

EMU_API(cuCtxGetFlags)(unsigned* out) {
  return call("cuCtxGetFlags", 0, [&](Driver&) { *out = current()->flags; });
}

EMU_API(cuCtxGetApiVersion)(Handle, unsigned* out) {
  return call("cuCtxGetApiVersion", 0, [&](Driver&) { *out = 12000; });
}

EMU_API(cuCtxGetStreamPriorityRange)(int* least, int* greatest) {
  return call("cuCtxGetStreamPriorityRange", 0, [&](Driver&) {
    if (least) *least = 0;
    if (greatest) *greatest = -5;
  });
}

EMU_API(cuCtxGetLimit)(size_t* out, int limit) {
  return call("cuCtxGetLimit", 0, [&](Driver&) {
    const size_t values[] = {1024, 1 << 20, 8 << 20};
    if (limit < 0 || limit > 2) failWith(kInvalidValue, "unknown limit");
    *out = values[limit];
  });
}

EMU_API(cuCtxSetLimit)(int limit, size_t) {
  return call("cuCtxSetLimit", 0, [&](Driver&) {
    if (limit < 0 || limit > 2) failWith(kInvalidValue, "unknown limit");
  });
}

EMU_API(cuCtxGetCacheConfig)(int* out) {
  return call("cuCtxGetCacheConfig", 0, [&](Driver&) { *out = 0; });
}
EMU_API(cuCtxSetCacheConfig)(int) {
  return call("cuCtxSetCacheConfig", 0, [](Driver&) {});
}
EMU_API(cuCtxGetSharedMemConfig)(int* out) {
  return call("cuCtxGetSharedMemConfig", 0, [&](Driver&) { *out = 1; });
}
EMU_API(cuCtxSetSharedMemConfig)(int) {
  return call("cuCtxSetSharedMemConfig", 0, [](Driver&) {});
}
EMU_API(cuCtxResetPersistingL2Cache)() {
  return call("cuCtxResetPersistingL2Cache", 0, [](Driver&) {});
}

EMU_API(cuCtxSynchronize)() {
  return call("cuCtxSynchronize", 0, [&](Driver& d) {
    for (auto& e : d.streams.all())
      if (e.second->capture && e.second->context == current()->id) {
        d.invalidate(*e.second->capture);
        failWith(kCaptureUnsupported, "a stream of the context is captured");
      }
    d.finishAll(current()->id);
  });
}
