package zoo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"ganglion/engine"
	"ganglion/engine/checkpoint"
	"ganglion/engine/train"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// TB is the part of testing.TB that Verify uses, so that the command does not carry the package testing.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	TempDir() string
}

// Verify tests what every system must do, on a tiny instance of it (System.Tiny) for a classification and a regression:
// it builds, its gradients are those of the loss, one step lowers the loss, what is saved and loaded predicts the same,
// and one seed gives the same bits at any number of threads. Then it runs the system's fast checks.
func Verify(t TB, s System) {
	t.Helper()
	for _, set := range s.tinySets() {
		for _, p := range []struct {
			name  string
			check func() error
		}{
			{"gradients", func() error { return s.gradients(set) }},
			{"one step lowers the loss", func() error { return s.descends(set) }},
			{"what is saved and loaded predicts the same", func() error { return s.saves(set, t.TempDir()) }},
			{"one seed, the same bits", func() error { return s.repeats(set) }},
		} {
			if err := p.check(); err != nil {
				t.Errorf(
					"%s, task %d about %v, sparse: %v: %s: %v",
					s.ID,
					set.Task.Kind,
					set.Task.Level,
					set.Task.Sparse,
					p.name,
					err,
				)
			}
		}
	}
	if len(s.Checks) == 0 {
		t.Errorf("%s has no checks", s.ID)
	}
	for _, c := range s.Checks {
		if c.Tier != Fast {
			continue
		}
		measured, required, ok, err := c.Run(1)
		if err != nil || !ok {
			t.Errorf(
				"%s: check %s: %s: measured %s, required %s, error %v",
				s.ID,
				c.Name,
				c.Claim,
				measured,
				required,
				err,
			)
		}
	}
}

// tiny builds the tiny instance.
func (s System) tiny(task train.Task) (train.Model, error) {
	if s.Tiny == nil {
		return nil, fmt.Errorf("the system names no tiny configuration")
	}
	return s.Build(s.Tiny, task)
}

// gradients compares the gradients of the loss, in float64, with central differences of it: 1e-6 relative to the
// largest.
func (s System) gradients(set train.Set) error {
	task := set.Task
	m, err := s.tiny(task)
	if err != nil {
		return err
	}
	var feeds []train.Fed
	g, err := engine.Build("verify", kernels.Float64, func(b *engine.Scope) {
		in, fed, err := set.Declare(b, tinySamples)
		if err != nil {
			b.Fail(err)
		}
		feeds = fed
		out := m.Forward(b, in).Output
		var loss *train.Node
		if task.Kind == train.Classify {
			loss = b.Apply(dense.SoftmaxCrossEntropy{}, out, b.Input("y", kernels.S(kernels.Int32, tinySamples)))
		} else {
			loss = b.Apply(dense.MSE{}, out, b.Input("y", set.Train.Y.Spec))
		}
		b.Output("loss", loss)
		b.Output("gradient", b.Apply(dense.Pack{}, b.Grad(loss, b.Params()...)...))
	})
	if err != nil {
		return err
	}
	p, err := engine.Compile(g, engine.Options{Workers: 1, Seed: 1, Strict: true})
	if err != nil {
		return err
	}
	defer p.Close()
	y := set.Train.Y
	if task.Kind == train.Classify {
		y = kernels.FromSlice(set.Train.Labels, tinySamples)
	}
	feeds = append(feeds, train.Fed{Name: "y", Tensor: y})
	run := func(name string) (kernels.Tensor, error) { return value(p, name, feeds) }
	grad, err := run("gradient")
	if err != nil {
		return err
	}
	return differences(p.Store().Params().F64, slices.Clone(grad.F64), run)
}

// value runs a program on inputs and returns an output.
func value(p *engine.Program, name string, inputs []train.Fed) (kernels.Tensor, error) {
	var feeds engine.Feeds
	for _, in := range inputs {
		slot, err := p.Slot(in.Name)
		if errors.Is(err, engine.ErrUnused) {
			continue
		}
		if err != nil {
			return kernels.Tensor{}, err
		}
		feeds = append(feeds, engine.Feed{Slot: slot, Tensor: in.Tensor})
	}
	if err := p.Run(context.Background(), feeds); err != nil {
		return kernels.Tensor{}, err
	}
	return p.Value(name)
}

// differences compares a gradient with central differences of the loss in every parameter.
func differences(params, grad []float64, run func(string) (kernels.Tensor, error)) error {
	const h, tolerance = 1e-5, 1e-6
	if len(params) == 0 || len(params) != len(grad) {
		return fmt.Errorf("%d parameters, %d gradients", len(params), len(grad))
	}
	top := 0.0
	for _, v := range grad {
		top = max(top, math.Abs(v))
	}
	if top == 0 {
		return fmt.Errorf("all gradients are 0")
	}
	for i, at := range params {
		var loss [2]float64
		for k, step := range []float64{h, -h} {
			params[i] = at + step
			v, err := run("loss")
			if err != nil {
				return err
			}
			loss[k] = v.F64[0]
		}
		params[i] = at
		if d := (loss[0] - loss[1]) / (2 * h); math.Abs(d-grad[i]) > tolerance*top {
			return fmt.Errorf("parameter %d: gradient %v, central difference %v", i, grad[i], d)
		}
	}
	return nil
}

// trainer trains the tiny instance on the whole training part in each step.
func (s System) trainer(set train.Set, threads int) (*train.Trainer, train.Model, error) {
	m, err := s.tiny(set.Task)
	if err != nil {
		return nil, nil, err
	}
	t, err := train.New(
		m,
		set,
		train.Options{DType: "f64", Batch: tinySamples, LR: 0.01, Schedule: "constant", Optimiser: "sgd", Seed: 5,
			Threads: threads},
	)
	return t, m, err
}

func (s System) descends(set train.Set) error {
	t, _, err := s.trainer(set, 1)
	if err != nil {
		return err
	}
	defer t.Close()
	var loss [2]float64
	for i := range loss {
		r, err := t.Step(context.Background())
		if err != nil {
			return err
		}
		loss[i] = r.Loss
	}
	if !(loss[1] < loss[0]) {
		return fmt.Errorf("from %v to %v", loss[0], loss[1])
	}
	return nil
}

func (s System) repeats(set train.Set) error {
	var first []byte
	for _, threads := range []int{1, 3} {
		t, _, err := s.trainer(set, threads)
		if err != nil {
			return err
		}
		for range 3 {
			if _, err := t.Step(context.Background()); err != nil {
				t.Close()
				return err
			}
		}
		got := bytes.Clone(t.Store().Params().Memory())
		t.Close()
		if first == nil {
			first = got
		} else if !bytes.Equal(first, got) {
			return fmt.Errorf("1 and %d threads lead to other parameters", threads)
		}
	}
	return nil
}

func (s System) saves(set train.Set, dir string) error {
	t, m, err := s.trainer(set, 1)
	if err != nil {
		return err
	}
	defer t.Close()
	if _, err := t.Step(context.Background()); err != nil {
		return err
	}
	state, err := t.Snapshot()
	if err != nil {
		return err
	}
	path, err := checkpoint.Save(dir, state, checkpoint.SaveOptions{Keep: 1})
	if err != nil {
		return err
	}
	if state, err = checkpoint.Load(path); err != nil {
		return err
	}
	before, err := t.Evaluate(context.Background(), train.TestPart)
	if err != nil {
		return err
	}
	p, err := train.NewPredictor(m, set.Task, t.Options, nil)
	if err != nil {
		return err
	}
	defer p.Close()
	if err := train.LoadParams(p.Store(), state); err != nil {
		return err
	}
	after, err := p.Judge(context.Background(), set, set.Test)
	if err != nil {
		return err
	}
	if before.Score != after.Score {
		return fmt.Errorf("%+v before, %+v after", before.Score, after.Score)
	}
	return nil
}
