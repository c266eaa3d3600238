package run

import (
	"context"
	"fmt"
	"math"

	"ganglion/engine/data"
	"ganglion/engine/data/graph/read"
	"ganglion/engine/train"
	"ganglion/kernels"
	"ganglion/models/module"
	"ganglion/models/zoo"
)

// Session is a model and a data set ready to be trained.
type Session struct {
	Config       Config
	System       zoo.System
	Table        *data.Table
	Split        *data.Split
	Standardizer *data.Standardizer
	Graphs       *Graphs // in the place of table, split and standardizer where samples are nodes or graphs; else nil
	Set          train.Set
	Model        train.Model
	Trainer      *train.Trainer
}

// Prepare loads the data, splits and standardises them (fitted on the training part alone), and builds and compiles the
// model.
func Prepare(ctx context.Context, c Config) (*Session, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if c.Train.Budget == 0 { // what the machine does not have cannot be had
		if have, err := memory(); err == nil && have <= math.MaxInt {
			c.Train.Budget = int(have)
		}
	}
	s := &Session{Config: c}
	var err error
	if s.System, err = System(c.Model); err != nil {
		return nil, err
	}
	if ofGraphs(s.System) {
		if err := s.fitGraphs(ctx); err != nil {
			return nil, err
		}
		return s, s.build()
	}
	if _, ok := read.FindSet(c.Data.Source); ok {
		return nil, usage(
			fmt.Errorf("%s is a graph, and %s learns about rows of a table: take a network such as gnn/gcn",
				c.Data.Source, s.System.ID),
		)
	}
	if s.Table, err = data.Load(ctx, c.Data.Source, c.Data.options()); err != nil {
		return nil, err
	}
	if err := s.fit(); err != nil {
		return nil, err
	}
	return s, s.build()
}

// DataName is the name of the data set.
func (s *Session) DataName() string {
	if s.Graphs != nil {
		return s.Graphs.Name
	}
	return s.Table.Name
}

// Close ends the session's threads and frees what it holds on its device, which stays open.
func (s *Session) Close() { s.Trainer.Close() }

// baselineOf prepares another model on the same data, split and training options: module/mlp as a baseline of about the
// given size.
func (s *Session) baselineOf(parameters int) (*Session, error) {
	c, err := Default(baselineModel)
	if err != nil {
		return nil, err
	}
	c.Data, c.Train = s.Config.Data, s.Config.Train
	net := c.Net.(module.MLPConfig)
	net.Hidden = module.EqualWidth(s.Set.Task, net.Depth, parameters)
	c.Net = net
	other := *s
	other.Config = c
	if other.System, err = System(baselineModel); err != nil {
		return nil, err
	}
	return &other, other.build()
}

// baselineModel is the plain network that others are compared with.
const baselineModel = "module/mlp"

func (d Data) options() data.Options {
	return data.Options{Target: d.Target, Task: data.Task(d.Task), Dir: d.Dir}
}

func (s *Session) fit() error {
	var err error
	if s.Split, err = s.Table.Split(s.Config.Data.Split, s.Config.Train.Seed); err != nil {
		return err
	}
	if s.Standardizer, err = data.FitStandardizer(s.Table, s.Split.Train); err != nil {
		return err
	}
	d := dtypeOf(s.Config.Train.DType)
	s.Set = train.Set{Task: taskOf(s.Table, len(s.Split.Train))}
	if s.Table.Task == data.Regress {
		s.Set.Scale = s.Standardizer.TargetScale
	}
	s.Set.Train = part(s.Table, s.Standardizer, s.Split.Train, d, true)
	s.Set.Valid = part(s.Table, s.Standardizer, s.Split.Valid, d, true)
	s.Set.Test = part(s.Table, s.Standardizer, s.Split.Test, d, true)
	return nil
}

func dtypeOf(name string) kernels.DType {
	if name == "f64" {
		return kernels.Float64
	}
	return kernels.Float32
}

func (s *Session) build() error {
	var err error
	if s.Model, err = s.System.Build(s.Config.Net, s.Set.Task); err != nil {
		return usage(fmt.Errorf("%s: %w", s.System.ID, err))
	}
	if s.Trainer, err = train.New(s.Model, s.Set, s.Config.Train); err != nil {
		return overBudget(err)
	}
	if err := s.refuseFallbacks(); err != nil {
		s.Close()
		return err
	}
	return nil
}

func taskOf(t *data.Table, examples int) train.Task {
	task := train.Task{Kind: train.Classify, Inputs: t.D, Outputs: t.Outputs(), Examples: examples}
	copy(task.Shape[:], t.Shape)
	if t.Task == data.Regress {
		task.Kind = train.Regress
	}
	return task
}

// part standardises some rows of a table into tensors of type d, with their targets or without.
func part(t *data.Table, z *data.Standardizer, rows []int32, d kernels.DType, targets bool) train.Part {
	p := train.Part{X: kernels.New(kernels.S(d, len(rows), t.D))}
	if d == kernels.Float32 {
		data.Transform(p.X.F32, z, t, rows)
	} else {
		data.Transform(p.X.F64, z, t, rows)
	}
	if !targets {
		return p
	}
	if t.Task == data.Regress {
		p.Y = kernels.New(kernels.S(d, len(rows), len(t.TargetNames)))
		if d == kernels.Float32 {
			data.TransformTargets(p.Y.F32, z, t, rows)
		} else {
			data.TransformTargets(p.Y.F64, z, t, rows)
		}
		return p
	}
	p.Labels = make([]int32, len(rows))
	for i, r := range rows {
		p.Labels[i] = t.Labels[r]
	}
	return p
}
