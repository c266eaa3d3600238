// Behaviour of the driver: deferred streams, events, contexts, memory, injection.
#include <thread>

#include "harness.h"

namespace {

// slow copies element i of p0 plus one to p1.
const char* kIncrement =
    "mul.wide.u32 %d5, %r0, 4; add.s64 %d6, %d5, %d0; add.s64 %d7, %d5, %d1; ld.global.u32 %r5, [%d6]; add.u32 %r5, "
    "%r5, 1; st.global.u32 [%d7], %r5;";

u64 stream(unsigned flags = 1) {
  u64 s = 0;
  CHECK(cu("cuStreamCreate", &s, flags) == 0);
  return s;
}
u64 event() {
  u64 e = 0;
  CHECK(cu("cuEventCreate", &e, 0u) == 0);
  return e;
}
u32* pinned(size_t n) {
  u32* p = nullptr;
  CHECK(cu("cuMemHostAlloc", &p, n * 4, 0u) == 0);
  return p;
}

// unordered lets two streams work without an event; gives what the second saw.
u32 chained(bool ordered) {
  u64 f = function(load(kernel(kIncrement)), "k"), s = stream(), t = stream(), e = event();
  u64 a = device(std::vector<u32>(32, 1)), b = device(std::vector<u32>(32, 100)), c = device(std::vector<u32>(32));
  CHECK(launch(f, Shape{1, 32, 0, s}, Args(a, b, u64{0}, u64{0})) == 0);
  if (ordered) {
    CHECK(cu("cuEventRecord", e, s) == 0);
    CHECK(cu("cuStreamWaitEvent", t, e, 0u) == 0);
  }
  CHECK(launch(f, Shape{1, 32, 0, t}, Args(b, c, u64{0}, u64{0})) == 0);
  CHECK(cu("cuCtxSynchronize") == 0);
  return host<u32>(c, 32)[3];
}

void ordered() {
  begin();
  for (int i = 0; i < 8; i++) EQUAL(chained(true), 3u);
}

// Without the event both orders must turn up.
void missingEvent() {
  begin();
  int early = 0, late = 0;
  for (int i = 0; i < 24; i++) {
    u32 v = chained(false);
    CHECK(v == 3 || v == 101);
    (v == 3 ? late : early)++;
  }
  CHECK(early > 0 && late > 0);
}

void unrecordedEvent() {
  begin();
  u64 s = stream(), e = event();
  EQUAL(cu("cuStreamWaitEvent", s, e, 0u), 400);
  float ms;
  EQUAL(cu("cuEventElapsedTime", &ms, e, e), 400);
  CHECK(cu("cuEventRecord", e, s) == 0);
  EQUAL(cu("cuEventElapsedTime", &ms, e, e), 600);
  CHECK(cu("cuEventSynchronize", e) == 0);
  EQUAL(cu("cuEventElapsedTime", &ms, e, e), 0);
}

void pageableIsSnapshot() {
  begin();
  u64 s = stream(), d = allocate(128);
  std::vector<u32> x(32, 5);
  u32* p = pinned(32);
  for (int i = 0; i < 32; i++) p[i] = 5;
  CHECK(cu("cuMemcpyHtoDAsync_v2", d, static_cast<const void*>(x.data()), size_t{128}, s) == 0);
  x.assign(32, 6);  // too late to matter
  CHECK(cu("cuStreamSynchronize", s) == 0);
  EQUAL(host<u32>(d, 32)[0], 5u);
  CHECK(cu("cuMemcpyHtoDAsync_v2", d, static_cast<const void*>(p), size_t{128}, s) == 0);
  p[0] = 6;  // pinned memory is read when the copy runs
  CHECK(cu("cuStreamSynchronize", s) == 0);
  EQUAL(host<u32>(d, 32)[0], 6u);
  p[0] = 1;
  CHECK(cu("cuMemcpyDtoHAsync_v2", static_cast<void*>(p), d, size_t{128}, s) == 0);
  EQUAL(p[0], 1u);
  CHECK(cu("cuStreamSynchronize", s) == 0);
  EQUAL(p[0], 6u);
}

void defaultStream() {
  begin();
  u64 f = function(load(kernel(kIncrement)), "k"), s = stream(0);
  u64 a = device(std::vector<u32>(32, 1)), b = device(std::vector<u32>(32, 100));
  // A blocking stream and the default one wait for each other.
  for (int i = 0; i < 10; i++) {
    CHECK(launch(f, Shape{1, 32, 0, s}, Args(a, b, u64{0}, u64{0})) == 0);
    CHECK(launch(f, Shape{}, Args(b, a, u64{0}, u64{0})) == 0);
  }
  CHECK(cu("cuCtxSynchronize") == 0);
  EQUAL(host<u32>(a, 32)[0], 21u);
}

void contexts() {
  CHECK(cu("cuInit", 0u) == 0);
  u64 p = 0, c = 0, now = 1;
  EQUAL(cu("cuMemAlloc_v2", &p, size_t{16}), 201);
  CHECK(cu("cuCtxCreate_v2", &c, 0u, 0) == 0);
  CHECK(cu("cuMemAlloc_v2", &p, size_t{16}) == 0);
  int other = -1, set = -1;
  std::thread([&] {
    u64 q;
    other = cu("cuMemAlloc_v2", &q, size_t{16});
    cu("cuCtxSetCurrent", c);
    set = cu("cuMemAlloc_v2", &q, size_t{16});
  }).join();
  EQUAL(other, 201);
  EQUAL(set, 0);
  CHECK(cu("cuCtxPopCurrent_v2", &now) == 0);
  EQUAL(now, c);
  EQUAL(cu("cuCtxSynchronize"), 201);
  CHECK(cu("cuCtxPushCurrent_v2", c) == 0);
  std::thread([&] { CHECK(cu("cuCtxDestroy_v2", c) == 0); }).join();
  EQUAL(cu("cuCtxSynchronize"), 709);
  EQUAL(cu("cuCtxSetCurrent", c), 709);
  EQUAL(cu("cuCtxSetCurrent", u64{12345}), 201);
}

void primary() {
  CHECK(cu("cuInit", 0u) == 0);
  u64 a = 0, b = 0;
  CHECK(cu("cuDevicePrimaryCtxRetain", &a, 0) == 0);
  CHECK(cu("cuDevicePrimaryCtxRetain", &b, 0) == 0);
  EQUAL(a, b);
  CHECK(cu("cuCtxSetCurrent", a) == 0);
  allocate(64);
  CHECK(cu("cuDevicePrimaryCtxRelease_v2", 0) == 0);
  CHECK(cu("cuCtxSynchronize") == 0);
  CHECK(cu("cuDevicePrimaryCtxRelease_v2", 0) == 0);
  EQUAL(cu("cuCtxSynchronize"), 709);
  EQUAL(cu("cuDevicePrimaryCtxRelease_v2", 0), 201);
  EQUAL(cu("cuDevicePrimaryCtxRetain", &a, 1), 101);
  unsigned long long stats[13];
  cu("cuemuStats", stats, 13);
  EQUAL(stats[0], 0ull);  // what the context held is gone
}

void statistics() {
  begin();
  unsigned long long x[13];
  u64 p = allocate(1000), s = stream(), e = event();
  u32* h = pinned(8);
  u64 m = load(kernel(""));
  EQUAL(cu("cuemuStats", x, 13), 13);
  EQUAL(x[0], 1ull);
  EQUAL(x[1], 1000ull);
  EQUAL(x[3], 1ull);
  EQUAL(x[4], 1ull);
  EQUAL(x[5], 1ull);
  EQUAL(x[6], 1ull);
  EQUAL(x[9], 1ull);
  CHECK(cu("cuMemFree_v2", p) == 0 && cu("cuMemFreeHost", h) == 0 && cu("cuStreamDestroy_v2", s) == 0 &&
        cu("cuEventDestroy_v2", e) == 0 && cu("cuModuleUnload", m) == 0);
  cu("cuemuStats", x, 13);
  EQUAL(x[0] + x[1] + x[3] + x[4] + x[5] + x[6], 0ull);
  EQUAL(x[2], 1000ull);
}

void outOfMemory() {
  begin();
  u64 p = 0, q = 0;
  EQUAL(cu("cuMemAlloc_v2", &p, size_t{600000}), 0);
  EQUAL(cu("cuMemAlloc_v2", &q, size_t{600000}), 2);
  CHECK(lastFault().find("600000 bytes asked for, 600000 of 1000000 in use") != std::string::npos);
  EQUAL(cu("cuMemFree_v2", p), 0);
  EQUAL(cu("cuMemAlloc_v2", &q, size_t{600000}), 0);
  EQUAL(cu("cuMemAlloc_v2", &q, size_t{0}), 1);
}

void streamOrderedMemory() {
  begin();
  u64 s = stream(), t = stream(), p = 0, f = function(load(kernel(kIncrement)), "k");
  u64 a = device(std::vector<u32>(32, 1));
  CHECK(cu("cuMemAllocAsync", &p, size_t{128}, s) == 0);
  CHECK(launch(f, Shape{1, 32, 0, s}, Args(a, p, u64{0}, u64{0})) == 0);
  CHECK(launch(f, Shape{1, 32, 0, s}, Args(p, a, u64{0}, u64{0})) == 0);
  CHECK(cu("cuMemFreeAsync", p, s) == 0);
  EQUAL(cu("cuMemFreeAsync", p, s), 1);
  CHECK(cu("cuStreamSynchronize", s) == 0);
  EQUAL(host<u32>(a, 32)[0], 3u);
  // Used in another stream after its release: freed memory.
  CHECK(launch(f, Shape{1, 32, 0, t}, Args(p, a, u64{0}, u64{0})) == 0);
  EQUAL(cu("cuStreamSynchronize", t), 700);
}

void injectedNumber() {
  CHECK(cu("cuInit", 0u) == 0);
  u64 c = 0, p = 0;
  EQUAL(cu("cuCtxCreate_v2", &c, 0u, 0), 0);
  EQUAL(cu("cuMemAlloc_v2", &p, size_t{16}), 2);
  EQUAL(cu("cuMemAlloc_v2", &p, size_t{16}), 0);
}

void injectedName() {
  begin();
  u64 p = 0;
  EQUAL(cu("cuMemAlloc_v2", &p, size_t{16}), 0);
  EQUAL(cu("cuMemAlloc_v2", &p, size_t{16}), 999);
  EQUAL(cu("cuMemAlloc_v2", &p, size_t{16}), 0);
}

void noDevice() {
  EQUAL(cu("cuInit", 0u), 100);
  int n = 5;
  EQUAL(cu("cuDeviceGetCount", &n), 3);
}

void capability() {
  begin();
  int major = 0, minor = 0;
  CHECK(cu("cuDeviceGetAttribute", &major, 75, 0) == 0 && cu("cuDeviceGetAttribute", &minor, 76, 0) == 0);
  EQUAL(major * 10 + minor, 75);
  u64 m = 0;
  EQUAL(cu("cuModuleLoadData", &m, kernel("").c_str()), 209);
}

void unsupported() {
  begin();
  EQUAL(cu("cuLinkCreate_v2"), 801);
  const char *name = nullptr, *text = nullptr;
  CHECK(cu("cuGetErrorName", 719, &name) == 0 && cu("cuGetErrorString", 719, &text) == 0);
  EQUAL(std::string(name) == "CUDA_ERROR_LAUNCH_FAILED", true);
  EQUAL(cu("cuGetErrorName", 12345, &name), 1);
}

void fills() {
  begin();
  u64 p = allocate(64 * 16);
  CHECK(cu("cuMemsetD2D16_v2", p, size_t{64}, u16{0x1234}, size_t{8}, size_t{16}) == 0);
  auto x = host<u16>(p, 512);
  for (size_t i = 0; i < 512; i++) EQUAL(x[i], u16(i % 32 < 8 ? 0x1234 : 0xffff));
  EQUAL(cu("cuMemsetD32_v2", p + 2, 1u, size_t{1}), 1);
  EQUAL(cu("cuMemsetD32_v2", p, 1u, size_t{257}), 1);
}

// Rows between a pitched device image and the host.
void rows() {
  begin();
  struct {
    size_t sx, sy;
    int st;
    const void* sh;
    u64 sd;
    void* sa;
    size_t sp, dx, dy;
    int dt;
    void* dh;
    u64 dd;
    void* da;
    size_t dp, w, h;
  } c = {};
  std::vector<u8> image(12), back(12);
  for (size_t i = 0; i < 12; i++) image[i] = static_cast<u8>(i);
  u64 p = 0;
  size_t pitch = 0;
  CHECK(cu("cuMemAllocPitch_v2", &p, &pitch, size_t{4}, size_t{3}, 4u) == 0);
  c.st = 1, c.sh = image.data(), c.sp = 4, c.dt = 2, c.dd = p, c.dp = pitch, c.w = 4, c.h = 3;
  CHECK(cu("cuMemcpy2D_v2", &c) == 0);
  EQUAL(host<u8>(p + pitch, 4)[1], u8{5});
  c.st = 2, c.sd = p, c.sp = pitch, c.dt = 1, c.dh = back.data(), c.dp = 4;
  CHECK(cu("cuMemcpy2D_v2", &c) == 0);
  CHECK(back == image);
}

void callbacks() {
  begin();
  u64 s = stream();
  static int inside = -1;
  auto f = +[](void* x) {
    u64 p;
    inside = cu("cuMemAlloc_v2", &p, size_t{16});
    ++*static_cast<int*>(x);
  };
  int count = 0;
  CHECK(cu("cuLaunchHostFunc", s, f, static_cast<void*>(&count)) == 0);
  EQUAL(count, 0);
  CHECK(cu("cuStreamSynchronize", s) == 0);
  EQUAL(count, 1);
  EQUAL(inside, 800);
}

// Blocks that wait for each other: together in a cooperative launch, never in another.
const char* kGridBarrier =
    "setp.eq.u32 %p1, %r0, 0; @!%p1 bra J; membar.gl; atom.global.add.u32 %r5, [%d0], 1;\n"
    "L: ld.acquire.gpu.global.u32 %r6, [%d0]; setp.lt.u32 %p2, %r6, 6; @%p2 bra L;\nJ: bar.sync 0;";

void cooperative() {
  begin();
  u64 f = function(load(kernel(kGridBarrier)), "k"), p = device(std::vector<u32>{0});
  void* params[] = {&p, &p, &p, &p};
  CHECK(cu("cuLaunchCooperativeKernel", f, 6u, 1u, 1u, 64u, 1u, 1u, 0u, u64{0}, params) == 0);
  CHECK(cu("cuCtxSynchronize") == 0);
  EQUAL(host<u32>(p, 1)[0], 6u);
  EQUAL(cu("cuLaunchCooperativeKernel", f, 65u, 1u, 1u, 64u, 1u, 1u, 0u, u64{0}, params), 720);
  CHECK(cu("cuMemsetD32_v2", p, 0u, size_t{1}) == 0);
  EQUAL(run(f, Shape{6, 64}, Args(p, p, p, p)), 702);
}

// Every symbol that a program may import exists.
void symbols() {
  std::string names = readText("../../driver/syms.txt"), name;
  int count = 0;
  for (char c : names) {
    if (c != '\n') {
      name += c;
      continue;
    }
    if (!name.empty() && name[0] == 'c') symbol(name.c_str()), count++;
    name.clear();
  }
  CHECK(count > 150);
}

}  // namespace

std::vector<Test> driverTests() {
  std::vector<Test> all = {
      {"driver/events missing", missingEvent, {"CUEMU_SEED=3"}},
      {"driver/event never recorded", unrecordedEvent, {}},
      {"driver/pageable and pinned", pageableIsSnapshot, {}},
      {"driver/contexts", contexts, {}},
      {"driver/primary context", primary, {}},
      {"driver/statistics", statistics, {}},
      {"driver/out of memory", outOfMemory, {"CUEMU_MEMORY=1000000"}},
      {"driver/stream-ordered memory", streamOrderedMemory, {}},
      {"driver/failing call by number", injectedNumber, {"CUEMU_FAIL=3:2"}},
      {"driver/failing call by name", injectedName, {"CUEMU_FAIL=cuMemAlloc:2"}},
      {"driver/no device", noDevice, {"CUEMU_NODEVICE=1"}},
      {"driver/capability", capability, {"CUEMU_CC=7.5"}},
      {"driver/unsupported", unsupported, {}},
      {"driver/fills", fills, {}},
      {"driver/rows", rows, {}},
      {"driver/callbacks", callbacks, {}},
      {"driver/cooperative launch", cooperative, {"CUEMU_BUDGET=2000000"}},
      {"driver/symbols", symbols, {}},
  };
  for (const char* seed :
       {"CUEMU_SEED=1", "CUEMU_SEED=2", "CUEMU_SEED=3", "CUEMU_SEED=4", "CUEMU_SEED=5", "CUEMU_EAGER=1"}) {
    all.push_back({"driver/events", ordered, {seed}});
    all.push_back({"driver/default stream", defaultStream, {seed}});
  }
  return all;
}
