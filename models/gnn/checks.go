package gnn

import (
	"context"
	"fmt"
	"math"

	"ganglion/engine/data/graph"
	"ganglion/engine/train"
	"ganglion/internal/philox"
	"ganglion/models/zoo"
)

// The acceptance checks of this package's systems.
var (
	checksGCN   = append(common(buildGCN, GCNConfig{Hidden: 16, Layers: 2, Activation: "relu"}), checkMeanless)
	checksSAGE  = common(buildSAGE, SAGEConfig{Hidden: 16, Layers: 2, Aggregate: "mean", Activation: "relu"})
	checksGAT   = common(buildGAT, GATConfig{Hidden: 4, Heads: 3, Layers: 2, Last: 1, Version: 1, Activation: "elu"})
	checksAPPNP = append(common(buildAPPNP, APPNPConfig{Hidden: 16, Layers: 2, Hops: 5, Alpha: 0.1,
		Activation: "relu"}), checkTeleport)
	checksGIN = append(common(buildGIN, GINConfig{Hidden: 16, Layers: 3, Pool: "sum", Activation: "relu"}), checkCounts)
)

// common are the checks of every system.
func common(build zoo.Builder, cfg any) []zoo.Check {
	return []zoo.Check{
		{
			Name:  "equivariant",
			Claim: "with the nodes in another order, the outputs are the same in that order, within 1e-12",
			Run:   func(seed uint64) (string, string, bool, error) { return checkEquivariant(build, cfg, seed) },
		},
		{
			Name:  "reach",
			Claim: "a node without a path to a sample within the network's hops does not change its outputs",
			Run:   func(seed uint64) (string, string, bool, error) { return checkReach(build, cfg, seed) },
		},
	}
}

// checkMeanless holds for gnn/gcn.
var checkMeanless = zoo.Check{
	Name:  "by-hand",
	Claim: "one layer on a path of three nodes gives the numbers of Eq. (2) worked out by hand, within 1e-12",
	Run:   func(uint64) (string, string, bool, error) { return checkPath() },
}

// checkTeleport holds for gnn/appnp.
var checkTeleport = zoo.Check{
	Name:  "alpha-one",
	Claim: "with alpha 1 the graph does not matter: the outputs are those without edges, within 1e-12",
	Run: func(seed uint64) (string, string, bool, error) {
		g := random(seed, 30, 60)
		cfg := APPNPConfig{Hidden: 8, Layers: 2, Hops: 4, Alpha: 1, Activation: "relu"}
		a, err := outputs(buildAPPNP, cfg, seed, g)
		if err != nil {
			return "", "", false, err
		}
		bare := *g
		bare.Source, bare.Target = nil, nil
		b, err := outputs(buildAPPNP, cfg, seed, &bare)
		if err != nil {
			return "", "", false, err
		}
		return within(a, b, 1e-12)
	},
}

// checkCounts holds for gnn/gin.
var checkCounts = zoo.Check{
	Name: "counts",
	Claim: "sums tell a triangle from a hexagon of equal features and mean degree, where means do not: outputs " +
		"differ by more than 0.01 with pool sum, and by less than 1e-12 with pool mean",
	Run: checkSums,
}

// random is a graph of n nodes with 5 features and 3 classes, and edges between nodes drawn by the seed.
func random(seed uint64, n, edges int) *graph.Graph {
	draw := philox.New(seed, 1, 2)
	g := &graph.Graph{Name: "random", N: n}
	for range edges {
		g.Source = append(g.Source, int32(draw.Below(uint32(n))))
		g.Target = append(g.Target, int32(draw.Below(uint32(n))))
	}
	g.Features = graph.Matrix{Rows: n, Cols: 5}
	for range 5 * n {
		g.Features.Data = append(g.Features.Data, float32(draw.Below(1<<20))/(1<<20)-0.5)
	}
	return g
}

// outputs are those of a fresh network in float64 for all nodes of a graph.
func outputs(build zoo.Builder, cfg any, seed uint64, g *graph.Graph) ([]float64, error) {
	task := train.Task{Level: train.Nodes, Inputs: g.Features.Cols, Outputs: 3}
	rows := make([]int32, g.N)
	for i := range rows {
		rows[i] = int32(i)
	}
	return outputsOf(build, cfg, task, seed, &train.GraphData{One: g}, rows)
}

func outputsOf(build zoo.Builder, cfg any, task train.Task, seed uint64, d *train.GraphData,
	rows []int32) ([]float64, error) {
	m, err := build(cfg, task)
	if err != nil {
		return nil, err
	}
	p, err := train.NewPredictor(m, task, train.Options{DType: "f64", Seed: seed, Threads: 1}, nil)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	out, err := p.PredictGraphs(context.Background(), d, rows)
	return out.F64, err
}

// within compares two lists relative to the largest element.
func within(a, b []float64, tolerance float64) (measured, required string, ok bool, err error) {
	worst, top := 0.0, 0.0
	for i, v := range a {
		worst, top = max(worst, math.Abs(v-b[i])), max(top, math.Abs(v))
	}
	worst /= top
	return fmt.Sprintf(
			"%.2g",
			worst,
		), fmt.Sprintf(
			"at most %.0e",
			tolerance,
		), len(a) == len(b) &&
			worst <= tolerance, nil
}

// checkEquivariant relabels the nodes.
func checkEquivariant(build zoo.Builder, cfg any, seed uint64) (string, string, bool, error) {
	g := random(seed, 40, 90)
	want, err := outputs(build, cfg, seed, g)
	if err != nil {
		return "", "", false, err
	}
	order := make([]int32, g.N)
	for i := range order {
		order[i] = int32(i)
	}
	draw := philox.New(seed, 3, 4)
	draw.Shuffle(order)
	part, err := g.Induced(order)
	if err != nil {
		return "", "", false, err
	}
	got, err := outputs(build, cfg, seed, part.Graph)
	if err != nil {
		return "", "", false, err
	}
	back := make([]float64, len(got))
	for k, i := range order {
		copy(back[3*int(i):3*int(i)+3], got[3*k:3*k+3])
	}
	return within(want, back, 1e-12)
}

// checkReach changes the features of one end of a long path, and looks at the other.
func checkReach(build zoo.Builder, cfg any, seed uint64) (string, string, bool, error) {
	g := random(seed, 20, 0)
	for i := range int32(g.N - 1) {
		g.Source, g.Target = append(g.Source, i, i+1), append(g.Target, i+1, i)
	}
	a, err := outputs(build, cfg, seed, g)
	if err != nil {
		return "", "", false, err
	}
	for i := range g.Features.Cols {
		g.Features.Data[i] += 3
	}
	b, err := outputs(build, cfg, seed, g)
	if err != nil {
		return "", "", false, err
	}
	near, far := 0.0, 0.0
	for i := range 3 {
		near = max(near, math.Abs(a[i]-b[i]))
		far = max(far, math.Abs(a[len(a)-1-i]-b[len(b)-1-i]))
	}
	return fmt.Sprintf("changes by %.2g at the node, %.2g far away", near, far), "above 0 at the node, 0 far away",
		near > 0 && far == 0, nil
}

// checkPath works out Â·x·W for the path 0 – 1 – 2, whose degrees with loops are 2, 3, 2.
func checkPath() (string, string, bool, error) {
	g := &graph.Graph{N: 3, Source: []int32{0, 1, 1, 2}, Target: []int32{1, 0, 2, 1}}
	g.Features = graph.Matrix{Rows: 3, Cols: 1, Data: []float32{1, 2, 4}}
	task := train.Task{Level: train.Nodes, Inputs: 1, Outputs: 1}
	m, err := buildGCN(GCNConfig{Hidden: 1, Layers: 1, Activation: "relu"}, task)
	if err != nil {
		return "", "", false, err
	}
	p, err := train.NewPredictor(m, task, train.Options{DType: "f64", Threads: 1}, nil)
	if err != nil {
		return "", "", false, err
	}
	defer p.Close()
	w, err := p.Store().Tensor("conv1/W")
	if err != nil {
		return "", "", false, err
	}
	w.F64[0] = 10
	out, err := p.PredictGraphs(context.Background(), &train.GraphData{One: g}, []int32{2, 0, 1})
	if err != nil {
		return "", "", false, err
	}
	six := 1 / math.Sqrt(6)
	want := []float64{10 * (4.0/2 + 2*six), 10 * (1.0/2 + 2*six), 10 * (2.0/3 + six + 4*six)}
	return within(want, out.F64, 1e-12)
}

// ring is a ring of n nodes with feature 1.
func ring(n int) *graph.Graph {
	g := &graph.Graph{N: n, Features: graph.Matrix{Rows: n, Cols: 1}}
	for i := range int32(n) {
		j := (i + 1) % int32(n)
		g.Source, g.Target = append(g.Source, i, j), append(g.Target, j, i)
		g.Features.Data = append(g.Features.Data, 1)
	}
	return g
}

// checkSums compares the outputs for two rings.
func checkSums(seed uint64) (string, string, bool, error) {
	var gap [2]float64
	task := train.Task{Level: train.Graphs, Inputs: 1, Outputs: 3}
	data := &train.GraphData{Many: []*graph.Graph{ring(3), ring(6)}}
	for k, pool := range []string{"sum", "mean"} {
		cfg := GINConfig{Hidden: 8, Layers: 2, Pool: pool, Activation: "relu"}
		out, err := outputsOf(buildGIN, cfg, task, seed, data, []int32{0, 1})
		if err != nil {
			return "", "", false, err
		}
		for i := range 3 {
			gap[k] = max(gap[k], math.Abs(out[i]-out[3+i]))
		}
	}
	return fmt.Sprintf("%.2g with sums, %.2g with means", gap[0], gap[1]), "above 0.01, below 1e-12",
		gap[0] > 0.01 && gap[1] < 1e-12, nil
}
