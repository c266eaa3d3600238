package module

import (
	"fmt"
	"math"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/implicit"
	"ganglion/models/layer"
	"ganglion/models/zoo"
)

// ModulesConfig configures module/nm. Defaults are those that made modules form on the gas and HAPT data (see
// docs/RATIONALE.md).
type ModulesConfig struct {
	Nodes      int     `yaml:"nodes" doc:"nodes p of the graph"`
	Keep       float64 `yaml:"keep" doc:"edges kept: a fraction of p(p-1) when below 1, else a number"`
	Every      int     `yaml:"restructure_every" doc:"steps between two restructurings (1 in the paper)"`
	Activation string  `yaml:"activation" doc:"activation f of the nodes"`
	Solver     string  `yaml:"solver" doc:"auto, newton, fixedpoint, anderson or broyden"`
	Tol        float64 `yaml:"tol" doc:"residual of a solved sample over 1+max|x|; 0 is the type's own"`
	MaxIter    int     `yaml:"max_iter" doc:"iterations of a solver before it gives up; 0 is the solver's own"`
	Rho        float64 `yaml:"rho" doc:"spectral radius of W at the start"`
	Reg        string  `yaml:"reg" doc:"regulariser: none, l1, l2, nm, nm-l1 or nm-l2"`
	Alpha      float64 `yaml:"alpha" doc:"strength of the regulariser"`
	Scaling    string  `yaml:"scaling" doc:"scaling of nm's repulsion: size or mean"`
	Eps        float64 `yaml:"eps" doc:"ε of the distance d = 1 + ε − |w|/max|w|"`
	Warm       bool    `yaml:"warm" doc:"start each solve from the sample's previous solution"`
}

// Modules is Neural Modules: one complete directed graph, pruned while it learns; its strongly connected components are
// solved as small implicit systems.
//
// Paper:    arXiv 2306.02157 v4
// Data:     gas, hapt, codon, facebook, dsa; standardised features
// Departs:  the distance d_ij is reconstructed (the text does not define it); the repulsion is decoupled from the
// optimiser.
var Modules = zoo.System{
	ID: "module/nm", Title: "Neural Modules on a pruned general graph", Paper: "arXiv 2306.02157 v4",
	Priority: 1, Config: ModulesConfig{Nodes: 100, Keep: 0.03, Every: 1, Activation: "tanh", Solver: "auto", Rho: 0.9,
		Reg: "nm", Alpha: 10, Scaling: "size", Eps: 0.1},
	// All edges are kept: the gradient of an edge that is not kept is, by intent, not that of the pruned network.
	Tiny: ModulesConfig{
		Nodes:      5,
		Keep:       20,
		Every:      1,
		Activation: "tanh",
		Solver:     "newton",
		Tol:        1e-13,
		Rho:        0.9,
		Reg:        "none",
	},
	Build:     buildModules,
	Checks:    checksNM,
	Data:      []string{"gas", "hapt", "codon", "dsa", "facebook"},
	Published: publishedNM,
}

// nm is a configured network for one task.
type nm struct {
	task  train.Task
	cfg   ModulesConfig
	layer layer.Modules
	reg   *implicit.Regularise // without offset; nil for none
}

func buildModules(c any, task train.Task) (train.Model, error) {
	cfg, ok := c.(ModulesConfig)
	if !ok {
		return nil, fmt.Errorf("module/nm: configuration is a %T", c)
	}
	p := cfg.Nodes
	if p < 1 || p > 20000 {
		return nil, fmt.Errorf("nodes: %d is not between 1 and 20000", p)
	}
	keep, err := kept(cfg.Keep, p)
	if err != nil {
		return nil, err
	}
	solve, err := solver(cfg)
	if err != nil {
		return nil, err
	}
	reg, err := regulariser(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Every < 1 {
		return nil, fmt.Errorf("restructure_every: %d is below 1", cfg.Every)
	}
	m := nm{
		task:  task,
		cfg:   cfg,
		reg:   reg,
		layer: layer.Modules{Keep: keep, Every: cfg.Every, Rho: cfg.Rho, Solve: solve},
	}
	if cfg.Warm {
		m.layer.Warm = task.Examples
	}
	return m, nil
}

// kept turns the configured fraction or number into a number of edges of a complete graph with p nodes.
func kept(keep float64, p int) (int, error) {
	all := p * (p - 1)
	switch {
	case !(keep >= 0) || keep > float64(max(all, 1)):
		return 0, fmt.Errorf("keep: %v is neither a fraction below 1 nor a number of the %d edges", keep, all)
	case keep < 1:
		return int(math.Round(keep * float64(all))), nil
	case keep != math.Trunc(keep):
		return 0, fmt.Errorf("keep: %v edges is not a whole number", keep)
	}
	return int(keep), nil
}

func solver(cfg ModulesConfig) (implicit.Solve, error) {
	f, err := act.Parse(cfg.Activation)
	if err != nil {
		return implicit.Solve{}, fmt.Errorf("activation: %w", err)
	}
	method, err := implicit.ParseMethod(cfg.Solver)
	if err != nil {
		return implicit.Solve{}, fmt.Errorf("solver: %w", err)
	}
	if !(cfg.Tol >= 0) || cfg.MaxIter < 0 || !(cfg.Rho > 0) {
		return implicit.Solve{}, fmt.Errorf("tol %v and max_iter %d must not be negative, rho %v must be positive",
			cfg.Tol, cfg.MaxIter, cfg.Rho)
	}
	return implicit.Solve{Act: f, Method: method, Tol: cfg.Tol, MaxIter: cfg.MaxIter}, nil
}

func regulariser(cfg ModulesConfig) (*implicit.Regularise, error) {
	if cfg.Reg == "none" || cfg.Alpha == 0 {
		return nil, nil
	}
	kind, err := implicit.ParseKind(cfg.Reg)
	if err != nil {
		return nil, fmt.Errorf("reg: %w", err)
	}
	scaling, err := implicit.ParseScaling(cfg.Scaling)
	if err != nil {
		return nil, fmt.Errorf("scaling: %w", err)
	}
	if !(cfg.Alpha > 0) || !(cfg.Eps > 0) {
		return nil, fmt.Errorf("alpha %v and eps %v must be positive", cfg.Alpha, cfg.Eps)
	}
	return &implicit.Regularise{Kind: kind, Scaling: scaling, Eps: cfg.Eps, P: cfg.Nodes}, nil
}

// Forward writes Eq. (1) and (2).
func (m nm) Forward(s *engine.Scope, in train.Inputs) train.Net {
	c := layer.Linear{Out: m.cfg.Nodes}.Apply(s.In("input"), in.X)
	l := m.layer
	l.Row, l.Step = in.Row, in.Step
	out := l.Apply(s.In("modules"), c)
	net := train.Net{Output: layer.Linear{Out: m.task.Outputs}.Apply(s.In("output"), out.F), Strength: m.cfg.Alpha}
	if m.reg != nil {
		net.After = []train.Update{func(b kernels.Builder, z *kernels.Node, block train.Block) *kernels.Node {
			op := *m.reg
			op.Offset = block.Offset(out.W)
			return b.Apply(op, z, out.Structure, block.Hyper, block.OK)
		}}
	}
	return net
}
