package engine_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"ganglion/engine"
	"ganglion/engine/plan"
	"ganglion/kernels"
)

// Of a network of float32 with operands of products in a precision, losses stay near those of the network as it is but
// are others, all products are in mixed precision, and the number of workers changes no bit.
func TestPrecision(t *testing.T) {
	g := mlp(t, kernels.Float32, 20, true)
	for p, tol := range map[plan.Precision]float64{plan.TF32: 2e-4, plan.BF16: 4e-3} {
		full := compile(t, g, engine.Options{Seed: 3})
		one := compile(t, g, engine.Options{Seed: 3, Precision: p, Workers: 1})
		many := compile(t, g, engine.Options{Seed: 3, Precision: p, Workers: 3})
		feeds := mlpFeeds(t, full, kernels.Float32, 20)
		worst, first, last := 0.0, 0.0, 0.0
		for step := range 40 {
			want, got := value(t, full, feeds), value(t, one, feeds)
			if again := value(t, many, feeds); again != got {
				t.Fatalf("%v, step %d: loss %v with three workers, %v with one", p, step, again, got)
			}
			worst = max(worst, math.Abs(got-want)/(1+math.Abs(want)))
			if step == 0 {
				first = got
			}
			last = got
		}
		if worst > tol || worst < tol/1000 || last > 0.9*first {
			t.Errorf(
				"%v: loss %.4f to %.4f, up to %.2g from that in full precision; want within %g",
				p,
				first,
				last,
				worst,
				tol,
			)
		}
		products := 0
		for _, s := range one.Explain().Steps {
			if strings.Contains(s.Op, "GEMM") || strings.Contains(s.Op, "Linear") {
				products++
				if s.Op != "dense.MixedGEMM" || !strings.Contains(s.Attributes, fmt.Sprint("Operands:", p)) ||
					!strings.Contains(s.Reason, fmt.Sprintf("operands rounded to %v", p)) {
					t.Errorf("step %s, %s", s.Attributes, s.Reason)
				}
			}
		}
		if products != 8 {
			t.Errorf("%d products, want 3 and 5 of their gradients", products)
		}
	}
	_, err := engine.Compile(mlp(t, kernels.Float64, 20, true), engine.Options{Precision: plan.TF32})
	if err == nil || !strings.Contains(err.Error(), "precision tf32 is for networks of float32") {
		t.Errorf("float64: %v", err)
	}
}

// Tensor cores follow the processor's losses, launched one by one or captured, and give the same bits again. An operand
// that differs in its last bit may be rounded to the neighbour, hence the larger tolerance than in full precision.
func TestDevicePrecision(t *testing.T) {
	d := openDevice(t)
	g := mlp(t, kernels.Float32, 20, true)
	for p, tol := range map[plan.Precision]float64{plan.TF32: 1e-4, plan.BF16: 1e-3} {
		cpu := compile(t, g, engine.Options{Seed: 3, Precision: p})
		eager := compile(t, g, engine.Options{Seed: 3, Precision: p, Device: d, Eager: true})
		captured := compile(t, g, engine.Options{Seed: 3, Precision: p, Device: d})
		feeds := mlpFeeds(t, cpu, kernels.Float32, 20)
		for step := range 20 {
			want, got := value(t, cpu, feeds), value(t, eager, feeds)
			if math.Abs(want-got) > tol*(1+math.Abs(want)) {
				t.Errorf("%v, step %d: loss %v on the device, %v on the processor", p, step, got, want)
			}
			if again := value(t, captured, feeds); again != got {
				t.Errorf("%v, step %d: loss %v captured, %v launched one by one", p, step, again, got)
			}
		}
		tensor := fmt.Sprintf("cuda/%v_64_", p)
		if d.Properties().Capability < 80 {
			tensor = "cuda/round_f32"
		}
		for _, s := range eager.Explain().Steps {
			if s.Op == "dense.MixedGEMM" && !strings.HasPrefix(s.Kernel, tensor) {
				t.Errorf("%s is computed by %s", s.Attributes, s.Kernel)
			}
		}
		eager.Close()
		captured.Close()
	}
}
