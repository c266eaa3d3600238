package recurrent

import (
	"ganglion/internal/asm/gemm"
	"ganglion/kernels"
)

// sequence is the size of a layer over time.
type sequence struct {
	steps, batch, hidden int
	gates                int // blocks of the weights
	states               int // parts of the packed output
}

// sizes returns the sizes of a packed output [states, steps, batch, hidden].
func sizes(packed []int, gates int) sequence {
	return sequence{steps: packed[1], batch: packed[2], hidden: packed[3], gates: gates, states: packed[0]}
}

// part is the number of elements of one part of the packed output.
func (q sequence) part() int { return q.steps * q.batch * q.hidden }

// rows is the number of samples that one task takes through all steps. Fewer than 16 leave register tiles half empty:
// with tasks of 8 instead of 16 a training step of a GRU at batch 32 takes a twentieth longer on two cores.
func (q sequence) rows() int { return max(16, min(32, (q.batch+3)/4)) }

// tasks is the number of blocks of samples.
func (q sequence) tasks() int { return (q.batch + q.rows() - 1) / q.rows() }

// width is the number of columns of the gates' pre-activations.
func (q sequence) width() int { return q.gates * q.hidden }

// gradient is the number of elements of the output of a gradient: gx, the inner values of a GRU, states and bias.
func (q sequence) gradient() int {
	return 4*q.part() + (q.gates-2)*q.batch*q.hidden + 4*q.hidden
}

// scratch is the memory of one worker.
type scratch[T kernels.Float] struct {
	packed  []T // weights
	gates   []T // pre-activations of a block of samples
	a, b, c []T // values of a block of samples
	sums    []T // of the gradients of the bias at a step
	gemm    []byte
}

// carved is the number of bytes of that memory.
func (q sequence) carved(elem int) int {
	wide, tall := q.rows()*q.width(), q.rows()*q.hidden
	n := max(gemm.Workspace(q.rows(), q.width(), q.hidden, elem, 1),
		gemm.Workspace(q.rows(), q.hidden, q.width(), elem, 1))
	return kernels.CarveSize(q.packed(), elem) + kernels.CarveSize(wide, elem) + 3*kernels.CarveSize(tall, elem) +
		kernels.CarveSize(4*q.hidden, elem) + kernels.CarveSize(n, 1)
}

// packed is the number of elements of the packed weights, on the way and on the way back.
func (q sequence) packed() int {
	H := q.hidden
	return max(gemm.PackedLen(q.width(), H), gemm.PackedLen(H, q.width()), gemm.PackedLen(H, 2*H)+gemm.PackedLen(H, H))
}

// lend returns the worker's memory out of work.
func lend[T kernels.Float](q sequence, work []byte, worker, elem int) scratch[T] {
	n := q.carved(elem)
	m := scratch[T]{gemm: work[worker*n:][:n]}
	m.packed = kernels.Carve[T](&m.gemm, q.packed())
	m.gates = kernels.Carve[T](&m.gemm, q.rows()*q.width())
	m.a = kernels.Carve[T](&m.gemm, q.rows()*q.hidden)
	m.b = kernels.Carve[T](&m.gemm, q.rows()*q.hidden)
	m.c = kernels.Carve[T](&m.gemm, q.rows()*q.hidden)
	m.sums = kernels.Carve[T](&m.gemm, 4*q.hidden)
	return m
}

// check checks the inputs of a layer: gx [steps, batch, gates·hidden], vectors [batch, hidden] in number, w and b.
func check(op kernels.Op, in []kernels.Spec, gates, states, vectors int) (kernels.Spec, error) {
	bad := func(format string, args ...any) (kernels.Spec, error) {
		return kernels.Spec{}, kernels.Errorf(op, in, kernels.ErrShape, format, args...)
	}
	if len(in) != 3+vectors {
		return bad("wants %d inputs, has %d", 3+vectors, len(in))
	}
	for i := range in {
		if err := kernels.WantFloats(op, in, 0, i); err != nil {
			return kernels.Spec{}, err
		}
	}
	w, b := in[1+vectors], in[2+vectors]
	if w.Rank() != 2 || w.Shape[0] != gates*w.Shape[1] {
		return bad("the weights must be [%d·hidden, hidden]", gates)
	}
	h := w.Shape[1]
	if b.Rank() != 1 || b.Shape[0] != 4*h {
		return bad("the bias must be of shape (%d)", 4*h)
	}
	if gx := in[0]; gx.Rank() != 3 || gx.Shape[0] < 1 || gx.Shape[2] != gates*h {
		return bad("input 0 must be [steps, batch, %d], with one step at least", gates*h)
	}
	for i := range vectors {
		if v := in[1+i]; v.Rank() != 2 || v.Shape[0] != in[0].Shape[1] || v.Shape[1] != h {
			return bad("input %d must be of shape (%d %d)", 1+i, in[0].Shape[1], h)
		}
	}
	return kernels.S(in[0].DType, states, in[0].Shape[0], in[0].Shape[1], h), nil
}

// checkGrad checks the inputs of a gradient: packed, dpacked of its shape or of one part's if alone, vectors [batch,
// hidden] in number, w.
func checkGrad(op kernels.Op, in []kernels.Spec, gates, states, vectors int, alone bool) (kernels.Spec, error) {
	bad := func(format string, args ...any) (kernels.Spec, error) {
		return kernels.Spec{}, kernels.Errorf(op, in, kernels.ErrShape, format, args...)
	}
	if len(in) != 3+vectors {
		return bad("wants %d inputs, has %d", 3+vectors, len(in))
	}
	for i := range in {
		if err := kernels.WantFloats(op, in, 0, i); err != nil {
			return kernels.Spec{}, err
		}
	}
	p := in[0]
	if p.Rank() != 4 || p.Shape[0] != states || p.Shape[1] < 1 {
		return bad("input 0 must be [%d, steps, batch, hidden], with one step at least", states)
	}
	want := p
	if alone {
		want = kernels.S(p.DType, p.Shape[1:]...)
	}
	if !in[1].Equal(want) {
		return bad("input 1 must be of shape %v", want.Shape)
	}
	for i := range vectors {
		if v := in[2+i]; v.Rank() != 2 || v.Shape[0] != p.Shape[2] || v.Shape[1] != p.Shape[3] {
			return bad("input %d must be of shape (%d %d)", 2+i, p.Shape[2], p.Shape[3])
		}
	}
	if w := in[2+vectors]; w.Rank() != 2 || w.Shape[0] != gates*p.Shape[3] || w.Shape[1] != p.Shape[3] {
		return bad("the weights must be of shape (%d %d)", gates*p.Shape[3], p.Shape[3])
	}
	return kernels.S(p.DType, sizes(p.Shape, gates).gradient()), nil
}
