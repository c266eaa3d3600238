package layer

import (
	"fmt"
	"math"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/conv"
	"ganglion/kernels/dense"
	"ganglion/kernels/random"
)

// Conv is a convolution with a bias for each channel: x [batch, channels, extents…] to [batch, Out, …].
// Parameters: W [Out, channels/Groups, kernel…] and b [Out].
type Conv struct {
	// Out is the number of channels of the output.
	Out int
	// Kernel is the size of the kernel; its first Geometry.Dims entries count.
	Kernel [3]int
	// Geometry holds dimensions, stride, padding, dilation and groups.
	Geometry conv.Conv
	NoBias   bool
	Init     engine.Init // of W; when nil uniform within ±1/√(channels/Groups · kernel), as b is
}

// Apply declares W and b in s and returns the convolution of x.
func (l Conv) Apply(s *engine.Scope, x *Node) *Node {
	in := channels(s, x, l.Geometry.Dims) / max(1, int(l.Geometry.Groups))
	shape := append([]int{l.Out, in}, l.Kernel[:l.Geometry.Dims]...)
	fan := in * taps(l.Kernel[:l.Geometry.Dims])
	y := s.Apply(l.Geometry, x, s.Param("W", orUniform(l.Init, fan), shape...))
	return l.bias(s, y, fan)
}

func (l Conv) bias(s *engine.Scope, y *Node, fan int) *Node {
	if l.NoBias {
		return y
	}
	b := s.Param("b", orUniform(nil, fan), l.Out)
	to := dense.Shape{Rank: l.Geometry.Dims + 1}
	for i := range to.Rank {
		to.Dim[i] = 1
	}
	to.Dim[0] = -1
	return s.Apply(dense.Binary{Kind: dense.Add}, y, s.Apply(dense.Reshape{To: to}, b))
}

// ConvTranspose is a transposed convolution, the map of which Conv is the transpose: x [batch, channels, positions…] to
// [batch, Out, …] with (positions − 1)·Stride − 2·Pad − Extra + Dilation·(kernel − 1) + 1 + OutPad along each axis.
// Parameters: W [channels, Out/Groups, kernel…] and b [Out].
type ConvTranspose struct {
	Conv
	// OutPad is added to the end of each extent, from 0 to Stride − 1.
	OutPad [3]int32
}

// Apply declares W and b in s and returns the transposed convolution of x.
func (l ConvTranspose) Apply(s *engine.Scope, x *Node) *Node {
	in, groups := channels(s, x, l.Geometry.Dims), max(1, int(l.Geometry.Groups))
	if l.Out%groups != 0 {
		s.Fail(fmt.Errorf("transposed convolution: %w: %d channels of the output are not divided by %d groups",
			kernels.ErrShape, l.Out, groups))
	}
	shape := append([]int{in, l.Out / groups}, l.Kernel[:l.Geometry.Dims]...)
	fan := l.Out / groups * taps(l.Kernel[:l.Geometry.Dims])
	w := s.Param("W", orUniform(l.Init, fan), shape...)
	return l.bias(s, s.Apply(conv.ConvGradX{Of: l.Geometry, OutPad: l.OutPad}, x, w), fan)
}

// channels is the number of channels of signals with dims extents; others abort the build.
func channels(s *engine.Scope, x *Node, dims int) int {
	shape := kernels.SpecOf(x).Shape
	if dims < 1 || dims > 3 || len(shape) != dims+2 {
		s.Fail(fmt.Errorf("%w: wants signals [batch, channels, …] with 1 to 3 extents, has %v and Dims %d",
			kernels.ErrShape, shape, dims))
	}
	return shape[1]
}

// taps is the number of elements of a kernel.
func taps(kernel []int) int {
	n := 1
	for _, k := range kernel {
		n *= k
	}
	return n
}

// orUniform is init or, when that is nil, uniform within ±1/√fan.
func orUniform(init engine.Init, fan int) engine.Init {
	if init != nil {
		return init
	}
	limit := 1 / math.Sqrt(float64(max(1, fan)))
	return random.Uniform{Lo: -limit, Hi: limit}
}

// MaxPool takes the largest element in each window of signals.
func MaxPool(s *engine.Scope, w conv.Window, x *Node) *Node {
	return s.Apply(conv.MaxPool{Window: w}, x)
}

// AvgPool takes the mean of each window of signals; padding does not count.
func AvgPool(s *engine.Scope, w conv.Window, x *Node) *Node {
	return s.Apply(conv.AvgPool{Window: w}, x)
}

// GlobalAvgPool takes the mean [batch, channels] of each channel.
func GlobalAvgPool(s *engine.Scope, x *Node) *Node { return conv.GlobalAvg(s, x) }

// Upsample repeats positions of signals (nearest neighbour).
func Upsample(s *engine.Scope, o conv.Upsample, x *Node) *Node { return s.Apply(o, x) }
