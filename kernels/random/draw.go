package random

import (
	"fmt"

	"ganglion/internal/asm/vec"
	"ganglion/internal/cpu"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// drawer turns the four words of a block into the values of four elements.
type drawer interface{ draw(w [4]uint32) [4]float64 }

// unit is the number in [0, 1) that a word stands for.
func unit(w uint32) float64 { return float64(w>>8) / (1 << 24) }

// source is the place of an operator's random numbers.
type source struct {
	key  [2]uint32
	tail [3]uint32 // the counter behind the block's number: stream, step low, step high
}

func newSource(key []int32, stream uint32) source {
	return source{[2]uint32{uint32(key[0]), uint32(key[1])}, [3]uint32{stream, uint32(key[2]), uint32(key[3])}}
}

// counter is that of the block of words for elements 4b … 4b+3.
func (s *source) counter(b int) [4]uint32 {
	return [4]uint32{uint32(b), s.tail[0], s.tail[1], s.tail[2]}
}

// fill sets y, which begins at element lo (a multiple of 4) of the whole.
func fill[T kernels.Float](path cpu.Path, y []T, s source, d drawer, lo int) {
	var buffer [256]uint32
	for b := lo / 4; len(y) > 0; b += len(buffer) / 4 {
		words := buffer[:min(len(buffer), (len(y)+3)&^3)]
		vec.Words(path, words, s.key, s.counter(b))
		for len(words) > 0 && len(y) > 0 {
			v := d.draw([4]uint32(words))
			n := min(4, len(y))
			for j := range y[:n] {
				y[j] = T(v[j])
			}
			y, words = y[n:], words[4:]
		}
	}
}

// inferKeyed checks an input float [any] and the key, and returns the spec of the former.
func inferKeyed(op kernels.Op, in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(op, in, -1, 1); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(op, in, 0); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantType(op, in, 1, kernels.Int32); err != nil {
		return kernels.Spec{}, err
	}
	if in[1].Size() != 4 {
		return kernels.Spec{}, kernels.Errorf(op, in, kernels.ErrShape,
			"the key wants 4 elements (seed low and high, step low and high), has %d", in[1].Size())
	}
	return in[0], nil
}

// chunk is the number of elements of a chunk, a multiple of 4; an element takes some 5 to 20 ns.
const chunkSize = 1024

// over runs a body over chunks of the output.
func over(c *kernels.Call, f32, f64 func(c *kernels.Call, chunk, worker int)) {
	n := (c.Out.Size() + chunkSize - 1) / chunkSize
	if c.Out.DType == kernels.Float32 {
		c.For(n, f32)
	} else {
		c.For(n, f64)
	}
}

// span returns the elements [lo, hi) of a chunk of n.
func span(chunk, n int) (lo, hi int) { return chunk * chunkSize, min(n, (chunk+1)*chunkSize) }

// streamer is an op whose numbers are a stream of their own.
type streamer interface {
	drawer
	stream() uint32
}

func drawBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(streamer)
	y := kernels.Of[T](c.Out)
	lo, hi := span(chunk, len(y))
	fill(c.Path, y[lo:hi], newSource(c.In[1].I32, o.stream()), o, lo)
}

// noGrad is the gradient of an op that reads only the shape of its input 0.
func noGrad(b kernels.Builder, in []*kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(dense.FillLike{}, in[0]), nil}
}

// fillTensor fills a whole float tensor at step 0 of a stream: what the initialisers do.
func fillTensor(t kernels.Tensor, d drawer, seed uint64, stream uint32) error {
	s := newSource([]int32{int32(uint32(seed)), int32(uint32(seed >> 32)), 0, 0}, stream)
	switch t.DType {
	case kernels.Float32:
		fill(cpu.Go, t.F32, s, d, 0)
	case kernels.Float64:
		fill(cpu.Go, t.F64, s, d, 0)
	default:
		return fmt.Errorf("random: %v cannot hold initial values: wants float32 or float64", t.Spec)
	}
	return nil
}
