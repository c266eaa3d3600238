package tnn

import (
	"fmt"
	"math"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/random"
	"ganglion/kernels/spectral"
	"ganglion/models/layer"
	"ganglion/models/zoo"
)

// Config configures tnn/tnn and tnn/lowrank.
type Config struct {
	Shape      string `yaml:"shape" doc:"features and channels of a sample, like 8x8; empty: those of the data"`
	Transform  string `yaml:"transform" doc:"dct, dft, haar, id, orth (random orthogonal) or learned"`
	Width      int    `yaml:"width" doc:"features of a hidden layer"`
	Layers     int    `yaml:"layers" doc:"hidden layers"`
	Rank       int    `yaml:"rank" doc:"tubal rank of the weights, products of two factors; 0: full weights"`
	Bias       bool   `yaml:"bias" doc:"bias in hidden layers; the paper has none"`
	Activation string `yaml:"activation" doc:"activation of hidden layers"`
	Domain     string `yaml:"domain" doc:"where activations act: original, or transform (not with dft)"`
	Head       string `yaml:"head" doc:"dense, tubesum (sums of tubes), or tubal (log-probabilities of all slices)"`
}

// TNN is a network of t-products.
//
// Paper:     arXiv 2303.00196
// Equations: section 3: the layers, ReLU in the original domain; the head for several classes is ours.
// Data:      digits, 8 × 8; the paper has no experiments
// Departs:   bias by default, as the accuracy on digits is with it; bias=false is the paper's network.
var TNN = zoo.System{
	ID: "tnn/tnn", Title: "t-products under a transform along tubes", Paper: "arXiv 2303.00196", Priority: 2,
	Config: defaults(), Build: build, Recipe: recipe, Checks: checksTNN, Data: []string{"digits", "mnist"},
	Tiny: Config{
		Shape:      "2x2",
		Transform:  "dft",
		Width:      3,
		Layers:     2,
		Bias:       true,
		Activation: "tanh",
		Domain:     "original",
		Head:       "dense",
	},
}

// LowRank is a network whose weights are t-products of two thin factors.
//
// Paper:     arXiv 2303.00196
// Equations: section 4, exactly low tubal rank
// Data:      digits, 8 × 8; the paper has no experiments
// Departs:   as tnn/tnn.
var LowRank = zoo.System{
	ID: "tnn/lowrank", Title: "t-products with weights of low tubal rank", Paper: "arXiv 2303.00196", Priority: 2,
	Config: lowRank(), Build: build, Recipe: recipe, Checks: checksLowRank, Data: []string{"digits", "mnist"},
	Tiny: Config{Shape: "2x2", Transform: "learned", Width: 3, Layers: 2, Rank: 2, Activation: "tanh",
		Domain: "transform", Head: "tubesum"},
}

func defaults() Config {
	return Config{Transform: "dct", Width: 24, Layers: 2, Bias: true, Activation: "relu", Domain: "original",
		Head: "dense"}
}

func lowRank() Config {
	c := defaults()
	c.Rank = 3
	return c
}

// recipe is the training of the specification's acceptance run.
func recipe(o *train.Options) { o.LR, o.Epochs, o.Batch, o.Schedule = 2e-3, 60, 64, "constant" }

// maxUnits caps the sizes of a layer.
const maxUnits = 1 << 16

type network struct {
	task train.Task
	cfg  Config
	of   tubes
	f    act.Func
}

func build(c any, task train.Task) (train.Model, error) {
	cfg, ok := c.(Config)
	if !ok {
		return nil, fmt.Errorf("tnn: configuration is a %T", c)
	}
	of, err := shapeOf(cfg.Shape, task)
	if err != nil {
		return nil, err
	}
	f, err := act.Parse(cfg.Activation)
	if err != nil {
		return nil, fmt.Errorf("activation: %w", err)
	}
	if err := checkTransform(cfg.Transform, of.channels); err != nil {
		return nil, err
	}
	switch {
	case cfg.Width < 1 || cfg.Width > maxUnits || cfg.Layers < 1 || cfg.Layers > 1000:
		return nil, fmt.Errorf("width %d and layers %d must be from 1 to %d and 1000", cfg.Width, cfg.Layers, maxUnits)
	case cfg.Rank < 0 || cfg.Rank > maxUnits:
		return nil, fmt.Errorf("rank: %d must be from 0 to %d", cfg.Rank, maxUnits)
	case cfg.Domain != "original" && cfg.Domain != "transform":
		return nil, fmt.Errorf("domain: %q is not original or transform", cfg.Domain)
	case cfg.Domain == "transform" && cfg.Transform == "dft":
		return nil, fmt.Errorf("domain: the spectra of dft are complex: activations act in the original domain")
	case cfg.Head != "dense" && cfg.Head != "tubesum" && cfg.Head != "tubal":
		return nil, fmt.Errorf("head: %q is not dense, tubesum or tubal", cfg.Head)
	case cfg.Head == "tubal" && cfg.Transform == "dft":
		return nil, fmt.Errorf("head: the spectra of dft are complex: tubal needs a real transform")
	}
	return network{task, cfg, of, f}, nil
}

// Forward writes the layers, all in the domain of the transform but for the activations.
func (m network) Forward(s *engine.Scope, in train.Inputs) train.Net {
	g := product(s.In("transform"), m.cfg.Transform, m.of.channels)
	x, width := g.To(s, m.of.fold(s, in.X)), m.of.features
	for i := range m.cfg.Layers {
		h := s.In(fmt.Sprintf("hidden%d", i+1))
		y := m.linear(h, g, x, width, m.cfg.Width)
		width = m.cfg.Width
		var bias *Node
		if m.cfg.Bias {
			bias = h.Param("b", random.Zeros{}, m.of.channels, width)
		}
		switch {
		case m.cfg.Domain == "transform":
			if bias != nil {
				bias = g.To(h, bias)
			}
			x = m.activate(h, y, bias)
		case i == m.cfg.Layers-1 && m.cfg.Head == "dense": // the head wants the original domain
			x = m.activate(h, g.From(h, y), bias)
		default:
			x = g.Layer(h, m.f, y, bias)
		}
	}
	return train.Net{Output: m.head(s.In("output"), g, x, width)}
}

// linear writes the spectrum of x * w for a spectrum x [c, N, in], by two factors if there is a rank.
func (m network) linear(s *engine.Scope, g spectral.Algebra, x *Node, in, out int) *Node {
	c := m.of.channels
	variance := spread(m.cfg.Transform, in, c)
	if m.cfg.Rank == 0 {
		return g.Faces(s, x, g.To(s, weight(s, "W", variance, c, in, out)), false, false)
	}
	// Both factors have the variance of which r products have that of W.
	r, terms := m.cfg.Rank, 1.0
	if m.cfg.Transform == "dft" {
		terms = float64(c)
	}
	each := math.Sqrt(variance / (float64(r) * terms))
	x = g.Faces(s, x, g.To(s, weight(s, "Q", each, c, in, r)), false, false)
	return g.Faces(s, x, g.To(s, weight(s, "P", each, c, r, out)), false, false)
}

// activate writes f(x + bias) for x [c, N, d].
func (m network) activate(s *engine.Scope, x, bias *Node) *Node {
	if bias != nil {
		shape := kernels.SpecOf(bias).Shape
		bias = s.Apply(dense.Reshape{To: dense.ShapeOf(shape[0], 1, shape[1])}, bias)
		x = s.Apply(dense.Binary{Kind: dense.Add}, x, bias)
	}
	return layer.Activation(s, m.f, x)
}

// head writes the logits from features x: in the domain of the transform, but for the original one of a dense head
// whose activations act there.
func (m network) head(s *engine.Scope, g spectral.Algebra, x *Node, width int) *Node {
	if m.cfg.Head == "dense" {
		if m.cfg.Domain == "transform" {
			x = g.From(s, x)
		}
		return layer.Linear{Out: m.task.Outputs}.Apply(s, flat(s, x))
	}
	w := weight(s, "W", spread(m.cfg.Transform, width, m.of.channels)/2, m.of.channels, width, m.task.Outputs)
	if m.cfg.Head == "tubal" {
		return Tubal(s, g.Faces(s, x, g.To(s, w), false, false))
	}
	return TubeSums(s, g, x, w)
}

// TubeSums writes the sums of the tubes of x * w, [N, n], for the spectrum x [c, N, m] and w [c, m, n]. Under the
// fixed transforms that is one slice: the first of x with the sum of w's.
func TubeSums(s kernels.Builder, g spectral.Algebra, x, w *Node) *Node {
	sum := dense.Reduce{Kind: dense.Sum, Axes: dense.On(0)}
	if g.M != nil || g.Kind == spectral.None {
		return s.Apply(sum, g.From(s, g.Faces(s, x, g.To(s, w), false, false)))
	}
	shape := kernels.SpecOf(x).Shape
	first := s.Apply(dense.Slice{Axis: 0, Lo: 0, Hi: 1}, x)
	first = s.Apply(dense.Reshape{To: dense.ShapeOf(-1, shape[2])}, first)
	return s.Apply(dense.GEMM{}, first, s.Apply(sum, w))
}

// Tubal writes Σ_k log P̂(·, k) [N, classes] for spectra x [c, N, classes] of scores under a real transform: P̂ is the
// softmax of each slice. The largest is the prediction. As logits they make the slices experts, whose product is the
// prediction's probability; TubalLoss judges each slice by itself.
func Tubal(s kernels.Builder, x *Node) *Node {
	return s.Apply(dense.Reduce{Kind: dense.Sum, Axes: dense.On(0)}, s.Apply(dense.LogSoftmax{}, x))
}

// TubalLoss writes −mean log P̂(y, k) over samples and slices for spectra x [c, N, classes] and labels int32 [c·N],
// which are those of the samples c times.
func TubalLoss(s kernels.Builder, x, labels *Node) *Node {
	rows := s.Apply(dense.Reshape{To: dense.ShapeOf(-1, kernels.SpecOf(x).Shape[2])}, x)
	return s.Apply(dense.SoftmaxCrossEntropy{}, rows, labels)
}
