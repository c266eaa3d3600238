package random

import (
	"fmt"
	"math"

	"ganglion/kernels"
)

// Initialisers give parameters their first values. Each has a method Fill(t, seed, stream) that sets every element of a
// float tensor; equal arguments give equal values. Uniform and Normal are initialisers as well.

// Constant sets every element to Value.
type Constant struct{ Value float64 }

// Fill sets t; the error says that t is not float.
func (o Constant) Fill(t kernels.Tensor, seed uint64, stream uint32) error {
	return fillTensor(t, o, seed, stream)
}

func (o Constant) draw([4]uint32) [4]float64 { return [4]float64{o.Value, o.Value, o.Value, o.Value} }

// Zeros sets every element to 0.
type Zeros struct{}

// Fill sets t; the error says that t is not float.
func (o Zeros) Fill(t kernels.Tensor, seed uint64, stream uint32) error {
	return Constant{}.Fill(t, seed, stream)
}

// Glorot is the initialisation of Glorot and Bengio (AISTATS 2010): variance 2·Gain²/(in + out), for weights [..., in,
// out] as in x·W; dimensions before the last two count matrices.
type Glorot struct {
	Normal bool    // normal numbers instead of uniform ones
	Gain   float64 // 0 means 1
}

// Fill draws t; the error says that t is not float or has less than two dimensions.
func (o Glorot) Fill(t kernels.Tensor, seed uint64, stream uint32) error {
	in, out, err := fans("Glorot", t)
	if err != nil {
		return err
	}
	return spread(math.Sqrt(2/float64(in+out)), o.Gain, o.Normal, t, seed, stream)
}

// He is the initialisation of He et al. (arXiv 1502.01852, eq. 10): variance 2·Gain²/in, for weights [..., in, out] as
// in x·W.
type He struct {
	Normal bool    // normal numbers instead of uniform ones
	Gain   float64 // 0 means 1
}

// Fill draws t; the error says that t is not float or has less than two dimensions.
func (o He) Fill(t kernels.Tensor, seed uint64, stream uint32) error {
	in, _, err := fans("He", t)
	if err != nil {
		return err
	}
	return spread(math.Sqrt(2/float64(in)), o.Gain, o.Normal, t, seed, stream)
}

// fans returns the last two dimensions.
func fans(name string, t kernels.Tensor) (in, out int, err error) {
	r := t.Rank()
	if r < 2 {
		return 0, 0, fmt.Errorf("random: %s: %v has no input and output dimension", name, t.Spec)
	}
	return t.Shape[r-2], t.Shape[r-1], nil
}

// spread draws t with mean 0 and standard deviation gain·std.
func spread(std, gain float64, normal bool, t kernels.Tensor, seed uint64, stream uint32) error {
	if gain != 0 {
		std *= gain
	}
	if normal {
		return Normal{Std: std}.Fill(t, seed, stream)
	}
	limit := math.Sqrt(3) * std
	return Uniform{Lo: -limit, Hi: limit}.Fill(t, seed, stream)
}
