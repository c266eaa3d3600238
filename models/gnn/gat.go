package gnn

import (
	"fmt"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/models/layer/message"
	"ganglion/models/zoo"
)

// GATConfig configures gnn/gat. Its defaults are those of the paper for citation networks.
type GATConfig struct {
	Hidden     int     `yaml:"hidden"     doc:"width of each head of the hidden layers"`
	Heads      int     `yaml:"heads"      doc:"heads of the hidden layers, side by side"`
	Layers     int     `yaml:"layers"     doc:"attention layers"`
	Last       int     `yaml:"last_heads" doc:"heads of the last layer about nodes, averaged"`
	Version    int     `yaml:"version"    doc:"1: graph attention, 2: that of arXiv 2105.14491"`
	Activation string  `yaml:"activation" doc:"activation between the layers"`
	Dropout    float64 `yaml:"dropout"    doc:"share of each layer's inputs and attention dropped in training"`
}

// GAT is the graph attention network.
//
// Paper:     arXiv 1710.10903
// Equations: (3) to (6)
// Data:      cora; sparse features with rows that sum to 1
// Departs:   the parameters are those of the epoch with the lowest validation loss; the paper looks at accuracy too.
var GAT = zoo.System{
	ID: "gnn/gat", Title: "graph attention network", Paper: "arXiv 1710.10903", Priority: 2, Levels: both,
	Config: GATConfig{Hidden: 8, Heads: 8, Layers: 2, Last: 1, Version: 1, Activation: "elu", Dropout: 0.6},
	Tiny:   GATConfig{Hidden: 3, Heads: 2, Layers: 2, Last: 2, Version: 1, Activation: "tanh"}, Build: buildGAT,
	Recipe: func(o *train.Options) {
		o.LR, o.Epochs, o.Decay, o.Schedule, o.Patience = 0.005, 1000, 5e-4, "constant", 100
	},
	Data: []string{"cora"}, Checks: checksGAT,
	Published: []zoo.Published{
		{On: "cora", Metric: "test accuracy", With: "split=public:0", Value: 0.83},
		{On: "citeseer", Metric: "test accuracy", With: "split=public:0", Value: 0.725},
	},
}

type gat struct {
	base
	cfg GATConfig
}

func buildGAT(c any, task train.Task) (train.Model, error) {
	cfg, ok := c.(GATConfig)
	if !ok {
		return nil, fmt.Errorf("gnn/gat: configuration is a %T", c)
	}
	if cfg.Version != 1 && cfg.Version != 2 {
		return nil, fmt.Errorf("version: %d is not one of 1, 2", cfg.Version)
	}
	b, err := newBase(task, cfg.Activation, cfg.Layers, cfg.Dropout, cfg.Hidden, cfg.Heads, cfg.Last)
	return gat{b, cfg}, err
}

// Forward writes the layers.
func (m gat) Forward(s *engine.Scope, in train.Inputs) train.Net {
	e := edges(in.Graph.Looped)
	net := m.stack(s, in, m.cfg.Hidden, func(s *engine.Scope, k int, x message.Features, out int) *Node {
		l := message.GAT{Heads: m.cfg.Heads, Out: out, Dropout: m.dropout, Key: in.Key}
		if k == m.layers-1 && m.task.Level == train.Nodes {
			l.Heads, l.Average = m.cfg.Last, true
		}
		if m.cfg.Version == 2 {
			return message.GATv2{GAT: l}.Apply(s, x, e)
		}
		return l.Apply(s, x, e)
	})
	net.Decayed = nil // all of them
	return net
}
