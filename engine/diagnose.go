package engine

import (
	"context"
	"fmt"
	"math"
	"strings"

	"ganglion/kernels"
)

// Finding is the first value of a run that is not finite.
type Finding struct {
	Op    string // the op that made it; input, parameter or state when it was there before
	Path  string // the scope in which the op was written, or the name
	In    []kernels.Spec
	Out   kernels.Spec
	Index int     // the first such element of the output
	Value float64 // NaN or an infinity
}

// String reads like: conv1: dense.GEMM[float32(64 3), float32(3 5)]: element 7 of float32(64 5) is NaN.
func (f *Finding) String() string {
	in := make([]string, len(f.In))
	for i, s := range f.In {
		in[i] = s.String()
	}
	op := f.Op
	if len(in) > 0 {
		op += "[" + strings.Join(in, ", ") + "]"
	}
	if f.Path != "" {
		op = f.Path + ": " + op
	}
	return fmt.Sprintf("%s: element %d of %v is %v", op, f.Index, f.Out, f.Value)
}

// Diagnose runs the program step by step with the given inputs and reports the first value that is not finite: an
// input, a parameter or state, or the output of an op. It returns nil when all are finite. Parameters and states are
// as before afterwards; the outputs are those of the part that was run.
func (p *Program) Diagnose(ctx context.Context, feeds Feeds) (*Finding, error) {
	if err := p.feed(feeds); err != nil {
		return nil, fmt.Errorf("engine: diagnose %s: %w", p.graph.name, err)
	}
	saved := make([][]byte, len(p.blocks))
	for i, b := range p.blocks {
		saved[i] = append([]byte(nil), b...)
	}
	defer func() {
		for i, b := range p.blocks {
			copy(b, saved[i])
		}
	}()
	if f := p.beforehand(); f != nil {
		return f, nil
	}
	f, err := p.diagnose(ctx)
	if err != nil {
		return nil, fmt.Errorf("engine: diagnose %s: %w", p.graph.name, err)
	}
	return f, nil
}

// beforehand looks at what exists before the run.
func (p *Program) beforehand() *Finding {
	for i := range p.slots {
		if s := &p.slots[i]; s.used {
			if at, v := notFinite(&s.fed); at >= 0 {
				return &Finding{Op: "input", Path: s.name, Out: s.fed.Spec, Index: at, Value: v}
			}
		}
	}
	for _, n := range p.graph.stateful() {
		l := p.graph.leaf(n)
		t, err := p.store.Tensor(l.name)
		if err != nil {
			continue
		}
		if at, v := notFinite(&t); at >= 0 {
			return &Finding{Op: l.kind.String(), Path: l.name, Out: t.Spec, Index: at, Value: v}
		}
	}
	return nil
}

func (p *Program) diagnose(ctx context.Context) (*Finding, error) {
	if err := p.store.Sync(); err != nil {
		return nil, err
	}
	pl := p.current.plan
	p.arena.holds = nil
	m := p.bind(p.current, true)
	for i := range p.slots {
		if s := &p.slots[i]; s.used {
			m.Feed(i, s.fed)
		}
	}
	for i := range m.Len() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := m.Step(i); err != nil {
			return nil, m.Failed(i, err)
		}
		out := m.Result(i)
		at, v := notFinite(&out)
		if at < 0 {
			continue
		}
		n := &pl.Graph.Nodes[pl.Steps[m.Index(i)].Node]
		f := &Finding{Op: n.OpName(), Path: n.Path, Out: out.Spec, Index: at, Value: v}
		for _, c := range n.In {
			f.In = append(f.In, pl.Specs[c])
		}
		return f, nil
	}
	return nil, nil
}

// notFinite returns the index and value of the first element that is NaN or infinite, -1 when there is none.
func notFinite(t *kernels.Tensor) (int, float64) {
	for i, v := range t.F32 {
		if v-v != 0 {
			return i, float64(v)
		}
	}
	for i, v := range t.F64 {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return i, v
		}
	}
	return -1, 0
}

// Read returns the value that a node had in the last run. It needs Options.KeepAll for nodes other than outputs,
// inputs, parameters and states, and fails for nodes that the program did not need to compute. Parameters and states
// are those after the run.
func (p *Program) Read(n *Node) (kernels.Tensor, error) {
	if !p.ran {
		return kernels.Tensor{}, fmt.Errorf("engine: read: the program %s has not been run", p.graph.name)
	}
	if l := p.graph.leaf(n); l != nil {
		switch l.kind {
		case kindParam, kindState:
			return p.store.Tensor(l.name)
		case kindConst:
			return l.value, nil
		}
	}
	id, ok := p.origin[n]
	if ok {
		id = p.to[id]
	}
	if !ok || id < 0 {
		return kernels.Tensor{}, fmt.Errorf("engine: read: the program %s does not compute %v", p.graph.name,
			describe(n))
	}
	if !p.opts.KeepAll && p.graph.leaf(n) == nil {
		for i, o := range p.plan.Outputs {
			if o.Node == id {
				return p.output(i)
			}
		}
		return kernels.Tensor{}, fmt.Errorf("engine: read: the memory of %v has been used again; compile with KeepAll",
			describe(n))
	}
	if m := p.current.device; m != nil {
		return m.Value(id)
	}
	return p.current.cpu.Value(id), nil
}
