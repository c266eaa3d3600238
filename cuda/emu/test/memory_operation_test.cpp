// Loads and stores of all widths, atomics, exchange between lanes, barriers, asynchronous copies.
#include <algorithm>

#include "harness.h"

namespace {

// result runs a body on one block that leaves %r20 of each thread.
std::vector<u32> result(const std::string& body, u32 threads = 32, const std::string& declarations = "", u64 a = 0,
                        u64 b = 0) {
  u64 out = device(std::vector<u32>(threads));
  u64 m = load(
      kernel(body + "\nmul.wide.u32 %d5, %r0, 4; add.s64 %d5, %d5, %d0; st.global.u32 [%d5], %r20;", declarations));
  if (run(function(m, "k"), Shape{1, threads}, Args(out, a, b, u64{0})))
    report(__FILE__, __LINE__, body + ": " + lastFault());
  return host<u32>(out, threads);
}

void widths() {
  begin();
  std::vector<u8> bytes(64);
  for (size_t i = 0; i < 64; i++) bytes[i] = static_cast<u8>(0x81 + i * 7);
  u64 p = device(bytes);
  auto one = [&](const std::string& body) { return result(body, 1, "", p)[0]; };
  auto word = [&](size_t i) { return as<u32>(*reinterpret_cast<const u32*>(&bytes[i])); };
  EQUAL(one("ld.global.u8 %r20, [%d1];"), 0x81u);
  EQUAL(one("ld.global.s8 %r20, [%d1];"), 0xffffff81u);
  EQUAL(one("ld.global.u16 %r20, [%d1+2];"), word(0) >> 16);
  EQUAL(one("ld.global.s16 %r20, [%d1];"), static_cast<u32>(static_cast<i32>(static_cast<i16>(word(0)))));
  EQUAL(one("ld.global.s8 %h1, [%d1]; cvt.u32.u16 %r20, %h1;"), 0xff81u);
  EQUAL(one("ld.global.s32 %d6, [%d1]; shr.u64 %d6, %d6, 32; cvt.u32.u64 %r20, %d6;"),
        static_cast<u32>(static_cast<i32>(word(0)) >> 31));
  EQUAL(one("ld.global.nc.L1::no_allocate.L2::128B.v4.u32 {%r3, %r4, %r5, %r20}, [%d1+16];"), word(28));
  EQUAL(one("ld.global.v2.u64 {%d6, %d7}, [%d1+32]; shr.u64 %d7, %d7, 32; cvt.u32.u64 %r20, %d7;"), word(44));
  EQUAL(one("ld.global.v4.u8 {%r3, %r4, %r20, %r6}, [%d1+8];"), u32{bytes[10]});
  EQUAL(one("ld.volatile.global.u32 %r20, [%d1+4];"), word(4));
  EQUAL(one("ld.acquire.gpu.global.u32 %r20, [%d1+4];"), word(4));
  EQUAL(one("mov.u64 %d6, 0x1122334455667788; st.global.u8 [%d1], %d6; st.global.u16 [%d1+2], %d6; ld.global.u32 %r20, "
            "[%d1];"),
        0x77880088u | (bytes[1] << 8));
  EQUAL(one("mov.b64 {%r3, %r20}, 0x1122334455667788;"), 0x11223344u);
  EQUAL(one("mov.u32 %r3, 0x11223344; mov.b32 {%h1, %h2}, %r3; mov.b32 %r20, {%h2, %h1};"), 0x33441122u);
  EQUAL(one("mov.u32 %r3, 5; mov.u32 %r4, 6; mov.b64 %d6, {%r3, %r4}; shr.u64 %d6, %d6, 31; cvt.u32.u64 %r20, %d6;"),
        12u);
  // generic addresses of each window
  std::string d = ".shared .align 8 .b8 s[64];";
  EQUAL(result("mov.u64 %d6, s; cvta.shared.u64 %d7, %d6; st.u32 [%d7+8], 77; ld.shared.u32 %r20, [s+8];", 1, d)[0],
        77u);
  EQUAL(result("mov.u64 %d6, s; cvta.shared.u64 %d7, %d6; cvta.to.shared.u64 %d8, %d7; st.shared.u32 [%d8], 5; ld.u32 "
               "%r20, [%d7];",
               1, d)[0],
        5u);
  EQUAL(result(".local .align 8 .b8 l[64]; mov.u64 %d6, l; cvta.local.u64 %d7, %d6; st.u64 [%d7+8], %d0; ld.local.u32 "
               "%r3, [l+8]; cvt.u32.u64 %r4, %d0; sub.u32 %r20, %r3, %r4;",
               1)[0],
        0u);
  EQUAL(result("mov.u64 %d6, s; cvta.shared.u64 %d7, %d6; isspacep.shared %p1, %d7; isspacep.global %p2, %d0; and.pred "
               "%p1, %p1, %p2; selp.u32 %r20, 1, 0, %p1;",
               1, d)[0],
        1u);
}

void atomics() {
  begin();
  struct Case {
    const char* op;
    u32 start, want;
  };
  // all 64 threads with %r0 as operand
  const Case cases[] = {
      {"add.u32", 5, 5 + 63 * 32}, {"min.u32", 40, 0},   {"max.u32", 40, 63},
      {"max.s32", 0xfffffff0, 63}, {"and.b32", 0xff, 0}, {"or.b32", 0x100, 0x13f},
      {"xor.b32", 7, 7},           {"inc.u32", 0, 0},    {"min.s32", 40, 0},
  };
  for (const char* space : {"global", "shared"})
    for (const Case& c : cases) {
      if (std::string(c.op) == "inc.u32") continue;
      std::string where = *space == 'g' ? "[%d1]" : "[s]",
                  init = *space == 'g' ? ""
                                       : "setp.eq.u32 %p1, %r0, 0; @%p1 st.shared.u32 [s], " + std::to_string(c.start) +
                                             "; bar.sync 0;";
      u64 p = device(std::vector<u32>{c.start});
      auto x = result(init + std::string("atom.") + space + "." + c.op + " %r5, " + where + ", %r0; bar.sync 0; ld." +
                          space + ".u32 %r20, " + where + ";",
                      64, ".shared .align 4 .u32 s;", p);
      EQUAL(x[0], c.want);
      p = device(std::vector<u32>{c.start});
      x = result(init + std::string("red.") + space + "." + c.op + " " + where + ", %r0; bar.sync 0; ld." + space +
                     ".u32 %r20, " + where + ";",
                 64, ".shared .align 4 .u32 s;", p);
      EQUAL(x[63], c.want);
    }
  u64 p = device(std::vector<u32>(4));
  auto old = result("atom.global.inc.u32 %r20, [%d1], 9;", 64, "", p);
  std::sort(old.begin(), old.end());
  EQUAL(old[0], 0u);
  EQUAL(old[63], 9u);
  EQUAL(host<u32>(p, 1)[0], 4u);
  result("atom.global.exch.b32 %r20, [%d1], %r0;", 64, "", p);
  EQUAL(host<u32>(p, 1)[0], 63u);
  result("atom.acq_rel.gpu.global.cas.b32 %r20, [%d1], 63, 7;", 64, "", p);
  EQUAL(host<u32>(p, 1)[0], 7u);
  float zero = 0;
  u64 f = device(std::vector<float>{zero});
  result("cvt.rn.f32.u32 %f1, %r0; atom.global.add.f32 %f2, [%d1], %f1; mov.u32 %r20, 0;", 64, "", f);
  EQUAL(host<float>(f, 1)[0], 2016.0f);
  u64 e = device(std::vector<double>{0.5});
  result("cvt.rn.f64.u32 %e1, %r0; red.global.add.f64 [%d1], %e1; mov.u32 %r20, 0;", 64, "", e);
  EQUAL(host<double>(e, 1)[0], 2016.5);
  u64 h = device(std::vector<u32>{0x3c003c00});
  result("mov.u32 %r5, 0x40003c00; red.global.add.noftz.f16x2 [%d1], %r5; mov.u32 %r20, 0;", 2, "", h);
  EQUAL(host<u32>(h, 1)[0], 0x45004200u);  // 5 and 3
}

void exchange() {
  begin();
  auto each = [](const std::string& body, auto want) {
    auto x = result(body);
    for (u32 i = 0; i < 32; i++)
      if (x[i] != want(i))
        report(__FILE__, __LINE__, body + " in lane " + std::to_string(i) + " gives " + std::to_string(x[i]));
  };
  each("shfl.sync.bfly.b32 %r20, %r0, 5, 31, 0xffffffff;", [](u32 i) { return i ^ 5; });
  each("shfl.sync.up.b32 %r20, %r0, 3, 0, 0xffffffff;", [](u32 i) { return i < 3 ? i : i - 3; });
  each("shfl.sync.down.b32 %r20, %r0, 3, 31, 0xffffffff;", [](u32 i) { return i > 28 ? i : i + 3; });
  each("shfl.sync.idx.b32 %r20, %r0, 7, 31, 0xffffffff;", [](u32) { return 7u; });
  each("shfl.sync.idx.b32 %r20, %r0, 3, 0x181f, 0xffffffff;", [](u32 i) { return i / 8 * 8 + 3; });  // segments of 8
  each("shfl.sync.down.b32 %r20|%p1, %r0, 2, 0x181f, 0xffffffff; @!%p1 mov.u32 %r20, 99;",
       [](u32 i) { return i % 8 > 5 ? 99 : i + 2; });
  each("shfl.sync.up.b32 %r20|%p1, %r0, 2, 0x1800, 0xffffffff; @!%p1 mov.u32 %r20, 99;",
       [](u32 i) { return i % 8 < 2 ? 99 : i - 2; });
  each("setp.lt.u32 %p1, %r0, 9; vote.sync.ballot.b32 %r20, %p1, 0xffffffff;", [](u32) { return 511u; });
  each("setp.lt.u32 %p1, %r0, 9; vote.sync.ballot.b32 %r20, !%p1, 0xffffffff;", [](u32) { return ~511u; });
  each(
      "setp.lt.u32 %p1, %r0, 9; vote.sync.any.pred %p2, %p1, 0xffffffff; vote.sync.all.pred %p3, %p1, 0xffffffff; "
      "selp.u32 %r20, 2, 0, %p2; @%p3 add.u32 %r20, %r20, 1;",
      [](u32) { return 2u; });
  each("setp.lt.u32 %p1, %r0, 99; vote.sync.uni.pred %p2, %p1, 0xffffffff; selp.u32 %r20, 2, 0, %p2;",
       [](u32) { return 2u; });
  each("and.b32 %r5, %r0, 3; match.any.sync.b32 %r20, %r5, 0xffffffff;", [](u32 i) { return 0x11111111u << (i % 4); });
  each("mov.u32 %r5, 4; match.all.sync.b32 %r20|%p1, %r5, 0xffffffff; @!%p1 mov.u32 %r20, 1;",
       [](u32) { return 0xffffffffu; });
  each("cvt.u64.u32 %d6, %r0; match.all.sync.b64 %r20|%p1, %d6, 0xffffffff;", [](u32) { return 0u; });
  each("redux.sync.add.u32 %r20, %r0, 0xffffffff;", [](u32) { return 496u; });
  each("sub.u32 %r5, %r0, 9; redux.sync.min.s32 %r20, %r5, 0xffffffff;", [](u32) { return static_cast<u32>(-9); });
  each("sub.u32 %r5, %r0, 9; redux.sync.max.u32 %r20, %r5, 0xffffffff;", [](u32) { return 0xffffffffu; });
  each("redux.sync.xor.b32 %r20, %r0, 0xffffffff;", [](u32) { return 0u; });
  // Two halves that come on different ways meet; each with its own mask.
  each(
      "setp.lt.u32 %p1, %r0, 16; mov.u32 %r5, 0xffff0000; @%p1 mov.u32 %r5, 0xffff; redux.sync.add.u32 %r20, %r0, %r5;",
      [](u32 i) { return i < 16 ? 120u : 376u; });
  each(
      "setp.lt.u32 %p1, %r0, 16; mov.u32 %r5, 1; @%p1 bra A; add.u32 %r5, %r5, 1; add.u32 %r5, %r5, 1;\nA: "
      "redux.sync.add.u32 %r20, %r5, 0xffffffff;",
      [](u32) { return 64u; });
  each("setp.lt.u32 %p1, %r0, 4; activemask.b32 %r20; @!%p1 bra A; activemask.b32 %r20;\nA:",
       [](u32 i) { return i < 4 ? 15u : 0xffffffffu; });
  each("mov.u32 %r20, %lanemask_lt;", [](u32 i) { return (1u << i) - 1; });
}

void barriers() {
  begin();
  std::string s = ".shared .align 4 .b8 s[1024];";
  auto x = result(
      "shl.b32 %r5, %r0, 2; mov.u32 %r6, s; add.u32 %r6, %r6, %r5; st.shared.u32 [%r6], %r0; bar.sync 0; xor.b32 %r5, "
      "%r5, 512; mov.u32 %r6, s; add.u32 %r6, %r6, %r5; ld.shared.u32 %r20, [%r6];",
      256, s);
  for (u32 i = 0; i < 256; i++) EQUAL(x[i], i ^ 128);
  EQUAL(result("setp.lt.u32 %p1, %r0, 70; bar.red.popc.u32 %r20, 0, %p1;", 96)[95], 70u);
  EQUAL(result("setp.lt.u32 %p1, %r0, 70; bar.red.or.pred %p2, 0, !%p1; selp.u32 %r20, 1, 0, %p2;", 96)[3], 1u);
  EQUAL(result("setp.lt.u32 %p1, %r0, 70; bar.red.and.pred %p2, 0, %p1; selp.u32 %r20, 1, 0, %p2;", 96)[3], 0u);
  // Producer and consumer: warp 0 arrives without waiting, warp 1 waits.
  x = result(
      "mov.u32 %r20, 0; setp.lt.u32 %p1, %r0, 32; @!%p1 bra W; st.shared.u32 [s], 5; bar.arrive 1, 64; bra E;\nW: "
      "bar.sync 1, 64; ld.shared.u32 %r20, [s];\nE:",
      64, s);
  EQUAL(x[40], 5u);
  // Lanes of one warp exchange through memory with a warp barrier.
  x = result(
      "shl.b32 %r5, %r0, 2; mov.u32 %r6, s; add.u32 %r6, %r6, %r5; st.shared.u32 [%r6], %r0; bar.warp.sync 0xffffffff; "
      "xor.b32 %r5, %r5, 4; mov.u32 %r6, s; add.u32 %r6, %r6, %r5; ld.shared.u32 %r20, [%r6];",
      32, s);
  EQUAL(x[6], 7u);
  // A lane that spins for another of its warp is not left alone.
  x = result(
      "mov.u32 %r20, 1; setp.eq.u32 %p1, %r0, 0; @%p1 st.volatile.shared.u32 [s], 0; bar.warp.sync 0xffffffff; "
      "setp.eq.u32 %p1, %r0, 31; @%p1 bra W;\n"
      "L: atom.shared.or.b32 %r5, [s], 0; setp.eq.u32 %p2, %r5, 0; @%p2 bra L; bra E;\nW: atom.shared.exch.b32 %r5, "
      "[s], 1;\nE:",
      32, s);
  EQUAL(x[0], 1u);
}

void asynchronous() {
  begin();
  std::vector<float> in(64);
  for (size_t i = 0; i < 64; i++) in[i] = static_cast<float>(i);
  u64 p = device(in);
  std::string s = ".shared .align 16 .b8 s[1024];";
  std::string start =
      "shl.b32 %r5, %r0, 4; mov.u32 %r6, s; add.u32 %r6, %r6, %r5; cvt.u64.u32 %d6, %r5; add.s64 %d6, %d6, %d1;";
  auto f = [](u32 x) { return as<float>(x); };
  auto x = result(start +
                      "cp.async.cg.shared.global [%r6], [%d6], 16; cp.async.commit_group; cp.async.wait_group 0; "
                      "ld.shared.u32 %r20, [%r6+4];",
                  8, s, p);
  EQUAL(f(x[3]), 13.0f);
  x = result(start + "cp.async.ca.shared.global [%r6], [%d6], 16, 8; cp.async.wait_all; ld.shared.u32 %r20, [%r6+8];",
             8, s, p);
  EQUAL(f(x[3]), 0.0f);  // what a short copy leaves out is zero
  // Before the wait there is NaN; a group that is still allowed to be under way has not arrived.
  x = result(start + "cp.async.ca.shared.global [%r6], [%d6], 4; cp.async.commit_group; ld.shared.u32 %r20, [%r6];", 8,
             s, p);
  EQUAL(x[3], 0xffffffffu);
  std::string two = start +
                    "cp.async.ca.shared.global [%r6], [%d6], 4; cp.async.commit_group; cp.async.ca.shared.global "
                    "[%r6+512], [%d6+4], 4; cp.async.commit_group; cp.async.wait_group 1;";
  EQUAL(f(result(two + "ld.shared.u32 %r20, [%r6];", 8, s, p)[3]), 12.0f);
  EQUAL(result(two + "ld.shared.u32 %r20, [%r6+512];", 8, s, p)[3], 0xffffffffu);
}

}  // namespace

std::vector<Test> memoryOperationTests() {
  return {{"memory/widths", widths, {}},
          {"memory/atomics", atomics, {}},
          {"memory/exchange", exchange, {}},
          {"memory/barriers", barriers, {}},
          {"memory/asynchronous", asynchronous, {}}};
}
