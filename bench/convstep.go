package bench

import (
	"fmt"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/conv"
	"ganglion/kernels/dense"
	"ganglion/models/layer"
)

// images is a small network for square images of one channel: convolutions, each with ReLU and a maximum over 2×2, and
// then dense layers with ReLU between them.
type images struct {
	name                string
	side                int // of an image
	taps, pad           int // of the kernels
	channels, hidden    []int
	classes, batchQuick int
}

// networks are LeNet-5 without padding (LeCun et al. 1998, with ReLU and maxima), and the usual network of two
// convolutions of 3×3.
func networks(quick bool) []images {
	if quick {
		return []images{{"lenet", 10, 3, 0, []int{2, 3}, []int{5}, 3, 3}}
	}
	return []images{
		{name: "lenet", side: 28, taps: 5, channels: []int{6, 16}, hidden: []int{120, 84}, classes: 10},
		{name: "3x3", side: 28, taps: 3, pad: 1, channels: []int{32, 64}, hidden: []int{128}, classes: 10},
	}
}

// Forward writes the layers.
func (m images) Forward(s *engine.Scope, in train.Inputs) train.Net {
	x := s.Apply(dense.Reshape{To: dense.ShapeOf(-1, 1, m.side, m.side)}, in.X)
	pad, two := int32(m.pad), int32(2)
	for i, n := range m.channels {
		h := s.In(fmt.Sprintf("conv%d", i+1))
		x = layer.Conv{Out: n, Kernel: [3]int{m.taps, m.taps},
			Geometry: conv.Conv{Dims: 2, Pad: [3]int32{pad, pad}}}.Apply(h, x)
		x = layer.MaxPool(h, conv.Window{Dims: 2, Kernel: [3]int32{two, two}}, layer.Activation(h, act.ReLU, x))
	}
	features := kernels.S(kernels.Float32, kernels.SpecOf(x).Shape[1:]...).Size()
	x = s.Apply(dense.Reshape{To: dense.ShapeOf(-1, features)}, x)
	return mlp{append(append([]int{}, m.hidden...), m.classes)}.Forward(s, train.Inputs{X: x})
}

// flops counts, for one image, three products a layer, but two of the first, whose inputs need no gradient.
func (m images) flops() float64 {
	sum, side, in := 0.0, m.side, 1
	for i, n := range m.channels {
		side += 2*m.pad - m.taps + 1
		products := 3.0
		if i == 0 {
			products = 2
		}
		sum += products * 2 * float64(side*side*n*in*m.taps*m.taps)
		side, in = side/2, n
	}
	wide := in * side * side
	for _, n := range append(append([]int{}, m.hidden...), m.classes) {
		sum += 3 * 2 * float64(wide*n)
		wide = n
	}
	return sum
}

// networkCases are whole training steps of the networks, with Adam.
func networkCases(e env) []bench {
	var out []bench
	for _, m := range networks(e.quick) {
		batch := 64
		if e.quick {
			batch = m.batchQuick
		}
		size := Size{{"op", "step"}, {"net", m.name}, {"batch", batch}}
		out = append(out, bench{size, func(e env) (*runner, error) {
			task := train.Task{Kind: train.Classify, Inputs: m.side * m.side, Outputs: m.classes}
			r, t, err := openStep(e, m, task, batch, 1e-3)
			if err != nil {
				return nil, err
			}
			w := Work{Flops: float64(batch) * m.flops(), Bytes: updateBytes(e, t), Set: updateBytes(e, t)}
			r.work = func() Work { return w }
			return r, nil
		}})
	}
	return out
}
