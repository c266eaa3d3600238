package conv

import (
	"ganglion/internal/asm/gemm"
	"ganglion/kernels"
)

// ConvGradX is the gradient of a convolution by its signal: dx[n, c, q] = Σ dy[n, o, p]·w[o, c, t] over all o, p and t
// with which Conv reads q. Used forward it is the transposed convolution of dy.
// Inputs: dy float [batch, out, …], w float [out, channels/Groups, kernel…], optionally like (float [batch, channels,
// extents…], the signal; only its shape counts).  Output: like's shape; without it the extents are (positions −
// 1)·Stride − 2·Pad − Extra + Dilation·(kernel − 1) + 1 + OutPad.
//
// Gradient: Conv by dy, ConvGradW by w.
type ConvGradX struct {
	Of Conv
	// OutPad is what the stride cut off the signal's end, from 0 to Stride − 1 (0 if there is a third input).
	OutPad [maxDims]int32
}

var (
	_ kernels.Differentiable = ConvGradX{}
	_ kernels.CPUOp          = ConvGradX{}
	_ kernels.Scratcher      = ConvGradX{}
)

// Infer checks that dy is what Conv makes of the output.
func (o ConvGradX) Infer(in []kernels.Spec) (kernels.Spec, error) {
	none := kernels.Spec{}
	if len(in) != 2 && len(in) != 3 {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "wants 2 or 3 inputs, has %d", len(in))
	}
	if err := wantFloats(o, in, len(in)); err != nil {
		return none, err
	}
	if len(in) == 3 && o.OutPad != [maxDims]int32{} {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "has both OutPad and an input to take the shape from")
	}
	x, err := o.signal(in)
	if err != nil {
		return none, err
	}
	if err := o.Of.check(o, in, x, in[1]); err != nil {
		return none, err
	}
	if y := o.Of.output(x, in[1]); !y.Equal(in[0]) {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "the convolution of %v is %v", x, y)
	}
	return x, nil
}

// signal is the spec of dx, before it is checked.
func (o ConvGradX) signal(in []kernels.Spec) (kernels.Spec, error) {
	if len(in) == 3 {
		return kernels.S(in[0].DType, in[2].Shape...), nil
	}
	none := kernels.Spec{}
	dims := o.Of.Dims
	if dims < 1 || dims > maxDims || in[0].Rank() != dims+2 || in[1].Rank() != dims+2 {
		return none, kernels.Errorf(o, in, kernels.ErrShape,
			"wants Dims from 1 to 3, and inputs of Dims + 2 dimensions")
	}
	shape := []int{in[0].Shape[0], in[1].Shape[1] * max(1, int(o.Of.Groups))}
	for i := range dims {
		stride, dil := max(1, o.Of.Stride[i]), max(1, int(o.Of.Dilation[i]))
		if o.OutPad[i] < 0 || o.OutPad[i] >= stride {
			return none, kernels.Errorf(o, in, kernels.ErrShape, "axis %d: OutPad %d is not from 0 to %d", i,
				o.OutPad[i], stride-1)
		}
		n := (in[0].Shape[2+i]-1)*int(stride) - 2*int(o.Of.Pad[i]) - int(o.Of.Extra[i]) +
			dil*(in[1].Shape[2+i]-1) + 1 + int(o.OutPad[i])
		if n < 0 {
			return none, kernels.Errorf(o, in, kernels.ErrShape,
				"axis %d: nothing is left of the signal behind its padding", i)
		}
		shape = append(shape, n)
	}
	return kernels.S(in[0].DType, shape...), nil
}

// Ref adds product by product.
func (o ConvGradX) Ref(out kernels.Tensor, in []kernels.Tensor) {
	clear(out.F64)
	g := o.Of.geometry(out.Shape, in[1].Shape)
	g.each(func(x, w, y int) { out.F64[x] += in[0].F64[y] * in[1].F64[w] })
}

// Grad is the other two ops.
func (o ConvGradX) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	grads := []*kernels.Node{b.Apply(o.Of, dout, in[1]), b.Apply(ConvGradW{Of: o.Of}, dout, in[0], in[1])}
	if len(in) == 3 {
		grads = append(grads, zeros(b, in[2]))
	}
	return grads
}

// Flops counts a multiplication and an addition for every product.
func (o ConvGradX) Flops(in []kernels.Spec, out kernels.Spec) float64 {
	g := o.Of.geometry(out.Shape, in[1].Shape)
	return g.flops()
}

// strips is how ConvGradX is cut: task (group, block of channels, image), each through its tiles of positions.
type strips struct{ channels, blocks, positions int }

func (g *geometry) strips() strips {
	channel := 2 * float64(g.taps()) * float64(g.out) * float64(g.area())
	least := ceil(72, max(1, g.taps()))
	s := strips{channels: max(1, min(g.in, max(least, int(partOps/max(channel, 1)))))}
	for s.channels > least && s.channels*g.taps() > maxDepth {
		s.channels = max(least, s.channels/2)
	}
	s.blocks = ceil(g.in, s.channels)
	s.positions = g.area()
	if !g.pointwise() {
		s.positions = min(s.positions, max(2*unit, colArea/max(1, s.channels*g.taps())/unit*unit))
	}
	return s
}

// Workspace holds, for each worker, a tile of unfolded dx and what its product packs.
func (o ConvGradX) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	g := o.Of.geometry(out.Shape, in[1].Shape)
	if g.shallow() {
		return 0
	}
	s := g.strips()
	rows, elem := s.channels*g.taps(), out.DType.Size()
	n := products(rows, s.positions, g.out, elem)
	if !g.pointwise() {
		n += kernels.CarveSize(rows*s.positions, elem)
	}
	n *= workers
	if f := g.flipped(); f.direct() {
		n = max(n, f.directScratch(elem, workers))
	}
	return n
}

// CPU computes strips directly, or multiplies the transposed kernels with tiles of dy, and folds the products.
func (o ConvGradX) CPU(c *kernels.Call) {
	g := o.Of.geometry(c.Out.Shape, c.In[1].Shape)
	if c.Out.Size() == 0 {
		return
	}
	if f := g.flipped(); !g.shallow() && f.direct() && hasDirect(c) {
		directly(c, &f)
		return
	}
	tasks, rate := g.batch*g.groups, 8.0
	f32, f64 := shallowXBody[float32], shallowXBody[float64]
	if !g.shallow() {
		s := g.strips()
		tasks, rate = tasks*s.blocks, 40
		f32, f64 = gradXBody[float32], gradXBody[float64]
	}
	c.ForFloat(c.Rows(tasks, 100+g.flops()/float64(tasks)/rate), f32, f64)
}

func gradXBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	o := c.Op.(ConvGradX)
	g := o.Of.geometry(c.Out.Shape, c.In[1].Shape)
	s := g.strips()
	lo, hi := c.Chunk(chunk, g.batch*g.groups*s.blocks)
	work := mine(c, worker)
	var col []T
	if !g.pointwise() {
		col = kernels.Carve[T](&work, s.channels*g.taps()*s.positions)
	}
	for task := lo; task < hi; task++ {
		image, rest := task%g.batch, task/g.batch
		gradXStrip(&g, &s, scratch[T]{path: c.Path, col: col, gemm: work}, kernels.Of[T](c.In[0]),
			kernels.Of[T](c.In[1]),
			kernels.Of[T](c.Out), image, rest/s.blocks, rest%s.blocks*s.channels)
	}
}

// gradXStrip computes the channels from first on, of one group of one image.
func gradXStrip[T kernels.Float](g *geometry, s *strips, m scratch[T], dy, w, dx []T, image, group, first int) {
	taps, plane, area, depth := g.taps(), g.plane(), g.area(), g.depth()
	channels := min(s.channels, g.in-first)
	to := dx[((image*g.groups+group)*g.in+first)*plane:][:channels*plane]
	from := dy[(image*g.groups+group)*g.out*area:]
	p := product[T]{TransA: true, M: channels * taps, K: g.out, A: w[min(len(w), group*g.out*depth+first*taps):],
		LDA: depth,
		LDB: area, Work: m.gemm}
	if g.pointwise() {
		p.N, p.B, p.C, p.LDC = area, from, to, plane
		gemm.Multiply(nil, m.path, nil, p)
		return
	}
	clear(to)
	for p0 := 0; p0 < area; p0 += s.positions {
		p.N = min(s.positions, area-p0)
		p.B, p.C, p.LDC = from[min(len(from), p0):], m.col, p.N
		gemm.Multiply(nil, m.path, nil, p)
		fold(g, m.col, p.N, to, 0, p.M, p0, p0+p.N)
	}
}
