package calculus

import (
	"fmt"
	"io"
	"strings"
)

// Text draws the diagram in lines of text: the top row, a line for each block, which joins its vertices, and the bottom
// row. E(0,1|0,2,1) is
//
//	top     ●   ●
//	0       ┼
//	1           ┴───┬
//	2           ┬
//	bottom  ●   ●   ●
func (d Diagram) Text() string {
	var b strings.Builder
	wide := max(d.L, d.K)
	row := func(name string, n int) {
		line := fmt.Sprintf("%-8s", name) + strings.Repeat("●   ", n)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	row("top", d.L)
	for block := range d.sizes() {
		cells := make([]string, wide)
		lo, hi := wide, -1
		for v, l := range d.Labels {
			if int(l) != block {
				continue
			}
			column := v
			if v >= d.L {
				column = v - d.L
			}
			lo, hi = min(lo, column), max(hi, column)
			switch {
			case v < d.L:
				cells[column] = "┴"
			case cells[column] == "┴":
				cells[column] = "┼"
			default:
				cells[column] = "┬"
			}
		}
		fmt.Fprintf(&b, "%-8d", block)
		var line strings.Builder
		for c := range wide {
			join := " "
			if c >= lo && c < hi {
				join = "─"
			}
			cell := cells[c]
			if cell == "" {
				cell = " "
				if c > lo && c < hi {
					cell = "─"
				}
			}
			line.WriteString(cell + strings.Repeat(join, 3))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	row("bottom", d.K)
	return b.String()
}

// The measures of a picture, in pixels.
const (
	step, height, margin, dot = 48, 96, 24, 5
)

// colour is that of a block.
func colour(block int) string {
	palette := [...]string{"#1b6ca8", "#c0392b", "#1e8449", "#8e44ad", "#b9770e", "#117a65", "#7b241c", "#34495e"}
	return palette[block%len(palette)]
}

// SVG writes a picture of the diagram: the vertices of both rows, arcs within a row, lines between them. Free vertices
// of kind H are open.
func (d Diagram) SVG(w io.Writer) error {
	wide := 2*margin + step*max(1, max(d.L, d.K)) - step
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d">`+"\n", wide,
		height+2*margin, wide, height+2*margin)
	fmt.Fprintf(&b, "<title>%s</title>\n", d)
	place := func(v int) (x, y int) {
		if v < d.L {
			return margin + step*v, margin
		}
		return margin + step*(v-d.L), margin + height
	}
	partner := d.partners()
	for v, p := range partner {
		if p <= v {
			continue
		}
		x0, y0 := place(v)
		x1, y1 := place(p)
		bend := height / 3
		if y0 != y1 {
			bend = height / 2
		}
		from, to := y0+bend, y1-bend
		if y0 == y1 && y0 == margin {
			to = y1 + bend
		} else if y0 == y1 {
			from = y0 - bend
		}
		fmt.Fprintf(&b, `<path d="M%d %d C%d %d %d %d %d %d" fill="none" stroke="%s" stroke-width="2"/>`+"\n", x0, y0,
			x0, from, x1, to, x1, y1, colour(int(d.Labels[v])))
	}
	for v, p := range partner {
		x, y := place(v)
		fill := colour(int(d.Labels[v]))
		if d.Kind == H && p == v {
			fill = "white"
		}
		fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="%d" fill="%s" stroke="%s" stroke-width="2"/>`+"\n", x, y, dot, fill,
			colour(int(d.Labels[v])))
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}
