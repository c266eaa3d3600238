package draw

import (
	"cmp"
	"math"
	"slices"
)

const (
	maxRadius  = 46.0 // of the disc of the largest module, points
	maxUnit    = 9.0  // radius of a disc of one node, points, at most
	singlesTo  = 3    // more single nodes of one level than this become one mark
	similarTo  = 3    // more modules of one size in a crowded level than this become one mark
	crowded    = 10   // a level of more marks than this is crowded
	sweeps     = 4    // passes that put marks near their neighbours
	minRadius  = 1.8  // of a disc, points
	markGap    = 7.0  // least distance between marks of a level, points
	maxGap     = 46.0 // largest distance between marks of a level, points
	stagger    = 0.22 // by which columns are moved up and down in turn, in parts of their free space
	pillRadius = 8.5  // of marks that stand for several modules, points
)

// mark is one module, or several modules of one size and level, in the picture.
type mark struct {
	level   int
	nodes   int // nodes of each module
	modules int // number of modules it stands for
	inner   int // kept edges inside of its modules
	at      point
	r       float64 // radius
	half    float64 // length by which a pill is stretched to either side
}

// arrow is all kept edges from one mark to another.
type arrow struct {
	from, to int
	edges    int
}

// scene is a condensation ready to be drawn.
type scene struct {
	marks   []mark
	columns [][]int // marks of each level, from top to bottom
	arrows  []arrow // by (from, to)
	most    int     // largest number of edges of an arrow
	unit    float64 // radius of a disc of one node
}

// condense gathers modules into marks and edges into arrows.
func (g Graph) condense(s structure) scene {
	type kind struct{ level, nodes int }
	number := make(map[kind]int)
	different := make([]int, s.levels) // marks if only single nodes were gathered
	for _, m := range s.modules {
		k := kind{m.level, m.nodes}
		if number[k]++; m.nodes > 1 || number[k] == 1 {
			different[m.level]++
		}
	}
	sc := scene{columns: make([][]int, s.levels)}
	gathered := make(map[kind]int)
	of := make([]int, len(s.modules))
	for i, m := range s.modules {
		k := kind{m.level, m.nodes}
		limit := singlesTo
		if m.nodes > 1 {
			limit = math.MaxInt
			if different[m.level] > crowded {
				limit = similarTo
			}
		}
		at, seen := gathered[k]
		if !seen || number[k] <= limit {
			at = len(sc.marks)
			gathered[k] = at
			sc.marks = append(sc.marks, mark{level: m.level, nodes: m.nodes})
			sc.columns[m.level] = append(sc.columns[m.level], at)
		}
		sc.marks[at].modules++
		sc.marks[at].inner += m.inner
		of[i] = at
	}
	for _, a := range s.links(g) {
		sc.arrows = append(sc.arrows, arrow{of[a.from], of[a.to], a.edges})
	}
	sc.arrows = merge(sc.arrows)
	for _, a := range sc.arrows {
		sc.most = max(sc.most, a.edges)
	}
	return sc
}

// arrange gives every mark its size and place in the rectangle of width w and height h at the given corner.
func (sc *scene) arrange(at point, w, h float64) {
	step := w / float64(max(len(sc.columns), 1))
	sc.resize(step, h)
	sc.order()
	for l, column := range sc.columns {
		free := h
		for _, i := range column {
			free -= 2 * sc.marks[i].r
		}
		gap := min(free/float64(len(column)+1), maxGap)
		above := (free - gap*float64(len(column)-1)) / 2
		y := at.y + above
		if len(sc.columns) > 1 {
			y += stagger * above * float64(1-2*(l%2))
		}
		for _, i := range column {
			m := &sc.marks[i]
			m.at = point{at.x + step*(float64(l)+0.5), y + m.r}
			y += 2*m.r + gap
		}
	}
}

// resize chooses the radii: area in proportion to nodes, and all columns fit.
func (sc *scene) resize(step, h float64) {
	largest := 1
	for _, m := range sc.marks {
		if m.modules == 1 {
			largest = max(largest, m.nodes)
		}
	}
	sc.unit = min(maxUnit, maxRadius/math.Sqrt(float64(largest)), 0.38*step/math.Sqrt(float64(largest)))
	for _, column := range sc.columns {
		discs, fixed := 0.0, 0.0
		for _, i := range column {
			if m := sc.marks[i]; m.modules == 1 {
				discs += 2 * math.Sqrt(float64(m.nodes))
			} else {
				fixed += 2 * pillRadius
			}
		}
		room := (h - fixed) - min(markGap*float64(len(column)), h/3)
		if discs > 0 {
			sc.unit = min(sc.unit, max(room, h/10)/discs)
		}
	}
	for i := range sc.marks {
		m := &sc.marks[i]
		m.r = max(minRadius, sc.unit*math.Sqrt(float64(m.nodes)))
		if m.modules > 1 {
			m.r = min(pillRadius, 0.3*step)
			m.half = max(0, min(10, 0.42*step-m.r))
		}
	}
}

// order puts the marks of each column near the mean place of the marks they are joined to, from both sides in turn.
func (sc *scene) order() {
	place := make([]float64, len(sc.marks)) // 0 … 1 within the column
	spread := func(column []int) {
		for k, i := range column {
			place[i] = (float64(k) + 0.5) / float64(len(column))
		}
	}
	for _, column := range sc.columns {
		spread(column)
	}
	for sweep := range sweeps {
		sum, weight := make([]float64, len(sc.marks)), make([]float64, len(sc.marks))
		for _, a := range sc.arrows {
			from, to := a.from, a.to
			if sweep%2 == 1 {
				from, to = to, from
			}
			sum[to] += float64(a.edges) * place[from]
			weight[to] += float64(a.edges)
		}
		for _, column := range sc.columns {
			for _, i := range column {
				if weight[i] > 0 {
					place[i] = sum[i] / weight[i]
				}
			}
			slices.SortStableFunc(column, func(a, b int) int { return cmp.Compare(place[a], place[b]) })
			spread(column)
		}
	}
}
