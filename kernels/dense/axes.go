package dense

import (
	"fmt"
	"math/bits"

	"ganglion/kernels"
)

// MaxRank is the largest number of dimensions that operators with shapes or axes among their attributes can name.
const MaxRank = 8

// Axes is a set of axes: bit i stands for axis i, counted from the first.
type Axes uint8

// On is the set of the given axes, each from 0 to 7; other numbers are a bug of the caller and panic.
func On(axes ...int) Axes {
	var set Axes
	for _, a := range axes {
		if a < 0 || a >= MaxRank {
			panic(fmt.Sprintf("dense: On: axis %d is not between 0 and %d", a, MaxRank-1))
		}
		set |= 1 << a
	}
	return set
}

// Has reports whether axis i belongs to the set.
func (a Axes) Has(i int) bool { return a>>i&1 == 1 }

// all is the set of the first rank axes.
func all(rank int) Axes { return Axes(1<<rank - 1) }

// count is the number of axes in the set.
func (a Axes) count() int { return bits.OnesCount8(uint8(a)) }

// Shape is a shape as an attribute: the first Rank entries of Dim. The zero value is the shape of a scalar.
type Shape struct {
	Rank int
	Dim  [MaxRank]int32
}

// ShapeOf makes the attribute from dimensions. More than MaxRank of them are refused by Infer.
func ShapeOf(dims ...int) Shape {
	s := Shape{Rank: len(dims)}
	for i, d := range dims[:min(len(dims), MaxRank)] {
		s.Dim[i] = int32(d)
	}
	return s
}

// ints returns the dimensions as a slice.
func (s Shape) ints() []int {
	dims := make([]int, s.Rank)
	for i := range dims {
		dims[i] = int(s.Dim[i])
	}
	return dims
}

// axis resolves an axis that may be counted from the end (−1 is the last).
func axis(op kernels.Op, in []kernels.Spec, i, rank int) (int, error) {
	if i < -rank || i >= rank {
		return 0, kernels.Errorf(op, in, kernels.ErrShape, "axis %d is outside of the %d dimensions", i, rank)
	}
	if i < 0 {
		i += rank
	}
	return i, nil
}

// product is the number of elements of a shape.
func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// around splits a shape at axis a into the sizes before it, of it, and behind it.
func around(dims []int, a int) (outer, n, inner int) {
	return product(dims[:a]), dims[a], product(dims[a+1:])
}

// wantFloats checks the number of inputs and that all are of one float type.
func wantFloats(op kernels.Op, in []kernels.Spec, n int) error {
	if len(in) != n {
		return kernels.Errorf(op, in, kernels.ErrShape, "wants %d inputs, has %d", n, len(in))
	}
	for i := range in {
		if err := kernels.WantFloats(op, in, 0, i); err != nil {
			return err
		}
	}
	return nil
}

// wantSome checks that there is an input at least and that all are of one float type.
func wantSome(op kernels.Op, in []kernels.Spec) error {
	if len(in) == 0 {
		return kernels.Errorf(op, in, kernels.ErrShape, "wants one input at least")
	}
	return wantFloats(op, in, len(in))
}

// cut sets the number of elements of a chunk (see kernels.Call.Chunk) so that a chunk costs about 8 µs, and returns the
// number of chunks; ns is the estimated time of one element.
func cut(c *kernels.Call, n int, ns float64) int {
	const grain = 8000
	per := max(64, int(grain/ns)&^63)
	c.Arg[15] = per
	return (n + per - 1) / per
}

// run calls the loop body of the output's float type.
func run(c *kernels.Call, n int, f32, f64 func(c *kernels.Call, chunk, worker int)) {
	c.ForFloat(n, f32, f64)
}

// zeros is a node of zeros in the shape of like.
func zeros(b kernels.Builder, like *kernels.Node) *kernels.Node { return b.Apply(FillLike{}, like) }

// specsOf returns the specs of nodes, for messages.
func specsOf(nodes []*kernels.Node) []kernels.Spec {
	specs := make([]kernels.Spec, len(nodes))
	for i, n := range nodes {
		specs[i] = kernels.SpecOf(n)
	}
	return specs
}
