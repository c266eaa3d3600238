package baseline

import (
	"fmt"
	"math"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/kernels/dense"
	"ganglion/kernels/recurrent"
	"ganglion/models/layer"
	"ganglion/models/zoo"
)

// RecurrentConfig configures baseline/gru and baseline/lstm.
type RecurrentConfig struct {
	Shape   string  `yaml:"shape" doc:"channels and length of a series, like 6x100; empty: those of the data"`
	Hidden  int     `yaml:"hidden" doc:"units of each layer"`
	Layers  int     `yaml:"layers" doc:"recurrent layers"`
	Pool    string  `yaml:"pool" doc:"last or mean: the last state, or the mean of all, goes to the output layer"`
	Dropout float64 `yaml:"dropout" doc:"share of units dropped between layers and in front of the output layer"`
	Forget  float64 `yaml:"forget_bias" doc:"of an lstm: added to the initial bias of the forget gates"`
}

func gruDefaults() RecurrentConfig { return RecurrentConfig{Hidden: 64, Layers: 1, Pool: "last"} }

func lstmDefaults() RecurrentConfig {
	return RecurrentConfig{Hidden: 64, Layers: 1, Pool: "last", Forget: 1}
}

// GRU classifies, or predicts numbers for, series by gated recurrent units. An image is the series of its rows.
//
// Paper: K. Cho et al.: Learning Phrase Representations using RNN Encoder–Decoder, arXiv 1406.1078
// Departures: the reset gate acts behind the recurrent product (recurrent.GRU), as in PyTorch and cuDNN.
var GRU = zoo.System{
	ID: "baseline/gru", Title: "gated recurrent units over series", Paper: "arXiv 1406.1078", Priority: 3,
	Config: gruDefaults(), Build: buildGRU,
	Tiny:   RecurrentConfig{Shape: "2x2", Hidden: 3, Layers: 2, Pool: "mean"},
	Checks: checksGRU, Data: []string{"digits", "basic-motions", "italy-power-demand", "japanese-vowels"},
}

// LSTM classifies, or predicts numbers for, series by long short-term memory. An image is the series of its rows.
//
// Paper: S. Hochreiter, J. Schmidhuber: Long Short-Term Memory, 1997; with the forget gate of F. A. Gers et al., 2000
var LSTM = zoo.System{
	ID: "baseline/lstm", Title: "long short-term memory over series", Paper: "doi 10.1162/neco.1997.9.8.1735",
	Priority: 3, Config: lstmDefaults(),
	Build:  buildLSTM,
	Tiny:   RecurrentConfig{Shape: "2x2", Hidden: 3, Layers: 1, Pool: "last", Forget: 1},
	Checks: checksLSTM, Data: []string{"digits", "basic-motions", "italy-power-demand", "japanese-vowels"},
}

type cells struct {
	task train.Task
	cfg  RecurrentConfig
	of   signal
	lstm bool
}

func buildGRU(c any, task train.Task) (train.Model, error)  { return buildCells(c, task, false) }
func buildLSTM(c any, task train.Task) (train.Model, error) { return buildCells(c, task, true) }

func buildCells(c any, task train.Task, lstm bool) (train.Model, error) {
	cfg, ok := c.(RecurrentConfig)
	if !ok {
		return nil, fmt.Errorf("baseline/gru: configuration is a %T", c)
	}
	of, err := shapeOf(cfg.Shape, task)
	if err != nil {
		return nil, err
	}
	switch {
	case cfg.Hidden < 1 || cfg.Hidden > maxUnits || cfg.Layers < 1 || cfg.Layers > 100:
		return nil, fmt.Errorf("hidden %d, layers %d: must be from 1 to %d and 100", cfg.Hidden, cfg.Layers, maxUnits)
	case cfg.Forget != 0 && !lstm || math.IsNaN(cfg.Forget) || math.Abs(cfg.Forget) > 100:
		return nil, fmt.Errorf("forget_bias: %v: an lstm takes it, up to 100", cfg.Forget)
	case cfg.Pool != "last" && cfg.Pool != "mean":
		return nil, fmt.Errorf("pool: %q is not last or mean", cfg.Pool)
	}
	if err := checkRate(cfg.Dropout); err != nil {
		return nil, err
	}
	return cells{task, cfg, of, lstm}, nil
}

// Forward writes the layers.
func (m cells) Forward(s *engine.Scope, in train.Inputs) train.Net {
	x, steps := m.steps(s, in.X)
	for i := range m.cfg.Layers {
		h := s.In(fmt.Sprintf("layer%d", i+1))
		if i > 0 {
			x = dropout(h, m.cfg.Dropout, in, x)
		}
		if m.lstm {
			x, _ = layer.LSTM{Hidden: m.cfg.Hidden, ForgetBias: m.cfg.Forget}.Apply(h, x, nil, nil)
		} else {
			x = layer.GRU{Hidden: m.cfg.Hidden}.Apply(h, x, nil)
		}
	}
	if m.cfg.Pool == "mean" {
		x = s.Apply(dense.Reduce{Kind: dense.Mean, Axes: dense.On(0)}, x)
	} else {
		x = s.Apply(recurrent.Part{Index: steps - 1}, x)
	}
	out := s.In("output")
	return train.Net{Output: layer.Linear{Out: m.task.Outputs}.Apply(out, dropout(out, m.cfg.Dropout, in, x))}
}

// steps makes x [batch, features] a series [steps, batch, inputs]: of a series the channels at each position, of an
// image the rows, all channels of them.
func (m cells) steps(s *engine.Scope, x *layer.Node) (series *layer.Node, steps int) {
	x, steps = m.of.fold(s, x), m.of.extents[0]
	if len(m.of.extents) == 1 {
		return s.Apply(dense.NewTranspose(2, 0, 1), x), steps
	}
	x = s.Apply(dense.NewTranspose(2, 0, 1, 3), x)
	return s.Apply(dense.Reshape{To: dense.ShapeOf(steps, -1, m.of.channels*m.of.extents[1])}, x), steps
}
