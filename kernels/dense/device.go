package dense

import "ganglion/kernels"

// deviceThreads is the number of threads of a block of the elementwise kernels.
const deviceThreads = 256

// elementwise launches a kernel that runs through the elements of the output: entry(args…, n, inputs…, output).
func elementwise(t kernels.Target, module, entry string, out kernels.Spec, args []kernels.Arg,
	inputs int) []kernels.Launch {
	args = append(args, kernels.IntArg(out.Size()))
	for i := range inputs {
		args = append(args, kernels.InputArg(i))
	}
	return []kernels.Launch{t.Sweep(module, kernels.Entry(entry, out.DType), out.Size(),
		append(args, kernels.OutputArg())...)}
}

// arg is the walk as the struct Walk of device code.
func (w *walk) arg() kernels.Arg {
	words := make([]int, 0, 1+3*MaxRank)
	words = append(words, w.rank)
	for _, list := range [...][MaxRank]int{w.dim, w.a, w.b} {
		words = append(words, list[:]...)
	}
	return kernels.BlockArg(words...)
}

// softmaxLaunch is the launch of Softmax, or of LogSoftmax if logarithm is 1.
func softmaxLaunch(t kernels.Target, fromLast, logarithm int, out kernels.Spec) []kernels.Launch {
	outer, n, inner := around(out.Shape, out.Rank()-1-fromLast)
	threads := outer * inner
	if inner == 1 {
		threads *= 32
	}
	return []kernels.Launch{{Module: "dense/softmax", Entry: kernels.Entry("softmax", out.DType),
		Grid: t.Loop(threads, deviceThreads), Block: kernels.Threads(deviceThreads), Args: []kernels.Arg{
			kernels.IntArg(logarithm), kernels.IntArg(outer * inner), kernels.IntArg(n), kernels.IntArg(inner),
			kernels.InputArg(0), kernels.OutputArg()}}}
}

// devicePasses are the passes of a reduction on a device, in order. Each reduces one run of neighbouring axes, or the
// parts that the one before it left.
type devicePasses struct {
	list  []pass
	count int         // elements that go into one result
	from  kernels.Arg // what is reduced
	base  int         // where the scratch memory of the passes begins, in bytes
}

// devicePart is the number of elements that one block joins; longer runs are cut.
const devicePart = 8192

// deviceFew is the length up to which a thread joins a run by itself.
const deviceFew = 32

// devicePlan plans a reduction over the axes of mask.
func devicePlan(shape []int, mask Axes) devicePasses {
	list, n := plan(shape, mask)
	d := devicePasses{count: 1, from: kernels.InputArg(0)}
	for _, p := range list[:n] {
		d.count *= p.n
		for {
			p.rows, p.blocks = max(1, p.n), 1
			if p.n > devicePart {
				p.rows, p.blocks = devicePart, ceil(p.n, devicePart)
			}
			d.list = append(d.list, p)
			if p.blocks == 1 {
				break
			}
			p.n = p.blocks
		}
	}
	return d
}

// half is the number of elements of the largest result of a pass that is not the last.
func (d devicePasses) half() int {
	n := 0
	for _, p := range d.list[:len(d.list)-1] {
		n = max(n, p.outer*p.blocks*p.inner)
	}
	return n
}

// bytes is the scratch memory: results that are not the last go to its halves in turns.
func (d devicePasses) bytes(t kernels.DType) int { return 2 * d.half() * t.Size() }

// launches reduces, and divides by the count for Mean.
func (d devicePasses) launches(t kernels.Target, kind Kind, dtype kernels.DType) []kernels.Launch {
	if kind == Mean {
		return d.sums(t, Sum, dtype, float64(d.count))
	}
	return d.sums(t, kind, dtype, 1)
}

// sums reduces and divides the results by a number.
func (d devicePasses) sums(t kernels.Target, kind Kind, dtype kernels.DType, by float64) []kernels.Launch {
	var list []kernels.Launch
	from, half := d.from, d.half()*dtype.Size()
	for i, p := range d.list {
		to, divisor := kernels.ScratchArg(d.base+i%2*half), 1.0
		if i == len(d.list)-1 {
			to, divisor = kernels.OutputArg(), by
		}
		l := kernels.Launch{Module: "dense/reduce", Entry: kernels.Entry("reduce", dtype),
			Grid:  kernels.Dim{ceil(p.inner, tile), min(p.blocks, 1<<15), min(p.outer, 1<<15)},
			Block: kernels.Dim{tile, 8, 1}, Args: []kernels.Arg{kernels.IntArg(int(kind)), kernels.IntArg(p.outer),
				kernels.IntArg(p.n), kernels.IntArg(p.inner), kernels.IntArg(p.rows), kernels.FloatArg(dtype, divisor),
				from, to}}
		switch {
		case p.n <= deviceFew:
			results := p.outer * p.inner
			l.Entry, l.Grid = kernels.Entry("few", dtype), t.Loop(results, deviceThreads)
			l.Block = kernels.Threads(deviceThreads)
			l.Args = []kernels.Arg{kernels.IntArg(int(kind)), kernels.IntArg(results), kernels.IntArg(p.n),
				kernels.IntArg(p.inner), kernels.FloatArg(dtype, divisor), from, to}
		case p.inner == 1:
			l.Block = kernels.Threads(deviceThreads)
		}
		list = append(list, l)
		from = to
	}
	return list
}
