// Several devices.
#include "harness.h"

namespace {

const char* kIncrement =
    "mul.wide.u32 %d5, %r0, 4; add.s64 %d6, %d5, %d0; add.s64 %d7, %d5, %d1; ld.global.u32 %r5, [%d6]; add.u32 %r5, "
    "%r5, 1; st.global.u32 [%d7], %r5;";

// contexts retains the primary contexts of both devices.
std::vector<u64> contexts() {
  CHECK(cu("cuInit", 0u) == 0);
  std::vector<u64> c(2);
  for (int i = 0; i < 2; i++) CHECK(cu("cuDevicePrimaryCtxRetain", &c[static_cast<size_t>(i)], i) == 0);
  CHECK(c[0] != c[1]);
  return c;
}

void enter(u64 context) { CHECK(cu("cuCtxSetCurrent", context) == 0); }

void several() {
  CHECK(cu("cuInit", 0u) == 0);
  int n = 0, device = -1, access = -1;
  CHECK(cu("cuDeviceGetCount", &n) == 0);
  EQUAL(n, 3);
  CHECK(cu("cuDeviceGet", &device, 2) == 0);
  EQUAL(device, 2);
  EQUAL(cu("cuDeviceGet", &device, 3), 101);
  EQUAL(cu("cuDeviceGet", &device, -1), 101);
  u8 a[16], b[16];
  CHECK(cu("cuDeviceGetUuid", a, 0) == 0 && cu("cuDeviceGetUuid", b, 2) == 0);
  CHECK(std::memcmp(a, b, 16) != 0);
  CHECK(cu("cuDeviceCanAccessPeer", &access, 0, 1) == 0);
  EQUAL(access, 0);
  EQUAL(cu("cuDeviceCanAccessPeer", &access, 0, 3), 101);
  u64 c = 0, pool = 0;
  CHECK(cu("cuDevicePrimaryCtxRetain", &c, 1) == 0);
  enter(c);
  CHECK(cu("cuCtxGetDevice", &device) == 0);
  EQUAL(device, 1);
  CHECK(cu("cuDeviceGetDefaultMemPool", &pool, 2) == 0 && cu("cuMemPoolTrimTo", pool, size_t{0}) == 0);
  EQUAL(cu("cuMemPoolTrimTo", pool + 1, size_t{0}), 1);
}

// Each device has its own memory, which ends with its own context.
void memories() {
  auto c = contexts();
  u64 p = 0, q = 0;
  size_t free = 0, total = 0;
  enter(c[0]);
  CHECK(cu("cuMemAlloc_v2", &p, size_t{600000}) == 0);
  EQUAL(cu("cuMemAlloc_v2", &q, size_t{600000}), 2);
  enter(c[1]);
  CHECK(cu("cuMemAlloc_v2", &q, size_t{600000}) == 0);
  CHECK(cu("cuMemGetInfo_v2", &free, &total) == 0);
  EQUAL(free, size_t{400000});
  EQUAL(total, size_t{1000000});
  EQUAL(cu("cuMemFree_v2", p), 1);  // of the other device
  CHECK(cu("cuDevicePrimaryCtxRelease_v2", 0) == 0);
  unsigned long long stats[13];
  cu("cuemuStats", stats, 13);
  EQUAL(stats[1], 600000ull);
  CHECK(cu("cuMemFree_v2", q) == 0);
}

// Copies between devices name both contexts; all other calls stay on their device.
void copies() {
  auto c = contexts();
  enter(c[0]);
  u64 a = device(std::vector<u32>{1, 2, 3}), s = 0;
  enter(c[1]);
  u64 b = device(std::vector<u32>{7, 8, 9});
  CHECK(cu("cuStreamCreate", &s, 1u) == 0);
  EQUAL(cu("cuMemcpyDtoD_v2", b, a, size_t{12}), 1);
  u32 x = 0;
  EQUAL(cu("cuMemcpyDtoH_v2", static_cast<void*>(&x), a, size_t{4}), 1);
  EQUAL(cu("cuMemsetD8_v2", a, u8{0}, size_t{4}), 1);
  EQUAL(cu("cuMemcpyPeerAsync", b, c[0], a, c[1], size_t{12}, s), 1);  // the contexts exchanged
  EQUAL(cu("cuMemcpyPeerAsync", b, c[1], a, u64{5}, size_t{12}, s), 201);
  EQUAL(cu("cuMemcpyPeerAsync", b, c[1], a, c[0], size_t{13}, s), 1);
  CHECK(cu("cuMemcpyPeerAsync", b, c[1], a, c[0], size_t{8}, s) == 0);
  CHECK(cu("cuStreamSynchronize", s) == 0);
  CHECK((host<u32>(b, 3) == std::vector<u32>{1, 2, 9}));
  CHECK(cu("cuMemcpyPeer", b, c[1], a, c[0], size_t{12}) == 0);
  CHECK((host<u32>(b, 3) == std::vector<u32>{1, 2, 3}));
  CHECK(cu("cuMemcpyPeer", b, c[1], a, c[0], size_t{0}) == 0);
}

// A kernel reaches the memory of its own device alone; the fault is that of its context.
void reach() {
  auto c = contexts();
  enter(c[0]);
  u64 a = device(std::vector<u32>(32, 1));
  enter(c[1]);
  u64 b = device(std::vector<u32>(32, 5)), f = function(load(kernel(kIncrement)), "k");
  EQUAL(run(f, Shape{}, Args(b, b, u64{0}, u64{0})), 0);
  EQUAL(run(f, Shape{}, Args(a, b, u64{0}, u64{0})), 700);
  CHECK(lastFault().find("which lies on device 0") != std::string::npos);
  enter(c[0]);
  EQUAL(host<u32>(a, 32)[0], 1u);
}

}  // namespace

std::vector<Test> peerTests() {
  return {
      {"peer/several devices", several, {"CUEMU_DEVICES=3"}},
      {"peer/memories", memories, {"CUEMU_DEVICES=2", "CUEMU_MEMORY=1000000"}},
      {"peer/copies", copies, {"CUEMU_DEVICES=2"}},
      {"peer/reach of a kernel", reach, {"CUEMU_DEVICES=2"}},
  };
}
