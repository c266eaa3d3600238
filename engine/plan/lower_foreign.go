package plan

import (
	"fmt"
	"reflect"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/kernels"
)

// SpecOf is the spec of the value of a node of gorgonia. Integers are int32 and truth values bytes to us, whatever
// gorgonia stores them in.
func SpecOf(n *kernels.Node) kernels.Spec {
	switch n.Dtype() {
	case tensor.Int:
		return kernels.S(kernels.Int32, n.Shape()...)
	case tensor.Bool:
		return kernels.S(kernels.Byte, n.Shape()...)
	}
	return kernels.SpecOf(n)
}

// foreign adds an op that runs through its own Do.
func (l *lowering) foreign(n *kernels.Node, in []int) (int, error) {
	spec := SpecOf(n)
	if spec.DType == kernels.Invalid {
		return 0, fmt.Errorf("%v: %w: want float32, float64, int, int32, byte or bool, got %v", n.Op(),
			kernels.ErrDType, n.Dtype())
	}
	for _, d := range spec.Shape {
		if d < 0 {
			return 0, fmt.Errorf("%v: %w: its result would have the shape %v", n.Op(), kernels.ErrShape, spec.Shape)
		}
	}
	var args []tensor.Dtype
	for _, c := range kernels.Children(n) {
		args = append(args, c.Dtype())
	}
	return l.add(Node{Kind: Foreign, Do: n.Op(), In: in, Args: args, Spec: spec}, n), nil
}

// needs lists what has to be computed before n: its inputs and, where n is the gradient of an op that keeps in itself
// what its gradient reads, the node of that op.
func (l *lowering) needs(n *kernels.Node) []*kernels.Node {
	in := kernels.Children(n)
	if op := n.Op(); op != nil {
		if owner := reflect.ValueOf(op); keepsState(reflect.TypeOf(op).String()) {
			if fwd := l.applied(n, owner.Elem().Field(0).UnsafePointer()); fwd != nil {
				in = append(in, fwd)
			}
		}
	}
	return in
}

// keepsState reports whether a type of op is a gradient that reads, besides its inputs, what the forward op noted.
func keepsState(kind string) bool {
	switch kind {
	case "*gorgonia.batchnormDiffOp", "*gorgonia.groupNormDiffOp", "*gorgonia.ctcLossDiffOp":
		return true
	}
	return false
}

// applied finds the node that applies the op at an address, in the graph of n; nil when there is none.
func (l *lowering) applied(n *kernels.Node, op any) *kernels.Node {
	if l.made == nil {
		l.made = map[any]*kernels.Node{}
		for _, m := range n.Graph().AllNodes() {
			if m.Op() == nil {
				continue
			}
			if v := reflect.ValueOf(m.Op()); v.Kind() == reflect.Pointer && !keepsState(v.Type().String()) {
				l.made[v.UnsafePointer()] = m
			}
		}
	}
	return l.made[op]
}

// field reads an attribute of an op of gorgonia.
func field(op gorgonia.Op, name string) reflect.Value {
	return reflect.Indirect(reflect.ValueOf(op)).FieldByName(name)
}

// intsOf reads a list of ints.
func intsOf(v reflect.Value) []int {
	out := make([]int, v.Len())
	for i := range out {
		out[i] = int(v.Index(i).Int())
	}
	return out
}
