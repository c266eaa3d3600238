package draw

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
)

// Modules draws the condensation: a disc for each module, its area in proportion to its nodes, in one column for
// each level; an arrow for the kept edges from one module to another, the wider the more of them. Many single nodes
// of a level, and in crowded levels many modules of one size, are one pill with their number.
func Modules(w io.Writer, g Graph, f Format) error {
	if err := g.check(); err != nil {
		return err
	}
	if err := g.checkLevels(); err != nil {
		return err
	}
	p, err := newPage(860, 560, f)
	if err != nil {
		return err
	}
	s := g.sorted()
	heading, note := style{14, true, ink()}, style{8.5, false, quiet()}
	p.text(point{margin, 34}, p.fit(g.Title, heading, p.w-2*margin), heading, left)
	p.text(point{margin, 49}, p.fit(g.summary(s)+sizes(s), note, p.w-2*margin), note, left)
	sc := g.condense(s)
	corner, room := point{margin, 84}, point{p.w - 2*margin, p.h - 84 - 56}
	sc.arrange(corner, room.x, room.y)
	p.columns(corner, room, len(sc.columns))
	p.arrows(sc)
	for _, m := range sc.marks {
		p.mark(m)
	}
	if len(sc.marks) == 0 {
		p.text(point{p.w / 2, p.h / 2}, "no nodes", style{10, false, quiet()}, centre)
	}
	p.discLegend(point{margin, p.h - 20}, sc)
	return p.write(w)
}

// sizes lists the sizes of the larger modules.
func sizes(s structure) string {
	var all []int
	for _, m := range s.modules {
		if m.nodes > 1 {
			all = append(all, m.nodes)
		}
	}
	if len(all) < 2 {
		return ""
	}
	slices.SortFunc(all, func(a, b int) int { return b - a })
	text := fmt.Sprint(all[:min(len(all), 12)])
	text = " · sizes " + strings.Trim(text, "[]")
	if len(all) > 12 {
		text += " …"
	}
	return text
}

// columns numbers the levels and parts them by hair lines.
func (p *page) columns(at, room point, n int) {
	if n < 2 {
		return
	}
	label := style{8, false, quiet()}
	step := room.x / float64(n)
	every := int(math.Ceil(16 / step))
	for l := range n {
		x := at.x + step*(float64(l)+0.5)
		if l > 0 && step >= 8 {
			edge := math.Round((x-step/2)*perPoint)/perPoint - 0.25
			p.rect(edge, at.y-8, 0.5, room.y+16, faint())
		}
		if l%every == 0 {
			text := fmt.Sprint(l)
			if l == 0 && step > 50 {
				text = "level 0"
			}
			p.text(point{x, at.y - 14}, text, label, centre)
		}
	}
}

// thickness is the width of an arrow of so many edges.
func (sc scene) thickness(edges int) float64 {
	if sc.most <= 1 {
		return 0.8
	}
	return 0.5 + 3.5*math.Sqrt(float64(edges-1)/float64(sc.most-1))*min(1, math.Sqrt(float64(sc.most))/4)
}

// arrows draws thin ones first, the more faintly the more there are.
func (p *page) arrows(sc scene) {
	order := slices.Clone(sc.arrows)
	slices.SortStableFunc(order, func(a, b arrow) int { return a.edges - b.edges })
	dense := math.Sqrt(min(1, 60/float64(max(len(order), 1))))
	for _, a := range order {
		strength := 0.2 + 0.8*float64(a.edges)/float64(sc.most)
		alpha := uint8(math.Round(40 + 150*strength*dense))
		shade := color.NRGBA{0x3d, 0x46, 0x50, alpha}
		p.arrow(sc.marks[a.from], sc.marks[a.to], sc.bow(a), sc.thickness(a.edges), shade)
	}
}

// bow is how far an arrow over several levels bends up (negative) or down, so that it passes the marks between its
// ends.
func (sc scene) bow(a arrow) float64 {
	from, to := sc.marks[a.from], sc.marks[a.to]
	span := to.level - from.level
	if span < 2 {
		return 0
	}
	bend := min(10+0.18*(to.at.x-from.at.x), 130)
	if (from.level+span)%2 == 0 {
		return bend
	}
	return -bend
}

// arrow is a curve from the right of one mark to the left of another, with a head.
func (p *page) arrow(from, to mark, bow, width float64, c color.Color) {
	a, b := point{from.at.x + from.r + from.half + 1, from.at.y}, point{to.at.x - to.r - to.half - 1, to.at.y}
	head := 3 + 1.6*width
	neck := point{b.x - head, b.y}
	bend := 0.45 * (neck.x - a.x)
	var path vg.Path
	path.Move(p.at(a))
	path.CubeTo(p.at(point{a.x + bend, a.y + bow}), p.at(point{neck.x - bend, neck.y + bow}), p.at(neck))
	p.stroke(path, width, c)
	half := 1.1 + 0.8*width
	p.fill(p.polygon(nil, b, point{neck.x, b.y - half}, point{neck.x, b.y + half}), c)
}

// mark draws a disc or a pill with its numbers.
func (p *page) mark(m mark) {
	p.outline(m)
	number := fmt.Sprint(m.nodes)
	switch {
	case m.modules > 1 && m.nodes == 1:
		number = fmt.Sprintf("×%d", m.modules)
	case m.modules > 1:
		number = fmt.Sprintf("%d ×%d", m.nodes, m.modules)
	case m.nodes == 1:
		return
	}
	room := 2 * (m.r*0.85 + m.half)
	size := min(13, 0.9*m.r, room/max(p.width(number, style{size: 1}), 0.1))
	if size < 4 {
		return
	}
	base := m.at.y + 0.36*size
	if inner := count(m.inner, "edge"); m.modules == 1 && m.r > 14 {
		if p.width(inner, style{size: 6.5})/2 < math.Sqrt(m.r*m.r-13*13)-1.5 {
			p.text(point{m.at.x, m.at.y + 12}, inner, style{6.5, false, quiet()}, centre)
			base -= 3
		}
	}
	p.text(point{m.at.x, base}, number, style{size, m.nodes > 1, ink()}, centre)
}

// outline draws the shape of a mark.
func (p *page) outline(m mark) {
	width := min(1.2, 0.25*m.r)
	if m.nodes == 1 {
		p.pill(m.at, m.r, m.half, color.White, quiet(), min(width, 0.8))
	} else {
		p.pill(m.at, m.r, m.half, tint(), accent(), width)
	}
}

// has tells whether the scene has such a mark.
func (sc scene) has(is func(m mark) bool) bool { return slices.ContainsFunc(sc.marks, is) }

// discLegend explains the marks and arrows in one line.
func (p *page) discLegend(at point, sc scene) {
	note := style{8.5, false, quiet()}
	x, mid := at.x, at.y-3
	say := func(text string) {
		p.text(point{x, at.y}, text, note, left)
		x += p.width(text, note) + 22
	}
	sample := func(r, half float64, one bool, number, meaning string) {
		x += r + half
		m := mark{nodes: 2, modules: 2, at: point{x, mid}, r: r, half: half}
		if one {
			m.nodes = 1
		}
		p.outline(m)
		p.text(point{x, mid + 2.6}, number, style{7.5, !one, ink()}, centre)
		x += r + half + 6
		say(meaning)
	}
	if sc.has(func(m mark) bool { return m.nodes == 1 && m.modules == 1 }) {
		sample(min(max(sc.unit, 2.5), 5), 0, true, "", "single node")
	}
	if sc.has(func(m mark) bool { return m.nodes == 1 && m.modules > 1 }) {
		sample(6.5, 8, true, "×n", "n single nodes")
	}
	if sc.has(func(m mark) bool { return m.nodes > 1 && m.modules == 1 }) {
		sample(7, 0, false, "s", "module of s nodes, its area in proportion")
	}
	if sc.has(func(m mark) bool { return m.nodes > 1 && m.modules > 1 }) {
		sample(6.5, 9, false, "s ×n", "n modules of s nodes")
	}
	if sc.most == 0 {
		return
	}
	for _, n := range slices.Compact([]int{1, sc.most}) {
		a, b := mark{at: point{x, mid}}, mark{at: point{x + 34, mid}}
		p.arrow(a, b, 0, sc.thickness(n), color.NRGBA{0x3d, 0x46, 0x50, 0xc0})
		x += 40
		say(count(n, "kept edge"))
	}
}
