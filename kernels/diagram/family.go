package diagram

import (
	"math/big"

	"ganglion/kernels"
	"ganglion/kernels/diagram/calculus"
)

// Scaling says how sums over blocks of the input alone count.
type Scaling uint8

// The scalings.
const (
	Sums       Scaling = iota // as they are: equation (1) of the paper
	Means                     // divided by their number of terms, so that weights carry over to other n
	OutputMean                // the same for blocks of the output alone: the transpose of Means
)

// transposed is the scaling of the transposed map.
func (s Scaling) transposed() Scaling {
	switch s {
	case Means:
		return OutputMean
	case OutputMean:
		return Means
	}
	return Sums
}

// Family is the set of the diagrams of a map.
type Family struct {
	Group calculus.Group
	N     int // length of the axes
	L, K  int // axes of the output and of the input
}

// maxElements caps the elements of one channel.
const maxElements = 1 << 30

// check returns the number of diagrams, or an error of op.
func (f Family) check(op kernels.Op, in []kernels.Spec) (int, error) {
	if err := f.Group.Check(f.N); err != nil {
		return 0, kernels.Errorf(op, in, kernels.ErrShape, "%v", err)
	}
	if f.L < 0 || f.K < 0 || f.L+f.K > calculus.MaxVertices {
		return 0, kernels.Errorf(op, in, kernels.ErrShape, "orders %d and %d: at most %d axes together", f.K, f.L,
			calculus.MaxVertices)
	}
	size := 1
	for range max(f.L, f.K) {
		if size > maxElements/f.N {
			return 0, kernels.Errorf(op, in, kernels.ErrShape, "%d^%d elements are too many: take a lower order or a "+
				"smaller n", f.N, max(f.L, f.K))
		}
		size *= f.N
	}
	count := calculus.Count(f.Group, f.N, f.L, f.K)
	if count.Cmp(big.NewInt(calculus.MaxDiagrams)) > 0 {
		return 0, kernels.Errorf(op, in, kernels.ErrShape, "%s diagrams from order %d to order %d, at most %d: take "+
			"lower orders, or compose two maps", count, f.K, f.L, calculus.MaxDiagrams)
	}
	if f.Group == calculus.SO && f.N > maxFree && f.L+f.K >= f.N && (f.L+f.K-f.N)%2 == 0 {
		return 0, kernels.Errorf(op, in, kernels.ErrShape, "SO(%d) has diagrams with %d free vertices, at most %d: "+
			"take O(%d)", f.N, f.N, maxFree, f.N)
	}
	return int(count.Int64()), nil
}

// maxFree caps the free vertices of a diagram, whose matrix has n! entries for each choice of the others.
const maxFree = 6

// flip is the family of the transposed map.
func (f Family) flip() Family { return Family{f.Group, f.N, f.K, f.L} }

// diagrams lists the family, which has passed check.
func (f Family) diagrams() []calculus.Diagram {
	ds, err := calculus.Enumerate(f.Group, f.N, f.L, f.K)
	if err != nil {
		panic("diagram: Family.diagrams: " + err.Error())
	}
	return ds
}

// scale is the factor s of a diagram.
func (f Family) scale(d calculus.Diagram, s Scaling) float64 {
	_, bottom, top, _, _ := d.Shape()
	e := 0
	switch s {
	case Means:
		e = bottom
	case OutputMean:
		e = top
	}
	v := 1.0
	for range e {
		v /= float64(f.N)
	}
	return v
}

// power is n^e.
func power(n, e int) int {
	p := 1
	for range e {
		p *= n
	}
	return p
}

// signal is the spec [batch, channels, n, …] of a tensor of the order.
func (f Family) signal(d kernels.DType, batch, channels, order int) kernels.Spec {
	shape := []int{batch, channels}
	for range order {
		shape = append(shape, f.N)
	}
	return kernels.S(d, shape...)
}

// wantSignal returns batch and channels of input i, or an error unless it is a tensor of the order.
func (f Family) wantSignal(op kernels.Op, in []kernels.Spec, i, order int) (batch, channels int, err error) {
	if err := kernels.WantFloats(op, in, i); err != nil {
		return 0, 0, err
	}
	shape := in[i].Shape
	if len(shape) == order+2 {
		same := true
		for _, n := range shape[2:] {
			same = same && n == f.N
		}
		if same {
			return shape[0], shape[1], nil
		}
	}
	return 0, 0, kernels.Errorf(op, in, kernels.ErrShape, "input %d must be [batch, channels] and %d axes of length "+
		"%d, is %v", i, order, f.N, shape)
}
