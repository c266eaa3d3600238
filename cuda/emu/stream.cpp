// Streams: work is put off until something waits for it, and then runs in a random order of what is ready.
#include <algorithm>
#include <chrono>

#include "driver.h"

namespace emu {

namespace {

i64 now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

}  // namespace

Handle Driver::resolveStream(Handle h) {
  auto c = current();
  if (h > 2) return h;
  if (h < 2) return c->legacy;
  if (!c->perThread) {
    auto s = std::make_shared<Stream>();
    s->context = c->id;
    s->legacy = true;  // not the caller's to destroy
    c->perThread = streams.add(s);
  }
  return c->perThread;
}

std::shared_ptr<Stream> Driver::stream(Handle h) {
  auto s = streams.get(resolveStream(h));
  if (!s || s->destroyed) failWith(kInvalidHandle, "not a stream");
  if (s->context != current()->id) failWith(kInvalidHandle, "the stream belongs to another context");
  return s;
}

void Driver::invalidate(Capture& c) { c.invalid = true; }

void Driver::refuseInCapture(const char* what) {
  if (threadCaptureMode() == 2) return;
  for (auto& e : streams.all()) {
    auto& c = e.second->capture;
    if (!c || c->mode == 2 || e.second->context != current()->id) continue;
    if ((c->mode == 1 || threadCaptureMode() == 1) && c->thread != threadNumber()) continue;
    invalidate(*c);
    failWith(kCaptureUnsupported, std::string(what) + " while a stream is captured");
  }
}

u64 Driver::enqueue(Handle h, Work w) {
  auto s = stream(h);
  Handle handle = resolveStream(h);
  auto c = current();
  if (s->capture) {
    if (s->capture->invalid) failWith(kCaptureInvalidated, "the capture was invalidated before");
    if (w.kind == Work::record) return 0;  // the caller has noted the nodes
    Node n;
    n.handle = nextNode += 16;
    n.work = std::move(w);
    n.after = s->tail;
    s->capture->graph->nodes.push_back(std::move(n));
    s->tail = {static_cast<u32>(s->capture->graph->nodes.size() - 1)};
    return 0;
  }
  bool legacy = handle == c->legacy;
  if (legacy)
    for (auto& e : streams.all())
      if (e.second->capture && e.second->blocking && e.second->capture->mode != 2 && e.second->context == c->id) {
        invalidate(*e.second->capture);
        failWith(kCaptureImplicit, "the default stream would wait for a stream that is captured");
      }
  // The default stream comes after all earlier work of blocking streams, and they after it.
  for (auto& e : streams.all()) {
    if (e.second == s || e.second->context != c->id || !e.second->blocking || !s->blocking) continue;
    if ((legacy || e.first == c->legacy) && e.second->done < e.second->enqueued)
      w.after.push_back({e.first, e.second->enqueued});
  }
  s->queue.push_back(std::move(w));
  u64 position = ++s->enqueued;
  if (settings.eager) finish(handle, position);
  return position;
}

bool Driver::step() {
  std::vector<Handle> ready;
  for (auto& e : streams.all()) {
    Stream& s = *e.second;
    if (s.queue.empty()) continue;
    bool free = std::all_of(s.queue.front().after.begin(), s.queue.front().after.end(), [&](auto& a) {
      auto other = streams.get(a.first);
      return !other || other->done >= a.second;
    });
    if (free) ready.push_back(e.first);
  }
  if (ready.empty()) return false;
  Handle chosen = ready[random() % ready.size()];
  auto s = streams.get(chosen);
  Work w = std::move(s->queue.front());
  s->queue.pop_front();
  execute(*s, w);
  s->done++;
  if (s->destroyed && s->queue.empty()) streams.remove(chosen);
  return true;
}

void Driver::finish(Handle h, u64 position) {
  for (;;) {
    auto s = streams.get(h);
    if (!s || s->done >= position) return;
    if (!step()) failWith(kLaunchFailed, "streams wait for each other for ever");
  }
}

void Driver::finishAll(u64 context) {
  for (auto again = true; again;) {
    again = false;
    for (auto& e : streams.all()) again = again || (e.second->context == context && !e.second->queue.empty());
    if (again && !step()) failWith(kLaunchFailed, "streams wait for each other for ever");
  }
}

void Driver::discardContext(u64 context) {
  auto& all = streams.all();
  for (auto it = all.begin(); it != all.end();) it = it->second->context == context ? all.erase(it) : std::next(it);
}

namespace {

void runKernel(Driver& d, Context& c, const Work& w) {
  LaunchState state;
  state.kernel = w.code.get();
  state.shape = w.shape;
  state.params = w.params.data();
  state.memory = d.memory.get();
  state.device = c.device;
  state.id = ++d.launchNumber;
  state.checkRaces = d.settings.races;
  state.checkInit = d.settings.init;
  state.budget = d.settings.budget;
  LaunchReport r = runLaunch(state, d.settings.seed ? d.random() : 0);
  if (r.code) d.setFault(c, r.code, r.text);
}

void runGraph(Driver& d, Stream& s, const std::vector<Node>& nodes) {
  std::vector<u32> missing(nodes.size());
  std::vector<std::vector<u32>> next(nodes.size());
  std::vector<u32> ready;
  for (u32 i = 0; i < nodes.size(); i++) {
    missing[i] = static_cast<u32>(nodes[i].after.size());
    for (u32 a : nodes[i].after) next[a].push_back(i);
    if (missing[i] == 0) ready.push_back(i);
  }
  while (!ready.empty()) {
    size_t pick = d.random() % ready.size();
    u32 i = ready[pick];
    ready.erase(ready.begin() + static_cast<long>(pick));
    Work w = nodes[i].work;
    d.execute(s, w);
    for (u32 n : next[i])
      if (--missing[n] == 0) ready.push_back(n);
  }
}

}  // namespace

void Driver::execute(Stream& s, Work& w) {
  auto c = contexts.get(s.context);
  if (!c || !c->alive) return;
  if (w.kind == Work::record) {
    if (w.event->version == w.version) w.event->done = true, w.event->time = now();
    return;
  }
  if (w.kind == Work::release) return checkedFree(*this, w.buffer);
  if (c->sticky) return;
  try {
    switch (w.kind) {
      case Work::kernel: return runKernel(*this, *c, w);
      case Work::copy: return runCopy(*this, *w.transfer);
      case Work::fill: return runFill(*this, w.set);
      case Work::graph: return runGraph(*this, s, *w.nodes);
      case Work::allocate:
        w.buffer->live = true;
        w.buffer->pending = false;
        memory->touch();
        return;
      case Work::host:
        inCallback = true;
        w.callback(w.data);
        inCallback = false;
        return;
      default: return;
    }
  } catch (const Failure& f) {
    setFault(*c, kIllegalAddress, f.text);
  }
}

}  // namespace emu

using namespace emu;

namespace {

int create(const char* name, Handle* out, u32 flags, int priority) {
  return call(name, 0, [&](Driver& d) {
    if (!out || flags > 1) failWith(kInvalidValue, "bad argument");
    auto s = std::make_shared<Stream>();
    s->context = current()->id;
    s->flags = flags;
    s->blocking = !(flags & 1);
    s->priority = std::max(-5, std::min(0, priority));
    *out = d.streams.add(s);
  });
}

}  // namespace

EMU_API(cuStreamCreate)(Handle* out, unsigned flags) { return create("cuStreamCreate", out, flags, 0); }

EMU_API(cuStreamCreateWithPriority)(Handle* out, unsigned flags, int priority) {
  return create("cuStreamCreateWithPriority", out, flags, priority);
}

EMU_API(cuStreamDestroy_v2)(Handle h) {
  return call("cuStreamDestroy_v2", 0, [&](Driver& d) {
    auto s = d.stream(h);
    if (s->legacy || h < 3) failWith(kInvalidHandle, "the default stream is not destroyed");
    if (s->capture) d.invalidate(*s->capture);
    s->destroyed = true;  // what it holds still runs
    if (s->queue.empty()) d.streams.remove(h);
  });
}

EMU_API(cuStreamSynchronize)(Handle h) {
  return call("cuStreamSynchronize", 0, [&](Driver& d) {
    auto s = d.stream(h);
    if (s->capture) {
      d.invalidate(*s->capture);
      failWith(kCaptureUnsupported, "the stream is captured");
    }
    d.finish(d.resolveStream(h), s->enqueued);
  });
}

EMU_API(cuStreamQuery)(Handle h) {
  return call("cuStreamQuery", 0, [&](Driver& d) {
    auto s = d.stream(h);
    if (s->capture) {
      d.invalidate(*s->capture);
      failWith(kCaptureUnsupported, "the stream is captured");
    }
    if (s->queue.empty()) return;
    d.step();  // a loop that asks makes progress
    if (!s->queue.empty()) throw Failure{kNotReady, ""};
  });
}

EMU_API(cuStreamGetFlags)(Handle h, unsigned* out) {
  return call("cuStreamGetFlags", 0, [&](Driver& d) { *out = d.stream(h)->flags; });
}

EMU_API(cuStreamGetPriority)(Handle h, int* out) {
  return call("cuStreamGetPriority", 0, [&](Driver& d) { *out = d.stream(h)->priority; });
}

EMU_API(cuStreamGetCtx)(Handle h, Handle* out) {
  return call("cuStreamGetCtx", 0, [&](Driver& d) { *out = d.stream(h)->context; });
}

EMU_API(cuLaunchHostFunc)(Handle h, HostFn f, void* data) {
  return call("cuLaunchHostFunc", 0, [&](Driver& d) {
    if (!f) failWith(kInvalidValue, "no function");
    Work w;
    w.kind = Work::host;
    w.callback = f;
    w.data = data;
    d.enqueue(h, std::move(w));
  });
}

// A wait on an event that nobody has recorded is an error here, where hardware takes it as done: it hides a missing
// record.
EMU_API(cuStreamWaitEvent)(Handle h, Handle event, unsigned) {
  return call("cuStreamWaitEvent", 0, [&](Driver& d) {
    auto s = d.stream(h);
    auto e = d.events.get(event);
    if (!e) failWith(kInvalidHandle, "not an event");
    if (e->capture) {
      if (s->capture && s->capture != e->capture) {
        d.invalidate(*s->capture);
        d.invalidate(*e->capture);
        failWith(kCaptureMerge, "two captures would merge");
      }
      if (!s->capture) s->tail.clear(), s->capture = e->capture;
      for (u32 n : e->nodes)
        if (!std::count(s->tail.begin(), s->tail.end(), n)) s->tail.push_back(n);
      return;
    }
    if (s->capture) {
      d.invalidate(*s->capture);
      failWith(kCaptureIsolation, "the event was recorded outside of the capture");
    }
    if (!e->recorded) failWith(kInvalidHandle, "the event was never recorded: the wait has no effect");
    if (e->done) return;
    Work w;
    w.after.push_back({e->stream, e->position});
    d.enqueue(h, std::move(w));
  });
}

EMU_API(cuEventCreate)(Handle* out, unsigned flags) {
  return call("cuEventCreate", 0, [&](Driver& d) {
    if (!out || flags > 7) failWith(kInvalidValue, "bad argument");
    auto e = std::make_shared<Event>();
    e->context = current()->id;
    e->flags = flags;
    *out = d.events.add(e);
  });
}

EMU_API(cuEventDestroy_v2)(Handle h) {
  return call("cuEventDestroy_v2", 0, [&](Driver& d) {
    if (!d.events.remove(h)) failWith(kInvalidHandle, "not an event");
  });
}

EMU_API(cuEventRecord)(Handle h, Handle stream) {
  return call("cuEventRecord", 0, [&](Driver& d) {
    auto e = d.events.get(h);
    if (!e) failWith(kInvalidHandle, "not an event");
    auto s = d.stream(stream);
    if (e->context != s->context) failWith(kInvalidHandle, "event and stream belong to different contexts");
    Work w;
    w.kind = Work::record;
    w.event = e;
    w.version = ++e->version;
    if (s->capture) {
      e->capture = s->capture;
      e->nodes = s->tail;
      e->recorded = false;
    } else {
      e->capture = nullptr;
      e->recorded = true;
    }
    e->done = false;
    e->stream = d.resolveStream(stream);
    e->position = s->enqueued + 1;
    d.enqueue(stream, std::move(w));
  });
}

namespace {

void refuseCaptured(Driver& d, const Event& e) {
  if (!e.capture) return;
  d.invalidate(*e.capture);
  failWith(kCapturedEvent, "the event was recorded in a capture");
}

}  // namespace

EMU_API(cuEventQuery)(Handle h) {
  return call("cuEventQuery", 0, [&](Driver& d) {
    auto e = d.events.get(h);
    if (!e) failWith(kInvalidHandle, "not an event");
    refuseCaptured(d, *e);
    if (!e->recorded || e->done) return;
    d.step();
    if (!e->done) throw Failure{kNotReady, ""};
  });
}

EMU_API(cuEventSynchronize)(Handle h) {
  return call("cuEventSynchronize", 0, [&](Driver& d) {
    auto e = d.events.get(h);
    if (!e) failWith(kInvalidHandle, "not an event");
    refuseCaptured(d, *e);
    if (e->recorded) d.finish(e->stream, e->position);
  });
}

EMU_API(cuEventElapsedTime)(float* out, Handle from, Handle to) {
  return call("cuEventElapsedTime", 0, [&](Driver& d) {
    auto a = d.events.get(from), b = d.events.get(to);
    if (!a || !b || !a->recorded || !b->recorded) failWith(kInvalidHandle, "an event was not recorded");
    if ((a->flags | b->flags) & 2) failWith(kInvalidHandle, "an event has no timing");
    if (!a->done || !b->done) throw Failure{kNotReady, ""};
    *out = static_cast<float>(b->time - a->time) / 1e6f;
  });
}

EMU_API(cuEventElapsedTime_v2)(float* out, Handle from, Handle to) { return cuEventElapsedTime(out, from, to); }
