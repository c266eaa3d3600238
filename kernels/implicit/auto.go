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

// limitMixing is the number of steps after which auto gives Anderson up.
const limitMixing = 60

// run solves the open lanes by the op's method.
func (t *task[T]) run() {
	o := t.opt
	switch o.method {
	case Newton:
		t.newton(o.limit(limitNewton), manyStarts)
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
	patience := max(8, steps*t.cost.newton/t.cost.picard)
	t.picard(o.limit(limitPicard), T(o.beta()), patience)
	mixes := min(limitMixing, o.limit(limitMixing))
	cheap := steps*t.cost.newton > 30*t.cost.anderson
	if cheap {
		t.anderson(mixes, T(o.beta()))
	}
	if t.anyOpen() {
		t.newton(o.limit(limitNewton), fewStarts)
	}
	if t.kind != nonlinear || !t.anyOpen() {
		return
	}
	if !cheap {
		t.anderson(mixes, T(o.beta()))
	}
	t.newton(o.limit(limitNewton), manyStarts)
}

func (t *task[T]) anyOpen() bool {
	for k := range t.live {
		if t.state[k] == open {
			return true
		}
	}
	return false
}
