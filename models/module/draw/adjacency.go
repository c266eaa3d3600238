package draw

import (
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot/vg"
)

const (
	margin = 34.0 // white border, points
	shades = 24   // steps of grey in the squares
	widest = 40.0 // largest square, points
)

// Adjacency draws the adjacency matrix, sorted by (level, module, node): the square in row i, column j is the kept
// edge i → j, the darker the larger |weight|. Modules of several nodes are outlined; lines part the levels.
func Adjacency(w io.Writer, g Graph, f Format) error {
	if err := g.check(); err != nil {
		return err
	}
	const side = 532
	p, err := newPage(600, 644, f)
	if err != nil {
		return err
	}
	p.matrix(point{margin, 70}, side, g)
	p.shadeLegend(point{margin, 627})
	return p.write(w)
}

// Adjacencies draws the adjacency matrices of two graphs, such as before and after training, side by side.
func Adjacencies(w io.Writer, before, after Graph, f Format) error {
	for i, g := range []Graph{before, after} {
		if err := g.check(); err != nil {
			return fmt.Errorf("%s: %w", []string{"before", "after"}[i], err)
		}
	}
	const side, gap = 420, 40
	p, err := newPage(2*margin+2*side+gap, 532, f)
	if err != nil {
		return err
	}
	p.matrix(point{margin, 70}, side, before)
	p.matrix(point{margin + side + gap, 70}, side, after)
	p.shadeLegend(point{margin, 515})
	return p.write(w)
}

// grid maps places in the order to the page. Cell borders lie on whole pixels; graphs with more nodes than pixels
// share cells.
type grid struct {
	at    point
	side  float64 // points
	nodes int
	cells int
}

func newGrid(at point, side float64, nodes int) grid {
	cells := min(nodes, int(side*perPoint))
	return grid{at: at, side: min(side, float64(cells)*widest), nodes: nodes, cells: cells}
}

func (d grid) cell(place int) int { return place * d.cells / d.nodes }

// border is the distance of the near border of a cell from the corner of the matrix.
func (d grid) border(cell int) float64 {
	return math.Round(d.side*perPoint*float64(cell)/float64(d.cells)) / perPoint
}

// span is the distance and the length of the cells of the nodes from place first to place last-1.
func (d grid) span(first, last int) (at, length float64) {
	at = d.border(d.cell(first))
	return at, d.border(d.cell(last)) - at
}

// matrix draws one adjacency matrix with its heading above and counts below.
func (p *page) matrix(at point, side float64, g Graph) {
	s := g.sorted()
	heading := style{14, true, ink()}
	p.text(point{at.x, at.y - 35}, p.fit(g.Title, heading, side), heading, left)
	small := style{8.5, false, quiet()}
	p.text(point{at.x, at.y - 20}, p.fit(g.summary(s), small, side), small, left)
	if g.Nodes == 0 {
		p.frame(at.x, at.y, side, side, 0.5, faint())
		p.text(point{at.x + side/2, at.y + side/2}, "no nodes", style{10, false, quiet()}, centre)
		return
	}
	d := newGrid(at, side, g.Nodes)
	for _, m := range s.modules {
		if i, n := d.span(m.first, m.first+m.nodes); m.nodes > 1 {
			p.rect(at.x+i, at.y+i, n, n, tint())
		}
	}
	p.levelLines(d, s)
	for _, m := range s.modules {
		if i, n := d.span(m.first, m.first+m.nodes); m.nodes > 1 && n >= 2 {
			p.frame(at.x+i-0.5, at.y+i-0.5, n+1, n+1, 1, accent())
		}
	}
	p.frame(at.x-0.5, at.y-0.5, d.side+1, d.side+1, 0.5, quiet())
	p.squares(d, s, g.Edges)
}

// levelLines parts the levels by hair lines and numbers them above and to the left where there is room.
func (p *page) levelLines(d grid, s structure) {
	if s.levels < 2 {
		return
	}
	label := style{7, false, quiet()}
	p.text(point{d.at.x - 3.5, d.at.y - 3.5}, "level", label, right)
	var hair vg.Path
	written := math.Inf(-1)
	for i := 0; i < len(s.modules); {
		m, end := s.modules[i], i
		for end < len(s.modules) && s.modules[end].level == m.level {
			end++
		}
		last := s.modules[end-1]
		from, length := d.span(m.first, last.first+last.nodes)
		if m.first > 0 {
			hair = p.box(hair, d.at.x+from-0.25, d.at.y, 0.5, d.side)
			hair = p.box(hair, d.at.x, d.at.y+from-0.25, d.side, 0.5)
		}
		if mid := from + length/2; mid-written >= 13 && mid >= 5 {
			p.text(point{d.at.x + mid, d.at.y - 3.5}, fmt.Sprint(m.level), label, centre)
			p.text(point{d.at.x - 3.5, d.at.y + mid + 2.5}, fmt.Sprint(m.level), label, right)
			written = mid
		}
		i = end
	}
	p.fill(hair, faint())
}

// together is the number of squares in a path: many, for few paths, but not so many that a path takes megabytes.
const together = 2048

// squares fills one square for each kept edge, shade by shade, so that thousands of them are a few paths.
func (p *page) squares(d grid, s structure, edges []Edge) {
	shade := make([]uint8, d.cells*d.cells)
	top := largest(edges)
	for _, e := range edges {
		i := d.cell(s.place[e.From])*d.cells + d.cell(s.place[e.To])
		shade[i] = max(shade[i], shadeOf(e.Weight, top))
	}
	inset := 0.0
	if d.side >= 4*float64(d.cells) {
		inset = 0.5
	}
	var path vg.Path
	for k := 1; k <= shades; k++ {
		n := 0
		for i, s := range shade {
			if int(s) != k {
				continue
			}
			row, col := i/d.cells, i%d.cells
			x, y := d.border(col), d.border(row)
			w, h := d.border(col+1)-x-2*inset, d.border(row+1)-y-2*inset
			path = p.box(path, d.at.x+x+inset, d.at.y+y+inset, w, h)
			if n++; n%together == 0 {
				p.fill(path, grey(k))
				path = path[:0]
			}
		}
		p.fill(path, grey(k))
		path = path[:0]
	}
}

func largest(edges []Edge) float64 {
	top := 0.0
	for _, e := range edges {
		top = max(top, math.Abs(e.Weight))
	}
	return top
}

// shadeOf is 1 … shades for |w| from 0 to top.
func shadeOf(w, top float64) uint8 {
	if top == 0 {
		return shades
	}
	return uint8(1 + math.Round((shades-1)*math.Abs(w)/top))
}

// grey is the colour of a shade: light but visible for 1, black for the last.
func grey(k int) color.Color {
	t := float64(k-1) / (shades - 1)
	return color.Gray{Y: uint8(math.Round(200 * (1 - t)))}
}

// shadeLegend explains the picture in one line.
func (p *page) shadeLegend(at point) {
	note := style{8.5, false, quiet()}
	p.text(at, "row i, column j: edge i → j, ordered by level and module", note, left)
	end := p.w - margin
	p.text(point{end, at.y}, "largest |w|", note, right)
	x := end - math.Ceil(p.width("largest |w|", note)) - 6 - 4*shades
	for k := range shades {
		p.rect(x+4*float64(k), at.y-7.5, 4, 8.5, grey(k+1))
	}
	p.text(point{x - 6, at.y}, "0", note, right)
	box := math.Floor(x - 6 - p.width("0", note) - 70)
	p.rect(box, at.y-7.5, 8.5, 8.5, tint())
	p.frame(box, at.y-7.5, 8.5, 8.5, 1, accent())
	p.text(point{box + 13, at.y}, "module", note, left)
}
