package plan

import (
	"fmt"

	"ganglion/kernels"
)

// Infer returns the spec of every node when the inputs have the given specs (by slot). It is how a graph that was
// written for one size of batch is planned for another. An op whose shape cannot follow is an error that names it.
func Infer(g *Graph, inputs []kernels.Spec) ([]kernels.Spec, error) {
	specs := make([]kernels.Spec, len(g.Nodes))
	for id := range g.Nodes {
		n := &g.Nodes[id]
		specs[id] = n.Spec
		switch n.Kind {
		case Input:
			specs[id] = inputs[n.Slot]
		case Apply, Foreign:
			s, err := g.infer(n, specs)
			if err != nil {
				return nil, Locate(n.Path, err)
			}
			specs[id] = s
		}
	}
	for _, u := range g.Updates {
		if s, next := specs[u.State], specs[u.Next]; !s.Equal(next) {
			return nil, fmt.Errorf("state %s: %w: has %v, its next value has %v; a state keeps its size",
				g.Nodes[u.State].Name, kernels.ErrShape, s, next)
		}
	}
	return specs, nil
}

// infer is Infer for one node; what did not change since the graph was written is not inferred again.
func (g *Graph) infer(n *Node, specs []kernels.Spec) (kernels.Spec, error) {
	in := make([]kernels.Spec, len(n.In))
	same := true
	for i, c := range n.In {
		in[i] = specs[c]
		same = same && in[i].Equal(g.Nodes[c].Spec)
	}
	if same {
		return n.Spec, nil
	}
	if n.Kind == Foreign {
		return n.Spec, fmt.Errorf("%s%v: %w: this op of gorgonia is fixed to the sizes it was written with, %v",
			n.OpName(), in, kernels.ErrShape, g.inSpecs(n))
	}
	return n.Op.Infer(in)
}

// Locate puts the scope path in front of an error.
func Locate(path string, err error) error {
	if path == "" || err == nil {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}
