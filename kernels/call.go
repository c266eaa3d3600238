package kernels

import (
	"ganglion/internal/cpu"
	"ganglion/internal/par"
)

// Call is one execution of a CPU kernel. The engine makes it once, when it plans, and binds the tensors before each
// run.
type Call struct {
	Op   Op
	In   []Tensor
	Out  Tensor
	Work []byte // scratch of the size that Workspace asked for; old contents
	// Reserve is what Reserve of the op asked for, to be touched only where there is need; old contents.
	Reserve []byte
	Path    cpu.Path  // the instruction set to use
	Pool    *par.Pool // never nil
	// Report receives what the kernel has to say about this run; never nil, zeroed by the engine before the call.
	Report *Report
	// Arg carries small numbers from the kernel to the bodies of its loops, which must not be closures (a closure
	// allocates).
	Arg [16]int
	// State is what Prepare of an op has made for its kernel to keep from run to run; never results.
	State any

	body  func(c *Call, chunk, worker int)
	chunk func(chunk, worker int)
}

// NewCall returns a call of op bound to nothing yet, prepared if the op is a Preparer.
func NewCall(op Op, path cpu.Path, pool *par.Pool) *Call {
	c := &Call{Op: op, Path: path, Pool: pool, Report: new(Report)}
	c.chunk = func(chunk, worker int) { c.body(c, chunk, worker) }
	if p, ok := op.(Preparer); ok {
		p.Prepare(c)
	}
	return c
}

// For runs body for the chunks 0 … n-1, in parallel and in any order. body must be a function of the package or a
// method expression (no closure); it finds the op in c.Op and its parameters in c.Arg. Cut the work by size, never by
// the number of workers. For must not be called from inside a body.
func (c *Call) For(n int, body func(c *Call, chunk, worker int)) {
	if n <= 0 {
		return
	}
	if n == 1 || c.Pool.Workers() == 1 {
		for i := range n {
			body(c, i, 0)
		}
		return
	}
	c.body = body
	c.Pool.Run(n, c.chunk)
}

// ForFloat is For with the body for the float type of the output.
func (c *Call) ForFloat(n int, f32, f64 func(c *Call, chunk, worker int)) {
	if c.Out.DType == Float32 {
		c.For(n, f32)
	} else {
		c.For(n, f64)
	}
}

// Rows is a helper for loops over rows of equal cost: it returns the number of chunks and sets Arg[15] to the rows of
// each, so that a chunk costs some 8 µs at least; cost is the estimated time of one row in nanoseconds.
func (c *Call) Rows(n int, cost float64) int {
	const grain = 8000
	rows := max(1, int(grain/max(cost, 1)))
	c.Arg[15] = rows
	return (n + rows - 1) / rows
}

// Chunk returns the rows [lo, hi) of a chunk cut by Rows out of n.
func (c *Call) Chunk(chunk, n int) (lo, hi int) {
	lo = chunk * c.Arg[15]
	return lo, min(n, lo+c.Arg[15])
}

// Status says how an iterative kernel ended.
type Status uint8

// The ends of an iterative kernel, from best to worst.
const (
	Fine         Status = iota // nothing to report: converged, or not iterative
	NotConverged               // the budget of iterations ran out
	Diverged                   // iterates left the range of numbers
	Singular                   // a linear system without a unique solution
)

// String returns the status in words.
func (s Status) String() string {
	return [...]string{"converged", "not converged", "diverged", "singular"}[s]
}

// Report is what a kernel says about one run. It never carries results.
type Report struct {
	Status     Status
	Samples    int     // independent problems solved (samples × modules)
	Failed     int     // those that missed the tolerance
	Worst      float64 // largest residual, relative to 1+‖x‖∞
	Iterations int     // largest number of iterations of any problem
	Total      int     // iterations of all problems together
	Structure  Structure
}

// Structure describes the modules of a pruned graph.
type Structure struct {
	Nodes    int // nodes of the graph
	Kept     int // edges kept
	Modules  int // strongly connected components, single nodes included
	Cyclic   int // those with more than one node
	Largest  int // nodes of the largest
	Levels   int // longest path in the condensation, in modules
	Smallest int // nodes of the smallest cyclic module, 0 when there is none
}

// Merge folds the report of another part of the same run into r.
func (r *Report) Merge(o *Report) {
	r.Status = max(r.Status, o.Status)
	r.Samples += o.Samples
	r.Failed += o.Failed
	if o.Worst > r.Worst || o.Worst != o.Worst {
		r.Worst = o.Worst
	}
	r.Iterations = max(r.Iterations, o.Iterations)
	r.Total += o.Total
	if o.Structure.Nodes > 0 {
		r.Structure = o.Structure
	}
}
