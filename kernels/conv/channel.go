package conv

import (
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// Moments is the mean and the (biased) variance of each channel over the batch and all positions, the variance as the
// mean of squared distances from the mean.
// Input: x float [batch, channels, …], two dimensions at least.  Output: [2, channels], means and then variances; NaN
// over nothing.
//
// Gradient: dx = (dmean + 2·dvar·(x − mean))/n, as a ChannelAffine.
type Moments struct{}

// ChannelAffine is y = (x − shift)·scale + bias with one shift, scale and bias for each channel.
// Inputs: x float [batch, channels, …], shift, scale, bias float [channels].  Output: x's shape.
//
// Gradient: ChannelAffine by x, sums of ChannelSums by the others: both ops have their gradients in each other.
type ChannelAffine struct{}

// ChannelSums is Σ (x − shift)·y and Σ y of each channel, over the batch and all positions.
// Inputs: x float [batch, channels, …], shift float [channels], y float, x's shape.  Output: [2, channels].
//
// Gradient: ChannelAffine by x and y.
type ChannelSums struct{}

var (
	_ kernels.Differentiable = Moments{}
	_ kernels.Differentiable = ChannelAffine{}
	_ kernels.Differentiable = ChannelSums{}
	_ kernels.CPUOp          = Moments{}
	_ kernels.CPUOp          = ChannelAffine{}
	_ kernels.CPUOp          = ChannelSums{}
	_ kernels.InPlacer       = ChannelAffine{}
	_ kernels.Scratcher      = Moments{}
	_ kernels.Scratcher      = ChannelSums{}
)

// wantChannels checks x and that the other inputs named are vectors of its channels.
func wantChannels(op kernels.Op, in []kernels.Spec, n int, vectors ...int) error {
	if err := wantFloats(op, in, n); err != nil {
		return err
	}
	if in[0].Rank() < 2 {
		return kernels.Errorf(op, in, kernels.ErrShape, "signals must have 2 dimensions at least, have %d",
			in[0].Rank())
	}
	for _, i := range vectors {
		if in[i].Rank() != 1 || in[i].Shape[0] != in[0].Shape[1] {
			return kernels.Errorf(op, in, kernels.ErrShape, "input %d must be of shape (%d), one for each channel", i,
				in[0].Shape[1])
		}
	}
	return nil
}

// Infer returns [2, channels].
func (o Moments) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantChannels(o, in, 1); err != nil {
		return kernels.Spec{}, err
	}
	return kernels.S(in[0].DType, 2, in[0].Shape[1]), nil
}

// Infer returns x's shape.
func (o ChannelAffine) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantChannels(o, in, 4, 1, 2, 3); err != nil {
		return kernels.Spec{}, err
	}
	return in[0], nil
}

// Infer returns [2, channels].
func (o ChannelSums) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantChannels(o, in, 3, 1); err != nil {
		return kernels.Spec{}, err
	}
	if !in[2].Equal(in[0]) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "x and y differ in shape")
	}
	return kernels.S(in[0].DType, 2, in[0].Shape[1]), nil
}

// channelOf is the channel of element i of signals of the given shape.
func channelOf(i int, shape []int) int { return i / volume(shape[2:]) % shape[1] }

// Ref adds element by element, twice.
func (o Moments) Ref(out kernels.Tensor, in []kernels.Tensor) {
	x, channels := in[0], in[0].Shape[1]
	n := float64(x.Shape[0] * volume(x.Shape[2:]))
	mean, square := out.F64[:channels], out.F64[channels:]
	clear(out.F64)
	for i, v := range x.F64 {
		mean[channelOf(i, x.Shape)] += v
	}
	for c := range mean {
		mean[c] /= n
	}
	for i, v := range x.F64 {
		c := channelOf(i, x.Shape)
		square[c] += (v - mean[c]) * (v - mean[c])
	}
	for c := range square {
		square[c] /= n
	}
}

// Ref goes element by element.
func (o ChannelAffine) Ref(out kernels.Tensor, in []kernels.Tensor) {
	for i, v := range in[0].F64 {
		c := channelOf(i, out.Shape)
		out.F64[i] = (v-in[1].F64[c])*in[2].F64[c] + in[3].F64[c]
	}
}

// Ref adds element by element.
func (o ChannelSums) Ref(out kernels.Tensor, in []kernels.Tensor) {
	clear(out.F64)
	channels := in[0].Shape[1]
	for i, y := range in[2].F64 {
		c := channelOf(i, in[0].Shape)
		out.F64[c] += (in[0].F64[i] - in[1].F64[c]) * y
		out.F64[channels+c] += y
	}
}

// pair splits [2, channels] into its two rows.
func pair(b kernels.Builder, x *kernels.Node) (first, second *kernels.Node) {
	row := func(i int) *kernels.Node {
		return b.Apply(dense.Reduce{Axes: dense.On(0)}, b.Apply(dense.Slice{Lo: i, Hi: i + 1}, x))
	}
	return row(0), row(1)
}

// Grad follows the formula above.
func (o Moments) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	mean, _ := pair(b, out)
	// n is 1 divided by the number of elements of a channel: the share of one of them in a mean.
	share := b.Apply(dense.BroadcastTo{Insert: spread(in[0]), Mean: true}, b.Apply(dense.FillLike{Value: 1}, mean),
		in[0])
	n := b.Apply(dense.Reduce{Kind: dense.Mean, Axes: spread(in[0])}, share)
	dmean, dvar := pair(b, dout)
	scale := b.Apply(dense.Scale{Alpha: 2}, binary(b, dense.Mul, dvar, n))
	return []*kernels.Node{b.Apply(ChannelAffine{}, in[0], mean, scale, binary(b, dense.Mul, dmean, n))}
}

// spread is the set of all axes but that of the channels.
func spread(x *kernels.Node) dense.Axes { return extents(x) | dense.On(0) }

// Grad follows from the formula.
func (o ChannelAffine) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	none := zeros(b, in[1])
	sums, total := pair(b, b.Apply(ChannelSums{}, in[0], in[1], dout))
	dshift := b.Apply(dense.Scale{Alpha: -1}, binary(b, dense.Mul, in[2], total))
	return []*kernels.Node{b.Apply(ChannelAffine{}, dout, none, in[2], none), dshift, sums, total}
}

// Grad follows from the formula.
func (o ChannelSums) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	none := zeros(b, in[1])
	first, second := pair(b, dout)
	_, total := pair(b, out)
	dshift := b.Apply(dense.Scale{Alpha: -1}, binary(b, dense.Mul, first, total))
	return []*kernels.Node{b.Apply(ChannelAffine{}, in[2], none, first, none), dshift,
		b.Apply(ChannelAffine{}, in[0], in[1], first, second)}
}

// InPlace is true for x.
func (o ChannelAffine) InPlace(i int) bool { return i == 0 }

// CPU goes through the planes.
func (o ChannelAffine) CPU(c *kernels.Call) {
	n := c.Out.Shape[0] * c.Out.Shape[1]
	c.ForFloat(c.Rows(n, 3+0.4*float64(volume(c.Out.Shape[2:]))), affineBody[float32], affineBody[float64])
}

func affineBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	shift, scale, bias := kernels.Of[T](c.In[1]), kernels.Of[T](c.In[2]), kernels.Of[T](c.In[3])
	channels, plane := c.Out.Shape[1], volume(c.Out.Shape[2:])
	lo, hi := c.Chunk(chunk, c.Out.Shape[0]*channels)
	for lo < hi && plane == 1 { // rows of channels
		ch := lo % channels
		n := min(hi-lo, channels-ch)
		to, s, m, b := y[lo:][:n], scale[ch:][:n], shift[ch:][:n], bias[ch:][:n]
		for j, v := range x[lo:][:n] {
			to[j] = (v-m[j])*s[j] + b[j]
		}
		lo += n
	}
	for i := lo; i < hi; i++ {
		ch := i % channels
		m, s, b := shift[ch], scale[ch], bias[ch]
		to := y[i*plane:][:plane]
		for j, v := range x[i*plane:][:plane] {
			to[j] = (v-m)*s + b
		}
	}
}

// imagesPerBlock is the number of images whose planes are summed as one block.
func imagesPerBlock(shape []int) int { return max(1, 4096/max(1, volume(shape[2:]))) }

// blocksOf is the number of blocks of a channel.
func blocksOf(shape []int) int { return ceil(shape[0], imagesPerBlock(shape)) }

// Workspace holds mean and sum of squares of each block.
func (o Moments) Workspace(in []kernels.Spec, _ kernels.Spec, _ int) int {
	return kernels.CarveSize(2*blocksOf(in[0].Shape)*in[0].Shape[1], 8)
}

// Workspace holds the two sums of each block.
func (o ChannelSums) Workspace(in []kernels.Spec, _ kernels.Spec, _ int) int {
	return Moments{}.Workspace(in, kernels.Spec{}, 0)
}

// CPU sums blocks, and merges them in order.
func (o Moments) CPU(c *kernels.Call) {
	channelSums(c, momentsBody[float32], momentsBody[float64], mergeMoments)
}

// CPU sums blocks, and adds them in order.
func (o ChannelSums) CPU(c *kernels.Call) {
	channelSums(c, sumsBody[float32], sumsBody[float64], mergeSums)
}

// body is the body of a loop over chunks.
type body = func(c *kernels.Call, chunk, worker int)

func channelSums(c *kernels.Call, f32, f64 body, merge func(c *kernels.Call, channel int) (a, b float64)) {
	shape := c.In[0].Shape
	tasks := blocksOf(shape) * shape[1]
	c.ForFloat(c.Rows(tasks, 0.5*float64(c.In[0].Size())/float64(max(tasks, 1))), f32, f64)
	for ch := range shape[1] {
		a, b := merge(c, ch)
		put(c.Out, ch, a)
		put(c.Out, shape[1]+ch, b)
	}
}

// put sets an element of a float tensor.
func put(t kernels.Tensor, i int, v float64) {
	if t.DType == kernels.Float32 {
		t.F32[i] = float32(v)
	} else {
		t.F64[i] = v
	}
}

// block returns the images [lo, hi) of a block, its channel, and the place of its two sums.
func block(c *kernels.Call, task int) (lo, hi, channel int, sums []float64) {
	shape := c.In[0].Shape
	per := imagesPerBlock(shape)
	work := c.Work
	all := kernels.Carve[float64](&work, 2*blocksOf(shape)*shape[1])
	lo = task / shape[1] * per
	return lo, min(shape[0], lo+per), task % shape[1], all[2*task:][:2]
}

func momentsBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	x, shape := kernels.Of[T](c.In[0]), c.In[0].Shape
	plane, v := volume(shape[2:]), vec.For[T](c.Path)
	lo, hi := c.Chunk(chunk, blocksOf(shape)*shape[1])
	if plane == 1 {
		momentsOfRows(c, x, lo, hi)
		return
	}
	for task := lo; task < hi; task++ {
		first, last, ch, sums := block(c, task)
		sum, square := 0.0, 0.0
		for n := first; n < last; n++ {
			sum += total(v, x[(n*shape[1]+ch)*plane:][:plane])
		}
		mean := sum / float64((last-first)*plane)
		for n := first; n < last; n++ {
			square += squares(x[(n*shape[1]+ch)*plane:][:plane], T(mean), mean)
		}
		sums[0], sums[1] = mean, square
	}
}

// total is the sum of a plane, in float64 over blocks that a vector primitive sums.
func total[T kernels.Float](v *vec.Table[T], x []T) float64 {
	const size = 512
	s := 0.0
	for len(x) > size {
		s += float64(v.Sum(x[:size]))
		x = x[size:]
	}
	if len(x) < 8 {
		for _, e := range x {
			s += float64(e)
		}
		return s
	}
	return s + float64(v.Sum(x))
}

// squares is Σ (x − mean)²; near is mean in the type of x. The distances from near are small, and what near lacks is
// made up for: Σ (x − mean)² = Σ (x − near)² + 2(near − mean)·Σ (x − near) + n(near − mean)².
func squares[T kernels.Float](x []T, near T, mean float64) float64 {
	var s, d [4]float64
	n := float64(len(x))
	for ; len(x) >= 4; x = x[4:] {
		for j := range s {
			e := float64(x[j] - near)
			s[j] += e * e
			d[j] += e
		}
	}
	for j, v := range x {
		e := float64(v - near)
		s[j] += e * e
		d[j] += e
	}
	lack := float64(near) - mean
	return (s[0] + s[1]) + (s[2] + s[3]) + 2*lack*((d[0]+d[1])+(d[2]+d[3])) + n*lack*lack
}

// mergeMoments joins the blocks of a channel as Chan, Golub and LeVeque do (1983, eq. 1.5).
func mergeMoments(c *kernels.Call, channel int) (mean, variance float64) {
	shape := c.In[0].Shape
	n, square := 0.0, 0.0
	for k := range blocksOf(shape) {
		lo, hi, _, sums := block(c, k*shape[1]+channel)
		m := float64((hi - lo) * volume(shape[2:]))
		if m == 0 {
			continue
		}
		d := sums[0] - mean
		mean += d * m / (n + m)
		square += sums[1] + d*d*n*m/(n+m)
		n += m
	}
	return mean * n / n, square / n
}

func sumsBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	x, y, shape := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[2]), c.In[0].Shape
	shift, plane := kernels.Of[T](c.In[1]), volume(shape[2:])
	lo, hi := c.Chunk(chunk, blocksOf(shape)*shape[1])
	if plane == 1 {
		sumsOfRows(c, x, y, shift, lo, hi)
		return
	}
	for task := lo; task < hi; task++ {
		first, last, ch, sums := block(c, task)
		m := shift[ch]
		var s, d [4]float64
		for n := first; n < last; n++ {
			at := (n*shape[1] + ch) * plane
			a, b := x[at:][:plane], y[at:][:plane]
			for ; len(a) >= 4 && len(b) >= 4; a, b = a[4:], b[4:] {
				for j := range s {
					v := float64(b[j])
					s[j] += float64(a[j]-m) * v
					d[j] += v
				}
			}
			for j, e := range a {
				v := float64(b[j])
				s[j] += float64(e-m) * v
				d[j] += v
			}
		}
		sums[0], sums[1] = (s[0]+s[1])+(s[2]+s[3]), (d[0]+d[1])+(d[2]+d[3])
	}
}

func mergeSums(c *kernels.Call, channel int) (a, b float64) {
	shape := c.In[0].Shape
	for k := range blocksOf(shape) {
		_, _, _, sums := block(c, k*shape[1]+channel)
		a += sums[0]
		b += sums[1]
	}
	return a, b
}

// abreast is the number of channels of rows whose sums are kept side by side.
const abreast = 16

// part is as many of the tasks [lo, hi), from the first on, as have neighbouring channels of one block, so many at
// most: the rows of the block, the first channel, and the places of all their sums.
func part(c *kernels.Call, lo, hi int) (first, last, channel int, sums []float64) {
	channels := c.In[0].Shape[1]
	first, last, channel, _ = block(c, lo)
	n := min(hi-lo, channels-channel, abreast)
	work := c.Work
	all := kernels.Carve[float64](&work, 2*blocksOf(c.In[0].Shape)*channels)
	return first, last, channel, all[2*lo:][:2*n]
}

// momentsOfRows is momentsBody where a channel has one element in each row: channels go side by side.
func momentsOfRows[T kernels.Float](c *kernels.Call, x []T, lo, hi int) {
	channels := c.In[0].Shape[1]
	for lo < hi {
		first, last, ch, sums := part(c, lo, hi)
		n := len(sums) / 2
		var mean, square [abreast]float64
		for i := first; i < last; i++ {
			for j, v := range x[i*channels+ch:][:n] {
				mean[j%abreast] += float64(v)
			}
		}
		for j := range n {
			mean[j] /= float64(last - first)
		}
		for i := first; i < last; i++ {
			for j, v := range x[i*channels+ch:][:n] {
				e := float64(v) - mean[j%abreast]
				square[j%abreast] += e * e
			}
		}
		for j := range n {
			sums[2*j], sums[2*j+1] = mean[j], square[j]
		}
		lo += n
	}
}

// sumsOfRows is sumsBody where a channel has one element in each row.
func sumsOfRows[T kernels.Float](c *kernels.Call, x, y, shift []T, lo, hi int) {
	channels := c.In[0].Shape[1]
	for lo < hi {
		first, last, ch, sums := part(c, lo, hi)
		n := len(sums) / 2
		var s, d [abreast]float64
		for i := first; i < last; i++ {
			at := i*channels + ch
			b := y[at:][:n]
			for j, v := range x[at:][:n] {
				w := float64(b[j])
				s[j%abreast] += float64(v-shift[ch+j]) * w
				d[j%abreast] += w
			}
		}
		for j := range n {
			sums[2*j], sums[2*j+1] = s[j], d[j]
		}
		lo += n
	}
}

// Normalise is (x − mean)/√(variance + eps)·gamma + beta for each channel: batch normalisation with the given moments
// [2, channels] (those of the batch, by Moments, or running ones), gamma and beta [channels] (Ioffe and Szegedy, arXiv
// 1502.03167, Algorithm 1). It is composed of ChannelAffine and operators on channels, so gradients of any order work.
func Normalise(b kernels.Builder, x, moments, gamma, beta *kernels.Node, eps float64) *kernels.Node {
	mean, variance := pair(b, moments)
	inv := b.Apply(dense.Unary{F: act.InvSqrt}, b.Apply(dense.Scale{Alpha: 1, Beta: eps}, variance))
	return b.Apply(ChannelAffine{}, x, mean, binary(b, dense.Mul, inv, gamma), beta)
}
