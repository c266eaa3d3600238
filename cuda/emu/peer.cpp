// Copies between devices.
#include "driver.h"

namespace emu {

namespace {

// sideOf checks a range that must be memory of the device of a context.
void sideOf(Driver& d, u64 address, Handle context, u64 bytes, const char* what) {
  auto c = d.contexts.get(context);
  if (!c || !c->alive) failWith(kInvalidContext, std::string(what) + ": not a context");
  Buffer* b = checkRange(d, address, bytes, what);
  if (b->kind == Buffer::pinned || b->ordinal != c->device)
    failWith(kInvalidValue, format("%s: buffer %llu is not of device %u", what,
                                   static_cast<unsigned long long>(b->order), c->device));
}

// peer enqueues a copy; one that is waited for comes after all work of both contexts.
void peer(Driver& d, u64 dst, Handle dstContext, u64 src, Handle srcContext, u64 bytes, Handle stream, bool async) {
  if (bytes == 0) return;
  sideOf(d, dst, dstContext, bytes, "destination");
  sideOf(d, src, srcContext, bytes, "source");
  if (!async) d.refuseInCapture("a synchronous copy");
  Work w;
  w.kind = Work::copy;
  w.transfer = std::make_shared<Copy>();
  w.transfer->dst = dst, w.transfer->src = src, w.transfer->width = bytes;
  if (!async) d.finishAll(dstContext), d.finishAll(srcContext);
  u64 position = d.enqueue(stream, std::move(w));
  if (!async && position) d.finish(d.resolveStream(stream), position);
}

}  // namespace

}  // namespace emu

using namespace emu;

EMU_API(cuMemcpyPeer)(u64 dst, Handle dstContext, u64 src, Handle srcContext, size_t bytes) {
  return call("cuMemcpyPeer", 0, [&](Driver& d) { peer(d, dst, dstContext, src, srcContext, bytes, 0, false); });
}

EMU_API(cuMemcpyPeerAsync)(u64 dst, Handle dstContext, u64 src, Handle srcContext, size_t bytes, Handle stream) {
  return call("cuMemcpyPeerAsync", 0,
              [&](Driver& d) { peer(d, dst, dstContext, src, srcContext, bytes, stream, true); });
}
