package gnn

import (
	"fmt"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/kernels/dense"
	"ganglion/models/layer"
	"ganglion/models/layer/message"
	"ganglion/models/zoo"
)

// GINConfig configures gnn/gin. Its widths are those of the paper.
type GINConfig struct {
	Hidden     int     `yaml:"hidden" doc:"width of the layers"`
	Layers     int     `yaml:"layers" doc:"convolutions, each with a network of two linear layers"`
	Learn      bool    `yaml:"learn_eps" doc:"learn ε of the node's own weight 1+ε"`
	Pool       string  `yaml:"pool" doc:"of the nodes of a graph: sum, mean or max"`
	Norm       bool    `yaml:"norm" doc:"batch normalisation behind each linear layer"`
	Activation string  `yaml:"activation" doc:"activation behind each linear layer"`
	Dropout    float64 `yaml:"dropout" doc:"share of the inputs of the readout dropped while training"`
}

// GIN is the graph isomorphism network: what it knows of a graph after each layer, and before the first, adds to the
// outputs.
//
// Paper:     arXiv 1810.00826
// Equations: (4.1) and (4.2)
// Data:      graphs of the TU collection; cora for nodes
// Departs:   ε is 0 unless learn_eps says otherwise, as in the paper's GIN-0; the learning rate is 0.001 and falls as a
// cosine, where the paper begins with 0.01 and halves it every 50 epochs, and dropout is off.
var GIN = zoo.System{
	ID: "gnn/gin", Title: "graph isomorphism network", Paper: "arXiv 1810.00826", Priority: 2, Levels: both,
	Config: GINConfig{Hidden: 64, Layers: 5, Pool: "sum", Norm: true, Activation: "relu"},
	Tiny:   GINConfig{Hidden: 4, Layers: 2, Learn: true, Pool: "mean", Norm: true, Activation: "tanh"}, Build: buildGIN,
	Recipe: func(o *train.Options) { o.LR, o.Epochs, o.Batch, o.Schedule = 0.001, 100, 32, "cosine" },
	Data:   []string{"cora"}, Checks: checksGIN,
	Published: []zoo.Published{
		{On: "NCI1", Metric: "test accuracy", With: "10 folds, best epoch by the folds' mean", Value: 0.827},
		{On: "PROTEINS", Metric: "test accuracy", With: "10 folds, best epoch by the folds' mean", Value: 0.762},
	},
}

type gin struct {
	base
	cfg  GINConfig
	pool message.Aggregate
}

func buildGIN(c any, task train.Task) (train.Model, error) {
	cfg, ok := c.(GINConfig)
	if !ok {
		return nil, fmt.Errorf("gnn/gin: configuration is a %T", c)
	}
	pool, err := aggregate(cfg.Pool)
	if err != nil {
		return nil, fmt.Errorf("pool: %w", err)
	}
	b, err := newBase(task, cfg.Activation, cfg.Layers, cfg.Dropout, cfg.Hidden)
	return gin{b, cfg, pool}, err
}

// Forward writes the layers.
func (m gin) Forward(s *engine.Scope, in train.Inputs) train.Net {
	x := features(in.Graph)
	e := edges(in.Graph.Edges)
	e.Weight = nil
	y := m.out(s, in, 0, x)
	for k := range m.layers {
		l := s.In(fmt.Sprintf("conv%d", k+1))
		c := message.GIN{Net: message.MLP{Widths: []int{m.cfg.Hidden, m.cfg.Hidden}, F: m.f, Norm: m.cfg.Norm},
			Learn: m.cfg.Learn}
		h := c.Apply(l, x, e)
		if m.cfg.Norm {
			h = layer.BatchNorm{}.Apply(l.In("norm"), h)
		}
		x = message.Dense(layer.Activation(l, m.f, h))
		y = l.Apply(dense.Binary{Kind: dense.Add}, y, m.out(s, in, k+1, x))
	}
	return train.Net{Output: y}
}

// out is what the rows of nodes after a layer add to the outputs.
func (m gin) out(s *engine.Scope, in train.Inputs, k int, x message.Features) *Node {
	o := s.In(fmt.Sprintf("output%d", k))
	l := message.MLP{Widths: []int{m.task.Outputs}}
	var y *Node
	switch {
	case m.task.Level == train.Nodes:
		y = o.Apply(dense.Gather{}, l.Apply(o, x), in.Graph.Sample)
	case x.X == nil: // x·W over the nodes, and their sum
		y = message.Pool{Kind: m.pool}.Apply(o, l.Apply(o, x), edges(in.Graph.Members))
	default:
		y = l.Apply(o, message.Dense(message.Pool{Kind: m.pool}.Apply(o, x.X, edges(in.Graph.Members))))
	}
	return m.drop(o, in, message.Dense(y)).X
}
