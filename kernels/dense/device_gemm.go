package dense

import (
	"fmt"

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
	mixed          bool // operands are rounded to format
	format         Format
	stored         [2]bool // operands that are in memory as numbers of format
}

const (
	smallTile = 64
	largeTile = 128
	leastPart = 256 // of k that a block is given when k is cut
	mostParts = 16
)

// asyncCapability is the compute capability from which on kernels copy asynchronously and tensor cores take TF32 and
// bfloat16.
const asyncCapability = 80

// tensorCores tells whether the product is computed by them.
func (p *deviceProduct) tensorCores(t kernels.Target, d kernels.DType) bool {
	return p.mixed && d == kernels.Float32 && t.Capability >= asyncCapability
}

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

// operands are the addresses of A and B, the launches that put them into scratch memory if they are not taken as they
// are, and where the scratch memory behind them begins. Tensor cores round operands themselves, but an operand beside
// a stored one is stored first; elsewhere both are rounded first, or read.
func (p *deviceProduct) operands(t kernels.Target, d kernels.DType) (at [2]kernels.Arg, list []kernels.Launch,
	behind int) {
	for i, n := range [2]int{p.batch * p.m * p.k, p.batch * p.k * p.n} {
		from, to := kernels.InputArg(i), kernels.ScratchArg(behind)
		at[i] = from
		size := d.Size()
		switch cores := p.tensorCores(t, d); {
		case !p.mixed, cores && p.stored[i], cores && !p.anyStored():
			continue
		case cores:
			list, size = append(list, narrowLaunch(t, d, p.format, n, from, to)), 2
		case p.stored[i]:
			list = append(list, widenLaunch(t, d, p.format, n, from, to))
		default:
			list = append(list, roundLaunch(t, d, p.format, n, from, to))
		}
		at[i] = to
		behind += deviceAligned(n * size)
	}
	return at, list, behind
}

func (p *deviceProduct) anyStored() bool { return p.stored[0] || p.stored[1] }

// deviceAligned is the next multiple of 256 bytes.
func deviceAligned(n int) int { return ceil(n, 256) * 256 }

// bytes is the scratch memory for rounded operands and the parts.
func (p *deviceProduct) bytes(t kernels.Target, d kernels.DType) int {
	_, _, n := p.operands(t, d)
	if parts, _ := p.parts(t, d); parts > 1 {
		n += parts * p.m * p.n * d.Size()
	}
	return n
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
	at, list, behind := p.operands(t, d)
	to := kernels.OutputArg()
	if parts > 1 {
		to = kernels.ScratchArg(behind)
	}
	l := p.kernel(t, d, tile)
	l.Grid, l.Block = grid, kernels.Threads(256)
	l.Args = []kernels.Arg{p.sizes(depth), at[0], at[1], bias, residual, to}
	list = append(list, l)
	if parts > 1 {
		list = append(list, p.join(t, out, parts, depth, behind))
	}
	return append(list, p.function(t, out)...), nil
}

// kernel is the kernel for tiles of a size, with its shared memory.
func (p *deviceProduct) kernel(t kernels.Target, d kernels.DType, tile int) kernels.Launch {
	const stages = 3 // of tensor cores, as in stored.cu and mixed.cu
	switch cores := p.tensorCores(t, d); {
	case cores && p.anyStored():
		const line = 32 + 8
		return kernels.Launch{
			Module: "dense/stored",
			Entry:  p.turned("stored", tile),
			Shared: stages * 2 * tile * line * 2,
		}
	case cores:
		line := 16 + 4
		if p.format == BF16 {
			line = 16 + 8
		}
		return kernels.Launch{Module: "dense/mixed", Entry: p.turned(p.format.String(), tile),
			Shared: stages * 2 * tile * line * d.Size()}
	case t.Capability >= asyncCapability:
		return kernels.Launch{Module: "dense/gemmasync", Entry: kernels.Entry(fmt.Sprint("async", tile), d)}
	}
	return kernels.Launch{Module: "dense/gemm", Entry: kernels.Entry(fmt.Sprint("gemm", tile), d)}
}

// turned is the name of a kernel of tensor cores.
func (p *deviceProduct) turned(name string, tile int) string {
	letter := map[bool]string{false: "n", true: "t"}
	return fmt.Sprintf("%s_%d_%s%s", name, tile, letter[p.transA], letter[p.transB])
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
func (p *deviceProduct) join(t kernels.Target, out kernels.Spec, parts, depth, from int) kernels.Launch {
	bias, residual := p.added()
	return kernels.Launch{Module: "dense/gemm", Entry: kernels.Entry("join", out.DType),
		Grid:  t.Loop(out.Size(), deviceThreads),
		Block: kernels.Threads(deviceThreads), Args: []kernels.Arg{p.sizes(depth),
			kernels.IntArg(parts), kernels.ScratchArg(from), bias, residual, kernels.OutputArg()}}
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

func (o MixedGEMM) device(in []kernels.Spec, out kernels.Spec) *deviceProduct {
	p := o.linear().device(o.checked(in), out)
	p.mixed, p.format, p.stored = true, o.Operands, o.stored()
	return p
}

// CUDAWorkspace holds the parts of a product whose k is cut, and rounded operands where tensor cores do not round.
func (o MixedGEMM) CUDAWorkspace(t kernels.Target, in []kernels.Spec, out kernels.Spec) int {
	return o.device(in, out).bytes(t, out.DType)
}

// CUDA multiplies tiles on tensor cores, from compute capability 8.0 on; below, and in float64, it rounds the operands
// and multiplies them as Linear does.
func (o MixedGEMM) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return o.device(in, out).launches(t, out)
}

// CUDARemark says so where no tensor cores are used.
func (o MixedGEMM) CUDARemark(t kernels.Target, in []kernels.Spec, out kernels.Spec) string {
	return o.device(in, out).remark(t, out.DType)
}

// remark says so where no tensor cores are used.
func (p *deviceProduct) remark(t kernels.Target, d kernels.DType) string {
	if p.tensorCores(t, d) {
		return ""
	}
	return fmt.Sprintf(
		"operands are rounded first and multiplied as %v: tensor cores that take %v are there from compute "+
			"capability 8.0 on",
		d,
		p.format,
	)
}

func (o MixedBatchedGEMM) device(in []kernels.Spec, out kernels.Spec) *deviceProduct {
	p := o.batched().device(in, out)
	p.mixed, p.format = true, o.Operands
	return p
}

// CUDAWorkspace holds rounded operands where tensor cores do not round.
func (o MixedBatchedGEMM) CUDAWorkspace(t kernels.Target, in []kernels.Spec, out kernels.Spec) int {
	return o.device(in, out).bytes(t, out.DType)
}

// CUDARemark says so where no tensor cores are used.
func (o MixedBatchedGEMM) CUDARemark(t kernels.Target, in []kernels.Spec, out kernels.Spec) string {
	return o.device(in, out).remark(t, out.DType)
}

// CUDA multiplies tiles of all matrices, as MixedGEMM does.
func (o MixedBatchedGEMM) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return o.device(in, out).launches(t, out)
}

var (
	_ kernels.CUDAOp        = MixedGEMM{}
	_ kernels.CUDAScratcher = MixedGEMM{}
	_ kernels.CUDAOp        = MixedBatchedGEMM{}
	_ kernels.CUDAScratcher = MixedBatchedGEMM{}
	_ kernels.CUDARemarker  = MixedGEMM{}
	_ kernels.CUDARemarker  = MixedBatchedGEMM{}
	_ kernels.CUDAOp        = GEMM{}
	_ kernels.CUDAScratcher = GEMM{}
	_ kernels.CUDAOp        = Linear{}
	_ kernels.CUDAScratcher = Linear{}
	_ kernels.CUDAOp        = BatchedGEMM{}
)
