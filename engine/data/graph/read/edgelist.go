package read

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ganglion/engine/data/graph"
	"ganglion/engine/data/source"
)

// edgeHeads are the names that programs give to the two columns of a list of edges, and headWeight to a third.
func edgeHeads() [][2]string {
	return [][2]string{{"source", "target"}, {"src", "dst"}, {"from", "to"}, {"id_1", "id_2"}, {"id1", "id2"},
		{"node_1", "node_2"}, {"node1", "node2"}, {"u", "v"}, {"start", "end"}, {"fromnodeid", "tonodeid"}}
}

// isEdgeList says whether a text file is a list of edges: by its name (edges in it, or the ending .edgelist), or by a
// header of two columns for the ends of edges.
func isEdgeList(f *source.File) bool {
	l, err := openText(f)
	if err != nil {
		return false
	}
	name := strings.ToLower(filepath.Base(f.Name))
	if strings.Contains(name, "edges") || strings.Contains(name, "edgelist") {
		return true
	}
	if !l.next() {
		return false
	}
	return isEdgeHead(l.fields(separator(l.text)))
}

func isEdgeHead(f [][]byte) bool {
	return len(f) >= 2 && slices.ContainsFunc(edgeHeads(), func(h [2]string) bool {
		return strings.EqualFold(strings.TrimLeft(string(f[0]), "# "), h[0]) && strings.EqualFold(string(f[1]), h[1])
	})
}

// readEdgeList reads an edge a line: two nodes, and perhaps a weight, divided by a tab, a comma, a semicolon or white
// space; lines that begin with # or % are remarks. Nodes are whole numbers from 0; if the list, or the file of
// features, has other names, they are numbered as they occur there.
func readEdgeList(ctx context.Context, f *source.File, o Options) (*graph.Graph, error) {
	g := &graph.Graph{Name: baseName(f.Name), Origin: f.Name, SHA256: f.SHA256}
	e := &edgeList{g: g, names: map[string]int32{}}
	if o.Features != "" {
		file, err := source.Read(o.Features, o.Limits)
		if err != nil {
			return nil, err
		}
		if err := e.nodes(file); err != nil {
			return nil, err
		}
	}
	var err error
	if e.lines, err = openText(f); err != nil {
		return nil, err
	}
	e.sep = separator(e.firstLine())
	if err := e.edges(ctx); err != nil {
		return nil, err
	}
	if o.Directed {
		g.Directed = !isSymmetric(g)
		return g, nil
	}
	weighted := g.Weight != nil
	if weighted && !isSymmetric(g) || !weighted {
		g = bothDirections(g)
	}
	return g, nil
}

// edgeList is a list of edges on its way to a graph.
type edgeList struct {
	*lines
	g     *graph.Graph
	sep   byte
	names map[string]int32 // numbers of nodes that have names
	known bool             // whether a file of features says which nodes there are
	named bool             // whether nodes have names
}

// remark says whether the line at hand is one, and no header.
func (e *edgeList) remark() bool { return e.text[0] == '#' || e.text[0] == '%' }

// firstLine is the first line that is no remark.
func (e *edgeList) firstLine() []byte {
	head := lines{rest: e.rest}
	for head.next() {
		if head.text[0] != '#' && head.text[0] != '%' {
			return head.text
		}
	}
	return nil
}

func (e *edgeList) edges(ctx context.Context) error {
	begun, width, g := false, 0, e.g
	for e.next() {
		if e.line%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if e.remark() {
			continue
		}
		f := e.fields(e.sep)
		if len(f) < 2 || len(f) > 3 {
			return e.bad("two nodes and perhaps a weight", fmt.Sprintf("%d fields", len(f)), e.mend())
		}
		if width == 0 {
			if width = len(f); isEdgeHead(f) {
				continue
			}
		}
		if !begun {
			begun = true
			e.named = e.named || !e.known && !isCount(f[0]) // numbers, unless the first edge has names
		}
		if len(f) != width {
			return e.bad(fmt.Sprintf("%d fields, as in the first line", width), fmt.Sprint(len(f)), e.mend())
		}
		if len(g.Source) >= graph.MaxEdges/2 {
			return e.bad(fmt.Sprintf("at most %d edges", graph.MaxEdges/2), "more", "take a part of the graph")
		}
		for k, to := range []*[]int32{&g.Source, &g.Target} {
			i, err := e.node(f[k])
			if err != nil {
				return err
			}
			*to = append(*to, i)
		}
		if width == 3 {
			w, err := e.number(f[2], "a weight")
			if err != nil {
				return err
			}
			g.Weight = append(g.Weight, w)
		}
	}
	return nil
}

func isCount(b []byte) bool {
	_, err := strconv.ParseUint(string(b), 10, 31)
	return err == nil
}

// node returns the number of a node; without a file of features a new one makes the graph larger.
func (e *edgeList) node(word []byte) (int32, error) {
	if !e.named {
		top := int64(e.g.N - 1)
		if !e.known {
			// A number far above the count of lines is an identifier, not a place in a list.
			top = min(graph.MaxNodes-1, 1<<20+64*int64(len(e.rest)+len(e.text)+len(e.g.Source)))
		}
		i, err := e.integer(word, fmt.Sprintf("edge %d: a node", len(e.g.Target)), 0, top)
		if err == nil && !e.known {
			e.g.N = max(e.g.N, int(i)+1)
		}
		return int32(i), err
	}
	i, ok := e.names[string(word)]
	if ok {
		return i, nil
	}
	if e.known {
		return 0, e.bad(fmt.Sprintf("edge %d: a node of the file of features", len(e.g.Target)), quote(word), e.mend())
	}
	if len(word) == 0 {
		return 0, e.bad("a node", "an empty field", e.mend())
	}
	i = int32(e.g.N)
	e.names[string(word)] = i
	e.g.N++
	return i, nil
}

// nodes reads a file of features: a header of id or node, the features, and perhaps label, class, target or y; then a
// line a node. Without a column for it the line is the node's number.
func (e *edgeList) nodes(f *source.File) error {
	l, err := openText(f)
	if err != nil {
		return err
	}
	sep := separator(l.rest)
	if err := l.need("a header"); err != nil {
		return err
	}
	id, label := -1, -1
	var head []string
	for k, b := range l.fields(sep) {
		name := string(b)
		switch strings.ToLower(name) {
		case "id", "node", "node_id", "nodeid", "name":
			id = k
		case "label", "class", "target", "y":
			label = k
		default:
			e.g.FeatureNames = append(e.g.FeatureNames, name)
		}
		head = append(head, name)
	}
	if _, err := strconv.ParseFloat(head[0], 64); err == nil {
		return l.bad(
			"a header with names of the columns",
			quote(l.text),
			"write one in front, such as id,feature1,label",
		)
	}
	var ids, labels []string
	var x []float32
	for l.next() {
		cols := l.fields(sep)
		if len(cols) != len(head) {
			return l.bad(fmt.Sprintf("%d fields, as in the header", len(head)), fmt.Sprint(len(cols)), l.mend())
		}
		for k, b := range cols {
			switch k {
			case id:
				ids = append(ids, string(b))
			case label:
				labels = append(labels, string(b))
			default:
				v, err := l.number(b, fmt.Sprintf("the feature %q", head[k]))
				if err != nil {
					return err
				}
				x = append(x, v)
			}
		}
		e.g.N++
	}
	return e.place(l, ids, labels, x)
}

// place puts the rows of a file of features in the order of the nodes: of their numbers if these are 0 to N−1, else
// as they stand, with their names.
func (e *edgeList) place(l *lines, ids, labels []string, x []float32) error {
	g := e.g
	e.known = true
	order := make([]int32, g.N)
	numbers := ids == nil || !slices.ContainsFunc(ids, func(s string) bool { return !isCount([]byte(s)) })
	seen := make(map[string]int32, len(ids))
	for i := range order {
		order[i] = int32(i)
	}
	for i, s := range ids {
		if before, twice := seen[s]; twice {
			return &graph.Error{File: l.file, Line: i + 2, Want: "each node once",
				Got: fmt.Sprintf("%.40q again, as in line %d", s, before+2), Remedy: "leave one of the lines out"}
		}
		seen[s] = int32(i)
		if k, err := strconv.Atoi(s); numbers && (err != nil || k >= g.N) {
			numbers = false // numbers with gaps are names
		}
	}
	for i, s := range ids {
		if k, err := strconv.Atoi(s); numbers && err == nil {
			order[k] = int32(i)
		}
	}
	if e.named = !numbers; e.named {
		e.names = seen
		g.Notes = append(g.Notes, "nodes are numbered in the order of the file of features")
	}
	if d := len(g.FeatureNames); d > 0 {
		g.Features = compact(graph.Matrix{Rows: g.N, Cols: d, Data: x}.Take(order))
	}
	if labels != nil {
		sorted := make([]string, g.N)
		for i, row := range order {
			sorted[i] = labels[row]
		}
		g.Labels = textLabels(sorted, "label")
	}
	return nil
}

// edgeFolder tells the files of a folder with a list of edges and a file of the nodes' features.
func (d *folder) edgeFolder() (edges, nodes string) {
	for _, n := range d.names {
		base := strings.ToLower(baseName(n))
		if !strings.HasSuffix(n, ".csv") && !strings.HasSuffix(n, ".tsv") && !strings.HasSuffix(n, ".txt") {
			continue
		}
		switch base {
		case "edges", "edge_list", "edgelist":
			edges = n
		case "nodes", "features", "node_features":
			nodes = n
		}
	}
	return edges, nodes
}

// readEdgeFolder reads edges.csv and, if it is there, nodes.csv or features.csv.
func readEdgeFolder(ctx context.Context, d *folder, edges, nodes string) (*graph.Graph, error) {
	f, err := d.file(edges)
	if err != nil {
		return nil, err
	}
	o := d.o
	if nodes != "" && o.Features == "" {
		file, err := d.file(nodes)
		if err != nil {
			return nil, err
		}
		o.Features = file.Name
	}
	g, err := readEdgeList(ctx, f, o)
	if err != nil {
		return nil, err
	}
	g.Name, g.SHA256 = filepath.Base(d.dir), d.sum()
	return g, nil
}
