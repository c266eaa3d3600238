package draw

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// graphs are the cases of every picture.
func graphs() []Graph {
	one := complete(3, "one giant module", 60)
	loop := Graph{Nodes: 1, Edges: []Edge{{0, 0, -2}}, Module: []int{-7}, Level: []int{0}, Title: "self loop"}
	path := Graph{Nodes: 40, Title: "a path: as many levels as nodes"}
	for v := range path.Nodes {
		path.Module, path.Level = append(path.Module, v), append(path.Level, v)
		if v > 0 {
			path.add(v-1, v, 1)
		}
	}
	return []Graph{
		{Title: "empty"},
		{Nodes: 3, Module: []int{0, 1, 2}, Level: []int{0, 0, 0}, Title: "no edges"},
		loop, one, path, typical(),
		sample(6, "few sizes", 5, 900, append(ones(60), repeat(40, 2, repeat(40, 3, []int{40, 20, 5, 5, 5}))...)...),
		sample(2, "300 nodes", 14, 2000, append(ones(160), 40, 30, 20, 10, 10, 10, 5, 5, 5, 5)...),
	}
}

func repeat(n, v int, tail []int) []int {
	for range n {
		tail = append(tail, v)
	}
	return tail
}

// pictures are all ways to draw one graph.
var pictures = []struct {
	name string
	w, h int // pixels
	draw func(w io.Writer, g Graph, f Format) error
}{
	{"adjacency", 1200, 1288, Adjacency},
	{"adjacencies", 1896, 1064, func(w io.Writer, g Graph, f Format) error { return Adjacencies(w, g, g, f) }},
	{"modules", 1720, 1120, Modules},
}

func TestPictures(t *testing.T) {
	for _, g := range graphs() {
		for _, p := range pictures {
			t.Run(p.name+"/"+g.Title, func(t *testing.T) {
				raster, vector := twice(t, p.draw, g, PNG), twice(t, p.draw, g, SVG)
				img, err := png.Decode(bytes.NewReader(raster))
				if err != nil {
					t.Fatal(err)
				}
				if b := img.Bounds(); b.Dx() != p.w || b.Dy() != p.h {
					t.Errorf("the picture has %d × %d pixels, want %d × %d", b.Dx(), b.Dy(), p.w, p.h)
				}
				if r, gr, b, _ := img.At(1, 1).RGBA(); r+gr+b != 3*0xffff {
					t.Errorf("the corner is not white")
				}
				if text := wellFormed(t, vector); !strings.Contains(text, g.Title) {
					t.Errorf("the title %q is not in the picture", g.Title)
				}
			})
		}
	}
}

// twice draws two times and wants the same bytes, without anything that is not a number.
func twice(t *testing.T, draw func(io.Writer, Graph, Format) error, g Graph, f Format) []byte {
	t.Helper()
	var a, b bytes.Buffer
	if err := errors.Join(draw(&a, g, f), draw(&b, g, f)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Errorf("%s: two drawings of one graph differ", f)
	}
	if f == SVG && (bytes.Contains(a.Bytes(), []byte("NaN")) || bytes.Contains(a.Bytes(), []byte("Inf"))) {
		t.Errorf("%s: a coordinate is not a finite number", f)
	}
	return a.Bytes()
}

// wellFormed parses XML and returns its text.
func wellFormed(t *testing.T, data []byte) string {
	t.Helper()
	var text strings.Builder
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return text.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := token.(xml.CharData); ok {
			text.Write(s)
		}
	}
}

// TestSquares checks the very pixels: 4 nodes, one module of two, edges of three strengths.
func TestSquares(t *testing.T) {
	g := Graph{Nodes: 4, Module: []int{5, 3, 3, 9}, Level: []int{0, 1, 1, 2}}
	g.Edges = []Edge{{0, 1, 0.5}, {1, 2, -1}, {2, 1, 0.25}, {0, 3, 1}}
	var b bytes.Buffer
	if err := Adjacency(&b, g, PNG); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	level := func(row, col int) int { // grey value in the middle of a square
		side := widest * perPoint
		x, y := margin*perPoint+side*(float64(col)+0.5), 70*perPoint+side*(float64(row)+0.5)
		r, _, _, _ := img.At(int(x), int(y)).RGBA()
		return int(r >> 8)
	}
	want := [4][4]int{{255, 100, 255, 0}, {255, 230, 0, 255}, {255, 150, 230, 255}, {255, 255, 255, 255}}
	for i, row := range want {
		for j, v := range row {
			if got := level(i, j); math.Abs(float64(got-v)) > 5 {
				t.Errorf("row %d, column %d has grey %d, want %d", i, j, got, v)
			}
		}
	}
}

func TestDark(t *testing.T) {
	for w, want := range map[float64]uint8{0: 1, 0.5: 13, -1: shades, 1: shades} {
		if got := shadeOf(w, 1); got != want {
			t.Errorf("weight %v of 1 has shade %d, want %d", w, got, want)
		}
	}
	if got := shadeOf(0, 0); got != shades {
		t.Errorf("weights that are all zero have shade %d, want %d", got, shades)
	}
}

// TestScene checks what becomes one mark, and that marks of a level do not overlap and stay on the page.
func TestScene(t *testing.T) {
	for _, g := range graphs() {
		s := g.sorted()
		sc := g.condense(s)
		sc.arrange(point{margin, 84}, 792, 420)
		nodes, edges := 0, 0
		for _, m := range sc.marks {
			nodes, edges = nodes+m.nodes*m.modules, edges+m.inner
			if m.at.y-m.r < 83.9 || m.at.y+m.r > 504.1 || m.at.x-m.r-m.half < margin || m.at.x+m.r+m.half > margin+792 {
				t.Errorf("%s: a mark of %d nodes at %v with radius %v is off the page", g.Title, m.nodes, m.at, m.r)
			}
		}
		for _, a := range sc.arrows {
			edges += a.edges
			if sc.marks[a.from].level >= sc.marks[a.to].level {
				t.Errorf("%s: an arrow from level %d to %d", g.Title, sc.marks[a.from].level, sc.marks[a.to].level)
			}
		}
		if nodes != g.Nodes || edges != len(g.Edges) {
			t.Errorf("%s: the picture has %d nodes, %d edges, want %d, %d",
				g.Title, nodes, edges, g.Nodes, len(g.Edges))
		}
		for l, column := range sc.columns {
			for k := 1; k < len(column); k++ {
				if a, b := sc.marks[column[k-1]], sc.marks[column[k]]; b.at.y-b.r < a.at.y+a.r {
					t.Errorf("%s: marks %d and %d of level %d overlap", g.Title, k-1, k, l)
				}
			}
		}
	}
}

func TestPill(t *testing.T) {
	g := Graph{Nodes: 37 + 3, Title: "one level"}
	for v := range g.Nodes {
		g.Module, g.Level = append(g.Module, min(v, 37)), append(g.Level, 0)
	}
	var b bytes.Buffer
	if err := Modules(&b, g, SVG); err != nil {
		t.Fatal(err)
	}
	if text := wellFormed(t, b.Bytes()); !strings.Contains(text, "×37") || !strings.Contains(text, "n single nodes") {
		t.Errorf("37 single nodes of a level are not one pill: %q", text)
	}
}

func TestRefused(t *testing.T) {
	ok := func() Graph {
		return Graph{Nodes: 2, Module: []int{0, 1}, Level: []int{0, 1}, Edges: []Edge{{0, 1, 1}}}
	}
	for want, spoil := range map[string]func(g *Graph){
		"cannot have -1 nodes":             func(g *Graph) { g.Nodes = -1 },
		"need as many modules and levels":  func(g *Graph) { g.Level = g.Level[:1] },
		"edge 0: 0 → 2 is outside of 2":    func(g *Graph) { g.Edges[0].To = 2 },
		"edge 0: -1 → 1 is outside":        func(g *Graph) { g.Edges[0].From = -1 },
		"has weight NaN":                   func(g *Graph) { g.Edges[0].Weight = math.NaN() },
		"has weight +Inf":                  func(g *Graph) { g.Edges[0].Weight = math.Inf(1) },
		"node 1 has level 2, want 0 to 1":  func(g *Graph) { g.Level[1] = 2 },
		"node 0 has level -1":              func(g *Graph) { g.Level[0] = -1 },
		"module 0 has nodes on levels":     func(g *Graph) { g.Module[1] = 0 },
		"leads from level 1 to level 1":    func(g *Graph) { g.Level[0] = 1 },
		"unknown picture format \"tiff\":": nil,
	} {
		g, f := ok(), PNG
		if spoil == nil {
			f = "tiff"
		} else {
			spoil(&g)
		}
		if err := Modules(io.Discard, g, f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	err := Adjacencies(io.Discard, ok(), Graph{Nodes: -1}, SVG)
	if err == nil || !strings.HasPrefix(err.Error(), "after: ") {
		t.Errorf("got %v, want an error about the graph after", err)
	}
	if err := Adjacency(failing{}, ok(), PNG); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v, want the writer's error", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestParseFormat(t *testing.T) {
	for name, want := range map[string]Format{"png": PNG, "SVG": SVG} {
		if f, err := ParseFormat(name); f != want || err != nil {
			t.Errorf("%s: got %v, %v", name, f, err)
		}
	}
	if _, err := ParseFormat("jpeg"); err == nil || !strings.Contains(err.Error(), "want png or svg") {
		t.Errorf("jpeg: got %v", err)
	}
}

// TestText: hostile titles stay inside of the picture's syntax, and long ones are cut.
func TestText(t *testing.T) {
	g := typical()
	g.Title = "<b>&\"'\\\x00\x1b\xff\n" + strings.Repeat("long ", 100)
	for _, p := range pictures {
		text := wellFormed(t, twice(t, p.draw, g, SVG))
		if !strings.Contains(text, `<b>&"'\long`) || !strings.Contains(text, "…") {
			t.Errorf("%s: the title became %q", p.name, text[:80])
		}
	}
	p, err := newPage(100, 100, PNG)
	if err != nil {
		t.Fatal(err)
	}
	f := p.face(style{10, true, ink()})
	for _, r := range "…×·→0123456789%(),|" {
		if i, err := f.Face.GlyphIndex(nil, r); i == 0 || err != nil {
			t.Errorf("the font cannot write %q: %v", r, err)
		}
	}
	if w := p.width("0000", style{10, false, ink()}); math.Abs(w-4*5.56) > 0.01 {
		t.Errorf("four digits at 10 points are %v points wide, want 22.24", w)
	}
}

func TestDOT(t *testing.T) {
	small := Graph{
		Nodes: 6, Title: `a "small" graph`, Module: []int{4, 4, 2, 3, 9, 4}, Level: []int{1, 1, 0, 0, 2, 1},
		Edges: []Edge{{2, 0, 1}, {2, 1, -1}, {3, 4, 2}, {0, 1, 1}, {1, 5, 1}, {5, 0, 1}, {5, 4, 0.5}},
	}
	for name, g := range map[string]Graph{"small": small, "empty": {}} {
		var b bytes.Buffer
		if err := DOT(&b, g); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name+".dot")
		if *update {
			if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != string(want) {
			t.Errorf("%s differs from the text below; if that is meant, run go test ./models/module/draw -update\n%s",
				file, got)
		}
	}
	small.Level[4] = 1
	if err := DOT(io.Discard, small); err == nil {
		t.Error("an edge within a level was accepted")
	}
	small.Nodes++
	if err := DOT(io.Discard, small); err == nil {
		t.Error("a graph with too few modules was accepted")
	}
}

// TestFast: a graph of thousands of edges is drawn in less than a second; a busy machine is given three.
func TestFast(t *testing.T) {
	g := sample(2, "thousands", 14, 4000, append(ones(160), 40, 30, 20, 10, 10, 10, 5, 5, 5, 5)...)
	for _, p := range pictures {
		start := time.Now()
		if err := p.draw(io.Discard, g, PNG); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d > 3*time.Second {
			t.Errorf("%s of %d edges took %v, want less than a second", p.name, len(g.Edges), d)
		}
	}
}

// TestShared: with more nodes than pixels several share a square, and the darkest shows.
func TestShared(t *testing.T) {
	n := 2500
	g := Graph{Nodes: n, Module: make([]int, n), Level: make([]int, n), Edges: []Edge{{0, n - 1, 1}, {1, n - 2, 0.1}}}
	var b bytes.Buffer
	if err := Adjacency(&b, g, PNG); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	x, y := (margin+532)*perPoint-1, 70*perPoint // the edge 0 → n-1
	if r, _, _, _ := img.At(int(x), y).RGBA(); r>>8 > 200 {
		t.Errorf("the corner pixel has grey %d, want a dark one", r>>8)
	}
}

func BenchmarkModules(b *testing.B) {
	g := sample(2, "300 nodes", 14, 2000, append(ones(160), 40, 30, 20, 10, 10, 10, 5, 5, 5, 5)...)
	for _, f := range []Format{PNG, SVG} {
		b.Run(fmt.Sprint(f), func(b *testing.B) {
			for b.Loop() {
				if err := Modules(io.Discard, g, f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
