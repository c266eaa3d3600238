package gnn

import (
	"fmt"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/models/layer"
	"ganglion/models/layer/message"
)

// both are the levels of systems that learn about nodes and about graphs.
var both = []train.Level{train.Nodes, train.Graphs}

// edges are those of a program's inputs as layers take them.
func edges(m train.MatrixInputs) message.Edges {
	return message.Edges{Structure: m.Structure, Weight: m.Weight, Attr: m.Attr}
}

// features are those of the nodes.
func features(g *train.GraphInputs) message.Features {
	if g.X != nil {
		return message.Dense(g.X)
	}
	return message.Features{Structure: g.Sparse.Structure, Values: g.Sparse.Weight}
}

// base is what the configurations of all systems share.
type base struct {
	task    train.Task
	f       act.Func
	layers  int
	dropout float64
}

func newBase(task train.Task, activation string, layers int, dropout float64, widths ...int) (base, error) {
	f, err := act.Parse(activation)
	if err != nil {
		return base{}, fmt.Errorf("activation: %w", err)
	}
	const most = 1000
	if layers < 1 || layers > most {
		return base{}, fmt.Errorf("layers: %d is not between 1 and %d", layers, most)
	}
	if !(dropout >= 0 && dropout < 1) {
		return base{}, fmt.Errorf("dropout: %v is not in [0, 1)", dropout)
	}
	const widest = 1 << 20
	for _, w := range widths {
		if w < 1 || w > widest {
			return base{}, fmt.Errorf("hidden and heads: %d is not between 1 and %d", w, widest)
		}
	}
	return base{task: task, f: f, layers: layers, dropout: dropout}, nil
}

// drop drops elements of features while training.
func (b base) drop(s *engine.Scope, in train.Inputs, x message.Features) message.Features {
	return x.Dropout(s, b.dropout, in.Key)
}

// conv is a layer of a network: the k-th, with so many outputs.
type conv func(s *engine.Scope, k int, x message.Features, out int) *Node

// Node is a node of the model's graph.
type Node = kernels.Node

// stack writes layers with dropout before and the activation between them. About nodes the last one gives the outputs;
// about graphs all have hidden ones, of which the mean over a graph's nodes goes through a linear layer.
func (b base) stack(s *engine.Scope, in train.Inputs, hidden int, f conv) train.Net {
	x, nodes := features(in.Graph), b.task.Level == train.Nodes
	var net train.Net
	for k := range b.layers {
		l := s.In(fmt.Sprintf("conv%d", k+1))
		out, last := hidden, k == b.layers-1
		if last && nodes {
			out = b.task.Outputs
		}
		y := f(l, k, b.drop(l, in, x), out)
		if k == 0 {
			net.Decayed = s.Params()
		}
		if !last || !nodes {
			y = layer.Activation(l, b.f, y)
		}
		x = message.Dense(y)
	}
	net.Output = b.readOut(s, in, x.X)
	return net
}

// readOut takes the rows of the nodes that are samples; of graphs it is a linear layer behind the means over their
// nodes.
func (b base) readOut(s *engine.Scope, in train.Inputs, y *Node) *Node {
	if b.task.Level == train.Nodes {
		return s.Apply(dense.Gather{}, y, in.Graph.Sample)
	}
	o := s.In("output")
	y = message.Pool{Kind: message.Mean}.Apply(o, y, edges(in.Graph.Members))
	return layer.Linear{Out: b.task.Outputs}.Apply(o, b.drop(o, in, message.Dense(y)).X)
}
