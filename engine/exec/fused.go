package exec

import (
	"ganglion/engine/plan"
	"ganglion/internal/par"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

const (
	// blockSize is the number of elements of a block: few enough that a block of all tensors of a group stays in the
	// second cache, and many enough that calling the kernels costs little beside them.
	blockSize = 8192
	// grain is the time, in nanoseconds, that a chunk of blocks should take at least for threads to share the chunks.
	grain = 8000
)

// fused runs a group: for each block of rows, one kernel after the other.
type fused struct {
	parts []part
	rows  int // of the output
	row   int // elements of a row
	block int // rows of a block
	chunk int // rows of a chunk
	pool  *par.Pool
	run   func(chunk, worker int)
}

// part is one step of a group. Each worker has a call of its own, in which the tensors are moved from block to block.
type part struct {
	op    kernels.CPUOp
	in    []*kernels.Tensor // all of each input
	out   *kernels.Tensor
	calls []*kernels.Call
	whole []bool // inputs that every block sees all of
}

func (b *binder) fused(g *plan.Group) *fused {
	last := b.p.Steps[g.Steps[len(g.Steps)-1]].Node
	size := b.p.Specs[last].Size()
	f := &fused{row: g.Row, rows: size / g.Row, pool: b.opts.Pool}
	f.block = (blockSize + f.row - 1) / f.row
	cost := 0.0
	for _, i := range g.Steps {
		cost += elementCost(b.p.Graph.Nodes[b.p.Steps[i].Node].Op)
	}
	blocks := max(1, int(grain/(cost*float64(f.block*f.row))))
	f.chunk = blocks * f.block
	serial := par.New(1)
	for _, i := range g.Steps {
		f.parts = append(f.parts, b.part(b.p.Steps[i].Node, f, serial))
	}
	f.run = f.rowsOf
	return f
}

func (b *binder) part(id int, f *fused, serial *par.Pool) part {
	n := &b.p.Graph.Nodes[id]
	p := part{op: n.Op.(kernels.CPUOp), in: b.inputs(n), out: new(kernels.Tensor)}
	b.node(p.out, id)
	shape := func(t *kernels.Tensor) []int {
		switch {
		case t.Size() == 1 && f.rows*f.row > 1:
			return []int{1}
		case t.Size() == f.row && f.rows > 1:
			return []int{f.row}
		}
		return []int{f.rows, f.row}
	}
	for _, t := range p.in {
		p.whole = append(p.whole, len(shape(t)) == 1)
	}
	for range b.opts.Pool.Workers() {
		c := kernels.NewCall(n.Op, b.opts.Path, serial)
		for _, t := range p.in {
			c.In = append(c.In, kernels.Tensor{Spec: kernels.S(t.DType, shape(t)...)})
		}
		c.Out = kernels.Tensor{Spec: kernels.S(p.out.DType, shape(p.out)...)}
		p.calls = append(p.calls, c)
	}
	return p
}

// elementCost is the rough time of one element in nanoseconds.
func elementCost(op kernels.Op) float64 {
	u, ok := op.(dense.Unary)
	if !ok {
		return 0.2
	}
	switch u.F {
	case act.Identity, act.ReLU, act.LeakyReLU, act.Square, act.Abs, act.Sign, act.Neg, act.Inv, act.Cube, act.Sqrt:
		return 0.3
	case act.Tanh, act.Sigmoid, act.Exp:
		if u.Order < 2 {
			return 1
		}
	}
	return 8
}

// execute runs all blocks.
func (f *fused) execute() {
	n := (f.rows + f.chunk - 1) / f.chunk
	if n == 1 {
		f.rowsOf(0, 0)
		return
	}
	f.pool.Run(n, f.run)
}

// rowsOf runs the blocks of one chunk.
func (f *fused) rowsOf(chunk, worker int) {
	for lo, hi := chunk*f.chunk, min(f.rows, (chunk+1)*f.chunk); lo < hi; lo += f.block {
		f.blockOf(lo, min(f.block, hi-lo), worker)
	}
}

// blockOf runs the kernels on some rows.
func (f *fused) blockOf(lo, rows, worker int) {
	for i := range f.parts {
		p := &f.parts[i]
		c := p.calls[worker]
		for k, t := range p.in {
			if p.whole[k] {
				window(&c.In[k], *t, 0)
				continue
			}
			c.In[k].Shape[0] = rows
			window(&c.In[k], *t, lo*f.row)
		}
		c.Out.Shape[0] = rows
		window(&c.Out, *p.out, lo*f.row)
		p.op.CPU(c)
	}
}
