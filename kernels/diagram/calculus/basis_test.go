package calculus

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestInnerIsTheProductOfEntries(t *testing.T) {
	for _, c := range groups {
		for _, lk := range [][2]int{{0, 0}, {1, 1}, {2, 1}, {2, 2}, {0, 4}, {3, 2}, {0, 3}} {
			ds := mustList(t, c.g, c.n, lk[0], lk[1])
			for _, a := range ds {
				x := mustMatrix(t, a, c.n)
				for _, b := range ds {
					want := 0.0
					for i, v := range mustMatrix(t, b, c.n) {
						want += x[i] * v
					}
					got, err := Inner(a, b, c.n)
					if err != nil || got != want {
						t.Fatalf("n = %d: ⟨%v, %v⟩ = %v (%v), want %v", c.n, a, b, got, err, want)
					}
				}
			}
		}
	}
}

// The dimensions of the spaces of equivariant maps, as the literature has them.
func TestRanks(t *testing.T) {
	for _, c := range []struct {
		g           Group
		n, l, k     int
		count, rank int
	}{
		{S, 2, 2, 2, 8, 8}, {S, 3, 2, 2, 14, 14}, {S, 4, 2, 2, 15, 15}, {S, 3, 3, 2, 41, 41}, {S, 2, 3, 2, 16, 16},
		{O, 1, 2, 2, 3, 1}, {O, 2, 1, 1, 1, 1}, {O, 2, 2, 2, 3, 3}, {O, 2, 3, 3, 15, 10}, {O, 3, 2, 2, 3, 3},
		{O, 3, 2, 1, 0, 0}, {Sp, 2, 1, 1, 1, 1}, {Sp, 2, 2, 2, 3, 2}, {Sp, 2, 3, 3, 15, 5}, {Sp, 4, 2, 2, 3, 3},
		{Sp, 4, 3, 3, 15, 14}, {SO, 2, 1, 1, 2, 2}, {SO, 2, 2, 2, 9, 6}, {SO, 2, 3, 1, 9, 6}, {SO, 3, 0, 3, 1, 1},
		{SO, 3, 1, 2, 1, 1}, {SO, 3, 2, 2, 3, 3}, {SO, 3, 3, 2, 10, 6}, {SO, 4, 2, 2, 4, 4}, {SO, 1, 1, 2, 3, 1},
	} {
		ds := mustList(t, c.g, c.n, c.l, c.k)
		kept, err := Reduce(ds, c.n)
		if err != nil || len(ds) != c.count || len(kept) != c.rank {
			t.Errorf("%s(%d), (%d,%d): %d diagrams of rank %d, want %d of rank %d; %v", c.g, c.n, c.l, c.k, len(ds),
				len(kept), c.count, c.rank, err)
		}
	}
}

// The kept diagrams span all of them: joined by any other, their rank stays.
func TestReduceSpans(t *testing.T) {
	ds := mustList(t, O, 2, 3, 3)
	kept, err := Reduce(ds, 2)
	if err != nil {
		t.Fatal(err)
	}
	var basis []Diagram
	for _, i := range kept {
		basis = append(basis, ds[i])
	}
	for i, d := range ds {
		if slices.Contains(kept, i) {
			continue
		}
		if more, err := Reduce(append(slices.Clone(basis), d), 2); err != nil || len(more) != len(kept) {
			t.Errorf("with %v the rank is %d, not %d; %v", d, len(more), len(kept), err)
		}
	}
}

func TestOrbitBasis(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4} {
		ds := mustList(t, S, 4, 2, 2) // also those with more than n blocks, whose orbit matrices are 0
		for i, pi := range ds {
			x, err := pi.OrbitMatrix(n)
			if err != nil {
				t.Fatal(err)
			}
			unit := make([]float64, len(ds))
			unit[i] = 1
			sum := make([]float64, len(x))
			for j, c := range FromOrbit(ds, unit) {
				for e, v := range mustMatrix(t, ds[j], n) {
					sum[e] += c * v
				}
			}
			if different(sum, x) > 0 {
				t.Fatalf("n = %d: X of %v is not its sum of diagrams", n, pi)
			}
			if back := ToOrbit(ds, FromOrbit(ds, unit)); different(back, unit) > 0 {
				t.Errorf("%v: coefficients come back as %v", pi, back)
			}
			if pi.Blocks() > n && slices.Max(x) > 0 {
				t.Errorf("n = %d: X of %v is not 0", n, pi)
			}
		}
	}
}

// The parts of a diagram multiply to it, and the planar part has no crossings.
func TestFactor(t *testing.T) {
	for _, c := range groups {
		for _, lk := range [][2]int{{2, 2}, {3, 2}, {1, 3}, {0, 3}, {3, 0}, {3, 3}} {
			for _, d := range mustList(t, c.g, c.n, lk[0], lk[1]) {
				f := d.Factor()
				// out[i] is read at f.Top[i]; in[i] goes to f.Bottom[i].
				back := make([]int, len(f.Top))
				for i, p := range f.Top {
					back[p] = i
				}
				top, err := Permutation(d.Kind, back)
				if err != nil {
					t.Fatal(err)
				}
				bottom, err := Permutation(d.Kind, f.Bottom)
				if err != nil {
					t.Fatal(err)
				}
				rows, columns := size(c.n, d.L), size(c.n, d.K)
				left := product(mustMatrix(t, top, c.n), mustMatrix(t, f.Planar, c.n), rows, rows, columns)
				got := product(left, mustMatrix(t, bottom, c.n), rows, columns, columns)
				if different(got, mustMatrix(t, d, c.n)) > 0 {
					t.Fatalf("n = %d: %v is not the product of its factors %+v", c.n, d, f)
				}
				if x := crossings(f.Planar); x > 0 {
					t.Errorf("%v: the planar part %v has %d crossings between the rows", d, f.Planar, x)
				}
			}
		}
	}
}

// crossings counts pairs of cross blocks whose order differs between the rows.
func crossings(d Diagram) int {
	var top, bottom []uint8
	add := func(list []uint8, b uint8, other []uint8) []uint8 {
		if slices.Contains(other, b) && !slices.Contains(list, b) {
			return append(list, b)
		}
		return list
	}
	for _, b := range d.Labels[:d.L] {
		top = add(top, b, d.Labels[d.L:])
	}
	for _, b := range d.Labels[d.L:] {
		bottom = add(bottom, b, d.Labels[:d.L])
	}
	n := 0
	for i := range top {
		if top[i] != bottom[i] {
			n++
		}
	}
	return n
}

func TestPictures(t *testing.T) {
	d, err := New(E, 2, 3, 0, 1, 0, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	const want = "top     ●   ●\n" +
		"0       ┼\n" +
		"1           ┴───┬\n" +
		"2           ┬\n" +
		"bottom  ●   ●   ●\n"
	if got := d.Text(); got != want {
		t.Errorf("drawn as\n%swant\n%s", got, want)
	}
	for _, d := range append(mustList(t, SO, 3, 2, 3), d) {
		var b strings.Builder
		if err := d.SVG(&b); err != nil {
			t.Fatal(err)
		}
		circles, paths := 0, 0
		for x := xml.NewDecoder(strings.NewReader(b.String())); ; {
			token, err := x.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%v: %v", d, err)
			}
			if e, is := token.(xml.StartElement); is && e.Name.Local == "circle" {
				circles++
			} else if is && e.Name.Local == "path" {
				paths++
			}
		}
		if circles != 5 || paths != 5-d.Blocks() {
			t.Errorf("%v: %d circles, %d paths", d, circles, paths)
		}
	}
}

func ExampleReduce() {
	ds, _ := Enumerate(O, 2, 3, 3)
	kept, _ := Reduce(ds, 2)
	fmt.Println(len(ds), "diagrams of rank", len(kept))
	// Output: 15 diagrams of rank 10
}

func ExampleEnumerate() {
	ds, _ := Enumerate(SO, 3, 1, 2) // the cross product
	fmt.Println(ds)
	// Output: [H(0|1,2)]
}
