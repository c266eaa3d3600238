package kernels

import (
	"fmt"
	"reflect"
	"strings"

	"gorgonia.org/gorgonia"
)

// Node is a node of a gorgonia expression graph.
type Node = gorgonia.Node

// Op is an operator: a comparable struct whose fields are its attributes (plain values: no pointers, slices, maps, and
// no String method, since the printed fields are the operator's identity). It has one output.
type Op interface {
	// Infer returns the output's spec for given inputs, or an error made by Errorf. It is pure: the planner runs it
	// again when sizes change, so nothing about a batch may live in an attribute.
	Infer(in []Spec) (Spec, error)
	// Ref is the specification: plain loops, no cleverness. Float tensors come and go in float64 whatever the graph's
	// type; every element of out is to be written. Shapes have passed Infer.
	Ref(out Tensor, in []Tensor)
}

// Differentiable is an Op with a gradient rule, written in our own ops so that it can be differentiated again.
type Differentiable interface {
	Op
	// Grad returns, for each input, the node of ∂L/∂input given dout = ∂L/∂out: a node for every float input, nil for
	// the others.
	Grad(b Builder, in []*Node, out, dout *Node) []*Node
}

// CPUOp is an Op with a fast CPU kernel. Without it the engine runs Ref through float64 copies and lists that as a
// fallback.
type CPUOp interface {
	Op
	// CPU computes c.Out from c.In. It must write every element of Out, allocate nothing, and give the same bits for
	// any number of workers. Shapes have passed Infer.
	CPU(c *Call)
}

// Scratcher is a CPUOp that needs scratch memory, lent by the planner as Call.Work.
type Scratcher interface {
	// Workspace returns the number of bytes for the given specs and number of workers (see CarveSize).
	Workspace(in []Spec, out Spec, workers int) int
}

// Reserver is a Scratcher whose kernel needs more memory in cases that seldom come, lent as Call.Reserve. Nobody else
// touches it: where the system backs memory when it is first touched, it takes nothing until such a case comes.
type Reserver interface {
	Scratcher
	// Reserve returns the number of bytes for the given specs and number of workers (see CarveSize).
	Reserve(in []Spec, out Spec, workers int) int
}

// Preparer is a CPUOp whose kernel keeps something from run to run, so that a run allocates nothing.
type Preparer interface {
	// Prepare sets c.State. It is called once for each call, before anything is bound to it: it sees the op, the path
	// and the pool.
	Prepare(c *Call)
}

// InPlacer is a CPUOp whose output may lie exactly over input i (same spec): the kernel reads each element of it no
// later than it writes that element.
type InPlacer interface {
	InPlace(i int) bool
}

// Viewer is an Op whose output is, for some sizes, a contiguous part of input 0: the planner then turns it into an
// offset and runs nothing.
type Viewer interface {
	// View returns the offset, in elements, of the output inside input 0, or -1 when it is not contiguous there.
	View(in []Spec) int
}

// ShapeReader is an Op of which some inputs count by their shapes alone: their memory may be used again before the op
// runs, or never be computed.
type ShapeReader interface {
	// ShapeOnly reports whether the op does not look at the elements of input i.
	ShapeOnly(i int) bool
}

// Counter is an Op that knows how much arithmetic it does.
type Counter interface {
	// Flops is the number of floating-point operations for inputs and output of the given specs.
	Flops(in []Spec, out Spec) float64
}

// Packer is an Op whose output is its inputs laid one behind another: where it can, the planner lets the inputs be
// computed in place and runs nothing.
type Packer interface {
	// Part returns the offset, in elements, of input i inside the output.
	Part(in []Spec, i int) int
}

// Fused is an Op that is a composition of others: Decompose replaces its gradient and is what a test compares it with.
type Fused interface {
	Op
	Decompose(b Builder, in []*Node) *Node
}

// Builder writes ops into a graph. Calls abort the enclosing Try (or engine.Build) on the first error, so there is no
// error to pass on.
type Builder interface {
	// Apply adds op over the inputs and returns its output node; equal ops over equal inputs give one node.
	Apply(op Op, in ...*Node) *Node
	// Fail aborts with the given error.
	Fail(err error)
}

// Name is the op's name in plans and messages: the family and the type, as in dense.GEMM.
func Name(op Op) string { return strings.TrimPrefix(reflect.TypeOf(op).String(), "*") }

// Identity is the text by which gorgonia tells ops apart: the name with all attributes.
func Identity(op Op) string { return fmt.Sprintf("%T%+v", op, op) }
