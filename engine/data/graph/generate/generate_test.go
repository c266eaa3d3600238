package generate

import (
	"math"
	"slices"
	"strings"
	"testing"

	"ganglion/engine/data/graph"
)

func must(t *testing.T) func(*graph.Graph, error) *graph.Graph {
	return func(g *graph.Graph, err error) *graph.Graph {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Check(); err != nil {
			t.Fatal(err)
		}
		return g
	}
}

// simple fails unless the graph is undirected, sorted, and without loops and double edges.
func simple(t *testing.T, g *graph.Graph) {
	t.Helper()
	u := g.WithoutLoops().Undirected()
	if !slices.Equal(u.Source, g.Source) || !slices.Equal(u.Target, g.Target) {
		t.Errorf("%s: is not simple, undirected and sorted", g.Name)
	}
}

func TestRegular(t *testing.T) {
	for _, c := range []struct {
		g            *graph.Graph
		nodes, edges int
		degrees      []int32 // that occur
	}{
		{must(t)(Ring(5)), 5, 10, []int32{2}},
		{must(t)(Circulant(41, 1, 5)), 41, 164, []int32{4}},
		{must(t)(Circulant(6, 3)), 6, 6, []int32{1}},
		{must(t)(Grid(3, 4, false)), 12, 34, []int32{2, 3, 4}},
		{must(t)(Grid(3, 4, true)), 12, 48, []int32{4}},
		{must(t)(Grid(1, 1, true)), 1, 0, []int32{0}},
		{must(t)(Grid(0, 5, false)), 0, 0, nil},
		{must(t)(Grid(2, 2, true)), 4, 8, []int32{2}},
	} {
		simple(t, c.g)
		d := c.g.InDegree()
		slices.Sort(d)
		if d = slices.Compact(d); c.g.N != c.nodes || c.g.Edges() != c.edges || !slices.Equal(d, c.degrees) {
			t.Errorf(
				"%s: %d nodes, %d edges, degrees %v; want %d, %d, %v",
				c.g.Name,
				c.g.N,
				c.g.Edges(),
				d,
				c.nodes,
				c.edges,
				c.degrees,
			)
		}
	}
}

// The number of edges of each pair of classes is binomial: it stays within five standard deviations of its mean.
func TestSBM(t *testing.T) {
	sizes, p := []int{300, 0, 200, 1}, [][]float64{{.05, 1, .01, 0}, {1, 0, .5, 1}, {.01, .5, .2, 1}, {0, 1, 1, .3}}
	g := must(t)(SBM(sizes, p, 7))
	simple(t, g)
	var count [4][4]int
	for e, j := range g.Source {
		count[g.Labels.Class[j]][g.Labels.Class[g.Target[e]]]++
	}
	for a := range sizes {
		for b := range sizes {
			pairs := float64(sizes[a] * sizes[b])
			if a == b {
				pairs = float64(sizes[a] * (sizes[a] - 1))
			}
			mean := pairs * p[a][b]
			sd := math.Sqrt(2 * mean * (1 - p[a][b])) // entries come in twos
			if d := math.Abs(float64(count[a][b]) - mean); d > 5*sd+1e-9 {
				t.Errorf("classes %d and %d have %d edges, want %.0f ± %.0f", a, b, count[a][b], mean, sd)
			}
		}
	}
	again, other := must(t)(SBM(sizes, p, 7)), must(t)(SBM(sizes, p, 8))
	if !slices.Equal(again.Target, g.Target) || slices.Equal(other.Target, g.Target) {
		t.Error("the seed does not decide alone")
	}
	if e := must(t)(ErdosRenyi(50, 1, 3)); e.Edges() != 50*49 || e.Labels.Task != graph.None {
		t.Errorf("all pairs: %d edges", e.Edges())
	}
	if e := must(t)(ErdosRenyi(50, 0, 3)); e.Edges() != 0 {
		t.Errorf("no pairs: %d edges", e.Edges())
	}
}

func TestRMAT(t *testing.T) {
	g := must(t)(RMAT(3000, 20000, .57, .19, .19, 5))
	simple(t, g)
	if g.Edges() != 40000 {
		t.Errorf("%d edges", g.Edges())
	}
	d := g.InDegree()
	if top := slices.Max(d); top < 200 { // the mean is 13: a random graph of this size would stay below 40
		t.Errorf("the largest degree is %d: no heavy tail", top)
	}
	if d[0] == slices.Max(d) {
		t.Error("node 0 is the hub: the nodes were not renamed")
	}
	again := must(t)(RMAT(3000, 20000, .57, .19, .19, 5))
	if !slices.Equal(again.Source, g.Source) {
		t.Error("one seed gave two graphs")
	}
}

func TestHub(t *testing.T) {
	g := must(t)(Hub(50, 1000, .6, 1))
	if d := g.InDegree()[0]; d < 600 || d > 640 || g.Edges() != 1000 {
		t.Errorf("the hub has %d of %d edges", d, g.Edges())
	}
}

func TestErrors(t *testing.T) {
	_, e1 := SBM([]int{2}, nil, 1)
	_, e2 := SBM([]int{2}, [][]float64{{1.5}}, 1)
	_, e3 := SBM([]int{-1}, [][]float64{{.5}}, 1)
	_, e4 := SBM([]int{1, 1}, [][]float64{{.5, .1}, {.2, .5}}, 1)
	_, e5 := RMAT(1, 0, .5, .2, .2, 1)
	_, e6 := RMAT(10, 5, .5, .5, .2, 1)
	_, e7 := RMAT(10, 50, .5, .2, .2, 1)
	_, e8 := Ring(2)
	_, e9 := Circulant(8, 5)
	_, e10 := Grid(-1, 3, false)
	_, e11 := Hub(0, 1, .5, 1)
	_, e12 := ErdosRenyi(1<<30, 1, 1)
	for k, err := range []error{e1, e2, e3, e4, e5, e6, e7, e8, e9, e10, e11, e12} {
		if err == nil || !strings.HasPrefix(err.Error(), "generate: ") || !strings.Contains(err.Error(), "want") &&
			!strings.Contains(err.Error(), "for 1 classes") {
			t.Errorf("case %d: error %v", k+1, err)
		}
	}
}
