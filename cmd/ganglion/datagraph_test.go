package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ganglion/engine/data/graph"
)

func TestGraphs(t *testing.T) {
	out := must(t, "data", "show", "cora").out
	for _, want := range []string{"2708", "10556", "1433", "stored split public",
		"140, 500 and 1000 rows", "components"} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
	var s graph.Summary
	strict(t, must(t, "data", "check", "cora", "--json").out, &s)
	if s.Nodes != 2708 || len(s.Splits) != 2 || !strings.Contains(strings.Join(s.Notes, ""), "select on 500") {
		t.Errorf("%+v", s)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"train.txt": "a\tr\tb\n", "valid.txt": "a\tr\tc\n",
		"test.txt": "b\tr\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, []string{"data", "show", dir}, exitData, "test.txt:1: want head, relation and tail, got 2 fields")
	refused(t, []string{"data", "check", "cora", "--split", "geom:10"}, exitData, "a number from 0 to 9")
	if err := os.WriteFile(filepath.Join(dir, "test.txt"), []byte("b\tr\tc\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	strict(t, must(t, "data", "check", dir, "--json").out, &s)
	if s.Kind != "triples" || s.Nodes != 3 || s.EdgeTypes != 1 || s.Splits[0].Test != 1 {
		t.Errorf("%+v", s)
	}
}
