package gnn

import (
	"fmt"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/models/layer/message"
	"ganglion/models/zoo"
)

// GCNConfig configures gnn/gcn. Its defaults are those of the paper for citation networks.
type GCNConfig struct {
	Hidden     int     `yaml:"hidden" doc:"width of the hidden layers"`
	Layers     int     `yaml:"layers" doc:"convolutions"`
	Activation string  `yaml:"activation" doc:"activation between them"`
	Dropout    float64 `yaml:"dropout" doc:"share of the inputs of each layer dropped while training"`
}

// GCN is the graph convolutional network of two layers.
//
// Paper:     arXiv 1609.02907
// Equations: (2) and (9)
// Data:      cora; sparse features with rows that sum to 1
// Departs:   the parameters are those of the epoch with the lowest validation loss, where the paper stops when that has
// not sunk for 10 epochs; weight decay is on the first layer, bias included.
var GCN = zoo.System{
	ID: "gnn/gcn", Title: "graph convolutional network", Paper: "arXiv 1609.02907", Priority: 2, Levels: both,
	Config: GCNConfig{Hidden: 16, Layers: 2, Activation: "relu", Dropout: 0.5},
	Tiny:   GCNConfig{Hidden: 4, Layers: 2, Activation: "tanh"}, Build: buildGCN, Recipe: citation,
	Data: []string{"cora"}, Checks: checksGCN,
	Published: []zoo.Published{
		{On: "cora", Metric: "test accuracy", With: "split=public:0", Value: 0.815},
		{On: "citeseer", Metric: "test accuracy", With: "split=public:0", Value: 0.703},
	},
}

// citation is the training of the paper on citation networks.
func citation(o *train.Options) {
	o.LR, o.Epochs, o.Decay, o.Schedule = 0.01, 200, 5e-4, "constant"
}

type gcn struct {
	base
	cfg GCNConfig
}

func buildGCN(c any, task train.Task) (train.Model, error) {
	cfg, ok := c.(GCNConfig)
	if !ok {
		return nil, fmt.Errorf("gnn/gcn: configuration is a %T", c)
	}
	b, err := newBase(task, cfg.Activation, cfg.Layers, cfg.Dropout, cfg.Hidden)
	return gcn{b, cfg}, err
}

// Forward writes Eq. (9).
func (m gcn) Forward(s *engine.Scope, in train.Inputs) train.Net {
	e := edges(in.Graph.Looped)
	return m.stack(s, in, m.cfg.Hidden, func(s *engine.Scope, _ int, x message.Features, out int) *Node {
		return message.GCN{Out: out}.Apply(s, x, e)
	})
}
