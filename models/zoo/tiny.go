package zoo

import (
	"math"

	"ganglion/engine/data/graph"
	"ganglion/engine/train"
	"ganglion/kernels"
)

// tinySamples is the size of each part of the set that Verify uses.
const tinySamples = 12

// tinySet makes samples with 4 features whose target, of 3 classes or 2 numbers, depends on them.
func tinySet(kind train.Kind) train.Set {
	task := train.Task{Kind: kind, Inputs: 4, Outputs: 3, Examples: tinySamples}
	if kind == train.Regress {
		task.Outputs = 2
	}
	part := func(shift int) train.Part {
		p := train.Part{X: kernels.New(kernels.S(kernels.Float64, tinySamples, task.Inputs))}
		for i := range p.X.F64 {
			p.X.F64[i] = 1.5 * math.Sin(float64(3*(i+shift)*(i+2))+0.7)
		}
		if kind == train.Regress {
			p.Y = kernels.New(kernels.S(kernels.Float64, tinySamples, task.Outputs))
		}
		for i := range tinySamples {
			x := p.X.F64[4*i : 4*i+4]
			if kind == train.Regress {
				p.Y.F64[2*i], p.Y.F64[2*i+1] = x[0]-x[1], math.Tanh(x[2])
				continue
			}
			class := int32(0)
			if x[0] > x[1] {
				class = 1
			} else if x[2] > 0 {
				class = 2
			}
			p.Labels = append(p.Labels, class)
		}
		return p
	}
	return train.Set{Task: task, Train: part(0), Valid: part(50), Test: part(90)}
}

// tinySets are the sets on which a system is verified: of each level that it takes, a classification and a regression.
// Nodes have sparse features in the one and dense ones in the other.
func (s System) tinySets() []train.Set {
	var out []train.Set
	for _, kind := range []train.Kind{train.Classify, train.Regress} {
		for _, level := range []train.Level{train.Rows, train.Nodes, train.Graphs} {
			if !s.Takes(level) {
				continue
			}
			set := tinySet(kind)
			if level != train.Rows {
				set = ofGraphs(set, level)
			}
			out = append(out, set)
		}
	}
	return out
}

// ofGraphs makes nodes or graphs of the samples of a set.
func ofGraphs(set train.Set, level train.Level) train.Set {
	set.Task.Level = level
	set.Graphs = &train.GraphData{}
	parts := []*train.Part{&set.Train, &set.Valid, &set.Test}
	all := &graph.Graph{Features: graph.Matrix{Cols: set.Task.Inputs}}
	for k, p := range parts {
		for i := range int32(tinySamples) {
			row := p.X.F64[int(i)*set.Task.Inputs : int(i+1)*set.Task.Inputs]
			p.Rows = append(p.Rows, int32(k*tinySamples)+i)
			set.Graphs.Many = append(set.Graphs.Many, tinyGraph(row))
			all.N++
			for _, v := range row {
				all.Features.Data = append(all.Features.Data, float32(v))
			}
		}
		p.X = kernels.Tensor{}
	}
	if level == train.Graphs {
		return set
	}
	for i := range int32(all.N) { // a ring with chords, and a loop
		j, c := (i+1)%int32(all.N), (7*i+3)%int32(all.N)
		all.Source, all.Target = append(all.Source, i, j, i), append(all.Target, j, i, c)
	}
	all.Features.Rows = all.N
	set.Graphs.Many, set.Graphs.One = nil, all
	if set.Task.Kind == train.Classify {
		set.Task.Sparse = true
		all.Features = all.Features.Compress()
	}
	return set
}

// tinyGraph is a path of nodes whose features are those of a sample, ever weaker.
func tinyGraph(row []float64) *graph.Graph {
	g := &graph.Graph{N: 2 + int(4*math.Abs(row[3]))}
	g.Features = graph.Matrix{Rows: g.N, Cols: len(row)}
	for i := range int32(g.N) {
		for _, v := range row {
			g.Features.Data = append(g.Features.Data, float32(v/float64(i+1)))
		}
		if i > 0 {
			g.Source, g.Target = append(g.Source, i-1, i), append(g.Target, i, i-1)
		}
	}
	return g
}
