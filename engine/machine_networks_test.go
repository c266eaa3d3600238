package engine_test

import (
	"fmt"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/engine"
	"ganglion/engine/data"
	"ganglion/kernels"
)

// Linear regression of a column on the others, by a product of a matrix and a vector.
func TestMachineIris(t *testing.T) {
	set, err := data.Load(t.Context(), "iris", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	conform(t, func(d tensor.Dtype) (*example, error) {
		g, s := gorgonia.NewGraph(), new(steps)
		left, right := kernels.New(kernels.S(kernels.Float64, 150, 4)), kernels.New(kernels.S(kernels.Float64, 150))
		for i := range 150 {
			copy(left.F64[4*i:], set.X[4*i:4*i+3])
			left.F64[4*i+3], right.F64[i] = 1, set.X[4*i+3]
		}
		of := func(t kernels.Tensor) gorgonia.Value { return kernels.ToValue(kernels.Convert(t, kernels.DTypeOf(d))) }
		a := gorgonia.NewMatrix(g, d, gorgonia.WithShape(150, 4), gorgonia.WithName("x"), gorgonia.WithValue(of(left)))
		b := gorgonia.NewVector(g, d, gorgonia.WithShape(150), gorgonia.WithName("y"), gorgonia.WithValue(of(right)))
		theta := in(g, d, "theta", 5, 1, 4)
		pred := s.mul(a, theta)
		cost := s.mean(s.do(gorgonia.Square, s.ok(gorgonia.Sub(pred, b))))
		e := &example{g: g, learn: gorgonia.Nodes{theta}, look: gorgonia.Nodes{cost}}
		e.read(pred)
		s.grad(cost, theta)
		return e, s.err
	}, func() gorgonia.Solver { return gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.001)) }, 30)
}

// Logistic regression whose update is a part of the graph; the machine's Set takes the new values over.
func TestMachineLogisticRegression(t *testing.T) {
	conform(t, func(d tensor.Dtype) (*example, error) {
		g, s := gorgonia.NewGraph(), new(steps)
		x := in(g, d, "x", 1, 1, 30, 6)
		w := in(g, d, "w", 2, 0.5, 6)
		b := gorgonia.NewScalar(g, d, gorgonia.WithName("b"), gorgonia.WithValue(val(d, 3, 1)))
		labels := kernels.New(kernels.S(kernels.Float64, 30))
		for i := range labels.F64 {
			labels.F64[i] = float64(i * 7 % 3 % 2)
		}
		y := gorgonia.NewVector(g, d, gorgonia.WithShape(30), gorgonia.WithName("y"),
			gorgonia.WithValue(kernels.ToValue(kernels.Convert(labels, kernels.DTypeOf(d)))))
		one := number(d, 1)
		p := s.do(gorgonia.Sigmoid, s.add(s.mul(x, w), b))
		hit := s.had(s.do(gorgonia.Neg, y), s.do(gorgonia.Log, p))
		miss := s.had(s.ok(gorgonia.Sub(one, y)), s.do(gorgonia.Log, s.ok(gorgonia.Sub(one, p))))
		cost := s.mean(s.ok(gorgonia.Sub(hit, miss)))
		cost = s.add(cost, s.mul(number(d, 0.01), s.ok(gorgonia.Sum(s.do(gorgonia.Square, w)))))
		if s.err != nil {
			return nil, s.err
		}
		grads, err := gorgonia.Grad(cost, w, b)
		if err != nil {
			return nil, err
		}
		e := &example{g: g}
		e.read(cost)
		rate := number(d, 0.1)
		next := gorgonia.Nodes{
			s.ok(gorgonia.Sub(w, s.mul(rate, grads[0]))),
			s.ok(gorgonia.Sub(b, s.mul(rate, grads[1]))),
		}
		e.look = append(next, w, b)
		e.then = func(m gorgonia.VM) error {
			set := m.(interface {
				Set(a, b *gorgonia.Node) error
			})
			if err := set.Set(w, next[0]); err != nil {
				return err
			}
			return set.Set(b, next[1])
		}
		return e, s.err
	}, nil, 8)
}

func number(d tensor.Dtype, v float64) *gorgonia.Node {
	if d == tensor.Float32 {
		return gorgonia.NewConstant(float32(v))
	}
	return gorgonia.NewConstant(v)
}

// A convolutional network: convolution, rectifier and pooling twice, a dense layer, softmax and cross-entropy.
func TestMachineConvnet(t *testing.T) {
	conform(t, func(d tensor.Dtype) (*example, error) {
		g, s := gorgonia.NewGraph(), new(steps)
		const bs = 3
		x, y := in(g, d, "x", 1, 1, bs, 1, 12, 12), oneHot(g, d, bs, 4)
		w0, w1 := in(g, d, "w0", 2, 0.4, 3, 1, 3, 3), in(g, d, "w1", 3, 0.3, 4, 3, 3, 3)
		w2 := in(g, d, "w2", 4, 0.3, 4*3*3, 4)
		h := x
		for _, w := range []*gorgonia.Node{w0, w1} {
			if s.err == nil {
				h = s.ok(gorgonia.Conv2d(h, w, tensor.Shape{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1}))
			}
			if h = s.do(gorgonia.Rectify, h); s.err == nil {
				h = s.ok(gorgonia.MaxPool2D(h, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
			}
		}
		if s.err != nil {
			return nil, s.err
		}
		h = s.ok(gorgonia.Reshape(h, tensor.Shape{bs, 4 * 3 * 3}))
		h = s.do(gorgonia.Rectify, h)
		out := s.ok(gorgonia.SoftMax(s.mul(h, w2)))
		cost := s.do(gorgonia.Neg, s.mean(s.had(s.do(gorgonia.Log, out), y)))
		e := &example{g: g, learn: gorgonia.Nodes{w0, w1, w2}}
		e.read(out)
		e.read(cost)
		s.grad(cost, e.learn...)
		return e, s.err
	}, func() gorgonia.Solver { return gorgonia.NewRMSPropSolver(gorgonia.WithBatchSize(3)) }, 4)
}

// oneHot is an input of rows with a single one.
func oneHot(g *gorgonia.ExprGraph, d tensor.Dtype, rows, cols int) *gorgonia.Node {
	y := kernels.New(kernels.S(kernels.Float64, rows, cols))
	for i := range rows {
		y.F64[i*cols+i*5%cols] = 1
	}
	return gorgonia.NewMatrix(g, d, gorgonia.WithShape(rows, cols), gorgonia.WithName("labels"),
		gorgonia.WithValue(kernels.ToValue(kernels.Convert(y, kernels.DTypeOf(d)))))
}

// Autoencoders stacked on one another, with tied weights: each layer's matrix is used twice, once transposed.
func TestMachineStackedAutoencoder(t *testing.T) {
	conform(t, func(d tensor.Dtype) (*example, error) {
		g, s := gorgonia.NewGraph(), new(steps)
		x := in(g, d, "x", 1, 1, 5, 9)
		e := &example{g: g}
		h, sizes := x, []int{9, 6, 4}
		var cost *gorgonia.Node
		for i := range len(sizes) - 1 {
			w := in(g, d, fmt.Sprint("w", i), uint64(10+i), 0.5, sizes[i], sizes[i+1])
			b := in(g, d, fmt.Sprint("b", i), uint64(20+i), 0.5, sizes[i+1])
			c := in(g, d, fmt.Sprint("c", i), uint64(30+i), 0.5, sizes[i])
			e.learn = append(e.learn, w, b, c)
			code := s.do(gorgonia.Sigmoid, s.ok(gorgonia.BroadcastAdd(s.mul(h, w), b, nil, []byte{0})))
			back := s.mul(code, s.ok(gorgonia.Transpose(w)))
			back = s.do(gorgonia.Sigmoid, s.ok(gorgonia.BroadcastAdd(back, c, nil, []byte{0})))
			loss := s.mean(s.do(gorgonia.Square, s.ok(gorgonia.Sub(back, h))))
			e.read(loss)
			if h = code; cost == nil {
				cost = loss
				continue
			}
			cost = s.add(cost, loss)
		}
		e.read(cost)
		s.grad(cost, e.learn...)
		return e, s.err
	}, func() gorgonia.Solver { return gorgonia.NewAdamSolver() }, 5)
}

// A recurrent network of LSTM cells over characters, unrolled: embedding by slices, four gates from one matrix each,
// cross-entropy at every step.
func TestMachineCharacters(t *testing.T) {
	conform(t, func(d tensor.Dtype) (*example, error) {
		g, s := gorgonia.NewGraph(), new(steps)
		const letters, size = 5, 6
		e := &example{g: g}
		param := func(name string, shape ...int) *gorgonia.Node {
			n := in(g, d, name, uint64(50+len(e.learn)), 0.4, shape...)
			e.learn = append(e.learn, n)
			return n
		}
		embed, out := param("embed", letters, size), param("out", letters, size)
		var wx, wh, bias [4]*gorgonia.Node
		for i := range wx {
			wx[i], wh[i] = param(fmt.Sprint("wx", i), size, size), param(fmt.Sprint("wh", i), size, size)
			bias[i] = param(fmt.Sprint("b", i), size)
		}
		h, c := in(g, d, "h", 90, 0.1, size), in(g, d, "c", 91, 0.1, size)
		var cost *gorgonia.Node
		for i := range 4 {
			x := s.ok(gorgonia.Slice(embed, gorgonia.S(i*3%letters)))
			var gate [4]*gorgonia.Node
			for k := range gate {
				gate[k] = s.add(s.add(s.mul(wx[k], x), s.mul(wh[k], h)), bias[k])
				f := gorgonia.Sigmoid
				if k == 3 {
					f = gorgonia.Tanh
				}
				gate[k] = s.do(f, gate[k])
			}
			c = s.add(s.had(gate[0], c), s.had(gate[1], gate[3]))
			h = s.had(gate[2], s.do(gorgonia.Tanh, c))
			p := s.ok(gorgonia.SoftMax(s.mul(out, h)))
			loss := s.do(gorgonia.Neg, s.do(gorgonia.Log, s.ok(gorgonia.Slice(p, gorgonia.S((i+1)*3%letters)))))
			if cost == nil {
				cost = loss
				continue
			}
			cost = s.add(cost, loss)
		}
		e.read(cost)
		s.grad(cost, e.learn...)
		return e, s.err
	}, func() gorgonia.Solver { return gorgonia.NewRMSPropSolver(gorgonia.WithClip(5)) }, 4)
}

// A residual network: batch normalisation, dropout in evaluation, and the input of each block added to its output.
func TestMachineResidual(t *testing.T) {
	build := func(d tensor.Dtype) (*example, error) {
		g, s := gorgonia.NewGraph(), new(steps)
		const bs, ch = 2, 3
		h := in(g, d, "x", 1, 1, bs, ch, 6, 6)
		y := oneHot(g, d, bs, 4)
		e := &example{g: g}
		for i := range 2 {
			w := in(g, d, fmt.Sprint("w", i), uint64(10+i), 0.3, ch, ch, 3, 3)
			scale, shift := in(g, d, fmt.Sprint("s", i), uint64(20+i), 1, bs, ch, 6, 6), in(g, d, fmt.Sprint("t", i),
				uint64(30+i), 1, bs, ch, 6, 6)
			e.learn = append(e.learn, w, scale, shift)
			k := s.ok(gorgonia.Conv2d(h, w, tensor.Shape{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1}))
			if s.err != nil {
				return nil, s.err
			}
			n, _, _, _, err := gorgonia.BatchNorm(k, scale, shift, 0.9, 1e-5)
			h = s.add(s.do(gorgonia.Rectify, s.ok(n, err)), h)
		}
		w := in(g, d, "w", 40, 0.2, ch*36, 4)
		e.learn = append(e.learn, w)
		logits := s.mul(s.ok(gorgonia.Reshape(h, tensor.Shape{bs, ch * 36})), w)
		cost := s.do(gorgonia.Neg, s.mean(s.had(s.ok(gorgonia.LogSoftMax(logits)), y)))
		e.read(cost)
		s.grad(cost, e.learn...)
		return e, s.err
	}
	conform(t, build, func() gorgonia.Solver { return gorgonia.NewMomentum(gorgonia.WithLearnRate(0.01)) }, 3)
}

// The explanation tells ops that were lowered from those that run through their own Do.
func TestMachineExplains(t *testing.T) {
	g, s := gorgonia.NewGraph(), new(steps)
	x := in(g, tensor.Float64, "x", 1, 1, 1, 1, 4, 4)
	y := s.do(gorgonia.Tanh, s.ok(gorgonia.AveragePool2D(x, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2})))
	if s.err != nil {
		t.Fatal(s.err)
	}
	m := engine.NewMachine(g)
	defer m.Close()
	ex := m.Explain()
	if f := ex.Fallbacks(); len(f) != 1 || len(ex.Steps) != 2 {
		t.Errorf("fallbacks %q\n%v", f, ex)
	}
	if ex.Steps[1].Reason != "lowered tanh" {
		t.Errorf("%+v", ex.Steps[1])
	}
	if err := m.RunAll(); err != nil || y.Value() == nil {
		t.Errorf("%v, %v", y.Value(), err)
	}
}
