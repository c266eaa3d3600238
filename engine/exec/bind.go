package exec

import (
	"ganglion/engine/plan"
	"ganglion/kernels"
)

// binder lays the tensors of a plan over memory.
type binder struct {
	p     *plan.Plan
	mem   Memory
	opts  Options
	feeds [][]fed
}

// bind sets *t to the value at a place. Values that lie in an input are bound again by every Feed.
func (b *binder) bind(t *kernels.Tensor, at plan.Place, spec kernels.Spec) {
	if at.Space != plan.Fed {
		*t = lay(b.p, b.mem, at, spec)
		return
	}
	*t = kernels.Tensor{Spec: spec}
	b.feeds[at.Index] = append(b.feeds[at.Index], fed{t, at.Offset / spec.DType.Size()})
}

// lay returns the tensor at a place that is not an input.
func lay(p *plan.Plan, mem Memory, at plan.Place, spec kernels.Spec) kernels.Tensor {
	switch at.Space {
	case plan.Arena:
		return kernels.FromBytes(mem.Arena[at.Offset:], spec)
	case plan.Store:
		return kernels.FromBytes(mem.Store[at.Index][at.Offset:], spec)
	case plan.Fixed:
		return kernels.FromBytes(p.Graph.Nodes[at.Index].Value.Memory()[at.Offset:], spec)
	}
	panic("exec: a value without a place")
}

func (b *binder) node(t *kernels.Tensor, id int) { b.bind(t, b.p.Places[id], b.p.Specs[id]) }

func (b *binder) moves(list []plan.Move) []move {
	var out []move
	for _, m := range list {
		from, to := new(kernels.Tensor), new(kernels.Tensor)
		b.bind(from, m.From, m.Spec)
		b.bind(to, m.To, m.Spec)
		out = append(out, move{from, to})
	}
	return out
}

func (b *binder) step(s *plan.Step) step {
	n := &b.p.Graph.Nodes[s.Node]
	out := step{run: s.Run}
	switch s.Run {
	case plan.Kernel:
		out.op = n.Op.(kernels.CPUOp)
		out.call = kernels.NewCall(n.Op, b.opts.Path, b.opts.Pool)
		out.call.In = make([]kernels.Tensor, len(n.In))
		for i, c := range n.In {
			b.node(&out.call.In[i], c)
		}
		b.node(&out.call.Out, s.Node)
		if s.Scrap > 0 {
			out.call.Work = b.mem.Arena[s.Work.Offset : s.Work.Offset+s.Scrap : s.Work.Offset+s.Scrap]
		}
		if s.Reserve > 0 {
			out.call.Reserve = b.mem.Reserve.mem[:s.Reserve:s.Reserve]
		}
	case plan.Moves:
		out.moves = b.moves(s.Moves)
	case plan.Reference:
		out.wide = b.wide(n, s.Node)
	case plan.Do:
		out.do = b.foreign(n, s.Node)
	}
	return out
}

// inputs binds the inputs of a node.
func (b *binder) inputs(n *plan.Node) []*kernels.Tensor {
	in := make([]*kernels.Tensor, len(n.In))
	for i, c := range n.In {
		in[i] = new(kernels.Tensor)
		b.node(in[i], c)
	}
	return in
}
