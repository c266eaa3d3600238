package layer

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"ganglion/engine"
	"ganglion/internal/optest"
	"ganglion/kernels"
	"ganglion/kernels/conv"
	"ganglion/kernels/dense"
)

type three = [3]int32

// waves fills a tensor without a pattern.
func waves(seed float64, shape ...int) kernels.Tensor {
	x := kernels.New(kernels.S(kernels.Float64, shape...))
	for i := range x.F64 {
		x.F64[i] = math.Sin(seed+1.7*float64(i)) + math.Cos(0.3*float64(i*i)+seed)
	}
	return x
}

// trial is a layer in a program, with the gradients of Σ y·weight by all that it reads.
type trial struct {
	p *engine.Program
	x kernels.Tensor
}

func newTrial(t *testing.T, o engine.BuildOptions, store *engine.Store, x kernels.Tensor, f func(s *engine.Scope,
	x *Node) *Node) *trial {
	t.Helper()
	g, err := o.Build("trial", kernels.Float64, func(s *engine.Scope) {
		in := s.Input("x", x.Spec)
		y := f(s.In("layer"), in)
		s.Output("y", y)
		weight := s.Input("weight", kernels.SpecOf(y))
		loss := s.Apply(dense.Reduce{}, s.Apply(dense.Binary{Kind: dense.Mul}, y, weight))
		s.Output("loss", loss)
		wrt := append([]*Node{in}, s.Params()...)
		for i, d := range s.Grad(loss, wrt...) {
			s.Output("d "+wrt[i].Name(), d)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := engine.Compile(g, engine.Options{Seed: 3, Workers: 2, Store: store})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return &trial{p: p, x: x}
}

// run runs the program and returns a copy of an output.
func (r *trial) run(t *testing.T, y []int, name string) kernels.Tensor {
	t.Helper()
	var feeds engine.Feeds
	for n, v := range map[string]kernels.Tensor{"x": r.x, "weight": waves(7, y...)} {
		slot, err := r.p.Slot(n)
		if err != nil {
			t.Fatal(err)
		}
		feeds = append(feeds, engine.Feed{Slot: slot, Tensor: v})
	}
	if err := r.p.Run(context.Background(), feeds); err != nil {
		t.Fatal(err)
	}
	v, err := r.p.Value(name)
	if err != nil {
		t.Fatal(err)
	}
	return v.Clone()
}

// param is the memory of a parameter or state of the layer.
func (r *trial) param(t *testing.T, name string) kernels.Tensor {
	t.Helper()
	v, err := r.p.Store().Tensor("layer/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// checkGrads compares the gradients by x and the parameters with difference quotients.
func (r *trial) checkGrads(t *testing.T, y []int, params ...string) {
	t.Helper()
	held := map[string]kernels.Tensor{"x": r.x}
	for _, p := range params {
		held["layer/"+p] = r.param(t, p)
	}
	for name, v := range held {
		grad := r.run(t, y, "d "+name)
		for k := 0; k < v.Size(); k += 1 + v.Size()/17 {
			const h = 1e-4
			old, at := v.F64[k], [4]float64{}
			for i, step := range []float64{-2, -1, 1, 2} {
				v.F64[k] = old + step*h
				at[i] = r.run(t, y, "loss").F64[0]
			}
			v.F64[k] = old
			want := (8*(at[2]-at[1]) - (at[3] - at[0])) / (12 * h)
			if math.Abs(grad.F64[k]-want) > 1e-6*(1+math.Abs(want)) {
				t.Errorf("∂/∂%s[%d] = %v, difference quotient %v", name, k, grad.F64[k], want)
				break
			}
		}
	}
}

func TestConvLayers(t *testing.T) {
	geometry := conv.Conv{Dims: 2, Stride: three{2, 1}, Pad: three{1, 1}, Groups: 2}
	plain := Conv{Out: 6, Kernel: [3]int{3, 2}, Geometry: geometry}
	for _, c := range []struct {
		name string
		f    func(s *engine.Scope, x *Node) *Node
		y    []int
		w    []int
	}{
		{"conv", plain.Apply, []int{3, 6, 3, 8}, []int{6, 2, 3, 2}},
		{"transposed", ConvTranspose{Conv: plain, OutPad: three{1, 0}}.Apply, []int{3, 6, 10, 6}, []int{4, 3, 3, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newTrial(t, engine.BuildOptions{}, nil, waves(1, 3, 4, 5, 7), c.f)
			got := r.run(t, c.y, "y")
			w, b := r.param(t, "W"), r.param(t, "b")
			if fmt.Sprint(w.Shape) != fmt.Sprint(c.w) {
				t.Fatalf("weights are %v, want %v", w.Shape, c.w)
			}
			op := kernels.Op(geometry)
			if c.name == "transposed" {
				op = conv.ConvGradX{Of: geometry, OutPad: three{1, 0}}
			}
			want, err := kernels.RunRef(op, []kernels.Tensor{r.x, w})
			if err != nil {
				t.Fatal(err)
			}
			plane := c.y[2] * c.y[3]
			for i := range want.F64 {
				want.F64[i] += b.F64[i/plane%6]
			}
			if msg := optest.Compare(got.F64, want.F64, 1e-12); msg != "" {
				t.Error(msg)
			}
			r.checkGrads(t, c.y, "W", "b")
			r.x = waves(2, 5, 4, 5, 7) // another batch
			if y := r.run(t, append([]int{5}, c.y[1:]...), "y"); y.Shape[0] != 5 {
				t.Errorf("a batch of 5 gives %v", y.Shape)
			}
		})
	}
}

func TestPoolLayers(t *testing.T) {
	w := conv.Window{Dims: 2, Kernel: three{2, 3}, Pad: three{1, 1}}
	r := newTrial(t, engine.BuildOptions{}, nil, waves(1, 2, 3, 6, 7), func(s *engine.Scope, x *Node) *Node {
		x = Upsample(s, conv.Upsample{Dims: 2, Factor: three{2, 1}}, AvgPool(s, w, x))
		return GlobalAvgPool(s, MaxPool(s, conv.Window{Dims: 2, Kernel: three{3, 2}}, x))
	})
	r.checkGrads(t, []int{2, 3})
}

func TestBatchNorm(t *testing.T) {
	l := BatchNorm{Momentum: 0.25, Eps: 0.01}
	x := waves(1, 4, 3, 5)
	train := newTrial(t, engine.BuildOptions{Training: true}, nil, x, l.Apply)
	got := train.run(t, x.Shape, "y")
	want, running := kernels.New(x.Spec), kernels.New(kernels.S(kernels.Float64, 2, 3))
	for c := range 3 {
		mean, square := 0.0, 0.0
		for i := range 20 {
			mean += x.F64[(i/5*3+c)*5+i%5] / 20
		}
		for i := range 20 {
			d := x.F64[(i/5*3+c)*5+i%5] - mean
			square += d * d
		}
		for i := range 20 {
			k := (i/5*3+c)*5 + i%5
			want.F64[k] = (x.F64[k] - mean) / math.Sqrt(square/20+0.01)
		}
		running.F64[c], running.F64[3+c] = 0.25*mean, 0.75+0.25*square/19
	}
	if msg := optest.Compare(got.F64, want.F64, 1e-12); msg != "" {
		t.Errorf("training: %s", msg)
	}
	state := train.param(t, "running")
	if msg := optest.Compare(state.F64, running.F64, 1e-12); msg != "" {
		t.Errorf("running moments: %s", msg)
	}
	train.checkGrads(t, x.Shape, "gamma", "beta")

	running.CopyTo(state)
	eval := newTrial(t, engine.BuildOptions{}, train.p.Store(), x, l.Apply)
	y := eval.run(t, x.Shape, "y")
	for k := range want.F64 {
		c := k / 5 % 3
		want.F64[k] = (x.F64[k] - running.F64[c]) / math.Sqrt(running.F64[3+c]+0.01)
	}
	if msg := optest.Compare(y.F64, want.F64, 1e-12); msg != "" {
		t.Errorf("evaluation: %s", msg)
	}
	if msg := optest.Compare(state.F64, running.F64, 0); msg != "" {
		t.Errorf("evaluation changed the running moments: %s", msg)
	}
	eval.checkGrads(t, x.Shape, "gamma", "beta")
}

// A single element has no variance; the running one must stay finite.
func TestBatchNormOfOneElement(t *testing.T) {
	r := newTrial(t, engine.BuildOptions{Training: true}, nil, waves(1, 1, 2), BatchNorm{}.Apply)
	r.run(t, []int{1, 2}, "y")
	if v := r.param(t, "running").F64; math.Abs(v[2]-0.9) > 1e-15 || math.Abs(v[3]-0.9) > 1e-15 {
		t.Errorf("running variances %v, want 0.9", v[2:])
	}
}

func TestLayerAndGroupNorm(t *testing.T) {
	x := waves(1, 3, 4, 5)
	for name, f := range map[string]func(s *engine.Scope, x *Node) *Node{
		"layer": LayerNorm{Dims: 2}.Apply, "group": GroupNorm{Groups: 1}.Apply,
	} {
		r := newTrial(t, engine.BuildOptions{}, nil, x, f)
		got := r.run(t, x.Shape, "y")
		for n := range 3 {
			sum, square := 0.0, 0.0
			for _, v := range got.F64[n*20 : n*20+20] {
				sum, square = sum+v, square+v*v
			}
			if math.Abs(sum) > 1e-12 || math.Abs(square/20-1) > 1e-4 {
				t.Errorf("%s norm: sample %d has sum %v, mean square %v", name, n, sum, square/20)
			}
		}
		r.checkGrads(t, x.Shape, "gamma", "beta")
	}
}

func TestDropout(t *testing.T) {
	build := func(training, key bool) error {
		_, err := engine.BuildOptions{Training: training}.Build("d", kernels.Float32, func(s *engine.Scope) {
			x := s.Input("x", kernels.S(kernels.Float32, 3))
			l := Dropout{Rate: 0.5}
			if key {
				l.Key = s.Input("key", kernels.S(kernels.Int32, 4))
			}
			a, b := l.Apply(s, x), l.Apply(s, x)
			if (a == x) == training || (a == b) == training {
				t.Errorf("training %v: dropped %v, the same twice %v", training, a != x, a == b)
			}
		})
		return err
	}
	for _, training := range []bool{false, true} {
		if err := build(training, true); err != nil {
			t.Error(err)
		}
	}
	if err := build(false, false); err != nil {
		t.Error(err)
	}
	if err := build(true, false); err == nil || !strings.Contains(err.Error(), "needs the key") {
		t.Errorf("without a key: %v", err)
	}
}

// What the layers refuse, they refuse with the path.
func TestSignalErrors(t *testing.T) {
	for want, f := range map[string]func(s *engine.Scope, x *Node) *Node{
		"wants signals": Conv{Out: 2, Geometry: conv.Conv{Dims: 2}}.Apply,
		"not divided by 2 groups": ConvTranspose{Conv: Conv{Out: 3, Kernel: [3]int{1},
			Geometry: conv.Conv{Dims: 1, Groups: 2}}}.Apply,
		"momentum from 0 to 1": BatchNorm{Momentum: 2}.Apply,
		"less than 4":          LayerNorm{Dims: 4}.Apply,
		"Groups is 0":          GroupNorm{}.Apply,
		"with 0 hidden units":  func(s *engine.Scope, x *Node) *Node { return GRU{}.Apply(s, x, nil) },
		"input of 2 dimensions": func(s *engine.Scope, x *Node) *Node {
			return GRU{Hidden: 2}.Cell(s, 3).Step(s, x,
				x)
		},
	} {
		_, err := engine.Build("e", kernels.Float32, func(s *engine.Scope) {
			f(s.In("here"), s.Input("x", kernels.S(kernels.Float32, 2, 4, 3)))
		})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "here") {
			t.Errorf("want an error with %q and the path, got %v", want, err)
		}
	}
}
