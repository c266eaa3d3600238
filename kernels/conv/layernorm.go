package conv

import (
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// LayerNorm is layer normalisation (Ba et al., arXiv 1607.06450): y = x̂·gamma + beta, with x standardised over the
// last Dims dimensions.
// Inputs: x float [any], gamma, beta float, the last Dims dimensions of x.  Output: x's shape.
//
// Gradient: StandardiseGrad of dy·gamma by x; sums over rows by gamma and beta.
type LayerNorm struct {
	Dims int
	Eps  float64 // 1e-5 is customary
}

// GroupNorm is group normalisation (Wu and He, arXiv 1803.08494, eq. 1 and 6): y = x̂·gamma + beta, with x standardised
// over each of Groups groups of channels of each sample, and one gamma and beta for each channel.
// Inputs: x float [batch, channels, …], gamma, beta float [channels].  Output: x's shape.
//
// Gradient: StandardiseGrad of dy·gamma by x; ChannelSums by gamma and beta.
type GroupNorm struct {
	Groups int
	Eps    float64 // 1e-5 is customary
}

var (
	_ kernels.Differentiable = LayerNorm{}
	_ kernels.Differentiable = GroupNorm{}
	_ kernels.CPUOp          = LayerNorm{}
	_ kernels.CPUOp          = GroupNorm{}
	_ kernels.Fused          = LayerNorm{}
	_ kernels.Fused          = GroupNorm{}
	_ kernels.InPlacer       = LayerNorm{}
	_ kernels.InPlacer       = GroupNorm{}
)

// rows are the rows of standardisation.
func (o LayerNorm) rows() Rows { return Rows{Dims: o.Dims} }
func (o GroupNorm) rows() Rows { return Rows{Groups: o.Groups} }

// Infer checks the shapes.
func (o LayerNorm) Infer(in []kernels.Spec) (kernels.Spec, error) {
	out, err := rowsSpec(o, in, 3, o.rows(), o.Eps)
	if err != nil {
		return out, err
	}
	want := kernels.S(out.DType, out.Shape[out.Rank()-o.Dims:]...)
	if !in[1].Equal(want) || !in[2].Equal(want) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "gamma and beta must be %v", want)
	}
	return out, nil
}

// Infer checks the shapes.
func (o GroupNorm) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if o.Groups < 1 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "Groups is %d, wants 1 or more", o.Groups)
	}
	out, err := rowsSpec(o, in, 3, o.rows(), o.Eps)
	if err != nil {
		return out, err
	}
	return out, wantChannels(o, in, 3, 1, 2)
}

// Ref standardises, and scales element by element.
func (o LayerNorm) Ref(out kernels.Tensor, in []kernels.Tensor) {
	Standardise{o.rows(), o.Eps}.Ref(out, in[:1])
	for i, v := range out.F64 {
		k := i % len(in[1].F64)
		out.F64[i] = v*in[1].F64[k] + in[2].F64[k]
	}
}

// Ref standardises, and scales element by element.
func (o GroupNorm) Ref(out kernels.Tensor, in []kernels.Tensor) {
	Standardise{o.rows(), o.Eps}.Ref(out, in[:1])
	for i, v := range out.F64 {
		k := channelOf(i, out.Shape)
		out.F64[i] = v*in[1].F64[k] + in[2].F64[k]
	}
}

// Decompose is Standardise, a product and a sum.
func (o LayerNorm) Decompose(b kernels.Builder, in []*kernels.Node) *kernels.Node {
	hat := b.Apply(Standardise{o.rows(), o.Eps}, in[0])
	return binary(b, dense.Add, binary(b, dense.Mul, hat, in[1]), in[2])
}

// Decompose is Standardise and ChannelAffine.
func (o GroupNorm) Decompose(b kernels.Builder, in []*kernels.Node) *kernels.Node {
	return b.Apply(ChannelAffine{}, b.Apply(Standardise{o.rows(), o.Eps}, in[0]), zeros(b, in[1]), in[1], in[2])
}

// Grad is that of the decomposition.
func (o LayerNorm) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	dx := b.Apply(StandardiseGrad{o.rows(), o.Eps}, in[0], binary(b, dense.Mul, dout, in[1]))
	hat := b.Apply(Standardise{o.rows(), o.Eps}, in[0])
	dgamma := b.Apply(dense.SumTo{}, binary(b, dense.Mul, dout, hat), in[1])
	return []*kernels.Node{dx, dgamma, b.Apply(dense.SumTo{}, dout, in[2])}
}

// Grad is that of the decomposition.
func (o GroupNorm) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	none := zeros(b, in[1])
	u := b.Apply(ChannelAffine{}, dout, none, in[1], none)
	dx := b.Apply(StandardiseGrad{o.rows(), o.Eps}, in[0], u)
	hat := b.Apply(Standardise{o.rows(), o.Eps}, in[0])
	dgamma, dbeta := pair(b, b.Apply(ChannelSums{}, hat, none, dout))
	return []*kernels.Node{dx, dgamma, dbeta}
}

// InPlace is true for x.
func (o LayerNorm) InPlace(i int) bool { return i == 0 }

// InPlace is true for x.
func (o GroupNorm) InPlace(i int) bool { return i == 0 }

// CPU goes through the rows.
func (o LayerNorm) CPU(c *kernels.Call) {
	rowsCall(c, o.rows(), 1.4, layerNormBody[float32], layerNormBody[float64])
}

// CPU goes through the rows.
func (o GroupNorm) CPU(c *kernels.Call) {
	rowsCall(c, o.rows(), 1.4, groupNormBody[float32], groupNormBody[float64])
}

func layerNormBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(LayerNorm)
	rows, n := o.rows().of(c.Out.Shape)
	x, y, v := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out), vec.For[T](c.Path)
	gamma, beta := kernels.Of[T](c.In[1])[:n], kernels.Of[T](c.In[2])[:n]
	lo, hi := c.Chunk(chunk, rows)
	for r := lo; r < hi; r++ {
		from, to := x[r*n:][:n], y[r*n:][:n]
		mean, inv := spreadOf(v, from, o.Eps)
		s := T(inv)
		for i, e := range from {
			to[i] = (e-mean)*s*gamma[i] + beta[i]
		}
	}
}

func groupNormBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(GroupNorm)
	rows, n := o.rows().of(c.Out.Shape)
	x, y, v := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out), vec.For[T](c.Path)
	gamma, beta := kernels.Of[T](c.In[1]), kernels.Of[T](c.In[2])
	per, plane := c.Out.Shape[1]/o.Groups, volume(c.Out.Shape[2:])
	lo, hi := c.Chunk(chunk, rows)
	for r := lo; r < hi; r++ {
		from, to := x[r*n:][:n], y[r*n:][:n]
		mean, inv := spreadOf(v, from, o.Eps)
		for k := range per {
			ch := r%o.Groups*per + k
			s, shift := T(inv)*gamma[ch], beta[ch]
			line := to[k*plane:][:plane]
			for i, e := range from[k*plane:][:plane] {
				line[i] = (e-mean)*s + shift
			}
		}
	}
}
