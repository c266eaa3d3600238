package gnn

import (
	"fmt"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/models/layer/message"
	"ganglion/models/zoo"
)

// APPNPConfig configures gnn/appnp. Its defaults are those of the paper for citation networks.
type APPNPConfig struct {
	Hidden     int     `yaml:"hidden"     doc:"width of the hidden layers"`
	Layers     int     `yaml:"layers"     doc:"linear layers before the propagation"`
	Hops       int     `yaml:"hops"       doc:"steps of the propagation"`
	Alpha      float64 `yaml:"alpha"      doc:"probability of the return to the node itself"`
	Activation string  `yaml:"activation" doc:"activation between the layers"`
	Dropout    float64 `yaml:"dropout"    doc:"share of each layer's inputs and each hop's edges dropped in training"`
}

// APPNP predicts at each node, and then propagates the predictions by personalised PageRank.
//
// Paper:     arXiv 1810.05997
// Equations: (4)
// Data:      cora; sparse features with rows that sum to 1
// Departs:   on the public split of Cora; the paper draws splits of its own.
var APPNP = zoo.System{
	ID: "gnn/appnp", Title: "predictions propagated by personalised PageRank", Paper: "arXiv 1810.05997", Priority: 2,
	Levels: both,
	Config: APPNPConfig{Hidden: 64, Layers: 2, Hops: 10, Alpha: 0.1, Activation: "relu", Dropout: 0.5},
	Tiny:   APPNPConfig{Hidden: 4, Layers: 2, Hops: 3, Alpha: 0.1, Activation: "tanh"}, Build: buildAPPNP,
	Recipe: func(o *train.Options) {
		o.LR, o.Epochs, o.Decay, o.Schedule, o.Patience = 0.01, 1000, 5e-3, "constant", 100
	},
	Data: []string{"cora"}, Checks: checksAPPNP,
}

type appnp struct {
	base
	cfg APPNPConfig
}

func buildAPPNP(c any, task train.Task) (train.Model, error) {
	cfg, ok := c.(APPNPConfig)
	if !ok {
		return nil, fmt.Errorf("gnn/appnp: configuration is a %T", c)
	}
	const most = 1000
	if cfg.Hops < 0 || cfg.Hops > most || !(cfg.Alpha >= 0 && cfg.Alpha <= 1) {
		return nil, fmt.Errorf("hops %d must be from 0 to %d, alpha %v from 0 to 1", cfg.Hops, most, cfg.Alpha)
	}
	b, err := newBase(task, cfg.Activation, cfg.Layers, cfg.Dropout, cfg.Hidden)
	return appnp{b, cfg}, err
}

// Forward writes Eq. (4).
func (m appnp) Forward(s *engine.Scope, in train.Inputs) train.Net {
	e := edges(in.Graph.Looped)
	p := message.APPNP{Hops: m.cfg.Hops, Alpha: m.cfg.Alpha, Dropout: m.dropout, Key: in.Key}
	return m.stack(s, in, m.cfg.Hidden, func(s *engine.Scope, k int, x message.Features, out int) *Node {
		y := message.MLP{Widths: []int{out}}.Apply(s, x)
		if k == m.layers-1 {
			y = p.Apply(s, y, e)
		}
		return y
	})
}
