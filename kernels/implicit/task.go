package implicit

import (
	"math"
	"unsafe"

	"ganglion/internal/asm/vec"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/implicit/lane"
)

// state of a lane while its module is being solved.
type state uint8

const (
	open   state = iota // not solved yet
	solved              // the residual test was passed
	bad                 // what enters the module is not finite
)

// task is what one worker needs to solve one module for one block of samples. Arrays are [node of the module][lane].
type task[T kernels.Float] struct {
	system[T]
	rep *report

	wide *lane.Table[T]     // for the lanes of a block
	tab  *lane.Table[T]     // for the width of the compact copies
	jacs *lane.Jacobians[T] // for Newton's matrices
	vec  *vec.Table[T]

	block int // the block at hand, of whose lanes the first live hold samples
	live  int
	slab  int // where it begins in the system's arrays of blocks

	// Set by solve for the module at hand.
	m, first, n int // the module, its first position, its nodes
	z0, d0      []T // [n][lanes] the block's solution and f′(x), in the system's arrays
	c0          []T // [n][lanes] constant part with the contributions of other modules
	cost        costs

	// Per lane of the block.
	state  [maxLanes]state
	status [maxLanes]kernels.Status
	best   [maxLanes]T   // residual of the iterate in z0
	worst  [maxLanes]T   // that residual relative to the size of the iterate
	iters  [maxLanes]int // iterations spent

	// Compact copies of the lanes a method works on: width lanes (a multiple of group), of which lane[:count] are in
	// use.
	width, count int
	lane         [maxLanes]int32
	ran          [maxLanes]bool // the lane still takes part
	c, d         []T
	x, g, y, h   []T // iterates and their images, rotated by the methods
	step         []T // the step to the next iterate
	fx           []T // f(x) or d∘u
	res, norm    []T // [width] ‖G(x)-x‖∞ and ‖x‖∞
	pace, square []T // [width] step and ‖F‖² of the line search
	history      []T // of Anderson and Broyden
	jac          []T // Newton's matrices, in the place of the history if they fit: every method begins a history anew
	spare        []T // else of the reserve
}

// scratchLen is the number of elements of one worker's scratch.
func scratchLen(p, lanes int, m Method) int {
	n := historyLen(p, lanes, m)
	if reserveLen(p, lanes, m) == 0 {
		n = max(n, jacobianLen(p, m))
	}
	return 9*p*lanes + 4*maxLanes + n
}

// reserveLen is the number of elements that Auto keeps in reserve for one worker: Newton's matrices of modules that are
// too large for the place of the history.
func reserveLen(p, lanes int, m Method) int {
	if n := jacobianLen(p, m); m == Auto && n > historyLen(p, lanes, m) {
		return n
	}
	return 0
}

// newTask makes a task for a worker and a block, whose values lie at number slab of the system's arrays of blocks.
func newTask[T kernels.Float](s system[T], worker, block, slab int) task[T] {
	t := task[T]{system: s, rep: s.report(worker), block: block, slab: slab * s.p * s.lanes}
	t.live = min(s.lanes, s.batch-block*s.lanes)
	t.vec = vec.For[T](s.call.Path)
	t.wide, t.jacs = lane.For[T](s.call.Path, s.lanes), lane.ForJacobians[T](s.call.Path)
	size, n := s.p*s.lanes, scratchLen(s.p, s.lanes, s.opt.method)
	rest := s.scratch[worker*n : (worker+1)*n]
	cut := func(n int) []T {
		part := rest[:n:n]
		rest = rest[n:]
		return part
	}
	t.c0, t.c, t.d, t.x, t.g = cut(size), cut(size), cut(size), cut(size), cut(size)
	t.y, t.h, t.fx, t.step = cut(size), cut(size), cut(size), cut(size)
	t.res, t.norm, t.pace, t.square = cut(maxLanes), cut(maxLanes), cut(maxLanes), cut(maxLanes)
	t.history = rest
	n = reserveLen(s.p, s.lanes, s.opt.method)
	t.spare = s.reserve[worker*n : (worker+1)*n]
	return t
}

// load turns the block's rows of the constant part into columns of lanes, to lie where the solution will be, and for
// the linear systems the rows of x, of which it takes f′.
func (t *task[T]) load() {
	size := t.p * t.lanes
	t.columns(t.z[t.slab:][:size], t.system.c)
	if t.kind != nonlinear {
		d := t.system.d[t.slab:][:size]
		t.columns(d, t.system.x)
		act.Apply(t.call.Path, t.opt.act, 1, d, d)
	}
}

// columns copies the block's samples, rows of a, to rows of lanes; lanes without a sample get 0.
func (t *task[T]) columns(dst, a []T) {
	for q, i := range t.l.Order {
		at := t.block*t.lanes*t.p + int(i)
		row := dst[q*t.lanes:][:t.lanes]
		for k := range t.live {
			row[k] = a[at]
			at += t.p
		}
		clear(row[t.live:])
	}
}

// store turns the block's solution back into rows.
func (t *task[T]) store() {
	z := t.z[t.slab:]
	for q := range t.p {
		at := t.block*t.lanes*t.p + int(t.l.Order[q])
		for _, v := range z[q*t.lanes:][:t.live] {
			t.out[at] = v
			at += t.p
		}
	}
}

// solve finds the values of one module's nodes for the block, all modules that feed it being done. Several modules of
// one node and one level, count of them, are solved together.
func (t *task[T]) solve(m, count int) {
	t.m, t.first = m, int(t.l.ModulePtr[m])
	t.n = int(t.l.ModulePtr[m+count]) - t.first
	at, size := t.slab+t.first*t.lanes, t.n*t.lanes
	t.z0 = t.z[at:][:size]
	if t.kind != nonlinear {
		t.d0 = t.system.d[at:][:size]
	}
	t.constant()
	if t.n == count {
		copy(t.z0, t.c0[:size])
		t.checkTrivial()
	} else {
		t.begin()
		t.run()
		t.finish()
	}
	f := t.f[at:][:size]
	switch t.kind {
	case nonlinear:
		act.Apply(t.call.Path, t.opt.act, 0, f, t.z0)
	case tangent:
		t.vec.Mul(f, t.d0, t.z0)
	case adjoint:
		copy(f, t.z0)
	}
}

// constant computes what enters the module: its part of c, which lies in z0, and the contributions of other modules.
func (t *task[T]) constant() {
	c0 := t.c0[:len(t.z0)]
	lo, hi := t.rowPtr[t.first:][:t.n], t.rowMid[t.first:][:t.n]
	seen := t.f[t.slab:][:t.p*t.lanes]
	if t.kind != adjoint {
		t.wide.Rows(c0, t.z0, seen, lo, hi, t.index, t.value)
		return
	}
	clear(c0)
	t.wide.Rows(c0, c0, seen, lo, hi, t.index, t.value)
	t.wide.FMA(c0, t.z0, t.d0, c0)
}

// checkTrivial reports samples that are not finite at nodes without a cycle.
func (t *task[T]) checkTrivial() {
	res, norm := t.res[:t.lanes], t.norm[:t.lanes]
	t.wide.Extent(res, norm, t.z0, t.z0)
	for _, v := range norm[:t.live] {
		if v-v != 0 {
			t.rep.fail(kernels.Diverged, math.Inf(1))
		}
	}
}

// begin sets every lane's start: the given one where it is finite, else c.
func (t *task[T]) begin() {
	inf := T(math.Inf(1))
	c0 := t.c0[:len(t.z0)]
	copy(t.z0, c0)
	t.wide.Extent(t.res[:t.lanes], t.norm[:t.lanes], c0, c0)
	for k := range t.lanes {
		t.state[k], t.status[k], t.best[k], t.worst[k], t.iters[k] = open, kernels.NotConverged, inf, inf, 0
		if k >= t.live {
			t.state[k] = bad
		} else if v := t.norm[k]; v-v != 0 {
			t.state[k], t.status[k] = bad, kernels.Diverged
		}
	}
	if t.start != nil {
		t.warm()
	}
	t.jac = t.history
	if jacobianLen(t.n, t.opt.method) > len(t.history) {
		t.jac = t.spare
	}
	t.cost = t.estimate()
}

func (t *task[T]) warm() {
	base := t.block * t.lanes * t.p
	for k := range t.live {
		row := t.start[base+k*t.p:][:t.p]
		sum := T(0)
		for _, i := range t.l.Members(t.m) {
			sum += row[i] - row[i]
		}
		if sum != 0 || t.state[k] == bad {
			continue
		}
		for r, i := range t.l.Members(t.m) {
			t.z0[r*t.lanes+k] = row[i]
		}
	}
}

// finish reports every lane.
func (t *task[T]) finish() {
	for k := range t.live {
		t.rep.samples++
		t.rep.iterations = max(t.rep.iterations, int64(t.iters[k]))
		t.rep.total += int64(t.iters[k])
		if t.state[k] == solved {
			t.rep.residual(float64(t.worst[k]))
		} else {
			t.rep.fail(t.status[k], float64(t.worst[k]))
		}
	}
}

// report is what one worker has to say; a view of reportLen integers in the workspace.
type report struct {
	status, samples, failed, iterations, total int64
	damaged                                    int64 // the structure lists an edge that cannot be
	worst                                      float64
}

const reportLen = int(unsafe.Sizeof(report{})) / 8

func (s *system[T]) report(worker int) *report {
	return (*report)(unsafe.Pointer(&s.reports[worker*reportLen]))
}

func (r *report) residual(v float64) {
	if v > r.worst || v != v {
		r.worst = v
	}
}

func (r *report) fail(status kernels.Status, residual float64) {
	r.failed++
	r.status = max(r.status, int64(status))
	r.residual(residual)
}

func (r *report) merge(to *kernels.Report) {
	to.Merge(&kernels.Report{Status: kernels.Status(r.status), Samples: int(r.samples), Failed: int(r.failed),
		Worst: r.worst, Iterations: int(r.iterations), Total: int(r.total)})
}
