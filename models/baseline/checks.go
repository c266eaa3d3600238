package baseline

import (
	"context"
	"fmt"
	"math"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/internal/philox"
	"ganglion/kernels"
	"ganglion/models/layer"
	"ganglion/models/zoo"
)

// The acceptance checks of this package's systems.
var (
	checksLeNet = []zoo.Check{
		{Name: "shift", Claim: "with the mean over positions, moving the content of an image by 4 pixels within a " +
			"blank margin leaves the logits as they are", Run: checkShift},
		{Name: "digits", Claim: "on digits, test accuracy is 0.96 at least after 30 epochs",
			Run: func(seed uint64) (string, string, bool, error) {
				return checkDigits(buildLeNet, lenetDefaults(), seed, 0.96)
			}},
	}
	checksGRU = []zoo.Check{
		{Name: "recall", Claim: recallClaim,
			Run: func(seed uint64) (string, string, bool, error) { return checkRecall(buildGRU, gruDefaults(), seed) }},
		{Name: "digits", Claim: "on digits row by row, test accuracy is 0.93 at least after 30 epochs",
			Run: func(seed uint64) (string, string, bool, error) {
				return checkDigits(buildGRU, gruDefaults(), seed, 0.93)
			}},
	}
	checksLSTM = []zoo.Check{
		{Name: "recall", Claim: recallClaim,
			Run: func(seed uint64) (string, string, bool, error) {
				return checkRecall(buildLSTM, lstmDefaults(), seed)
			}},
		{Name: "digits", Claim: "on digits row by row, test accuracy is 0.93 at least after 30 epochs",
			Run: func(seed uint64) (string, string, bool, error) {
				return checkDigits(buildLSTM, lstmDefaults(), seed, 0.93)
			}},
	}
)

const recallClaim = "a class that the first of 15 steps alone shows is told at the last: accuracy 0.99 on new series"

// checkDigits trains the system as it comes and compares the accuracy on the test part.
func checkDigits(build zoo.Builder, cfg any, seed uint64, want float64) (string, string, bool, error) {
	set, err := zoo.LoadSet("digits", seed)
	if err != nil {
		return "", "", false, err
	}
	got, err := build.Score(cfg, set, train.Options{Epochs: 30, Seed: seed})
	return fmt.Sprintf("%.4f", got), fmt.Sprintf("at least %v", want), got >= want, err
}

// forward runs what write makes of x in float64, and returns its outputs.
func forward(seed uint64, x kernels.Tensor, write func(s *engine.Scope, x *layer.Node) []*layer.Node) ([]kernels.Tensor,
	error) {
	var names []string
	g, err := engine.Build("check", kernels.Float64, func(s *engine.Scope) {
		for i, n := range write(s, s.Input("x", x.Spec)) {
			names = append(names, fmt.Sprintf("y%d", i))
			s.Output(names[i], n)
		}
	})
	if err != nil {
		return nil, err
	}
	p, err := engine.Compile(g, engine.Options{Workers: 1, Seed: seed})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	slot, err := p.Slot("x")
	if err != nil {
		return nil, err
	}
	if err := p.Run(context.Background(), engine.Feeds{{Slot: slot, Tensor: x}}); err != nil {
		return nil, err
	}
	out := make([]kernels.Tensor, len(names))
	for i, name := range names {
		v, err := p.Value(name)
		if err != nil {
			return nil, err
		}
		out[i] = v.Clone()
	}
	return out, nil
}

// near compares two arrays: the largest difference, relative to the largest element, against 1e-12.
func near(a, b []float64) (measured, required string, ok bool, err error) {
	const tolerance = 1e-12
	most, top := 0.0, 0.0
	for i, v := range a {
		most, top = max(most, math.Abs(v-b[i])), max(top, math.Abs(v))
	}
	return fmt.Sprintf("%.2g", most/top), fmt.Sprintf("at most %.2g", tolerance), most <= tolerance*top, nil
}

// noise fills n numbers from -2 to 2.
func noise(seed uint64, n int) []float64 {
	random := philox.New(seed, 78, 0)
	v := make([]float64, n)
	for i := range v {
		v[i] = 4*random.Uniform() - 2
	}
	return v
}

// checkShift runs a network on images whose content of 4 × 4 pixels stands at two places.
func checkShift(seed uint64) (measured, required string, ok bool, err error) {
	const side, size, margin = 28, 4, 10
	content := noise(seed, size*size)
	x := kernels.New(kernels.S(kernels.Float64, 2, side*side))
	for i, v := range content {
		for k := range 2 {
			row, col := margin+i/size+4*k, margin+i%size+4*k
			x.F64[(k*side+row)*side+col] = v
		}
	}
	cfg := LeNetConfig{Shape: "1x28x28", Channels: 3, Kernel: 3, Hidden: 5, Pool: "max", Global: true,
		Activation: "relu"}
	m, err := buildLeNet(cfg, train.Task{Inputs: side * side, Outputs: 4})
	if err != nil {
		return "", "", false, err
	}
	y, err := forward(seed, x, func(s *engine.Scope, x *layer.Node) []*layer.Node {
		return []*layer.Node{m.Forward(s, train.Inputs{X: x}).Output}
	})
	if err != nil {
		return "", "", false, err
	}
	return near(y[0].F64[:4], y[0].F64[4:])
}

// checkRecall trains on series whose class, of 4, stands in the first step alone, before 14 steps of noise, and scores
// other such series.
func checkRecall(build zoo.Builder, cfg any, seed uint64) (measured, required string, ok bool, err error) {
	const steps, channels, samples, want = 15, 4, 1000, 0.99
	part := func(seed uint64) train.Part {
		p := train.Part{X: kernels.New(kernels.S(kernels.Float32, samples, channels*steps)),
			Labels: make([]int32, samples)}
		for k, v := range noise(seed, len(p.X.F32)) {
			p.X.F32[k] = float32(v / 2)
		}
		for i := range samples {
			class := i % channels
			for c := range channels {
				p.X.F32[(i*channels+c)*steps] = 0
			}
			p.X.F32[(i*channels+class)*steps], p.Labels[i] = 2, int32(class)
		}
		return p
	}
	task := train.Task{Inputs: channels * steps, Outputs: channels, Examples: samples, Shape: [3]int{channels, steps}}
	set := train.Set{Task: task, Train: part(3 * seed), Valid: part(3*seed + 1), Test: part(3*seed + 2)}
	got, err := build.Score(cfg, set, train.Options{Epochs: 30, LR: 0.01, Clip: 1, Seed: seed})
	return fmt.Sprintf("%.4f", got), fmt.Sprintf("at least %v", want), got >= want, err
}
