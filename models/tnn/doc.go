// Package tnn holds tensor neural networks: layers Y = f(W *_M X + b) of t-products under a transform M along tubes
// (arXiv 2303.00196), their low-rank and Hamiltonian forms, and adversarial perturbations of their inputs.
//
// A sample is a matrix of d features by c channels; a feature's channels are its tube. In the graph a batch is [c, N,
// d]: the tube first, samples as rows. Weights are therefore [c, d_in, d_out], the paper's with transposed slices, and
// a layer is x * w (see package kernels/spectral, which has the products and transforms). Flat samples, as they come
// from data and go to dense layers, are feature-major: position i·c + q is channel q of feature i.
package tnn

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/kernels"
	"ganglion/kernels/dense"
	"ganglion/kernels/random"
	"ganglion/kernels/spectral"
	"ganglion/kernels/spectral/algebra"
)

// Node is a node of the model's graph.
type Node = kernels.Node

// tubes is the shape of a sample: features and their channels.
type tubes struct{ features, channels int }

// shapeOf is the shape that a setting like 8x8 gives, or, when that is empty, the one of the data: rows of an image are
// features, and so are the channels of a series.
func shapeOf(setting string, task train.Task) (tubes, error) {
	none := tubes{}
	if setting == "" {
		var dims []int
		for _, d := range task.Shape {
			if d > 1 {
				dims = append(dims, d)
			}
		}
		if len(dims) != 2 {
			return none, fmt.Errorf(
				"shape: samples of shape %v do not say what are features and what channels: give a "+
					"shape, such as --set shape=%dx1",
				task.Shape,
				task.Inputs,
			)
		}
		return tubes{dims[0], dims[1]}, nil
	}
	d, c, ok := strings.Cut(setting, "x")
	features, err1 := strconv.Atoi(d)
	channels, err2 := strconv.Atoi(c)
	switch {
	case !ok || err1 != nil || err2 != nil || features < 1 || channels < 1:
		return none, fmt.Errorf("shape: %q is not features and channels like 8x8", setting)
	case features > task.Inputs || features*channels != task.Inputs:
		return none, fmt.Errorf("shape: %q has not the %d elements of a sample", setting, task.Inputs)
	}
	return tubes{features, channels}, nil
}

// fold makes samples [N, d·c] a batch [c, N, d].
func (t tubes) fold(s *engine.Scope, x *Node) *Node {
	x = s.Apply(dense.Reshape{To: dense.ShapeOf(-1, t.features, t.channels)}, x)
	return s.Apply(dense.NewTranspose(2, 0, 1), x)
}

// flat makes a batch [c, N, d] samples [N, d·c].
func flat(s *engine.Scope, x *Node) *Node {
	shape := kernels.SpecOf(x).Shape
	x = s.Apply(dense.NewTranspose(1, 2, 0), x)
	return s.Apply(dense.Reshape{To: dense.ShapeOf(-1, shape[0]*shape[2])}, x)
}

// transforms are the names that a configuration takes, besides those of spectral.ParseKind.
const transforms = "dct, dft, haar, id, orth or learned"

// checkTransform reports an error unless tubes of length c have the transform.
func checkTransform(name string, c int) error {
	if name == "orth" || name == "learned" {
		return nil
	}
	kind, err := spectral.ParseKind(name)
	if err != nil {
		return fmt.Errorf("transform: %q is not one of %s", name, transforms)
	}
	if kind == spectral.Haar && c&(c-1) != 0 {
		return fmt.Errorf("transform: haar needs a power of two of channels, the samples have %d", c)
	}
	return nil
}

// orthSeed is that of the random orthogonal transform: it is a part of the architecture, not of a run.
const orthSeed = 1

// product writes the algebra of a transform: a matrix from a constant, or, learned, (I − K)(I + K)⁻¹ for K = A − Aᵀ
// with parameters A [c, c], by A. Cayley orthogonal whatever A is.
func product(s *engine.Scope, name string, c int) spectral.Algebra {
	switch name {
	case "orth":
		return spectral.Algebra{M: s.Const(orthogonal(s.DType(), c))}
	case "learned":
		a := s.Param("A", random.Normal{Std: 1 / float64(c)}, c, c)
		k := s.Apply(dense.Binary{Kind: dense.Sub}, a, s.Apply(dense.NewTranspose(1, 0), a))
		one := s.Const(identity(s.DType(), c))
		minus, plus := s.Apply(dense.Binary{Kind: dense.Sub}, one, k), s.Apply(dense.Binary{Kind: dense.Add}, one, k)
		return spectral.Algebra{M: s.Apply(dense.GEMM{}, minus, s.Apply(spectral.Inverse{}, plus))}
	}
	kind, err := spectral.ParseKind(name)
	if err != nil {
		s.Fail(err)
	}
	return spectral.Algebra{Kind: kind}
}

// orthogonal is a random orthogonal matrix: the spectra of unit tubes.
func orthogonal(d kernels.DType, c int) kernels.Tensor {
	m := kernels.New(kernels.S(kernels.Float64, c, c))
	copy(m.F64, algebra.Orthogonal(c, orthSeed).Matrix())
	return kernels.Convert(m, d)
}

func identity(d kernels.DType, c int) kernels.Tensor {
	m := kernels.New(kernels.S(kernels.Float64, c, c))
	for i := range c {
		m.F64[i*c+i] = 1
	}
	return kernels.Convert(m, d)
}

// spread is the variance of weights [c, in, out] for which a layer keeps that of its input under ReLU: 2/in, and less
// by c under the DFT, in which every entry of a tube is a sum of c products.
func spread(transform string, in, c int) float64 {
	if transform == "dft" {
		return 2 / float64(in*c)
	}
	return 2 / float64(in)
}

// weight declares weights [c, in, out] of a scope.
func weight(s *engine.Scope, name string, variance float64, shape ...int) *Node {
	return s.Param(name, random.Normal{Std: math.Sqrt(variance)}, shape...)
}
