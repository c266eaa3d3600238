package kernels

import (
	"reflect"
	"unsafe"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// childrenAt is where a node of gorgonia keeps its inputs, and usersAt where a graph keeps the nodes that use a node.
// Both are unexported: -1 stands for a gorgonia that keeps them otherwise.
var (
	childrenAt = offsetOf[gorgonia.Node, gorgonia.Nodes]("children")
	usersAt    = offsetOf[gorgonia.ExprGraph, map[*Node]gorgonia.Nodes]("to")
)

// offsetOf is the offset of the field of type F in the struct S, or -1 when there is no such field.
func offsetOf[S, F any](name string) int {
	f, ok := reflect.TypeFor[S]().FieldByName(name)
	if !ok || f.Type != reflect.TypeFor[F]() {
		return -1
	}
	return int(f.Offset)
}

// Children returns the ordered inputs of a node, with repeats; they are not to be changed. They are read from the
// node's own field: the exported way (Graph.From) returns another node's inputs once the graph has removed a node.
func Children(n *Node) []*Node {
	if childrenAt < 0 {
		panic("kernels: Children: gorgonia.Node has no field children of type Nodes")
	}
	return *(*gorgonia.Nodes)(unsafe.Add(unsafe.Pointer(n), childrenAt))
}

// write puts a node that applies a to in into the graph of in, and returns it or the one that gorgonia takes for the
// same. It is gorgonia.ApplyOp for an op whose type is concrete and whose shape is known, in a time that does not grow
// with the graph: gorgonia looks through all of its nodes twice for each edge.
func write(a *Adapter, in []*Node) (*Node, error) {
	g := in[0].Graph()
	for _, c := range in {
		if g == nil || c.Graph() != g || usersAt < 0 {
			return gorgonia.ApplyOp(a, in...) // nodes without a graph, or of two: gorgonia knows what to do or say
		}
	}
	n := new(Node)
	shape := tensor.ScalarShape()
	if a.out.Rank() > 0 {
		shape = append(tensor.Shape(nil), a.out.Shape...)
	}
	gorgonia.In(g)(n)
	gorgonia.WithType(typeOf(a.out))(n)
	gorgonia.WithOp(a)(n)
	gorgonia.WithChildren(append(gorgonia.Nodes(nil), in...))(n)
	gorgonia.WithShape(shape...)(n)
	if at := g.AddNode(n); at != n {
		return at, nil
	}
	users := *(*map[*Node]gorgonia.Nodes)(unsafe.Add(unsafe.Pointer(g), usersAt))
	for _, c := range in {
		users[c] = append(users[c], n)
	}
	return n, nil
}
