package engine_test

import (
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/engine"
	"ganglion/kernels"
)

// Random graphs, with and without gradients, several roots, shared nodes, constants and repetitions: our
// kernels agree with the ops' own Do on every number, and with gorgonia's tape machine but for graphs on
// which that machine itself does not agree with the ops.
func TestMachineRandomGraphs(t *testing.T) {
	graphs := 300
	if *full {
		graphs = 10000
	}
	compared, tapeWrong := 0, 0
	for seed := range uint64(graphs) {
		d := []tensor.Dtype{tensor.Float64, tensor.Float32}[seed%2]
		eval := seed%5 == 4
		e, err := weave(seed, d, eval)
		if err != nil {
			continue // gorgonia cannot write the graph
		}
		tol := tolerance(kernels.DTypeOf(d)) * 10
		var mode []engine.MachineOption
		var tapeMode []gorgonia.VMOpt
		if eval {
			mode, tapeMode = append(mode, engine.EvalMode()), append(tapeMode, gorgonia.EvalMode())
		}
		ours := runOnce(t, seed, e, engine.NewMachine(e.g, mode...))
		plain := runOnce(t, seed, e, engine.NewMachine(e.g, append(mode, engine.AsWritten())...))
		if ours == nil || plain == nil {
			if plain != nil {
				t.Errorf("seed %d: only our run fails", seed)
			}
			continue
		}
		compared++
		for i := range ours {
			if dist := distance(ours[i], plain[i]); !(dist <= tol) {
				t.Errorf(
					"seed %d, read %d: off by %.3g: %.9g, by their own Do %.9g",
					seed,
					i,
					dist,
					front(ours[i]),
					front(plain[i]),
				)
			}
		}
		if ambiguous(e.g) {
			continue // the tape machine may panic in a goroutine of its own, which nobody can recover
		}
		if tape := runOnce(t, seed, e, gorgonia.NewTapeMachine(e.g, tapeMode...)); tape != nil {
			for i := range ours {
				if dist := distance(ours[i], tape[i]); !(dist <= tol) {
					tapeWrong++
					t.Logf("seed %d, read %d: the tape machine is off by %.3g", seed, i, dist)
					break
				}
			}
		}
	}
	t.Logf("%d graphs of %d compared; the tape machine is wrong on %d", compared, graphs, tapeWrong)
	if compared < graphs*4/5 || tapeWrong > graphs/30 {
		t.Errorf("%d of %d graphs could be compared, and the tape machine differs on %d", compared, graphs, tapeWrong)
	}
}

// ambiguous reports whether a graph has tensors of one element, which the tape machine takes for numbers here and
// there.
func ambiguous(g *gorgonia.ExprGraph) bool {
	for _, n := range g.AllNodes() {
		if n.Op() != nil && n.Shape().Dims() > 0 && n.Shape().TotalSize() == 1 {
			return true
		}
	}
	return false
}

// runOnce runs a machine and returns what is read, nil when the run fails.
func runOnce(t *testing.T, seed uint64, e *example, m gorgonia.VM) [][]float64 {
	t.Helper()
	defer m.Close()
	for _, v := range e.reads {
		*v = nil
	}
	if err := m.RunAll(); err != nil {
		t.Logf("seed %d: %v", seed, err)
		return nil
	}
	var out [][]float64
	for _, v := range e.reads {
		out = append(out, flat(t, *v))
	}
	return out
}
