package recurrent

import (
	"ganglion/internal/asm/gemm"
	"ganglion/internal/asm/vec"
	"ganglion/internal/cpu"
	"ganglion/kernels"
)

// Weights is the gradient of the recurrent weights, the sum over all steps and samples of dgateᵀ·h_{t−1}.
// Inputs: the output of GRUGrad (Gates = 3) or LSTMGrad (Gates = 4), the layer's output, h0.  Output: [Gates·hidden,
// hidden].
type Weights struct{ Gates int }

var (
	_ kernels.CPUOp     = Weights{}
	_ kernels.Scratcher = Weights{}
)

// Infer checks the shapes.
func (o Weights) Infer(in []kernels.Spec) (kernels.Spec, error) {
	bad := func(format string, args ...any) (kernels.Spec, error) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, format, args...)
	}
	states := gruStates
	switch {
	case len(in) != 3:
		return bad("wants 3 inputs, has %d", len(in))
	case o.Gates == lstmGates:
		states = lstmStates
	case o.Gates != gruGates:
		return bad("has %d gates; a GRU has %d and an LSTM %d", o.Gates, gruGates, lstmGates)
	}
	if err := kernels.WantFloats(o, in, 0, 1, 2); err != nil {
		return kernels.Spec{}, err
	}
	p, h0 := in[1], in[2]
	if p.Rank() != 4 || p.Shape[0] != states || p.Shape[1] < 1 {
		return bad("input 1 must be [%d, steps, batch, hidden]", states)
	}
	if h0.Rank() != 2 || h0.Shape[0] != p.Shape[2] || h0.Shape[1] != p.Shape[3] {
		return bad("input 2 must be of shape (%d %d)", p.Shape[2], p.Shape[3])
	}
	if n := sizes(p.Shape, o.Gates).gradient(); in[0].Rank() != 1 || in[0].Shape[0] != n {
		return bad("input 0 must be of shape (%d)", n)
	}
	return kernels.S(p.DType, o.Gates*p.Shape[3], p.Shape[3]), nil
}

// Ref sums step by step.
func (o Weights) Ref(out kernels.Tensor, in []kernels.Tensor) {
	q := sizes(in[1].Shape, o.Gates)
	H := q.hidden
	clear(out.F64)
	for row := range q.steps * q.batch {
		past := in[2].F64
		if at := (row - q.batch) * H; at >= 0 {
			past = in[1].F64[at:]
		} else {
			past = past[row*H:]
		}
		for g := range q.width() {
			d := in[0].F64[row*q.width()+g]
			if o.Gates == gruGates && g >= 2*H {
				d = in[0].F64[3*q.part()+row*H+g-2*H]
			}
			for k := range H {
				out.F64[g*H+k] += d * past[k]
			}
		}
	}
}

// Flops counts the product.
func (o Weights) Flops(in []kernels.Spec, _ kernels.Spec) float64 {
	q := sizes(in[1].Shape, o.Gates)
	return 2 * float64(q.part()) * float64(q.width())
}

// split is how the work is cut: the steps into blocks, each with a sum of its own, and the gates of a block.
type split struct{ blocks, steps, pieces int }

// split cuts the steps, up to eight blocks of 256 rows and more, unless their sums would be large: 4 million numbers.
// A product of few blocks is cut by gates too.
func (q sequence) split() split {
	size := max(1, q.width()*q.hidden)
	n := max(1, min(q.steps*q.batch/256, 4<<20/size, 8, q.steps))
	s := split{steps: (q.steps + n - 1) / n, pieces: 1}
	s.blocks = (q.steps + s.steps - 1) / s.steps
	if s.blocks < 4 {
		s.pieces = q.gates
	}
	return s
}

// Workspace holds the sums of all blocks but the first, and what each worker packs.
func (o Weights) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	q, elem := sizes(in[1].Shape, o.Gates), out.DType.Size()
	return kernels.CarveSize((q.split().blocks-1)*out.Size(), elem) + workers*q.packs(elem)
}

// packs is the memory that the products of a worker need.
func (q sequence) packs(elem int) int {
	return kernels.CarveSize(gemm.Workspace(q.width(), q.hidden, q.split().steps*q.batch, elem, 1), 1)
}

// CPU computes the sums of the blocks, and adds them up.
func (o Weights) CPU(c *kernels.Call) {
	s := sizes(c.In[1].Shape, o.Gates).split()
	c.ForFloat(s.blocks*s.pieces, weightsBody[float32], weightsBody[float64])
	if s.blocks > 1 {
		c.ForFloat(c.Rows(c.Out.Shape[0], 0.3*float64(s.blocks*c.Out.Shape[1])), addBody[float32], addBody[float64])
	}
}

// addBody adds up rows of the sums, in the order of the blocks.
func addBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	out, work := kernels.Of[T](c.Out), c.Work
	blocks := sizes(c.In[1].Shape, c.Op.(Weights).Gates).split().blocks
	sums := kernels.Carve[T](&work, (blocks-1)*len(out))
	lo, hi := c.Chunk(chunk, c.Out.Shape[0])
	lo, hi = lo*c.Out.Shape[1], hi*c.Out.Shape[1]
	for i := range blocks - 1 {
		vec.For[T](c.Path).Add(out[lo:hi], out[lo:hi], sums[i*len(out):][lo:hi])
	}
}

// weightsBody computes all gates of a block, or one.
func weightsBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	q := sizes(c.In[1].Shape, c.Op.(Weights).Gates)
	s, H, elem := q.split(), q.hidden, c.Out.DType.Size()
	d, work, to := kernels.Of[T](c.In[0]), c.Work, kernels.Of[T](c.Out)
	sums := kernels.Carve[T](&work, (s.blocks-1)*len(to))
	block := chunk / s.pieces
	if block > 0 {
		to = sums[(block-1)*len(to):][:len(to)]
	}
	p := pastProduct[T]{sequence: q, path: c.Path, h0: kernels.Of[T](c.In[2]), h: kernels.Of[T](c.In[1])}
	p.first = block * s.steps
	p.last = min(q.steps, p.first+s.steps)
	p.work = work[worker*q.packs(elem):][:q.packs(elem)]
	lo, hi := 0, q.width()
	if s.pieces > 1 {
		lo = chunk % s.pieces * H
		hi = lo + H
	}
	if q.gates == gruGates { // the gradient of q stands apart
		p.add(to[lo*H:], d[lo:], q.width(), min(hi, 2*H)-lo)
		p.add(to[2*H*H:], d[3*q.part():], H, hi-2*H)
		return
	}
	p.add(to[lo*H:], d[lo:], q.width(), hi-lo)
}

// pastProduct multiplies what belongs to some steps with the hidden states before them.
type pastProduct[T kernels.Float] struct {
	sequence
	path        cpu.Path
	h0, h       []T
	first, last int // steps
	work        []byte
}

// add computes [m, hidden] from m columns of d, whose rows are samples of steps, ld elements apart.
func (p *pastProduct[T]) add(to, d []T, ld, m int) {
	if m <= 0 {
		return
	}
	a := gemm.Args[T]{TransA: true, M: m, N: p.hidden, LDA: ld, LDB: p.hidden, C: to, LDC: p.hidden, Work: p.work}
	first := p.first
	if first == 0 {
		a.A, a.B, a.K = d, p.h0, p.batch
		gemm.Multiply(nil, p.path, nil, a)
		first, a.Acc = 1, true
	}
	if first < p.last {
		a.A, a.B, a.K = d[first*p.batch*ld:], p.h[(first-1)*p.batch*p.hidden:], (p.last-first)*p.batch
		gemm.Multiply(nil, p.path, nil, a)
	}
}
