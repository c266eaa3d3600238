package run

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"ganglion/engine/data"
	"ganglion/engine/data/graph"
	"ganglion/engine/data/graph/read"
	"ganglion/engine/train"
	"ganglion/kernels"
	"ganglion/models/zoo"
)

// The preparations of the features of nodes.
const (
	rawFeatures = "raw"  // as they are
	rowFeatures = "rows" // each node's divided by their sum
	oneFeature  = "ones" // a single 1 for each node
	// Each column but those of 0 and 1 less its mean, divided by its standard deviation: over all nodes of one graph,
	// which the network sees, or over those of the training part's graphs.
	standardFeatures = "standard"
)

var preparations = []string{"", rawFeatures, rowFeatures, oneFeature, standardFeatures}

// Graphs is a graph, or a collection of graphs, ready for a session.
type Graphs struct {
	Name, Source, SHA256 string
	Split                string
	Notes                []string
	Columns              graphColumns

	data   train.GraphData
	labels graph.Labels
	splits []graph.Split
}

// graphColumns says how graphs become the inputs of a network. It is what data.json of a run directory holds of them.
type graphColumns struct {
	Level      string    `json:"level"` // nodes or graphs: what is learnt about
	Task       string    `json:"task"`
	Features   int       `json:"features"`          // of a node
	Prepared   string    `json:"prepared"`          // raw, rows, ones or standard
	Shift      []float64 `json:"shift,omitempty"`   // standard: of each column
	Divisor    []float64 `json:"divisor,omitempty"` // standard: of each column
	Sparse     bool      `json:"sparse"`
	Weighted   bool      `json:"weighted"`
	Attributes int       `json:"attributes"` // of an edge
	Classes    []string  `json:"classes,omitempty"`
	Targets    []string  `json:"targets,omitempty"`
	Mean       []float64 `json:"mean,omitempty"` // of the targets over the training part
	Scale      []float64 `json:"scale,omitempty"`
}

// levels are the words for what is learnt about.
var levels = map[string]train.Level{"nodes": train.Nodes, "graphs": train.Graphs}

// ofGraphs says whether a system learns about graphs, or nodes of one.
func ofGraphs(s zoo.System) bool { return s.Takes(train.Nodes) || s.Takes(train.Graphs) }

// loadGraphs reads a graph or a collection and makes its features ready; how is a preparation, or empty for the one
// that the features ask for.
func loadGraphs(ctx context.Context, d Data, how string) (*Graphs, error) {
	got, err := read.Load(ctx, d.Source, read.Options{Dir: d.Dir})
	if err != nil {
		return nil, err
	}
	g := &Graphs{Source: d.Source}
	switch {
	case got.Graph != nil:
		one := got.Graph
		g.Name, g.SHA256, g.Notes, g.labels, g.splits = one.Name, one.SHA256, one.Notes, one.Labels, one.Splits
		g.data.One, g.Columns.Level = one, "nodes"
	case got.Collection != nil:
		many := got.Collection
		g.Name, g.SHA256, g.Notes, g.labels, g.splits = many.Name, many.SHA256, many.Notes, many.Labels, many.Splits
		g.data.Many, g.Columns.Level = many.Graphs, "graphs"
	default:
		return nil, &graph.Error{File: d.Source, Want: "a graph, or graphs", Got: "triples of a knowledge graph",
			Remedy: "no network here learns about triples"}
	}
	g.Notes = slices.Clone(g.Notes)
	return g, g.prepare(how)
}

// each calls f for every graph, in the place of which what it returns is taken.
func (g *Graphs) each(f func(*graph.Graph) *graph.Graph) {
	if g.data.One != nil {
		g.data.One = f(g.data.One)
		return
	}
	g.data.Many = slices.Clone(g.data.Many)
	for i, x := range g.data.Many {
		g.data.Many[i] = f(x)
	}
}

// prepare makes the features ready, and notes what there is.
func (g *Graphs) prepare(how string) error {
	c, m := &g.Columns, graph.Matrix{}
	weights, edges := 0, 0
	g.each(func(x *graph.Graph) *graph.Graph {
		if m.Cols == 0 {
			m = x.Features
		}
		if x.Weight != nil {
			weights += x.Edges()
		}
		edges += x.Edges()
		c.Attributes = max(c.Attributes, x.EdgeAttr.Cols)
		return x
	})
	c.Weighted = weights == edges && edges > 0
	switch {
	case how != "":
	case m.Cols == 0:
		how = oneFeature
		g.Notes = append(g.Notes, "the nodes have no features: each has a single 1")
	case m.Sparse():
		how = rowFeatures
		g.Notes = append(g.Notes, "the features of each node are divided by their sum")
	case g.binary():
		how = rawFeatures
	default:
		how = standardFeatures
		g.Notes = append(g.Notes, "the features of the nodes that are not 0 or 1 are standardised")
	}
	c.Prepared, c.Features, c.Sparse = how, max(1, m.Cols), m.Sparse() && how != oneFeature && how != standardFeatures
	if how != oneFeature && m.Cols == 0 {
		return &graph.Error{File: g.Source, Want: "features of the nodes", Got: "none", Remedy: "add them to the file"}
	}
	g.each(func(x *graph.Graph) *graph.Graph {
		out := *x
		switch how {
		case rowFeatures:
			out.Features = x.Features.NormaliseRows()
		case oneFeature:
			out.Features = graph.Matrix{Rows: x.N, Cols: 1, Data: slices.Repeat([]float32{1}, x.N)}
		}
		return &out
	})
	return nil
}

// binary says whether all features are 0 or 1.
func (g *Graphs) binary() bool {
	other := false
	g.each(func(x *graph.Graph) *graph.Graph {
		other = other || slices.ContainsFunc(x.Features.Data, func(v float32) bool { return v != 0 && v != 1 })
		return x
	})
	return !other
}

// measure finds shift and divisor of the columns of features that are to be standardised, from the nodes of one graph
// or of the graphs of the training part.
func (g *Graphs) measure(rows []int32) {
	c := &g.Columns
	if c.Prepared != standardFeatures {
		return
	}
	from := []*graph.Graph{g.data.One}
	if g.data.One == nil {
		from = nil
		for _, r := range rows {
			from = append(from, g.data.Many[r])
		}
	}
	sum, square, n := make([]float64, c.Features), make([]float64, c.Features), 0.0
	other := make([]bool, c.Features)
	for _, x := range from {
		n += float64(x.N)
		for k, v := range x.Features.Dense() {
			j := k % c.Features
			sum[j] += float64(v)
			square[j] += float64(v) * float64(v)
			other[j] = other[j] || v != 0 && v != 1
		}
	}
	c.Shift, c.Divisor = make([]float64, c.Features), make([]float64, c.Features)
	for j := range c.Features {
		c.Divisor[j] = 1
		if mean := sum[j] / max(1, n); other[j] {
			c.Shift[j] = mean
			if s := math.Sqrt(max(0, square[j]/max(1, n)-mean*mean)); s > 0 {
				c.Divisor[j] = s
			}
		}
	}
}

// standardise applies shift and divisor of the columns of features, if there are any.
func (g *Graphs) standardise() {
	c := g.Columns
	if c.Prepared != standardFeatures {
		return
	}
	g.each(func(x *graph.Graph) *graph.Graph {
		out := *x
		data := slices.Clone(x.Features.Dense())
		for k, v := range data {
			j := k % c.Features
			data[k] = float32((float64(v) - c.Shift[j]) / c.Divisor[j])
		}
		out.Features = graph.Matrix{Rows: x.N, Cols: c.Features, Data: data}
		return &out
	})
}

// aim decides what is learnt: the classes, or one or all of the targets.
func (g *Graphs) aim(d Data) error {
	l, c := g.labels, &g.Columns
	c.Task, c.Classes, c.Targets = string(l.Task), l.Classes, l.Names
	if d.Task != "" && d.Task != c.Task {
		return usage(fmt.Errorf("task %q: the labels of %s are for %q", d.Task, g.Name, c.Task))
	}
	switch l.Task {
	case graph.Classify:
		if d.Target != "" {
			return usage(fmt.Errorf("target %q: %s has classes and no columns to choose from", d.Target, g.Name))
		}
		return nil
	case graph.Regress:
		return g.choose(d.Target)
	}
	return &graph.Error{
		File:   g.Source,
		Want:   "a class for each sample, or numbers",
		Got:    fmt.Sprintf("task %q", l.Task),
		Remedy: "take a data set with labels of another kind",
	}
}

// choose keeps the target of that name, all of them if there is none.
func (g *Graphs) choose(name string) error {
	k := len(g.labels.Names)
	if name == "" {
		return nil
	}
	at := slices.Index(g.labels.Names, name)
	if at < 0 {
		return usage(fmt.Errorf("target %q: %s has %s", name, g.Name, strings.Join(g.labels.Names, ", ")))
	}
	one := graph.Labels{Task: graph.Regress, Names: []string{name}}
	for i := range g.labels.Rows() {
		one.Value = append(one.Value, g.labels.Value[i*k+at])
	}
	g.labels, g.Columns.Targets = one, one.Names
	return nil
}

// divide returns the rows of the three parts that have labels.
func (g *Graphs) divide(split string, seed uint64) (parts [3][]int32, err error) {
	part, err := graph.Choose(g.labels, g.splits, split, seed)
	if err != nil {
		return parts, usage(err)
	}
	for i, p := range part {
		if p != graph.Unused && g.complete(i) {
			parts[p] = append(parts[p], int32(i))
		}
	}
	for k, name := range []string{"training", "validation", "test"} {
		if len(parts[k]) == 0 {
			return parts, &graph.Error{
				File:   g.Source,
				Want:   "samples with labels in the " + name + " part",
				Got:    "none",
				Remedy: "choose another --split",
			}
		}
	}
	g.Split = split
	if split == "" {
		g.Split = graph.DefaultSplit + " by seed"
		if len(g.splits) > 0 {
			g.Split = g.splits[0].Name + ":0"
		}
	}
	return parts, nil
}

// complete says whether a sample has all of its labels.
func (g *Graphs) complete(i int) bool {
	if g.labels.Task == graph.Classify {
		return g.labels.Class[i] >= 0
	}
	k := len(g.labels.Names)
	return !slices.ContainsFunc(g.labels.Value[i*k:(i+1)*k], func(v float32) bool { return v != v })
}

// standard measures the targets of the training part.
func (g *Graphs) standard(rows []int32) {
	k := len(g.labels.Names)
	c := &g.Columns
	c.Mean, c.Scale = make([]float64, k), make([]float64, k)
	for _, i := range rows {
		for j := range k {
			c.Mean[j] += float64(g.labels.Value[int(i)*k+j]) / float64(len(rows))
		}
	}
	for _, i := range rows {
		for j := range k {
			d := float64(g.labels.Value[int(i)*k+j]) - c.Mean[j]
			c.Scale[j] += d * d / float64(len(rows))
		}
	}
	for j, v := range c.Scale {
		if c.Scale[j] = math.Sqrt(v); v == 0 {
			c.Scale[j] = 1
		}
	}
}

// task is what a network is built for.
func (c graphColumns) task(examples int) train.Task {
	t := train.Task{Level: levels[c.Level], Inputs: c.Features, Outputs: len(c.Classes), Examples: examples,
		Sparse: c.Sparse, Weighted: c.Weighted, EdgeInputs: c.Attributes}
	if c.Task == string(graph.Regress) {
		t.Kind, t.Outputs = train.Regress, len(c.Targets)
	}
	return t
}

// check verifies what was read from a run directory.
func (c graphColumns) check() error {
	if _, ok := levels[c.Level]; !ok || c.Features < 1 || c.Attributes < 0 ||
		len(c.Classes) == 0 &&
			(len(c.Targets) == 0 || len(c.Mean) != len(c.Targets) || len(c.Scale) != len(c.Targets)) {
		return fmt.Errorf(
			"level %q with %d features, %d classes, %d targets: no description of graphs",
			c.Level,
			c.Features,
			len(c.Classes),
			len(c.Targets),
		)
	}
	if c.Prepared == standardFeatures && (len(c.Shift) != c.Features || len(c.Divisor) != c.Features) {
		return fmt.Errorf("%d shifts and %d divisors for %d features", len(c.Shift), len(c.Divisor), c.Features)
	}
	return nil
}

// part makes a part of a set of some samples, with labels or without.
func (g *Graphs) part(rows []int32, d kernels.DType, labels bool) train.Part {
	p := train.Part{Rows: rows}
	switch {
	case !labels:
	case g.labels.Task == graph.Classify:
		p.Labels = make([]int32, len(rows))
		for i, r := range rows {
			p.Labels[i] = g.labels.Class[r]
		}
	default:
		k := len(g.labels.Names)
		y := make([]float64, 0, len(rows)*k)
		for _, r := range rows {
			for j := range k {
				y = append(y, (float64(g.labels.Value[int(r)*k+j])-g.Columns.Mean[j])/g.Columns.Scale[j])
			}
		}
		p.Y = kernels.Convert(kernels.FromSlice(y, len(rows), k), d)
	}
	return p
}

// fitGraphs loads the graphs of a session and makes its set.
func (s *Session) fitGraphs(ctx context.Context) error {
	c := s.Config
	if _, ok := data.FindSet(c.Data.Source); ok {
		return usage(fmt.Errorf("%s is a table, and %s learns about graphs: take module/nm, or data such as cora",
			c.Data.Source, s.System.ID))
	}
	var err error
	if s.Graphs, err = loadGraphs(ctx, c.Data, c.Data.Features); err != nil {
		return err
	}
	g := s.Graphs
	if !s.System.Takes(levels[g.Columns.Level]) {
		return usage(
			fmt.Errorf("%s does not learn about %s, which %s has labels of", s.System.ID, g.Columns.Level, g.Name),
		)
	}
	if err := g.aim(c.Data); err != nil {
		return err
	}
	parts, err := g.divide(c.Data.Split, c.Train.Seed)
	if err != nil {
		return err
	}
	if g.labels.Task == graph.Regress {
		g.standard(parts[0])
	}
	g.measure(parts[0])
	g.standardise()
	d := dtypeOf(c.Train.DType)
	s.Set = train.Set{Task: g.Columns.task(len(parts[0])), Scale: g.Columns.Scale, Graphs: &g.data,
		Train: g.part(parts[0], d, true), Valid: g.part(parts[1], d, true), Test: g.part(parts[2], d, true)}
	return nil
}

// Describe says in a line what the graphs of a set are.
func (g *Graphs) Describe(set train.Set) string {
	nodes, edges, count := 0, 0, 0
	g.each(func(x *graph.Graph) *graph.Graph {
		nodes, edges, count = nodes+x.N, edges+x.Edges(), count+1
		return x
	})
	what := fmt.Sprintf("%d classes", len(g.Columns.Classes))
	if set.Task.Kind == train.Regress {
		what = fmt.Sprintf("%d targets", len(g.Columns.Targets))
	}
	graphs := ""
	if g.Columns.Level == "graphs" {
		graphs = fmt.Sprintf("%d graphs, ", count)
	}
	return fmt.Sprintf(
		"data: %s, %s%d nodes, %d edges, %d features, %s; %d %s for training, %d for validation, %d for "+
			"the test (%s)",
		g.Name,
		graphs,
		nodes,
		edges,
		g.Columns.Features,
		what,
		set.Train.Len(),
		g.Columns.Level,
		set.Valid.Len(),
		set.Test.Len(),
		g.Split,
	)
}
