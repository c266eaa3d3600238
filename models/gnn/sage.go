package gnn

import (
	"fmt"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/models/layer/message"
	"ganglion/models/zoo"
)

// SAGEConfig configures gnn/sage.
type SAGEConfig struct {
	Hidden     int     `yaml:"hidden" doc:"width of the hidden layers"`
	Layers     int     `yaml:"layers" doc:"convolutions"`
	Aggregate  string  `yaml:"aggregate" doc:"of the neighbours: mean, sum or max"`
	Activation string  `yaml:"activation" doc:"activation between the layers"`
	Dropout    float64 `yaml:"dropout" doc:"share of the inputs of each layer dropped while training"`
}

// SAGE is GraphSAGE, trained on whole graphs.
//
// Paper:     arXiv 1706.02216
// Equations: lines 4 and 5 of Algorithm 1
// Data:      cora; sparse features with rows that sum to 1
// Departs:   all neighbours instead of samples of them, and rows are not divided by their lengths.
var SAGE = zoo.System{
	ID: "gnn/sage", Title: "GraphSAGE on whole graphs", Paper: "arXiv 1706.02216", Priority: 2, Levels: both,
	Config: SAGEConfig{Hidden: 64, Layers: 2, Aggregate: "mean", Activation: "relu", Dropout: 0.5},
	Tiny:   SAGEConfig{Hidden: 4, Layers: 2, Aggregate: "mean", Activation: "tanh"}, Build: buildSAGE, Recipe: citation,
	Data: []string{"cora"}, Checks: checksSAGE,
}

type sage struct {
	base
	cfg  SAGEConfig
	kind message.Aggregate
}

func buildSAGE(c any, task train.Task) (train.Model, error) {
	cfg, ok := c.(SAGEConfig)
	if !ok {
		return nil, fmt.Errorf("gnn/sage: configuration is a %T", c)
	}
	kind, err := aggregate(cfg.Aggregate)
	if err != nil {
		return nil, err
	}
	b, err := newBase(task, cfg.Activation, cfg.Layers, cfg.Dropout, cfg.Hidden)
	return sage{b, cfg, kind}, err
}

func aggregate(name string) (message.Aggregate, error) {
	for _, k := range []message.Aggregate{message.Sum, message.Mean, message.Max} {
		if k.String() == name {
			return k, nil
		}
	}
	return 0, fmt.Errorf("aggregate: %q is not one of mean, sum, max", name)
}

// Forward writes the layers.
func (m sage) Forward(s *engine.Scope, in train.Inputs) train.Net {
	e := edges(in.Graph.Edges)
	e.Weight = nil
	return m.stack(s, in, m.cfg.Hidden, func(s *engine.Scope, _ int, x message.Features, out int) *Node {
		return message.SAGE{Out: out, Kind: m.kind}.Apply(s, x, e)
	})
}
