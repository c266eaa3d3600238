package run

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ganglion/engine/data/graph"
	"ganglion/engine/train/log"
)

// graphConfig is a short training of a network about graphs.
func graphConfig(t *testing.T, model, source string, sets ...string) Config {
	t.Helper()
	c, err := Default(model)
	if err != nil {
		t.Fatal(err)
	}
	c.Data.Source, c.Train.Epochs, c.Train.Threads = source, 8, 2
	for _, s := range sets {
		if err := c.Set(s); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// fitGraph trains in a new run directory.
func fitGraph(t *testing.T, c Config) *Result {
	t.Helper()
	s, err := Prepare(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r, err := s.Train(t.Context(), TrainOptions{Dir: filepath.Join(t.TempDir(), "run"), Log: log.Quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A network about the nodes of a graph is trained, judged and asked as others are; what a run directory holds gives the
// scores of the training.
func TestNodes(t *testing.T) {
	for model, least := range map[string]Number{"gnn/gcn": 0.2, "gnn/gin": 0} { // gin's moments need more steps
		r := fitGraph(t, graphConfig(t, model, "cora"))
		if r.Data != "cora" || r.Epochs != 8 || r.Steps != 8 || r.Metric.Name != "accuracy" || r.Metric.Test < least {
			t.Errorf("%s: %+v", model, r)
		}
		run, err := Open(r.Run, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		e, err := run.Eval(t.Context(), "")
		if err != nil || e.Rows != 1000 || e.Part != "test" || e.Metric.Value != r.Metric.Test ||
			e.Loss != r.Loss.Test {
			t.Errorf("%s: %+v, %v, after %+v", model, e, err, r.Metric)
		}
		if e, err = run.Eval(t.Context(), "cora"); err != nil || e.Rows != 2708 || e.Part != "all" {
			t.Errorf("%s: %+v, %v", model, e, err)
		}
		p, err := run.Predict(t.Context(), "cora")
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := p.WriteCSV(&text); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(text.String(), "\n"); n != 2709 || !strings.HasPrefix(text.String(), "row,class,p(") {
			t.Errorf("%s: %d lines, %.40q", model, n, text.String())
		}
		run.Close()
	}
}

// ringsAndStars writes a folder of graphs with a class each: rings and stars.
func ringsAndStars(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "SHAPES")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var edges, member, labels strings.Builder
	node := 0
	write := func(b *strings.Builder, parts ...int) {
		for i, v := range parts {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(text(v))
		}
		b.WriteString("\n")
	}
	for g := range 60 {
		n := 4 + g%5
		for i := range n {
			j := (i + 1) % n
			if g%2 == 1 {
				j = 0
			}
			if i != j {
				write(&edges, node+i+1, node+j+1)
				write(&edges, node+j+1, node+i+1)
			}
			write(&member, g+1)
		}
		write(&labels, g%2)
		node += n
	}
	for name, b := range map[string]*strings.Builder{"A": &edges, "graph_indicator": &member, "graph_labels": &labels} {
		if err := os.WriteFile(filepath.Join(dir, "SHAPES_"+name+".txt"), []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A network about graphs learns to tell rings from stars, whose nodes have no features, and the same run from its
// beginning gives the same numbers.
func TestGraphs(t *testing.T) {
	c := graphConfig(t, "gnn/gin", ringsAndStars(t), "layers=2", "hidden=8", "train.epochs=40", "train.batch=8",
		"train.lr=0.01")
	a, b := fitGraph(t, c), fitGraph(t, c)
	if a.Metric.Test < 0.9 || a.Metric != b.Metric || a.Loss != b.Loss || a.Steps != 40*5 {
		t.Errorf("%+v, and again %+v", a, b)
	}
	run, err := Open(a.Run, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	e, err := run.Eval(t.Context(), "")
	if err != nil || e.Metric.Value != a.Metric.Test || e.Loss != a.Loss.Test {
		t.Errorf("%+v, %v, after %+v", e, err, a)
	}
	if _, err := run.Predict(t.Context(), "cora"); err == nil || !strings.Contains(err.Error(), "nodes") {
		t.Errorf("graphs and nodes are not told apart: %v", err)
	}
}

// What does not go together is refused in words.
func TestGraphErrors(t *testing.T) {
	for _, c := range []struct {
		model, source, set, want string
		usage                    bool
	}{
		{"module/nm", "cora", "", "is a graph", true},
		{"gnn/gcn", "gas", "", "is a table", true},
		{"gnn/gcn", "cora", "data.task=regress", "the labels of cora are for", true},
		{"gnn/gcn", "cora", "data.target=x", "has classes", true},
		{"gnn/gcn", "cora", "data.split=other:1", "split", true},
		{"gnn/gcn", "cora", "data.features=odd", "data.features", true},
		{"gnn/gcn", "cora", "hidden=0", "hidden", true},
		{"gnn/gcn", "cora", "dropout=1", "dropout", true},
		{"gnn/gat", "cora", "version=3", "version", true},
		{"gnn/sage", "cora", "aggregate=median", "aggregate", true},
		{"gnn/appnp", "cora", "alpha=2", "alpha", true},
		{"gnn/gcn", "no-such-file", "", "no-such-file", false},
	} {
		cfg := graphConfig(t, c.model, c.source)
		if c.set != "" {
			if err := cfg.Set(c.set); err != nil {
				t.Fatal(err)
			}
		}
		s, err := Prepare(t.Context(), cfg)
		if err == nil {
			s.Close()
			t.Errorf("%+v was taken", c)
			continue
		}
		var u *UsageError
		var d *graph.Error
		if !strings.Contains(err.Error(), c.want) || errors.As(err, &u) != c.usage || !c.usage && !errors.As(err, &d) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
