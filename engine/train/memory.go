package train

import (
	"errors"
	"fmt"
	"math"
	"sort"

	"ganglion/engine"
	"ganglion/kernels"
)

// ErrBudget is the error of a model whose parameters and states alone need more than Options.Budget.
var ErrBudget = errors.New("the model is too large")

// Memory is what a trainer needs, in bytes, by what it is for. Batch, Arena, Evaluation and Best are taken when the
// training begins, all else before.
type Memory struct {
	Data       int `json:"data_bytes"`       // standardised features and targets of the three parts
	Parameters int `json:"parameter_bytes"`  // that are trained
	States     int `json:"state_bytes"`      // moments of the optimiser and all else that outlives a step
	Constants  int `json:"constant_bytes"`   // of the two programs
	Batch      int `json:"batch_bytes"`      // the mini-batches that are fed: the full one and the last
	Arena      int `json:"arena_bytes"`      // intermediate values and scratch memory of a training step
	Evaluation int `json:"evaluation_bytes"` // the same of an evaluation, in the same place
	Reserve    int `json:"reserve_bytes"`    // for cases that seldom come, as engine.Memory has it
	Best       int `json:"best_bytes"`       // the best epoch's parameters, and their copies when they are saved
}

// Pending is what is taken when the training begins, the reserve apart.
func (m Memory) Pending() int { return m.Batch + max(m.Arena, m.Evaluation) + m.Best }

// Worst is what is taken when the training begins if all of the reserve is needed.
func (m Memory) Worst() int { return m.Pending() + m.Reserve }

// Total is the sum of all but the reserve.
func (m Memory) Total() int { return m.Data + m.Parameters + m.States + m.Constants + m.Pending() }

// bestCopies is how often the parameters are held besides the store when the best ones are saved.
const bestCopies = 3

// MemoryAt tells what the trainer would need with mini-batches of the given size. Nothing is taken or changed.
func (t *Trainer) MemoryAt(batch int) (Memory, error) {
	sizes, graphs, err := t.resize(batch)
	if err != nil {
		return Memory{}, err
	}
	step, err := t.step.MemoryAt(sizes)
	if err != nil {
		return Memory{}, err
	}
	if sizes, _, err = t.resize(t.EvaluationBatch()); err != nil {
		return Memory{}, err
	}
	eval, err := t.eval.program.MemoryAt(sizes)
	if err != nil {
		return Memory{}, err
	}
	m := Memory{Parameters: step.Parameters, States: step.States, Constants: step.Constants + eval.Constants,
		Arena: step.Arena, Evaluation: eval.Arena, Reserve: max(step.Reserve, eval.Reserve),
		Best: bestCopies * step.Parameters}
	for _, p := range []Part{t.Set.Train, t.Set.Valid, t.Set.Test} {
		m.Data += p.bytes()
	}
	m.Data += t.Set.Graphs.bytes()
	// of steps and evaluations
	m.Batch = t.Set.Train.bytes()*(batch+t.Set.Train.Len()%batch)/t.Set.Train.Len() + 2*graphs
	return m, nil
}

// share makes the two programs, of which one runs at a time, use one arena.
func (t *Trainer) share() error {
	m, err := t.MemoryAt(t.Options.Batch)
	if err != nil {
		return err
	}
	arena := new(engine.Arena)
	arena.AtLeast(max(m.Arena, m.Evaluation))
	t.step.Share(arena)
	t.eval.program.Share(arena)
	return nil
}

// EvaluationBatch is the largest number of samples that are judged at a time.
func (t *Trainer) EvaluationBatch() int {
	return min(predictBatch, max(t.Set.Train.Len(), t.Set.Valid.Len(), t.Set.Test.Len()))
}

// LargestBatch is the largest mini-batch, up to that of the options, with which the trainer takes no more than the
// given number of bytes when the training begins, all of its reserve included; 0 when there is none.
func (t *Trainer) LargestBatch(pending int) (int, error) {
	var failed error
	over := sort.Search(t.Options.Batch, func(i int) bool {
		m, err := t.MemoryAt(i + 1)
		if err != nil {
			failed = err
		}
		return m.Worst() > pending
	})
	return over, failed
}

// resized gives the inputs of a program that have a line for each sample n lines.
func resized(n int) func(name string, s kernels.Spec) kernels.Spec {
	return func(name string, s kernels.Spec) kernels.Spec {
		switch name {
		case inputX, inputY, inputRow:
			return kernels.S(s.DType, append([]int{n}, s.Shape[1:]...)...)
		}
		return s
	}
}

// bytes is the memory of a part.
func (p Part) bytes() int {
	const label = 4
	return p.X.Bytes() + p.Y.Bytes() + label*(len(p.Labels)+len(p.Rows))
}

// maxBlock is the number of numbers that a block of parameters and moments can hold: views of it count in int32.
const maxBlock = math.MaxInt32

// affords refuses a model whose parameters, moments and states alone are above the budget or too many for a block,
// before they are made.
func (o Options) affords(s *engine.Scope) error {
	_, slots := optimiser(o)
	numbers, size := 0.0, float64(s.DType().Size())
	for _, p := range s.Params() {
		n := 1.0
		for _, d := range kernels.SpecOf(p).Shape {
			n *= float64(d)
		}
		numbers += n
	}
	numbers *= float64(1 + slots)
	switch {
	case o.Budget > 0 && numbers*size > float64(o.Budget):
		return fmt.Errorf("%w: its parameters and moments take %.4g bytes, of %d that there may be", ErrBudget,
			numbers*size, o.Budget)
	case numbers > maxBlock:
		return fmt.Errorf("%w: %.4g parameters and moments, a block holds %d", ErrBudget, numbers, maxBlock)
	}
	return nil
}
