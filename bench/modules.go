package bench

import (
	"fmt"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/kernels/act"
	"ganglion/kernels/implicit"
	"ganglion/models/layer"
	"ganglion/models/module"
)

func modulesWorkload() workload {
	const title = "training steps of module/nm: structure, solve, implicit gradient for all edges, Adam"
	return workload{"modules", title, "W5", modulesCases}
}

// modulesCase is a network of p nodes with n0 inputs, of whose edges a fraction is kept.
type modulesCase struct {
	p, n0, outputs, batch int
	keep                  float64
	tol                   float64
}

func modulesCases(e env) []bench {
	cases := []modulesCase{
		{100, 128, 6, 64, 0.03, 0},
		{100, 128, 4, 32, 0.3, 1e-6},
		{300, 128, 4, 32, 0.3, 1e-6},
	}
	if e.quick {
		cases = []modulesCase{{9, 4, 3, 5, 0.3, 1e-5}}
	}
	var out []bench
	for _, c := range cases {
		size := Size{{"op", "neural-modules-step"}, {"p", c.p}, {"n0", c.n0}, {"outputs", c.outputs},
			{"batch", c.batch}, {"keep", c.keep}}
		if c.tol > 0 {
			size = append(size, Dim{"tol", c.tol})
		}
		out = append(out, bench{size, c.open})
	}
	return out
}

// open configures module/nm; without a tolerance it is the network at its defaults, regulariser included.
func (c modulesCase) open(e env) (*runner, error) {
	cfg, ok := module.Modules.Config.(module.ModulesConfig)
	if !ok {
		return nil, fmt.Errorf("the configuration of %s is a %T", module.Modules.ID, module.Modules.Config)
	}
	cfg.Nodes, cfg.Keep = c.p, c.keep
	if c.tol > 0 {
		cfg.Tol, cfg.Reg = c.tol, "none"
	}
	task := train.Task{Kind: train.Classify, Inputs: c.n0, Outputs: c.outputs, Examples: batches * c.batch}
	m, err := module.Modules.Build(cfg, task)
	if err != nil {
		return nil, err
	}
	r, t, err := openStep(e, m, task, c.batch, still)
	if err != nil {
		return nil, err
	}
	dense := float64(c.batch) * (4*float64(c.n0*c.p) + 6*float64(c.p*c.outputs) + 2*float64(c.p*c.p))
	r.solves(e, t, c.batch, dense)
	return r, nil
}

// solves sets the runner's work and facts from what the solvers report of the last step. An iteration counts as one
// product of the kept edges with the batch, which is the least that any method does.
func (r *runner) solves(e env, t *train.Trainer, batch int, dense float64) {
	step, _ := t.Programs()
	r.work = func() Work {
		flops, kept := dense, 0
		for _, s := range step.Reports() {
			kept = max(kept, s.Report.Structure.Kept)
		}
		for _, s := range step.Reports() {
			if s.Report.Samples > 0 {
				flops += 2 * float64(kept*batch) * float64(s.Report.Total) / float64(s.Report.Samples)
			}
		}
		return Work{Flops: flops, Bytes: updateBytes(e, t), Set: updateBytes(e, t)}
	}
	more := r.facts
	r.facts = func() []Fact {
		var out []Fact
		if more != nil {
			out = more()
		}
		for _, s := range step.Reports() {
			rep := s.Report
			if rep.Samples > 0 {
				out = append(out, Fact{s.Op + " iterations", round(float64(rep.Total) / float64(rep.Samples))},
					Fact{s.Op + " failed", float64(rep.Failed)}, Fact{s.Op + " residual", round(rep.Worst)})
			}
			if st := rep.Structure; st.Nodes > 0 {
				out = append(out, Fact{"edges kept", float64(st.Kept)}, Fact{"cyclic modules", float64(st.Cyclic)},
					Fact{"largest module", float64(st.Largest)})
			}
		}
		return out
	}
}

func deqWorkload() workload {
	const title = "training steps of one dense implicit layer z = tanh(zW + xU + b), squared error and Adam"
	return workload{"deq", title, "W5", deqCases}
}

// deq is z = tanh(z·W + x·U + b), W without its diagonal; the output is z itself.
type deq struct {
	width int
	solve implicit.Solve
}

// Forward writes the equation.
func (m deq) Forward(s *engine.Scope, in train.Inputs) train.Net {
	c := layer.Linear{Out: m.width}.Apply(s.In("input"), in.X)
	return train.Net{Output: layer.Modules{Keep: -1, Rho: 0.9, Solve: m.solve}.Apply(s.In("layer"), c).F}
}

func deqCases(e env) []bench {
	widths, batch, tol := []int{256, 1024}, 64, 1e-4
	if e.quick {
		widths, batch = []int{11}, 5
	}
	var out []bench
	for _, d := range widths {
		size := Size{{"op", "deq-step"}, {"batch", batch}, {"width", d}, {"tol", tol}}
		out = append(out, bench{size, func(e env) (*runner, error) {
			task := train.Task{Kind: train.Regress, Inputs: d, Outputs: d, Examples: batches * batch}
			r, t, err := openStep(e, deq{d, implicit.Solve{Act: act.Tanh, Tol: tol}}, task, batch, still)
			if err != nil {
				return nil, err
			}
			r.solves(e, t, batch, 6*float64(batch*d*d))
			return r, nil
		}})
	}
	return out
}
