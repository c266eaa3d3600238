package read

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"ganglion/engine/data/graph"
	"ganglion/engine/data/source"
	"ganglion/engine/data/source/pickle"
)

// validNodes is the number of validation nodes of the public split, those behind the training nodes.
const validNodes = 500

// planetoid reads the files ind.NAME.* of a Planetoid folder: allx and tx, the features of the first and of the test
// nodes as scipy matrices; ally and ty, their classes as one-hot arrays; y, whose length is the number of training
// nodes; graph, a dictionary from a node to its neighbours; test.index, the numbers of the test nodes. The public
// split has y as training nodes, the next 500 as validation nodes, and test.index as test nodes. As elsewhere, double
// edges and loops are left out.
type planetoid struct {
	*folder
	name           string
	train          int
	allx, tx       graph.Matrix
	ally, ty       []int32
	classes, nodes int
	test           []int32
	g              *graph.Graph
}

func readPlanetoid(ctx context.Context, d *folder, name string) (*graph.Graph, error) {
	p := &planetoid{folder: d, name: name, g: &graph.Graph{Name: name, Origin: d.dir}}
	for _, step := range []func() error{p.readLabels, p.readFeatures, p.readTest, p.readGraph, p.assemble} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := step(); err != nil {
			return nil, err
		}
	}
	p.g.SHA256 = d.sum()
	return p.g, nil
}

// open reads the file ind.NAME.part.
func (p *planetoid) open(part string) (*source.File, error) {
	return p.file("ind." + p.name + "." + part)
}

// load reads a pickle and makes sense of it; what describes it for the error.
func load[T any](p *planetoid, part, what string, as func(any) (T, error)) (T, error) {
	var out T
	f, err := p.open(part)
	if err != nil {
		return out, err
	}
	v, err := pickle.Parse(f.Data, pickle.Numeric())
	var syntax *pickle.SyntaxError
	if errors.As(err, &syntax) {
		return out, &graph.Error{File: f.Name, Byte: syntax.Byte, Want: "a pickle of " + what, Got: syntax.Text,
			Remedy: "fetch the original file again; a pickle that asks for more is not read"}
	}
	if err == nil {
		out, err = as(v)
	}
	if err != nil {
		return out, &graph.Error{File: f.Name, Want: what, Got: err.Error(), Remedy: "fetch the original file again"}
	}
	return out, nil
}

func (p *planetoid) readLabels() error {
	var err error
	for _, part := range []struct {
		name string
		to   *[]int32
	}{{"ally", &p.ally}, {"ty", &p.ty}, {"y", nil}} {
		class, cerr := load(p, part.name, "an array of one-hot classes", p.oneHot)
		if err = cerr; err != nil {
			return err
		}
		if part.to == nil {
			p.train = len(class)
			continue
		}
		*part.to = class
	}
	if p.train > len(p.ally) {
		return p.contradiction("y", fmt.Sprintf("at most the %d rows of ally", len(p.ally)), fmt.Sprint(p.train))
	}
	return nil
}

// oneHot reads classes; a row without a 1 has none.
func (p *planetoid) oneHot(v any) ([]int32, error) {
	a, shape, err := pickle.Array(v)
	if err != nil {
		return nil, err
	}
	if len(shape) != 2 || shape[1] == 0 || p.classes != 0 && shape[1] != p.classes {
		return nil, fmt.Errorf("an array of shape %v, want [rows, classes]", shape)
	}
	p.classes = shape[1]
	class := make([]int32, shape[0])
	for i := range class {
		row := a[i*p.classes : (i+1)*p.classes]
		class[i] = int32(slices.Index(row, 1))
		for c, x := range row {
			if x != 0 && int32(c) != class[i] {
				return nil, fmt.Errorf("row %d with more than one class", i)
			}
		}
	}
	return class, nil
}

func (p *planetoid) readFeatures() error {
	for _, part := range []struct {
		name string
		rows int
		to   *graph.Matrix
	}{{"allx", len(p.ally), &p.allx}, {"tx", len(p.ty), &p.tx}} {
		m, err := load(p, part.name, "a scipy matrix in CSR form", func(v any) (graph.Matrix, error) {
			s, err := pickle.CSR(v)
			if err != nil {
				return graph.Matrix{}, err
			}
			if s.Rows != int64(part.rows) || s.Cols < 0 || s.Cols > graph.MaxNodes {
				return graph.Matrix{}, fmt.Errorf("%d × %d elements for %d rows of labels", s.Rows, s.Cols, part.rows)
			}
			return matrix(int(s.Rows), int(s.Cols), s.Ptr, s.Col, s.Values)
		})
		if err != nil {
			return err
		}
		*part.to = m
	}
	if p.allx.Cols != p.tx.Cols {
		return p.contradiction("tx", fmt.Sprintf("%d features, as in allx", p.allx.Cols), fmt.Sprint(p.tx.Cols))
	}
	return nil
}

// readTest reads the numbers of the test nodes, one a line, and with them the number of nodes.
func (p *planetoid) readTest() error {
	f, err := p.open("test.index")
	if err != nil {
		return err
	}
	l, err := openText(f)
	if err != nil {
		return err
	}
	first := int64(len(p.ally))
	p.nodes = len(p.ally)
	seen := map[int64]bool{}
	for l.next() {
		i, err := l.integer(l.text, "the number of a test node", first, first+16*int64(len(p.ty))+1024)
		if err != nil {
			return err
		}
		if seen[i] {
			return l.bad("each test node once", fmt.Sprintf("%d again", i), l.mend())
		}
		seen[i] = true
		p.test = append(p.test, int32(i))
		p.nodes = max(p.nodes, int(i)+1)
	}
	if len(p.test) != len(p.ty) {
		return p.contradiction("test.index", fmt.Sprintf("%d lines, as rows of ty", len(p.ty)), fmt.Sprint(len(p.test)))
	}
	return nil
}

func (p *planetoid) readGraph() error {
	_, err := load(p, "graph", "a dictionary from a node to its neighbours", func(v any) (struct{}, error) {
		keys, values, ok := pickle.Pairs(v)
		if !ok {
			return struct{}{}, fmt.Errorf("a pickle of %T", v)
		}
		for k, key := range keys {
			if err := p.addNeighbours(key, values[k]); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	return err
}

func (p *planetoid) addNeighbours(key, value any) error {
	i, ok := key.(int64)
	if !ok || i < 0 || i >= int64(p.nodes) {
		return fmt.Errorf("the node %v: want numbers from 0 to %d", key, p.nodes-1)
	}
	near, err := pickle.Ints(value)
	if err != nil {
		return fmt.Errorf("the neighbours of node %d: %w", i, err)
	}
	if len(p.g.Source)+len(near) > graph.MaxEdges/2 {
		return fmt.Errorf("more than %d edges", graph.MaxEdges/2)
	}
	for _, j := range near {
		if j < 0 || j >= int64(p.nodes) {
			return fmt.Errorf("neighbour %d of node %d: want numbers from 0 to %d", j, i, p.nodes-1)
		}
		p.g.Source, p.g.Target = append(p.g.Source, int32(i)), append(p.g.Target, int32(j))
	}
	return nil
}

// assemble puts the parts in the order of the nodes.
func (p *planetoid) assemble() error {
	g := p.g
	g.N = p.nodes
	entries := g.Edges()
	bare := g.WithoutLoops()
	loops := entries - bare.Edges()
	whole := bare.Undirected()
	if n := whole.Edges(); loops > 0 || n != entries {
		whole.Notes = append(whole.Notes, fmt.Sprintf("%d entries of the file make %d edges, both directions of %d "+
			"pairs: %d loops and double edges are left out", entries, n, n/2, loops))
	}
	*g = *whole
	from := slices.Repeat([]int32{-1}, p.nodes) // row of ty and tx
	for k, i := range p.test {
		from[i] = int32(k)
	}
	g.Features = graph.Matrix{Rows: p.nodes, Cols: p.allx.Cols, Ptr: slices.Clone(p.allx.Ptr),
		Col: slices.Clone(p.allx.Col), Value: slices.Clone(p.allx.Value)}
	g.Labels = graph.Labels{Task: graph.Classify, Class: slices.Clone(p.ally), Classes: numbered(p.classes)}
	part := slices.Repeat([]int8{graph.Unused}, p.nodes)
	f := &g.Features
	missing := 0
	for i := len(p.ally); i < p.nodes; i++ {
		class := int32(-1)
		if k := from[i]; k >= 0 {
			lo, hi := p.tx.Ptr[k], p.tx.Ptr[k+1]
			f.Col, f.Value = append(f.Col, p.tx.Col[lo:hi]...), append(f.Value, p.tx.Value[lo:hi]...)
			class, part[i] = p.ty[k], graph.Test
		} else {
			missing++
		}
		f.Ptr = append(f.Ptr, int32(len(f.Col)))
		g.Labels.Class = append(g.Labels.Class, class)
	}
	if missing > 0 {
		g.Notes = append(g.Notes, fmt.Sprintf("%d nodes are in no file: they have neither features nor label", missing))
	}
	for i := range min(p.train+validNodes, len(p.ally)) {
		if part[i] = graph.Train; i >= p.train {
			part[i] = graph.Valid
		}
	}
	g.Splits = []graph.Split{{Name: "public", Part: [][]int8{part}}}
	return nil
}

// contradiction is an error about files that do not fit.
func (p *planetoid) contradiction(part, want, got string) error {
	return &graph.Error{File: filepath.Join(p.dir, "ind."+p.name+"."+part), Want: want, Got: got,
		Remedy: "fetch all files of the set from one place"}
}
