// State of the driver, and what all entry points share.
#include "driver.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace emu {

Driver& driver() {
  static Driver* d = new Driver;  // never destroyed: other threads may still call at exit
  return *d;
}

std::vector<Handle>& contextStack() {
  static thread_local std::vector<Handle> stack;
  return stack;
}

u64 threadNumber() { return static_cast<u64>(syscall(SYS_gettid)); }

int& threadCaptureMode() {
  static thread_local int mode = 0;
  return mode;
}

std::shared_ptr<Context> current() {
  auto& stack = contextStack();
  return stack.empty() ? nullptr : driver().contexts.get(stack.back());
}

namespace {

u64 numberFrom(const char* name, u64 otherwise) {
  const char* s = std::getenv(name);
  return s && *s ? std::strtoull(s, nullptr, 0) : otherwise;
}

// Injection is CUEMU_FAIL: N[:code] lets driver call number N fail, name:k[:code] the k-th call of a function.
struct Injection {
  std::string text, name;
  u64 at = 0, seen = 0;
  int code = 999;

  void read() {
    const char* s = std::getenv("CUEMU_FAIL");
    std::string now = s ? s : "";
    if (now == text) return;
    *this = Injection{};
    text = now;
    if (text.empty()) return;
    std::string rest = text;
    if (rest[0] < '0' || rest[0] > '9') {
      size_t colon = rest.find(':');
      name = rest.substr(0, colon);
      rest = colon == std::string::npos ? "1" : rest.substr(colon + 1);
    }
    unsigned long long n = 0;
    int parts = std::sscanf(rest.c_str(), "%llu:%d", &n, &code);
    if (parts < 1 || n == 0)
      std::fprintf(stderr, "cuemu: CUEMU_FAIL=%s is not understood: use N[:code] or name:k[:code]\n", text.c_str());
    at = n;
  }

  bool hits(const char* function) {
    read();
    if (at == 0) return false;
    std::string f = function;
    if (!name.empty() && f != name && f.substr(0, f.find("_v")) != name) return false;
    return ++seen == at;
  }
};

int run(Driver& d, const char* name, u32 flags, const std::function<void(Driver&)>& body) {
  if (!(flags & kUncounted)) {
    static Injection injection;
    d.calls++;
    if (injection.hits(name)) {
      std::fprintf(stderr, "cuemu: %s fails with %d as CUEMU_FAIL=%s asks\n", name, injection.code,
                   injection.text.c_str());
      return injection.code;
    }
  }
  if (!(flags & kAnyTime) && !d.initialised) return kNotInitialized;
  if (d.inCallback && !(flags & kAnyTime)) return kNotPermitted;
  if (!(flags & (kNoContext | kAnyTime))) {
    if (contextStack().empty()) return kInvalidContext;
    auto c = current();
    if (!c || !c->alive) return kContextIsDestroyed;
    if (c->sticky && !(flags & kEvenSticky)) return c->sticky;
  }
  body(d);
  auto c = current();
  return c && c->sticky && !(flags & (kAnyTime | kEvenSticky | kNoContext)) ? c->sticky : kOk;
}

}  // namespace

int call(const char* name, u32 flags, const std::function<void(Driver&)>& body) {
  Driver& d = driver();
  std::lock_guard<std::recursive_mutex> guard(d.lock);
  try {
    return run(d, name, flags, body);
  } catch (const Failure& f) {
    if (!f.text.empty()) {
      d.lastFault = std::string(name) + ": " + f.text;
      if (f.code != kNotReady) std::fprintf(stderr, "cuemu: %s (code %d)\n", d.lastFault.c_str(), f.code);
    }
    return f.code;
  } catch (const Fault& f) {
    return f.code;
  } catch (const std::bad_alloc&) {
    return kOutOfMemory;
  }
}

void Driver::configure() {
  settings.noDevice = numberFrom("CUEMU_NODEVICE", 0) != 0;
  settings.seed = numberFrom("CUEMU_SEED", 0);
  settings.devices = static_cast<u32>(std::clamp<u64>(numberFrom("CUEMU_DEVICES", 1), 1, 16));
  settings.eager = numberFrom("CUEMU_EAGER", 0) != 0;
  settings.limit = numberFrom("CUEMU_MEMORY", 2ull << 30);
  settings.budget = numberFrom("CUEMU_BUDGET", 1ull << 27);
  if (const char* cc = std::getenv("CUEMU_CC")) std::sscanf(cc, "%d.%d", &settings.major, &settings.minor);
  if (const char* checks = std::getenv("CUEMU_CHECK")) {
    std::string s = checks;
    settings.races = s.find("race") != std::string::npos || s == "all";
    settings.init = s.find("init") != std::string::npos || s == "all";
  }
  random.seed(settings.seed);
  memory = std::make_unique<Memory>(settings.limit, settings.devices);
  primary.assign(settings.devices, 0);
}

void Driver::setFault(Context& c, Code code, const std::string& text) {
  if (c.sticky) return;
  c.sticky = code;
  lastFault = text;
  std::fprintf(stderr, "cuemu: %s (code %d)\n", text.c_str(), code);
}

}  // namespace emu

using namespace emu;

EMU_API(cuInit)(unsigned flags) {
  return call("cuInit", kAnyTime, [&](Driver& d) {
    if (flags) failWith(kInvalidValue, "flags must be 0");
    if (d.initialised) return;
    d.configure();
    if (d.settings.noDevice) throw Failure{kNoDevice, ""};
    d.initialised = true;
  });
}

// cuemuLastFault gives the text of the last failure, valid until the next one; empty if there was none.
extern "C" __attribute__((visibility("default"))) const char* cuemuLastFault() {
  Driver& d = driver();
  std::lock_guard<std::recursive_mutex> guard(d.lock);
  static thread_local std::string copy;
  copy = d.lastFault;
  return copy.c_str();
}

// cuemuStats fills up to n numbers: live device buffers, their bytes, peak bytes, live pinned buffers, streams, events,
// modules, graphs, executable graphs, contexts, kernel launches, driver calls, queued work.
extern "C" __attribute__((visibility("default"))) int cuemuStats(unsigned long long* out, int n) {
  Driver& d = driver();
  std::lock_guard<std::recursive_mutex> guard(d.lock);
  if (!d.memory) d.memory = std::make_unique<Memory>(d.settings.limit, d.settings.devices);
  u64 streams = 0, queued = 0, contexts = 0;
  for (auto& s : d.streams.all()) {
    if (!s.second->legacy && !s.second->destroyed) streams++;
    queued += s.second->queue.size();
  }
  for (auto& c : d.contexts.all()) contexts += c.second->alive;
  const u64 values[] = {
      d.memory->liveBuffers(Buffer::device) + d.memory->liveBuffers(Buffer::managed),
      d.memory->liveBytes(Buffer::device) + d.memory->liveBytes(Buffer::managed),
      d.memory->peak(),
      d.memory->liveBuffers(Buffer::pinned),
      streams,
      d.events.size(),
      d.modules.size(),
      d.graphs.size(),
      d.execs.size(),
      contexts,
      d.launches,
      d.calls,
      queued,
  };
  int count = static_cast<int>(sizeof values / sizeof values[0]);
  for (int i = 0; i < n && i < count; i++) out[i] = values[i];
  return count;
}
