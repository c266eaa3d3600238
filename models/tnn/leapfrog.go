package tnn

import (
	"fmt"

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

// LeapfrogConfig configures tnn/leapfrog.
type LeapfrogConfig struct {
	Shape      string  `yaml:"shape" doc:"features and channels of a sample, like 8x8; empty: those of the data"`
	Transform  string  `yaml:"transform" doc:"dct, dft, haar, id, orth (random orthogonal) or learned"`
	Width      int     `yaml:"width" doc:"features of a block, made from those of the data by a t-product; 0: as many"`
	Blocks     int     `yaml:"blocks" doc:"leapfrog steps"`
	Step       float64 `yaml:"step" doc:"step size h"`
	Activation string  `yaml:"activation" doc:"activation of the blocks"`
}

// Leapfrog is a Hamiltonian network of t-products: Z ← Z − h·f(W_jᵀ * Y + b_j), Y ← Y + h·f(W_j * Z + b_j), Z = 0 at
// first, which neither explodes nor dies with depth.
//
// Paper:     arXiv 2303.00196 (products), E. Haber and L. Ruthotto 2017 (the scheme)
// Equations: the block as the specification has it
// Data:      digits, 8 × 8
// Departs:   a t-product in front gives the width, a dense layer behind the classes.
var Leapfrog = zoo.System{
	ID: "tnn/leapfrog", Title: "leapfrog steps of t-products", Paper: "arXiv 1705.03341", Priority: 3,
	Config: leapfrogDefaults(), Build: buildLeapfrog, Recipe: recipe, Checks: checksLeapfrog,
	Data: []string{"digits", "mnist"},
	Tiny: LeapfrogConfig{Shape: "2x2", Transform: "dct", Width: 3, Blocks: 2, Step: 0.3, Activation: "tanh"},
}

func leapfrogDefaults() LeapfrogConfig {
	return LeapfrogConfig{Transform: "dct", Width: 24, Blocks: 4, Step: 0.25, Activation: "tanh"}
}

type leapfrog struct {
	task train.Task
	cfg  LeapfrogConfig
	of   tubes
	f    act.Func
}

func buildLeapfrog(c any, task train.Task) (train.Model, error) {
	cfg, ok := c.(LeapfrogConfig)
	if !ok {
		return nil, fmt.Errorf("tnn/leapfrog: configuration is a %T", c)
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
	if cfg.Width < 0 || cfg.Width > maxUnits || cfg.Blocks < 1 || cfg.Blocks > 1000 ||
		!(cfg.Step > 0 && cfg.Step <= 10) {
		return nil, fmt.Errorf(
			"width %d, blocks %d, step %v: must be from 0 to %d, from 1 to 1000, and above 0, at most "+
				"10",
			cfg.Width,
			cfg.Blocks,
			cfg.Step,
			maxUnits,
		)
	}
	return leapfrog{task, cfg, of, f}, nil
}

// Forward writes the blocks.
func (m leapfrog) Forward(s *engine.Scope, in train.Inputs) train.Net {
	c := m.of.channels
	g := product(s.In("transform"), m.cfg.Transform, c)
	y, width := m.of.fold(s, in.X), m.of.features
	if m.cfg.Width > 0 {
		h := s.In("input")
		y = g.Product(h, y, weight(h, "W", spread(m.cfg.Transform, width, c)/2, c, width, m.cfg.Width), false, false)
		width = m.cfg.Width
	}
	var z *Node
	for i := range m.cfg.Blocks {
		h := s.In(fmt.Sprintf("block%d", i+1))
		w := weight(h, "W", spread(m.cfg.Transform, width, c)/2, c, width, width)
		y, z = Step(h, g, m.f, m.cfg.Step, y, z, w, h.Param("b", random.Zeros{}, c, width))
	}
	return train.Net{Output: layer.Linear{Out: m.task.Outputs}.Apply(s.In("output"), flat(s, y))}
}

// Step writes a leapfrog step of y and z [c, N, d], z nil for zeros, with w [c, d, d] and a bias b [c, d].
func Step(s kernels.Builder, g spectral.Algebra, f act.Func, h float64, y, z, w, b *Node) (newY, newZ *Node) {
	shape := kernels.SpecOf(b).Shape
	bias := s.Apply(dense.Reshape{To: dense.ShapeOf(shape[0], 1, shape[1])}, b)
	half := func(x *Node, trans bool, step float64) *Node {
		sum := s.Apply(dense.Binary{Kind: dense.Add}, g.Product(s, x, w, false, trans), bias)
		return s.Apply(dense.Scale{Alpha: step}, s.Apply(dense.Unary{F: f}, sum))
	}
	if newZ = half(y, true, -h); z != nil {
		newZ = s.Apply(dense.Binary{Kind: dense.Add}, z, newZ)
	}
	return s.Apply(dense.Binary{Kind: dense.Add}, y, half(newZ, false, h)), newZ
}
