package diagram

import (
	"math"
	"testing"

	"ganglion/internal/cpu"
	"ganglion/internal/par"
	"ganglion/internal/philox"
	"ganglion/kernels"
	"ganglion/kernels/diagram/calculus"
)

// apply runs an op's kernel.
func apply(t *testing.T, pool *par.Pool, op kernels.CPUOp, in ...kernels.Tensor) kernels.Tensor {
	t.Helper()
	var specs []kernels.Spec
	for _, x := range in {
		specs = append(specs, x.Spec)
	}
	out, err := op.Infer(specs)
	if err != nil {
		t.Fatal(err)
	}
	c := kernels.NewCall(op, cpu.Best(), pool)
	c.In, c.Out = in, kernels.New(out)
	if s, ok := op.(kernels.Scratcher); ok {
		c.Work = make([]byte, s.Workspace(specs, out, pool.Workers()))
	}
	op.CPU(c)
	return c.Out
}

// TestEquivariance draws 1,000 maps with their constants, inputs and group elements: mapping the moved input gives the
// moved output, to 1e-12 of the largest number that occurs.
func TestEquivariance(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	random := philox.New(11, 0x65717561, 0)
	ns := map[calculus.Group][]int{calculus.S: {1, 2, 3, 5, 8}, calculus.O: {1, 2, 3, 4}, calculus.SO: {1, 2, 3, 4},
		calculus.Sp: {2, 4, 6}}
	done := 0
	for trial := uint64(0); done < 1000; trial++ {
		g := calculus.Group(random.Below(4))
		f := Family{g, ns[g][random.Below(uint32(len(ns[g])))], int(random.Below(4)), int(random.Below(4))}
		if f.L+f.K > 5 {
			continue
		}
		done++
		normal := func(s kernels.Spec) kernels.Tensor {
			x := kernels.New(s)
			for i := range x.F64 {
				x.F64[i] = random.Normal()
			}
			return x
		}
		element, err := calculus.Element(g, f.N, trial)
		if err != nil {
			t.Fatal(err)
		}
		move := func(order int, x kernels.Tensor) kernels.Tensor {
			y := kernels.New(x.Spec)
			if y.F64, err = calculus.Act(element, f.N, order, x.F64); err != nil {
				t.Fatal(err)
			}
			return y
		}
		count := int(calculus.Count(g, f.N, f.L, f.K).Int64())
		lambda := normal(kernels.S(kernels.Float64, count, 2, 3))
		v := normal(f.signal(kernels.Float64, 2, 3, f.K))
		z, moved := apply(t, pool, Map{Family: f}, v, lambda), apply(t, pool, Map{Family: f}, move(f.K, v), lambda)
		still := Family{g, f.N, f.L, 0}
		mu := normal(kernels.S(kernels.Float64, int(calculus.Count(g, f.N, f.L, 0).Int64()), 2))
		constant := apply(t, pool, Constant{still}, mu)
		compareMoved(t, f, move(f.L, z).F64, moved.F64)
		compareMoved(t, still, move(f.L, constant).F64, constant.F64)
	}
}

func compareMoved(t *testing.T, f Family, want, got []float64) {
	t.Helper()
	top := 1.0
	for i := range want {
		top = max(top, math.Abs(want[i]), math.Abs(got[i]))
	}
	for i := range want {
		if d := math.Abs(want[i] - got[i]); !(d <= 1e-12*top) {
			t.Fatalf("%s(%d), %d → %d: element %d is off by %v, largest %v", f.Group, f.N, f.K, f.L, i, d, top)
		}
	}
}
