package exec

import (
	"fmt"
	"slices"

	"ganglion/cuda"
	"ganglion/cuda/cublas"
	"ganglion/engine/fusion"
	"ganglion/engine/launch"
	"ganglion/engine/plan"
	"ganglion/kernels"
)

// OnDevice returns the launches of a node, or says why it must run on the processor (without naming its op).
func OnDevice(p *plan.Plan, s *plan.Step, t kernels.Target) ([]kernels.Launch, error) {
	n := &p.Graph.Nodes[s.Node]
	op, ok := n.Op.(kernels.CUDAOp)
	if s.Run == plan.Do || !ok {
		return nil, fmt.Errorf("%w for CUDA", kernels.ErrNoKernel)
	}
	return op.CUDA(t, inputSpecs(p, n), p.Specs[s.Node])
}

// Product is what a library computes for a step on a device that has one, with the launches that follow it.
func Product(p *plan.Plan, s *plan.Step, t kernels.Target) (kernels.Product, []kernels.Launch, bool) {
	n := &p.Graph.Nodes[s.Node]
	if op, ok := n.Op.(kernels.CUDAProduct); ok && s.Run == plan.Kernel {
		return op.CUDAProduct(t, inputSpecs(p, n), p.Specs[s.Node])
	}
	return kernels.Product{}, nil, false
}

// multiply is the call of the library, into scratch memory if something follows.
func multiply(p kernels.Product, what string, mem launch.Memory, follows bool) cuda.Command {
	c := cuda.Command{Kind: cuda.Multiply, What: what, Src: mem.In[0], Second: mem.In[1], Dst: mem.Out,
		Product: &cublas.Product{Wide: p.DType == kernels.Float64, M: p.M, N: p.N, K: p.K, Batch: p.Batch,
			TransA: p.TransA, TransB: p.TransB, StepA: p.M * p.K, StepB: p.K * p.N, StepC: p.M * p.N}}
	if follows {
		c.Dst = mem.Scratch
	}
	return c
}

// HostedBytes is what is copied between device and processor for a step that runs on the latter.
func HostedBytes(p *plan.Plan, s *plan.Step) int {
	n := &p.Graph.Nodes[s.Node]
	total := p.Specs[s.Node].Bytes()
	for k, c := range n.In {
		if travels(p, n, k) {
			total += p.Specs[c].Bytes()
		}
	}
	return total
}

// travels tells whether input k of a step on the processor lies on the device and is read.
func travels(p *plan.Plan, n *plan.Node, k int) bool {
	shaped, ok := n.Op.(kernels.ShapeReader)
	space := p.Places[n.In[k]].Space
	return (space == plan.Arena || space == plan.Store) && !(ok && shaped.ShapeOnly(k)) &&
		p.Specs[n.In[k]].Bytes() > 0
}

func inputSpecs(p *plan.Plan, n *plan.Node) []kernels.Spec {
	specs := make([]kernels.Spec, len(n.In))
	for i, c := range n.In {
		specs[i] = p.Specs[c]
	}
	return specs
}

// deviceBinder builds the parts of a plan.
type deviceBinder struct {
	*CUDA
	o        DeviceOptions
	commands []cuda.Command
	of       []int // by command: its executed step, or -1
	now      int   // the executed step whose commands are being added, or -1
	first    int   // the executed step that the commands so far begin with
	work     float64
	scratch  cuda.Address
	words    cuda.Address // of the reports
	lay      deviceLayout
	arriving []int // by slot of an input: the event behind its copy, which the part has not waited for; else -1
	groups   *fusion.Groups
	kernel   fusion.Kernel // of the group whose steps are being added
	fused    bool          // whether there is one
}

// add appends commands of the step that is being added. Copies of nothing, which may have no memory, are left out.
func (b *deviceBinder) add(list ...cuda.Command) {
	for _, c := range list {
		if c.Kind >= cuda.Copy && c.Kind <= cuda.Fill32 && c.Bytes == 0 {
			continue
		}
		b.commands = append(b.commands, c)
		b.of = append(b.of, b.now)
	}
}

func (b *deviceBinder) build() error {
	b.now = -1
	b.groups = fusion.NewGroups(b.Plan, b.o.Keep)
	b.lay = layOut(b.Plan, b.o.Target, b.o.Library)
	if err := b.constants(); err != nil {
		return err
	}
	if err := b.inputs(); err != nil {
		return err
	}
	if err := b.lend(); err != nil {
		return err
	}
	if b.lay.reports > 0 {
		b.add(cuda.Command{Kind: cuda.Fill8, What: "reports", Dst: b.words, Bytes: b.lay.reports})
	}
	b.reports = make([]deviceReport, b.Len())
	at := 0
	for i := range b.reports {
		b.reports[i].at, b.now = -1, i
		if err := b.pause(i); err != nil {
			return err
		}
		if err := b.step(i, &at); err != nil {
			return err
		}
	}
	b.now = -1
	b.add(b.moves(b.Plan.Saves, "saved value")...)
	b.add(b.moves(b.Plan.Stores, "next state")...)
	if b.lay.reports > 0 {
		b.add(cuda.Command{Kind: cuda.CopyOut, What: "reports", Src: b.words, Host: b.pinned,
			HostOffset: b.report, Bytes: b.lay.reports})
	}
	return b.flush(b.Len())
}

// pause ends a part before executed step i when the steps since the last one are much work.
func (b *deviceBinder) pause(i int) error {
	const some = 1 << 37
	limit := b.o.Stretch
	if limit == 0 {
		limit = some
	}
	s := &b.Plan.Steps[b.Index(i)]
	n := &b.Plan.Graph.Nodes[s.Node]
	work, in, out := 0.0, inputSpecs(b.Plan, n), b.Plan.Specs[s.Node]
	for _, spec := range append(in, out) {
		work += float64(spec.Bytes())
	}
	if c, ok := n.Op.(kernels.Counter); ok && s.Run == plan.Kernel {
		work += c.Flops(in, out)
	}
	if b.work += work; b.work <= limit || len(b.commands) == 0 {
		return nil
	}
	err := b.flush(i)
	b.work = work
	return err
}

// buffer allocates memory for the plan's life.
func (b *deviceBinder) buffer(size int, label string) (cuda.Address, error) {
	buf, err := b.dev.Alloc(size, label)
	if err != nil {
		return 0, err
	}
	b.buffers = append(b.buffers, buf)
	return buf.Address(), nil
}

// constants copies the values of constant nodes to the device.
func (b *deviceBinder) constants() error {
	for _, id := range b.lay.constants {
		data := b.Plan.Graph.Nodes[id].Value.Memory()
		address, err := b.buffer(len(data), "a constant")
		if err != nil {
			return err
		}
		b.fixed[id] = address
		if len(data) > 0 {
			if err := b.dev.CopyIn(address, data); err != nil {
				return err
			}
		}
	}
	return nil
}

// inputs lays out the inputs and the reports in pinned memory, and copies the former at the beginning of each run.
func (b *deviceBinder) inputs() error {
	b.feeds, b.report = b.lay.feeds, b.lay.inputs
	var err error
	if b.pinned, err = b.dev.AllocPinned(b.lay.inputs + b.lay.reports); err != nil {
		return err
	}
	base, err := b.buffer(b.lay.inputs, "the inputs")
	if err != nil {
		return err
	}
	b.arriving = slices.Repeat([]int{-1}, len(b.feeds))
	for i := range b.feeds {
		f := &b.feeds[i]
		f.device = base + cuda.Address(f.from)
		if f.size == 0 {
			continue
		}
		b.add(cuda.Command{Kind: cuda.CopyIn, What: "an input", Stream: copies, Dst: f.device, Host: b.pinned,
			HostOffset: f.from, Bytes: f.size})
		b.arriving[i] = min(i, lastArrival)
		if i < lastArrival {
			b.add(cuda.Command{Kind: cuda.Record, What: "an input", Stream: copies, Event: i})
		}
	}
	if slices.Contains(b.arriving, lastArrival) {
		b.add(cuda.Command{Kind: cuda.Record, What: "the other inputs", Stream: copies, Event: lastArrival})
	}
	return nil
}

// Inputs are copied in a stream of their own, beside the steps that do not read them yet. Each of the first has an
// event, all others share the last.
const copies, lastArrival = 1, 63

// await makes the commands that follow wait for the inputs that lie at some places.
func (b *deviceBinder) await(places ...plan.Place) {
	for _, at := range places {
		if at.Space != plan.Fed || b.arriving[at.Index] < 0 {
			continue
		}
		event := b.arriving[at.Index]
		b.add(cuda.Command{Kind: cuda.Wait, What: "an input", Event: event})
		for i, e := range b.arriving {
			if e == event {
				b.arriving[i] = -1
			}
		}
	}
}

// awaitStep makes the commands that follow wait for the inputs that a step reads.
func (b *deviceBinder) awaitStep(s *plan.Step) {
	for _, c := range b.Plan.Graph.Nodes[s.Node].In {
		b.await(b.Plan.Places[c])
	}
	for _, m := range s.Moves {
		b.await(m.From)
	}
}

// lend allocates scratch memory, which all steps share since they run one after another, and the reports.
func (b *deviceBinder) lend() error {
	var err error
	if b.scratch, err = b.buffer(b.lay.scratch, "scratch memory"); err != nil {
		return err
	}
	b.words, err = b.buffer(b.lay.reports, "reports")
	return err
}

// moves are copies between places.
func (b *deviceBinder) moves(list []plan.Move, what string) []cuda.Command {
	var out []cuda.Command
	for _, m := range list {
		b.await(m.From)
		out = append(out, cuda.Command{Kind: cuda.Copy, What: what, Src: b.address(m.From), Dst: b.address(m.To),
			Bytes: m.Spec.Bytes()})
	}
	return out
}

// step adds executed step i; at is where the next report goes.
func (b *deviceBinder) step(i int, at *int) error {
	s := &b.Plan.Steps[b.Index(i)]
	n := &b.Plan.Graph.Nodes[s.Node]
	what := fmt.Sprintf("%s %v", n.OpName(), inputSpecs(b.Plan, n))
	b.awaitStep(s)
	if s.Run == plan.Moves {
		b.add(b.moves(s.Moves, what)...)
		return nil
	}
	if s.Group >= 0 && b.group(b.Index(i), s.Group, what) {
		return nil
	}
	list, err := OnDevice(b.Plan, s, b.o.Target)
	if err != nil {
		return b.hosted(i, s, n)
	}
	mem := launch.Memory{Out: b.address(b.Plan.Places[s.Node]), Scratch: b.scratch}
	for _, c := range n.In {
		mem.In = append(mem.In, b.address(b.Plan.Places[c]))
	}
	if reports(list) {
		b.reports[i].at, mem.Report = *at, b.words+cuda.Address(*at)
		*at += reportBytes
	}
	if p, rest, ok := Product(b.Plan, s, b.o.Target); ok && b.o.Library {
		b.add(multiply(p, what, mem, len(rest) > 0))
		list = rest
	}
	commands, err := b.o.Modules.Commands(what, list, mem)
	if err != nil {
		return plan.Locate(n.Path, err)
	}
	b.add(commands...)
	return nil
}

// group adds the launch of a group at its first step, and tells whether the steps are done by one launch.
func (b *deviceBinder) group(step, group int, what string) bool {
	if step != b.Plan.Groups[group].Steps[0] {
		return b.fused
	}
	var err error
	if b.kernel, err = b.o.Fuser.Kernel(b.groups, group); err != nil {
		b.fused = false
		return false
	}
	b.fused = true
	for _, i := range b.Plan.Groups[group].Steps {
		b.awaitStep(&b.Plan.Steps[i])
	}
	what = fmt.Sprintf("%d steps from %s on", len(b.Plan.Groups[group].Steps), what)
	b.add(b.o.Fuser.Command(b.kernel, what, func(id int) cuda.Address { return b.address(b.Plan.Places[id]) }))
	return true
}

// hosted adds a step of the processor.
func (b *deviceBinder) hosted(i int, s *plan.Step, n *plan.Node) error {
	if err := b.flush(i + 1); err != nil {
		return err
	}
	p := devicePart{step: i, first: i}
	for k, c := range n.In {
		if travels(b.Plan, n, k) {
			place := b.Plan.Places[c]
			p.down = append(p.down, deviceCopy{lay(b.Plan, b.host.mem, place, b.Plan.Specs[c]), b.address(place)})
		}
	}
	if spec := b.Plan.Specs[s.Node]; spec.Bytes() > 0 {
		place := b.Plan.Places[s.Node]
		p.up = append(p.up, deviceCopy{lay(b.Plan, b.host.mem, place, spec), b.address(place)})
	}
	b.parts = append(b.parts, p)
	return nil
}

// flush makes a plan of the device of the commands so far; next is the executed step that comes after them.
func (b *deviceBinder) flush(next int) error {
	first := b.first
	b.first, b.work = next, 0
	if len(b.commands) == 0 {
		return nil
	}
	p, err := b.dev.NewPlan(fmt.Sprintf("part %d", len(b.parts)), b.commands)
	if err != nil {
		return err
	}
	for i := range b.arriving { // streams end together
		b.arriving[i] = -1
	}
	b.parts = append(b.parts, devicePart{commands: p, step: -1, first: first, of: b.of})
	b.commands, b.of = nil, nil
	return nil
}
