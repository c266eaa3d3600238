package module

import (
	"fmt"
	"math"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/kernels/act"
	"ganglion/kernels/random"
	"ganglion/models/layer"
	"ganglion/models/zoo"
)

// MLPConfig configures module/mlp.
type MLPConfig struct {
	Hidden     int     `yaml:"hidden" doc:"width of each hidden layer; 0: as many parameters as module/nm"`
	Depth      int     `yaml:"depth" doc:"hidden layers"`
	Nodes      int     `yaml:"nodes" doc:"nodes of the module/nm that hidden: 0 matches"`
	Activation string  `yaml:"activation" doc:"activation of the hidden layers"`
	Dropout    float64 `yaml:"dropout" doc:"share of hidden units dropped while training"`
}

// MLP is the plain feed-forward network of the paper's tables (NN).
//
// Paper: arXiv 2306.02157 v4 (a baseline of its tables)
// Data:  that of module/nm, same pipeline.
var MLP = zoo.System{
	ID: "module/mlp", Title: "plain feed-forward network (NN of the tables)", Paper: "arXiv 2306.02157 v4, baseline",
	Priority: 2, Config: MLPConfig{Depth: 2, Nodes: 100, Activation: "tanh"}, Build: buildMLP,
	Tiny: MLPConfig{Hidden: 6, Depth: 2, Activation: "tanh"}, Checks: checksMLP,
	Data: []string{"gas", "hapt", "codon", "dsa", "facebook"}, Published: publishedMLP,
}

type mlp struct {
	task  train.Task
	cfg   MLPConfig
	f     act.Func
	width int
}

func buildMLP(c any, task train.Task) (train.Model, error) {
	cfg, ok := c.(MLPConfig)
	if !ok {
		return nil, fmt.Errorf("module/mlp: configuration is a %T", c)
	}
	f, err := act.Parse(cfg.Activation)
	if err != nil {
		return nil, fmt.Errorf("activation: %w", err)
	}
	if cfg.Depth < 0 || cfg.Depth > 1000 || cfg.Hidden < 0 || cfg.Nodes < 1 && cfg.Hidden == 0 {
		return nil, fmt.Errorf("depth %d, hidden %d, nodes %d: must not be negative, nor hidden and nodes both 0",
			cfg.Depth, cfg.Hidden, cfg.Nodes)
	}
	if !(cfg.Dropout >= 0 && cfg.Dropout < 1) {
		return nil, fmt.Errorf("dropout: %v is not in [0, 1)", cfg.Dropout)
	}
	m := mlp{task: task, cfg: cfg, f: f, width: cfg.Hidden}
	if m.width == 0 {
		m.width = EqualWidth(task, cfg.Depth, parametersNM(task, cfg.Nodes))
	}
	return m, nil
}

// parametersNM is the number of trainable numbers of module/nm: p(p−1) edges, p biases, n0·p, p·m and m.
func parametersNM(task train.Task, p int) int {
	return p*(p-1) + p + task.Inputs*p + p*task.Outputs + task.Outputs
}

// EqualWidth is the width h at which an MLP with depth hidden layers has nearest to n parameters:
// (depth−1)h² + (n0+m+depth)h + m = n.
func EqualWidth(task train.Task, depth, n int) int {
	if depth == 0 {
		return 0
	}
	a, b, c := float64(depth-1), float64(task.Inputs+task.Outputs+depth), float64(task.Outputs-n)
	h := -c / b
	if a > 0 {
		h = (-b + math.Sqrt(b*b-4*a*c)) / (2 * a)
	}
	return max(1, int(math.Round(h)))
}

// Forward writes the layers.
func (m mlp) Forward(s *engine.Scope, in train.Inputs) train.Net {
	x := in.X
	for i := range m.cfg.Depth {
		h := s.In(fmt.Sprintf("hidden%d", i+1))
		x = layer.Activation(h, m.f, layer.Linear{Out: m.width}.Apply(h, x))
		if m.cfg.Dropout > 0 && in.Key != nil {
			x = h.Apply(random.Dropout{Rate: m.cfg.Dropout, Stream: h.Stream()}, x, in.Key)
		}
	}
	return train.Net{Output: layer.Linear{Out: m.task.Outputs}.Apply(s.In("output"), x)}
}
