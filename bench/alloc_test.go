package bench

import (
	"testing"

	"ganglion/internal/cpu"
	"ganglion/internal/par"
	"ganglion/kernels"
)

// TestSteadyStepsAllocateNothing: no case of any workload allocates once it is warm, on one thread and on two.
func TestSteadyStepsAllocateNothing(t *testing.T) {
	cases := 0
	for _, threads := range []int{1, 2} {
		pool := par.New(threads)
		t.Cleanup(pool.Close)
		for _, d := range []kernels.DType{kernels.Float32, kernels.Float64} {
			e := env{dtype: d, path: cpu.Best(), pool: pool, threads: threads, quick: true}
			for _, w := range workloads() {
				if w.name == sampleWorkload().name {
					continue // a step hands out new blocks: it is no step of a program
				}
				for _, b := range w.cases(e) {
					cases++
					allocations(t, w.name+" "+b.size.String(), e, b)
				}
			}
		}
	}
	if cases < 4*len(workloads()) {
		t.Errorf("%d cases of %d workloads", cases, len(workloads()))
	}
}

func allocations(t *testing.T, name string, e env, b bench) {
	t.Helper()
	r, err := b.open(e)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if r.close != nil {
		defer r.close()
	}
	for range 3 {
		if err := r.step(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if n := testing.AllocsPerRun(10, func() { err = r.step() }); n > 0 || err != nil {
		t.Errorf("%s, %v, %d threads: a step makes %v allocations, error %v", name, e.dtype, e.threads, n, err)
	}
}
