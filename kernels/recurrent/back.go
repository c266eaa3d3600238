package recurrent

import (
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
)

// back is what the way back of one block of samples reads and sums.
type back[T kernels.Float] struct {
	sequence
	v     *vec.Table[T]
	d     []T  // gradient of the packed output, or of its first part
	alone bool // it is that of the first part
	first int  // sample
	rows  int  // samples
	sums  []T  // the task's gradient of the bias
}

// newBack is the block of samples of a task, with its sums at 0.
func newBack[T kernels.Float](c *kernels.Call, q sequence, chunk int) back[T] {
	b := back[T]{sequence: q, v: vec.For[T](c.Path), d: kernels.Of[T](c.In[1]), first: chunk * q.rows()}
	b.alone = c.In[1].Rank() == 3
	b.rows = min(q.rows(), q.batch-b.first)
	work := c.Work
	b.sums = kernels.Carve[T](&work, q.tasks()*4*q.hidden)[chunk*4*q.hidden:][:4*q.hidden]
	clear(b.sums)
	return b
}

// add adds to dst what comes in from outside for part k at place at.
func (b *back[T]) add(dst []T, k, at int) {
	if !b.alone {
		b.v.Add(dst, dst, b.d[k*b.part()+at:][:b.hidden])
	}
}

// sums is the memory of the tasks' gradients of the bias.
func (q sequence) sums(elem int) int { return kernels.CarveSize(q.tasks()*4*q.hidden, elem) }

// addSums adds the tasks' gradients of the bias up at the end of the output.
func addSums(c *kernels.Call, q sequence) {
	if c.Out.DType == kernels.Float32 {
		total[float32](c, q)
	} else {
		total[float64](c, q)
	}
}

func total[T kernels.Float](c *kernels.Call, q sequence) {
	work, out := c.Work, kernels.Of[T](c.Out)
	n := 4 * q.hidden
	sums, db := kernels.Carve[T](&work, q.tasks()*n), out[len(out)-n:]
	clear(db)
	for i := range q.tasks() {
		vec.For[T](c.Path).Add(db, db, sums[i*n:][:n])
	}
}

// whole is the gradient of all parts, of which d may be the first alone.
func whole(q sequence, d []float64) []float64 {
	all := make([]float64, q.states*q.part())
	copy(all, d)
	return all
}

// hiddenAlone returns the gradient of the first part, and true, when all of dout that is not zero is known to be there.
func hiddenAlone(dout *kernels.Node) (*kernels.Node, bool) {
	if op, ok := kernels.KernelOf(dout); ok && op == (Place{Index: 0}) {
		return kernels.Children(dout)[0], true
	}
	return dout, false
}
