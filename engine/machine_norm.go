package engine

import (
	"fmt"
	"reflect"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/engine/exec"
	"ganglion/engine/plan"
	"ganglion/kernels"
)

// machineNorm is a statistic of a batch normalisation, which gorgonia keeps in the op: an input whose value is the op's
// tensor and, in training, an output that goes there after a run.
type machineNorm struct {
	name string
	to   kernels.Tensor // the op's memory
	out  int            // the output, -1 for none
}

// normalisations declares the statistics of the batch normalisations among the nodes as inputs of the graph. An op that
// several nodes apply keeps one state for all and runs through its own Do.
func normalisations(g *Graph, nodes []*Node) []machineNorm {
	applied := map[*gorgonia.BatchNormOp]int{}
	for _, n := range nodes {
		if op, ok := n.Op().(*gorgonia.BatchNormOp); ok {
			applied[op]++
		}
	}
	var out []machineNorm
	g.running = map[*Node]plan.Running{}
	state := gorgonia.NewGraph() // for nodes that stand for what no node of the graph holds
	for _, n := range nodes {
		op, ok := n.Op().(*gorgonia.BatchNormOp)
		if !ok || applied[op] != 1 {
			continue
		}
		mean, variance := op.Stats()
		squares := (*tensor.Dense)(reflect.ValueOf(op).Elem().FieldByName("saveVariance").UnsafePointer())
		var leaves [3]*Node
		for i, v := range []gorgonia.Value{mean, variance, squares} {
			t, err := exec.FromValue(v)
			if err != nil {
				break
			}
			name := fmt.Sprintf("%%%x/%s", n.ID(), [...]string{"running mean", "running variance", "squares"}[i])
			leaves[i] = gorgonia.NewVector(state, v.Dtype(), gorgonia.WithShape(v.Shape()...),
				gorgonia.WithName(name), gorgonia.WithValue(v))
			g.add(leaves[i], leaf{kind: kindInput, name: name, spec: t.Spec})
			out = append(out, machineNorm{name: name, to: t})
		}
		if leaves[2] != nil {
			g.running[n] = plan.Running{Mean: leaves[0], Variance: leaves[1], Squares: leaves[2]}
		}
	}
	return out
}

// find looks for the output of the program that is the next value.
func (m *machineNorm) find(p *Program) {
	m.out = -1
	for i, o := range p.plan.Outputs {
		if o.Name == plan.Next(m.name) {
			m.out = i
		}
	}
}

// keep takes the value over after a run.
func (m *machineNorm) keep(p *Program) error {
	if m.out < 0 {
		return nil
	}
	t, err := p.output(m.out)
	if err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	t.CopyTo(m.to)
	return nil
}

// machineMode is an op that knows training from evaluation, and the mode that the program was compiled for.
type machineMode struct {
	node     *Node
	training bool
}

func modesOf(nodes []*Node) []machineMode {
	var out []machineMode
	for _, n := range nodes {
		if n.Op() == nil {
			continue
		}
		if training, ok := plan.Training(n); ok {
			out = append(out, machineMode{n, training})
		}
	}
	return out
}

// modesChanged reports whether an op has been switched since the program was compiled.
func (m *Machine) modesChanged() bool {
	for _, o := range m.modes {
		if training, _ := plan.Training(o.node); training != o.training {
			return true
		}
	}
	return false
}
