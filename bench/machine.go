package bench

import (
	"context"
	"runtime"
	"time"

	"ganglion/bench/roof"
	"ganglion/internal/par"
)

// newPool makes the threads of a run; 0 stands for all cores.
func newPool(threads int) *par.Pool {
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return par.New(threads)
}

func measureMachine(ctx context.Context, e env, o Options) (roof.Machine, error) {
	ro := roof.Options{Threads: e.threads, Path: e.path, Each: 150 * time.Millisecond}
	if o.Quick {
		ro.Each, ro.DRAM = time.Microsecond, 4<<20
	}
	start := time.Now()
	m, err := roof.Measure(ctx, ro)
	if err != nil {
		return m, err
	}
	if o.Machine != nil {
		o.Machine(Report{m, time.Since(start).Seconds()})
	}
	return m, nil
}

// machineResults are the rates as results: the time is that of 10⁹ operations, or of one sweep over the bytes.
func machineResults(m roof.Machine) []Result {
	var out []Result
	add := func(r Result, ms float64) {
		r.Workload, r.Device, r.Reps, r.Roofline, r.OtherCPU = machineName, "cpu", 1, 1, -1
		r.MedianMS, r.MinMS, r.MaxMS = round(ms), round(ms), round(ms)
		out = append(out, r)
	}
	for _, f := range m.FMA {
		dtype := "f32"
		if f.Bits == 64 {
			dtype = "f64"
		}
		op := "fma"
		if f.Loaded {
			op = "fma-l1" // operands from the first-level cache
		}
		size := Size{{"op", op}, {"path", f.Path.String()}, {"bits", f.Bits}, {"threads", f.Threads}}
		r := Result{DType: dtype, Size: size, GFLOPS: round(f.GFLOPS), Threads: f.Threads, Path: f.Path.String()}
		add(r, 1e3/f.GFLOPS)
	}
	for _, l := range m.Levels {
		for _, k := range []struct {
			op   string
			gbps float64
		}{{"read", l.Read}, {"triad", l.Triad}} {
			size := Size{{"op", k.op}, {"level", l.Name}, {"bytes", l.Bytes}, {"threads", m.Threads}}
			add(Result{DType: "f32", Size: size, GBPS: round(k.gbps), Threads: m.Threads, Path: m.Path.String()},
				float64(l.Bytes)/k.gbps/1e6)
		}
	}
	return out
}
