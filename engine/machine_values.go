package engine

import (
	"fmt"
	"reflect"
	"unsafe"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/engine/exec"
	"ganglion/engine/plan"
	"ganglion/kernels"
)

// machineInput is an input node that is read before every run.
type machineInput struct {
	node *Node
	spec kernels.Spec
}

// read returns the present value of the node: dense tensors are not copied.
func (in *machineInput) read() (kernels.Tensor, error) {
	v := in.node.Value()
	if v == nil {
		return kernels.Tensor{}, fmt.Errorf("input %s %v has no value: bind one with Let", in.node.Name(), in.spec)
	}
	t, err := exec.FromValue(v)
	if err != nil {
		return t, fmt.Errorf("input %s: %w", in.node.Name(), err)
	}
	if t.DType != in.spec.DType || t.Size() != in.spec.Size() {
		return t, fmt.Errorf("input %s: %w: it is %v, its value is %v", in.node.Name(), kernels.ErrShape, in.spec,
			t.Spec)
	}
	t.Spec = in.spec
	return t, nil
}

// machineResult is a node that gets a value after every run, in memory of its own.
type machineResult struct {
	node  *Node
	fixed bool // an input or constant, which has its value already
	value gorgonia.Value
	to    kernels.Tensor // the memory of value, of results that are floats and no scalars
}

func newResult(n *Node) *machineResult {
	r := &machineResult{node: n, fixed: n.Op() == nil}
	if c, ok := n.Op().(interface{ Value() gorgonia.Value }); ok {
		r.fixed, r.value = true, c.Value()
	}
	if spec := plan.SpecOf(n); !r.fixed && spec.DType.IsFloat() && !n.IsScalar() {
		r.to = kernels.New(spec)
		r.value = kernels.ToValue(r.to)
		if spec.Rank() == 0 {
			r.value, r.to = nil, kernels.Tensor{}
		}
	}
	return r
}

// set binds the value of the node.
func (r *machineResult) set(t kernels.Tensor) error {
	if r.fixed {
		if r.node.Op() == nil {
			r.value = r.node.Value()
		}
		return nil
	}
	if r.to.DType != kernels.Invalid {
		t.CopyTo(r.to)
		if r.node.Value() == r.value {
			return nil
		}
	} else if t = t.Clone(); r.node.IsScalar() && t.Size() == 1 {
		t.Spec = kernels.S(t.DType)
		r.value = exec.ToValue(t, r.node.Dtype())
	} else {
		r.value = exec.ToValue(t, r.node.Dtype())
	}
	if dual(r.node) {
		return gorgonia.UnsafeLet(r.node, r.value)
	}
	*bound(r.node) = r.value
	return nil
}

// machineRead is a Read statement.
type machineRead struct {
	from *Node
	into *gorgonia.Value
}

// machineSet is a Set statement.
type machineSet struct{ to, from *Node }

// machineDual is a node to which its derivative, the result of that number, is bound.
type machineDual struct {
	node   *Node
	result int
}

// bind hands the results of a run to the nodes, then follows the statements.
func (m *Machine) bind() error {
	for i, r := range m.results {
		if err := r.set(m.program.current.cpu.Output(i)); err != nil {
			return fmt.Errorf("value of %s: %w", describe(r.node), err)
		}
	}
	for i := range m.norms {
		if err := m.norms[i].keep(m.program); err != nil {
			return err
		}
	}
	for _, d := range m.duals {
		if err := accumulate(d.node, m.program.current.cpu.Output(d.result)); err != nil {
			return fmt.Errorf("gradient of %s: %w", describe(d.node), err)
		}
	}
	for _, r := range m.reads {
		if err := read(r.from.Value(), r.into); err != nil {
			return fmt.Errorf("read of %s: %w", describe(r.from), err)
		}
	}
	for _, s := range m.sets {
		if err := m.Set(s.to, s.from); err != nil {
			return err
		}
	}
	return nil
}

// read copies a value into the place of a Read statement: into the value that is there, as gorgonia does, or a new one.
func read(v gorgonia.Value, into *gorgonia.Value) error {
	if *into != nil {
		_, err := gorgonia.Copy(*into, v)
		return err
	}
	c, err := gorgonia.CloneValue(v)
	if err == nil {
		*into = c
	}
	return err
}

// accumulate adds a gradient to the one that is bound to a node, or binds it.
func accumulate(n *Node, g kernels.Tensor) (err error) {
	if dual(n) {
		old, err := n.Grad()
		if err != nil {
			return err
		}
		if old != nil {
			return addTo(old, g)
		}
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", kernels.ErrGradient, r)
		}
	}()
	g = g.Clone()
	g.Shape = n.Shape()
	gorgonia.WithGrad(exec.ToValue(g, n.Dtype()))(n)
	return nil
}

// addTo adds g to a value in place.
func addTo(v gorgonia.Value, g kernels.Tensor) error {
	switch x := v.(type) {
	case *gorgonia.F64:
		*x += gorgonia.F64(g.F64[0])
		return nil
	case *gorgonia.F32:
		*x += gorgonia.F32(g.F32[0])
		return nil
	case *tensor.Dense:
		if x.Shape().TotalSize() != g.Size() || x.Dtype() != g.DType.Tensor() {
			break
		}
		switch d := x.Data().(type) {
		case []float64:
			for i, s := range g.F64 {
				d[i] += s
			}
			return nil
		case []float32:
			for i, s := range g.F32 {
				d[i] += s
			}
			return nil
		}
	}
	return fmt.Errorf("%w: %v cannot be added to a value of type %T", kernels.ErrGradient, g.Spec, v)
}

// bound is where a node keeps its value.
func bound(n *Node) *gorgonia.Value {
	return (*gorgonia.Value)(unsafe.Pointer(reflect.ValueOf(n).Elem().FieldByName("boundTo").UnsafeAddr()))
}

// dual reports whether a node keeps a gradient beside its value.
func dual(n *Node) bool {
	v := *bound(n)
	return v != nil && reflect.TypeOf(v).String() == "*gorgonia.dualValue"
}

// belowAll lists roots and all they depend on, every node behind its inputs.
func belowAll(roots []*Node) []*Node {
	var out []*Node
	seen := make(map[*Node]bool)
	for _, root := range roots {
		if !seen[root] {
			out = appendBelow(out, root, seen)
		}
	}
	return out
}
