package data

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ganglion/engine/data/source"
)

func TestLibSVMValues(t *testing.T) {
	table := mustLoad(t, "t.libsvm", "+1 1:0.5 3:-2 # comment\n-1 2:1e3\n\n+1\n", Options{})
	if want := []float64{0.5, 0, -2, 0, 1000, 0, 0, 0, 0}; !slices.Equal(table.X, want) {
		t.Errorf("values %v, want %v", table.X, want)
	}
	if !slices.Equal(table.Classes, []string{"-1", "1"}) || !slices.Equal(table.Labels, []int32{1, 0, 1}) {
		t.Errorf("classes %q, labels %v", table.Classes, table.Labels)
	}
	if want := []string{"feature1", "feature2", "feature3"}; !slices.Equal(table.FeatureNames, want) {
		t.Errorf("features %q", table.FeatureNames)
	}
	zero := mustLoad(t, "t.libsvm", "1 0:5 1:6\n2 1:7\n", Options{})
	if !slices.Equal(zero.X, []float64{5, 6, 0, 7}) || zero.Notes[0] != "features are numbered from 0" {
		t.Errorf("from 0: %v, %q", zero.X, zero.Notes)
	}
}

func TestLibSVMConcentration(t *testing.T) {
	const text = "1;10.5 1:1\n2;20 1:2\n1;20 1:3\n"
	if table := mustLoad(t, "t.dat", text, Options{}); !slices.Equal(table.Labels, []int32{0, 1, 0}) {
		t.Errorf("labels %v", table.Labels)
	}
	table := mustLoad(t, "t.dat", text, Options{Target: "concentration"})
	if table.Task != Regress || !slices.Equal(table.Targets, []float64{10.5, 20, 20}) {
		t.Errorf("task %q, targets %v", table.Task, table.Targets)
	}
}

func TestLibSVMErrors(t *testing.T) {
	good := strings.Repeat("1 1:1\n2 1:2\n", 10)
	for _, c := range []struct {
		name, text string
		o          Options
		want       string
	}{
		{"pair", good + "1 1:1 x\n", Options{},
			`t.dat:21: want index:value with an index up to 16777216, got "x"; mend the line`},
		{"index", good + "1 99999999:1\n", Options{},
			`t.dat:21: want index:value with an index up to 16777216, got "99999999:1"; mend the line`},
		{"value", good + "1 1:abc\n", Options{},
			`t.dat:21: column "feature 1": want a finite number, got "abc"; mend the line`},
		{"infinite", good + "1 1:inf\n", Options{},
			`t.dat:21: column "feature 1": want a finite number, got "inf"; mend the line`},
		{"label", good + "abc 1:1\n", Options{},
			`t.dat:21: column "label": want a finite number, got "abc"; mend the line`},
		{"NaN label", good + "nan 1:1\n", Options{},
			`t.dat:21: column "label": want a finite number, got "nan"; mend the line`},
		{"twice", good + "1 1:1 1:2\n", Options{},
			`t.dat:21: column "feature 1": want each feature once, got it twice; mend the line`},
		{"semicolon", good + "1;5 1:1\n", Options{},
			`t.dat:21: want a semicolon in every label or in none, got "1;5"; mend the line`},
		{"concentration", strings.Repeat("1;1 1:1\n", 20) + "1;x 1:1\n", Options{},
			`t.dat:21: column "concentration": want a finite number, got "x"; mend the line`},
		{"one class", "1 1:1\n1 1:2\n", Options{}, `t.dat: column "label": want at least two classes, got only "1"; ` +
			`choose another --target or add rows of another class`},
		{"target", good, Options{Target: "3"},
			`t.dat: want the target "label" (or "concentration", after a semicolon), got "3"; ` +
				`leave --target out`},
		{"wide", "1 16000000:1\n2 1:1\n", Options{Limits: source.Limits{MaxBytes: 1 << 20}},
			`t.dat: want a table of at most 1048576 bytes, got 2 rows × 16000000 features; ` +
				`leave out rows or columns, or group the values of text columns`},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := writeFile(t, "t.dat", c.text)
			_, err := Load(context.Background(), path, c.o)
			wantError(t, err, path, c.want)
		})
	}
}

// Any sparse table is read back with the same values.
func TestLibSVMRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n, d := rapid.IntRange(2, 20).Draw(rt, "rows"), rapid.IntRange(1, 8).Draw(rt, "columns")
		want := make([]float64, n*d)
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%d", i%2)
			for j := range d {
				if i == 0 || rapid.Bool().Draw(rt, "set") {
					want[i*d+j] = rapid.Float64Range(-1e9, 1e9).Draw(rt, "value")
					fmt.Fprintf(&b, " %d:%s", j+1, strconv.FormatFloat(want[i*d+j], 'g', -1, 64))
				}
			}
			b.WriteString("\n")
		}
		table := mustLoad(t, "t.libsvm", b.String(), Options{})
		if table.N != n || table.D != d || !slices.Equal(table.X, want) {
			rt.Fatalf("got %d x %d %v\nof %q", table.N, table.D, table.X, b.String())
		}
	})
}

// A column of times is not taken for libsvm.
func TestTimesAreNotLibSVM(t *testing.T) {
	for text, want := range map[string]bool{
		"1 1:2 3:4\n": true, "1;5.0 1:2\n": true, "-1\n1 5:1\n": true,
		"date,v\n2016-07-01 00:00:00,5.8\n": false, "a 12:30:00\n": false, "1 2 3\n": false, "1\n2\n": false,
		"1 a:2\n": false, "": false,
	} {
		if got := isLibSVM([]byte(text)); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func FuzzLibSVM(f *testing.F) {
	for _, s := range []string{"1 1:2 2:3\n2 1:1\n", "1;5 1:2\n2;6 3:1\n", "+1 0:1\n-1 5:1e3 #x\n", "1 1:1 1:1\n",
		"0 16777216:1\n1 1:1\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) { checkFuzzed(t, b, "") })
}
