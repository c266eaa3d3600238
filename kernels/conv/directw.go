package conv

import (
	"ganglion/internal/asm/direct"
	"ganglion/kernels"
)

// The gradient by the kernels takes frames of x as a direct convolution does, and lays out dy with the same pitch and
// zeros between its lines: an element of dw is then the inner product of a line of dy with a channel of the frame from
// the tap's offset on. Zeros of dy meet elements of x there, so that those which are not finite may reach further
// elements of dw than they should.

// shares is how the sums are cut: task (part of the units, group, block of output channels); a unit is a strip of some
// images.
type shares struct {
	frame
	units, each, parts int // units in all and of a part, and parts
	rows, blocks       int // output channels of a block, and blocks of a group
	groups             int
}

func (g *geometry) shares() shares {
	s := shares{frame: g.frame(1), rows: g.out, blocks: 1, groups: g.groups}
	if room := frameArea / max(1, g.out*s.vectors); s.strips(g) == 1 {
		s.frame = g.frame(max(1, min(stripArea/s.vectors, room, ceil(g.batch, fewTasks))))
	}
	s.units = ceil(g.batch, s.images) * s.strips(g)
	const maxParts, maxMemory = 16, 1 << 22
	n := min(s.units, ceil(maxParts, g.groups), int(g.flops()/partOps)/g.groups)
	n = max(1, min(n, maxMemory/max(1, g.groups*g.out*g.depth())))
	s.each = ceil(s.units, n)
	s.parts = ceil(s.units, s.each)
	if t := s.parts * g.groups; t < fewTasks && g.flops() > partOps {
		s.rows = ceil(g.out, min(ceil(fewTasks, t), ceil(g.out, tallest)))
		s.blocks = ceil(g.out, s.rows)
	}
	return s
}

// pace is the number of elements between two images of dy, and line that between two channels.
func (s *shares) pace() int { return s.rows * s.vectors }

// worker is the number of bytes for one worker.
func (s *shares) worker(g *geometry, elem int) int {
	return kernels.CarveSize(s.elements(g), elem) + kernels.CarveSize(s.images*s.pace(), elem)
}

// scratch is the workspace.
func (s *shares) scratch(g *geometry, elem, workers int) int {
	n := kernels.CarveSize(g.depth(), 4) + workers*s.worker(g, elem)
	if s.parts > 1 {
		n += kernels.CarveSize(s.parts*g.groups*g.out*g.depth(), elem)
	}
	return n
}

// directW computes the call's gradient in frames.
func directW(c *kernels.Call, g *geometry) {
	s := g.shares()
	c.Arg[0] = s.parts
	rest := behindParts(c, s.parts)
	off := kernels.Carve[int32](&rest, g.depth())
	for i := range off {
		t := g.tapOf(i % g.taps())
		off[i] = int32((i/g.taps()*s.plane + s.offset(g, t)) * c.Out.DType.Size())
	}
	c.ForFloat(s.parts*s.groups*s.blocks, directWBody[float32], directWBody[float64])
	if s.parts > 1 {
		c.ForFloat(c.Rows(c.Out.Size(), 0.3*float64(s.parts)), sumPartsBody[float32], sumPartsBody[float64])
	}
}

// behindParts is the workspace behind the parts.
func behindParts(c *kernels.Call, parts int) (rest []byte) {
	if c.Out.DType == kernels.Float32 {
		_, rest = partsOf[float32](c, parts)
	} else {
		_, rest = partsOf[float64](c, parts)
	}
	return rest
}

func directWBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	g := c.Op.(ConvGradW).Of.geometry(c.In[0].Shape, c.Out.Shape)
	t := directWTask[T]{g: g, s: g.shares(), table: direct.For[T](c.Path),
		x: kernels.Of[T](c.In[0]), dy: kernels.Of[T](c.In[1])}
	s := &t.s
	sums, rest := partsOf[T](c, s.parts)
	t.off = kernels.Carve[int32](&rest, g.depth())
	n := s.worker(&g, c.Out.DType.Size())
	rest = rest[worker*n:][:n]
	t.frame = kernels.Carve[T](&rest, s.elements(&g))
	t.lines = kernels.Carve[T](&rest, s.images*s.pace())
	clear(t.frame)
	clear(t.lines)
	block, other := chunk%s.blocks, chunk/s.blocks
	group, part := other%s.groups, other/s.groups
	first := block * s.rows
	rows := min(s.rows, g.out-first)
	dw := sums[part*c.Out.Size()+(group*g.out+first)*g.depth():][:rows*g.depth()]
	clear(dw)
	last := min((part+1)*s.each, s.units)
	for unit := part * s.each; unit < last; unit++ {
		if s.strips(&g) > 1 {
			clear(t.frame)
			clear(t.lines)
		}
		t.add(dw, unit, group, first, rows)
	}
}

// directWTask is what a worker knows about its task.
type directWTask[T kernels.Float] struct {
	g            geometry
	s            shares
	table        *direct.Table[T]
	x, dy        []T
	off          []int32
	frame, lines []T
}

// add adds a unit's part of the gradient of the output channels from first on, of one group.
func (t *directWTask[T]) add(dw []T, unit, group, first, rows int) {
	g, f := &t.g, &t.s.frame
	plane, area, depth := g.plane(), g.area(), g.depth()
	piece := f.strip(g, unit%f.strips(g))
	image := unit / f.strips(g) * f.images
	images := min(f.images, g.batch-image)
	at := (piece.z*g.y[1]+piece.y)*g.y[2] + piece.x
	for i := range images {
		for k := range g.in {
			from := t.x[(((image+i)*g.groups+group)*g.in+k)*plane:][:plane]
			fill(g, f, t.table, t.frame[(i*g.in+k)*f.plane:], from, &piece)
		}
		for r := range rows {
			from := t.dy[((image+i)*g.groups*g.out+group*g.out+first+r)*area+at:]
			to := t.lines[i*t.s.pace()+r*f.vectors:]
			if f.pitch == g.y[2] {
				copy(to[:f.length(&piece)], from)
				continue
			}
			t.table.Move(piece.lines, piece.cols, to, f.pitch, from, g.y[2], 0, lowest[T]())
		}
	}
	n := ceil(f.length(&piece), t.table.Lanes)
	for r := 0; r < rows; {
		h := 1
		if left := rows - r; left >= t.table.Tall {
			h = t.table.Tall
		} else if left >= 2 {
			h = 2
		}
		y := t.lines[r*f.vectors:]
		for k := 0; k < depth; {
			cols := 1
			if depth-k >= t.table.Wide {
				cols = t.table.Wide
			}
			t.table.Shifted(h, images, n, y, f.vectors, t.s.pace(), t.frame, g.in*f.plane, t.off[k:k+cols],
				dw[r*depth+k:], depth)
			k += cols
		}
		r += h
	}
}
