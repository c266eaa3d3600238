package train

import (
	"fmt"
	"slices"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/dense"
	"ganglion/kernels/optim"
	"ganglion/kernels/random"
)

// The names of the programs' inputs and outputs.
const (
	inputX, inputY, inputRow, inputKey, inputStep, inputHyper = "x", "y", "row", "key", "step", "hyper"
	outputLoss, outputOK, outputNet, outputNorm               = "loss", "ok", "output", "gradient norm"
)

// stepGraph writes forward, loss, gradients and update of one training step as one graph. sample is a batch of graphs
// whose sizes stand in the inputs, nil for rows of a table.
func stepGraph(m Model, task Task, sample *operands, o Options) (g *engine.Graph, strength float64, err error) {
	d := dtype(o.DType)
	g, err = engine.BuildOptions{Training: true}.Build("train", d, func(s *engine.Scope) {
		in := Inputs{
			Row:   s.Input(inputRow, kernels.S(kernels.Int32, o.Batch)),
			Key:   s.Input(inputKey, kernels.S(kernels.Int32, 4)),
			Step:  s.Input(inputStep, kernels.S(kernels.Int32, 1)),
			Hyper: s.Input(inputHyper, kernels.S(d, 3)),
		}
		if sample == nil {
			in.X = s.Input(inputX, kernels.S(d, o.Batch, task.Inputs))
		} else {
			in.Graph = sample.declare(s)
		}
		net := m.Forward(s, in)
		strength = net.Strength
		loss := lossOf(s, task, net.Output, o.Batch)
		s.Output(outputLoss, loss)
		s.Output(outputNet, net.Output)
		params := s.Params()
		if err := o.affords(s); err != nil {
			s.Fail(err)
		}
		grads, rest, err := decayed(s, params, s.Grad(loss, params...), net, o)
		if err != nil {
			s.Fail(err)
		}
		update(s, params, grads, loss, net, in, rest)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("training graph: %w", err)
	}
	return g, strength, nil
}

func lossOf(s *engine.Scope, task Task, out *Node, batch int) *Node {
	if task.Kind == Classify {
		y := s.Input(inputY, kernels.S(kernels.Int32, batch))
		return s.Apply(dense.SoftmaxCrossEntropy{}, out, y)
	}
	y := s.Input(inputY, kernels.S(s.DType(), batch, task.Outputs))
	return s.Apply(dense.MSE{}, out, y)
}

// decayed adds the gradient of weight decay where the optimiser's own would act on the wrong parameters, or has none:
// Adam's is that of ½·decay·Σθ², as those of sgd and momentum. The options that come back are for the optimiser.
func decayed(s *engine.Scope, params, grads []*Node, net Net, o Options) ([]*Node, Options, error) {
	if o.Decay == 0 || net.Decayed == nil && o.Optimiser != "adam" {
		return grads, o, nil
	}
	if o.Optimiser == "adamw" {
		return nil, o, fmt.Errorf(
			"adamw decays all parameters, and this network some of them: take adam, sgd or momentum",
		)
	}
	grads = slices.Clone(grads)
	for i, p := range params {
		if net.Decayed == nil || slices.Contains(net.Decayed, p) {
			grads[i] = s.Apply(dense.Binary{Kind: dense.Add}, grads[i], s.Apply(dense.Scale{Alpha: o.Decay}, p))
		}
	}
	o.Decay = 0
	return grads, o, nil
}

// update writes the optimiser's step: the parameters and its moments are one block z, the gradients another.
func update(s *engine.Scope, params, grads []*Node, loss *Node, net Net, in Inputs, o Options) {
	g := s.Apply(dense.Pack{}, grads...)
	n := kernels.SpecOf(g).Size()
	ok := s.Apply(optim.Finite{}, g, loss)
	s.Output(outputOK, ok)
	s.Applied(ok)
	if o.Clip > 0 {
		g = s.Apply(optim.ClipNorm{Max: o.Clip}, g)
	}
	op, slots := optimiser(o)
	parts := append([]*Node(nil), params...)
	for i := range slots {
		parts = append(parts, s.State(fmt.Sprintf("optimiser/moment%d", i+1), kernels.S(s.DType(), n), random.Zeros{}))
	}
	z := s.Apply(dense.Pack{}, parts...)
	z = s.Apply(op, z, g, in.Hyper, ok)
	block := Block{Hyper: in.Hyper, OK: ok, offsets: map[*Node]int{}}
	at := 0
	for _, p := range params {
		block.offsets[p] = at
		at += kernels.SpecOf(p).Size()
	}
	for _, f := range net.After {
		z = f(s, z, block)
	}
	at = 0
	for _, p := range parts {
		spec := kernels.SpecOf(p)
		s.Update(p, s.Apply(dense.NewView(at, spec.Shape...), z))
		at += spec.Size()
	}
}

// optimiser returns the update op and the number of blocks of its own that it keeps beside the parameters.
func optimiser(o Options) (kernels.Op, int) {
	switch o.Optimiser {
	case "sgd":
		return optim.SGD{WeightDecay: o.Decay}, 0
	case "momentum":
		return optim.SGD{Momentum: o.Momentum, WeightDecay: o.Decay}, 1
	case "adamw":
		return optim.AdamW{WeightDecay: o.Decay}, 2
	}
	return optim.Adam{}, 2
}

func dtype(name string) kernels.DType {
	if name == "f64" {
		return kernels.Float64
	}
	return kernels.Float32
}
