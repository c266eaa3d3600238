package diagram

import (
	"ganglion/internal/asm/gemm"
	"ganglion/kernels"
)

// state is what a call keeps.
type state struct{ plan *plan }

// prepare plans the map if the family is one.
func prepare(c *kernels.Call, f Family, s Scaling) {
	if _, err := f.check(c.Op, nil); err == nil {
		c.State = &state{newPlan(f, s)}
	}
}

// Prepare plans the map.
func (o Map) Prepare(c *kernels.Call) { prepare(c, o.Family, o.Scale) }

// Prepare plans the map.
func (o Inner) Prepare(c *kernels.Call) { prepare(c, o.Family, o.Scale) }

// sizes are those of a call.
type sizes struct{ batch, from, to, elem int }

// weightsSize is the number of elements of the operands of all levels.
func (p *plan) weightsSize(z sizes) int {
	n := 0
	for _, l := range p.levels {
		n += len(l.rows) * z.to * len(l.columns) * z.from
	}
	return n
}

// packSize and rowsSize are the elements of the packed columns and rows of a box of any level.
func (p *plan) packSize(z sizes) (columns, rows int) {
	for _, l := range p.levels {
		points := cutBoxes(l.d, p.family.N).points()
		columns = max(columns, len(l.columns)*z.from*points)
		rows = max(rows, len(l.rows)*z.to*points)
	}
	return columns, rows
}

// own is the scratch memory of a worker.
func (p *plan) own(z sizes) int {
	columns, rows := p.packSize(z)
	multiply := 0
	for _, l := range p.levels {
		m, k, points := len(l.rows)*z.to, len(l.columns)*z.from, cutBoxes(l.d, p.family.N).points()
		multiply = max(multiply, gemm.Workspace(m, points, k, z.elem, 1), gemm.Workspace(m, k, points, z.elem, 1))
	}
	return kernels.CarveSize(p.in.size*z.from, z.elem) + kernels.CarveSize(p.out.size*z.to, z.elem) +
		kernels.CarveSize(columns, z.elem) + kernels.CarveSize(rows, z.elem) + kernels.CarveSize(multiply, 1)
}

// Workspace holds the weights in the order of the products, and for each worker the nodes and operands of a sample.
func (o Map) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	p, z := newPlan(o.Family, o.Scale), sizes{in[0].Shape[0], in[0].Shape[1], out.Shape[1], out.DType.Size()}
	return kernels.CarveSize(p.weightsSize(z), z.elem) + workers*p.own(z)
}

// parts is the number of parts in which a batch is summed.
func parts(batch int) int { return min(batch, 16) }

// Workspace holds the sums of each part of the batch, and for each worker the nodes and operands of a sample.
func (o Inner) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	p, z := newPlan(o.Family, o.Scale), sizes{in[0].Shape[0], in[0].Shape[1], in[1].Shape[1], out.DType.Size()}
	return parts(z.batch)*(kernels.CarveSize(p.weightsSize(z), z.elem)+kernels.CarveSize(out.Size(), z.elem)) +
		workers*p.own(z)
}

// flops counts the additions of both sides and the products of all levels, for a batch.
func (p *plan) flops(z sizes) float64 {
	n := float64(p.in.adds()*z.from + p.out.adds()*z.to)
	for _, l := range p.levels {
		n += 2 * float64(len(l.rows)*z.to) * float64(len(l.columns)*z.from) * float64(power(p.family.N, l.d))
	}
	return float64(z.batch) * n
}

// Flops counts additions and products.
func (o Map) Flops(in []kernels.Spec, out kernels.Spec) float64 {
	return newPlan(o.Family, o.Scale).flops(sizes{in[0].Shape[0], in[0].Shape[1], out.Shape[1], 0})
}

// Flops counts additions and products.
func (o Inner) Flops(in []kernels.Spec, _ kernels.Spec) float64 {
	return newPlan(o.Family, o.Scale).flops(sizes{in[0].Shape[0], in[0].Shape[1], in[1].Shape[1], 0})
}

// job is the work of a call, bound to its memory.
type job[T kernels.Float] struct {
	*plan
	sizes
	tables[T]
	call    *kernels.Call
	weights []T // all levels one behind another, [rows·to, columns·from] each
	own     []byte
}

func newJob[T kernels.Float](c *kernels.Call, from, to int) job[T] {
	var zero T
	elem := 8
	if _, is := any(zero).(float32); is {
		elem = 4
	}
	return job[T]{plan: c.State.(*state).plan, sizes: sizes{c.In[0].Shape[0], from, to, elem}, call: c,
		tables: tablesOf[T](c)}
}

// desk is the scratch memory of a worker.
type desk[T kernels.Float] struct {
	in, out       []T // nodes
	columns, rows []T // operands
	multiply      []byte
}

func (j job[T]) desk(worker int) desk[T] {
	size := j.plan.own(j.sizes)
	w := j.own[worker*size : (worker+1)*size]
	columns, rows := j.packSize(j.sizes)
	return desk[T]{kernels.Carve[T](&w, j.plan.in.size*j.from), kernels.Carve[T](&w, j.plan.out.size*j.to),
		kernels.Carve[T](&w, columns), kernels.Carve[T](&w, rows), w}
}

// pack copies the columns of a level at the points of a box, [columns·from, points].
func (j job[T]) pack(l level, b box, d desk[T], root []T) []T {
	points := b.points()
	out := d.columns[:len(l.columns)*j.from*points]
	for i, c := range l.columns {
		x, size := view(j.plan.in, j.plan.in.patterns[l.d][c.pattern].node, root, d.in, j.from)
		at := b.start(c.strides)
		for ch := range j.from {
			read(j.p, b, 0, out[(i*j.from+ch)*points:][:points], x[ch*size+at:], c.strides)
		}
	}
	return out
}

// packRows copies the rows of a level at the points of a box, [rows·to, points].
func (j job[T]) packRows(l level, b box, d desk[T], root []T) []T {
	points := b.points()
	out := d.rows[:len(l.rows)*j.to*points]
	for i, p := range l.rows {
		x, size := view(j.plan.out, p.node, root, d.out, j.to)
		at := b.start(p.strides)
		for co := range j.to {
			read(j.p, b, 0, out[(i*j.to+co)*points:][:points], x[co*size+at:], p.strides)
		}
	}
	return out
}

// CPU maps the samples in parallel.
func (o Map) CPU(c *kernels.Call) {
	if c.Out.DType == kernels.Float32 {
		orderWeights[float32](c)
		c.For(c.In[0].Shape[0], mapSample[float32])
	} else {
		orderWeights[float64](c)
		c.For(c.In[0].Shape[0], mapSample[float64])
	}
}

// orderWeights brings the weights into the order of the products.
func orderWeights[T kernels.Float](c *kernels.Call) {
	j := mapJob[T](c)
	lambda := kernels.Of[T](c.In[1])
	clear(j.weights)
	w := j.weights
	for _, l := range j.levels {
		columns := len(l.columns) * j.from
		for _, t := range l.terms {
			for co := range j.to {
				to := w[(t.row*j.to+co)*columns+t.column*j.from:][:j.from]
				for ci, x := range lambda[(t.diagram*j.to+co)*j.from:][:j.from] {
					to[ci] += x * T(t.scale) // two diagrams may be one map when n is 1
				}
			}
		}
		w = w[len(l.rows)*j.to*columns:]
	}
}

// mapJob binds the memory of a Map.
func mapJob[T kernels.Float](c *kernels.Call) job[T] {
	j := newJob[T](c, c.In[0].Shape[1], c.Out.Shape[1])
	j.own = c.Work
	j.weights = kernels.Carve[T](&j.own, j.weightsSize(j.sizes))
	return j
}

func mapSample[T kernels.Float](c *kernels.Call, b, worker int) {
	j := mapJob[T](c)
	d := j.desk(worker)
	n := j.family.N
	columns, rows := power(n, j.family.K), power(n, j.family.L)
	v, z := kernels.Of[T](c.In[0])[b*j.from*columns:][:j.from*columns], kernels.Of[T](c.Out)[b*j.to*rows:][:j.to*rows]
	reduce(j.plan.in, j.tables, v, d.in, j.from)
	clear(d.out)
	if !j.direct() {
		clear(z)
	}
	w := j.weights
	for i := len(j.levels) - 1; i >= 0; i-- { // the one that sets the output first
		l := j.levels[i]
		k, m := len(l.columns)*j.from, len(l.rows)*j.to
		if m*k > 0 {
			j.mix(l, w[len(w)-m*k:], d, v, z)
		}
		w = w[:len(w)-m*k]
	}
	scatter(j.plan.out, j.tables, z, d.out, j.to)
	lambda := kernels.Of[T](c.In[1])
	for _, e := range j.free {
		for co := range j.to {
			sum := T(0)
			for ci := range j.from {
				sum += lambda[(e.diagram*j.to+co)*j.from+ci] * v[ci*columns+e.column]
			}
			z[co*rows+e.row] += T(e.value) * sum
		}
	}
}

// direct reports whether the level of the most shared blocks sets the output: its only row is the output itself.
func (j job[T]) direct() bool {
	l := j.levels[len(j.levels)-1]
	return j.plan.sets(l) && len(l.columns)*j.from > 0
}

// sets reports whether the only row of a level is the output itself.
func (p *plan) sets(l level) bool {
	return l.d == p.family.L && len(l.rows) == 1 && l.rows[0].node == 0 && contiguous(l.rows[0].strides, p.family.N)
}

// mix multiplies the columns of a level with its weights, box by box, and adds the rows to the nodes of the output.
func (j job[T]) mix(l level, w []T, d desk[T], v, z []T) {
	k, m := len(l.columns)*j.from, len(l.rows)*j.to
	all, set := cutBoxes(l.d, j.family.N), j.plan.sets(l)
	for i := range all.total {
		b := all.at(i)
		points := b.points()
		args := gemm.Args[T]{M: m, N: points, K: k, A: w, LDA: k, B: j.pack(l, b, d, v), LDB: points,
			C: d.rows[:m*points], LDC: points, Work: d.multiply}
		straight := set && all.across == 1 // the points of a box are a run of the output
		if straight {
			args.C, args.LDC = z[b.start(l.rows[0].strides):], len(z)/j.to
		}
		gemm.Multiply(nil, j.call.Path, nil, args)
		for r, p := range l.rows {
			if straight {
				break
			}
			x, size := view(j.plan.out, p.node, z, d.out, j.to)
			at := b.start(p.strides)
			for co := range j.to {
				write(j.p, b, 0, d.rows[(r*j.to+co)*points:][:points], x[co*size+at:], p.strides, !set)
			}
		}
	}
}

// CPU sums the samples of each part of the batch, parts in parallel, and then the parts in order.
func (o Inner) CPU(c *kernels.Call) {
	n := parts(c.In[0].Shape[0])
	if c.Out.DType == kernels.Float32 {
		c.For(n, innerPart[float32])
		addParts[float32](c, n)
	} else {
		c.For(n, innerPart[float64])
		addParts[float64](c, n)
	}
}

// innerJob binds the memory of an Inner: the products of a part, and its weights.
func innerJob[T kernels.Float](c *kernels.Call, part int) (job[T], []T) {
	j := newJob[T](c, c.In[0].Shape[1], c.In[1].Shape[1])
	j.own = c.Work
	var free []T
	for i := range parts(j.batch) {
		w, f := kernels.Carve[T](&j.own, j.weightsSize(j.sizes)), kernels.Carve[T](&j.own, c.Out.Size())
		if i == part {
			j.weights, free = w, f
		}
	}
	return j, free
}

// addParts adds the sums of the parts, in order, and brings the products into the order of the diagrams.
func addParts[T kernels.Float](c *kernels.Call, n int) {
	out := kernels.Of[T](c.Out)
	clear(out)
	if n == 0 {
		return
	}
	first, _ := innerJob[T](c, 0)
	for part := range n {
		j, own := innerJob[T](c, part)
		j.v.Add(out, out, own)
		if part > 0 {
			j.v.Add(first.weights, first.weights, j.weights)
		}
	}
	w := first.weights
	for _, l := range first.levels {
		columns := len(l.columns) * first.from
		for _, t := range l.terms {
			for co := range first.to {
				from := w[(t.row*first.to+co)*columns+t.column*first.from:][:first.from]
				to := out[(t.diagram*first.to+co)*first.from:][:first.from]
				for ci, x := range from {
					to[ci] += x * T(t.scale)
				}
			}
		}
		w = w[len(l.rows)*first.to*columns:]
	}
}

func innerPart[T kernels.Float](c *kernels.Call, part, worker int) {
	j, own := innerJob[T](c, part)
	d := j.desk(worker)
	clear(own)
	clear(j.weights)
	n := parts(j.batch)
	for b := part * j.batch / n; b < (part+1)*j.batch/n; b++ {
		j.innerSample(b, d, own)
	}
}

// innerSample adds the products of a sample to the weights of the part, those of diagrams with free vertices to own.
func (j job[T]) innerSample(b int, d desk[T], own []T) {
	n := j.family.N
	columns, rows := power(n, j.family.K), power(n, j.family.L)
	v := kernels.Of[T](j.call.In[0])[b*j.from*columns:][:j.from*columns]
	z := kernels.Of[T](j.call.In[1])[b*j.to*rows:][:j.to*rows]
	reduce(j.plan.in, j.tables, v, d.in, j.from)
	reduce(j.plan.out, j.tables, z, d.out, j.to)
	w := j.weights
	for _, l := range j.levels {
		k, m := len(l.columns)*j.from, len(l.rows)*j.to
		if m*k == 0 {
			continue
		}
		all := cutBoxes(l.d, n)
		for i := range all.total {
			box := all.at(i)
			points := box.points()
			gemm.Multiply(nil, j.call.Path, nil, gemm.Args[T]{TransB: true, M: m, N: k, K: points,
				A: j.packRows(l, box, d, z), LDA: points,
				B: j.pack(l, box, d, v), LDB: points, C: w[:m*k], LDC: k, Acc: true, Work: d.multiply})
		}
		w = w[m*k:]
	}
	for _, e := range j.free {
		for co := range j.to {
			x := T(e.value) * z[co*rows+e.row]
			for ci := range j.from {
				own[(e.diagram*j.to+co)*j.from+ci] += x * v[ci*columns+e.column]
			}
		}
	}
}
