package equivariant

import (
	"fmt"
	"strconv"
	"strings"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/diagram/calculus"
	"ganglion/models/layer"
	"ganglion/models/zoo"
)

// Config configures equivariant/eqmlp.
type Config struct {
	Group    string `yaml:"group" doc:"S, O, SO or Sp: what acts on every axis"`
	N        int    `yaml:"n" doc:"length of the axes; 0: the one that fits the features"`
	Orders   string `yaml:"orders" doc:"axes of the input, of each hidden layer and of the output, like 2-2-0"`
	Channels int    `yaml:"channels" doc:"channels of the hidden layers"`
	Inputs   int    `yaml:"inputs" doc:"channels of the input"`
	Gate     string `yaml:"gate" doc:"relu (S alone), norm (not Sp), scalar or none; auto: by the group"`
	Hidden   int    `yaml:"hidden" doc:"width of a hidden layer behind an output of order 0; 0: none"`
	Sums     bool   `yaml:"sums" doc:"sums over axes of the input instead of means, which carry over to other n"`
}

// EqMLP is a network of equivariant layers through any path of orders.
//
// Paper:     arXiv 2304.14144
// Equations: (1) of the package's layer; relu for S_n, gates for the other groups
// Data:      triangles, handedness; any tensors as rows: channels, then n^k numbers each
var EqMLP = zoo.System{
	ID: "equivariant/eqmlp", Title: "layers that commute with S_n, O(n), SO(n) or Sp(n)", Paper: "arXiv 2304.14144",
	Priority: 2, Config: Config{Group: "S", Orders: "2-2-0", Channels: 16, Inputs: 1, Gate: "auto", Hidden: 32},
	Tiny:  Config{Group: "O", N: 2, Orders: "2-2-1-0", Channels: 3, Inputs: 1, Gate: "norm", Hidden: 3},
	Build: build, Checks: checks, Data: []string{"triangles", "handedness"},
}

// The gates.
const (
	gateReLU   = "relu"
	gateNorm   = "norm"
	gateScalar = "scalar"
	gateNone   = "none"
)

type eqmlp struct {
	task   train.Task
	cfg    Config
	group  calculus.Group
	n      int
	orders []int
	gate   string
	out    int // channels of the last layer
}

func build(c any, task train.Task) (train.Model, error) {
	cfg, ok := c.(Config)
	if !ok {
		return nil, fmt.Errorf("equivariant/eqmlp: configuration is a %T", c)
	}
	m := eqmlp{task: task, cfg: cfg, n: cfg.N}
	var err error
	if m.group, err = calculus.ParseGroup(cfg.Group); err != nil {
		return nil, err
	}
	if m.orders, err = parseOrders(cfg.Orders); err != nil {
		return nil, err
	}
	if cfg.Channels < 1 || cfg.Inputs < 1 || cfg.Hidden < 0 || max(cfg.Channels, cfg.Inputs, cfg.Hidden) > 1<<16 {
		return nil, fmt.Errorf("channels %d, inputs %d, hidden %d: must be from 1, 1 and 0 to 65536", cfg.Channels,
			cfg.Inputs, cfg.Hidden)
	}
	if err := m.fitAxes(); err != nil {
		return nil, err
	}
	if m.gate, err = gateFor(cfg.Gate, m.group); err != nil {
		return nil, err
	}
	return m, m.fitOutput()
}

func parseOrders(text string) ([]int, error) {
	var orders []int
	for word := range strings.SplitSeq(text, "-") {
		k, err := strconv.Atoi(word)
		if err != nil || k < 0 || k > calculus.MaxVertices {
			return nil, fmt.Errorf("orders: %q is not a path like 2-2-0", text)
		}
		orders = append(orders, k)
	}
	if len(orders) < 2 {
		return nil, fmt.Errorf("orders: %q has no layer: name input and output, like 2-0", text)
	}
	return orders, nil
}

// fitAxes finds n, or checks it against the features.
func (m *eqmlp) fitAxes() error {
	features := func(n int) int {
		size := m.cfg.Inputs
		for range m.orders[0] {
			if size > m.task.Inputs {
				break
			}
			size *= n
		}
		return size
	}
	if m.n == 0 {
		for m.n = 1; m.orders[0] > 0 && features(m.n) < m.task.Inputs; m.n++ {
		}
	}
	if err := m.group.Check(m.n); err != nil {
		return err
	}
	if features(m.n) != m.task.Inputs {
		return fmt.Errorf("the data have %d features, not %d channels of %d^%d numbers: set n, inputs and orders",
			m.task.Inputs, m.cfg.Inputs, m.n, m.orders[0])
	}
	for i, k := range m.orders[1:] {
		if _, err := calculus.Enumerate(m.group, m.n, k, m.orders[i]); err != nil {
			return fmt.Errorf("layer %d: %w", i+1, err)
		}
	}
	return nil
}

func gateFor(name string, g calculus.Group) (string, error) {
	switch name {
	case "auto":
		switch g {
		case calculus.S:
			return gateReLU, nil
		case calculus.Sp:
			return gateScalar, nil
		}
		return gateNorm, nil
	case gateReLU:
		if g != calculus.S {
			return "", fmt.Errorf("gate: relu of single elements does not commute with %s(n): take norm or scalar", g)
		}
		return name, nil
	case gateNorm:
		if g == calculus.Sp {
			return "", fmt.Errorf("gate: Sp(n) does not keep the norm: take scalar")
		}
		return name, nil
	case gateScalar, gateNone:
		return name, nil
	}
	return "", fmt.Errorf("gate: %q is not auto, relu, norm, scalar or none", name)
}

// fitOutput finds the channels of the last layer.
func (m *eqmlp) fitOutput() error {
	last := m.orders[len(m.orders)-1]
	if last == 0 && m.cfg.Hidden > 0 {
		m.out = m.cfg.Hidden
		return nil
	}
	size := 1
	for range last {
		size *= m.n
	}
	if m.task.Outputs%size != 0 {
		return fmt.Errorf("orders: an output of order %d has %d numbers a channel, the task %d outputs", last, size,
			m.task.Outputs)
	}
	m.out = m.task.Outputs / size
	return nil
}

// Forward writes the layers.
func (m eqmlp) Forward(s *engine.Scope, in train.Inputs) train.Net {
	shape := []int{-1, m.cfg.Inputs}
	for range m.orders[0] {
		shape = append(shape, m.n)
	}
	x := s.Apply(dense.Reshape{To: dense.ShapeOf(shape...)}, in.X)
	for i, k := range m.orders[1:] {
		l := s.In(fmt.Sprintf("layer%d", i+1))
		if last := i == len(m.orders)-2; last {
			x = m.layer(k, m.out).Apply(l, x)
			break
		}
		x = m.between(l, m.layer(k, m.cfg.Channels).Apply(l, x), x)
	}
	if m.orders[len(m.orders)-1] == 0 && m.cfg.Hidden > 0 {
		x = layer.Activation(s.In("hidden"), m.smooth(), x)
		return train.Net{Output: layer.Linear{Out: m.task.Outputs}.Apply(s.In("output"), x)}
	}
	return train.Net{Output: s.Apply(dense.Reshape{To: dense.ShapeOf(-1, m.task.Outputs)}, x)}
}

// smooth is the activation of invariant numbers.
func (m eqmlp) smooth() act.Func {
	if m.gate == gateReLU {
		return act.ReLU
	}
	return act.Tanh
}

func (m eqmlp) layer(order, channels int) Layer {
	return Layer{Group: m.group, N: m.n, Order: order, Out: channels, Sums: m.cfg.Sums}
}

// between is the non-linearity behind a layer that made z of x.
func (m eqmlp) between(s *engine.Scope, z, x *Node) *Node {
	switch m.gate {
	case gateReLU:
		return layer.Activation(s, act.ReLU, z)
	case gateNorm:
		return NormGate(s, z)
	case gateScalar:
		return ScalarGate(s, z, m.layer(0, m.cfg.Channels).Apply(s.In("gate"), x))
	}
	return z
}
