package golden_test

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ganglion/internal/golden"
)

var dir = flag.String("dir", filepath.Join("testdata", "neural_modules"), "folder of golden cases")

// runners holds what runs the cases of each op that meta.json may name.
var runners = map[string]func(t *testing.T, c golden.Case){
	"forward_backward": forwardBackward,
	"train":            train,
	"ridge":            ridge,
	"tprod":            tensorProduct,
	"tlinear":          tensorLinear,
	"tlowrank":         tensorLowRank,
	"tleapfrog":        tensorLeapfrog,
	"tsvd":             tensorSVD,
	"tsolve":           tensorSolve,
	"torder4":          tensorOrder4,
	"tsoftmax":         tensorHeads,
	"tnn":              tensorNetwork,
	"ttrain":           tensorTraining,
	"enum":             enumerated,
	"compose":          composed,
	"orbit":            orbits,
	"layer":            equivariantLayer,
	"net":              equivariantNet,
	"targets":          graphTargets,
}

// TestGolden runs every case of the folder and reports case, array, worst error and tolerance (with -v; failures
// always).
func TestGolden(t *testing.T) {
	cases, err := golden.Read(*dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			if c.String("layer") != "" {
				messages(t, c)
				return
			}
			run, ok := runners[c.String("op")]
			if !ok {
				t.Fatalf("%s: no runner for op %q", c.Name, c.String("op"))
			}
			run(t, c)
		})
	}
}

// expect compares one array. tol is relative to max|want|.
func expect(t *testing.T, c golden.Case, what, array string, got []float64, tol float64) {
	t.Helper()
	want, ok := c.Arrays[array]
	if !ok {
		t.Errorf("%s: no array %q", c.Name, array)
		return
	}
	d := golden.Compare(got, want.Float)
	if !(d.Worst <= tol) {
		t.Errorf("%s %s %s: worst error %v, tolerance %.0e", c.Name, what, array, d, tol)
		return
	}
	t.Logf("%s %s %s: worst error %.2g, tolerance %.0e", c.Name, what, array, d.Worst, tol)
}

func TestCompare(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		got, want []float64
		worst     float64
	}{
		{nil, nil, 0},
		{[]float64{1, 2}, []float64{1, 2}, 0},
		{[]float64{1, 2.5}, []float64{1, 2}, 0.25},
		{[]float64{1}, []float64{0}, inf},
		{[]float64{1}, []float64{1, 2}, inf},
		{[]float64{nan, 1}, []float64{nan, 1}, 0},
		{[]float64{nan, 1}, []float64{2, 1}, inf},
		{[]float64{2, 1}, []float64{nan, 1}, inf},
		{[]float64{inf, 1}, []float64{inf, 1}, 0},
		{[]float64{-inf, 1}, []float64{inf, 1}, inf},
	} {
		if d := golden.Compare(c.got, c.want); d.Worst != c.worst {
			t.Errorf("Compare(%v, %v) = %v, want %v", c.got, c.want, d.Worst, c.worst)
		}
	}
}

// TestReadErrors damages a copy of the shipped folder.
func TestReadErrors(t *testing.T) {
	source := filepath.Join("testdata", "neural_modules")
	meta, err := os.ReadFile(filepath.Join(source, "meta.json"))
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := os.ReadFile(filepath.Join(source, "case_ridge.npz"))
	if err != nil {
		t.Fatal(err)
	}
	head := `{"case_ridge": {"op": "ridge", "arrays": {`
	listed := head + `"R": {"dtype": "float64", "shape": [6, 3]}, "W": {"dtype": "float64", "shape": [6, 3]},
		"X": {"dtype": "float64", "shape": [40, 6]}, "Y": {"dtype": "float64", "shape": [40, 3]},
		"alpha": {"dtype": "float64", "shape": [1]}}}}`
	for _, c := range []struct{ name, meta, npz, want string }{
		{"no cases", `{}`, "", "no cases"},
		{"broken meta", `{`, "", "meta.json"},
		{"missing vectors", string(meta), "", "no such file"},
		{"truncated", head + `}}}`, string(vectors[:len(vectors)/2]), "zip"},
		{"unlisted", head + `}}}`, string(vectors), "is not listed"},
		{"shape", strings.Replace(listed, "[6, 3]", "[6, 4]", 1), string(vectors), "meta.json says"},
		{"type", strings.Replace(listed, "float64", "int64", 1), string(vectors), "meta.json says"},
		{"missing array", strings.Replace(listed, `"alpha"`, `"extra": {"dtype": "int64", "shape": [1]}, "alpha"`, 1),
			string(vectors), "5 arrays, meta.json lists 6"},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "meta.json"), c.meta)
		if c.npz != "" {
			write(t, filepath.Join(dir, "case_ridge.npz"), c.npz)
		}
		if _, err := golden.Read(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.want)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
