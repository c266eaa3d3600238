// Each class of fault: the right code, and a report that names kernel, place and reason.
#include "harness.h"

namespace {

enum {
  invalidValue = 1,
  invalidContext = 201,
  illegalAddress = 700,
  timeout = 702,
  misaligned = 716,
  launchFailed = 719
};

// expect runs a kernel that must fail with a code and a text; later calls give the same code.
void expect(const std::string& body, int code, const std::string& text, Shape shape = {},
            const std::string& declarations = "") {
  begin();
  u64 buffer = device(std::vector<u32>(64)), other = device(std::vector<u32>(64));
  u64 f = function(load(kernel(body, declarations)), "k");
  int r = run(f, shape, Args(buffer, other, u64{0}, u64{0}));
  EQUAL(r, code);
  std::string got = lastFault();
  if (got.find(text) == std::string::npos)
    report(__FILE__, __LINE__, "the report is '" + got + "', without '" + text + "'");
  CHECK(got.find("kernel k, block (") == 0);
  CHECK(got.find("PTX line ") != std::string::npos);
  u64 p;
  EQUAL(cu("cuMemAlloc_v2", &p, size_t{16}), code);  // sticky
  EQUAL(cu("cuCtxSynchronize"), code);
}

void outOfBounds() {
  expect("mul.wide.u32 %d5, %r0, 4; add.s64 %d5, %d5, %d0; ld.global.u32 %r5, [%d5+132];", illegalAddress,
         "thread (31,0,0)");
}
void belowBuffer() { expect("ld.global.u32 %r5, [%d0+-4];", illegalAddress, "thread (0,0,0)"); }
void wideAcross() {
  expect("st.global.v4.f32 [%d0+256], {%f1, %f1, %f1, %f1};", illegalAddress,
         "writes 16 bytes: bytes 256 to 271 of buffer");
}
void misalignedGlobal() { expect("ld.global.u32 %r5, [%d0+2];", misaligned, "misaligned: reads 4 bytes"); }
void misalignedVector() { expect("ld.global.v2.f32 {%f1, %f2}, [%d0+4];", misaligned, "misaligned: reads 8 bytes"); }
void nullPointer() { expect("ld.global.u32 %r5, [%d2];", illegalAddress, "address 0x0 is null"); }
void sharedBounds() {
  expect("mov.u32 %r5, s; st.shared.u32 [%r5+64], %r0;", illegalAddress, "of shared memory, which has 64", {1, 1},
         ".shared .align 4 .b8 s[64];");
}
void sharedUnknown() {
  expect("mov.u32 %r5, s; ld.shared.u32 %r6, [%r5];", launchFailed, "shared memory, which nobody has written", {},
         ".shared .align 4 .b8 s[64];");
}
void globalUnknown() {
  begin();
  u64 p = allocate(64), f = function(load(kernel("ld.global.u32 %r5, [%d0];")), "k");
  EQUAL(run(f, Shape{1, 1}, Args(p, p, p, p)), launchFailed);
  CHECK(lastFault().find("which nobody has written") != std::string::npos);
}
void divergentBarrier() {
  expect("setp.lt.u32 %p1, %r0, 40; @%p1 bra A; bar.sync 0; bra B;\nA: bar.sync 0;\nB: mov.u32 %r5, 0;", launchFailed,
         "divergent barrier", {1, 64});
}
void exitedBarrier() {
  expect("setp.eq.u32 %p1, %r0, 40; @%p1 ret; bar.sync 0;", launchFailed,
         "bar.sync 0 not reached by thread 40, which has exited", {1, 64});
}
void otherBarrier() {
  expect("setp.lt.u32 %p1, %r0, 32; @%p1 bra A; bar.sync 1; bra B;\nA: bar.sync 0;\nB: mov.u32 %r5, 0;", launchFailed,
         "waits at barrier", {1, 64});
}
void divergentShuffle() {
  expect("setp.lt.u32 %p1, %r0, 16; @!%p1 ret; shfl.sync.bfly.b32 %r5, %r0, 1, 31, 0xffffffff;", launchFailed,
         "of lanes 0xffffffff only lanes 0x0000ffff arrived; lanes 0xffff0000 have exited");
}
void shuffleElsewhere() {
  expect(
      "setp.lt.u32 %p1, %r0, 16; @%p1 bra A; shfl.sync.bfly.b32 %r5, %r0, 1, 31, 0xffffffff; bra B;\n"
      "A: shfl.sync.bfly.b32 %r5, %r0, 2, 31, 0xffffffff;\nB: mov.u32 %r6, 0;",
      launchFailed, "arrived; lanes 0x");
}
void foreignMask() {
  expect("shfl.sync.bfly.b32 %r5, %r0, 1, 31, 0xffff;", launchFailed, "is not in its own member mask");
}
void shuffleAbsent() {
  expect("setp.lt.u32 %p1, %r0, 4; @!%p1 ret; mov.u32 %r6, 9; shfl.sync.idx.b32 %r5, %r0, %r6, 31, 0xf;", launchFailed,
         "reads lane 9, which does not take part");
}
void sharedRace() {
  expect(
      "mov.u32 %r5, s; shl.b32 %r6, %r0, 2; add.u32 %r5, %r5, %r6; st.shared.u32 [%r5], %r0; xor.b32 %r7, %r6, 128; "
      "mov.u32 %r8, s; add.u32 %r8, %r8, %r7; ld.shared.u32 %r9, [%r8];",
      launchFailed, "shared memory race: writes bytes 128 to 131, which thread 0 read", {1, 64},
      ".shared .align 4 .b8 s[256];");
}
void sharedRaceInWarp() {
  expect(
      "mov.u32 %r5, s; shl.b32 %r6, %r0, 2; add.u32 %r5, %r5, %r6; st.shared.u32 [%r5], %r0; xor.b32 %r7, %r6, 4; "
      "mov.u32 %r8, s; add.u32 %r8, %r8, %r7; ld.shared.u32 %r9, [%r8];",
      launchFailed, "without a barrier in between", {}, ".shared .align 4 .b8 s[256];");
}
void sharedOverwrite() {
  expect("mov.u32 %r5, s; st.shared.u32 [%r5], %r0;", launchFailed, "shared memory race: writes", {},
         ".shared .align 4 .b8 s[4];");
}
void globalRace() { expect("st.global.u32 [%d0], %r1;", launchFailed, "global memory race: writes byte 0", {2, 1}); }
void globalReadRace() {
  expect("setp.eq.u32 %p1, %r1, 0; @%p1 st.global.u32 [%d0], 7; @!%p1 ld.global.u32 %r5, [%d0];", launchFailed,
         "global memory race: reads byte 0", {2, 1});
}
void endless() { expect("L: bra L;", timeout, "an endless loop?"); }
void trap() { expect("setp.eq.u32 %p1, %r0, 5; @%p1 trap;", launchFailed, "thread (5,0,0)"); }
void constantWrite() {
  expect("mov.u64 %d5, c; st.global.u32 [%d5], %r0;", illegalAddress, "writes to constant memory", {},
         ".const .align 4 .u32 c = 5;");
}
void localBounds() {
  expect(".local .align 4 .b8 l[16]; mov.u64 %d5, l; st.local.u32 [%d5+16], %r0;", illegalAddress,
         "of local memory, which has 16");
}
void asyncUnaligned() {
  expect("mov.u32 %r5, s; cp.async.ca.shared.global [%r5], [%d0+4], 8;", misaligned, "copies 8 bytes", {1, 1},
         ".shared .align 16 .b8 s[64];");
}

void useAfterFree() {
  begin();
  u64 p = device(std::vector<u32>(8)), q = device(std::vector<u32>(8)),
      f = function(load(kernel("ld.global.u32 %r5, [%d0];")), "k");
  EQUAL(cu("cuMemFree_v2", p), 0);
  EQUAL(cu("cuMemcpyDtoD_v2", q, p, size_t{4}), invalidValue);
  EQUAL(run(f, Shape{}, Args(p, p, p, p)), illegalAddress);
  CHECK(lastFault().find("of freed buffer") != std::string::npos);
}

void hostPointer() {
  begin();
  static u32 here[4] = {1, 2, 3, 4};
  u64 f = function(load(kernel("ld.global.u32 %r5, [%d0];")), "k"), q = allocate(16);
  EQUAL(cu("cuMemcpyDtoD_v2", q, reinterpret_cast<u64>(here), size_t{4}), invalidValue);
  EQUAL(run(f, Shape{}, Args(reinterpret_cast<u64>(here), q, q, q)), illegalAddress);
  CHECK(lastFault().find("in no device buffer (a host pointer?)") != std::string::npos);
}

void doubleFree() {
  begin();
  u64 p = allocate(64);
  EQUAL(cu("cuMemFree_v2", p + 16), invalidValue);
  EQUAL(cu("cuMemFree_v2", p), 0);
  EQUAL(cu("cuMemFree_v2", p), invalidValue);
  CHECK(lastFault().find("is freed twice") != std::string::npos);
}

void launchLimits() {
  begin();
  u64 m = load(kernel("mov.u32 %r5, s;", ".extern .shared .align 16 .b8 s[];"));
  u64 f = function(m, "k");
  Args none(u64{0}, u64{0}, u64{0}, u64{0});
  EQUAL(launch(f, Shape{1, 1025}, none), invalidValue);
  EQUAL(launch(f, Shape{0, 32}, none), invalidValue);
  EQUAL(launch(f, Shape{1, 0}, none), invalidValue);
  EQUAL(launch(f, Shape{1, 512, 0, 0, 1, 3}, none), invalidValue);
  EQUAL(launch(f, Shape{1, 32, 49153}, none), invalidValue);
  EQUAL(cu("cuFuncSetAttribute", f, 8, 102400), invalidValue);
  EQUAL(cu("cuFuncSetAttribute", f, 8, 65536), 0);
  EQUAL(run(f, Shape{1, 32, 65536}, none), 0);
  EQUAL(cu("cuLaunchKernel", f, 1u, 1u, 1u, 32u, 1u, 1u, 0u, u64{0}, static_cast<void**>(nullptr),
           static_cast<void**>(nullptr)),
        invalidValue);
  std::string limited = kernel("");
  limited.replace(limited.find("\n{"), 1, "\n.maxntid 64, 1, 1\n");
  EQUAL(launch(function(load(limited), "k"), Shape{1, 65}, none), invalidValue);
}

}  // namespace

std::vector<Test> faultTests() {
  std::vector<Test> all = {
      {"faults/out of bounds", outOfBounds, {}},
      {"faults/below a buffer", belowBuffer, {}},
      {"faults/wide access across the end", wideAcross, {}},
      {"faults/misaligned", misalignedGlobal, {}},
      {"faults/misaligned vector", misalignedVector, {}},
      {"faults/null", nullPointer, {}},
      {"faults/shared bounds", sharedBounds, {}},
      {"faults/shared not written", sharedUnknown, {}},
      {"faults/global not written", globalUnknown, {}},
      {"faults/divergent barrier", divergentBarrier, {}},
      {"faults/barrier after exit", exitedBarrier, {}},
      {"faults/two barriers", otherBarrier, {}},
      {"faults/divergent shuffle", divergentShuffle, {}},
      {"faults/shuffle elsewhere", shuffleElsewhere, {}},
      {"faults/foreign mask", foreignMask, {}},
      {"faults/shuffle from an absent lane", shuffleAbsent, {}},
      {"faults/shared race", sharedRace, {"CUEMU_CHECK=race"}},
      {"faults/shared race in a warp", sharedRaceInWarp, {}},
      {"faults/shared overwrite", sharedOverwrite, {}},
      {"faults/global race", globalRace, {}},
      {"faults/global read race", globalReadRace, {}},
      {"faults/endless loop", endless, {"CUEMU_BUDGET=100000"}},
      {"faults/trap", trap, {}},
      {"faults/constant write", constantWrite, {}},
      {"faults/local bounds", localBounds, {}},
      {"faults/async copy misaligned", asyncUnaligned, {}},
      {"faults/use after free", useAfterFree, {}},
      {"faults/host pointer", hostPointer, {}},
      {"faults/double free", doubleFree, {}},
      {"faults/launch limits", launchLimits, {}},
  };
  return all;
}
