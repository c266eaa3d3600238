package main

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ganglion/models/run"
)

// flowers trains on the table and returns the result.
func flowers(t *testing.T, more ...string) (run.Result, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	var r run.Result
	strict(
		t,
		must(
			t,
			append(
				[]string{
					"train",
					"module/nm",
					"--data",
					file(t, "t.csv", table()),
					"--epochs",
					"20",
					"--set",
					"nodes=20",
					"--set",
					"keep=0.1",
					"--out",
					dir,
					"--quiet",
					"--json",
				},
				more...)...).out,
		&r,
	)
	return r, dir
}

// TestEval: eval finds on the test part exactly what the table at the end of training had.
func TestEval(t *testing.T) {
	for _, more := range [][]string{nil, {"--dtype", "f64", "--threads", "1"}, {"--split", "75/25"},
		{"--task", "regress", "--target", "width"}} {
		r, dir := flowers(t, more...)
		var e run.Evaluation
		strict(t, must(t, "eval", dir, "--json").out, &e)
		if e.Loss != r.Loss.Test || e.Metric.Name != r.Metric.Name || e.Metric.Value != r.Metric.Test ||
			e.Part != "test" {
			t.Errorf("%q: eval finds %+v, training %v and %+v", more, e, r.Loss, r.Metric)
		}
		text := must(t, "eval", dir).out
		if !strings.Contains(text, strconv.FormatFloat(float64(r.Metric.Test), 'f', 6, 64)) {
			t.Errorf("%q: the metric is not in\n%s", more, text)
		}
	}
	_, dir := flowers(t)
	var e run.Evaluation
	strict(t, must(t, "eval", dir, "--json", "--data", file(t, "u.csv", table())).out, &e)
	if e.Rows != 60 || e.Part != "all" {
		t.Errorf("all rows of a file: %+v", e)
	}
	refused(t, []string{"eval", dir, "--data", file(t, "u.csv", "length,colour,width\n1,red,2\n")}, exitData, "kind")
}

// answers runs predict and returns the lines of its answer.
func answers(t *testing.T, dir, input string) ([][]string, string) {
	t.Helper()
	o := must(t, "predict", dir, "--input", input)
	lines, err := csv.NewReader(strings.NewReader(o.out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines, o.log
}

// TestPredict: columns in another order, further columns, no target, a category that training never saw.
func TestPredict(t *testing.T) {
	_, dir := flowers(t)
	want, _ := answers(t, dir, file(t, "a.csv", table()))
	if len(want) != 61 || !slices.Equal(want[0], []string{"row", "kind", "p(rose)", "p(tulip)", "p(lily)"}) &&
		!slices.Equal(want[0], []string{"row", "kind", "p(lily)", "p(rose)", "p(tulip)"}) {
		t.Fatalf("%d lines, header %q", len(want), want[0])
	}
	for _, line := range want[1:] {
		sum, top, best := 0.0, 0.0, ""
		for i, cell := range line[2:] {
			p, err := strconv.ParseFloat(cell, 64)
			if err != nil || p < 0 || p > 1 {
				t.Fatalf("probability %q: %v", cell, err)
			}
			if sum += p; p > top {
				top, best = p, want[0][i+2]
			}
		}
		if math.Abs(sum-1) > 1e-6 || best != "p("+line[1]+")" {
			t.Errorf("row %s: %q, probabilities add up to %v", line[0], line, sum)
		}
	}
	var b strings.Builder
	b.WriteString("width,note,length,colour\n")
	for _, row := range strings.Split(strings.TrimSpace(table()), "\n")[1:] {
		c := strings.Split(row, ",")
		b.WriteString(c[2] + ",x," + c[0] + "," + c[1] + "\n")
	}
	got, _ := answers(t, dir, file(t, "b.csv", b.String()))
	for i := range want {
		if !slices.Equal(want[i], got[i]) {
			t.Fatalf("columns in another order: line %d is %q, wanted %q", i, got[i], want[i])
		}
	}
	strange, log := answers(t, dir, file(t, "c.csv", "length,colour,width\n1,green,7\n"))
	if len(strange) != 2 || !strings.Contains(log, "green") {
		t.Errorf("an unknown category: %q, told %q", strange, log)
	}
	refused(t, []string{"predict", dir, "--input", file(t, "d.csv", "length,width\n1,2\n")}, exitData, "colour")
	refused(t, []string{"predict", dir, "--input", "/none/such.csv"}, exitData, "/none/such.csv")
	out := filepath.Join(t.TempDir(), "p.csv")
	var p run.Predictions
	strict(t, must(t, "predict", dir, "--input", file(t, "a.csv", table()), "--output", out, "--json").out, &p)
	text, err := os.ReadFile(out)
	if err != nil || strings.Count(string(text), "\n") != 61 || p.Rows != 60 || p.Output != out {
		t.Errorf("answers in a file: %v, %d lines, %+v", err, strings.Count(string(text), "\n"), p)
	}
}

// TestPredictNumbers: a regression answers in the data's units.
func TestPredictNumbers(t *testing.T) {
	_, dir := flowers(t, "--task", "regress", "--target", "width", "--epochs", "40")
	lines, _ := answers(t, dir, file(t, "a.csv", table()))
	sum := 0.0
	for _, line := range lines[1:] {
		v, err := strconv.ParseFloat(line[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += v / 60
	}
	if len(lines[0]) != 2 || lines[0][1] != "width" || math.Abs(sum-8.17) > 1 {
		t.Errorf("header %q, mean answer %v", lines[0], sum)
	}
}

// TestInspect: what a run holds, with pictures where --out says.
func TestInspect(t *testing.T) {
	r, dir := flowers(t)
	out := filepath.Join(t.TempDir(), "deep", "pictures")
	var i run.Inspection
	strict(t, must(t, "inspect", dir, "--out", out, "--json").out, &i)
	if i.Parameters != r.Parameters || i.Modules == nil || i.Modules.Largest != r.Extra.Modules.Largest ||
		len(i.Tensors) != 5 {
		t.Errorf("inspect %+v, training %+v", i, r)
	}
	if len(i.Pictures) != 5 {
		t.Errorf("pictures %q", i.Pictures)
	}
	for _, p := range i.Pictures {
		if info, err := os.Stat(p); err != nil || info.Size() == 0 || filepath.Dir(p) != out {
			t.Errorf("picture %s: %v", p, err)
		}
	}
	if text := must(t, "inspect", dir, "--out", out).out; !strings.Contains(text, "modules/W") ||
		!strings.Contains(text, "20 nodes") {
		t.Errorf("inspect prints\n%s", text)
	}
}

// TestLists: the other commands print one JSON value.
func TestLists(t *testing.T) {
	var list []run.ModelInfo
	strict(t, must(t, "models", "--json").out, &list)
	if len(list) < 3 {
		t.Errorf("%d models", len(list))
	}
	for _, m := range list {
		var d run.ModelDetail
		strict(t, must(t, "models", m.ID, "--json").out, &d)
		if d.ID != m.ID || len(d.Settings) == 0 || len(d.Training) == 0 || d.Training[0].Default == "" {
			t.Errorf("%s: %+v", m.ID, d)
		}
		must(t, "models", m.ID)
	}
	var sets []json.RawMessage
	strict(t, must(t, "data", "list", "--json").out, &sets)
	graphs := 0
	for _, s := range sets {
		if strings.Contains(string(s), `"kind":`) {
			graphs++
			strict(t, string(s), &run.GraphInfo{})
			continue
		}
		strict(t, string(s), &run.DataInfo{})
	}
	if graphs == 0 || graphs == len(sets) {
		t.Errorf("%d of %d sets are graphs", graphs, len(sets))
	}
	var findings []run.Finding
	strict(t, must(t, "doctor", "--json").out, &findings)
	for _, args := range [][]string{{"data", "show", "gas", "--json"}, {"data", "check", "iris", "--json"}} {
		var any map[string]json.RawMessage
		strict(t, must(t, args...).out, &any)
	}
	for _, args := range [][]string{{}, {"--help"}, {"train", "--help"}, {"data"}, {"data", "list"},
		{"data", "check", "wine"}, {"models"},
		{"doctor"}, {"--version"}} {
		if o := must(t, args...); len(o.out) < 10 {
			t.Errorf("%q prints %q", args, o.out)
		}
	}
}
