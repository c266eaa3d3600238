// What must not load: each defect with its line. And forms that must.
#include "harness.h"

namespace {

// refuse loads text that must fail in a line with a text.
void refuse(const std::string& ptx, int line, const std::string& text, int code = 218) {
  u64 m = 0;
  EQUAL(cu("cuModuleLoadData", &m, ptx.c_str()), code);
  std::string got = lastFault(), want = "PTX line " + std::to_string(line) + ": ";
  if (got.find(text) == std::string::npos || (line && got.find(want) == std::string::npos))
    report(__FILE__, __LINE__, "'" + got + "' for '" + text + "' in line " + std::to_string(line));
}

// The body of kernel() begins in line 10.
void refuseBody(const std::string& body, const std::string& text) { refuse(kernel(body), 10, text); }

void refused() {
  begin();
  refuse("", 1, ".version is missing");
  refuse(
      "\x7f"
      "ELF",
      1, ".version is missing");
  refuse(".version 9.5\n.target sm_80\n.address_size 64\n", 0, "newer than", 222);
  refuse(".version 8.0\n.target sm_90\n.address_size 64\n", 0, "PTX for sm_90", 209);
  refuse(".version 8.0\n.address_size 64\n", 1, ".target is missing");
  refuse(".version 8.0\n.target sm_80\n.address_size 32\n", 4, "address_size 64");
  refuse(".version 8.0\n.target sm_80\n.foo\n", 3, "unknown directive '.foo'");
  refuse(".version 8.0\n.target sm_80\n/* no end", 3, "comment without end");
  refuse(".version 8.0\n.target sm_80\n.entry k() {\n", 4, "text ends inside k");
  refuse(".version 8.0\n.target sm_80\n.global .u32 x[2] = {1, 2, 3};\n", 3, "more initial values");
  refuse(".version 8.0\n.target sm_80\n.extern .global .u32 x;\n", 3, "has no definition");
  refuseBody("frob.u32 %r5, %r6;", "frob.u32: unknown instruction");
  refuseBody("add.q32 %r5, %r6, %r7;", "unsupported type");
  refuseBody("add.rn.u32 %r5, %r6, %r7;", "unsupported type");
  refuseBody("add.u32.foo %r5, %r6, %r7;", "unknown modifier '.foo'");
  refuseBody("add.u32 %r5, %r6;", "has 2 operands, needs 3");
  refuseBody("add.u32 %d5, %r6, %r7;", "has not the width");
  refuseBody("add.u32 %f5, %r6, %r7;", "has another type");
  refuseBody("add.u32 %r5, %r6, %zz;", "unknown name '%zz'");
  refuseBody("add.u32 5, %r6, %r7;", "destination must be a register");
  refuseBody("@%r5 add.u32 %r5, %r6, %r7;", "is not a predicate");
  refuseBody("@%q add.u32 %r5, %r6, %r7;", "unknown predicate");
  refuseBody("bra NOWHERE;", "unknown label 'NOWHERE'");
  refuseBody("A: mov.u32 %r5, 1; A: mov.u32 %r5, 1;", "stands twice");
  refuseBody("div.f32 %f5, %f6, %f7;", "needs a rounding mode");
  refuseBody("cvt.f32.f64 %f5, %e6;", "needs a rounding mode");
  refuseBody("cvt.rn.s32.f32 %r5, %f6;", "needs an integer rounding mode");
  refuseBody("ld.global.u32 %r5, [%r6];", "is no address");
  refuseBody("ld.shared.u32 %r5, [p0];", "another state space");
  refuseBody("ld.global.v2.f32 %f5, [%d0];", "size of the vector");
  refuseBody("ld.global.v4.f64 {%e1, %e2, %e3, %e4}, [%d0];", "at most 16 bytes");
  refuseBody("st.const.u32 [%d0], %r5;", "not written");
  refuseBody("setp.lo.f32.s32 %p1, %r5, %r6;", "setp.lo.f32.s32");
  refuseBody("setp.lo.s32 %p1, %r5, %r6;", "comparison of unsigned integers");
  refuseBody("setp.lt.bf16 %p1, %h5, %h6;", "needs sm_90");
  refuseBody("cvt.sat.s32.s16 %r5, %h6;", "nothing to saturate");
  refuseBody("setp.ltu.s32 %p1, %r5, %r6;", "comparison of floating point");
  refuseBody("shfl.bfly.b32 %r5, %r6, 1, 31;", "needs .sync");
  refuseBody("tex.2d.v4.f32.f32 {%f1, %f2, %f3, %f4}, [%d0, {%f5, %f6}];", "unsupported form of address");
  refuseBody("mma.sync.aligned.m16n8k99.row.col.f32.bf16.bf16.f32 %f1, %r1, %r2, %f1;", "unsupported shape");
  refuseBody("call foo, ();", "'foo' is no function");
  refuseBody("mov.u32 %r5, 1.5x;", "malformed number");
  refuseBody("ld.param.u32 %r5, [nothing];", "unknown name 'nothing'");
  refuse(".version 8.0\n.target sm_80\n.func f() { call f, (); ret; }\n.entry k() { call f, (); ret; }\n", 3,
         "recursive");
  u64 m = 0, f = 0;
  EQUAL(cu("cuModuleLoadData", &m, static_cast<const char*>(nullptr)), 1);
  m = load(kernel(""));
  EQUAL(cu("cuModuleGetFunction", &f, m, "other"), 500);
  EQUAL(cu("cuModuleGetFunction", &f, u64{77}, "k"), 400);
}

// One program with everything the grammar has: scopes, labels in scopes, arrays, addresses as values, calls, indexed
// branches.
const char* kGrammar = R"(.version 8.0
.target sm_80, debug
.address_size 64
.file 1 "a.cu"
/* several
   lines */ .visible .global .align 4 .u32 numbers[4] = {10, 20, 0x1E, 050};
.global .align 8 .u64 where[2] = {numbers, generic(numbers)+4};
.const .align 4 .f32 half = 0f3F000000;
.visible .global .align 4 .b8 bytes[6] = {1, 2, 3};
.func (.param .b32 out) twice(.param .b32 in, .param .align 4 .b8 pair[8])
{
	.reg .b32 %r<4>;
	ld.param.u32 %r1, [in];
	ld.param.u32 %r2, [pair+4];
	add.u32 %r1, %r1, %r1;
	add.u32 %r1, %r1, %r2;
	st.param.b32 [out+0], %r1;
	ret;
}
.visible .entry k(.param .u64 .ptr .global .align 4 p, .param .align 4 .b8 s[8], .param .f32 unused)
.maxntid 32, 1, 1
.minnctapersm 1
{
	.reg .pred %p<4>;
	.reg .b32 %r<20>, %x;
	.reg .b64 %rd<8>;
	.pragma "nounroll";
	.loc 1 3 1
	ld.param.u64 %rd1, [p];
	cvta.to.global.u64 %rd1, %rd1;
	mov.u32 %r1, %tid.x;
	ld.global.u64 %rd2, [where+8];
	ld.u32 %r2, [%rd2];
	ld.global.u32 %r3, [numbers+12];
	add.u32 %r2, %r2, %r3;
	ld.global.u8 %r4, [bytes+2];
	ld.param.u32 %r5, [s+4];
	{
		.reg .b32 %x;
		.param .b32 a0;
		.param .align 8 .b8 a1[8];
		.param .b32 r0;
		mov.u32 %x, 5;
		setp.ne.u32 %p1, %x, 5;
		@%p1 bra L;
		st.param.b32 [a0+0], %r2;
		st.param.v2.b32 [a1], {%r1, %r4};
		call.uni (r0), twice, (a0, a1);
		ld.param.b32 %r6, [r0+0];
	L:
	}
	{
		.reg .b32 %x;
		mov.u32 %x, 7;
		bra L;
	L:
		mov.u32 %r7, %x;
	}
	and.b32 %r8, %r1, 3;
	brx.idx %r8, T;
T:	.branchtargets A, B, C, A;
A:	add.u32 %r7, %r7, 100;
B:	add.u32 %r7, %r7, 1000;
C:	add.u32 %r7, %r7, 10000;
	add.u32 %r7, %r7, %r6;
	add.u32 %r7, %r7, %r5;
	mad.wide.u32 %rd3, %r1, 4, %rd1;
	st.global.u32 [%rd3], %r7;
	ret;
}
)";

void grammar() {
  begin();
  u64 m = load(kGrammar), f = function(m, "k"), p = allocate(128);
  u64 slots[3] = {p, u64{9} << 32, 0};
  void* params[3] = {&slots[0], &slots[1], &slots[2]};
  CHECK(cu("cuLaunchKernel", f, 1u, 1u, 1u, 32u, 1u, 1u, 0u, u64{0}, params, static_cast<void**>(nullptr)) == 0);
  CHECK(cu("cuCtxSynchronize") == 0);
  auto x = host<u32>(p, 32);
  // 20 + 050 = 60; doubled and the byte 3; 9 of the struct; 7; the branches
  for (u32 i = 0; i < 32; i++) EQUAL(x[i], 120 + 3 + 9 + 7 + (i % 4 == 1 ? 11000 : i % 4 == 2 ? 10000 : 11100));
  u64 at = 0;
  size_t bytes = 0;
  CHECK(cu("cuModuleGetGlobal_v2", &at, &bytes, m, "numbers") == 0);
  EQUAL(bytes, size_t{16});
  EQUAL(host<u32>(at, 4)[2], 30u);
}

}  // namespace

std::vector<Test> parserTests() { return {{"parser/refused", refused, {}}, {"parser/grammar", grammar, {}}}; }
