// The driver part: contexts, handles, streams with deferred work, graphs.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <unordered_map>

#include "exec.h"

#define EMU_API(name) extern "C" __attribute__((visibility("default"))) int name

namespace emu {

using Handle = u64;
using HostFn = void (*)(void*);

struct Module {
  u64 context = 0;
  std::map<std::string, std::shared_ptr<Kernel>> kernels;
  std::map<std::string, Buffer*> variables;
};

struct KernelFunction {
  u64 context = 0;
  Handle module = 0;
  std::shared_ptr<Kernel> kernel;
  u32 dynamicLimit = 48 << 10;
};

// Copy is one transfer of rows; a staged one has taken its data already.
struct Copy {
  u64 dst = 0, src = 0;
  bool dstHost = false, srcHost = false;
  u64 width = 0, height = 1, depth = 1;
  u64 dstPitch = 0, srcPitch = 0, dstSlice = 0, srcSlice = 0;
  bool staged = false;
  std::vector<u8> data;
};

struct Fill {
  u64 dst = 0, pitch = 0, width = 0, height = 1;  // width in elements
  u32 value = 0, size = 1;
};

struct Event {
  u64 context = 0;
  u32 flags = 0;
  bool recorded = false, done = false;
  Handle stream = 0;
  u64 position = 0;  // in the stream
  u64 version = 0;
  i64 time = 0;  // nanoseconds, when it was reached
  std::shared_ptr<struct Capture> capture;
  std::vector<u32> nodes;  // that it stands for in a capture
};

struct Node;
using Nodes = std::shared_ptr<const std::vector<Node>>;

// Work is one entry of a stream or node of a graph.
struct Work {
  enum Kind : u8 { empty, kernel, copy, fill, host, record, allocate, release, graph } kind = empty;
  Handle function = 0;
  std::shared_ptr<Kernel> code;
  LaunchShape shape;
  std::vector<u8> params;
  std::shared_ptr<Copy> transfer;
  Fill set;
  HostFn callback = nullptr;
  void* data = nullptr;
  std::shared_ptr<Event> event;
  u64 version = 0;
  Buffer* buffer = nullptr;
  Nodes nodes;
  std::vector<std::pair<Handle, u64>> after;  // stream and position that must be done
};

struct Node {
  Handle handle = 0;
  Work work;
  std::vector<u32> after;  // indices of nodes before it
};

struct Graph {
  u64 context = 0;
  std::vector<Node> nodes;
};

struct GraphExec {
  u64 context = 0;
  Nodes nodes;
};

struct Capture {
  std::shared_ptr<Graph> graph;
  Handle origin = 0;
  int mode = 0;
  u64 thread = 0;
  bool invalid = false;
};

struct Stream {
  u64 context = 0;
  bool blocking = true, legacy = false, destroyed = false;
  int priority = 0;
  u32 flags = 0;
  std::deque<Work> queue;
  u64 enqueued = 0, done = 0;
  std::shared_ptr<Capture> capture;
  std::vector<u32> tail;  // nodes that the next one of the capture comes after
};

struct Context {
  u64 id = 0;
  bool alive = true, primary = false;
  u32 retained = 0, flags = 0, device = 0;
  Handle legacy = 0, perThread = 0;
  Code sticky = kOk;
};

template <class T>
class Handles {
 public:
  explicit Handles(u64 kind) : next_(0x600000000000ull | kind << 36) {}
  Handle add(std::shared_ptr<T> x) {
    next_ += 16;
    all_[next_] = std::move(x);
    return next_;
  }
  std::shared_ptr<T> get(Handle h) const {
    auto it = all_.find(h);
    return it == all_.end() ? nullptr : it->second;
  }
  bool remove(Handle h) { return all_.erase(h) > 0; }
  size_t size() const { return all_.size(); }
  std::map<Handle, std::shared_ptr<T>>& all() { return all_; }

 private:
  std::map<Handle, std::shared_ptr<T>> all_;
  u64 next_;
};

// Failure carries a result code out of an entry point.
struct Failure {
  Code code;
  std::string text;
};

struct Settings {
  int major = 8, minor = 0;
  u32 devices = 1;
  u64 limit = 2ull << 30, seed = 0, budget = 1ull << 27;
  bool eager = false, noDevice = false, races = true, init = true;
};

struct Driver {
  std::recursive_mutex lock;
  bool initialised = false, inCallback = false;
  Settings settings;
  std::unique_ptr<Memory> memory;
  std::mt19937_64 random;
  std::string lastFault;
  u64 calls = 0, launches = 0, launchNumber = 0;

  Handles<Context> contexts{1};
  Handles<Module> modules{2};
  Handles<KernelFunction> functions{3};
  Handles<Stream> streams{4};
  Handles<Event> events{5};
  Handles<Graph> graphs{6};
  Handles<GraphExec> execs{7};
  std::vector<Handle> primary;  // by device
  u64 nextNode = 0x600800000000ull;

  void configure();
  void setFault(Context& c, Code code, const std::string& text);

  // streams
  std::shared_ptr<Stream> stream(Handle h);  // checked; 0 and 1 are the legacy stream
  Handle resolveStream(Handle h);
  u64 enqueue(Handle stream, Work w);  // position, 0 if captured
  bool step();                         // runs one ready entry
  void finish(Handle stream, u64 position);
  void finishAll(u64 context);
  void execute(Stream& s, Work& w);
  void discardContext(u64 context);

  // capture
  void refuseInCapture(const char* what);  // calls that a capture forbids
  void invalidate(Capture& c);
};

Driver& driver();
std::vector<Handle>& contextStack();
std::shared_ptr<Context> current();
void checkDevice(const Driver& d, int device);
u64 threadNumber();
int& threadCaptureMode();  // 0 global, 1 this thread, 2 relaxed: what captures forbid to the thread

// Flags of call.
enum : u32 { kAnyTime = 1, kNoContext = 2, kUncounted = 4, kEvenSticky = 8 };

// call does what each entry point has to: lock, count, inject, check state, translate failures.
int call(const char* name, u32 flags, const std::function<void(Driver&)>& body);

// checkedFree releases a buffer and reports a damaged tail.
void checkedFree(Driver& d, Buffer* b);

// Device ranges given by a caller: live, or allocated in stream order.
Buffer* checkRange(Driver& d, u64 address, u64 bytes, const char* what);
void runCopy(Driver& d, const Copy& c);
void runFill(Driver& d, const Fill& f);

// prepareLaunch checks a launch and copies its arguments.
Work prepareLaunch(Driver& d, Handle function, const LaunchShape& shape, void** params, void** extra);

[[noreturn]] inline void failWith(Code c, const std::string& text) { throw Failure{c, text}; }

}  // namespace emu
