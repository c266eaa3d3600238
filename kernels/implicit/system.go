package implicit

import (
	"unsafe"

	"ganglion/kernels"
	"ganglion/kernels/implicit/lane"
)

// kind says which of the three systems is solved; G is the map whose fixed point is the solution, M the pruned weights.
type kind int

const (
	nonlinear kind = iota // G(x) = c + f(x)·W_m
	tangent               // G(u) = v + (d∘u)·W_m
	adjoint               // G(u) = v + d∘(u·W_mᵀ)
)

// The numbers that solveSystem hands to the bodies of its loops in Call.Arg.
const (
	argKind = iota
	argConst
	argWeights
	argStructure
	argLanes
	argLevel
	argCount
)

// Samples are worked on in blocks of lanes: all values of a block lie as [node][lane], so that one weight times one
// lane-row is one vector operation. The number of lanes is a multiple of group.
const (
	group    = lane.Group
	maxLanes = 2 * group
)

// system is one run of one op: what all tasks read. Its arrays lie in the call's workspace, in which every body finds
// them again.
type system[T kernels.Float] struct {
	call  *kernels.Call
	kind  kind
	opt   options
	tol   T
	l     Layout
	p     int
	batch int
	lanes int

	c     []T // [batch, p] c or v
	start []T // [batch, p] or nil
	x     []T // [batch, p] where the linear systems are linearised
	w     []T // [p, p]
	out   []T // [batch, p]

	// M by rows, row q belonging to the node at position q: edges rowPtr[q] … rowMid[q]-1 come from other modules
	// (index: position), rowMid[q] … rowPtr[q+1]-1 from the same one (index: position within the module). Dense modules
	// have a matrix instead of inner edges: denseAt[m] is its offset in dense, or -1. Edges and matrices are different
	// entries of M, so that value, from its beginning, and dense, from its end, share p² elements.
	rowPtr, rowMid []int32
	index          []int32
	value          []T
	denseAt        []int32
	dense          []T

	// For the blocks that are being worked on, of which there is one for each worker at most, [position][lane]: the
	// solution; what other modules see of it; f′(x), for the linear systems.
	z, f, d []T
	reports []int64 // [workers][reportLen]
	scratch []T     // [workers][scratchLen]
	reserve []T     // [workers][reserveLen]
}

// lanesFor is the number of lanes of a block: small batches are cut finer so that there is work for several workers.
func lanesFor(batch int) int {
	if batch <= 2*group {
		return group
	}
	return maxLanes
}

func blocksFor(batch int) int {
	lanes := lanesFor(batch)
	return (batch + lanes - 1) / lanes
}

// systemSize is the number of bytes of workspace for in = [batch, p].
func systemSize(in kernels.Spec, k kind, o options, workers int) int {
	batch, p, elem := in.Shape[0], in.Shape[1], in.DType.Size()
	n := 2*kernels.CarveSize(p+1, 4) + kernels.CarveSize(p*max(p-1, 0), 4)
	n += kernels.CarveSize(p, 4) + kernels.CarveSize(p*p, elem)
	slab := workers * p * lanesFor(batch)
	n += 2*kernels.CarveSize(slab, elem) + kernels.CarveSize(slopes(k, slab), elem)
	n += kernels.CarveSize(workers*reportLen*2, 4)
	return n + kernels.CarveSize(workers*scratchLen(p, lanesFor(batch), o.method), elem)
}

// reserveSize is the number of bytes in reserve for in = [batch, p].
func reserveSize(in kernels.Spec, o options, workers int) int {
	return kernels.CarveSize(workers*reserveLen(in.Shape[1], lanesFor(in.Shape[0]), o.method), in.DType.Size())
}

// slopes is the number of elements of d.
func slopes(k kind, slab int) int {
	if k == nonlinear {
		return 0
	}
	return slab
}

// bind finds the inputs and arrays of a call.
func bind[T kernels.Float](c *kernels.Call, o options) system[T] {
	s := system[T]{call: c, kind: kind(c.Arg[argKind]), opt: o}
	in := c.In[c.Arg[argConst]]
	s.c, s.w, s.out = kernels.Of[T](in), kernels.Of[T](c.In[c.Arg[argWeights]]), kernels.Of[T](c.Out)
	s.l = View(c.In[c.Arg[argStructure]].I32)
	s.batch, s.p, s.tol = in.Shape[0], in.Shape[1], T(o.tolerance(in.DType))
	s.lanes = lanesFor(s.batch)
	if s.kind != nonlinear {
		s.x = kernels.Of[T](c.In[0])
	} else if len(c.In) > 3 {
		s.start = kernels.Of[T](c.In[3])
	}
	work, p, workers := c.Work, s.p, c.Pool.Workers()
	slab := workers * p * s.lanes
	s.rowPtr, s.rowMid = kernels.Carve[int32](&work, p+1), kernels.Carve[int32](&work, p+1)
	s.index = kernels.Carve[int32](&work, p*max(p-1, 0))
	s.denseAt, s.dense = kernels.Carve[int32](&work, p), kernels.Carve[T](&work, p*p)
	s.value = s.dense[:len(s.index)]
	s.z, s.f = kernels.Carve[T](&work, slab), kernels.Carve[T](&work, slab)
	s.d = kernels.Carve[T](&work, slopes(s.kind, slab))
	s.reports = int64s(kernels.Carve[int32](&work, workers*reportLen*2))
	s.scratch = kernels.Carve[T](&work, workers*scratchLen(p, s.lanes, o.method))
	rest := c.Reserve
	s.reserve = kernels.Carve[T](&rest, workers*reserveLen(p, s.lanes, o.method))
	return s
}

func int64s(s []int32) []int64 {
	return unsafe.Slice((*int64)(unsafe.Pointer(unsafe.SliceData(s))), len(s)/2)
}

// solveSystem runs one of the three systems; the arguments say which inputs hold the constant part, W and its
// structure.
func solveSystem(c *kernels.Call, k kind, o options, constant, weights, structure int) {
	c.Arg[argKind], c.Arg[argConst], c.Arg[argWeights], c.Arg[argStructure] = int(k), constant, weights, structure
	if c.Out.DType == kernels.Float32 {
		solveWith[float32](c, o, loops{packBody[float32], blockBody[float32], levelBody[float32], loadBody[float32],
			storeBody[float32]})
	} else {
		solveWith[float64](c, o, loops{packBody[float64], blockBody[float64], levelBody[float64], loadBody[float64],
			storeBody[float64]})
	}
}

type body = func(c *kernels.Call, chunk, worker int)

// loops are the bodies of the parallel loops, for one element type.
type loops struct{ pack, block, level, load, store body }

func optionsOf(op kernels.Op) options {
	if o, ok := op.(Solve); ok {
		return o.options()
	}
	return op.(Linear).options()
}

func solveWith[T kernels.Float](c *kernels.Call, o options, run loops) {
	s := bind[T](c, o)
	if s.batch == 0 || s.p == 0 {
		return
	}
	if s.l.Nodes != s.p || s.l.checkNodes() != nil || !s.plan() {
		s.refuse()
		return
	}
	clear(s.reports)
	chunks := c.Rows(s.p, 20+2*float64(s.l.Kept)/float64(s.p))
	if s.whole() {
		chunks = c.Rows(s.p, wholeCost)
	}
	c.For(chunks, run.pack)
	blocks, workers := blocksFor(s.batch), c.Pool.Workers()
	for w := range workers {
		if s.report(w).damaged != 0 {
			s.refuse()
			return
		}
	}
	if blocks >= workers || s.l.Modules < 2*s.l.Levels {
		c.For(blocks, run.block)
	} else {
		s.byLevel(run, blocks)
	}
	for w := range workers {
		s.report(w).merge(c.Report)
	}
}

// byLevel runs level after level, modules and blocks of a level side by side: for few samples and many modules, fewer
// blocks than workers. Levels of little work run on the calling goroutine.
func (s *system[T]) byLevel(run loops, blocks int) {
	c := s.call
	c.For(blocks, run.load)
	for k := range s.l.Levels {
		level := k
		if s.kind == adjoint {
			level = s.l.Levels - 1 - k
		}
		lo, hi := s.l.Level(level)
		c.Arg[argLevel], c.Arg[argCount] = lo, hi-lo
		if s.work(lo, hi)*s.lanes*blocks < levelWork {
			for chunk := range (hi - lo) * blocks {
				run.level(c, chunk, 0)
			}
			continue
		}
		c.For((hi-lo)*blocks, run.level)
	}
	c.For(blocks, run.store)
}

// levelWork is the number of products (edges times samples, a node counting as four edges) below which a level is not
// worth waking other workers: some 10 µs at ten iterations.
const levelWork = 20000

// work is the number of edges into cyclic modules lo … hi-1, their nodes counting as four edges each.
func (s *system[T]) work(lo, hi int) int {
	n := 0
	for m := lo; m < hi; m++ {
		if s.l.Size(m) == 1 {
			continue
		}
		for _, i := range s.l.Members(m) {
			n += 4 + int(s.l.InPtr[i+1]-s.l.InPtr[i])
		}
	}
	return n
}

// refuse answers an array that is no structure of p nodes: there is no solution to return.
func (s *system[T]) refuse() {
	nan := T(0)
	nan /= nan
	for i := range s.out {
		s.out[i] = nan
	}
	r := s.call.Report
	r.Status, r.Samples, r.Failed, r.Worst = kernels.Diverged, s.batch, s.batch, float64(nan)
}

// plan lays out the rows of M and decides which modules are dense. It reports whether there is room for them, which
// there is if no edge is listed twice.
func (s *system[T]) plan() bool {
	l := &s.l
	ptr, mid := l.InPtr, l.InMid
	if s.kind == adjoint {
		ptr, mid = l.OutPtr, l.OutMid
	}
	n, area := int32(0), 0
	for m := range l.Modules {
		size, inner := l.Size(m), 0
		nodes := l.Members(m)
		for _, i := range nodes {
			inner += int(ptr[i+1] - mid[i])
		}
		s.denseAt[m] = -1
		dense := isDense(size, inner)
		if dense {
			area += size * size
			s.denseAt[m] = int32(s.p*s.p - area)
		}
		for k, i := range nodes {
			q := int(l.ModulePtr[m]) + k
			s.rowPtr[q] = n
			n += mid[i] - ptr[i]
			s.rowMid[q] = n
			if !dense {
				n += ptr[i+1] - mid[i]
			}
		}
	}
	s.rowPtr[s.p], s.rowMid[s.p] = n, n
	return int(n)+area <= s.p*s.p
}

// isDense says whether a module of the given nodes and inner edges is better multiplied as a full matrix.
func isDense(nodes, inner int) bool { return nodes >= 8 && 5*inner >= 2*nodes*nodes }

// packBody copies the kept weights of some rows.
func packBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	s := bind[T](c, optionsOf(c.Op))
	lo, hi := c.Chunk(chunk, s.p)
	if s.whole() && s.packWhole(lo, hi) {
		return
	}
	for q := lo; q < hi; q++ {
		if !s.packRow(q) {
			s.report(worker).damaged = 1
		}
	}
}

// packRow reports whether all edges of the row are edges of the graph.
func (s *system[T]) packRow(q int) bool {
	l := &s.l
	i := l.Order[q]
	nodes, ptr, mid, stride, base := l.In, l.InPtr, l.InMid, s.p, int(i)
	if s.kind == adjoint {
		nodes, ptr, mid, stride, base = l.Out, l.OutPtr, l.OutMid, 1, int(i)*s.p
	}
	at := s.rowPtr[q]
	for _, j := range nodes[ptr[i]:mid[i]] {
		if !s.joined(i, j, false) {
			return false
		}
		s.index[at], s.value[at] = l.Position[j], s.w[base+int(j)*stride]
		at++
	}
	m := l.Module[i]
	first, n := l.ModulePtr[m], l.Size(int(m))
	inner := nodes[mid[i]:ptr[i+1]]
	row := s.dense[:0]
	if s.denseAt[m] >= 0 {
		row = s.dense[int(s.denseAt[m])+(q-int(first))*n:][:n]
		clear(row)
	}
	for _, j := range inner {
		if !s.joined(i, j, true) {
			return false
		}
		k, v := l.Position[j]-first, s.w[base+int(j)*stride]
		if len(row) > 0 {
			row[k] = v
			continue
		}
		s.index[at], s.value[at] = k, v
		at++
	}
	return true
}

// joined reports whether row i of M can have an entry in column j.
func (s *system[T]) joined(i, j int32, inner bool) bool {
	if s.kind == adjoint {
		i, j = j, i
	}
	return s.l.follows(j, i, inner)
}

// blockBody solves all modules for one block of samples.
func blockBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	s := bind[T](c, optionsOf(c.Op))
	t := newTask(s, worker, chunk, worker)
	t.load()
	for k := 0; k < s.l.Modules; {
		m, count := s.alike(k)
		t.solve(m, count)
		k += count
	}
	t.store()
}

// alike returns the module that comes as number k in the order of the system and, if it is a single node, how many
// modules from m on are single nodes of the same level.
func (s *system[T]) alike(k int) (m, count int) {
	l := &s.l
	if s.kind != adjoint {
		for m = k; m < l.Modules && l.Size(m) == 1 && l.ModuleLevel[m] == l.ModuleLevel[k]; m++ {
		}
		return k, max(1, m-k)
	}
	last := l.Modules - 1 - k
	for m = last; m >= 0 && l.Size(m) == 1 && l.ModuleLevel[m] == l.ModuleLevel[last]; m-- {
	}
	count = max(1, last-m)
	return last - count + 1, count
}

// levelBody solves one module of a level for one block of samples. The single nodes that follow one another in a level
// are solved together, by the chunk of the first of them.
func levelBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	s := bind[T](c, optionsOf(c.Op))
	lo, count := c.Arg[argLevel], c.Arg[argCount]
	m, block := lo+chunk%count, chunk/count
	if s.l.Size(m) == 1 && m > lo && s.l.Size(m-1) == 1 {
		return
	}
	last := m + 1
	for s.l.Size(m) == 1 && last < lo+count && s.l.Size(last) == 1 {
		last++
	}
	t := newTask(s, worker, block, block)
	t.solve(m, last-m)
}

func loadBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	s := bind[T](c, optionsOf(c.Op))
	t := newTask(s, worker, chunk, chunk)
	t.load()
}

func storeBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	s := bind[T](c, optionsOf(c.Op))
	t := newTask(s, worker, chunk, chunk)
	t.store()
}
