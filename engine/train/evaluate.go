package train

import (
	"context"
	"fmt"

	"ganglion/engine"
	"ganglion/internal/par"
	"ganglion/kernels"
)

// predictBatch is the number of samples that a Predictor runs at a time.
const predictBatch = 256

// Predictor runs a network on samples, without training it.
type Predictor struct {
	program *engine.Program
	x       engine.Slot
	task    Task
	dtype   kernels.DType
	solver  Solver    // of the last call
	pool    *par.Pool // to be closed; nil when it belongs to a trainer

	ownStore bool // the parameters are the predictor's own
	graphs   graphFeeds
	feeds    engine.Feeds // of graphs
}

// NewPredictor compiles the forward pass alone. Its parameters are those of store, or, when store is nil, of a new
// store that is filled with initial values and waits for LoadParams.
func NewPredictor(m Model, task Task, o Options, store *engine.Store) (*Predictor, error) {
	pool := newPool(o.Threads)
	sample, err := task.prototype(dtype(o.DType))
	if err != nil {
		pool.Close()
		return nil, err
	}
	p, err := newPredictor(m, task, sample, o, store, pool)
	if err != nil {
		pool.Close()
		return nil, err
	}
	p.pool, p.ownStore = pool, store == nil
	return p, nil
}

// Close ends the predictor's threads, unless they are a trainer's, and frees what it holds on a device. Its parameters
// can still be read.
func (p *Predictor) Close() {
	p.program.Close()
	if p.ownStore {
		_ = p.program.Store().Detach() // an error is kept for those who read the store
	}
	if p.pool != nil {
		p.pool.Close()
	}
}

func newPredictor(m Model, task Task, sample *operands, o Options, store *engine.Store, pool *par.Pool) (*Predictor,
	error) {
	d := dtype(o.DType)
	g, err := engine.Build("predict", d, func(s *engine.Scope) {
		var in Inputs
		if sample == nil {
			in.X = s.Input(inputX, kernels.S(d, predictBatch, task.Inputs))
		} else {
			in.Graph = sample.declare(s)
		}
		s.Output(outputNet, m.Forward(s, in).Output)
		if err := o.affords(s); err != nil {
			s.Fail(err)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("prediction graph: %w", err)
	}
	p := &Predictor{task: task, dtype: d}
	p.program, err = o.compile(g, pool, store)
	if err != nil {
		return nil, fmt.Errorf("prediction program: %w", err)
	}
	if sample == nil {
		p.x, err = p.program.Slot(inputX)
		return p, err
	}
	p.graphs, err = bindGraphs(p.program, task)
	return p, err
}

// Store is the memory of the parameters.
func (p *Predictor) Store() *engine.Store { return p.program.Store() }

// Program is the compiled network.
func (p *Predictor) Program() *engine.Program { return p.program }

// Solver is what the iterative kernels reported during the last call of Predict or Judge.
func (p *Predictor) Solver() Solver { return p.solver }

// MemoryFor is what Predict takes for n samples besides its argument: intermediate values, and the outputs while they
// grow.
func (p *Predictor) MemoryFor(n int) (int, error) {
	m, err := p.program.MemoryAt(resized(min(n, predictBatch)))
	const output, growth = 8, 2
	return m.Arena + m.Reserve + growth*output*n*p.task.Outputs, err
}

// visit runs the network over x [n, Inputs] in order, and hands each batch's outputs [hi-lo, Outputs] to f; they hold
// during the call.
func (p *Predictor) visit(ctx context.Context, x kernels.Tensor, f func(lo, hi int, out kernels.Tensor) error) error {
	if x.Rank() != 2 || x.Shape[1] != p.task.Inputs || x.DType != p.dtype {
		return fmt.Errorf("predict: features are %v, want %v(n %d)", x.Spec, p.dtype, p.task.Inputs)
	}
	p.solver = Solver{}
	n, d := x.Shape[0], x.Shape[1]
	for lo := 0; lo < n; lo += predictBatch {
		hi := min(lo+predictBatch, n)
		part := x.Slice(lo*d, (hi-lo)*d)
		part.Shape = []int{hi - lo, d}
		if err := p.run(ctx, engine.Feeds{{Slot: p.x, Tensor: part}}, lo, hi, f); err != nil {
			return err
		}
	}
	return nil
}

// Predict returns the network's outputs [n, Outputs] in float64 for x [n, Inputs], which is in the graph's float type.
func (p *Predictor) Predict(ctx context.Context, x kernels.Tensor) (kernels.Tensor, error) {
	m := p.task.Outputs
	var all []float64
	err := p.visit(ctx, x, func(_, _ int, out kernels.Tensor) error {
		all = append(all, kernels.Convert(out, kernels.Float64).F64...)
		return nil
	})
	if err != nil {
		return kernels.Tensor{}, err
	}
	return kernels.FromSlice(all, len(all)/max(m, 1), m), nil
}

// PredictGraphs returns the network's outputs [len(rows), Outputs] in float64 for nodes or graphs of data.
func (p *Predictor) PredictGraphs(ctx context.Context, data *GraphData, rows []int32) (kernels.Tensor, error) {
	m := p.task.Outputs
	var all []float64
	err := p.visitGraphs(ctx, data, rows, func(_, _ int, out kernels.Tensor) error {
		all = append(all, kernels.Convert(out, kernels.Float64).F64...)
		return nil
	})
	return kernels.FromSlice(all, len(all)/max(m, 1), m), err
}

// visitGraphs runs the network over nodes, all at once, or graphs in order, and hands each batch's outputs to f as
// visit does.
func (p *Predictor) visitGraphs(ctx context.Context, data *GraphData, rows []int32,
	f func(lo, hi int, out kernels.Tensor) error) error {
	if err := data.check(p.task, "predicted", rows); err != nil {
		return err
	}
	p.solver = Solver{}
	size := predictBatch
	if p.task.Level == Nodes {
		size = max(1, len(rows))
	}
	for lo := 0; lo < len(rows); lo += size {
		hi := min(lo+size, len(rows))
		var err error
		if p.feeds, err = p.graphs.feed(p.feeds, data, p.task, rows[lo:hi], p.dtype); err != nil {
			return fmt.Errorf("predict: %w", err)
		}
		if err := p.run(ctx, p.feeds, lo, hi, f); err != nil {
			return err
		}
	}
	return nil
}

// run runs the network once, and hands its outputs to f.
func (p *Predictor) run(ctx context.Context, feeds engine.Feeds, lo, hi int,
	f func(lo, hi int, out kernels.Tensor) error) error {
	if err := p.program.Run(ctx, feeds); err != nil {
		return fmt.Errorf("predict: %w", err)
	}
	for _, r := range p.program.Reports() {
		p.solver.add(r.Report)
	}
	out, err := p.program.Value(outputNet)
	if err != nil {
		return err
	}
	return f(lo, hi, out)
}
