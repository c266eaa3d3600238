package data

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ganglion/engine/data/source"
)

// writeFile writes a file into a fresh folder and returns its path.
func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func gzipped(t testing.TB, text string) string {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// mustLoad reads text as a file of that name.
func mustLoad(t testing.TB, name, text string, o Options) *Table {
	t.Helper()
	file, err := source.New(name, []byte(text), o.Limits)
	if err != nil {
		t.Fatal(err)
	}
	table, err := loadFile(context.Background(), file, o)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// mustSet loads a named set.
func mustSet(t testing.TB, name string, o Options) *Table {
	t.Helper()
	table, err := Load(context.Background(), name, o)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// wantError checks that err is an *Error with exactly this text, in which the file's folder is left out.
func wantError(t *testing.T, err error, path, want string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("want an *Error, got %v", err)
		return
	}
	if got := strings.ReplaceAll(err.Error(), filepath.Dir(path)+string(filepath.Separator), ""); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// sameFloats compares with NaN equal to NaN.
func sameFloats(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) })
}

// classTable is a table of n rows with class i mod k, or as given by counts.
func classTable(counts ...int) *Table {
	t := &Table{Name: "test", Source: "test.csv", D: 1, FeatureNames: []string{"a"}, Task: Classify,
		TargetNames: []string{"y"}}
	for c, n := range counts {
		t.Classes = append(t.Classes, string(rune('a'+c)))
		for range n {
			t.Labels = append(t.Labels, int32(c))
		}
	}
	t.N = len(t.Labels)
	t.X = make([]float64, t.N)
	return t
}

// numberTable is a regression table of n rows.
func numberTable(n int) *Table {
	t := &Table{Name: "test", Source: "test.csv", N: n, D: 1, FeatureNames: []string{"a"}, Task: Regress,
		TargetNames: []string{"y"}, X: make([]float64, n), Targets: make([]float64, n)}
	for i := range n {
		t.Targets[i] = float64(i)
	}
	return t
}
