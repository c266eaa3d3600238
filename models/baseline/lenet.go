package baseline

import (
	"fmt"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/kernels/act"
	"ganglion/kernels/conv"
	"ganglion/models/layer"
	"ganglion/models/zoo"
)

// LeNetConfig configures baseline/lenet.
type LeNetConfig struct {
	Shape      string  `yaml:"shape" doc:"channels and extents of a sample, like 1x28x28; empty: those of the data"`
	Channels   int     `yaml:"channels" doc:"channels of the first convolution; the second has twice as many"`
	Kernel     int     `yaml:"kernel" doc:"size of the kernels, odd; 0: 5 for extents from 20 on, else 3"`
	Hidden     int     `yaml:"hidden" doc:"width of the hidden layer behind the convolutions; 0: none"`
	Pool       string  `yaml:"pool" doc:"max or avg: pooling behind each convolution"`
	Global     bool    `yaml:"global" doc:"mean of each channel over all positions in front of the dense layers"`
	Norm       bool    `yaml:"norm" doc:"batch normalisation behind each convolution"`
	Activation string  `yaml:"activation" doc:"activation behind convolutions and hidden layer"`
	Dropout    float64 `yaml:"dropout" doc:"share of hidden units dropped while training"`
}

// LeNet is a small convolutional network for images, and for series by convolutions over time: twice convolution,
// activation, pooling by 2, then a hidden and an output layer.
//
// Paper: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-Based Learning Applied to Document Recognition, 1998
// Departures: all channels of the second convolution are connected, a plain linear output layer in place of radial
// units, one hidden layer, padding that keeps the extents.
var LeNet = zoo.System{
	ID: "baseline/lenet", Title: "small convolutional network for images and series",
	Paper: "doi 10.1109/5.726791", Priority: 3,
	Config: lenetDefaults(), Build: buildLeNet,
	Tiny:   LeNetConfig{Shape: "1x2x2", Channels: 2, Kernel: 1, Hidden: 3, Pool: "avg", Activation: "tanh"},
	Checks: checksLeNet, Data: []string{"digits", "mnist", "fashion-mnist", "basic-motions"},
}

func lenetDefaults() LeNetConfig {
	return LeNetConfig{Channels: 8, Hidden: 120, Pool: "max", Activation: "relu"}
}

type lenet struct {
	task   train.Task
	cfg    LeNetConfig
	of     signal
	f      act.Func
	kernel int
}

func buildLeNet(c any, task train.Task) (train.Model, error) {
	cfg, ok := c.(LeNetConfig)
	if !ok {
		return nil, fmt.Errorf("baseline/lenet: configuration is a %T", c)
	}
	of, err := shapeOf(cfg.Shape, task)
	if err != nil {
		return nil, err
	}
	f, err := act.Parse(cfg.Activation)
	if err != nil {
		return nil, fmt.Errorf("activation: %w", err)
	}
	switch {
	case cfg.Channels < 1 || cfg.Channels > maxUnits || cfg.Hidden < 0 || cfg.Hidden > maxUnits:
		return nil, fmt.Errorf("channels %d, hidden %d: must be from 1 and from 0 to %d", cfg.Channels, cfg.Hidden,
			maxUnits)
	case cfg.Kernel < 0 || cfg.Kernel > 0 && cfg.Kernel%2 == 0 || cfg.Kernel > maxUnits:
		return nil, fmt.Errorf("kernel: %d is not odd", cfg.Kernel)
	case cfg.Pool != "max" && cfg.Pool != "avg":
		return nil, fmt.Errorf("pool: %q is not max or avg", cfg.Pool)
	}
	if err := checkRate(cfg.Dropout); err != nil {
		return nil, err
	}
	return lenet{task, cfg, of, f, kernelSize(cfg.Kernel, of.extents)}, nil
}

// maxUnits caps the units and channels of a layer.
const maxUnits = 1 << 20

// kernelSize is the size of the kernels.
func kernelSize(asked int, extents []int) int {
	if asked > 0 {
		return asked
	}
	for _, e := range extents {
		if e < 20 {
			return 3
		}
	}
	return 5
}

// Forward writes the layers.
func (m lenet) Forward(s *engine.Scope, in train.Inputs) train.Net {
	x, of := m.of.fold(s, in.X), m.of
	for i := range 2 {
		x, of = m.stage(s.In(fmt.Sprintf("conv%d", i+1)), x, of, m.cfg.Channels<<i)
	}
	features := of.channels
	if m.cfg.Global {
		x = layer.GlobalAvgPool(s, x)
	} else {
		for _, e := range of.extents {
			features *= e
		}
		x = flat(s, x, features)
	}
	if m.cfg.Hidden > 0 {
		h := s.In("hidden")
		x = layer.Activation(h, m.f, layer.Linear{Out: m.cfg.Hidden}.Apply(h, x))
		x = dropout(h, m.cfg.Dropout, in, x)
	}
	return train.Net{Output: layer.Linear{Out: m.task.Outputs}.Apply(s.In("output"), x)}
}

// stage is a convolution that keeps the extents, an activation, and pooling by 2 along the extents above 1.
func (m lenet) stage(s *engine.Scope, x *layer.Node, of signal, channels int) (*layer.Node, signal) {
	dims := len(of.extents)
	c := layer.Conv{Out: channels, Geometry: conv.Conv{Dims: dims}}
	w := conv.Window{Dims: dims}
	next := signal{channels: channels}
	for i, e := range of.extents {
		c.Kernel[i], c.Geometry.Pad[i] = m.kernel, int32(m.kernel/2)
		w.Kernel[i] = int32(min(2, e))
		next.extents = append(next.extents, e/int(w.Kernel[i]))
	}
	x = c.Apply(s, x)
	if m.cfg.Norm {
		x = layer.BatchNorm{}.Apply(s, x)
	}
	x = layer.Activation(s, m.f, x)
	if m.cfg.Pool == "max" {
		return layer.MaxPool(s, w, x), next
	}
	return layer.AvgPool(s, w, x), next
}
