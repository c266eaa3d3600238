package dense

import (
	"fmt"
	"slices"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

// TestProductLaunches: which kernels compute a product, by capability, type and size.
func TestProductLaunches(t *testing.T) {
	old, now := kernels.Target{Capability: 75, Multiprocessors: 4}, kernels.Target{Capability: 86, Multiprocessors: 4}
	small, large, long := [3]int{65, 70, 40}, [3]int{1000, 600, 40}, [3]int{20, 30, 4096}
	tf32, bf16 := MixedGEMM{}, MixedGEMM{TransB: true, Operands: BF16}
	bf16Stored := MixedGEMM{Operands: BF16, StoredA: true}
	for _, c := range []struct {
		op     kernels.CUDAOp
		target kernels.Target
		d      kernels.DType
		size   [3]int
		want   []string
	}{
		{GEMM{}, old, kernels.Float32, small, []string{"dense/gemm gemm64_f32 0"}},
		{GEMM{}, old, kernels.Float32, large, []string{"dense/gemm gemm128_f32 0"}},
		{GEMM{}, old, kernels.Float32, long, []string{"dense/gemm gemm64_f32 0", "dense/gemm join_f32 0"}},
		{GEMM{}, now, kernels.Float32, small, []string{"dense/gemmasync async64_f32 0"}},
		{GEMM{}, now, kernels.Float64, large, []string{"dense/gemmasync async64_f64 0"}},
		{GEMM{}, now, kernels.Float32, large, []string{"dense/gemmasync async128_f32 0"}},
		{GEMM{}, now, kernels.Float32, long, []string{"dense/gemmasync async64_f32 0", "dense/gemm join_f32 0"}},
		{tf32, now, kernels.Float32, small, []string{"dense/mixed tf32_64_nn 30720"}},
		{tf32, now, kernels.Float32, large, []string{"dense/mixed tf32_128_nn 61440"}},
		{bf16, now, kernels.Float32, small, []string{"dense/mixed bf16_64_nt 36864"}},
		{bf16, now, kernels.Float32, large, []string{"dense/mixed bf16_128_nt 73728"}},
		{bf16, now, kernels.Float32, long, []string{"dense/mixed bf16_64_nt 36864", "dense/gemm join_f32 0"}},
		{bf16, old, kernels.Float32, small, []string{"dense/round round_f32 0", "dense/round round_f32 0",
			"dense/gemm gemm64_f32 0"}},
		{bf16Stored, now, kernels.Float32, small, []string{"dense/narrow narrow_bf16_f32 0",
			"dense/stored stored_64_nn 30720"}},
		{bf16Stored, now, kernels.Float32, large, []string{"dense/narrow narrow_bf16_f32 0",
			"dense/stored stored_128_nn 61440"}},
		{bf16Stored, old, kernels.Float32, small, []string{"dense/narrow widen_bf16_f32 0", "dense/round round_f32 0",
			"dense/gemm gemm64_f32 0"}},
		{tf32, now, kernels.Float64, small, []string{"dense/round round_f64 0", "dense/round round_f64 0",
			"dense/gemmasync async64_f64 0"}},
	} {
		in := []kernels.Spec{kernels.S(c.d, c.size[0], c.size[2]), kernels.S(c.d, c.size[2], c.size[1])}
		if c.op == kernels.CUDAOp(bf16) {
			in[1] = kernels.S(c.d, c.size[1], c.size[2])
		}
		if c.op == kernels.CUDAOp(bf16Stored) {
			in[0] = kernels.S(kernels.Byte, c.size[0], c.size[2], 2)
		}
		list, err := c.op.CUDA(c.target, in, kernels.S(c.d, c.size[0], c.size[1]))
		var got []string
		for _, l := range list {
			got = append(got, fmt.Sprintf("%s %s %d", l.Module, l.Entry, l.Shared))
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v on %d, %v: %q, %v; want %q", c.op, c.target.Capability, in, got, err, c.want)
		}
	}
}

// TestAsyncBits: the kernels with asynchronous copies give the bits of those without, because every element is summed
// in the same order.
func TestAsyncBits(t *testing.T) {
	dev := optest.OpenDevice(t)
	if dev == nil || dev.Target().Capability < asyncCapability {
		t.Skip("no device of compute capability 8.0")
	}
	for _, o := range transposes {
		for _, s := range [][3]int{{65, 66, 37}, {64, 128, 48}, {17, 20, 1030}, {300, 390, 21}} {
			in := []kernels.Tensor{normal32(1, s[0], s[2]), normal32(2, s[2], s[1])}
			if o.TransA {
				in[0] = normal32(1, s[2], s[0])
			}
			if o.TransB {
				in[1] = normal32(2, s[1], s[2])
			}
			now, _ := dev.Run(t, o, in...)
			then, _ := dev.At(75).Run(t, o, in...)
			if !slices.Equal(now.F32, then.F32) {
				t.Errorf("%+v %v: the bits differ", o, s)
			}
		}
	}
}
