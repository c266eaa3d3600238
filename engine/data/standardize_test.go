package data

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// randomTable draws a regression table with a few missing values.
func randomTable(t *rapid.T, n, d int) *Table {
	table := numberTable(n)
	table.D, table.FeatureNames, table.X = d, numberedNames("f", d, 1), make([]float64, n*d)
	for i := range table.X {
		table.X[i] = rapid.Float64Range(-1e3, 1e3).Draw(t, "x")
		if rapid.IntRange(0, 9).Draw(t, "missing") == 0 {
			table.X[i] = math.NaN()
		}
	}
	return table
}

// Over the training rows every feature that varies has mean 0 and standard deviation 1, missing values aside.
func TestStandardizeMoments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, d := rapid.IntRange(2, 40).Draw(t, "rows"), rapid.IntRange(1, 5).Draw(t, "columns")
		table := randomTable(t, n, d)
		rows := allRows(n)
		s, err := FitStandardizer(table, rows)
		if err != nil {
			t.Fatal(err)
		}
		z := make([]float64, n*d)
		Transform(z, s, table, rows)
		for j := range d {
			var sum, square, count float64
			for i := range n {
				if v := z[i*d+j]; !math.IsNaN(table.X[i*d+j]) {
					sum, square, count = sum+v, square+v*v, count+1
				} else if v != 0 {
					t.Fatalf("a missing value becomes %v", v)
				}
			}
			if s.Scale[j] == 0 {
				if square != 0 {
					t.Fatalf("constant feature %d does not become 0", j)
				}
				continue
			}
			// A spread far below the mean costs digits: the error is relative to mean/scale.
			tol := 1e-12 * (1 + math.Abs(s.Mean[j])/s.Scale[j]) * count
			if math.Abs(sum) > tol || math.Abs(square-count) > tol {
				t.Fatalf("feature %d: sum %v, sum of squares %v of %v values", j, sum, square, count)
			}
		}
	})
}

// Nothing of the rows outside the training part reaches the standardiser or the training rows.
func TestStandardizeLeaksNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, d := rapid.IntRange(6, 40).Draw(t, "rows"), rapid.IntRange(1, 5).Draw(t, "columns")
		table := randomTable(t, n, d)
		split, err := table.Split("60/20/20", 1)
		if err != nil {
			t.Fatal(err)
		}
		before, err := FitStandardizer(table, split.Train)
		if err != nil {
			t.Fatal(err)
		}
		changed := *table
		changed.X, changed.Targets = slices.Clone(table.X), slices.Clone(table.Targets)
		for _, i := range slices.Concat(split.Valid, split.Test) {
			for j := range d {
				changed.X[int(i)*d+j] = 1e9 * float64(j+1)
			}
			changed.Targets[i] = -1e9
		}
		after, err := FitStandardizer(&changed, split.Train)
		if err != nil {
			t.Fatal(err)
		}
		a, b := mustJSON(t, before), mustJSON(t, after)
		if a != b {
			t.Fatalf("changed test rows changed the standardiser:\n%s\n%s", a, b)
		}
	})
}

func mustJSON(t interface{ Fatal(...any) }, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestStandardizeConstantAndMissing(t *testing.T) {
	nan := math.NaN()
	table := &Table{Name: "t", Source: "t.csv", N: 4, D: 4, FeatureNames: []string{"a", "b", "c", "d"}, Task: Classify,
		X: []float64{0.1, 1, nan, nan, 0.1, 3, nan, 5, 0.1, nan, nan, 5, 9, 2, 7, 6}}
	s, err := FitStandardizer(table, []int32{0, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	if want := []float64{0.1, 2, 0, 5}; !slices.Equal(s.Mean, want) {
		t.Errorf("means %v, want %v", s.Mean, want)
	}
	if want := []float64{0, 1, 0, 0}; !slices.Equal(s.Scale, want) {
		t.Errorf("scales %v, want %v", s.Scale, want)
	}
	if want := `constant over the training rows, and so set to 0: "a", "c", "d"`; !slices.Equal(s.Notes,
		[]string{want}) {
		t.Errorf("notes %q", s.Notes)
	}
	z := make([]float32, 16)
	Transform(z, s, table, []int32{3, 2, 1, 0})
	if want := []float32{0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, -1, 0, 0}; !slices.Equal(z, want) {
		t.Errorf("got %v, want %v", z, want)
	}
}

// Targets are standardised and come back, through JSON, in both precisions.
func TestStandardizeTargets(t *testing.T) {
	table := numberTable(5)
	copy(table.Targets, []float64{100, 300, 200, 500, 400})
	table.X[0] = 1
	fitted, err := FitStandardizer(table, []int32{0, 1, 2, 4})
	if err != nil {
		t.Fatal(err)
	}
	var s Standardizer
	if err := json.Unmarshal([]byte(mustJSON(t, fitted)), &s); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(table); err != nil {
		t.Fatal(err)
	}
	if mustJSON(t, &s) != mustJSON(t, fitted) || s.TargetMean[0] != 250 || s.TargetScale[0] != math.Sqrt(12500) {
		t.Errorf("got %+v, want %+v", s, fitted)
	}
	y, y32 := make([]float64, 2), make([]float32, 2)
	TransformTargets(y, &s, table, []int32{3, 0})
	TransformTargets(y32, &s, table, []int32{3, 0})
	if want := 250 / math.Sqrt(12500); y[0] != want || math.Abs(float64(y32[0])-want) > 1e-6 {
		t.Errorf("got %v, %v, want %v", y, y32, want)
	}
	InverseTargets(y, &s)
	InverseTargets(y32, &s)
	if math.Abs(y[0]-500) > 1e-12*500 || math.Abs(float64(y32[1])-100) > 1e-4 {
		t.Errorf("inverse: %v, %v", y, y32)
	}
}

func TestStandardizeErrors(t *testing.T) {
	table := numberTable(3)
	copy(table.Targets, []float64{2, 2, 5})
	_, err := FitStandardizer(table, []int32{0, 1})
	wantError(t, err, "none/none",
		`test.csv: column "y": want a target that varies over the training rows, got 2 in all; `+
			`choose another --target`)
	_, err = FitStandardizer(table, nil)
	wantError(t, err, "none/none", `test.csv: want training rows to take mean and scale from, got none; change --split`)
	copy(table.X, []float64{1e308, 1e308, -1e308})
	_, err = FitStandardizer(table, []int32{0, 1, 2})
	wantError(t, err, "none/none",
		`test.csv: column "a": want a standard deviation within float64, got NaN around +Inf; `+
			`rescale the column`)
	s := &Standardizer{Features: []string{"b"}, Mean: []float64{0}, Scale: []float64{1}}
	want := "data: standardise: want the 1 features of the training table, got 1 in test.csv; " +
		"read the file with the run's encoder"
	if err := s.Check(table); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	s.Scale = nil
	want = "data: standardise: want mean and scale for 1 features and 0 targets, got 1, 0, 0, 0"
	if err := s.Check(table); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
