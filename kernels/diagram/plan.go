package diagram

import (
	"fmt"
	"slices"

	"ganglion/kernels/diagram/calculus"
)

// side is what is made of the axes of the input, or, backwards, of the output: arrays summed along diagonals, and the
// patterns that are read from them.
type side struct {
	order    int
	n        int
	nodes    []node
	patterns [][]pattern // by the number d of shared blocks
	index    map[string]int
	size     int // elements of all nodes but the root, for one channel
	steps    []step
}

// node is the tensor summed over all axes but some: along one diagonal for each block of the others.
type node struct {
	axes   []int // that are left, ascending
	parent int   // the node that was summed, -1 for the root
	run    sum   // how
	start  int   // in the elements of a side, of one channel
	size   int   // n^axes
}

// sum is a sum along a diagonal: out[i] = Σ_j in[outer(i) + j·step], or, for pairs of Sp(n), with the signs of the
// form. The last axes of the output that are contiguous in the input are one run.
type sum struct {
	strides []int // of the axes of the output, in the input
	extents []int // of these axes; the last one may be several axes together
	step    int
	forms   [2]int // strides of both axes of a pair with the form; 0 for others
}

// pattern is a diagonal of a node: element (i_1, …, i_d) is at Σ i_a·strides[a].
type pattern struct {
	node    int
	strides []int
}

// column is a pattern of the input whose axes are permuted: of d! orders those that a diagram has.
type column struct {
	pattern int
	strides []int
}

// term says where the weights of a diagram stand in the product for d shared blocks.
type term struct {
	diagram, row, column int
	scale                float64
}

// level is the product for one number of shared blocks.
type level struct {
	d       int
	columns []column
	rows    []pattern // of the output
	terms   []term
}

// plan is how a map is computed.
type plan struct {
	family  Family
	count   int
	in, out *side
	levels  []level
	free    []entry // of the diagrams with free vertices
}

// newPlan plans the map of a family that has passed check.
func newPlan(f Family, s Scaling) *plan {
	p := &plan{family: f, in: newSide(f.K, f.N), out: newSide(f.L, f.N)}
	p.levels = make([]level, min(f.K, f.L)+1)
	columns := make([]map[string]int, len(p.levels))
	for d := range p.levels {
		p.levels[d].d = d
		columns[d] = map[string]int{}
	}
	ds := f.diagrams()
	p.count = len(ds)
	for i, d := range ds {
		if d.Kind == calculus.H {
			p.free = append(p.free, entries(d, i, f.N, f.scale(d, s))...)
			continue
		}
		top, bottom := d.Labels[:f.L], d.Labels[f.L:]
		above := p.out.add(top, bottom, d.Kind)
		below := p.in.add(bottom, top, d.Kind)
		to, from := shared(top, bottom), shared(bottom, top)
		c := column{pattern: below}
		for _, b := range to {
			c.strides = append(c.strides, p.in.patterns[len(to)][below].strides[slices.Index(from, b)])
		}
		level := &p.levels[len(to)]
		key := fmt.Sprint(below, c.strides)
		at, known := columns[len(to)][key]
		if !known {
			at = len(level.columns)
			columns[len(to)][key] = at
			level.columns = append(level.columns, c)
		}
		level.terms = append(level.terms, term{i, above, at, f.scale(d, s)})
	}
	for d := range p.levels {
		p.levels[d].rows = p.out.patterns[d]
	}
	p.in.steps, p.out.steps = p.in.schedule(), p.out.schedule()
	return p
}

// shared are the blocks of a row that are in the other one too, by first occurrence.
func shared(row, other []uint8) []uint8 {
	var out []uint8
	for _, b := range row {
		if slices.Contains(other, b) && !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out
}

func newSide(order, n int) *side {
	s := &side{order: order, n: n, patterns: make([][]pattern, order+1), index: map[string]int{}}
	root := node{parent: -1, size: power(n, order)}
	for a := range order {
		root.axes = append(root.axes, a)
	}
	s.nodes = []node{root}
	return s
}

// add returns the pattern of a row of a diagram, which is new or known: its axes in blocks that the other row has too,
// the others summed.
func (s *side) add(row, other []uint8, kind calculus.Kind) int {
	blocks := shared(row, other)
	key := "pattern"
	var summed [][]int
	var left []int
	seen := map[uint8]bool{}
	for a, b := range row {
		key += fmt.Sprintf(" %d", slices.Index(row, b))
		if slices.Contains(other, b) {
			key += "c"
			left = append(left, a)
			continue
		}
		if !seen[b] {
			seen[b] = true
			summed = append(summed, axesOf(row, b))
		}
	}
	if at, known := s.index[key]; known {
		return at
	}
	at := s.sum(left, summed, kind)
	p := pattern{node: at}
	strides := s.strides(s.nodes[at].axes)
	for _, b := range blocks {
		stride := 0
		for _, a := range axesOf(row, b) {
			stride += strides[slices.Index(s.nodes[at].axes, a)]
		}
		p.strides = append(p.strides, stride)
	}
	d := len(blocks)
	s.patterns[d] = append(s.patterns[d], p)
	s.index[key] = len(s.patterns[d]) - 1
	return s.index[key]
}

func axesOf(row []uint8, block uint8) []int {
	var axes []int
	for a, b := range row {
		if b == block {
			axes = append(axes, a)
		}
	}
	return axes
}

// strides are those of an array with these axes.
func (s *side) strides(axes []int) []int {
	out := make([]int, len(axes))
	stride := 1
	for i := len(axes) - 1; i >= 0; i-- {
		out[i], stride = stride, stride*s.n
	}
	return out
}

// sum returns the node with the axes that are left, all blocks summed: the one that lacks the smallest block, which is
// summed last, comes before it.
func (s *side) sum(left []int, blocks [][]int, kind calculus.Kind) int {
	if len(blocks) == 0 {
		return 0
	}
	key := fmt.Sprint("node", left, blocks)
	if at, known := s.index[key]; known {
		return at
	}
	last := 0
	for i, b := range blocks {
		if len(b) < len(blocks[last]) {
			last = i
		}
	}
	block := blocks[last]
	more := slices.Concat(left, block)
	slices.Sort(more)
	parent := s.sum(more, slices.Delete(slices.Clone(blocks), last, last+1), kind)
	n := node{axes: left, parent: parent, start: s.size, size: power(s.n, len(left))}
	from := s.nodes[parent].axes
	strides := s.strides(from)
	at := func(a int) int { return strides[slices.Index(from, a)] }
	for _, a := range left {
		n.run.strides, n.run.extents = append(n.run.strides, at(a)), append(n.run.extents, s.n)
	}
	for _, a := range block {
		n.run.step += at(a)
	}
	if kind == calculus.F {
		n.run.forms = [2]int{at(block[0]), at(block[1])}
	}
	n.run.join()
	s.size += n.size
	s.nodes = append(s.nodes, n)
	s.index[key] = len(s.nodes) - 1
	return s.index[key]
}

// join makes one run of the last axes that are contiguous in the input too.
func (r *sum) join() {
	for len(r.extents) > 1 {
		i := len(r.extents) - 1
		if r.strides[i-1] != r.strides[i]*r.extents[i] {
			return
		}
		r.strides[i-1], r.extents[i-1] = r.strides[i], r.extents[i]*r.extents[i-1]
		r.strides, r.extents = r.strides[:i], r.extents[:i]
	}
}

// contiguous reports whether strides are those of an array of d axes of length n.
func contiguous(strides []int, n int) bool {
	want := 1
	for i := len(strides) - 1; i >= 0; i-- {
		if strides[i] != want {
			return false
		}
		want *= n
	}
	return true
}

// adds counts the additions of reducing, or scattering, one channel of a side.
func (s *side) adds() int {
	n := 0
	for _, node := range s.nodes[1:] {
		n += node.size * s.n
	}
	return n
}
