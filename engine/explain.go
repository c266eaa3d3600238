package engine

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"ganglion/engine/exec"
	"ganglion/engine/fusion"
	"ganglion/engine/plan"
	"ganglion/kernels"
)

// Explanation says what a program does, step by step, and what it costs.
type Explanation struct {
	Program string
	Steps   []ExplainStep
	// ArenaBytes is the memory of all intermediate values; UnsharedBytes is what it would be if no memory were used
	// twice.
	ArenaBytes, UnsharedBytes int
	// PersistentBytes is the memory of parameters and states, ConstantBytes that of constants.
	PersistentBytes, ConstantBytes int
	// Copies is the number of copies that the planner had to add: parts of packs, next values of states.
	Copies int
}

// ExplainStep is one step of an Explanation.
type ExplainStep struct {
	Index      int
	Op         string // the op's name, as in dense.GEMM
	Attributes string // the op with all attributes
	Path       string // the scope in which it was written; gradients stand under ∂path
	In         []kernels.Spec
	Out        kernels.Spec
	Kernel     string // cpu/avx512, reference, gorgonia Do, view, in place, copy
	Device     string
	BytesMoved int     // read and written
	Flops      float64 // floating-point operations, 0 when the op does not count them
	Place      string  // where the output lies: arena+offset, store+offset …
	Over       int     // the input over whose memory the output is computed, -1 for none
	Scratch    int     // bytes of scratch memory
	Reserve    int     // bytes of memory for cases that seldom come
	Reason     string  // what the planner has to say, "" for nothing
	Hosted     int     // bytes copied for a step on the processor, of a program that runs on a device
}

// Explain lists the steps of the plan that the last run used (before the first run: that for the sizes of the graph).
func (p *Program) Explain() Explanation {
	pl := p.current.plan
	e := Explanation{Program: p.graph.name, ArenaBytes: pl.Arena, UnsharedBytes: pl.Unshared,
		PersistentBytes: p.store.Bytes()}
	for i := range pl.Graph.Nodes {
		if n := &pl.Graph.Nodes[i]; n.Kind == plan.Const {
			e.ConstantBytes += n.Spec.Bytes()
		}
	}
	fused := p.explainGroups(pl)
	for i := range pl.Steps {
		s := p.explainStep(pl, &pl.Steps[i])
		s.explainGroup(pl, i, fused)
		s.Index = i
		e.Copies += len(pl.Steps[i].Moves)
		if _, ok := pl.Graph.Nodes[pl.Steps[i].Node].Op.(plan.Copy); ok {
			e.Copies++
		}
		e.Steps = append(e.Steps, s)
	}
	for _, m := range pl.Saves {
		e.addCopy(m, "a value that the next values of the states would overwrite")
	}
	for _, m := range pl.Stores {
		state := &pl.Graph.Nodes[pl.Graph.Updates[m.Part].State]
		e.addCopy(m, "next value of "+state.Name+", which could not be computed in its place")
	}
	return e
}

func (p *Program) explainStep(pl *plan.Plan, s *plan.Step) ExplainStep {
	n := &pl.Graph.Nodes[s.Node]
	out := ExplainStep{Op: n.OpName(), Attributes: n.OpText(), Path: n.Path, Out: pl.Specs[s.Node], Device: s.Device,
		Place: pl.Places[s.Node].String(), Over: s.Over, Scratch: s.Scrap, Reserve: s.Reserve}
	moved := out.Out.Bytes()
	for _, c := range n.In {
		out.In = append(out.In, pl.Specs[c])
		moved += pl.Specs[c].Bytes()
	}
	switch s.Run {
	case plan.Kernel:
		out.Kernel = "cpu/" + p.path.String()
	case plan.Reference:
		out.Kernel = "reference"
	case plan.Do:
		out.Kernel = "gorgonia Do"
	case plan.Moves:
		out.Kernel = "copy"
		moved = 0
		for _, m := range s.Moves {
			moved += 2 * m.Spec.Bytes()
		}
	default:
		out.Kernel, moved = "view", 0
		if _, ok := n.Op.(kernels.Packer); ok {
			out.Kernel = "in place"
		}
	}
	out.BytesMoved = moved
	p.explainDevice(pl, s, &out)
	if k, ok := n.Op.(kernels.Counter); ok && s.Run == plan.Kernel {
		out.Flops = k.Flops(out.In, out.Out)
	}
	why := slices.Clone(n.Notes)
	if s.Reason != "" && (p.opts.Device == nil || s.Run == plan.Do) {
		why = append(why, s.Reason)
	}
	if r, ok := n.Op.(kernels.CUDARemarker); ok && p.opts.Device != nil {
		if text := r.CUDARemark(p.opts.Device.target, out.In, out.Out); text != "" {
			why = append(why, text)
		}
	}
	if out.Reason != "" {
		why = append(why, fmt.Sprintf("%s: runs on the processor, %d bytes copied", out.Reason, out.Hosted))
	}
	out.Reason = strings.Join(why, "; ")
	return out
}

// explainDevice says where a step of a program with a device runs, and why it does not run there.
func (p *Program) explainDevice(pl *plan.Plan, s *plan.Step, out *ExplainStep) {
	if p.opts.Device == nil || s.Run == plan.Nothing {
		return
	}
	out.Device = p.opts.Device.Name()
	if s.Run == plan.Moves {
		return
	}
	list, err := exec.OnDevice(pl, s, p.opts.Device.target)
	if err != nil {
		out.Device, out.Reason, out.Hosted = plan.CPUDevice, err.Error(), exec.HostedBytes(pl, s)
		return
	}
	out.Kernel = "cuda"
	if len(list) > 0 {
		out.Kernel = "cuda/" + list[0].Entry
	}
	if _, _, ok := exec.Product(pl, s, p.opts.Device.target); ok && p.opts.Device.library {
		out.Kernel = "cublas"
	}
}

// explainedGroup says what a device makes of a group.
type explainedGroup struct {
	note string
	err  error // why its steps are launched one by one
}

// explainGroups asks what the device makes of the groups, by group; nil for programs of the processor. It compiles the
// kernels that have not been compiled yet.
func (p *Program) explainGroups(pl *plan.Plan) []explainedGroup {
	if p.opts.Device == nil {
		return nil
	}
	groups := fusion.NewGroups(pl, p.opts.KeepAll)
	out := make([]explainedGroup, len(pl.Groups))
	for i := range out {
		k, err := p.opts.Device.fuser.Kernel(groups, i)
		out[i] = explainedGroup{k.Note, err}
	}
	return out
}

// explainGroup says what a device makes of the group of step i, if it has one.
func (s *ExplainStep) explainGroup(pl *plan.Plan, i int, fused []explainedGroup) {
	group := pl.Steps[i].Group
	if group < 0 || group >= len(fused) {
		return
	}
	why := ""
	switch first := pl.Groups[group].Steps[0]; {
	case fused[group].err != nil && i == first:
		why = fmt.Sprintf("%d steps are launched one by one: %v", len(pl.Groups[group].Steps), fused[group].err)
	case fused[group].err != nil:
		return
	case i == first:
		s.Kernel = "cuda/fused"
		why = fmt.Sprintf("%d steps in one launch", len(pl.Groups[group].Steps))
		if fused[group].note != "" {
			why += ", " + fused[group].note
		}
	default:
		s.Kernel = "cuda/fused"
		why = pl.Steps[i].Reason
	}
	if s.Reason != "" {
		why = s.Reason + "; " + why
	}
	s.Reason = why
}

func (e *Explanation) addCopy(m plan.Move, why string) {
	e.Copies++
	e.Steps = append(e.Steps, ExplainStep{Index: len(e.Steps), Op: "copy", Attributes: "copy",
		In: []kernels.Spec{m.Spec}, Out: m.Spec, Kernel: "copy", Device: plan.CPUDevice, BytesMoved: 2 * m.Spec.Bytes(),
		Place: m.To.String(), Over: -1, Reason: why})
}

// Fallbacks lists the steps that run without a kernel of ours, or on the processor in a program that has a device, as
// "path: op: reason".
func (e Explanation) Fallbacks() []string {
	var out []string
	for _, s := range e.Steps {
		if s.Kernel != "reference" && s.Kernel != "gorgonia Do" && s.Hosted == 0 {
			continue
		}
		text := s.Op + ": " + s.Reason
		if s.Path != "" {
			text = s.Path + ": " + text
		}
		out = append(out, text)
	}
	return out
}

// String is a table of the steps with a line of totals.
func (e Explanation) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "#\top\tpath\tin\tout\tkernel\tdevice\tbytes moved\tplace\treason")
	for _, s := range e.Steps {
		in := make([]string, len(s.In))
		for i, spec := range s.In {
			in[i] = spec.String()
		}
		place := s.Place
		if s.Over >= 0 {
			place += fmt.Sprintf(" (over input %d)", s.Over)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%v\t%s\t%s\t%d\t%s\t%s\n", s.Index, s.Attributes, s.Path,
			strings.Join(shorten(in), " "), s.Out, s.Kernel, s.Device, s.BytesMoved, place, s.Reason)
	}
	w.Flush()
	fmt.Fprintf(&b, "%s: %d steps, %d copies, arena %d bytes (%d without reuse), ", e.Program, len(e.Steps), e.Copies,
		e.ArenaBytes, e.UnsharedBytes)
	fmt.Fprintf(&b, "parameters and states %d bytes, constants %d bytes\n", e.PersistentBytes, e.ConstantBytes)
	return b.String()
}

// shorten keeps the ends of a long list of inputs.
func shorten(in []string) []string {
	const most = 6
	if len(in) <= most {
		return in
	}
	return append(append(slices.Clone(in[:3]), fmt.Sprintf("… %d more …", len(in)-4)), in[len(in)-1])
}
