// Capture, replay and update of graphs.
#include "harness.h"

namespace {

const char* kAddParameter =
    "mul.wide.u32 %d5, %r0, 4; add.s64 %d6, %d5, %d0; add.s64 %d7, %d5, %d1; ld.global.u32 %r5, [%d6]; cvt.u32.u64 "
    "%r6, %d2; add.u32 %r5, %r5, %r6; st.global.u32 [%d7], %r5;";

struct World {
  u64 f, s = 0, t = 0, e = 0, a, b;
  World() {
    begin();
    f = function(load(kernel(kAddParameter)), "k");
    CHECK(cu("cuStreamCreate", &s, 1u) == 0 && cu("cuStreamCreate", &t, 1u) == 0 && cu("cuEventCreate", &e, 0u) == 0);
    a = device(std::vector<u32>(32, 1));
    b = device(std::vector<u32>(32, 1));
  }
  int add(u64 stream, u64 from, u64 to, u64 by) {
    return launch(f, Shape{1, 32, 0, stream}, Args(from, to, by, u64{0}));
  }
  // capture records a += by, b += 10 a (as a fork), and joins.
  u64 capture(u64 by, bool join = true) {
    u64 g = 0;
    CHECK(cu("cuStreamBeginCapture_v2", s, 0) == 0);
    CHECK(add(s, a, a, by) == 0);
    CHECK(cu("cuEventRecord", e, s) == 0 && cu("cuStreamWaitEvent", t, e, 0u) == 0);
    CHECK(add(t, a, b, 10) == 0);
    CHECK(cu("cuEventRecord", e, t) == 0);
    if (join) CHECK(cu("cuStreamWaitEvent", s, e, 0u) == 0);
    int r = cu("cuStreamEndCapture", s, &g);
    EQUAL(r, join ? 0 : 904);
    return g;
  }
};

void replay() {
  World w;
  u64 g = w.capture(2), x = 0;
  EQUAL(host<u32>(w.a, 1)[0], 1u);  // nothing ran
  CHECK(cu("cuGraphInstantiateWithFlags", &x, g, u64{0}) == 0);
  for (u32 i = 1; i <= 3; i++) {
    CHECK(cu("cuGraphLaunch", x, w.s) == 0 && cu("cuStreamSynchronize", w.s) == 0);
    EQUAL(host<u32>(w.a, 1)[0], 1 + 2 * i);
    EQUAL(host<u32>(w.b, 1)[0], 11 + 2 * i);
  }
  // Updated from a second capture; work in flight keeps the old one.
  CHECK(cu("cuGraphLaunch", x, w.s) == 0);
  struct {
    int result;
    u64 node, from;
  } info;
  u64 h = w.capture(100);
  CHECK(cu("cuGraphExecUpdate_v2", x, h, &info) == 0);
  CHECK(cu("cuStreamSynchronize", w.s) == 0);
  EQUAL(host<u32>(w.a, 1)[0], 9u);
  CHECK(cu("cuGraphLaunch", x, w.s) == 0 && cu("cuStreamSynchronize", w.s) == 0);
  EQUAL(host<u32>(w.a, 1)[0], 109u);
  // One node changed by itself.
  u64 nodes[4];
  size_t n = 4;
  CHECK(cu("cuGraphGetNodes", g, nodes, &n) == 0);
  EQUAL(n, size_t{2});
  struct {
    u64 f;
    u32 grid[3], block[3], shared;
    void **params, **extra;
    u64 k, c;
  } p = {w.f, {1, 1, 1}, {32, 1, 1}, 0, nullptr, nullptr, 0, 0};
  u64 slots[4] = {w.a, w.a, 1000, 0};
  void* params[4] = {&slots[0], &slots[1], &slots[2], &slots[3]};
  p.params = params;
  CHECK(cu("cuGraphExecKernelNodeSetParams_v2", x, nodes[0], &p) == 0);
  CHECK(cu("cuGraphLaunch", x, w.s) == 0 && cu("cuStreamSynchronize", w.s) == 0);
  EQUAL(host<u32>(w.a, 1)[0], 1109u);
  EQUAL(host<u32>(w.b, 1)[0], 1119u);
  // Another topology is refused.
  CHECK(cu("cuStreamBeginCapture_v2", w.s, 0) == 0 && w.add(w.s, w.a, w.a, 1) == 0 &&
        cu("cuStreamEndCapture", w.s, &h) == 0);
  EQUAL(cu("cuGraphExecUpdate_v2", x, h, &info), 910);
  EQUAL(info.result, 2);
  CHECK(cu("cuGraphExecDestroy", x) == 0 && cu("cuGraphDestroy", g) == 0);
  EQUAL(cu("cuGraphLaunch", x, w.s), 400);
}

void unjoined() {
  World w;
  w.capture(1, false);
}

// Each rule: what a capture forbids invalidates it.
void rules() {
  World w;
  u64 g = 0, p = 0;
  std::vector<u32> pageable(32);
  auto broken = [&](const char* what, int code, int want) {
    if (code != want) report(__FILE__, __LINE__, std::string(what) + " gives " + std::to_string(code));
    EQUAL(cu("cuStreamEndCapture", w.s, &g), 901);
    EQUAL(g, u64{0});
  };
  auto start = [&] { CHECK(cu("cuStreamBeginCapture_v2", w.s, 0) == 0); };
  start(), broken("synchronise", cu("cuStreamSynchronize", w.s), 900);
  start(), broken("query", cu("cuStreamQuery", w.s), 900);
  start(), broken("context", cu("cuCtxSynchronize"), 900);
  start(), broken("allocation", cu("cuMemAlloc_v2", &p, size_t{16}), 900);
  start(), broken("pageable",
                  cu("cuMemcpyHtoDAsync_v2", w.a, static_cast<const void*>(pageable.data()), size_t{64}, w.s), 900);
  start(), broken("synchronous copy", cu("cuMemcpyDtoH_v2", static_cast<void*>(pageable.data()), w.a, size_t{64}), 900);
  CHECK(cu("cuEventRecord", w.e, w.t) == 0);
  start(), broken("outside event", cu("cuStreamWaitEvent", w.s, w.e, 0u), 905);
  start();
  CHECK(cu("cuEventRecord", w.e, w.s) == 0);
  broken("captured event", cu("cuEventSynchronize", w.e), 907);
  EQUAL(cu("cuStreamBeginCapture_v2", u64{0}, 0), 900);
  EQUAL(cu("cuStreamEndCapture", w.s, &g), 401);
  int state = 7;
  start();
  CHECK(cu("cuStreamIsCapturing", w.s, &state) == 0);
  EQUAL(state, 1);
  CHECK(cu("cuStreamEndCapture", w.s, &g) == 0);
  // A blocking stream is captured and the default stream would wait for it.
  u64 blocking = 0;
  CHECK(cu("cuStreamCreate", &blocking, 0u) == 0 && cu("cuStreamBeginCapture_v2", blocking, 1) == 0);
  EQUAL(w.add(0, w.a, w.a, 1), 906);
  EQUAL(cu("cuStreamEndCapture", blocking, &g), 901);
}

}  // namespace

std::vector<Test> graphTests() {
  std::vector<Test> all = {{"graphs/unjoined", unjoined, {}}, {"graphs/rules", rules, {}}};
  for (const char* seed : {"CUEMU_SEED=1", "CUEMU_SEED=2", "CUEMU_SEED=3"})
    all.push_back({"graphs/replay", replay, {seed}});
  return all;
}
