package train

import (
	"context"
	"fmt"

	"ganglion/engine"
	"ganglion/kernels"
)

// The parts of a set, as Evaluate takes them.
const (
	TrainPart = iota
	ValidPart
	TestPart
)

// Visit runs the evaluation program over one part in order and hands each mini-batch's rows, outputs [n, Outputs] and loss to f. The
// tensors are valid during the call.
func (t *Trainer) Visit(ctx context.Context, part int, f func(rows []int32, out kernels.Tensor, loss float64) error) error {
	p := t.parts()[part]
	for lo := 0; lo < p.Len(); lo += t.Options.Batch {
		hi := min(lo+t.Options.Batch, p.Len())
		b := &t.evalFull
		if hi-lo < t.Options.Batch {
			b = &t.evalRest[part]
		}
		rows := t.ident[lo:hi]
		b.fill(p, rows)
		if err := t.eval.Run(ctx, b.list); err != nil {
			return fmt.Errorf("evaluation: %w", err)
		}
		loss, err := t.eval.Value(outputLoss)
		if err != nil {
			return err
		}
		out, err := t.eval.Value(outputNet)
		if err != nil {
			return err
		}
		if err := f(rows, out, scalar(loss)); err != nil {
			return err
		}
	}
	return nil
}

// Evaluate returns loss and metric of one part.
func (t *Trainer) Evaluate(ctx context.Context, part int) (Score, error) {
	var s sums
	p := t.parts()[part]
	err := t.Visit(ctx, part, func(rows []int32, out kernels.Tensor, loss float64) error {
		s.samples += len(rows)
		s.loss += loss * float64(len(rows))
		if t.Set.Task.Kind == Regress {
			s.hits += squares(out, p.Y, rows, t.Set.Scale)
		} else {
			s.hits += float64(hits(out, p.Labels, rows))
		}
		return nil
	})
	return s.score(t.Set), err
}

// Predictor runs a trained network on samples without targets.
type Predictor struct {
	program *engine.Program
	x       engine.Slot
	task    Task
	dtype   kernels.DType
	batch   int
}

// NewPredictor compiles the network alone; its parameters are in store, or are filled into the returned predictor's store when store
// is nil.
func NewPredictor(m Model, task Task, o Options, store *engine.Store) (*Predictor, error) {
	d := dtype(o.DType)
	g, err := engine.Build("predict", d, func(s *engine.Scope) {
		s.Output(outputNet, m.Forward(s, Inputs{X: s.Input(inputX, kernels.S(d, o.Batch, task.Inputs))}).Output)
	})
	if err != nil {
		return nil, fmt.Errorf("prediction graph: %w", err)
	}
	p := &Predictor{task: task, dtype: d, batch: o.Batch}
	p.program, err = engine.Compile(g, engine.Options{Workers: o.Threads, Seed: o.Seed, Store: store, Strict: o.Strict})
	if err != nil {
		return nil, fmt.Errorf("prediction program: %w", err)
	}
	p.x, err = p.program.Slot(inputX)
	return p, err
}

// Store is the memory of the parameters.
func (p *Predictor) Store() *engine.Store { return p.program.Store() }

// Program is the compiled network.
func (p *Predictor) Program() *engine.Program { return p.program }

// Predict returns the network's outputs [n, Outputs] in float64 for x [n, Inputs], which is in the graph's float type.
func (p *Predictor) Predict(ctx context.Context, x kernels.Tensor) (kernels.Tensor, error) {
	if x.Rank() != 2 || x.Shape[1] != p.task.Inputs || x.DType != p.dtype {
		return kernels.Tensor{}, fmt.Errorf("predict: features are %v, want %v(n %d)", x.Spec, p.dtype, p.task.Inputs)
	}
	n, d := x.Shape[0], x.Shape[1]
	out := kernels.New(kernels.S(kernels.Float64, n, p.task.Outputs))
	for lo := 0; lo < n; lo += p.batch {
		hi := min(lo+p.batch, n)
		part := x.Slice(lo*d, (hi-lo)*d)
		part.Shape = []int{hi - lo, d}
		if err := p.program.Run(ctx, engine.Feeds{{Slot: p.x, Tensor: part}}); err != nil {
			return out, fmt.Errorf("predict: %w", err)
		}
		y, err := p.program.Value(outputNet)
		if err != nil {
			return out, err
		}
		copy(out.F64[lo*p.task.Outputs:], kernels.Convert(y, kernels.Float64).F64)
	}
	return out, nil
}
