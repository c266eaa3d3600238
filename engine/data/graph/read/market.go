package read

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"ganglion/engine/data/graph"
	"ganglion/engine/data/source"
)

// marketMark begins a Matrix Market file.
const marketMark = "%%MatrixMarket"

// readMarket reads a square sparse matrix in Matrix Market coordinates as a graph: entry (i, j) is an edge from i to j,
// its value the weight, and of a symmetric matrix both directions.
func readMarket(ctx context.Context, f *source.File) (*graph.Graph, error) {
	l, err := openText(f)
	if err != nil {
		return nil, err
	}
	if err := l.need("the head " + marketMark); err != nil {
		return nil, err
	}
	head := strings.Fields(strings.ToLower(string(l.text)))
	if len(head) != 5 || head[1] != "matrix" || head[2] != "coordinate" || head[3] == "complex" ||
		head[4] != "general" && head[4] != "symmetric" {
		return nil, l.bad(marketMark+" matrix coordinate real, integer or pattern, general or symmetric", quote(l.text),
			"write the matrix with scipy.io.mmwrite")
	}
	g := &graph.Graph{Name: baseName(f.Name), Origin: f.Name, SHA256: f.SHA256}
	for {
		if err := l.need("the sizes"); err != nil {
			return nil, err
		}
		if l.text[0] != '%' {
			break
		}
	}
	entries, err := marketSizes(l, g)
	if err != nil {
		return nil, err
	}
	pattern, symmetric := head[3] == "pattern", head[4] == "symmetric"
	for k := range entries {
		if k%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := l.need(fmt.Sprintf("entry %d of %d", k+1, entries)); err != nil {
			return nil, err
		}
		if err := marketEntry(l, g, pattern); err != nil {
			return nil, err
		}
		if e := len(g.Source) - 1; symmetric && g.Source[e] != g.Target[e] {
			g.Source, g.Target = append(g.Source, g.Target[e]), append(g.Target, g.Source[e])
			if !pattern {
				g.Weight = append(g.Weight, g.Weight[e])
			}
		}
	}
	if l.next() {
		return nil, l.bad(fmt.Sprintf("the end behind %d entries", entries), quote(l.text), "mend the line of sizes")
	}
	*g = *g.Coalesce()
	g.Directed = !symmetric && !isSymmetric(g)
	return g, nil
}

func isSymmetric(g *graph.Graph) bool { return symmetric(g.Source, g.Target, g.N) }

// marketSizes reads rows, columns and entries.
func marketSizes(l *lines, g *graph.Graph) (int64, error) {
	f := l.fields(0)
	if len(f) != 3 {
		return 0, l.bad("rows, columns and entries", fmt.Sprintf("%d numbers", len(f)), l.mend())
	}
	n, err := l.integer(f[0], "the number of rows", 0, graph.MaxNodes)
	if err != nil {
		return 0, err
	}
	if !bytes.Equal(f[0], f[1]) {
		return 0, l.bad("as many columns as rows", string(f[1]), "only a square matrix is a graph")
	}
	// An entry takes at least four bytes: "1 1\n".
	entries, err := l.integer(f[2], "the number of entries", 0, min(graph.MaxEdges/2, int64(len(l.rest)/4+1)))
	g.N = int(n)
	return entries, err
}

func marketEntry(l *lines, g *graph.Graph, pattern bool) error {
	f := l.fields(0)
	want := 3
	if pattern {
		want = 2
	}
	if len(f) != want {
		return l.bad(fmt.Sprintf("%d numbers", want), fmt.Sprint(len(f)), l.mend())
	}
	for k, to := range []*[]int32{&g.Source, &g.Target} {
		i, err := l.integer(f[k], "a row or column", 1, int64(g.N))
		if err != nil {
			return err
		}
		*to = append(*to, int32(i-1))
	}
	if pattern {
		return nil
	}
	w, err := l.number(f[2], "a value")
	g.Weight = append(g.Weight, w)
	return err
}
