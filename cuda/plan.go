package cuda

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"ganglion/cuda/cublas"
	"ganglion/cuda/driver"
)

// Plan is a sequence of commands that is run as a whole, as often as one likes. Running allocates nothing, and costs a
// few calls of the driver once the plan is captured. All streams begin after what stream 0 was given before the run,
// and stream 0 goes on when all have ended. Plans of one device therefore run one after the other.
type Plan struct {
	device   *Device
	name     string
	what     []string // by command of the program
	args     []int    // by command of the caller: its first argument in the program, -1 if it was left out
	counts   []int    // by command of the caller: its number of arguments
	origin   []int    // by command of the program: its number as the caller counts, -1 if it was added
	program  *driver.Program
	events   []driver.Event // by number; 0 if unused
	done     driver.Event   // behind the last run
	exec     driver.Exec    // 0 if the plan is not captured
	captured bool
	calls    []*cublas.Call // of the program

	mu             sync.Mutex // held while a method runs
	startJob, wait *job
	closed         bool
}

// NewPlan checks and copies commands. The name stands in errors. Buffers, pinned memory and modules that the commands
// name must live as long as the plan.
func (d *Device) NewPlan(name string, commands []Command) (*Plan, error) {
	p := &Plan{device: d, name: name}
	p.startJob, p.wait = newJob(p.start), newJob(p.finish)
	err := d.do(func() error {
		if err := p.build(commands); err != nil {
			p.release(func(string, driver.Result) {})
			return err
		}
		d.plans = append(d.plans, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// build makes the program. It runs on the executor.
func (p *Plan) build(commands []Command) error {
	var recorded [maxEvents]bool
	var list []driver.Command
	streams, args := 1, 0
	for i := range commands {
		c := &commands[i]
		compiled, err := p.compile(c, &recorded)
		if err != nil {
			return fmt.Errorf("cuda:%d: plan %s: command %d (%s %s): %w", p.device.properties.Index, p.name, i, c.Kind,
				c.What, err)
		}
		p.counts = append(p.counts, len(compiled.Args))
		if c.empty() {
			p.args = append(p.args, -1)
			continue
		}
		p.args = append(p.args, args)
		args += len(compiled.Args)
		streams = max(streams, c.Stream+1)
		list = append(list, compiled)
		p.what = append(p.what, strings.TrimSpace(c.Kind.String()+" "+c.What))
		p.origin = append(p.origin, i)
	}
	list, err := p.fork(list, streams)
	if err != nil {
		return err
	}
	var r driver.Result
	if p.done, r = driver.NewEvent(false); r != driver.Success {
		p.done = 0
		return p.device.failed("cuEventCreate", r, "plan "+p.name)
	}
	p.program = driver.NewProgram(list)
	return nil
}

// fork puts what makes the other streams begin and end with stream 0 around the commands.
func (p *Plan) fork(list []driver.Command, streams int) ([]driver.Command, error) {
	if streams == 1 {
		return list, nil
	}
	s := p.device.streams
	begin, err := p.event(maxEvents)
	if err != nil {
		return nil, err
	}
	before := []driver.Command{{Op: driver.Record, Stream: s[0], Event: begin}}
	var after []driver.Command
	for i := 1; i < streams; i++ {
		end, err := p.event(maxEvents + i)
		if err != nil {
			return nil, err
		}
		before = append(before, driver.Command{Op: driver.Wait, Stream: s[i], Event: begin})
		after = append(after, driver.Command{Op: driver.Record, Stream: s[i], Event: end},
			driver.Command{Op: driver.Wait, Stream: s[0], Event: end})
	}
	added := func(n int) (what []string, origin []int) {
		return slices.Repeat([]string{"joining streams"}, n), slices.Repeat([]int{-1}, n)
	}
	w0, o0 := added(len(before))
	w1, o1 := added(len(after))
	p.what, p.origin = slices.Concat(w0, p.what, w1), slices.Concat(o0, p.origin, o1)
	return slices.Concat(before, list, after), nil
}

// event returns an event by its number, made if need be. It runs on the executor.
func (p *Plan) event(i int) (driver.Event, error) {
	for len(p.events) <= i {
		p.events = append(p.events, 0)
	}
	if p.events[i] == 0 {
		e, r := driver.NewEvent(false)
		if r != driver.Success {
			return 0, p.device.failed("cuEventCreate", r, "plan "+p.name)
		}
		p.events[i] = e
	}
	return p.events[i], nil
}

// perform hands a job to the executor unless the context is over or the plan closed.
func (p *Plan) perform(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("cuda:%d: plan %s: %w", p.device.properties.Index, p.name, err)
	}
	return p.submit(j)
}

func (p *Plan) submit(j *job) error {
	if p.closed {
		return fmt.Errorf("cuda:%d: plan %s: %w", p.device.properties.Index, p.name, ErrClosed)
	}
	return p.device.submit(j)
}

// Run starts the plan and waits for its end. A run that has begun cannot be interrupted: ctx is looked at before.
func (p *Plan) Run(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.perform(ctx, p.startJob); err != nil {
		return err
	}
	return p.submit(p.wait)
}

// Start puts a run into the device's streams and does not wait. Runs that are started one after the other run in order.
func (p *Plan) Start(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.perform(ctx, p.startJob)
}

// Wait waits for all runs that were started. It returns what went wrong in them.
func (p *Plan) Wait(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.perform(ctx, p.wait)
}

func (p *Plan) start() error {
	d := p.device
	if p.captured {
		if r := driver.LaunchGraph(p.exec, d.streams[0]); r != driver.Success {
			return d.failed("cuGraphLaunch", r, "plan "+p.name)
		}
	} else if err := p.enqueue(); err != nil {
		return err
	}
	if r := driver.RecordEvent(p.done, d.streams[0]); r != driver.Success {
		return d.failed("cuEventRecord", r, "plan "+p.name)
	}
	return nil
}

// enqueue performs the commands one by one.
func (p *Plan) enqueue() error {
	i, r := p.program.Run()
	if r == driver.Success {
		return nil
	}
	return p.device.failed("", r, p.where(i))
}

// where names command i of the program.
func (p *Plan) where(i int) string {
	if p.origin[i] < 0 {
		return fmt.Sprintf("plan %s: %s", p.name, p.what[i])
	}
	return fmt.Sprintf("plan %s: command %d (%s)", p.name, p.origin[i], p.what[i])
}

func (p *Plan) finish() error {
	if r := driver.SyncEvent(p.done); r != driver.Success {
		return p.device.failed("cuEventSynchronize", r, "plan "+p.name)
	}
	return nil
}

// Capture turns the plan into a graph of the driver, which runs replay from now on. Capturing again takes in arguments
// that SetArg has changed; the graph is kept and updated if the driver can.
func (p *Plan) Capture(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.perform(ctx, newJob(p.capture))
}

func (p *Plan) capture() error {
	d, what := p.device, "plan "+p.name
	s := d.streams[0]
	if r := driver.BeginCapture(s); r != driver.Success {
		return d.failed("cuStreamBeginCapture", r, what)
	}
	failed := p.enqueue()
	g, r := driver.EndCapture(s)
	if failed == nil && r != driver.Success {
		failed = d.failed("cuStreamEndCapture", r, what)
	}
	if failed == nil {
		failed = p.instantiate(g)
	}
	if g != 0 {
		if r := driver.DestroyGraph(g); r != driver.Success && failed == nil {
			failed = d.failed("cuGraphDestroy", r, what)
		}
	}
	return failed
}

// instantiate makes a graph the one that is replayed.
func (p *Plan) instantiate(g driver.Graph) error {
	d, what := p.device, "plan "+p.name
	if p.captured {
		r := driver.Update(p.exec, g)
		if r == driver.Success {
			return nil
		}
		if r != driver.UpdateFailed && r != driver.NotSupported {
			return d.failed("cuGraphExecUpdate", r, what)
		}
		p.captured = false
		old := p.exec
		p.exec = 0
		if r := driver.DestroyExec(old); r != driver.Success {
			return d.failed("cuGraphExecDestroy", r, what)
		}
	}
	e, r := driver.Instantiate(g)
	if r != driver.Success {
		return d.failed("cuGraphInstantiate", r, what)
	}
	p.exec, p.captured = e, true
	return d.check("cuGraphUpload", driver.Upload(e, d.streams[0]), what)
}

// Captured tells whether runs replay a graph.
func (p *Plan) Captured() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.captured
}

// SetArg changes an argument of a launch, counted as in NewPlan. A captured plan takes it in at the next Capture. It
// must not be called between Start and Wait.
func (p *Plan) SetArg(command, arg int, bits uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if command < 0 || command >= len(p.args) || arg < 0 || arg >= p.counts[command] {
		return fmt.Errorf(
			"cuda:%d: plan %s: command %d has no argument %d",
			p.device.properties.Index,
			p.name,
			command,
			arg,
		)
	}
	return p.submit(newJob(func() error {
		if at := p.args[command]; at >= 0 {
			p.program.SetArg(at+arg, bits)
		}
		return nil
	}))
}

// Close waits for runs of the plan and frees what it holds. Closing again does nothing.
func (p *Plan) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	d := p.device
	return d.do(func() error {
		var first error
		keep := func(call string, r driver.Result) {
			if r != driver.Success && first == nil {
				first = d.failed(call, r, "closing plan "+p.name)
			}
		}
		if i := slices.Index(d.plans, p); i >= 0 {
			d.plans = slices.Delete(d.plans, i, i+1)
			keep("cuStreamSynchronize", driver.SyncStream(d.streams[0]))
			p.release(keep)
		}
		return first
	})
}

// release frees everything. It runs on the executor.
func (p *Plan) release(keep func(string, driver.Result)) {
	if p.exec != 0 {
		keep("cuGraphExecDestroy", driver.DestroyExec(p.exec))
	}
	for _, e := range p.events {
		if e != 0 {
			keep("cuEventDestroy", driver.DestroyEvent(e))
		}
	}
	if p.done != 0 {
		keep("cuEventDestroy", driver.DestroyEvent(p.done))
	}
	if p.program != nil {
		p.program.Free()
	}
	for _, c := range p.calls {
		c.Free()
	}
	p.calls = nil
	p.exec, p.events, p.done, p.program, p.captured = 0, nil, 0, nil, false
}
