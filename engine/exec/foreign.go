package exec

import (
	"errors"
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/engine/plan"
	"ganglion/kernels"
)

// foreign runs an op of gorgonia through its own Do.
type foreign struct {
	op     gorgonia.Op
	in     []*kernels.Tensor
	args   []tensor.Dtype
	out    *kernels.Tensor
	values []gorgonia.Value
}

func (b *binder) foreign(n *plan.Node, id int) *foreign {
	f := &foreign{op: n.Do, in: b.inputs(n)[:len(n.Args)], args: n.Args, out: new(kernels.Tensor)}
	b.node(f.out, id)
	f.values = make([]gorgonia.Value, len(f.in))
	return f
}

// run hands copies to the op, since some ops of gorgonia write to their inputs. What the op panics with is returned as
// an error: gorgonia's ops do so on shapes that they do not expect.
func (f *foreign) run() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errPanic, r)
		}
	}()
	for i, t := range f.in {
		f.values[i] = ToValue(t.Clone(), f.args[i])
	}
	v, err := f.op.Do(f.values...)
	if err != nil {
		return err
	}
	t, err := FromValue(v)
	if err != nil {
		return err
	}
	if t.DType != f.out.DType || t.Size() != f.out.Size() {
		return fmt.Errorf("%w: its result is %v, planned was %v", kernels.ErrShape, t.Spec, f.out.Spec)
	}
	t.CopyTo(*f.out)
	return nil
}

var (
	errPanic = errors.New("gorgonia's op panicked")
	errRange = errors.New("integer out of the range of int32")
)

// FromValue is kernels.FromValue that also takes gorgonia's integers, as int32, and truth values, as bytes 0 and 1;
// these are copies. Integers that do not fit are an error.
func FromValue(v gorgonia.Value) (kernels.Tensor, error) {
	switch x := v.(type) {
	case *gorgonia.I:
		return narrow([]int{int(*x)})
	case *gorgonia.B:
		return truth([]bool{bool(*x)}), nil
	case *tensor.Dense:
		switch x.Dtype() {
		case tensor.Int, tensor.Bool:
			return fromDense(x)
		}
	}
	return kernels.FromValue(v)
}

func fromDense(x *tensor.Dense) (kernels.Tensor, error) {
	if x.RequiresIterator() || x.DataOrder().IsColMajor() || x.DataOrder().IsNotContiguous() {
		x = x.Materialize().(*tensor.Dense)
	}
	switch d := x.Data().(type) {
	case []int:
		return narrow(d, x.Shape()...)
	case int:
		return narrow([]int{d}, x.Shape()...)
	case []bool:
		return truth(d, x.Shape()...), nil
	case bool:
		return truth([]bool{d}, x.Shape()...), nil
	}
	return kernels.Tensor{}, fmt.Errorf("%w: dense %v", kernels.ErrDType, x.Dtype())
}

func narrow(list []int, shape ...int) (kernels.Tensor, error) {
	t := kernels.New(kernels.S(kernels.Int32, shape...))
	for i, v := range list {
		if v < math.MinInt32 || v > math.MaxInt32 {
			return t, fmt.Errorf("%w: %d", errRange, v)
		}
		t.I32[i] = int32(v)
	}
	return t, nil
}

func truth(list []bool, shape ...int) kernels.Tensor {
	t := kernels.New(kernels.S(kernels.Byte, shape...))
	for i, v := range list {
		if v {
			t.U8[i] = 1
		}
	}
	return t
}

// ToValue is the value of a tensor in gorgonia's type d: over the tensor's memory if the types agree, else a copy.
func ToValue(t kernels.Tensor, d tensor.Dtype) gorgonia.Value {
	switch {
	case d == tensor.Int && t.DType == kernels.Int32:
		list := make([]int, t.Size())
		for i, v := range t.I32 {
			list[i] = int(v)
		}
		if t.Rank() == 0 {
			return gorgonia.NewI(list[0])
		}
		return tensor.New(tensor.WithShape(t.Shape...), tensor.WithBacking(list))
	case d == tensor.Bool && t.DType == kernels.Byte:
		list := make([]bool, t.Size())
		for i, v := range t.U8 {
			list[i] = v != 0
		}
		if t.Rank() == 0 {
			return gorgonia.NewB(list[0])
		}
		return tensor.New(tensor.WithShape(t.Shape...), tensor.WithBacking(list))
	}
	return kernels.ToValue(t)
}
