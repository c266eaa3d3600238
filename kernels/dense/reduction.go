package dense

import (
	"ganglion/internal/asm/vec"
	"ganglion/internal/cpu"
	"ganglion/kernels"
)

// pass is one step of a reduction: [outer, n, inner] over the middle dimension. It is cut into blocks of rows ×
// columns; each gives a partial result, and the partials of one column are joined in order. The cut depends on the
// sizes alone.
type pass struct {
	outer, n, inner int
	rows, blocks    int // rows of a block along n, and their number
	cols, strips    int // columns of a block along inner, and their number
}

const (
	reduceBlock = 4096 // elements of a block that is contiguous
	reduceStrip = 1024 // columns of a block
	reduceGrain = 16384
	fewColumns  = 16 // up to here the columns of a row are summed in registers
)

func newPass(outer, n, inner int) pass {
	p := pass{outer: outer, n: n, inner: inner, cols: 1, strips: 1, rows: reduceBlock}
	if inner > 1 {
		p.cols = min(inner, reduceStrip)
		p.strips = (inner + p.cols - 1) / p.cols
		p.rows = max(64, reduceGrain/p.cols)
	}
	p.rows = max(1, min(p.rows, n))
	p.blocks = (n + p.rows - 1) / p.rows
	return p
}

// plan lists the passes of a reduction, the last axes first: each reduces one run of neighbouring axes.
func plan(shape []int, mask Axes) (list [MaxRank]pass, n int) {
	inner := 1
	for i := len(shape) - 1; i >= 0; {
		size, in := 1, mask.Has(i)
		for i >= 0 && (mask.Has(i) == in || shape[i] == 1) {
			size *= shape[i]
			i--
		}
		if in {
			list[n] = newPass(product(shape[:i+1]), size, inner)
			n++
		} else {
			inner *= size
		}
	}
	if n == 0 {
		list[0], n = newPass(1, 1, inner), 1
	}
	return list, n
}

// room is what a reduction needs of the workspace: the results of passes that are not the last, and partial results.
type room struct{ even, odd, wide, partial int }

func roomFor(list *[MaxRank]pass, n int) room {
	var r room
	for i := range n {
		p := &list[i]
		switch out := p.outer * p.inner; {
		case i == n-1:
		case i%2 == 0:
			r.even = max(r.even, out)
		default:
			r.odd = max(r.odd, out)
		}
		if p.blocks > 1 && p.inner <= fewColumns {
			r.wide = max(r.wide, p.outer*p.blocks*p.inner)
		} else if p.blocks > 1 {
			r.partial = max(r.partial, p.outer*p.blocks*p.inner)
		}
	}
	return r
}

// reduceWork is the workspace of reduceCall.
func reduceWork(in kernels.Spec, mask Axes) int {
	list, n := plan(in.Shape, mask)
	r := roomFor(&list, n)
	elem := in.DType.Size()
	return kernels.CarveSize(r.wide, 8) + kernels.CarveSize(r.even, elem) + kernels.CarveSize(r.odd, elem) +
		kernels.CarveSize(r.partial, elem)
}

// The arguments of the loops.
const (
	argKind = iota
	argOuter
	argN
	argInner
	argFrom // buffer: 0 input, 1 even, 2 odd, 3 output
	argTo
	argEven // sizes of the buffers
	argOdd
	argWide
	argPartial
	argCount // divisor of a mean
)

// reduceCall reduces c.In[0] over the axes of mask into c.Out.
func reduceCall(c *kernels.Call, kind Kind, mask Axes) {
	shape := c.In[0].Shape
	list, n := plan(shape, mask)
	r := roomFor(&list, n)
	c.Arg[argKind] = int(kind)
	if kind == Mean {
		c.Arg[argKind] = int(Sum)
	}
	c.Arg[argEven], c.Arg[argOdd], c.Arg[argWide], c.Arg[argPartial] = r.even, r.odd, r.wide, r.partial
	c.Arg[argCount] = 1
	for i := range n {
		p := list[i]
		c.Arg[argCount] *= p.n
		c.Arg[argFrom], c.Arg[argTo] = 0, 1+i%2
		if i > 0 {
			c.Arg[argFrom] = 1 + (i+1)%2
		}
		if i == n-1 {
			c.Arg[argTo] = 3
		}
		c.Arg[argOuter], c.Arg[argN], c.Arg[argInner] = p.outer, p.n, p.inner
		p.run(c)
	}
	if kind == Mean {
		run(c, cut(c, c.Out.Size(), 1), divideBody[float32], divideBody[float64])
	}
}

func (p pass) run(c *kernels.Call) {
	if p.outer*p.inner == 0 {
		return
	}
	tasks := p.outer * p.blocks * p.strips
	chunks := c.Rows(tasks, 20+0.3*float64(p.rows*p.cols))
	switch {
	case p.n == 0:
		run(c, 1, emptyBody[float32], emptyBody[float64])
	case p.inner <= fewColumns:
		run(c, chunks, narrowBody[float32], narrowBody[float64])
		if p.blocks > 1 {
			run(c, 1, joinNarrow[float32], joinNarrow[float64])
		}
	default:
		run(c, chunks, blockBody[float32], blockBody[float64])
		if p.blocks > 1 {
			run(c, p.outer*p.strips, joinBody[float32], joinBody[float64])
		}
	}
}

// buffers returns what the running pass reads and writes, and its partial results.
func buffers[T kernels.Float](c *kernels.Call) (p pass, from, to []T, wide []float64, partial []T) {
	work := c.Work
	wide = kernels.Carve[float64](&work, c.Arg[argWide])
	even := kernels.Carve[T](&work, c.Arg[argEven])
	odd := kernels.Carve[T](&work, c.Arg[argOdd])
	partial = kernels.Carve[T](&work, c.Arg[argPartial])
	list := [...][]T{kernels.Of[T](c.In[0]), even, odd, kernels.Of[T](c.Out)}
	p = newPass(c.Arg[argOuter], c.Arg[argN], c.Arg[argInner])
	return p, list[c.Arg[argFrom]], list[c.Arg[argTo]], wide, partial
}

func emptyBody[T kernels.Float](c *kernels.Call, _, _ int) {
	p, _, to, _, _ := buffers[T](c)
	fill(to[:p.outer*p.inner], 0)
}

func divideBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	y := kernels.Of[T](c.Out)
	lo, hi := c.Chunk(chunk, len(y))
	n := T(c.Arg[argCount])
	for i := range y[lo:hi] {
		y[lo+i] /= n
	}
}

// narrowBody reduces blocks of rows of few columns, in float64.
func narrowBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	p, from, to, wide, _ := buffers[T](c)
	kind := Kind(c.Arg[argKind])
	first, last := c.Chunk(chunk, p.outer*p.blocks)
	var acc [fewColumns]float64
	for t := first; t < last; t++ {
		lo := t/p.blocks*p.n + t%p.blocks*p.rows
		hi := min(t/p.blocks*p.n+p.n, lo+p.rows)
		x := from[lo*p.inner : hi*p.inner]
		if p.inner == 1 {
			acc[0] = reduceSlice(c.Path, kind, x)
		} else {
			reduceRows(kind, acc[:p.inner], x)
		}
		for j, v := range acc[:p.inner] {
			if p.blocks > 1 {
				wide[t*p.inner+j] = v
			} else {
				to[t*p.inner+j] = T(v)
			}
		}
	}
}

// joinNarrow joins the results of narrowBody.
func joinNarrow[T kernels.Float](c *kernels.Call, _, _ int) {
	p, _, to, wide, _ := buffers[T](c)
	kind := Kind(c.Arg[argKind])
	for o := range p.outer {
		var acc [fewColumns]float64
		reduceRows(kind, acc[:p.inner], wide[o*p.blocks*p.inner:(o+1)*p.blocks*p.inner])
		for j, v := range acc[:p.inner] {
			to[o*p.inner+j] = T(v)
		}
	}
}

// blockBody reduces blocks of rows × columns.
func blockBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	p, from, to, _, partial := buffers[T](c)
	if p.blocks > 1 {
		to = partial
	}
	first, last := c.Chunk(chunk, p.outer*p.blocks*p.strips)
	for t := first; t < last; t++ {
		strip, ob := t%p.strips, t/p.strips
		o, block := ob/p.blocks, ob%p.blocks
		lo, hi := block*p.rows, min(p.n, (block+1)*p.rows)
		x := from[o*p.n*p.inner : (o+1)*p.n*p.inner]
		reduceStripOf(c, Kind(c.Arg[argKind]), p, to[ob*p.inner:(ob+1)*p.inner], x, strip, lo, hi)
	}
}

// joinBody joins the blocks of one strip of columns.
func joinBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	p, _, to, _, partial := buffers[T](c)
	strip, o := chunk%p.strips, chunk/p.strips
	from := partial[o*p.blocks*p.inner : (o+1)*p.blocks*p.inner]
	reduceStripOf(c, Kind(c.Arg[argKind]), p, to[o*p.inner:(o+1)*p.inner], from, strip, 0, p.blocks)
}

// reduceStripOf reduces rows lo … hi−1 of one strip of columns.
func reduceStripOf[T kernels.Float](c *kernels.Call, kind Kind, p pass, to, from []T, strip, lo, hi int) {
	a := strip * p.cols
	b := min(p.inner, a+p.cols)
	to = to[a:b]
	copy(to, from[lo*p.inner+a:])
	for i := lo + 1; i < hi; i++ {
		binaryVV(c.Path, kind, to, to, from[i*p.inner+a:i*p.inner+b])
	}
}

// reduceRows reduces the rows of x, each as long as acc, into acc.
func reduceRows[T kernels.Float](kind Kind, acc []float64, x []T) {
	for j := range acc {
		acc[j] = float64(x[j])
	}
	for x = x[len(acc):]; len(x) >= len(acc); x = x[len(acc):] {
		if kind == Sum {
			for j := range acc {
				acc[j] += float64(x[j])
			}
			continue
		}
		for j := range acc {
			acc[j] = binary(kind, acc[j], float64(x[j]))
		}
	}
}

// reduceSlice reduces a slice of one element at least.
func reduceSlice[T kernels.Float](path cpu.Path, kind Kind, x []T) float64 {
	switch kind {
	case Sum:
		return sum(path, x)
	case Max:
		return float64(largest(path, x))
	}
	m := x[0]
	for _, v := range x[1:] {
		m = min(m, v)
	}
	return float64(m)
}

// largest is the largest of one element at least, NaN if there is a NaN.
func largest[T kernels.Float](path cpu.Path, x []T) T {
	if len(x) >= shortRun {
		return vec.For[T](path).Max(x)
	}
	m := x[0]
	for _, v := range x[1:] {
		m = max(m, v)
	}
	return m
}

// sum adds blocks in the type of the elements, and the blocks in float64.
func sum[T kernels.Float](path cpu.Path, x []T) float64 {
	const block = 256
	if len(x) < shortRun {
		total := 0.0
		for _, v := range x {
			total += float64(v)
		}
		return total
	}
	t, total := vec.For[T](path), 0.0
	for len(x) > block {
		total += float64(t.Sum(x[:block]))
		x = x[block:]
	}
	return total + float64(t.Sum(x))
}
