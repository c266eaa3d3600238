package data

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// partition checks that the parts hold every row once, each ascending.
func partition(t *rapid.T, s *Split, n int) {
	var all []int32
	for _, p := range [][]int32{s.Train, s.Valid, s.Test} {
		if !slices.IsSorted(p) {
			t.Fatalf("a part is not ascending: %v", p)
		}
		all = append(all, p...)
	}
	slices.Sort(all)
	if !slices.Equal(all, allRows(n)) {
		t.Fatalf("the parts do not hold each of %d rows once: %v", n, all)
	}
}

// Each class is divided as the shares say, to less than one row and a half (two roundings), with at least one row in
// every part.
func TestSplitStratified(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOfN(rapid.IntRange(3, 200), 2, 6).Draw(t, "counts")
		seed := rapid.Uint64().Draw(t, "seed")
		table := classTable(counts...)
		s, err := table.Split("60/20/20", seed)
		if err != nil {
			t.Fatal(err)
		}
		partition(t, s, table.N)
		for p, part := range [][]int32{s.Train, s.Valid, s.Test} {
			share := []float64{0.6, 0.2, 0.2}[p]
			for c, group := range table.groups(part) {
				quota := share * float64(counts[c])
				if len(group) < 1 || math.Abs(float64(len(group))-quota) >= max(1, 1-quota+1e-9) {
					t.Fatalf("class %d of %d rows: %d in part %d, want about %.1f", c, counts[c], len(group), p, quota)
				}
			}
		}
	})
}

func TestSplitCounts(t *testing.T) {
	table := classTable(100, 40, 20)
	s, err := table.Split("75/25", 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Test) != 40 || len(s.Valid) != 24 || len(s.Train) != 96 {
		t.Errorf("75/25 of 160: %d, %d, %d", len(s.Train), len(s.Valid), len(s.Test))
	}
	for c, want := range []int{25, 10, 5} {
		if got := len(table.groups(s.Test)[c]); got != want {
			t.Errorf("class %d: %d test rows, want %d", c, got, want)
		}
	}
	if want := "24 of 120 training rows are drawn by the seed for validation"; !slices.Equal(s.Notes, []string{want}) {
		t.Errorf("notes %q", s.Notes)
	}
	number := numberTable(10)
	if s, err = number.Split("", 1); err != nil || len(s.Train) != 6 || len(s.Valid) != 2 || len(s.Test) != 2 ||
		s.Name != "60/20/20" {
		t.Errorf("regression: %+v, %v", s, err)
	}
}

func TestSplitBySeed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(3, 60).Draw(t, "rows")
		seed := rapid.Uint64().Draw(t, "seed")
		table := numberTable(n)
		a, err := table.Split("70/30", seed)
		if err != nil {
			t.Fatal(err)
		}
		partition(t, a, n)
		b, err := table.Split("70/30", seed)
		if err != nil || fmt.Sprint(a) != fmt.Sprint(b) {
			t.Fatalf("one seed gave two splits: %v, %v, %v", a, b, err)
		}
	})
	table := numberTable(100)
	a, errA := table.Split("", 1)
	b, errB := table.Split("", 2)
	if errA != nil || errB != nil || slices.Equal(a.Test, b.Test) {
		t.Errorf("two seeds gave one split: %v, %v", errA, errB)
	}
}

// The splits of a seed are the same in every version.
func TestSplitIsFixed(t *testing.T) {
	s, err := classTable(7, 5).Split("60/20/20", 42)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(s.Train, s.Valid, s.Test)
	if want := "[0 1 5 6 7 8 11] [2 3 9] [4 10]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSplitStored(t *testing.T) {
	table := classTable(6, 6)
	table.Splits = []StoredSplit{
		{"split_75_25", [][]int8{{0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1}, {1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0}}},
		{"split_60_20_20", [][]int8{{0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 2}}},
		{"official", [][]int8{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}},
	}
	for _, c := range []struct {
		spec  string
		valid int
		test  []int32
	}{
		{"split_75_25:0", 2, []int32{4, 5, 10, 11}},
		{"75_25:1", 2, []int32{0, 1, 6, 7}},
		{"60_20_20:0", 2, []int32{5, 11}},
		{"official", 2, []int32{11}},
	} {
		s, err := table.Split(c.spec, 1)
		if err != nil {
			t.Errorf("%s: %v", c.spec, err)
			continue
		}
		if len(s.Valid) != c.valid || !slices.Equal(s.Test, c.test) || len(s.Train)+len(s.Valid)+len(s.Test) != 12 {
			t.Errorf("%s: %+v", c.spec, s)
		}
	}
	s, err := table.Split("60_20_20:0", 1)
	if err != nil || !slices.Equal(s.Valid, []int32{4, 10}) {
		t.Errorf("the stored validation rows are not kept: %+v, %v", s, err)
	}
}

// A class with a single training row keeps it there, and one without any is noted.
func TestSplitCarveRare(t *testing.T) {
	table := classTable(8, 2, 1)
	table.Splits = []StoredSplit{{"s", [][]int8{{0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1}}}}
	s, err := table.Split("s:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(s.Train, 8) {
		t.Errorf("the only training row of its class is not in %v", s.Train)
	}
	for _, want := range []string{`class "b" has one training row and so none for validation`,
		`class "c" has no training row in this split`} {
		if !slices.Contains(s.Notes, want) {
			t.Errorf("notes %q, want %q", s.Notes, want)
		}
	}
}

func TestSplitErrors(t *testing.T) {
	stored := classTable(5, 5)
	stored.Splits = []StoredSplit{{"split_75_25", [][]int8{{0, 0, 0, 0, 1, 0, 0, 0, 0, 1}, make([]int8, 10)}}}
	bare := classTable(5, 5)
	bare.Labels = nil
	for _, c := range []struct {
		table      *Table
		spec, want string
	}{
		{classTable(10, 2), "", `test.csv: want at least 3 rows of each class for a split in 3, got 2 of class "b"; ` +
			`leave the class out, join it with another, or add rows`},
		{numberTable(1), "75/25", `test.csv: want at least 2 rows of each class for a split in 2, got 1 rows in all; ` +
			`leave the class out, join it with another, or add rows`},
		{classTable(5, 5), "official:0", `test.csv: want a split like 60/20/20, 75/25 or NAME:K, got "official:0"; ` +
			`the data set has no stored split`},
		{stored, "official:0", `test.csv: want a split like 60/20/20, 75/25 or NAME:K, got "official:0"; ` +
			`the data set has the stored splits split_75_25`},
		{stored, "split_75_25:2",
			`test.csv: want a number from 0 to 1 behind "split_75_25:", got "split_75_25:2"; change --split`},
		{stored, "split_75_25",
			`test.csv: want a number from 0 to 1 behind "split_75_25:", got "split_75_25"; change --split`},
		{stored, "split_75_25:1", `test.csv: want training and test rows, got 10 and 0; choose another --split`},
		{stored, "80/30", `test.csv: want a split like 60/20/20, 75/25 or NAME:K, got "80/30"; ` +
			`the data set has the stored splits split_75_25`},
		{bare, "", `test.csv: want a target to learn, got a table without one; name it with --target`},
	} {
		_, err := c.table.Split(c.spec, 1)
		wantError(t, err, "none/none", c.want)
	}
}

// Small tables through the whole loader: too few rows of a class are found when splitting, by name.
func TestSplitLoaded(t *testing.T) {
	path := writeFile(t, "t.csv", "x,y\n"+strings.Repeat("1,a\n2,b\n", 5)+"3,c\n")
	table, err := Load(context.Background(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = table.Split("", 1)
	wantError(t, err, path, `t.csv: want at least 3 rows of each class for a split in 3, got 1 of class "c"; `+
		`leave the class out, join it with another, or add rows`)
}

func TestApportion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(2, 3).Draw(t, "parts")
		n := rapid.IntRange(k, 5000).Draw(t, "rows")
		cuts := rapid.SliceOfN(rapid.Float64Range(0.01, 1), k, k).Draw(t, "shares")
		sum := 0.0
		for _, c := range cuts {
			sum += c
		}
		total := 0
		for p := range cuts {
			cuts[p] /= sum
		}
		for p, c := range apportion(n, cuts) {
			if total += c; c < 1 {
				t.Fatalf("part %d of %v of %d rows has none", p, cuts, n)
			}
		}
		if total != n {
			t.Fatalf("%d rows are divided into %d", n, total)
		}
	})
}
