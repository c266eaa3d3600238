package conv

import (
	"ganglion/internal/asm/gemm"
	"ganglion/kernels"
)

// Conv is the convolution of signals with kernels, in groups of channels that do not mix:
//
//	y[n, o, p] = Σ_c Σ_t x[n, c, p·Stride + t·Dilation − Pad]·w[o, c, t]
//
// over the channels c of o's group and the elements t of the kernel; x is 0 outside of its extents.
// Inputs: x float [batch, channels, extents…], w float [out, channels/Groups, kernel…].  Output: [batch, out, …] with
// ⌊(extent + 2·Pad + Extra − Dilation·(kernel−1) − 1)/Stride⌋ + 1 positions along each axis.
//
// Gradient: ConvGradX and ConvGradW. Each of the three has its gradients in the others, so derivatives of any order
// work. Float sums are taken in an order that depends on the shapes alone.
type Conv struct {
	// Dims is the number of extents: 1, 2 or 3. The first Dims entries of the arrays below count.
	Dims int
	// Stride is the step of the kernel, 0 for 1.
	Stride [maxDims]int32
	// Pad is the number of zeros in front of and behind the signal.
	Pad [maxDims]int32
	// Extra is the number of zeros that are added to Pad behind the signal alone; negative takes some of them away.
	Extra [maxDims]int32
	// Dilation is the distance of neighbours of the kernel, 0 for 1.
	Dilation [maxDims]int32
	// Groups is the number of groups of channels, 0 for 1.
	Groups int32
}

var (
	_ kernels.Differentiable = Conv{}
	_ kernels.CPUOp          = Conv{}
	_ kernels.Scratcher      = Conv{}
)

// Infer checks that the kernel fits, and returns the shape above.
func (o Conv) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(o, in, 2); err != nil {
		return kernels.Spec{}, err
	}
	if err := o.check(o, in, in[0], in[1]); err != nil {
		return kernels.Spec{}, err
	}
	return o.output(in[0], in[1]), nil
}

// output is the spec of y.
func (o Conv) output(x, w kernels.Spec) kernels.Spec {
	g := o.geometry(x.Shape, w.Shape)
	return kernels.S(x.DType, append([]int{g.batch, w.Shape[0]}, g.y[maxDims-o.Dims:]...)...)
}

// Ref adds product by product.
func (o Conv) Ref(out kernels.Tensor, in []kernels.Tensor) {
	clear(out.F64)
	g := o.geometry(in[0].Shape, in[1].Shape)
	g.each(func(x, w, y int) { out.F64[y] += in[0].F64[x] * in[1].F64[w] })
}

// Grad is the two gradient ops.
func (o Conv) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(ConvGradX{Of: o}, dout, in[1], in[0]), b.Apply(ConvGradW{Of: o}, in[0], dout, in[1])}
}

// Flops counts a multiplication and an addition for every product, those with padding included.
func (o Conv) Flops(in []kernels.Spec, _ kernels.Spec) float64 {
	g := o.geometry(in[0].Shape, in[1].Shape)
	return g.flops()
}

// Limits of the tiles of all three ops.
const (
	colArea  = 48 << 10 // elements of a tile of unfolded x: it stays in the second-level cache
	maxDepth = 768      // rows of such a tile
	unit     = 32       // tiles are cut at multiples of this
	fewTasks = 8        // with less, channels are cut as well
	partOps  = 4e6      // operations that are worth a task
)

// tiles is how the forward product is cut: task (column tile, group, block of output channels).
type tiles struct {
	positions, images int // columns of a tile: some positions of one image, or all positions of some images
	depth             int // rows of unfolded x that are made at a time
	rows              int // output channels of a block
	across, down      int // number of column tiles, and of blocks of output channels
}

func (g *geometry) tiles() tiles {
	area := g.area()
	t := tiles{images: 1, depth: g.depth(), rows: g.out, down: 1}
	if t.depth > maxDepth {
		t.depth = ceil(t.depth, ceil(t.depth, maxDepth))
	}
	t.positions = min(area, max(2*unit, colArea/max(t.depth, 1)/unit*unit))
	if small := 3 * unit; area > 0 && area <= small/2 {
		t.images = min(small/area, max(g.batch, 1))
	}
	t.across = ceil(g.batch, t.images) * ceil(area, max(t.positions, 1))
	if most := 4 * unit; t.across*g.groups < fewTasks && g.out > most {
		t.rows, t.down = most, ceil(g.out, most)
	}
	return t
}

// columns is the number of columns of a tile.
func (t *tiles) columns() int { return t.images * t.positions }

// scratch is the number of bytes that a worker needs for elements of the given size.
func (t *tiles) scratch(elem int) int {
	n := kernels.CarveSize(t.depth*t.columns(), elem) + products(t.rows, t.columns(), t.depth, elem)
	if t.images > 1 {
		n += kernels.CarveSize(t.rows*t.columns(), elem)
	}
	return n
}

// Workspace holds, for each worker, a tile of unfolded x and what its product packs.
func (o Conv) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	g := o.geometry(in[0].Shape, in[1].Shape)
	if g.shallow() {
		return 0
	}
	t := g.tiles()
	n := workers * t.scratch(out.DType.Size())
	if g.direct() {
		n = max(n, g.directScratch(out.DType.Size(), workers))
	}
	return n
}

// CPU computes strips directly, or multiplies the kernels with tiles of unfolded x.
func (o Conv) CPU(c *kernels.Call) {
	g := o.geometry(c.In[0].Shape, c.In[1].Shape)
	if c.Out.Size() > 0 {
		convolve(c, &g)
	}
}

// convolve is the convolution of a Conv, or of a Biased, which gets its bias here only if it is direct.
func convolve(c *kernels.Call, g *geometry) {
	if g.shallow() {
		planes := g.batch * g.groups * g.out
		c.ForFloat(c.Rows(planes, 20+g.flops()/float64(planes)/8), shallowBody[float32], shallowBody[float64])
		return
	}
	if g.direct() && hasDirect(c) {
		directly(c, g)
		return
	}
	t := g.tiles()
	tasks := t.across * g.groups * t.down
	c.ForFloat(c.Rows(tasks, 100+g.flops()/float64(tasks)/40), convBody[float32], convBody[float64])
}

// forward is the geometry of a Conv, or of a Biased.
func forward(c *kernels.Call) geometry {
	o, ok := c.Op.(Conv)
	if !ok {
		o = c.Op.(Biased).Of
	}
	return o.geometry(c.In[0].Shape, c.In[1].Shape)
}

func convBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	g := forward(c)
	t := g.tiles()
	s := scratch[T]{path: c.Path, gemm: mine(c, worker)}
	s.col = kernels.Carve[T](&s.gemm, t.depth*t.columns())
	if t.images > 1 {
		s.sum = kernels.Carve[T](&s.gemm, t.rows*t.columns())
	}
	lo, hi := c.Chunk(chunk, t.across*g.groups*t.down)
	for task := lo; task < hi; task++ {
		block, rest := task%t.down, task/t.down
		group, at := rest%g.groups, rest/g.groups
		convTile(&g, &t, &s, kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), kernels.Of[T](c.Out),
			at, group, block*t.rows)
	}
}

// scratch is the memory of one worker.
type scratch[T kernels.Float] struct {
	path     path
	col, sum []T
	gemm     []byte
}

// convTile computes the output channels from row on, of one group, in a tile of columns.
func convTile[T kernels.Float](g *geometry, t *tiles, s *scratch[T], x, w, y []T, at, group, row int) {
	area, plane, depth := g.area(), g.plane(), g.depth()
	perImage := ceil(area, t.positions)
	image := at / perImage * t.images
	p0 := at % perImage * t.positions
	p1 := min(area, p0+t.positions)
	images, ld := min(t.images, g.batch-image), p1-p0
	rows := min(t.rows, g.out-row)
	first := group*g.out + row
	p := product[T]{M: rows, N: images * ld, A: w[first*depth:], LDA: depth, Work: s.gemm}
	p.C, p.LDC = y[(image*g.groups*g.out+first)*area+p0:], area
	if t.images > 1 {
		p.C, p.LDC = s.sum, images*ld
	}
	if depth == 0 {
		gemm.Multiply(nil, s.path, nil, p)
	}
	for k := 0; k < depth; k += t.depth {
		p.K = min(t.depth, depth-k)
		p.A, p.Acc = w[first*depth+k:], k > 0
		if source := x[(image*g.groups+group)*g.in*plane:]; g.pointwise() && t.images == 1 {
			p.B, p.LDB = source[k*plane+p0:], plane
		} else {
			p.B, p.LDB = s.col, p.N
			for i := range images {
				unfold(g, s.col[i*ld:], p.N, source[i*g.groups*g.in*plane:], k, k+p.K, p0, p1)
			}
		}
		gemm.Multiply(nil, s.path, nil, p)
	}
	if t.images > 1 {
		for i := range images {
			for r := range rows {
				copy(y[((image+i)*g.groups*g.out+first+r)*area:][:area], s.sum[r*p.N+i*area:])
			}
		}
	}
}
