package sparse

import (
	"math"
	"testing"

	"ganglion/internal/optest"
	"ganglion/internal/philox"
)

// skewed is a graph whose degrees follow a power law: an end of an edge is node ⌊n·u³⌋ for u even in [0, 1), and nodes
// are shuffled.
func skewed(b *testing.B, n, edges int) Structure {
	b.Helper()
	r := philox.New(1, 7, 0)
	label := make([]int32, n)
	for i := range label {
		label[i] = int32(i)
	}
	r.Shuffle(label)
	end := func() int32 {
		u := float64(r.Uint32()) / (1 << 32)
		return label[int(float64(n)*math.Pow(u, 3))]
	}
	src, dst := make([]int32, edges), make([]int32, edges)
	for e := range src {
		src[e], dst[e] = end(), end()
	}
	s, _, err := Build(n, n, src, dst)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkOps has the sizes of the specification: 10⁶ edges between 10⁵ nodes, and a graph that fits the cache.
func BenchmarkOps(b *testing.B) {
	large, small := skewed(b, 100000, 1000000), skewed(b, 3000, 20000)
	var cases []optest.Case
	for _, d := range []int{8, 16, 64, 128} {
		x, w := optest.Normal(100000, d), optest.Normal(1000000)
		cases = append(cases,
			optest.Case{Name: name("sum/1M/d=", d), Op: SpMM{}, In: append(args(large, x), w)},
			optest.Case{Name: name("max/1M/d=", d), Op: SpMM{Kind: Max}, In: args(large, x)},
			optest.Case{Name: name("dot/1M/d=", d), Op: SDDMM{}, In: args(large, x, x)},
			optest.Case{Name: name("sum/20k/d=", d), Op: SpMM{},
				In: append(args(small, optest.Normal(3000, d)), optest.Normal(20000))})
	}
	cases = append(cases,
		optest.Case{Name: "transposed/1M/d=64", Op: SpMM{Transposed: true},
			In: append(args(large, optest.Normal(100000, 64)), optest.Normal(1000000))},
		optest.Case{Name: "heads/1M/d=8x8", Op: SpMM{},
			In: append(args(large, optest.Normal(100000, 8, 8)), optest.Normal(1000000, 8))},
		optest.Case{Name: "softmax/1M/d=8", Op: Softmax{}, In: args(large, optest.Normal(1000000, 8))})
	h, u := optest.Normal(100000, 8, 8), optest.Normal(100000, 8)
	wide := optest.Normal(100000, 8, 16)
	cases = append(cases,
		optest.Case{Name: "gat/1M/d=8x8", Op: GAT{Slope: 0.2}, In: args(large, h, u, u)},
		optest.Case{Name: "gatgrad/1M/d=8x8", Op: GATGrad{Slope: 0.2}, In: args(large, h, u, u, h, h)},
		optest.Case{Name: "gat/1M/d=8x16", Op: GAT{Slope: 0.2}, In: args(large, wide, u, u)},
		optest.Case{Name: "gatgrad/1M/d=8x16", Op: GATGrad{Slope: 0.2}, In: args(large, wide, u, u, wide, wide)},
		optest.Case{Name: "gatv2/1M/d=8x8", Op: GATv2{Slope: 0.2}, In: args(large, h, h, optest.Normal(8, 8))},
		optest.Case{Name: "gatv2grad/1M/d=8x8", Op: GATv2Grad{Slope: 0.2},
			In: args(large, h, h, optest.Normal(8, 8), h, h)})
	optest.Bench(b, cases)
}

// TestBenchGraphs checks that degrees are as skewed as the benchmark says: the busiest node in a hundred has more than
// ten times its share of the edges.
func TestBenchGraphs(t *testing.T) {
	var s Structure
	testing.Benchmark(func(b *testing.B) { s = skewed(b, 1000, 10000) })
	most := 0
	for i := range s.Rows() {
		most = max(most, int(s.Ptr[i+1]-s.Ptr[i]))
	}
	if most < 100 || s.Check() != nil {
		t.Errorf("the busiest of 1000 nodes has %d of 10000 edges", most)
	}
}
