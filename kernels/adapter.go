package kernels

import (
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"reflect"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Adapter makes an Op a gorgonia Op and SDOp. One adapter stands for one application: it knows the specs of its inputs,
// so its type is concrete. Salt tells apart nodes that gorgonia would merge by its 32-bit hash.
type Adapter struct {
	op   Op
	in   []Spec
	out  Spec
	salt uint32
}

// Kernel returns the Op inside the adapter.
func (a *Adapter) Kernel() Op { return a.op }

// Arity is the number of inputs.
func (a *Adapter) Arity() int { return len(a.in) }

// Type is the concrete function type of this application.
func (a *Adapter) Type() hm.Type {
	types := make([]hm.Type, 0, len(a.in)+1)
	for _, s := range a.in {
		types = append(types, typeOf(s))
	}
	return hm.NewFnType(append(types, typeOf(a.out))...)
}

func typeOf(s Spec) hm.Type {
	if s.Rank() == 0 {
		return s.DType.Tensor()
	}
	return gorgonia.TensorType{Dims: s.Rank(), Of: s.DType.Tensor()}
}

// InferShape repeats Infer on the shapes that gorgonia hands over.
func (a *Adapter) InferShape(ds ...gorgonia.DimSizer) (tensor.Shape, error) {
	in := make([]Spec, len(ds))
	for i, d := range ds {
		s, ok := d.(tensor.Shape)
		if !ok {
			return nil, Errorf(a.op, a.in, ErrShape, "input %d has no shape", i)
		}
		in[i] = S(a.in[i].DType, s...)
	}
	out, err := a.op.Infer(in)
	return tensor.Shape(out.Shape), err
}

// Do runs the reference on gorgonia's values, so that gorgonia's own machine checks the engine's kernels.
func (a *Adapter) Do(values ...gorgonia.Value) (gorgonia.Value, error) {
	in := make([]Tensor, len(values))
	for i, v := range values {
		t, err := FromValue(v)
		if err != nil {
			return nil, fmt.Errorf("%s: input %d: %w", Name(a.op), i, err)
		}
		in[i] = t
	}
	out, err := RunRef(a.op, in)
	if err != nil {
		return nil, err
	}
	return ToValue(out), nil
}

// RunRef runs op's reference on in, through float64, and returns the result in the output's own type.
func RunRef(op Op, in []Tensor) (Tensor, error) {
	specs := make([]Spec, len(in))
	wide := make([]Tensor, len(in))
	for i, t := range in {
		specs[i], wide[i] = t.Spec, Convert(t, Float64)
	}
	spec, err := op.Infer(specs)
	if err != nil {
		return Tensor{}, err
	}
	ref := spec
	if ref.DType.IsFloat() {
		ref.DType = Float64
	}
	out := New(ref)
	op.Ref(out, wide)
	return Convert(out, spec.DType), nil
}

// ReturnsPtr is true: a result is memory of its own.
func (a *Adapter) ReturnsPtr() bool { return true }

// CallsExtern is false.
func (a *Adapter) CallsExtern() bool { return false }

// OverwritesInput is -1: in-place work is the planner's decision.
func (a *Adapter) OverwritesInput() int { return -1 }

// WriteHash writes the identity and the salt.
func (a *Adapter) WriteHash(h hash.Hash) { fmt.Fprintf(h, "%s#%d", Identity(a.op), a.salt) }

// Hashcode is the 32-bit hash of WriteHash.
func (a *Adapter) Hashcode() uint32 {
	h := fnv.New32a()
	a.WriteHash(h)
	return h.Sum32()
}

// String is the op's name.
func (a *Adapter) String() string { return Name(a.op) }

// DiffWRT is true for the float inputs of a differentiable op.
func (a *Adapter) DiffWRT(int) []bool {
	d := make([]bool, len(a.in))
	if _, ok := a.op.(Differentiable); ok {
		for i, s := range a.in {
			d[i] = s.DType.IsFloat()
		}
	}
	return d
}

// SymDiff builds the gradient by the op's own rule and checks that it has a node for every float input.
func (a *Adapter) SymDiff(in gorgonia.Nodes, out, dout *Node) (gorgonia.Nodes, error) {
	d, ok := a.op.(Differentiable)
	if !ok {
		return nil, Errorf(a.op, a.in, ErrGradient, "has no gradient rule")
	}
	var grads []*Node
	if err := Try(func(b Builder) { grads = d.Grad(b, in, out, dout) }); err != nil {
		return nil, fmt.Errorf("gradient of %s: %w", Name(a.op), err)
	}
	if len(grads) != len(in) {
		return nil, Errorf(a.op, a.in, ErrGradient, "rule returned %d nodes for %d inputs", len(grads), len(in))
	}
	for i, s := range a.in {
		if s.DType.IsFloat() && grads[i] == nil {
			return nil, Errorf(a.op, a.in, ErrGradient, "rule returned nothing for input %d", i)
		}
	}
	return grads, nil
}

// KernelOf returns the Op that a node applies, if it is one of ours.
func KernelOf(n *Node) (Op, bool) {
	if a, ok := n.Op().(*Adapter); ok {
		return a.op, true
	}
	return nil, false
}

// SpecOf returns the spec of a node's value.
func SpecOf(n *Node) Spec { return S(DTypeOf(n.Dtype()), n.Shape()...) }

const maxSalt = 64

// Apply adds op over in to their graph. Equal ops over equal inputs give one node; a node that gorgonia merged wrongly
// (it compares 32-bit hashes, not inputs) is applied again under another hash.
func Apply(op Op, in ...*Node) (*Node, error) {
	if len(in) == 0 {
		return nil, Errorf(op, nil, ErrShape, "an op needs one input at least")
	}
	specs := make([]Spec, len(in))
	for i, n := range in {
		if n == nil {
			return nil, Errorf(op, nil, ErrShape, "input %d is missing", i)
		}
		specs[i] = SpecOf(n)
	}
	if !reflect.TypeOf(op).Comparable() {
		return nil, Errorf(op, specs, ErrShape, "attributes are not comparable values")
	}
	out, err := op.Infer(specs)
	if err != nil {
		return nil, err
	}
	for salt := range uint32(maxSalt) {
		a := &Adapter{op: op, in: specs, out: out, salt: salt}
		n, err := write(a, in)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", Name(op), err)
		}
		if same(n, a, in) {
			return n, nil
		}
	}
	return nil, Errorf(op, specs, ErrShape, "gorgonia merged it with another node %d times", maxSalt)
}

func same(n *Node, a *Adapter, in []*Node) bool {
	got, ok := n.Op().(*Adapter)
	if !ok || got.op != a.op {
		return false
	}
	ch := Children(n)
	if len(ch) != len(in) {
		return false
	}
	for i := range ch {
		if ch[i] != in[i] {
			return false
		}
	}
	return true
}

// abort carries the first error out of nested builder calls; only Try recovers it.
type abort struct{ err error }

type builder struct{}

func (builder) Apply(op Op, in ...*Node) *Node {
	n, err := Apply(op, in...)
	if err != nil {
		panic(abort{err})
	}
	return n
}

func (builder) Fail(err error) { panic(abort{err}) }

// Try calls f with a builder and returns the first error of a call made through it.
func Try(f func(b Builder)) (err error) {
	defer func() {
		if r := recover(); r != nil {
			a, ok := r.(abort)
			if !ok {
				panic(r)
			}
			err = a.err
		}
	}()
	f(builder{})
	return nil
}

// errValue is returned for values that no graph of ours holds.
var errValue = errors.New("value is neither a dense tensor nor a scalar of type float32, float64, int32 or byte")

// FromValue views a gorgonia value as a Tensor: dense tensors without a copy, scalars as a copy.
func FromValue(v gorgonia.Value) (Tensor, error) {
	switch x := v.(type) {
	case *gorgonia.F64:
		return FromSlice([]float64{float64(*x)}), nil
	case *gorgonia.F32:
		return FromSlice([]float32{float32(*x)}), nil
	case *gorgonia.I32:
		return FromSlice([]int32{int32(*x)}), nil
	case *gorgonia.U8:
		return FromSlice([]byte{byte(*x)}), nil
	case *tensor.Dense:
		return fromDense(x)
	}
	return Tensor{}, fmt.Errorf("%w: %T", errValue, v)
}

func fromDense(x *tensor.Dense) (Tensor, error) {
	if x.RequiresIterator() || x.DataOrder().IsColMajor() || x.DataOrder().IsNotContiguous() {
		x = x.Materialize().(*tensor.Dense)
	}
	shape := []int(x.Shape())
	switch d := x.Data().(type) {
	case []float64:
		return FromSlice(d, shape...), nil
	case []float32:
		return FromSlice(d, shape...), nil
	case []int32:
		return FromSlice(d, shape...), nil
	case []byte:
		return FromSlice(d, shape...), nil
	case float64:
		return FromSlice([]float64{d}, shape...), nil
	case float32:
		return FromSlice([]float32{d}, shape...), nil
	case int32:
		return FromSlice([]int32{d}, shape...), nil
	case byte:
		return FromSlice([]byte{d}, shape...), nil
	}
	return Tensor{}, fmt.Errorf("%w: dense %v", errValue, x.Dtype())
}

// ToValue wraps a tensor's memory (no copy) as a gorgonia value; scalars are copied.
func ToValue(t Tensor) gorgonia.Value {
	if t.Rank() == 0 {
		switch t.DType {
		case Float64:
			return gorgonia.NewF64(t.F64[0])
		case Float32:
			return gorgonia.NewF32(t.F32[0])
		case Int32:
			return gorgonia.NewI32(t.I32[0])
		default:
			return gorgonia.NewU8(t.U8[0])
		}
	}
	var backing any
	switch t.DType {
	case Float64:
		backing = t.F64
	case Float32:
		backing = t.F32
	case Int32:
		backing = t.I32
	default:
		backing = t.U8
	}
	return tensor.New(tensor.WithShape(t.Shape...), tensor.WithBacking(backing))
}
