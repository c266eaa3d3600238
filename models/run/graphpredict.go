package run

import (
	"context"
	"slices"
	"strconv"

	"ganglion/engine/data/graph"
	"ganglion/engine/train"
	"ganglion/kernels"
)

// otherGraphs reads graphs for a trained network: prepared as those that it learnt from, which they must be like.
func (t *Trained) otherGraphs(ctx context.Context, d Data) (*Graphs, error) {
	c := t.columns.Graph
	g, err := loadGraphs(ctx, d, c.Prepared)
	if err != nil {
		return nil, err
	}
	wrong := func(what string, want, got any) error {
		return &graph.Error{File: d.Source, Want: what + ": " + text(want), Got: text(got),
			Remedy: "name graphs like those that the run was trained on"}
	}
	switch have := g.Columns; {
	case have.Level != c.Level:
		return nil, wrong("what is learnt about", c.Level, have.Level)
	case have.Features != c.Features:
		return nil, wrong("features of a node", c.Features, have.Features)
	case have.Attributes != c.Attributes:
		return nil, wrong("attributes of an edge", c.Attributes, have.Attributes)
	case c.Weighted && !have.Weighted:
		return nil, wrong("weights of edges", true, false)
	}
	g.Columns.Shift, g.Columns.Divisor = c.Shift, c.Divisor
	g.standardise()
	g.each(func(x *graph.Graph) *graph.Graph {
		out := *x
		if m := x.Features; c.Sparse {
			out.Features = m.Compress()
		} else {
			out.Features = graph.Matrix{Rows: m.Rows, Cols: m.Cols, Data: m.Dense()}
		}
		return &out
	})
	return g, nil
}

func text(v any) string {
	switch x := v.(type) {
	case int:
		return strconv.Itoa(x)
	case bool:
		return strconv.FormatBool(x)
	}
	return v.(string)
}

// samples is the number of nodes or graphs.
func (g *Graphs) samples() int {
	if g.data.One != nil {
		return g.data.One.N
	}
	return len(g.data.Many)
}

func (g *Graphs) all() []int32 {
	rows := make([]int32, g.samples())
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

// predictGraphs answers for every node of a graph, or every graph of a collection; numbers are in the data's units.
func (t *Trained) predictGraphs(ctx context.Context, input string) (*Predictions, error) {
	g, err := t.otherGraphs(ctx, Data{Source: input, Dir: t.Config.Data.Dir})
	if err != nil {
		return nil, err
	}
	out, err := t.Predictor.PredictGraphs(ctx, &g.data, g.all())
	if err != nil {
		return nil, err
	}
	c := t.columns.Graph
	if t.task.Kind == train.Regress {
		for i := range out.F64 {
			j := i % len(c.Targets)
			out.F64[i] = out.F64[i]*c.Scale[j] + c.Mean[j]
		}
	}
	p := t.predictions(input, g.samples(), g.Notes)
	p.fill(out, t.task, "class", c.Classes, c.Targets)
	return p, nil
}

// graphRows loads what is to be judged: the test part of the run's own data when source is empty, else all samples of
// other data that have labels.
func (t *Trained) graphRows(ctx context.Context, source string) (*Graphs, []int32, string, error) {
	d, c := t.Config.Data, t.columns.Graph
	if source != "" {
		d.Source = source
	}
	g, err := t.otherGraphs(ctx, d)
	if err != nil {
		return nil, nil, "", err
	}
	if err := g.aim(d); err != nil {
		return nil, nil, "", err
	}
	if g.Columns.Task != c.Task || !slices.Equal(g.Columns.Classes, c.Classes) ||
		!slices.Equal(g.Columns.Targets, c.Targets) {
		return nil, nil, "", &graph.Error{File: d.Source, Want: "the classes or targets that the run was trained on",
			Got: "others", Remedy: "use ganglion predict for data with other labels"}
	}
	g.Columns.Mean, g.Columns.Scale = c.Mean, c.Scale
	if source != "" {
		rows := slices.DeleteFunc(g.all(), func(i int32) bool { return !g.complete(int(i)) })
		return g, rows, "all", nil
	}
	if g.SHA256 != t.columns.SHA256 {
		return nil, nil, "", &graph.Error{File: d.Source, Want: "the file that the run was trained on, sha256 " +
			t.columns.SHA256, Got: "sha256 " + g.SHA256, Remedy: "name the changed file with --data to judge all of it"}
	}
	parts, err := g.divide(d.Split, t.Config.Train.Seed)
	return g, parts[2], "test", err
}

// evalGraphs judges the network on nodes or graphs, as Eval does on rows.
func (t *Trained) evalGraphs(ctx context.Context, source string) (*Evaluation, error) {
	g, rows, what, err := t.graphRows(ctx, source)
	if err != nil {
		return nil, err
	}
	set := train.Set{Task: t.task, Graphs: &g.data, Scale: t.columns.Graph.Scale}
	s, err := t.Predictor.Judge(ctx, set, g.part(rows, dtypeOf(t.Config.Train.DType), true))
	if err != nil {
		return nil, err
	}
	return t.evaluation(g.Name, what, len(rows), g.Notes, s), nil
}

// fill writes a line for each sample: its number, the answer, and for classes their probabilities.
func (p *Predictions) fill(out kernels.Tensor, task train.Task, target string, classes, targets []string) {
	p.header = []string{"row"}
	if task.Kind == train.Regress {
		p.header = append(p.header, targets...)
	} else {
		p.header = append(p.header, target)
		for _, c := range classes {
			p.header = append(p.header, "p("+c+")")
		}
	}
	m := task.Outputs
	for i := range p.Rows {
		row := out.F64[i*m : (i+1)*m]
		cells := []string{strconv.Itoa(i + 1)}
		if task.Kind == train.Classify {
			cells = append(cells, classes[softmax(row)])
		}
		for _, v := range row {
			cells = append(cells, strconv.FormatFloat(v, 'g', 9, 64))
		}
		p.cells = append(p.cells, cells)
	}
}
