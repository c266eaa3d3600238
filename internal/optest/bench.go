package optest

import (
	"runtime"
	"testing"

	"ganglion/internal/cpu"
	"ganglion/internal/par"
	"ganglion/kernels"
)

// cost is implemented by ops that know their work, so that benchmarks can report rates.
// Bench times the CPU kernel of every case in float32 and float64 on the best path, with all cores, and reports GB/s of
// inputs and output and, for ops that have a method Flops, GFLOP/s.
func Bench(b *testing.B, cases []Case) {
	for _, c := range cases {
		in := c.inputs()
		for _, d := range c.types(in) {
			b.Run(c.Name+"/"+d.String()+"/"+cpu.Best().String(), func(b *testing.B) { c.bench(b, convert(in, d)) })
		}
	}
}

func (c Case) bench(b *testing.B, in []kernels.Tensor) {
	out, err := c.Op.Infer(inSpecs(in))
	if err != nil {
		b.Fatal(err)
	}
	pool := par.New(runtime.GOMAXPROCS(0))
	defer pool.Close()
	call, _ := c.bind(cpu.Best(), pool, in, out, -1)
	k, ok := c.Op.(kernels.CPUOp)
	if !ok {
		b.Fatalf("%s has no CPU kernel", kernels.Name(c.Op))
	}
	bytes := float64(out.Bytes())
	for _, a := range in {
		bytes += float64(a.Bytes())
	}
	b.ReportAllocs()
	for b.Loop() {
		k.CPU(call)
	}
	seconds := b.Elapsed().Seconds() / float64(b.N)
	b.ReportMetric(bytes/seconds/1e9, "GB/s")
	if f, ok := c.Op.(kernels.Counter); ok {
		b.ReportMetric(f.Flops(inSpecs(in), out)/seconds/1e9, "GFLOP/s")
	}
}
