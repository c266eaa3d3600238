package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"ganglion/bench/roof"
	"ganglion/engine"
	"ganglion/internal/asm/selfcheck"
	"ganglion/internal/cpu"
	"ganglion/internal/par"
	"ganglion/kernels"
	"ganglion/kernels/implicit/lane"
)

// Options of Run. The zero value runs everything, on all cores, in float32.
type Options struct {
	Workloads []string // names, see Workloads; empty for all
	DType     string   // f32 (default) or f64
	Threads   int      // 0 for all cores
	Reps      int      // repetitions of a case, 0 for as many as the budget allows
	Budget    time.Duration
	Quick     bool           // tiny sizes and few repetitions: to see that everything runs
	Device    *engine.Device // nil for the processor
	Machine   func(Report)   // called when the machine has been measured, which is for the processor alone
	Each      func(Result)   // called after each case
}

// Report is what a machine can do.
type Report struct {
	roof.Machine
	Seconds float64 // that measuring took
}

const defaultBudget = time.Second

// env is what a case needs to know.
type env struct {
	dtype   kernels.DType
	path    cpu.Path
	pool    *par.Pool
	threads int
	quick   bool
	device  *engine.Device // nil for the processor
}

// word is the dtype as the command spells it.
func (e env) word() string {
	if e.dtype == kernels.Float64 {
		return "f64"
	}
	return "f32"
}

// deviceName is where the cases run.
func (e env) deviceName() string {
	if e.device == nil {
		return "cpu"
	}
	return e.device.Name()
}

// workload is a list of cases under a name.
type workload struct {
	name  string
	title string
	peer  string // name that programs for other frameworks may use instead
	cases func(e env) []bench
}

// bench is one case.
type bench struct {
	size Size
	open func(e env) (*runner, error)
}

// runner is a case ready to run. work and facts are asked for after the last step; close, and facts, may be nil.
type runner struct {
	step  func() error
	work  func() Work
	facts func() []Fact
	close func()
}

// machineName is the workload of the rates that all others are judged by.
const machineName = "machine"

// workloads lists all but the machine's own.
func workloads() []workload {
	return []workload{gemmWorkload(), elementwiseWorkload(), mlpWorkload(), modulesWorkload(), deqWorkload(),
		convWorkload(), recurrentWorkload(), spectralWorkload(), spmmWorkload(), gnnWorkload(), sampleWorkload(),
		diagramWorkload()}
}

// ProcessorOnly names the workloads that have no form for a device: they call kernels of the processor, or sample. On a
// device Run leaves them out, and refuses them if they were asked for.
func ProcessorOnly() []string {
	return []string{spmmWorkload().name, gnnWorkload().name, sampleWorkload().name}
}

// Workloads lists the names that Options.Workloads takes, each with a description.
func Workloads() [][2]string {
	out := [][2]string{{machineName, "multiply-adds on registers, memory by levels: what the others are judged by"}}
	for _, w := range workloads() {
		out = append(out, [2]string{w.name, w.title})
	}
	return out
}

// Check returns an error for options that Run does not take.
func (o Options) Check() error {
	for _, name := range o.Workloads {
		if !slices.ContainsFunc(Workloads(), func(w [2]string) bool { return w[0] == name }) {
			var names []string
			for _, w := range Workloads() {
				names = append(names, w[0])
			}
			return fmt.Errorf("workload %q is not one of %s", name, strings.Join(names, ", "))
		}
	}
	for _, name := range ProcessorOnly() {
		if o.Device != nil && slices.Contains(o.Workloads, name) {
			return fmt.Errorf("workload %q runs on the processor alone: take --device cpu", name)
		}
	}
	if o.DType != "" && o.DType != "f32" && o.DType != "f64" {
		return fmt.Errorf("dtype %q is neither f32 nor f64", o.DType)
	}
	if o.Threads < 0 || o.Threads > 1024 || o.Reps < 0 || o.Budget < 0 {
		return fmt.Errorf("threads %d must be from 0 to 1024, reps %d and time %v must not be negative",
			o.Threads, o.Reps, o.Budget)
	}
	return nil
}

func (o Options) wants(name string) bool {
	return len(o.Workloads) == 0 || slices.Contains(o.Workloads, name)
}

// Run measures the machine, then the workloads, and returns the results in order. It ends with the first error; the
// results so far come back with it. On a device the machine, whose rates are the processor's, is left out.
func Run(ctx context.Context, o Options) ([]Result, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	selfcheck.Run(lane.SelfCheck)
	e := env{dtype: kernels.Float32, path: cpu.Best(), threads: o.Threads, quick: o.Quick, device: o.Device}
	if o.DType == "f64" {
		e.dtype = kernels.Float64
	}
	e.pool = newPool(o.Threads)
	defer e.pool.Close()
	e.threads = e.pool.Workers()
	if o.Budget == 0 {
		o.Budget = defaultBudget
	}
	if o.Quick {
		o.Budget = min(o.Budget, 5*time.Millisecond)
	}
	var machine roof.Machine
	var err error
	if o.Device == nil {
		if machine, err = measureMachine(ctx, e, o); err != nil {
			return nil, err
		}
	}
	var results []Result
	add := func(r Result) {
		results = append(results, r)
		if o.Each != nil {
			o.Each(r)
		}
	}
	if o.wants(machineName) && o.Device == nil {
		for _, r := range machineResults(machine) {
			add(r)
		}
	}
	for _, w := range workloads() {
		if !o.wants(w.name) || o.Device != nil && slices.Contains(ProcessorOnly(), w.name) {
			continue
		}
		for _, b := range w.cases(e) {
			r, err := b.run(ctx, e, o, machine)
			if err != nil {
				return results, fmt.Errorf("%s, %v: %w", w.name, b.size, err)
			}
			r.Workload = w.name
			add(r)
		}
	}
	return results, nil
}

// run measures one case.
func (b bench) run(ctx context.Context, e env, o Options, machine roof.Machine) (Result, error) {
	r, err := b.open(e)
	if err != nil {
		return Result{}, err
	}
	if r.close != nil {
		defer r.close()
	}
	t, err := measure(ctx, r.step, o.Budget, o.Reps)
	if err != nil {
		return Result{}, err
	}
	w := r.work()
	out := Result{Device: e.deviceName(), DType: e.word(), Size: b.size,
		MedianMS: round(t.Median * 1e3), MinMS: round(t.Min * 1e3), MaxMS: round(t.Max * 1e3), Reps: t.Reps,
		GFLOPS: round(w.Flops / t.Median / 1e9), GBPS: round(w.Bytes / t.Median / 1e9),
		Threads: e.threads, Path: e.path.String(), OtherCPU: round(t.Other)}
	if e.device == nil {
		out.Roofline = round(machine.Seconds(w.Flops, w.Bytes, w.Set, 8*e.dtype.Size()) / t.Median)
	}
	if r.facts != nil {
		out.Extra = r.facts()
	}
	return out, nil
}
