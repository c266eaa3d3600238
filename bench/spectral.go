package bench

import (
	"fmt"
	"math"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/random"
	"ganglion/kernels/spectral"
	"ganglion/models/tnn"
)

func spectralWorkload() workload {
	const title = "transforms along tubes, facewise products, t-products with gradients, and steps of a tensor network"
	return workload{"spectral", title, "W3", spectralCases}
}

func spectralCases(e env) []bench {
	out := transformCases(e)
	products := [][4]int{{28, 28, 28, 100}, {128, 128, 32, 128}, {256, 256, 64, 64}}
	if e.quick {
		products = [][4]int{{3, 4, 5, 2}}
	}
	for _, s := range products {
		for _, backward := range []bool{false, true} {
			op := "forward"
			if backward {
				op = "forward+backward"
			}
			out = append(out, bench{Size{{"op", op}, {"n1", s[0]}, {"n2", s[1]}, {"n3", s[2]}, {"b", s[3]}},
				func(e env) (*runner, error) { return openProduct(e, s, backward) }})
		}
	}
	return append(out, tensorStepCase(e))
}

// transformCases are the kernels alone: rfft in planes of as many columns as signals, tubes of a layer, facewise
// products.
func transformCases(e env) []bench {
	lengths, batch := []int{28, 32, 64, 128, 1000}, 10000
	tubes, faces := [][3]int{
		{8, 512, 1024},
		{28, 512, 256},
		{32, 512, 256},
	}, [][4]int{
		{32, 128, 128, 128},
		{8, 512, 512, 512},
	}
	if e.quick {
		lengths, batch = []int{6, 70}, 9
		tubes, faces = [][3]int{{4, 3, 5}}, [][4]int{{5, 3, 4, 2}}
	}
	var out []bench
	for _, n := range lengths {
		for op, t := range []spectral.Transform{{}, {Inverse: true}} {
			size := Size{{"op", [...]string{"rfft", "irfft"}[op]}, {"n", n}, {"batch", batch}, {"axis", "first"}}
			// What a fast transform of a real signal takes, as peers count.
			work := Work{
				Flops: 2.5 * float64(n*batch) * math.Log2(float64(n)),
				Bytes: float64(2 * n * batch * e.dtype.Size()),
			}
			work.Set = work.Bytes
			out = append(out, bench{size, func(e env) (*runner, error) { return openOp(e, t, work, []int{n, batch}) }})
		}
	}
	for _, s := range tubes {
		size := Size{{"op", "tube"}, {"c", s[0]}, {"n", s[1]}, {"d", s[2]}}
		out = append(out, countedCase(size, spectral.Tube{Kind: spectral.DCT, F: act.ReLU}, s[:]))
	}
	for _, s := range faces {
		size := Size{{"op", "facewise"}, {"c", s[0]}, {"m", s[1]}, {"k", s[2]}, {"n", s[3]}}
		out = append(out, countedCase(size, spectral.Facewise{}, []int{s[0], s[1], s[2]}, []int{s[0], s[2], s[3]}))
	}
	return out
}

// openProduct makes a program of the t-product of a [n1, n2] and b [n2, cols], of tubes of length n3, under the DFT,
// and perhaps of its gradients for a given one of the output.
func openProduct(e env, s [4]int, backward bool) (*runner, error) {
	n1, n2, n3, cols := s[0], s[1], s[2], s[3]
	g, err := engine.Build("product", e.dtype, func(b *engine.Scope) {
		state := func(name string, shape ...int) *kernels.Node {
			return b.State(name, kernels.S(e.dtype, shape...), random.Normal{Std: 1})
		}
		var g spectral.Algebra
		g.Gauss = e.dtype == kernels.Float32 // three real products for a complex one, as the fastest peers do
		a, x := g.To(b, state("a", n3, n1, n2)), g.To(b, state("b", n3, n2, cols))
		b.Output("y", g.From(b, g.Faces(b, a, x, false, false)))
		if backward {
			y := b.Apply(spectral.Transform{Inverse: true, Transposed: true}, state("dy", n3, n1, cols))
			b.Output("da", b.Apply(spectral.Transform{Transposed: true}, g.Faces(b, y, x, false, true)))
			b.Output("db", b.Apply(spectral.Transform{Transposed: true}, g.Faces(b, a, y, true, false)))
		}
	})
	if err != nil {
		return nil, err
	}
	flops := 8 * float64(n1*n2*cols) * float64(n3/2+1) // four real products a slice, as peers count
	bytes := float64(n3 * (n1*n2 + n2*cols + n1*cols) * e.dtype.Size())
	if backward {
		flops, bytes = 3*flops, 2*bytes
	}
	return openProgram(e, g, Work{Flops: flops, Bytes: bytes, Set: bytes})
}

// tensorNet is the network of peers: four layers of 28×28×28 with bias and tanh, and one of 10×28×28 whose tubes are
// summed.
type tensorNet struct{ c, d, layers int }

// Forward writes the layers.
func (m tensorNet) Forward(s *engine.Scope, in train.Inputs) train.Net {
	var g spectral.Algebra
	x := s.Apply(dense.Reshape{To: dense.ShapeOf(-1, m.d, m.c)}, in.X)
	x = g.To(s, s.Apply(dense.NewTranspose(2, 0, 1), x))
	weights := random.Normal{Std: 1 / float64(m.d)}
	for i := range m.layers {
		h := s.In(fmt.Sprintf("layer%d", i+1))
		y := g.Faces(h, x, g.To(h, h.Param("W", weights, m.c, m.d, m.d)), false, false)
		x = g.Layer(h, act.Tanh, y, h.Param("b", random.Zeros{}, m.c, m.d))
	}
	return train.Net{Output: tnn.TubeSums(s, g, x, s.In("head").Param("W", weights, m.c, m.d, 10))}
}

func tensorStepCase(e env) bench {
	m, batch := tensorNet{28, 28, 4}, 100
	if e.quick {
		m, batch = tensorNet{4, 3, 2}, 5
	}
	size := Size{
		{"op", "tnn-step"},
		{"layers", fmt.Sprintf("%d x %dx%dx%d + 10x%dx%d", m.layers, m.d, m.d, m.c, m.d, m.c)},
		{"batch", batch},
	}
	return bench{size, func(e env) (*runner, error) {
		r, t, err := openStep(e, m, train.Task{Kind: train.Classify, Inputs: m.c * m.d, Outputs: 10}, batch, 1e-3)
		if err != nil {
			return nil, err
		}
		flops := 3 * 8 * float64(m.c/2+1) * float64(batch*m.d*(m.layers*m.d+10))
		w := Work{Flops: flops, Bytes: updateBytes(e, t), Set: updateBytes(e, t)}
		r.work = func() Work { return w }
		return r, nil
	}}
}
