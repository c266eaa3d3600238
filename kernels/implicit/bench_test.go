package implicit

import (
	"math"
	"testing"

	"ganglion/internal/cpu"
	"ganglion/internal/par"
	"ganglion/internal/philox"
	"ganglion/kernels"
	"ganglion/kernels/act"
)

// scaled makes the spectral radius of the pruned w equal to rho.
func scaled(w, s kernels.Tensor, rho float64) kernels.Tensor {
	if r := SpectralRadius(w.F64, View(s.I32)); r > 0 {
		for i := range w.F64 {
			w.F64[i] *= rho / r
		}
	}
	return w
}

// planted is a graph of p nodes whose heaviest edges form modules of the given size: most edges stay inside a module,
// the others lead to later ones.
func planted(seed uint64, p, size, keep int, rho float64) (w, s kernels.Tensor) {
	r := philox.New(seed, 4, 0)
	w = weights(seed, p, 0.01) // smaller than 1: never kept
	for e := 0; e < keep; {
		j, i := int(r.Below(uint32(p))), int(r.Below(uint32(p)))
		if r.Below(4) > 0 {
			i = min(j/size*size+int(r.Below(uint32(size))), p-1)
		}
		if i == j || i/size < j/size || math.Abs(w.F64[j*p+i]) >= 1 {
			continue
		}
		w.F64[j*p+i] = 1 + float64(r.Below(1000))/1000
		if r.Below(2) == 0 {
			w.F64[j*p+i] *= -1
		}
		e++
	}
	s = structure64(w, keep)
	return scaled(w, s, rho), s
}

type workload struct {
	name  string
	batch int
	tol   float64
	w, s  kernels.Tensor
}

func fullGraph(seed uint64, p int, rho float64) (w, s kernels.Tensor) {
	w = weights(seed, p, 1)
	s = structure64(w, -1)
	for i := range w.F64 {
		w.F64[i] *= rho // by the circular law the spectral radius of the unscaled matrix is near 1
	}
	return w, s
}

// structure64 is the structure by the CPU kernel, for graphs too large for the reference.
func structure64(w kernels.Tensor, keep int) kernels.Tensor {
	pool := par.New(1)
	defer pool.Close()
	op := Structure{Keep: keep}
	c := kernels.NewCall(op, cpu.Best(), pool)
	c.In, c.Out = []kernels.Tensor{w}, kernels.New(kernels.S(kernels.Int32, StructureLen(w.Shape[0])))
	c.Work = make([]byte, buildSize(w.Spec))
	op.CPU(c)
	return c.Out
}

func workloads() []workload {
	var list []workload
	add := func(name string, batch int, tol float64, w, s kernels.Tensor) {
		list = append(list, workload{name, batch, tol, w, s})
	}
	w, s := planted(1, 100, 14, 297, 0.4)
	add("nm/p=100,k=297,B=64", 64, 0, w, s)
	w = weights(2, 100, 1)
	s = structure64(w, 2970)
	add("nm/p=100,k=2970,B=32", 32, 1e-6, scaled(w, s, 0.9), s)
	w, s = planted(3, 300, 20, 2700, 0.7)
	add("nm/p=300,k=2700,B=64", 64, 0, w, s)
	w, s = planted(4, 1000, 20, 10000, 0.7)
	add("nm/p=1000,k=10000,B=64", 64, 0, w, s)
	w, s = fullGraph(5, 256, 0.9)
	add("deq/d=256,B=64", 64, 1e-4, w, s)
	w, s = fullGraph(6, 1024, 0.9)
	add("deq/d=1024,B=64", 64, 1e-4, w, s)
	w, s = fullGraph(7, 64, 0.9)
	add("newton/n=64,B=64", 64, 1e-6, w, s)
	w, s = fullGraph(8, 128, 0.9)
	add("newton/n=128,B=64", 64, 1e-6, w, s)
	w, s = fullGraph(9, 256, 0.9)
	add("newton/n=256,B=64", 64, 1e-6, w, s)
	return list
}

func bind1(op kernels.Op, workers int, in ...kernels.Tensor) (*kernels.Call, func()) {
	specs := make([]kernels.Spec, len(in))
	for i, a := range in {
		in[i] = kernels.Convert(a, kernels.Float32)
		specs[i] = in[i].Spec
	}
	spec, err := op.Infer(specs)
	if err != nil {
		panic(err)
	}
	pool := par.New(workers)
	c := kernels.NewCall(op, cpu.Best(), pool)
	c.In, c.Out = in, kernels.New(spec)
	c.Work = make([]byte, op.(kernels.Scratcher).Workspace(specs, spec, workers))
	c.Reserve = make([]byte, op.(kernels.Reserver).Reserve(specs, spec, workers))
	return c, pool.Close
}

func BenchmarkSolve(b *testing.B) {
	for _, l := range workloads() {
		p := l.w.Shape[0]
		method := Auto
		if l.name[:6] == "newton" {
			method = Newton
		}
		x := kernels.New(kernels.S(kernels.Float64, l.batch, p))
		noise(x.F64, 1)
		for i := range x.F64 {
			x.F64[i] *= math.Sqrt2
		}
		op := Solve{Act: act.Tanh, Tol: l.tol, Method: method}
		b.Run(l.name+"/solve", func(b *testing.B) { benchCall(b, op, x, l.w, l.s) })
		adjoint := Linear{Act: act.Tanh, Tol: l.tol, Method: method, Transposed: true}
		b.Run(l.name+"/adjoint", func(b *testing.B) { benchCall(b, adjoint, x, l.w, l.s, x) })
	}
}

func benchCall(b *testing.B, op kernels.Op, in ...kernels.Tensor) {
	c, done := bind1(op, 2, in...)
	defer done()
	cpuOp := op.(kernels.CPUOp)
	b.ReportAllocs()
	for b.Loop() {
		*c.Report = kernels.Report{}
		cpuOp.CPU(c)
	}
	b.ReportMetric(float64(c.Report.Iterations), "iterations")
	b.ReportMetric(float64(c.Report.Failed), "failed")
	b.ReportMetric(c.Report.Worst, "residual")
}
