package spectral

import (
	"fmt"
	"runtime"
	"testing"

	"ganglion/internal/cpu"
	"ganglion/internal/par"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// pipeline is a list of kernels that run one after another on one pool.
type pipeline struct {
	b     *testing.B
	pool  *par.Pool
	calls []*kernels.Call
}

func (p *pipeline) then(op kernels.CPUOp, in ...kernels.Tensor) kernels.Tensor {
	specs := make([]kernels.Spec, len(in))
	for i := range in {
		specs[i] = in[i].Spec
	}
	out, err := op.Infer(specs)
	if err != nil {
		p.b.Fatal(err)
	}
	c := kernels.NewCall(op, cpu.Best(), p.pool)
	c.In, c.Out = in, kernels.New(out)
	if s, ok := op.(kernels.Scratcher); ok {
		c.Work = make([]byte, s.Workspace(specs, out, p.pool.Workers()))
	}
	p.calls = append(p.calls, c)
	return c.Out
}

// BenchmarkProduct is the t-product of samples [c, N, dIn] with weights [c, dIn, dOut] and both gradients, in float32.
func BenchmarkProduct(b *testing.B) {
	for _, s := range [][4]int{{28, 28, 28, 100}, {128, 128, 32, 128}, {256, 256, 64, 64}} {
		for _, k := range []Kind{DFT, DCT} {
			b.Run(fmt.Sprintf("%s/%v", kindNames[k], s), func(b *testing.B) {
				p := pipeline{b: b, pool: par.New(runtime.GOMAXPROCS(0))}
				defer p.pool.Close()
				p.product(k, s[2], s[3], s[1], s[0])
				for b.Loop() {
					for _, c := range p.calls {
						c.Op.(kernels.CPUOp).CPU(c)
					}
				}
			})
		}
	}
}

func (p *pipeline) product(k Kind, c, n, in, out int) {
	faces := func(ta, tb bool) kernels.CPUOp {
		if k == DFT {
			return Facewise{TransA: ta, TransB: tb}
		}
		return dense.BatchedGEMM{TransA: ta, TransB: tb}
	}
	fill := func(shape ...int) kernels.Tensor {
		x := kernels.New(kernels.S(kernels.Float32, shape...))
		for i := range x.F32 {
			x.F32[i] = float32(i%17) - 8
		}
		return x
	}
	x, w := p.then(Transform{Kind: k}, fill(c, n, in)), p.then(Transform{Kind: k}, fill(c, in, out))
	p.then(Transform{Kind: k, Inverse: true}, p.then(faces(false, false), x, w))
	dy := p.then(Transform{Kind: k, Inverse: true, Transposed: true}, fill(c, n, out))
	p.then(Transform{Kind: k, Transposed: true}, p.then(faces(false, true), dy, w))
	p.then(Transform{Kind: k, Transposed: true}, p.then(faces(true, false), x, dy))
}

// BenchmarkFaces compares facewise products of the DFT with as many flops of plain products of the same sizes.
func BenchmarkFaces(b *testing.B) {
	for _, s := range [][4]int{{28, 28, 28, 100}, {32, 128, 128, 128}, {64, 256, 256, 64}, {8, 512, 512, 512}} {
		c, m, k, n := s[0], s[1], s[2], s[3]
		for name, op := range map[string]kernels.CPUOp{"dft": Facewise{}, "gauss": Facewise{Gauss: true},
			"dft-nt": Facewise{TransB: true}, "dft-tn": Facewise{TransA: true}, "batched": dense.BatchedGEMM{}} {
			b.Run(fmt.Sprintf("%s/%v", name, s), func(b *testing.B) {
				p := pipeline{b: b, pool: par.New(runtime.GOMAXPROCS(0))}
				defer p.pool.Close()
				x, y := kernels.New(
					kernels.S(kernels.Float32, c, m, k),
				), kernels.New(
					kernels.S(kernels.Float32, c, k, n),
				)
				switch name {
				case "dft-nt":
					y = kernels.New(kernels.S(kernels.Float32, c, n, k))
				case "dft-tn":
					x = kernels.New(kernels.S(kernels.Float32, c, k, m))
				}
				p.then(op, x, y)
				for b.Loop() {
					op.CPU(p.calls[0])
				}
				b.ReportMetric(
					op.(kernels.Counter).Flops(
						[]kernels.Spec{x.Spec, y.Spec},
						p.calls[0].Out.Spec,
					)*float64(
						b.N,
					)/float64(
						b.Elapsed().Nanoseconds(),
					),
					"GFLOP/s",
				)
			})
		}
	}
}

// BenchmarkTubes compares a layer's pass over tubes with a copy of as many bytes by the same workers.
func BenchmarkTubes(b *testing.B) {
	sizes := [][3]int{{4, 512, 2048}, {8, 512, 1024}, {16, 512, 512}, {28, 512, 256}, {32, 512, 256}, {28, 100, 28}}
	for _, s := range sizes {
		x, bias := kernels.New(kernels.S(kernels.Float32, s[:]...)), kernels.New(kernels.S(kernels.Float32, s[0], s[2]))
		for name, op := range map[string]kernels.CPUOp{"copy": dense.Scale{Alpha: 1}, "dft": Tube{F: act.ReLU},
			"dct": Tube{Kind: DCT, F: act.ReLU}, "dct-bias": Tube{Kind: DCT, F: act.ReLU, Bias: true}} {
			b.Run(fmt.Sprintf("%v/%s", s, name), func(b *testing.B) {
				p := pipeline{b: b, pool: par.New(runtime.GOMAXPROCS(0))}
				defer p.pool.Close()
				in := []kernels.Tensor{x}
				if name == "dct-bias" {
					in = append(in, bias)
				}
				p.then(op, in...)
				for b.Loop() {
					op.CPU(p.calls[0])
				}
				b.ReportMetric(float64(2*x.Bytes()*b.N)/float64(b.Elapsed().Nanoseconds()), "GB/s")
			})
		}
	}
}
