//go:build gpu && cgo && linux && (amd64 || arm64)

package launch_test

import (
	"slices"
	"testing"

	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// miscalculations are mistakes in products that break no rule of the device: the values tell.
func miscalculations() []mistake {
	product := []kernels.Spec{f32(70, 72), f32(72, 70)}
	tf32, bf16 := dense.MixedGEMM{}, dense.MixedGEMM{Operands: dense.BF16}
	turned := dense.MixedGEMM{TransA: true, TransB: true, Operands: dense.BF16}
	// A is stored before the product, B as it is given.
	stored, kept := dense.MixedGEMM{Operands: dense.BF16, StoredB: true}, []kernels.Spec{f32(70, 72),
		kernels.S(kernels.Byte, 72, 70, 2)}
	split := []kernels.Spec{f32(8, 1024), f32(1024, 8)}
	return []mistake{
		{name: "nobody waits for asynchronous copies", op: dense.GEMM{}, in: product, file: "dense/async.cuh",
			old: "cp.async.wait_group %0;", bad: "// %0"},
		{
			name: "one asynchronous group too few is waited for",
			op:   dense.GEMM{},
			in:   product,
			file: "dense/gemmasync.cu",
			old:  "waitFor<STAGES - 2>",
			bad:  "waitFor<STAGES - 1>",
		},
		{name: "the next stage is multiplied", op: dense.GEMM{}, in: product, file: "dense/gemmasync.cu",
			old: "int now = 0", bad: "int now = 1"},
		{name: "nobody waits for what tensor cores read", op: tf32, in: product, file: "dense/mixed.cu",
			old: "waitFor<STAGES - 2>();", bad: ""},
		{name: "copies that are not a group", op: bf16, in: product, file: "dense/mixed.cu", old: "\t\tarrival();\n",
			bad: ""},
		{name: "B of another stage", op: bf16, in: product, file: "dense/mixed.cu", old: "STAGES + now",
			bad: "STAGES + next"},
		{name: "rows of a fragment exchanged", op: tf32, in: product, file: "dense/mixed.cu",
			old: "g + e % 2 * 8, k0, t, e / 2", bad: "g + e / 2 * 8, k0, t, e % 2"},
		{
			name: "a fragment of another format",
			op:   bf16,
			in:   product,
			file: "dense/mixed.cu",
			old:  "(2 * t + 8 * upper)",
			bad:  "(2 * t + 4 * upper)",
		},
		{name: "halves of a pair exchanged", op: turned, in: product, file: "dense/mixed.cu",
			old: "toBF16(p[0], p[COLUMN])", bad: "toBF16(p[COLUMN], p[0])"},
		{name: "columns of the result exchanged", op: tf32, in: product, file: "dense/tensor.cuh",
			old: "r % 2 * 2 + q % 2]", bad: "q % 2 * 2 + r % 2]"},
		{name: "warps side by side", op: tf32, in: product, file: "dense/mixed.cu", old: "warp / 4 * (WIDE / 2)",
			bad: "warp % 2 * (WIDE / 2)"},
		{name: "the end of k is not cut off", op: bf16, in: []kernels.Spec{f32(70, 37), f32(37, 70)},
			file: "dense/mixed.cu", old: "row < rows ? left - col : 0", bad: "row < rows ? 4 : 0"},
		{name: "lines of fragments exchanged", op: stored, in: kept, file: "dense/stored.cu",
			old: "third = lane / 16 * 8", bad: "third = lane / 8 % 2 * 8"},
		{name: "a fragment that is not turned", op: stored, in: kept, file: "dense/stored.cu", old: ".x4.trans.",
			bad: ".x4."},
		{name: "nobody waits for what ldmatrix reads", op: stored, in: kept, file: "dense/stored.cu",
			old: "waitFor<STAGES - 2>();", bad: ""},
		{
			name: "numbers beyond the line",
			op:   stored,
			in:   []kernels.Spec{f32(70, 37), kernels.S(kernels.Byte, 37, 70, 2)},
			file: "dense/stored.cu",
			old:  "e < count ? x[e] : 0",
			bad:  "x[e]",
		},
		{name: "what is not there is copied", op: dense.GEMM{}, in: []kernels.Spec{f32(70, 37), f32(37, 70)},
			file: "dense/async.cuh", old: "there ? (u32)sizeof(T) : 0", bad: "sizeof(T)"},
		{name: "parts with a part of their own", op: tf32, in: split, file: "dense/gemm.cuh",
			old: "k0 = part * s.depth", bad: "k0 = 0"},
	}
}

// Each gives another result, or a report; without the mistakes the result is that of the reference.
func TestMiscalculationsAreFound(t *testing.T) {
	w := newWorkshop(t)
	for _, m := range miscalculations() {
		t.Run(m.name, func(t *testing.T) {
			good, bad := m.sources(t, w)
			var in []kernels.Tensor
			for _, s := range m.in {
				in = append(in, small(s))
			}
			want, err := kernels.RunRef(m.op, in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := perform(t, m, good)
			if err != nil || !slices.Equal(got, want.F32) {
				t.Fatalf("as it is: another result than the reference's, or an error: %v", err)
			}
			switch got, err = perform(t, m, bad); {
			case err != nil:
				t.Log(err)
			case slices.Equal(got, want.F32):
				t.Error("not found")
			}
		})
	}
}
