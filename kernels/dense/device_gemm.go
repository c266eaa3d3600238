package dense

import (
	"ganglion/kernels"
	"ganglion/kernels/act"
)

// deviceProduct is C = op(A)·op(B) + bias + residual, for one matrix or a batch, on a device.
type deviceProduct struct {
	m, n, k        int
	transA, transB bool
	batch          int
	bias, residual int // inputs, or -1
	f              act.Func
}

const (
	smallTile = 64
	largeTile = 128
	leastPart = 256 // of k that a block is given when k is cut
	mostParts = 16
)

// tile is the side of the tiles: large ones when they are enough to fill the device.
func (p *deviceProduct) tile(t kernels.Target, d kernels.DType) int {
	blocks := ceil(p.m, largeTile) * ceil(p.n, largeTile) * p.batch
	if d == kernels.Float32 && blocks >= 2*t.Multiprocessors {
		return largeTile
	}
	return smallTile
}

// parts is the number of parts into which k is cut, so that small results with a long k fill the device too.
func (p *deviceProduct) parts(t kernels.Target, d kernels.DType) (parts, depth int) {
	tile := p.tile(t, d)
	blocks := max(1, ceil(p.m, tile)*ceil(p.n, tile))
	if p.batch > 1 || blocks >= t.Multiprocessors || p.k < 2*leastPart {
		return 1, max(p.k, 1)
	}
	want := min(mostParts, p.k/leastPart, ceil(2*t.Multiprocessors, blocks))
	depth = ceil(ceil(p.k, want), 16) * 16
	return ceil(p.k, depth), depth
}

// bytes is the scratch memory for the parts.
func (p *deviceProduct) bytes(t kernels.Target, d kernels.DType) int {
	if parts, _ := p.parts(t, d); parts > 1 {
		return parts * p.m * p.n * d.Size()
	}
	return 0
}

func (p *deviceProduct) launches(t kernels.Target, out kernels.Spec) ([]kernels.Launch, error) {
	d := out.DType
	tile := p.tile(t, d)
	parts, depth := p.parts(t, d)
	grid := kernels.Dim{ceil(p.n, tile), ceil(p.m, tile), p.batch * parts}
	if grid[1] >= 1<<16 || grid[2] >= 1<<16 {
		return nil, kernels.Errorf(GEMM{}, []kernels.Spec{out}, kernels.ErrShape,
			"%d × %d × %d blocks are more than a grid can have", grid[0], grid[1], grid[2])
	}
	bias, residual := p.added()
	to := kernels.OutputArg()
	if parts > 1 {
		to = kernels.ScratchArg(0)
	}
	name := "gemm64"
	if tile == largeTile {
		name = "gemm128"
	}
	list := []kernels.Launch{{Module: "dense/gemm", Entry: kernels.Entry(name, d), Grid: grid,
		Block: kernels.Threads(256), Args: []kernels.Arg{p.sizes(depth), kernels.InputArg(0), kernels.InputArg(1), bias,
			residual, to}}}
	if parts > 1 {
		list = append(list, p.join(t, out, parts, depth))
	}
	return append(list, p.function(t, out)...), nil
}

// sizes is the struct Product of device code.
func (p *deviceProduct) sizes(depth int) kernels.Arg {
	return kernels.BlockArg(p.m, p.n, p.k, int(one(p.transA)), int(one(p.transB)), p.batch, p.m*p.k, p.k*p.n, p.m*p.n,
		depth, int(one(p.f == act.ReLU)))
}

// added are the addresses of what is added to the product, 0 for none.
func (p *deviceProduct) added() (bias, residual kernels.Arg) {
	bias, residual = kernels.IntArg(0), kernels.IntArg(0)
	if p.bias >= 0 {
		bias = kernels.InputArg(p.bias)
	}
	if p.residual >= 0 {
		residual = kernels.InputArg(p.residual)
	}
	return bias, residual
}

// join adds the parts in scratch memory, and bias and residual, and applies ReLU.
func (p *deviceProduct) join(t kernels.Target, out kernels.Spec, parts, depth int) kernels.Launch {
	bias, residual := p.added()
	return kernels.Launch{Module: "dense/gemm", Entry: kernels.Entry("join", out.DType),
		Grid:  t.Loop(out.Size(), deviceThreads),
		Block: kernels.Threads(deviceThreads), Args: []kernels.Arg{p.sizes(depth),
			kernels.IntArg(parts), kernels.ScratchArg(0), bias, residual, kernels.OutputArg()}}
}

// function applies what is neither identity nor ReLU.
func (p *deviceProduct) function(t kernels.Target, out kernels.Spec) []kernels.Launch {
	if p.f != act.Identity && p.f != act.ReLU {
		after := elementwise(t, "dense/unary", "unary", out,
			[]kernels.Arg{kernels.IntArg(int(p.f)), kernels.IntArg(0)}, 0)
		after[0].Args = append(after[0].Args, kernels.OutputArg())
		return after
	}
	return nil
}

func (o GEMM) device(in []kernels.Spec, out kernels.Spec) *deviceProduct {
	_, k := oriented(in[0].Shape, o.TransA)
	return &deviceProduct{m: out.Shape[0], n: out.Shape[1], k: k, transA: o.TransA, transB: o.TransB, batch: 1,
		bias: -1, residual: -1}
}

// CUDAWorkspace holds the parts of a product whose k is cut.
func (o GEMM) CUDAWorkspace(t kernels.Target, in []kernels.Spec, out kernels.Spec) int {
	return o.device(in, out).bytes(t, out.DType)
}

// CUDA multiplies tiles.
func (o GEMM) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return o.device(in, out).launches(t, out)
}

func (o Linear) device(in []kernels.Spec, out kernels.Spec) *deviceProduct {
	p := o.product().device(in, out)
	p.bias, p.residual, p.f = o.bias(), o.residual(), o.F
	return p
}

// CUDAWorkspace holds the parts of a product whose k is cut.
func (o Linear) CUDAWorkspace(t kernels.Target, in []kernels.Spec, out kernels.Spec) int {
	return o.device(in, out).bytes(t, out.DType)
}

// CUDA multiplies tiles. ReLU is applied with them, other functions in a launch of their own.
func (o Linear) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return o.device(in, out).launches(t, out)
}

func (o BatchedGEMM) device(in []kernels.Spec, out kernels.Spec) *deviceProduct {
	batch, m, n, k := o.sizes(in[0].Shape, out.Shape)
	return &deviceProduct{m: m, n: n, k: k, transA: o.TransA, transB: o.TransB, batch: batch, bias: -1, residual: -1}
}

// CUDA multiplies tiles of all matrices.
func (o BatchedGEMM) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return o.device(in, out).launches(t, out)
}

var (
	_ kernels.CUDAOp        = GEMM{}
	_ kernels.CUDAScratcher = GEMM{}
	_ kernels.CUDAOp        = Linear{}
	_ kernels.CUDAScratcher = Linear{}
	_ kernels.CUDAOp        = BatchedGEMM{}
)
