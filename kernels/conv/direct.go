package conv

import (
	"math"

	"ganglion/internal/asm/direct"
	"ganglion/kernels"
)

// Convolutions of stride 1 are computed directly where there are kernels for it: a task copies what it reads of x, with
// its padding, into a frame in the cache, in which a tap of the kernel is an offset. A position of y is then one of the
// frame, lines of the frame are as far apart as lines of the product, and what stands between the end of a line of y
// and the start of the next one is computed and dropped. The gradient by x is such a convolution of dy.

// frame is how a task lays out its part of x: lines of one slice of y, with all that the taps reach from there.
type frame struct {
	lines, cols   int // of y in a strip: whole lines, or a part of one
	down, across  int // strips of a slice
	pitch, height int // elements between lines, and lines of a slice
	slices, plane int // slices, and elements of a channel
	images        int // that a task holds side by side
	vectors       int // elements of a line of products, a multiple of unit lanes
}

// Limits of frames.
const (
	laneUnit   = 16       // elements of the longest vector
	stripArea  = 1024     // elements of a strip of y: the rows of a tile stay in the first-level cache
	frameArea  = 96 << 10 // elements of a frame: it stays in the second-level cache
	directRate = 100      // operations a nanosecond
)

// direct reports whether the convolution can be computed in frames, and should be.
func (g *geometry) direct() bool {
	if g.shallow() || g.taps() == 1 || g.stride != [maxDims]int{1, 1, 1} || g.in == 0 || g.out == 0 || g.batch == 0 {
		return false
	}
	for a := range maxDims {
		if g.pad[a] < 0 || g.y[a] == 0 || g.x[a] == 0 {
			return false
		}
	}
	const least = 16 // positions; with less a matrix product of several images is better
	f := g.frame(1)
	return g.area() >= least && f.pitch <= 2*f.cols && g.in*f.plane <= 4*frameArea
}

// frame lays out strips of y for tasks of up to the given number of images.
func (g *geometry) frame(images int) frame {
	last := func(a int) int { return (g.k[a] - 1) * g.dil[a] }
	f := frame{cols: g.y[2], across: 1, lines: 1, slices: last(0) + 1}
	if g.y[2] > stripArea {
		f.across = ceil(g.y[2], stripArea)
		f.cols = ceil(g.y[2], f.across)
		f.pitch = f.cols + last(2)
	} else {
		// Behind the last column stand the zeros in front of the next line.
		f.pitch = max(g.pad[2]+g.x[2], g.y[2]+last(2)-g.pad[2], g.y[2])
		room := frameArea/max(1, g.in*f.slices*f.pitch) - last(1)
		f.lines = max(1, min(g.y[1], stripArea/max(1, f.pitch), room))
		f.lines = ceil(g.y[1], ceil(g.y[1], f.lines))
	}
	f.down = ceil(g.y[1], f.lines)
	f.height = f.lines + last(1)
	f.plane = f.slices * f.height * f.pitch
	f.vectors = ceil((f.lines-1)*f.pitch+f.cols, laneUnit) * laneUnit
	f.images = 1
	if f.strips(g) == 1 {
		f.images = max(1, min(images, g.batch, frameArea/max(1, g.in*f.plane)))
	}
	return f
}

// strips is the number of strips of an image.
func (f *frame) strips(g *geometry) int { return g.y[0] * f.down * f.across }

// elements is the size of the frame of a task, with zeros behind the last channel.
func (f *frame) elements(g *geometry) int {
	return f.images*g.in*f.plane + (g.k[2]-1)*g.dil[2] + laneUnit
}

// offset is the place in a channel's frame, for element size 1, that tap t reads for position 0.
func (f *frame) offset(g *geometry, t tap) int {
	return (t[0]*g.dil[0]*f.height+t[1]*g.dil[1])*f.pitch + t[2]*g.dil[2]
}

// strip is a part of a slice of y.
type strip struct{ z, y, x, lines, cols int }

// strip returns strip i of an image.
func (f *frame) strip(g *geometry, i int) strip {
	s := strip{z: i / (f.down * f.across), y: i / f.across % f.down * f.lines, x: i % f.across * f.cols}
	s.lines, s.cols = min(f.lines, g.y[1]-s.y), min(f.cols, g.y[2]-s.x)
	return s
}

// length is the number of elements from the strip's first position to its last.
func (f *frame) length(s *strip) int { return (s.lines-1)*f.pitch + s.cols }

// fill copies what a strip reads of a plane of x. Zeros around it must be there already.
func fill[T kernels.Float](g *geometry, f *frame, t *direct.Table[T], to, x []T, s *strip) {
	lo, hi := max(0, g.pad[2]-s.x), min(f.pitch, g.x[2]+g.pad[2]-s.x)
	first, end := max(0, g.pad[1]-s.y), min(f.height, g.x[1]+g.pad[1]-s.y)
	if lo >= hi || first >= end {
		return
	}
	for i := range f.slices {
		z := s.z + i - g.pad[0]
		if z < 0 || z >= g.x[0] {
			continue
		}
		from := x[(z*g.x[1]+s.y+first-g.pad[1])*g.x[2]+s.x+lo-g.pad[2]:]
		dst := to[(i*f.height+first)*f.pitch+lo:]
		if hi-lo == f.pitch && f.pitch == g.x[2] {
			copy(dst, from[:(end-first)*f.pitch])
			continue
		}
		t.Move(end-first, hi-lo, dst, f.pitch, from, g.x[2], 0, lowest[T]())
	}
}

// lowest is the floor that raises nothing.
func lowest[T kernels.Float]() T { return T(math.Inf(-1)) }

// cut is how a direct convolution is cut: task (images, strip, group, block of output channels).
type cut struct {
	frame
	rows, blocks int // output channels of a block, and blocks of a group
	tasks        int
}

func (g *geometry) cut() cut {
	most := ceil(g.batch, fewTasks) // images of a task
	c := cut{frame: g.frame(1), rows: g.out, blocks: 1}
	c.frame = g.frame(max(1, min(most, 256/c.vectors)))
	c.tasks = ceil(g.batch, c.images) * c.strips(g) * g.groups
	if c.tasks < fewTasks {
		const least = 16
		c.rows = max(least, ceil(ceil(g.out, ceil(fewTasks, c.tasks)), least)*least)
		c.blocks = ceil(g.out, c.rows)
		c.tasks *= c.blocks
	}
	return c
}

// tallest is the largest number of rows of a tile of any path.
const tallest = 8

// shared is the number of bytes of what all workers read: packed kernels, and offsets of taps.
func (c *cut) shared(g *geometry, elem int) int {
	return kernels.CarveSize(g.groups*g.out*g.depth(), elem) + kernels.CarveSize(g.taps(), 4)
}

// worker is the number of bytes for one worker.
func (c *cut) worker(g *geometry, elem int) int {
	return kernels.CarveSize(c.elements(g), elem) + kernels.CarveSize(tallest*c.vectors, elem)
}

// directScratch is the workspace of a direct convolution.
func (g *geometry) directScratch(elem, workers int) int {
	c := g.cut()
	return c.shared(g, elem) + workers*c.worker(g, elem)
}

// operands of a direct convolution.
type operands[T kernels.Float] struct {
	g       geometry
	x, w, y []T
	flipped bool // w is [in, out, taps backwards]: the convolution is the gradient of another one
}

// flipped is the convolution of dy that is the gradient of g by x.
func (g *geometry) flipped() geometry {
	f := *g
	f.in, f.out, f.x, f.y = g.out, g.in, g.y, g.x
	for a := range maxDims {
		f.pad[a] = (g.k[a]-1)*g.dil[a] - g.pad[a]
	}
	return f
}

func operandsOf[T kernels.Float](c *kernels.Call) operands[T] {
	o := operands[T]{x: kernels.Of[T](c.In[0]), w: kernels.Of[T](c.In[1]), y: kernels.Of[T](c.Out)}
	if k, ok := c.Op.(ConvGradX); ok {
		of := k.Of.geometry(c.Out.Shape, c.In[1].Shape)
		o.g, o.flipped = of.flipped(), true
		return o
	}
	o.g = forward(c)
	return o
}

// directly computes the call's convolution.
func directly(c *kernels.Call, g *geometry) {
	d := g.cut()
	c.ForFloat(c.Rows(g.groups*d.blocks, float64(d.rows*g.depth())), packBody[float32], packBody[float64])
	c.ForFloat(c.Rows(d.tasks, 200+g.flops()/float64(d.tasks)/directRate), directBody[float32], directBody[float64])
}

// carveShared carves what all workers read, and returns the rest.
func carveShared[T kernels.Float](c *kernels.Call, g *geometry) (packed []T, off []int32, rest []byte) {
	rest = c.Work
	packed = kernels.Carve[T](&rest, g.groups*g.out*g.depth())
	off = kernels.Carve[int32](&rest, g.taps())
	return packed, off, rest
}

// packBody packs blocks of output channels in panels, and with the first one writes the offsets of the taps.
func packBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := operandsOf[T](c)
	d := o.g.cut()
	packed, off, _ := carveShared[T](c, &o.g)
	elem := c.Out.DType.Size()
	if chunk == 0 {
		t := tap{}
		for i := range off {
			off[i] = int32(d.offset(&o.g, t) * elem)
			t = o.g.next(t)
		}
	}
	heights := direct.For[T](c.Path).Heights
	lo, hi := c.Chunk(chunk, o.g.groups*d.blocks)
	for b := lo; b < hi; b++ {
		group, first := b/d.blocks, b%d.blocks*d.rows
		rows := min(d.rows, o.g.out-first)
		for r := 0; r < rows; {
			h := heightOf(heights, rows-r)
			o.pack(packed[(group*o.g.out+first+r)*o.g.depth():], group, first+r, h)
			r += h
		}
	}
}

// heightOf is the largest number of rows of a tile that is not above rows.
func heightOf(heights []int, rows int) int {
	for _, h := range heights {
		if h <= rows {
			return h
		}
	}
	return 1
}

// pack writes element (k, row) of a panel to k·h + row.
func (o *operands[T]) pack(to []T, group, first, h int) {
	depth, taps := o.g.depth(), o.g.taps()
	for i := range h {
		if !o.flipped {
			for k, v := range o.w[(group*o.g.out+first+i)*depth:][:depth] {
				to[k*h+i] = v
			}
			continue
		}
		for n := range o.g.in {
			line := o.w[((group*o.g.in+n)*o.g.out+first+i)*taps:][:taps]
			for t, v := range line {
				to[(n*taps+taps-1-t)*h+i] = v
			}
		}
	}
}

func directBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	t := directTask[T]{operands: operandsOf[T](c), table: direct.For[T](c.Path)}
	g, d := &t.g, &t.cut
	*d = g.cut()
	var rest []byte
	t.packed, t.off, rest = carveShared[T](c, g)
	n := d.worker(g, c.Out.DType.Size())
	rest = rest[worker*n:][:n]
	t.memory = kernels.Carve[T](&rest, d.elements(g))
	t.sum = kernels.Carve[T](&rest, tallest*d.vectors)
	clear(t.memory)
	lo, hi := c.Chunk(chunk, d.tasks)
	for task := lo; task < hi; task++ {
		block, other := task%d.blocks, task/d.blocks
		group, other := other%g.groups, other/g.groups
		t.strip = d.strip(g, other%d.strips(g))
		if lo < task && d.strips(g) > 1 {
			clear(t.memory)
		}
		t.run(c, other/d.strips(g)*d.images, group, block*d.rows)
	}
}

// directTask is what a worker knows about its task.
type directTask[T kernels.Float] struct {
	operands[T]
	cut    cut
	table  *direct.Table[T]
	packed []T
	off    []int32
	memory []T // of the frame
	sum    []T // products of a tile
	strip  strip
}

// run computes output channels from first on, of one group, for some images.
func (t *directTask[T]) run(c *kernels.Call, image, group, first int) {
	g, f := &t.g, &t.cut.frame
	plane, area, depth := g.plane(), g.area(), g.depth()
	images, rows := min(f.images, g.batch-image), min(t.cut.rows, g.out-first)
	for i := range images {
		for k := range g.in {
			from := t.x[(((image+i)*g.groups+group)*g.in+k)*plane:][:plane]
			fill(g, f, t.table, t.memory[(i*g.in+k)*f.plane:], from, &t.strip)
		}
	}
	n := ceil(f.length(&t.strip), t.table.Lanes)
	ld := n * t.table.Lanes
	at := (t.strip.z*g.y[1]+t.strip.y)*g.y[2] + t.strip.x
	for r := 0; r < rows; {
		h := heightOf(t.table.Heights, rows-r)
		a := t.packed[(group*g.out+first+r)*depth:][:h*depth]
		for i := range images {
			t.table.Patch(h, n, g.in, a, t.memory[i*g.in*f.plane:], f.plane, t.off, t.sum, ld)
			for j := range h {
				to := t.y[((image+i)*g.groups*g.out+group*g.out+first+r+j)*area+at:]
				bias, floor := level[T](c, group*g.out+first+r+j)
				t.table.Move(t.strip.lines, t.strip.cols, to, g.y[2], t.sum[j*ld:], f.pitch, bias, floor)
			}
		}
		r += h
	}
}
