package conv

import "ganglion/kernels"

// Unfold lays out what each position of a convolution reads: y[n, p…, c·taps + t] = x[n, c, p·Stride + t·Dilation −
// Pad] over the channels c and the taps t of the kernel, with 0 outside of x. Conv is the product of its rows with the
// kernels, and needs no Unfold: this one is for graphs that write the product themselves.
// Input: x float [batch, channels, extents…].  Output: [batch, positions…, channels·taps], with the positions of Conv.
//
// Gradient: Fold.
type Unfold struct {
	// Dims is the number of extents: 1, 2 or 3. The first Dims entries of the arrays below count.
	Dims int
	// Kernel is the size of the kernel, 1 at least.
	Kernel [maxDims]int32
	// Stride is the step of the kernel, 0 for 1.
	Stride [maxDims]int32
	// Pad is the number of zeros in front of and behind the signal.
	Pad [maxDims]int32
	// Dilation is the distance of neighbours of the kernel, 0 for 1.
	Dilation [maxDims]int32
}

// Fold is the gradient of Unfold: it adds what Unfold copies.
// Inputs: dy float [batch, positions…, channels·taps], optionally like (float [batch, channels, extents…]; only its
// shape counts).  Output: [batch, channels, extents…], the extents being like's or, without it, Extents.
//
// Gradient: Unfold.
type Fold struct {
	Of Unfold
	// Extents are those of the output when there is no second input.
	Extents [maxDims]int32
}

var (
	_ kernels.Differentiable = Unfold{}
	_ kernels.Differentiable = Fold{}
	_ kernels.CPUOp          = Unfold{}
	_ kernels.CPUOp          = Fold{}
)

// conv is the convolution that reads what o lays out.
func (o Unfold) conv() Conv {
	return Conv{Dims: o.Dims, Stride: o.Stride, Pad: o.Pad, Dilation: o.Dilation}
}

// kernel is the shape of one kernel over all channels of x, whose rank is Dims + 2.
func (o Unfold) kernel(x []int) (w [maxDims + 2]int) {
	w[0], w[1] = 1, x[1]
	for i := range o.Dims {
		w[2+i] = int(o.Kernel[i])
	}
	return w
}

// geometry is that of the convolution.
func (o Unfold) geometry(x []int) geometry {
	c, w := o.conv(), o.kernel(x)
	return c.geometry(x, w[:o.Dims+2])
}

// output checks x, and returns the spec of its columns.
func (o Unfold) output(op kernels.Op, in []kernels.Spec, x kernels.Spec) (kernels.Spec, error) {
	if o.Dims < 1 || o.Dims > maxDims || x.Rank() != o.Dims+2 {
		return kernels.Spec{}, kernels.Errorf(op, in, kernels.ErrShape,
			"Dims is %d, wants 1, 2 or 3, and signals of Dims + 2 dimensions", o.Dims)
	}
	w := o.kernel(x.Shape)
	if err := o.conv().check(op, in, x, kernels.S(x.DType, w[:o.Dims+2]...)); err != nil {
		return kernels.Spec{}, err
	}
	g := o.geometry(x.Shape)
	shape := append([]int{g.batch}, g.y[maxDims-o.Dims:]...)
	return kernels.S(x.DType, append(shape, g.depth())...), nil
}

// Infer checks that the kernel fits.
func (o Unfold) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(o, in, 1); err != nil {
		return kernels.Spec{}, err
	}
	return o.output(o, in, in[0])
}

// Infer checks that dy is what Unfold makes of the output.
func (o Fold) Infer(in []kernels.Spec) (kernels.Spec, error) {
	none := kernels.Spec{}
	if len(in) != 1 && len(in) != 2 {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "wants 1 or 2 inputs, has %d", len(in))
	}
	if err := wantFloats(o, in, len(in)); err != nil {
		return none, err
	}
	x, err := o.signal(in)
	if err != nil {
		return none, err
	}
	y, err := o.Of.output(o, in, x)
	if err != nil {
		return none, err
	}
	if !y.Equal(in[0]) {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "Unfold makes %v of %v", y, x)
	}
	return x, nil
}

// signal is the spec of the output, before it is checked.
func (o Fold) signal(in []kernels.Spec) (kernels.Spec, error) {
	if len(in) == 2 {
		return in[1], nil
	}
	dims := o.Of.Dims
	if dims < 1 || dims > maxDims || in[0].Rank() != dims+2 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape,
			"Dims is %d, wants 1, 2 or 3, and columns of Dims + 2 dimensions", dims)
	}
	taps := 1
	for _, k := range o.Of.Kernel[:dims] {
		taps *= int(k)
	}
	if taps < 1 || in[0].Shape[dims+1]%taps != 0 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "columns of %d elements for a kernel of %d",
			in[0].Shape[dims+1], taps)
	}
	shape := []int{in[0].Shape[0], in[0].Shape[dims+1] / taps}
	for _, n := range o.Extents[:dims] {
		if n < 0 {
			return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "extents %v are negative", o.Extents)
		}
		shape = append(shape, int(n))
	}
	return kernels.S(in[0].DType, shape...), nil
}

// cells calls f with the place in the columns and that in the signal, −1 outside, of every element of the columns.
func (g *geometry) cells(f func(y, x int)) {
	taps, depth := g.taps(), g.depth()
	for p := range g.area() {
		t := tap{}
		for i := range taps {
			q, ok := g.meets(p, t)
			t = g.next(t)
			for n := range g.batch {
				for c := range g.in {
					at := -1
					if ok {
						at = (n*g.in+c)*g.plane() + q
					}
					f((n*g.area()+p)*depth+c*taps+i, at)
				}
			}
		}
	}
}

// Ref copies element by element.
func (o Unfold) Ref(out kernels.Tensor, in []kernels.Tensor) {
	g := o.geometry(in[0].Shape)
	g.cells(func(y, x int) {
		out.F64[y] = 0
		if x >= 0 {
			out.F64[y] = in[0].F64[x]
		}
	})
}

// Ref adds element by element.
func (o Fold) Ref(out kernels.Tensor, in []kernels.Tensor) {
	clear(out.F64)
	g := o.Of.geometry(out.Shape)
	g.cells(func(y, x int) {
		if x >= 0 {
			out.F64[x] += in[0].F64[y]
		}
	})
}

// Grad is Fold.
func (o Unfold) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(Fold{Of: o}, dout, in[0])}
}

// Grad is Unfold.
func (o Fold) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	grads := []*kernels.Node{b.Apply(o.Of, dout)}
	if len(in) == 2 {
		grads = append(grads, zeros(b, in[1]))
	}
	return grads
}

// CPU copies the rows of some positions at a time.
func (o Unfold) CPU(c *kernels.Call) {
	g := o.geometry(c.In[0].Shape)
	c.ForFloat(c.Rows(g.batch*g.area(), 20+float64(g.depth())), unfoldBody[float32], unfoldBody[float64])
}

// CPU adds up the planes.
func (o Fold) CPU(c *kernels.Call) {
	g := o.Of.geometry(c.Out.Shape)
	c.ForFloat(c.Rows(g.batch*g.in, 20+1.5*float64(g.area()*g.taps())), foldBody[float32], foldBody[float64])
}

func unfoldBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	g := c.Op.(Unfold).geometry(c.In[0].Shape)
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	depth, taps, plane, area := g.depth(), g.taps(), g.plane(), g.area()
	lo, hi := c.Chunk(chunk, g.batch*area)
	for p := lo; p < hi; p++ {
		for ch := range g.in {
			copyTaps(&g, p%area, y[p*depth+ch*taps:][:taps], x[(p/area*g.in+ch)*plane:][:plane])
		}
	}
}

func foldBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	g := c.Op.(Fold).Of.geometry(c.Out.Shape)
	y, x := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	depth, taps, plane, area := g.depth(), g.taps(), g.plane(), g.area()
	lo, hi := c.Chunk(chunk, g.batch*g.in)
	for i := lo; i < hi; i++ {
		to := x[i*plane:][:plane]
		clear(to)
		for p := range area {
			addTaps(&g, p, to, y[(i/g.in*area+p)*depth+i%g.in*taps:][:taps])
		}
	}
}

// row is the place in x of line (kz, ky) of the kernel at position p of y: the line of x, −1 if it lies outside, and
// the place in it of the line's first element, which may lie outside.
func (g *geometry) row(p, kz, ky int) (line, first int) {
	z := p/(g.y[1]*g.y[2])*g.stride[0] + kz*g.dil[0] - g.pad[0]
	y := p/g.y[2]%g.y[1]*g.stride[1] + ky*g.dil[1] - g.pad[1]
	line = (z*g.x[1] + y) * g.x[2]
	if z < 0 || z >= g.x[0] || y < 0 || y >= g.x[1] {
		line = -1
	}
	return line, p%g.y[2]*g.stride[2] - g.pad[2]
}

// copyTaps copies what the kernel reads of a plane at position p.
func copyTaps[T kernels.Float](g *geometry, p int, to, plane []T) {
	for kz := range g.k[0] {
		for ky := range g.k[1] {
			line, at := g.row(p, kz, ky)
			for kx := range g.k[2] {
				to[kx] = 0
				if line >= 0 && at >= 0 && at < g.x[2] {
					to[kx] = plane[line+at]
				}
				at += g.dil[2]
			}
			to = to[g.k[2]:]
		}
	}
}

// addTaps adds what the kernel reads at position p to a plane.
func addTaps[T kernels.Float](g *geometry, p int, plane, from []T) {
	for kz := range g.k[0] {
		for ky := range g.k[1] {
			line, at := g.row(p, kz, ky)
			for kx := range g.k[2] {
				if line >= 0 && at >= 0 && at < g.x[2] {
					plane[line+at] += from[kx]
				}
				at += g.dil[2]
			}
			from = from[g.k[2]:]
		}
	}
}
