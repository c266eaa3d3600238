package layer

import (
	"fmt"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/conv"
	"ganglion/kernels/dense"
	"ganglion/kernels/random"
)

// customaryEps is what is added to a variance when a layer says nothing else.
const customaryEps = 1e-5

func orEps(eps float64) float64 {
	if eps == 0 {
		return customaryEps
	}
	return eps
}

// BatchNorm is batch normalisation (Ioffe and Szegedy, arXiv 1502.03167) of x [batch, channels, …]: in training graphs
// by the moments of the batch, in others by running ones. A training step that is applied moves these towards the
// batch's by Momentum, with the variance of a sample (divided by n − 1), as PyTorch does.
// Parameters: gamma and beta [channels]. State: running [2, channels], means and variances, at first 0 and 1.
type BatchNorm struct {
	Momentum float64 // weight of the batch in the running moments, from 0 to 1; 0 means 0.1
	Eps      float64 // 0 means 1e-5
}

// Apply declares parameters and state in s and returns the normalised x.
func (l BatchNorm) Apply(s *engine.Scope, x *Node) *Node {
	shape := kernels.SpecOf(x).Shape
	momentum := l.Momentum
	if momentum == 0 {
		momentum = 0.1
	}
	if len(shape) < 2 || momentum < 0 || momentum > 1 {
		s.Fail(fmt.Errorf("batch norm: %w: wants [batch, channels, …] and a momentum from 0 to 1, has %v and %v",
			kernels.ErrShape, shape, momentum))
	}
	n := shape[1]
	gamma, beta := s.Param("gamma", random.Constant{Value: 1}, n), s.Param("beta", random.Zeros{}, n)
	running := s.State("running", kernels.S(s.DType(), 2, n), standard{})
	if !s.Training() {
		return conv.Normalise(s, x, running, gamma, beta, orEps(l.Eps))
	}
	moments := s.Apply(conv.Moments{}, x)
	old := s.Apply(dense.Scale{Alpha: 1 - momentum}, running)
	now := s.Apply(dense.Scale{Alpha: momentum}, sample(s, x, moments))
	s.UpdateIfApplied(running, s.Apply(dense.Binary{Kind: dense.Add}, old, now))
	return conv.Normalise(s, x, moments, gamma, beta, orEps(l.Eps))
}

// sample turns the variances of moments [2, channels] into those of a sample: times n/(n−1), where n is the number of
// elements of a channel. A single element leaves 0.
func sample(s *engine.Scope, x, moments *Node) *Node {
	axes := dense.On(0)
	for a := 2; a < len(kernels.SpecOf(x).Shape); a++ {
		axes |= dense.On(a)
	}
	row := func(i int) *Node { return s.Apply(dense.Slice{Lo: i, Hi: i + 1}, moments) }
	mean, variance := row(0), row(1)
	ones := s.Apply(dense.Reduce{Axes: dense.On(0)}, s.Apply(dense.FillLike{Value: 1}, mean))
	share := s.Apply(dense.Reduce{Kind: dense.Mean, Axes: axes}, s.Apply(dense.BroadcastTo{Insert: axes, Mean: true},
		ones, x))
	rest := s.Apply(dense.Scale{Alpha: -1, Beta: 1}, share)
	least := s.Apply(dense.FillLike{Value: 1e-30}, rest)
	factor := s.Apply(dense.Binary{Kind: dense.Max}, rest, least)
	return s.Apply(dense.Concat{}, mean, s.Apply(dense.Binary{Kind: dense.Div}, variance, factor))
}

// standard fills [2, channels] with means 0 and variances 1.
type standard struct{}

// Fill implements engine.Init.
func (standard) Fill(t kernels.Tensor, seed uint64, stream uint32) error {
	half := t.Size() / 2
	if err := (random.Zeros{}).Fill(t.Slice(0, half), seed, stream); err != nil {
		return err
	}
	return random.Constant{Value: 1}.Fill(t.Slice(half, half), seed, stream)
}

// LayerNorm is layer normalisation (arXiv 1607.06450) over the last Dims dimensions of x.
// Parameters: gamma and beta, of the shape of these dimensions.
type LayerNorm struct {
	Dims int     // 0 means 1
	Eps  float64 // 0 means 1e-5
}

// Apply declares the parameters in s and returns the normalised x.
func (l LayerNorm) Apply(s *engine.Scope, x *Node) *Node {
	shape, dims := kernels.SpecOf(x).Shape, max(1, l.Dims)
	if dims > len(shape) {
		s.Fail(fmt.Errorf("layer norm: %w: %v has less than %d dimensions", kernels.ErrShape, shape, dims))
	}
	shape = shape[len(shape)-dims:]
	return s.Apply(conv.LayerNorm{Dims: dims, Eps: orEps(l.Eps)}, x,
		s.Param("gamma", random.Constant{Value: 1}, shape...), s.Param("beta", random.Zeros{}, shape...))
}

// GroupNorm is group normalisation (arXiv 1803.08494) of x [batch, channels, …] over Groups groups of channels.
// Parameters: gamma and beta [channels].
type GroupNorm struct {
	Groups int
	Eps    float64 // 0 means 1e-5
}

// Apply declares the parameters in s and returns the normalised x.
func (l GroupNorm) Apply(s *engine.Scope, x *Node) *Node {
	shape := kernels.SpecOf(x).Shape
	if len(shape) < 2 {
		s.Fail(fmt.Errorf("group norm: %w: wants signals [batch, channels, …], has %v", kernels.ErrShape, shape))
	}
	return s.Apply(conv.GroupNorm{Groups: l.Groups, Eps: orEps(l.Eps)}, x,
		s.Param("gamma", random.Constant{Value: 1}, shape[1]), s.Param("beta", random.Zeros{}, shape[1]))
}

// Dropout sets elements to 0 with probability Rate in training graphs, and scales the others up; in others it is
// nothing.
type Dropout struct {
	Rate float64 // from 0 to below 1
	Key  *Node   // int32 [4], seed and step; may be nil outside of training
}

// Apply returns x with elements dropped. Each application in a scope draws numbers of its own.
func (l Dropout) Apply(s *engine.Scope, x *Node) *Node {
	if !s.Training() || l.Rate == 0 {
		return x
	}
	if l.Key == nil {
		s.Fail(fmt.Errorf("dropout: a training graph needs the key of the step's random numbers"))
	}
	return s.Apply(random.Dropout{Rate: l.Rate, Stream: s.Stream()}, x, l.Key)
}
