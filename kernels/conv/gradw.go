package conv

import (
	"ganglion/internal/asm/gemm"
	"ganglion/kernels"
)

// ConvGradW is the gradient of a convolution by its kernels: dw[o, c, t] = Σ_n Σ_p x[n, c, p·Stride + t·Dilation −
// Pad]·dy[n, o, p].
// Inputs: x float [batch, channels, extents…], dy float [batch, out, …], like float [out, channels/Groups, kernel…]
// (the kernels; only the shape counts).  Output: like's shape.
//
// Sums over images and positions are cut into parts by the shapes alone, and the parts are added in order.
//
// Gradient: ConvGradX by x, Conv by dy.
type ConvGradW struct{ Of Conv }

var (
	_ kernels.Differentiable = ConvGradW{}
	_ kernels.CPUOp          = ConvGradW{}
	_ kernels.Scratcher      = ConvGradW{}
)

// Infer checks that dy is what Conv makes of x and like.
func (o ConvGradW) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(o, in, 3); err != nil {
		return kernels.Spec{}, err
	}
	if err := o.Of.check(o, in, in[0], in[2]); err != nil {
		return kernels.Spec{}, err
	}
	if y := o.Of.output(in[0], in[2]); !y.Equal(in[1]) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "the convolution is %v", y)
	}
	return in[2], nil
}

// Ref adds product by product.
func (o ConvGradW) Ref(out kernels.Tensor, in []kernels.Tensor) {
	clear(out.F64)
	g := o.Of.geometry(in[0].Shape, out.Shape)
	g.each(func(x, w, y int) { out.F64[w] += in[0].F64[x] * in[1].F64[y] })
}

// Grad is the other two ops.
func (o ConvGradW) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(ConvGradX{Of: o.Of}, in[1], dout, in[0]), b.Apply(o.Of, in[0], dout), zeros(b,
		in[2])}
}

// Flops counts a multiplication and an addition for every product.
func (o ConvGradW) Flops(in []kernels.Spec, out kernels.Spec) float64 {
	g := o.Of.geometry(in[0].Shape, out.Shape)
	return g.flops()
}

// parts is how ConvGradW is cut: task (part of the tiles of all images, group, block of rows of unfolded x).
type parts struct {
	positions, perImage int // of a tile, and tiles of an image
	rows, blocks        int
	parts, tiles        int // number of parts, and tiles in one
}

func (g *geometry) parts() parts {
	p := parts{positions: min(g.area(), 256), rows: g.depth()}
	p.perImage = ceil(g.area(), max(1, p.positions))
	if most := max(2*unit, colArea/max(1, p.positions)/unit*unit); p.rows > most {
		p.rows = ceil(p.rows, ceil(p.rows, most))
	}
	p.blocks = ceil(g.depth(), max(1, p.rows))
	const maxParts, maxMemory = 16, 1 << 22
	total, split := g.batch*p.perImage, g.groups*p.blocks
	n := min(total, ceil(maxParts, max(1, split)), int(g.flops()/partOps)/max(1, split))
	n = max(1, min(n, maxMemory/max(1, g.groups*g.out*g.depth())))
	p.tiles = max(1, ceil(total, n))
	p.parts = max(1, ceil(total, p.tiles))
	return p
}

// Workspace holds the parts, and for each worker a tile of unfolded x and what its product packs.
func (o ConvGradW) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	g := o.Of.geometry(in[0].Shape, out.Shape)
	if g.shallow() {
		return 0
	}
	p, elem := g.parts(), out.DType.Size()
	n := workers * p.scratch(&g, elem)
	if p.parts > 1 {
		n += kernels.CarveSize(p.parts*out.Size(), elem)
	}
	if g.direct() {
		s := g.shares()
		n = max(n, s.scratch(&g, elem, workers))
	}
	return n
}

// scratch is the number of bytes for one worker.
func (p *parts) scratch(g *geometry, elem int) int {
	n := products(g.out, p.rows, p.positions, elem)
	if !g.pointwise() {
		n += kernels.CarveSize(p.rows*p.positions, elem)
	}
	return n
}

// CPU multiplies dy with tiles of unfolded x.
func (o ConvGradW) CPU(c *kernels.Call) {
	g := o.Of.geometry(c.In[0].Shape, c.Out.Shape)
	n := c.Out.Size()
	if n == 0 {
		return
	}
	if g.shallow() {
		c.ForFloat(c.Rows(n, 20+g.flops()/float64(n)/8), shallowWBody[float32], shallowWBody[float64])
		return
	}
	if g.direct() && hasDirect(c) {
		directW(c, &g)
		return
	}
	p := g.parts()
	c.Arg[0] = p.parts
	c.ForFloat(p.parts*g.groups*p.blocks, gradWBody[float32], gradWBody[float64])
	if p.parts > 1 {
		c.ForFloat(c.Rows(n, 0.3*float64(p.parts)), sumPartsBody[float32], sumPartsBody[float64])
	}
}

// partsOf carves the parts; without any the output is the only one.
func partsOf[T kernels.Float](c *kernels.Call, parts int) (sums []T, rest []byte) {
	rest = c.Work
	if parts == 1 {
		return kernels.Of[T](c.Out), rest
	}
	sums = kernels.Carve[T](&rest, parts*c.Out.Size())
	return sums, rest
}

func gradWBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	g := c.Op.(ConvGradW).Of.geometry(c.In[0].Shape, c.Out.Shape)
	p := g.parts()
	sums, rest := partsOf[T](c, p.parts)
	n := p.scratch(&g, c.Out.DType.Size())
	m := scratch[T]{path: c.Path, gemm: rest[worker*n:][:n]}
	if !g.pointwise() {
		m.col = kernels.Carve[T](&m.gemm, p.rows*p.positions)
	}
	part, block := chunk/(g.groups*p.blocks), chunk%(g.groups*p.blocks)
	to := sums[part*c.Out.Size():][:c.Out.Size()]
	gradWPart(&g, &p, m, kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), to, part, block/p.blocks,
		block%p.blocks*p.rows)
}

// gradWPart adds up the tiles of a part for the rows of unfolded x from k on, of one group.
func gradWPart[T kernels.Float](g *geometry, p *parts, m scratch[T], x, dy, dw []T, part, group, k int) {
	area, plane, depth := g.area(), g.plane(), g.depth()
	rows := min(p.rows, depth-k)
	a := product[T]{TransB: true, M: g.out, N: rows, LDA: area, LDC: depth, C: dw[group*g.out*depth+k:], Work: m.gemm}
	last := min((part+1)*p.tiles, g.batch*p.perImage)
	for tile := part * p.tiles; tile < last; tile++ {
		image, p0 := tile/p.perImage, tile%p.perImage*p.positions
		a.K = min(p.positions, area-p0)
		a.A = dy[(image*g.groups+group)*g.out*area+p0:]
		source := x[(image*g.groups+group)*g.in*plane:]
		if g.pointwise() {
			a.B, a.LDB = source[k*plane+p0:], plane
		} else {
			unfold(g, m.col, a.K, source, k, k+rows, p0, p0+a.K)
			a.B, a.LDB = m.col, a.K
		}
		gemm.Multiply(nil, m.path, nil, a)
		a.Acc = true
	}
	if !a.Acc { // no images
		gemm.Multiply(nil, m.path, nil, a)
	}
}

func sumPartsBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	parts := c.Arg[0]
	sums, _ := partsOf[T](c, parts)
	out := kernels.Of[T](c.Out)
	lo, hi := c.Chunk(chunk, len(out))
	copy(out[lo:hi], sums[lo:hi])
	for i := 1; i < parts; i++ {
		for j, v := range sums[i*len(out)+lo:][:hi-lo] {
			out[lo+j] += v
		}
	}
}
