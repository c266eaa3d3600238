package graph

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// classes are labels of the given numbers of rows, mixed, and one row without a label.
func classes(counts ...int) Labels {
	l := Labels{Task: Classify, Class: []int32{-1}}
	for c := range counts {
		l.Classes = append(l.Classes, fmt.Sprint(c))
	}
	for left := slices.Clone(counts); slices.Max(left) > 0; {
		for c := range left {
			if left[c] > 0 {
				left[c]--
				l.Class = append(l.Class, int32(c))
			}
		}
	}
	return l
}

// count returns the rows of each part of each class.
func count(l Labels, part []int8) string {
	n := make([][3]int, len(l.Classes))
	for i, p := range part {
		if l.Class[i] >= 0 && p >= 0 {
			n[l.Class[i]][p]++
		}
	}
	return fmt.Sprint(n)
}

func TestChoose(t *testing.T) {
	l := classes(50, 30)
	stored := []Split{{"public", [][]int8{slices.Repeat([]int8{Train, Valid, Test}, 27)}},
		{"two", [][]int8{slices.Repeat([]int8{Train}, 81), slices.Repeat([]int8{Train, Train, Test}, 27)}}}
	for _, c := range []struct {
		spec, want string
		splits     []Split
	}{
		{"", "[[30 10 10] [18 6 6]]", nil},
		{"60/20/20", "[[30 10 10] [18 6 6]]", stored},
		{"75/25", "[[30 8 12] [18 5 7]]", nil},
		{"per-class:10/20", "[[10 13 27] [10 7 13]]", nil},
		{"fold:3", "", nil},
		{"", "", stored}, {"public", "", stored}, {"public:0", "", stored}, {"two:1", "", stored},
	} {
		part, err := Choose(l, c.splits, c.spec, 1)
		if err != nil {
			t.Errorf("%q: %v", c.spec, err)
			continue
		}
		if got := count(l, part); c.want != "" && !strings.HasPrefix(c.spec, "per") && got != c.want {
			t.Errorf("%q: %s, want %s", c.spec, got, c.want)
		}
		if strings.HasPrefix(c.spec, "public") && !slices.Equal(part, stored[0].Part[0]) {
			t.Errorf("%q is not as stored", c.spec)
		}
		if !slices.Contains(part, Valid) || !slices.Contains(part, Train) || !slices.Contains(part, Test) {
			t.Errorf("%q has an empty part", c.spec)
		}
		if c.splits == nil && part[0] != Unused {
			t.Errorf("%q uses a row without a label", c.spec)
		}
		again, _ := Choose(l, c.splits, c.spec, 1)
		other, _ := Choose(l, c.splits, c.spec, 2)
		if !slices.Equal(again, part) || c.splits == nil && slices.Equal(other, part) {
			t.Errorf("%q: the seed does not decide alone", c.spec)
		}
	}
	for _, spec := range []string{"public:1", "two", "two:x", "nothing", "60/20/30", "50/50/0", "fold:10",
		"per-class:60/5",
		"per-class:5/90", "per-class:x"} {
		if _, err := Choose(l, stored, spec, 1); err == nil {
			t.Errorf("%q is accepted", spec)
		}
	}
	if _, err := Choose(Labels{}, nil, "", 1); err == nil {
		t.Error("a graph without labels is divided")
	}
	if _, err := Choose(classes(9, 2), nil, "", 1); err == nil || !strings.Contains(err.Error(), `class "1"`) {
		t.Errorf("two rows for three parts: %v", err)
	}
}

func TestPerClass(t *testing.T) {
	l := classes(60, 40, 30)
	part, err := PerClass(l, 20, 25, 3)
	if err != nil {
		t.Fatal(err)
	}
	var train [3]int
	for i, p := range part {
		if p == Train {
			train[l.Class[i]]++
		}
	}
	s := Split{Part: [][]int8{part}}
	expect(t, "sizes", fmt.Sprint(train, len(s.Rows(0, Valid)), len(s.Rows(0, Test))), "[20 20 20] 25 45")
	if _, err := PerClass(Labels{Task: Regress, Names: []string{"y"}}, 1, 1, 1); err == nil {
		t.Error("numbers have classes")
	}
}

// Every labelled row tests in exactly one fold; each fold has its share of each class, and validation rows.
func TestFolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := classes(rapid.IntRange(20, 80).Draw(t, "a"), rapid.IntRange(0, 60).Draw(t, "b"))
		s, err := Folds(l, 10, rapid.Uint64().Draw(t, "seed"))
		if err != nil {
			t.Fatal(err)
		}
		tests := make([]int, l.Rows())
		for k, part := range s.Part {
			for i, p := range part {
				if p == Test {
					tests[i]++
				}
			}
			perClass := func(c int32, as int8) (n int) {
				for i, p := range part {
					if l.Class[i] == c && p == as {
						n++
					}
				}
				return n
			}
			for c, total := range l.Counts() {
				if n := perClass(int32(c), Test); n < total/10 || n > total/10+1 {
					t.Fatalf("fold %d tests %d of %d rows of class %d", k, n, total, c)
				}
			}
			if !slices.Contains(part, Valid) {
				t.Fatalf("fold %d has no validation rows", k)
			}
		}
		for i, n := range tests {
			if want := min(1, int(l.Class[i])+1); n != want {
				t.Fatalf("row %d of class %d tests in %d folds", i, l.Class[i], n)
			}
		}
	})
	if _, err := Folds(classes(5), 10, 1); err == nil {
		t.Error("five rows make ten folds")
	}
	if _, err := Folds(classes(5), 1, 1); err == nil {
		t.Error("one fold is accepted")
	}
}

// Hidden edges carry no messages, in neither direction; negatives are no edges; nothing is in two lists.
func TestSplitLinks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGraph(t)
		g.N += 20
		if rapid.Bool().Draw(t, "undirected") {
			g = g.Undirected()
		}
		links, err := g.SplitLinks(0.1, 0.3, rapid.Uint64().Draw(t, "seed"))
		if err != nil {
			t.Fatal(err)
		}
		known, listed := g.pairSet(), map[uint64]bool{}
		messages := links.Graph.pairSet()
		total := 0
		for p, list := range []Pairs{links.Train, links.Valid, links.Test} {
			half := len(list.Label) / 2
			for k, label := range list.Label {
				key := g.pair(list.Source[k], list.Target[k])
				if listed[key] || (label == 1) != known[key] || (label == 1) != (k < half) {
					t.Fatalf(
						"part %d: pair %d, label %v, is an edge: %v, is listed before: %v",
						p,
						k,
						label,
						known[key],
						listed[key],
					)
				}
				listed[key] = true
				if label == 1 && messages[key] != (p == 0) {
					t.Fatalf("part %d: pair %d carries messages: %v", p, k, messages[key])
				}
			}
			total += half
		}
		edges, loops := g.pairs()
		if total != len(edges) || len(links.Valid.Label)/2 != len(edges)/10 {
			t.Fatalf("%d of %d pairs, %d for validation", total, len(edges), len(links.Valid.Label)/2)
		}
		if want := g.Edges() - len(loops); len(edges) == 0 && links.Graph.Edges() != len(loops) || want < len(edges) {
			t.Fatalf("%d edges are left", links.Graph.Edges())
		}
	})
	full := &Graph{N: 2, Source: []int32{0, 1}, Target: []int32{1, 0}}
	if _, err := full.SplitLinks(0.1, 0.1, 1); err == nil {
		t.Error("a graph of all pairs has negatives")
	}
	for _, v := range []float64{-1, 1} {
		if _, err := full.SplitLinks(v, 0.1, 1); err == nil {
			t.Errorf("a share of %v is accepted", v)
		}
	}
}
