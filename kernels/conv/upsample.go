package conv

import "ganglion/kernels"

// Upsample repeats each position Factor times along each axis (nearest neighbour): y[…, p] = x[…, ⌊p/Factor⌋].
// Input: x float [batch, channels, extents…].  Output: [batch, channels, extents·Factor…].
//
// Gradient: UpsampleGrad.
type Upsample struct {
	Dims   int            // number of extents: 1, 2 or 3
	Factor [maxDims]int32 // 0 for 1
}

// UpsampleGrad is the gradient of Upsample: the sum over each block of Factor positions.
// Input: dy float [batch, channels, …], each extent a multiple of Factor.  Output: [batch, channels, …/Factor].
//
// Gradient: Upsample.
type UpsampleGrad struct {
	Dims   int            // number of extents: 1, 2 or 3
	Factor [maxDims]int32 // 0 for 1
}

var (
	_ kernels.Differentiable = Upsample{}
	_ kernels.Differentiable = UpsampleGrad{}
	_ kernels.CPUOp          = Upsample{}
	_ kernels.CPUOp          = UpsampleGrad{}
)

// factors are the factors of all axes; missing ones, in front, are 1.
func (o Upsample) factors() [maxDims]int {
	f := [maxDims]int{1, 1, 1}
	for i := range o.Dims {
		f[maxDims-o.Dims+i] = max(1, int(o.Factor[i]))
	}
	return f
}

func (o Upsample) check(op kernels.Op, in []kernels.Spec) error {
	if err := wantFloats(op, in, 1); err != nil {
		return err
	}
	if o.Dims < 1 || o.Dims > maxDims {
		return kernels.Errorf(op, in, kernels.ErrShape, "Dims is %d, wants 1, 2 or 3", o.Dims)
	}
	if in[0].Rank() != o.Dims+2 {
		return kernels.Errorf(op, in, kernels.ErrShape, "signals must have %d dimensions, have %d", o.Dims+2,
			in[0].Rank())
	}
	for i, f := range o.Factor[:o.Dims] {
		if f < 0 {
			return kernels.Errorf(op, in, kernels.ErrShape, "axis %d: factor %d is negative", i, f)
		}
	}
	return nil
}

// Infer multiplies the extents.
func (o Upsample) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := o.check(o, in); err != nil {
		return kernels.Spec{}, err
	}
	shape := append([]int(nil), in[0].Shape...)
	for i, f := range o.Factor[:o.Dims] {
		shape[2+i] *= max(1, int(f))
	}
	return kernels.S(in[0].DType, shape...), nil
}

// Infer divides the extents.
func (o UpsampleGrad) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := Upsample(o).check(o, in); err != nil {
		return kernels.Spec{}, err
	}
	shape := append([]int(nil), in[0].Shape...)
	for i, f := range o.Factor[:o.Dims] {
		f = max(1, f)
		if shape[2+i]%int(f) != 0 {
			return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "axis %d: %d is no multiple of %d", i,
				shape[2+i], f)
		}
		shape[2+i] /= int(f)
	}
	return kernels.S(in[0].DType, shape...), nil
}

// volumes are the extents of signals; missing ones, in front, are 1.
func volumes(shape []int) [maxDims]int {
	v := [maxDims]int{1, 1, 1}
	copy(v[maxDims-len(shape)+2:], shape[2:])
	return v
}

// source is the position of the small plane under position p of the large one.
func (o Upsample) source(large [maxDims]int, p int) int {
	f := o.factors()
	at := [maxDims]int{p / (large[1] * large[2]), p / large[2] % large[1], p % large[2]}
	q := 0
	for a, i := range at {
		q = q*(large[a]/f[a]) + i/f[a]
	}
	return q
}

// Ref copies element by element.
func (o Upsample) Ref(out kernels.Tensor, in []kernels.Tensor) {
	large, small := volumes(out.Shape), volumes(in[0].Shape)
	area, plane := volume(large[:]), volume(small[:])
	for i := range out.F64 {
		out.F64[i] = in[0].F64[i/area*plane+o.source(large, i%area)]
	}
}

// Ref adds element by element.
func (o UpsampleGrad) Ref(out kernels.Tensor, in []kernels.Tensor) {
	clear(out.F64)
	large, small := volumes(in[0].Shape), volumes(out.Shape)
	area, plane := volume(large[:]), volume(small[:])
	for i, v := range in[0].F64 {
		out.F64[i/area*plane+Upsample(o).source(large, i%area)] += v
	}
}

// Grad is UpsampleGrad.
func (o Upsample) Grad(b kernels.Builder, _ []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(UpsampleGrad(o), dout)}
}

// Grad is Upsample.
func (o UpsampleGrad) Grad(b kernels.Builder, _ []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(Upsample(o), dout)}
}

// CPU repeats the lines of x.
func (o Upsample) CPU(c *kernels.Call) {
	large := volumes(c.Out.Shape)
	f := o.factors()
	c.ForFloat(c.Rows(lines(c.In[0]), 10+0.7*float64(large[2]*f[0]*f[1])), upsampleBody[float32], upsampleBody[float64])
}

// CPU sums to the lines of the output.
func (o UpsampleGrad) CPU(c *kernels.Call) {
	large := volumes(c.In[0].Shape)
	f := Upsample(o).factors()
	chunks := c.Rows(lines(c.Out), 10+float64(large[2]*f[0]*f[1]))
	c.ForFloat(chunks, upsampleGradBody[float32], upsampleGradBody[float64])
}

// lines is the number of lines along the last axis.
func lines(t kernels.Tensor) int { return volume(t.Shape[:t.Rank()-1]) }

// begin is the offset, in the large signals, of the block that belongs to line l of the small ones.
func (o Upsample) begin(small [maxDims]int, f [maxDims]int, l int) int {
	y, z, plane := l%small[1], l/small[1]%small[0], l/(small[1]*small[0])
	return ((plane*small[0]+z)*f[0]*small[1]*f[1] + y*f[1]) * small[2] * f[2]
}

func upsampleBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(Upsample)
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	small, f := volumes(c.In[0].Shape), o.factors()
	n, width := small[2], small[2]*f[2]
	lo, hi := c.Chunk(chunk, lines(c.In[0]))
	for l := lo; l < hi; l++ {
		at := o.begin(small, f, l)
		line := y[at:][:width]
		for i, v := range x[l*n:][:n] {
			for j := range f[2] {
				line[i*f[2]+j] = v
			}
		}
		for z := range f[0] {
			for r := range f[1] {
				if z+r > 0 {
					copy(y[at+(z*small[1]*f[1]+r)*width:][:width], line)
				}
			}
		}
	}
}

func upsampleGradBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := Upsample(c.Op.(UpsampleGrad))
	dy, dx := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	small, f := volumes(c.Out.Shape), o.factors()
	n, width := small[2], small[2]*f[2]
	lo, hi := c.Chunk(chunk, lines(c.Out))
	for l := lo; l < hi; l++ {
		at := o.begin(small, f, l)
		to := dx[l*n:][:n]
		clear(to)
		for z := range f[0] {
			for r := range f[1] {
				from := dy[at+(z*small[1]*f[1]+r)*width:][:width]
				for i := range to {
					for _, v := range from[i*f[2]:][:f[2]] {
						to[i] += v
					}
				}
			}
		}
	}
}
