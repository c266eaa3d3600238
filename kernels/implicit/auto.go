package implicit

// costs are the estimated times per sample, in nanoseconds, by which Auto chooses. They were fitted to BenchmarkSolve;
// only their ratios matter.
type costs struct{ picard, anderson, newton float64 }

func (t *task[T]) estimate() costs {
	n, edges := float64(t.n), 0.0
	if t.denseAt[t.m] >= 0 {
		edges = n * n * 0.02
	} else {
		for r := range t.n {
			edges += 0.1 * float64(t.rowPtr[t.first+r+1]-t.rowMid[t.first+r])
		}
	}
	value := 0.5
	if t.kind != nonlinear {
		value = 0.1
	}
	c := costs{picard: n*(0.2+value) + edges}
	c.anderson = c.picard + 100 + 3*n
	c.newton = 2*c.picard + n*n*n*0.04 + n*n*0.2 + n*value
	return c
}

// stepsNewton is the number of Newton steps that a sample is expected to take.
const stepsNewton = 4

// Limits of auto. A module on which a Newton step costs much more than one of Anderson's gets more of the latter,
// leaves the fixed point earlier for it, and fewer steps and starts of Newton's method: a batch of hopeless samples is
// to cost no more than some hundred times a good one.
const (
	mixSmall     = 60
	mixLarge     = 200
	patienceMin  = 8
	patienceMix  = 60
	newtonLarge  = 30
	manyStartsTo = 64 // nodes of a module that may have many starts
)

// run solves the open lanes by the op's method.
func (t *task[T]) run() {
	o := t.opt
	switch o.method {
	case Newton:
		t.newton(o.limit(limitNewton), 1, t.starts())
	case FixedPoint:
		t.picard(o.limit(limitPicard), T(o.beta()), 0)
	case Anderson:
		t.anderson(o.limit(limitAnderson), T(o.beta()))
	case Broyden:
		t.broyden(o.limit(limitBroyden))
	default:
		t.auto()
	}
}

// auto is the default method: fixed point while its measured contraction is good, then Anderson where that is cheaper
// than Newton, then Newton for what is left. Samples that resist get Anderson in any case, and Newton from many starts.
func (t *task[T]) auto() {
	o := t.opt
	steps := float64(stepsNewton)
	if t.kind != nonlinear {
		steps = 1
	}
	large := steps*t.cost.newton > 30*t.cost.anderson
	patience, mixes, newtons := max(patienceMin, steps*t.cost.newton/t.cost.picard), mixSmall, limitNewton
	if large {
		patience, mixes, newtons = patienceMix, mixLarge, newtonLarge
	}
	mixes, newtons = min(mixes, o.limit(mixes)), min(newtons, o.limit(newtons))
	t.picard(o.limit(limitPicard), T(o.beta()), patience)
	if large {
		t.anderson(mixes, T(o.beta()))
	}
	t.newton(newtons, 1, fewStarts)
	if t.kind != nonlinear || large || !t.anyOpen() {
		return
	}
	t.anderson(mixes, T(o.beta()))
	t.newton(newtons, fewStarts, t.starts())
}

// starts is the number of starts of Newton's method that the module may have.
func (t *task[T]) starts() int {
	if t.n <= manyStartsTo {
		return manyStarts
	}
	return fewStarts
}

func (t *task[T]) anyOpen() bool {
	for k := range t.live {
		if t.state[k] == open {
			return true
		}
	}
	return false
}
