package implicit

import (
	"bytes"
	"fmt"
	"testing"

	"gonum.org/v1/gonum/graph/simple"
	"gonum.org/v1/gonum/graph/topo"

	"ganglion/internal/cpu"
	"ganglion/internal/optest"
	"ganglion/internal/par"
	"ganglion/internal/philox"
	"ganglion/kernels"
)

var structureCases = []optest.Case{
	{Name: "no nodes", Op: Structure{Keep: 3}, In: []optest.Arg{optest.Normal(0, 0)}},
	{Name: "one node", Op: Structure{Keep: -1}, In: []optest.Arg{optest.Normal(1, 1)}},
	{Name: "two nodes", Op: Structure{Keep: 1}, In: []optest.Arg{optest.Normal(2, 2)}},
	{Name: "nothing kept", Op: Structure{}, In: []optest.Arg{optest.Normal(7, 7)}},
	{Name: "all kept", Op: Structure{Keep: -1}, In: []optest.Arg{optest.Normal(9, 9)}},
	{Name: "more than there are", Op: Structure{Keep: 1000}, In: []optest.Arg{optest.Normal(9, 9)}},
	{Name: "sparse", Op: Structure{Keep: 40}, In: []optest.Arg{optest.Normal(31, 31)}},
	{Name: "a tenth", Op: Structure{Keep: 170}, In: []optest.Arg{optest.Normal(42, 42)}},
	{Name: "modules", Op: Structure{Keep: 110}, In: []optest.Arg{optest.Normal(64, 64)}},
	{Name: "zeros and ties", Op: Structure{Keep: 30}, In: []optest.Arg{optest.Values(quantised(13, 3))}},
	{Name: "misleading sample", Op: Structure{Keep: 900}, In: []optest.Arg{optest.Values(misleading(64))}},
	{Name: "fewer than wanted", Op: Structure{Keep: 150}, In: []optest.Arg{optest.Values(quantised(13, 2))}},
}

// quantised is a matrix of few different values, zeros of both signs among them.
func quantised(p, levels int) kernels.Tensor {
	r := philox.New(5, 1, 0)
	t := kernels.New(kernels.S(kernels.Float64, p, p))
	for i := range t.F64 {
		t.F64[i] = float64(int(r.Below(uint32(2*levels+1)))-levels) * 0.5
		if t.F64[i] == 0 && r.Below(2) == 0 {
			t.F64[i] *= -1
		}
	}
	return t
}

// misleading has large weights only where the bound on candidates is estimated, fewer than are kept.
func misleading(p int) kernels.Tensor {
	w := kernels.New(kernels.S(kernels.Float64, p, p))
	noise(w.F64, 9)
	for at := 0; at < 2000; at += p*p/samples | 1 {
		w.F64[at] = 100 + w.F64[at]
	}
	return w
}

func TestStructure(t *testing.T) { optest.Check(t, structureCases) }

func BenchmarkStructure(b *testing.B) {
	optest.Bench(b, []optest.Case{
		{Name: "p=100,k=300", Op: Structure{Keep: 300}, In: []optest.Arg{optest.Normal(100, 100)}},
		{Name: "p=300,k=2700", Op: Structure{Keep: 2700}, In: []optest.Arg{optest.Normal(300, 300)}},
		{Name: "p=1000,k=10000", Op: Structure{Keep: 10000}, In: []optest.Arg{optest.Normal(1000, 1000)}},
	})
}

func TestStructureErrors(t *testing.T) {
	optest.Errors(t, Structure{}, "must be square", kernels.S(kernels.Float32, 3, 4))
	optest.Errors(t, Structure{}, "2 dimensions", kernels.S(kernels.Float32, 3))
	optest.Errors(t, Structure{}, "must be float", kernels.S(kernels.Int32, 3, 3))
	optest.Errors(t, Structure{}, "at most", kernels.S(kernels.Float32, 40000, 40000))
}

// run executes a CPU kernel once on a pool of the given number of workers and returns the output and the report.
func run(t testing.TB, op kernels.Op, workers int, in ...kernels.Tensor) (kernels.Tensor, kernels.Report) {
	t.Helper()
	specs := make([]kernels.Spec, len(in))
	for i, a := range in {
		specs[i] = a.Spec
	}
	spec, err := op.Infer(specs)
	if err != nil {
		t.Fatal(err)
	}
	pool := par.New(workers)
	defer pool.Close()
	c := kernels.NewCall(op, cpu.Best(), pool)
	c.In, c.Out = in, kernels.New(spec)
	if s, ok := op.(kernels.Scratcher); ok {
		c.Work = bytes.Repeat([]byte{0xff}, s.Workspace(specs, spec, workers)) // old contents: NaN
	}
	if s, ok := op.(kernels.Reserver); ok {
		c.Reserve = bytes.Repeat([]byte{0xff}, s.Reserve(specs, spec, workers))
	}
	op.(kernels.CPUOp).CPU(c)
	return c.Out, *c.Report
}

// digraph is a random weight matrix whose non-zero entries are the edges of a random graph; density varies with the
// seed.
func digraph(seed uint64, largest int) (p int, w kernels.Tensor) {
	r := philox.New(seed, 2, 0)
	p = 1 + int(r.Below(uint32(largest)))
	w = kernels.New(kernels.S(kernels.Float64, p, p))
	edges := int(r.Below(uint32(3*p + 1)))
	for range edges {
		w.F64[int(r.Below(uint32(p)))*p+int(r.Below(uint32(p)))] = 1 + float64(r.Below(1000))
	}
	return p, w
}

// TestComponents compares modules, levels and their order with reachability closed by bit sets on 10,000 random graphs.
func TestComponents(t *testing.T) {
	const largest = 60
	c := kernels.NewCall(Structure{Keep: -1}, cpu.Best(), par.New(1))
	c.Work = make([]byte, buildSize(kernels.S(kernels.Float64, largest, largest)))
	for seed := range uint64(10000) {
		p, w := digraph(seed, largest)
		c.Out = kernels.New(kernels.S(kernels.Int32, StructureLen(p)))
		c.In = []kernels.Tensor{w}
		Structure{Keep: -1}.CPU(c)
		l := View(c.Out.I32)
		if err := l.Check(); err != nil {
			t.Fatalf("graph %d: %v", seed, err)
		}
		if msg := bruteForce(l, p, w.F64); msg != "" {
			t.Fatalf("graph %d, %d nodes: %s", seed, p, msg)
		}
		if seed%20 == 0 {
			if got, want := l.Modules, topoComponents(p, w.F64); got != want {
				t.Fatalf("graph %d: %d modules, gonum finds %d", seed, got, want)
			}
		}
	}
}

func bruteForce(l Layout, p int, w []float64) string {
	reach := make([]uint64, p)
	kept := 0
	for j := range p {
		for i := range p {
			if i != j && w[j*p+i] != 0 {
				reach[j] |= 1 << i
				kept++
			}
		}
	}
	edges := append([]uint64(nil), reach...)
	for k := range p {
		for j := range p {
			if reach[j]>>k&1 != 0 {
				reach[j] |= reach[k]
			}
		}
	}
	same := func(i, j int) bool { return i == j || reach[i]>>j&1 != 0 && reach[j]>>i&1 != 0 }
	for i := range p {
		first, longest := i, int32(0)
		for j := p - 1; j >= 0; j-- {
			if same(i, j) {
				first = j
			}
			if same(i, j) != (l.Module[i] == l.Module[j]) {
				return fmt.Sprintf("nodes %d and %d: modules %d and %d", i, j, l.Module[i], l.Module[j])
			}
		}
		for j := range p {
			for k := range p {
				if same(i, k) && !same(i, j) && edges[j]>>k&1 != 0 {
					longest = max(longest, l.ModuleLevel[l.Module[j]]+1)
				}
			}
		}
		if int(l.Component[i]) != first || l.ModuleLevel[l.Module[i]] != longest {
			return fmt.Sprintf("node %d: component %d, level %d; want %d, %d", i, l.Component[i],
				l.ModuleLevel[l.Module[i]], first, longest)
		}
	}
	if l.Kept != kept {
		return fmt.Sprintf("%d edges, want %d", l.Kept, kept)
	}
	for m := 1; m < l.Modules; m++ {
		a, b := l.Members(m - 1)[0], l.Members(m)[0]
		if l.ModuleLevel[m-1] > l.ModuleLevel[m] || l.ModuleLevel[m-1] == l.ModuleLevel[m] && a >= b {
			return fmt.Sprintf("modules %d and %d are out of order", m-1, m)
		}
	}
	return ""
}

func topoComponents(p int, w []float64) int {
	g := simple.NewDirectedGraph()
	for i := range p {
		g.AddNode(simple.Node(i))
	}
	for at, v := range w {
		if j, i := at/p, at%p; i != j && v != 0 {
			g.SetEdge(simple.Edge{F: simple.Node(j), T: simple.Node(i)})
		}
	}
	return len(topo.TarjanSCC(g))
}
