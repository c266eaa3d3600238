package train

import (
	"errors"
	"fmt"
	"slices"

	"ganglion/engine"
	"ganglion/engine/data/graph"
	"ganglion/kernels"
	"ganglion/kernels/sparse"
)

// GraphData is where the samples of a set are that are no rows of a table: the nodes of One, or the graphs Many.
type GraphData struct {
	One  *graph.Graph
	Many []*graph.Graph
}

// MatrixInputs are a sparse matrix in a program: the structure of kernels/sparse and what goes with its entries.
type MatrixInputs struct {
	Structure []*Node // int32 ptr, col, tptr, tcol, tpos
	Weight    *Node   // float [entries]; nil where entries have no weights
	Attr      *Node   // float [entries, EdgeInputs]; nil where they have no attributes
}

// GraphInputs are the nodes of a program that hold graphs. What a network does not read is neither made nor fed.
type GraphInputs struct {
	X       *Node        // features of nodes, float [nodes, Inputs]; nil where they are sparse
	Sparse  MatrixInputs // sparse features: [nodes, Inputs], their values as weights
	Edges   MatrixInputs // rows are targets, columns sources
	Looped  MatrixInputs // the same with exactly one loop at each node
	Sample  *Node        // int32 [batch], the node that each sample is; nil where samples are graphs
	Members MatrixInputs // rows are the samples, columns their nodes; without structure where samples are nodes
}

// nameSample is the input of the nodes that are samples.
const nameSample = "graph/sample"

// operands are graphs as the inputs of a program.
type operands struct {
	task   Task
	dtype  kernels.DType
	graph  *graph.Graph
	bounds []int32 // of the samples in the nodes; nil where samples are nodes
	sample []int32
}

// operand is some inputs that are made together: a tensor, or a matrix.
type operand struct {
	names []string
	make  func() ([]kernels.Tensor, error)
}

// operandsOf returns the operands of some samples of a part: all nodes of the one graph, or the graphs side by side.
func (d *GraphData) operandsOf(task Task, dtype kernels.DType, rows []int32) (*operands, error) {
	o := &operands{task: task, dtype: dtype, graph: d.One, sample: rows}
	if task.Level == Nodes {
		return o, nil
	}
	list := make([]*graph.Graph, len(rows))
	for i, r := range rows {
		list[i] = d.Many[r]
	}
	b, err := graph.BlockDiagonal(list)
	if err != nil {
		return nil, err
	}
	o.graph, o.bounds = b.Graph, b.Ptr
	return o, nil
}

// check verifies that the data fits the task, and that the rows of a part are there.
func (d *GraphData) check(task Task, name string, rows []int32) error {
	n := len(d.Many)
	if task.Level == Nodes {
		if d.One == nil {
			return fmt.Errorf("a set of nodes without a graph")
		}
		n = d.One.N
	}
	for i, r := range rows {
		if r < 0 || int(r) >= n {
			return fmt.Errorf("%s part: sample %d is number %d of %d %v", name, i, r, n, task.Level)
		}
	}
	return nil
}

// checkGraphs verifies the parts of a set that are nodes or graphs.
func (s Set) checkGraphs() error {
	if (s.Graphs != nil) != (s.Task.Level != Rows) {
		return fmt.Errorf("the samples of the task are %v: want graphs for nodes and graphs alone", s.Task.Level)
	}
	if s.Graphs == nil {
		return nil
	}
	for i, p := range []Part{s.Train, s.Valid, s.Test} {
		if err := s.Graphs.check(s.Task, partNames[i], p.Rows); err != nil {
			return err
		}
	}
	return nil
}

// sample returns the operands of the first n samples of the training part, nil for rows of a table.
func (s Set) sample(n int, d kernels.DType) (*operands, error) {
	if s.Graphs == nil {
		return nil, nil
	}
	return s.Graphs.operandsOf(s.Task, d, s.Train.Rows[:min(n, len(s.Train.Rows))])
}

// prototype returns operands of a tiny graph that stands for any of a task, nil for rows of a table.
func (t Task) prototype(d kernels.DType) (*operands, error) {
	if t.Level == Rows {
		return nil, nil
	}
	const nodes = 3
	g := &graph.Graph{N: nodes, Source: []int32{0, 1, 2, 0}, Target: []int32{1, 2, 0, 0}}
	g.Features = graph.Matrix{Rows: nodes, Cols: t.Inputs, Data: make([]float32, nodes*t.Inputs)}
	if t.Sparse {
		g.Features = graph.Matrix{Rows: nodes, Cols: t.Inputs, Ptr: make([]int32, nodes+1)}
	}
	if t.Weighted {
		g.Weight = make([]float32, g.Edges())
	}
	if t.EdgeInputs > 0 {
		g.EdgeAttr = graph.Matrix{Rows: g.Edges(), Cols: t.EdgeInputs, Data: make([]float32, g.Edges()*t.EdgeInputs)}
	}
	d2 := &GraphData{One: g, Many: []*graph.Graph{g, g}}
	return d2.operandsOf(t, d, []int32{0, 1})
}

// list returns all operands in the order of their declaration.
func (o *operands) list() []operand {
	out := []operand{
		{o.matrixNames("edges"), func() ([]kernels.Tensor, error) { return o.edges(o.graph) }},
		{o.matrixNames("looped"), func() ([]kernels.Tensor, error) { return o.edges(o.looped()) }},
	}
	if o.task.Sparse {
		names := append(structureNames("features"), "graph/features/weight")
		out = append(out, operand{names, o.sparse})
	} else {
		out = append(out, operand{[]string{"graph/x"}, o.dense})
	}
	if o.bounds != nil {
		return append(out, operand{structureNames("members"), o.members})
	}
	return append(out, operand{[]string{nameSample}, func() ([]kernels.Tensor, error) {
		return []kernels.Tensor{kernels.FromSlice(o.sample, len(o.sample))}, nil
	}})
}

func structureNames(of string) []string {
	names := []string{"ptr", "col", "tptr", "tcol", "tpos"}
	for i, n := range names {
		names[i] = "graph/" + of + "/" + n
	}
	return names
}

// matrixNames are the inputs of edges.
func (o *operands) matrixNames(of string) []string {
	names := structureNames(of)
	if o.task.Weighted {
		names = append(names, "graph/"+of+"/weight")
	}
	if o.task.EdgeInputs > 0 {
		names = append(names, "graph/"+of+"/attr")
	}
	return names
}

// floats are numbers in the graph's float type.
func (o *operands) floats(v []float32, shape ...int) kernels.Tensor {
	return kernels.Convert(kernels.FromSlice(v, shape...), o.dtype)
}

// edges makes the structure of the edges of a graph, with weights and attributes in the order of the entries.
func (o *operands) edges(g *graph.Graph) ([]kernels.Tensor, error) {
	s, perm, err := sparse.Build(g.N, g.N, g.Source, g.Target)
	if err != nil {
		return nil, err
	}
	out := s.Tensors()
	if o.task.Weighted {
		w := make([]float32, len(perm))
		for k, e := range perm {
			w[k] = g.Weight[e]
		}
		out = append(out, o.floats(w, len(w)))
	}
	if c := o.task.EdgeInputs; c > 0 {
		out = append(out, o.floats(g.EdgeAttr.Take(perm).Dense(), len(perm), c))
	}
	return out, nil
}

// looped is the graph with one loop at each node. New loops have the weight 1; all have as attributes the means of
// those of the other edges into the node, as graph attention wants them.
func (o *operands) looped() *graph.Graph {
	g := o.graph.WithRemainingLoops(1)
	c := o.task.EdgeInputs
	if c == 0 {
		return g
	}
	attr, first := slices.Clone(g.EdgeAttr.Dense()), g.Edges()-g.N
	degree := make([]float32, g.N)
	loops := attr[first*c:]
	clear(loops)
	for e, i := range g.Target[:first] {
		degree[i]++
		for j := range c {
			loops[int(i)*c+j] += attr[e*c+j]
		}
	}
	for k := range loops {
		loops[k] /= max(1, degree[k/c])
	}
	out := *g
	out.EdgeAttr = graph.Matrix{Rows: g.Edges(), Cols: c, Data: attr}
	return &out
}

// dense makes features that are all stored.
func (o *operands) dense() ([]kernels.Tensor, error) {
	return []kernels.Tensor{o.floats(o.graph.Features.Dense(), o.graph.N, o.task.Inputs)}, nil
}

// sparse makes sparse features: their structure and values.
func (o *operands) sparse() ([]kernels.Tensor, error) {
	m := o.graph.Features
	row := make([]int32, len(m.Col))
	for i := range m.Rows {
		for k := m.Ptr[i]; k < m.Ptr[i+1]; k++ {
			row[k] = int32(i)
		}
	}
	s, _, err := sparse.Build(m.Rows, m.Cols, m.Col, row)
	if err != nil {
		return nil, err
	}
	return append(s.Tensors(), o.floats(m.Value, len(m.Value))), nil
}

// members makes the structure of samples and their nodes.
func (o *operands) members() ([]kernels.Tensor, error) {
	s, err := sparse.Segments(o.bounds)
	if err != nil {
		return nil, err
	}
	return s.Tensors(), nil
}

// declare declares all operands as inputs with the sizes of these.
func (o *operands) declare(s *engine.Scope) *GraphInputs {
	nodes := map[string]*Node{}
	for _, p := range o.list() {
		tensors, err := p.make()
		if err != nil {
			s.Fail(err)
		}
		for i, name := range p.names {
			nodes[name] = s.Input(name, tensors[i].Spec)
		}
	}
	matrix := func(of string) (m MatrixInputs) {
		for _, name := range structureNames(of) {
			if n := nodes[name]; n != nil {
				m.Structure = append(m.Structure, n)
			}
		}
		m.Weight, m.Attr = nodes["graph/"+of+"/weight"], nodes["graph/"+of+"/attr"]
		return m
	}
	return &GraphInputs{
		X:       nodes["graph/x"],
		Sparse:  matrix("features"),
		Edges:   matrix("edges"),
		Looped:  matrix("looped"),
		Sample:  nodes[nameSample],
		Members: matrix("members"),
	}
}

// Fed is a value for an input of a program.
type Fed struct {
	Name   string
	Tensor kernels.Tensor
}

// Declare declares in a graph the inputs of a network for the first n samples of the training part, features alone, and
// returns what to feed it with. It is for programs outside of a trainer.
func (s Set) Declare(b *engine.Scope, n int) (Inputs, []Fed, error) {
	if s.Graphs == nil {
		x := s.Train.X.Slice(0, n*s.Task.Inputs)
		x.Shape = []int{n, s.Task.Inputs}
		return Inputs{X: b.Input(inputX, x.Spec)}, []Fed{{inputX, x}}, nil
	}
	o, err := s.sample(n, b.DType())
	if err != nil {
		return Inputs{}, nil, err
	}
	var feeds []Fed
	for _, p := range o.list() {
		tensors, err := p.make()
		if err != nil {
			return Inputs{}, nil, err
		}
		for i, name := range p.names {
			feeds = append(feeds, Fed{name, tensors[i]})
		}
	}
	return Inputs{Graph: o.declare(b)}, feeds, nil
}

// resize gives inputs the sizes of these operands.
func (o *operands) resize() (func(name string, s kernels.Spec) kernels.Spec, int, error) {
	specs, bytes := map[string]kernels.Spec{}, 0
	for _, p := range o.list() {
		tensors, err := p.make()
		if err != nil {
			return nil, 0, err
		}
		for i, name := range p.names {
			specs[name] = tensors[i].Spec
			bytes += tensors[i].Bytes()
		}
	}
	rows := resized(len(o.sample))
	return func(name string, s kernels.Spec) kernels.Spec {
		if found, ok := specs[name]; ok {
			return found
		}
		return rows(name, s)
	}, bytes, nil
}

// graphFeeds feeds the operands that a program reads.
type graphFeeds struct {
	slots map[string]engine.Slot
	base  int        // feeds that are not operands; -1 before the first are fed
	data  *GraphData // whose one graph has been fed
	// version counts the graphs that were fed. All feeds of one program see the same graphs in the same order.
	version uint64
}

// bindGraphs finds the slots of the operands that a program reads.
func bindGraphs(p *engine.Program, task Task) (graphFeeds, error) {
	f := graphFeeds{slots: map[string]engine.Slot{}, base: -1}
	proto, err := task.prototype(p.Graph().DType())
	if err != nil || proto == nil {
		return f, err
	}
	for _, o := range proto.list() {
		for _, name := range o.names {
			slot, err := p.Slot(name)
			if errors.Is(err, engine.ErrUnused) {
				continue
			}
			if err != nil {
				return f, err
			}
			f.slots[name] = slot
		}
	}
	return f, nil
}

// feed puts the operands of some samples behind the feeds that are none. Those of one graph are made once, but for the
// nodes that are samples.
func (f *graphFeeds) feed(list engine.Feeds, data *GraphData, task Task, rows []int32, d kernels.DType) (engine.Feeds,
	error) {
	if data == nil {
		return list, nil
	}
	if task.Level == Nodes {
		if f.data == data {
			f.sample(list, rows)
			return list, nil
		}
		f.data, rows = data, slices.Clone(rows)
		f.version++
	}
	if f.base < 0 {
		f.base = len(list)
	}
	o, err := data.operandsOf(task, d, rows)
	if err != nil {
		return list, err
	}
	list = list[:f.base]
	for _, p := range o.list() {
		if !slices.ContainsFunc(p.names, func(name string) bool { _, ok := f.slots[name]; return ok }) {
			continue
		}
		tensors, err := p.make()
		if err != nil {
			return list, err
		}
		for i, name := range p.names {
			if slot, ok := f.slots[name]; ok {
				feed := engine.Feed{Slot: slot, Tensor: tensors[i], Version: f.version}
				if name == nameSample {
					feed.Version = 0
				}
				list = append(list, feed)
			}
		}
	}
	return list, nil
}

// sample feeds the nodes that are samples.
func (f *graphFeeds) sample(list engine.Feeds, rows []int32) {
	slot, ok := f.slots[nameSample]
	for i := range list {
		if !ok || list[i].Slot != slot {
			continue
		}
		if list[i].Tensor.Size() != len(rows) {
			list[i].Tensor = kernels.FromSlice(slices.Clone(rows), len(rows))
		}
		copy(list[i].Tensor.I32, rows)
	}
}

// bytes is the memory of the data.
func (d *GraphData) bytes() int {
	if d == nil {
		return 0
	}
	n := 0
	for _, g := range append(slices.Clone(d.Many), d.One) {
		if g == nil {
			continue
		}
		n += 4 * (2*g.Edges() + len(g.Weight) + len(g.EdgeType) + len(g.NodeType) + g.Features.Entries() +
			len(g.Features.Col) + g.EdgeAttr.Entries() + len(g.Labels.Class) + len(g.Labels.Value))
	}
	return n
}

// resize tells the sizes that the inputs of a program have with a number of samples of the training part, and the bytes
// of those that hold graphs.
func (t *Trainer) resize(samples int) (func(name string, s kernels.Spec) kernels.Spec, int, error) {
	o, err := t.Set.sample(samples, dtype(t.Options.DType))
	if err != nil || o == nil {
		return resized(samples), 0, err
	}
	return o.resize()
}
