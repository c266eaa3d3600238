package train

import (
	"ganglion/engine"
	"ganglion/kernels"
)

// Node is a node of the model's graph.
type Node = kernels.Node

// Kind is what a task asks for.
type Kind uint8

// The kinds of tasks.
const (
	Classify Kind = iota // one class of several: logits, softmax cross-entropy
	Regress              // real targets: mean squared error
)

// Level is what a sample of a task is.
type Level uint8

// The levels.
const (
	Rows   Level = iota // a row of a table
	Nodes               // a node of one graph, all of which the network sees at once
	Graphs              // a graph of many
)

var levelNames = [...]string{"rows of a table", "nodes of a graph", "graphs"}

// String is what the samples are, in words.
func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return "unknown"
}

// Task describes the data that a model is built for.
type Task struct {
	Kind     Kind
	Level    Level
	Inputs   int // features of a sample, or of a node
	Outputs  int // classes, or targets
	Examples int // samples of the training part
	// Shape is that of a sample that is a signal, row-major in its features: channels, height and width of an image,
	// channels and length of a series (and 0). It is zero for samples without one.
	Shape [3]int
	// Of graphs: Sparse says that the features of nodes are a sparse matrix, as bags of words are, Weighted that edges
	// have weights, and EdgeInputs is the number of their attributes.
	Sparse, Weighted bool
	EdgeInputs       int
}

// Model writes a network for one task. Forward is called once for each program (training, evaluation) and must declare
// the same parameters each time.
type Model interface {
	Forward(s *engine.Scope, in Inputs) Net
}

// Inputs are the nodes that a network may read.
type Inputs struct {
	X     *Node        // [batch, Inputs], graph's float type; nil where the samples are no rows of a table
	Row   *Node        // int32 [batch], position of each sample in the training part; nil outside of training
	Key   *Node        // int32 [4], seed and step of random ops; nil outside of training
	Step  *Node        // int32 [1], number of the step from 1; nil outside of training
	Hyper *Node        // [3], learning rate, step, Net.Strength; nil outside of training
	Graph *GraphInputs // nil where the samples are rows of a table
}

// Net is what Forward returns.
type Net struct {
	Output *Node // [batch, Outputs]: logits or predictions
	// After are update steps on the parameter block, applied in order after the optimiser's: regularisers that are
	// decoupled from it.
	After []Update
	// Strength is the third element of Inputs.Hyper, for the regulariser.
	Strength float64
	// Decayed are the parameters that weight decay acts on; nil is all of them.
	Decayed []*Node
}

// Update is one step on the parameter block z [(1+slots)·n]: it returns the new block. A step must return z unchanged
// when ok is 0.
type Update func(b kernels.Builder, z *Node, block Block) *Node

// Block tells an Update where things are.
type Block struct {
	Hyper, OK *Node
	offsets   map[*Node]int
}

// Offset is the position of a parameter's first element in the block.
func (b Block) Offset(param *Node) int {
	o, ok := b.offsets[param]
	if !ok {
		panic("train: Block.Offset: not a parameter of this model")
	}
	return o
}
