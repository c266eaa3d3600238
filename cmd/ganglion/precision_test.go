package main

import (
	"strings"
	"testing"

	"ganglion/models/run"
)

// TestPrecision: a run keeps the precision of products that it was asked for, and results and plans name it.
func TestPrecision(t *testing.T) {
	args, dir := small(t, "--precision", "bf16", "--storage", "bf16", "--json")
	var r run.Result
	if strict(t, must(t, args...).out, &r); r.Precision != "bf16" || r.Storage != "bf16" {
		t.Errorf("the result says %q and %q", r.Precision, r.Storage)
	}
	var evaluated map[string]any
	strict(t, must(t, "eval", dir, "--json").out, &evaluated)
	o := must(t, "plan", "module/mlp", "--precision", "tf32", "--batch", "8")
	for _, w := range []string{"dense.MixedGEMM{", "Operands:tf32", "f32, products in tf32"} {
		if !strings.Contains(o.out, w) {
			t.Errorf("%q is not in the plan\n%s", w, o.out)
		}
	}
	o = must(t, "plan", "module/mlp", "--precision", "bf16", "--storage", "bf16")
	for _, w := range []string{"dense.Narrow{To:bf16}", "byte(64 99 2)", "values kept in bf16"} {
		if !strings.Contains(o.out, w) {
			t.Errorf("%q is not in the plan\n%s", w, o.out)
		}
	}
	var p run.Plan
	strict(t, must(t, "plan", "module/mlp", "--precision", "tf32", "--json").out, &p)
	if p.Precision != "tf32" {
		t.Errorf("the plan says %q", p.Precision)
	}
	if o = must(t, "plan", "module/mlp"); strings.Contains(o.out, "Mixed") || strings.Contains(o.out, "products in") {
		t.Errorf("without --precision products are mixed\n%s", o.out)
	}
}

// TestDevicePrecision: tensor cores are used where the device has them; an older one says why it uses none.
func TestDevicePrecision(t *testing.T) {
	lib := "GANGLION_LIBCUDA=" + library(t)
	for capability, want := range map[string][]string{
		"8.0": {"cuda/tf32_64_nn"},
		"7.5": {"cuda/round_f32", "tensor cores that take tf32 are there from compute capability 8.0 on"},
	} {
		o := onDevice(
			t,
			[]string{lib, "CUEMU_CC=" + capability},
			"plan",
			"module/mlp",
			"--device",
			"cuda",
			"--precision",
			"tf32",
			"--json",
		)
		for _, w := range want {
			if o.code != 0 || !strings.Contains(o.out, w) {
				t.Errorf(
					"compute capability %s: exit code %d, %q is not in the plan\n%s%s",
					capability,
					o.code,
					w,
					o.log,
					o.out,
				)
			}
		}
	}
}
