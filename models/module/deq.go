package module

import (
	"fmt"

	"ganglion/engine/train"
	"ganglion/models/zoo"
)

// DEQConfig configures module/deq.
type DEQConfig struct {
	Nodes      int     `yaml:"nodes" doc:"nodes of the implicit layer"`
	Activation string  `yaml:"activation" doc:"activation f of the nodes"`
	Solver     string  `yaml:"solver" doc:"auto, newton, fixedpoint, anderson or broyden"`
	Tol        float64 `yaml:"tol" doc:"residual of a solved sample over 1+max|x|; 0 is the type's own"`
	MaxIter    int     `yaml:"max_iter" doc:"iterations of a solver before it gives up; 0 is the solver's own"`
	Rho        float64 `yaml:"rho" doc:"spectral radius of W at the start"`
	Warm       bool    `yaml:"warm" doc:"start each solve from the sample's previous solution"`
}

// DEQ is the deep-equilibrium baseline: the graph of module/nm without pruning, which is one dense module.
//
// Paper: arXiv 1909.01377 (the model), arXiv 2306.02157 (the comparison)
// Data:  that of module/nm, same pipeline.
var DEQ = zoo.System{
	ID: "module/deq", Title: "deep equilibrium: one dense implicit layer", Paper: "arXiv 1909.01377",
	Priority: 2, Config: DEQConfig{Nodes: 100, Activation: "tanh", Solver: "auto", Rho: 0.9}, Build: buildDEQ,
	Tiny: DEQConfig{Nodes: 5, Activation: "tanh", Solver: "newton", Tol: 1e-13, Rho: 0.9}, Checks: checksDEQ,
	Data: []string{"gas", "hapt", "codon", "dsa", "facebook"}, Published: publishedDEQ,
}

func buildDEQ(c any, task train.Task) (train.Model, error) {
	cfg, ok := c.(DEQConfig)
	if !ok {
		return nil, fmt.Errorf("module/deq: configuration is a %T", c)
	}
	m, err := buildModules(
		ModulesConfig{Nodes: cfg.Nodes, Every: 1, Activation: cfg.Activation, Solver: cfg.Solver, Tol: cfg.Tol,
			MaxIter: cfg.MaxIter, Rho: cfg.Rho, Warm: cfg.Warm, Reg: "none"},
		task,
	)
	if err != nil {
		return nil, err
	}
	dense := m.(nm)
	dense.layer.Keep = -1
	return dense, nil
}
