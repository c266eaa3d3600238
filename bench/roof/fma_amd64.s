//go:build !noasm

#include "textflag.h"

// The loops below do nothing but fused multiply-adds on registers: acc += x·y. There are more accumulators than a multiply-add has
// cycles of latency times units, so that the units are never idle: 12 of the 16 registers of AVX2, 24 of the 32 of AVX-512.
// x and y are read once, before the loop; what the accumulators hold is of no importance.

#define ZERO12 \
	VXORPS Y0, Y0, Y0    \
	VXORPS Y1, Y1, Y1    \
	VXORPS Y2, Y2, Y2    \
	VXORPS Y3, Y3, Y3    \
	VXORPS Y4, Y4, Y4    \
	VXORPS Y5, Y5, Y5    \
	VXORPS Y6, Y6, Y6    \
	VXORPS Y7, Y7, Y7    \
	VXORPS Y8, Y8, Y8    \
	VXORPS Y9, Y9, Y9    \
	VXORPS Y10, Y10, Y10 \
	VXORPS Y11, Y11, Y11

#define ZERO12TO23 \
	VPXORD Z12, Z12, Z12 \
	VPXORD Z13, Z13, Z13 \
	VPXORD Z14, Z14, Z14 \
	VPXORD Z15, Z15, Z15 \
	VPXORD Z16, Z16, Z16 \
	VPXORD Z17, Z17, Z17 \
	VPXORD Z18, Z18, Z18 \
	VPXORD Z19, Z19, Z19 \
	VPXORD Z20, Z20, Z20 \
	VPXORD Z21, Z21, Z21 \
	VPXORD Z22, Z22, Z22 \
	VPXORD Z23, Z23, Z23

#define YMM12(FMA) \
	FMA Y14, Y15, Y0  \
	FMA Y14, Y15, Y1  \
	FMA Y14, Y15, Y2  \
	FMA Y14, Y15, Y3  \
	FMA Y14, Y15, Y4  \
	FMA Y14, Y15, Y5  \
	FMA Y14, Y15, Y6  \
	FMA Y14, Y15, Y7  \
	FMA Y14, Y15, Y8  \
	FMA Y14, Y15, Y9  \
	FMA Y14, Y15, Y10 \
	FMA Y14, Y15, Y11

#define ZMM24(FMA) \
	FMA Z30, Z31, Z0  \
	FMA Z30, Z31, Z1  \
	FMA Z30, Z31, Z2  \
	FMA Z30, Z31, Z3  \
	FMA Z30, Z31, Z4  \
	FMA Z30, Z31, Z5  \
	FMA Z30, Z31, Z6  \
	FMA Z30, Z31, Z7  \
	FMA Z30, Z31, Z8  \
	FMA Z30, Z31, Z9  \
	FMA Z30, Z31, Z10 \
	FMA Z30, Z31, Z11 \
	FMA Z30, Z31, Z12 \
	FMA Z30, Z31, Z13 \
	FMA Z30, Z31, Z14 \
	FMA Z30, Z31, Z15 \
	FMA Z30, Z31, Z16 \
	FMA Z30, Z31, Z17 \
	FMA Z30, Z31, Z18 \
	FMA Z30, Z31, Z19 \
	FMA Z30, Z31, Z20 \
	FMA Z30, Z31, Z21 \
	FMA Z30, Z31, Z22 \
	FMA Z30, Z31, Z23

// func fmaAVX2F32(n int, x float32)
TEXT ·fmaAVX2F32(SB), NOSPLIT, $0-12
	MOVQ         n+0(FP), CX
	VBROADCASTSS x+8(FP), Y14
	VBROADCASTSS x+8(FP), Y15
	ZERO12

loop:
	YMM12(VFMADD231PS)
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET

// func fmaAVX2F64(n int, x float64)
TEXT ·fmaAVX2F64(SB), NOSPLIT, $0-16
	MOVQ         n+0(FP), CX
	VBROADCASTSD x+8(FP), Y14
	VBROADCASTSD x+8(FP), Y15
	ZERO12

loop:
	YMM12(VFMADD231PD)
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET

// func fmaAVX512F32(n int, x float32)
TEXT ·fmaAVX512F32(SB), NOSPLIT, $0-12
	MOVQ         n+0(FP), CX
	VBROADCASTSS x+8(FP), Z30
	VBROADCASTSS x+8(FP), Z31
	ZERO12
	ZERO12TO23

loop:
	ZMM24(VFMADD231PS)
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET

// func fmaAVX512F64(n int, x float64)
TEXT ·fmaAVX512F64(SB), NOSPLIT, $0-16
	MOVQ         n+0(FP), CX
	VBROADCASTSD x+8(FP), Z30
	VBROADCASTSD x+8(FP), Z31
	ZERO12
	ZERO12TO23

loop:
	ZMM24(VFMADD231PD)
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET
