package csr

// The tasks below are steps of attention over the entries of rows. Heads numbers belong to an entry; those of the
// entries of a task, from Ptr[0] on, stand one behind another in lists that are called local: the numbers of entry k
// begin at (k−Ptr[0])·Heads.

// Score is the task s_k = max(z, Slope·z) with z = u[col k] + v_i, and + e_k if E is given, over the entries k of each
// row i: LeakyReLU for slopes up to 1.
type Score[T float32 | float64] struct {
	Ptr, Col []int32
	U, V     []T // rows of Heads numbers, StepU and StepV apart; V is local to the rows of the task
	StepU    int
	StepV    int
	E        []T // nil, or the numbers of all entries
	Heads    int
	Slope    T
	S        []T // local
}

// Shift is the task of subtracting, from the numbers of each row, the largest for each head: to = from − top. Rows
// without entries have a top of 0.
type Shift[T float32 | float64] struct {
	Ptr      []int32
	Heads    int
	From, To []T // local; may be the same
	Top      []T // nil, or the Heads numbers of each row, StepTop apart
	StepTop  int
}

// Share is the task of dividing the numbers of each row by their sum for each head, to which Tiny is added.
type Share[T float32 | float64] struct {
	Ptr     []int32
	Heads   int
	X       []T // local
	Tiny    T
	Inverse []T // nil, or where 1/(sum + Tiny) of each row goes, StepInv apart
	StepInv int
}

// Mix is the task y_i = Σ_k w_k⊗x[col k] over the entries k of each row i, where the weight of a head counts for
// Width/Heads elements of a row; with Mean it is divided by the sums of the weights, to which Tiny is added.
type Mix[T float32 | float64] struct {
	Ptr, Col []int32
	W        []T // local
	Heads    int
	X, Y     []T
	StepX    int
	StepY    int
	Width    int // elements of a row: a multiple of Heads
	Mean     bool
	Tiny     T
	Lanes    []int32 // see LanesOf
}

// Dots is the task out_k = ⟨q_i, x[col k]⟩ for each head, over the entries k of each row i. With A it is
// ⟨a, LeakyReLU(q_i + x[col k])⟩.
type Dots[T float32 | float64] struct {
	Ptr, Col []int32
	Q, X     []T // Q is local to the rows of the task
	StepQ    int
	StepX    int
	Heads    int
	Width    int // elements of a row: a multiple of Heads
	Out      []T // local
	A        []T // nil, or Width numbers
	Slope    T   // of LeakyReLU, at most 1
}

// Rescore is the task s_k = max(z, Slope·z) − m with z = u_i + v, and + e[pos k] if E is given, over the entries k of
// each row i. The record of col k is v, m, and two more times Heads numbers.
type Rescore[T float32 | float64] struct {
	Ptr, Col, Pos []int32
	U             []T // rows of Heads numbers, local to the rows of the task
	Records       []T
	E             []T // nil, or the numbers of all entries
	Heads         int
	Slope         T
	S             []T // local
}

// Derive is the task behind Rescore, once S has been raised to the power of e: with the record v, m, r, d of col k it
// sets S to α = S·r, and dz[pos k] = α·(g_k − d)·LeakyReLU′(z), which it adds up in du_i.
type Derive[T float32 | float64] struct {
	Rescore[T]
	G  []T // local
	DZ []T // the numbers of all entries
	DU []T // rows of Heads numbers, local to the rows of the task
}

// Slopes is the task y_i = Σ_k w_k⊗LeakyReLU′(q_i + x[col k]) over the entries k of each row i; the slope at 0 is that
// of negative numbers.
type Slopes[T float32 | float64] struct {
	Ptr, Col []int32
	Q, X, Y  []T // Q and Y are local to the rows of the task
	StepQ    int
	StepX    int
	StepY    int
	W        []T // local
	Heads    int
	Width    int // elements of a row: a multiple of Heads
	Slope    T
	Lanes    []int32 // see LanesOf
}

// count is the number of rows and of entries of a task.
func count(ptr, col []int32) (rows, entries int) {
	rows = len(ptr) - 1
	if rows < 0 {
		misfit("task without bounds")
	}
	entries = int(ptr[rows]) - int(ptr[0])
	if ptr[0] < 0 || entries < 0 || col != nil && int(ptr[rows]) > len(col) {
		misfit("bounds", int(ptr[0]), int(ptr[rows]), len(col))
	}
	return rows, entries
}

// Score runs the task on the calling worker.
func (t *Table[T]) Score(a *Score[T]) {
	rows, n := count(a.Ptr, a.Col)
	h := a.Heads
	if h < 0 || len(a.S) < n*h || rows > 0 && len(a.V) < (rows-1)*a.StepV+h ||
		a.E != nil && len(a.E) < int(a.Ptr[rows])*h {
		misfit("Score", rows, n, h, len(a.S), len(a.V), len(a.E))
	}
	if n == 0 || h == 0 {
		return
	}
	if t.score == nil || h > t.lanes {
		scoreGo(a)
		return
	}
	t.score(*a, rows)
}

// Shift runs the task on the calling worker.
func (t *Table[T]) Shift(a *Shift[T]) {
	rows, n := count(a.Ptr, nil)
	h := a.Heads
	if h < 0 || len(a.From) < n*h || len(a.To) < n*h || a.Top != nil && rows > 0 && len(a.Top) < (rows-1)*a.StepTop+h {
		misfit("Shift", rows, n, h, len(a.From), len(a.To), len(a.Top))
	}
	if rows == 0 || h == 0 {
		return
	}
	if t.shift == nil || h > t.lanes || n == 0 {
		shiftGo(a)
		return
	}
	t.shift(*a, rows)
}

// Share runs the task on the calling worker.
func (t *Table[T]) Share(a *Share[T]) {
	rows, n := count(a.Ptr, nil)
	h := a.Heads
	if h < 0 || len(a.X) < n*h || a.Inverse != nil && rows > 0 && len(a.Inverse) < (rows-1)*a.StepInv+h {
		misfit("Share", rows, n, h, len(a.X), len(a.Inverse))
	}
	if rows == 0 || h == 0 {
		return
	}
	if t.share == nil || h > t.lanes || n == 0 {
		shareGo(a)
		return
	}
	t.share(*a, rows)
}

// Mix runs the task on the calling worker.
func (t *Table[T]) Mix(a *Mix[T]) {
	rows, n := count(a.Ptr, a.Col)
	h := a.Heads
	if h < 1 || a.Width%h != 0 || a.StepX < a.Width || a.StepY < a.Width || len(a.W) < n*h ||
		rows > 0 && len(a.Y) < (rows-1)*a.StepY+a.Width {
		misfit("Mix", rows, n, h, a.Width, a.StepX, a.StepY, len(a.W), len(a.Y))
	}
	if rows == 0 || a.Width == 0 {
		return
	}
	if t.mix == nil || h > t.lanes || n == 0 || len(a.Lanes) < a.Width*size[T]()/4 {
		mixGo(a)
		return
	}
	t.mixTiles(a, rows)
}

// Dots runs the task on the calling worker.
func (t *Table[T]) Dots(a *Dots[T]) {
	rows, n := count(a.Ptr, a.Col)
	h := a.Heads
	if h < 1 || a.Width%h != 0 || a.StepX < a.Width || a.StepQ < a.Width || len(a.Out) < n*h ||
		rows > 0 && len(a.Q) < (rows-1)*a.StepQ+a.Width || a.A != nil && len(a.A) < a.Width {
		misfit("Dots", rows, n, h, a.Width, a.StepX, a.StepQ, len(a.Out), len(a.Q), len(a.A))
	}
	if n == 0 {
		return
	}
	if f := t.dotsOf(h, a.Width/h); f != nil {
		f(*a, rows)
		return
	}
	if t.dot == nil || a.Width == 0 {
		dotsGo(a)
		return
	}
	width, elem := a.Width/h, size[T]()
	for k := range h {
		b := dotArgs[T]{rows: rows, n: width, ptr: &a.Ptr[0], col: &a.Col[0], q: &a.Q[k*width], x: &a.X[k*width],
			out: &a.Out[k], ldq: a.StepQ * elem, ldx: a.StepX * elem, ldo: h * elem, last: len(a.Col) - 1}
		if a.A == nil {
			t.dot(b)
		} else {
			t.leaky(b, &a.A[k*width], a.Slope)
		}
	}
}

// Rescore runs the task on the calling worker.
func (t *Table[T]) Rescore(a *Rescore[T]) {
	rows, n := a.fits()
	if n == 0 || a.Heads == 0 {
		return
	}
	if t.rescore == nil || a.Heads > t.lanes {
		rescoreGo(a)
		return
	}
	t.rescore(*a, rows)
}

// fits checks the lengths of lists.
func (a *Rescore[T]) fits() (rows, n int) {
	rows, n = count(a.Ptr, a.Col)
	h := a.Heads
	if h < 0 || len(a.S) < n*h || len(a.U) < rows*h || len(a.Pos) < int(a.Ptr[rows]) {
		misfit("Rescore", rows, n, h, len(a.S), len(a.U), len(a.Pos))
	}
	return rows, n
}

// Derive runs the task on the calling worker.
func (t *Table[T]) Derive(a *Derive[T]) {
	rows, n := a.fits()
	h := a.Heads
	if len(a.G) < n*h || len(a.DU) < rows*h {
		misfit("Derive", rows, n, h, len(a.G), len(a.DU))
	}
	if rows == 0 || h == 0 {
		return
	}
	if t.derive == nil || h > t.lanes || n == 0 {
		deriveGo(a)
		return
	}
	t.derive(*a, rows)
}

// Slopes runs the task on the calling worker.
func (t *Table[T]) Slopes(a *Slopes[T]) {
	rows, n := count(a.Ptr, a.Col)
	h := a.Heads
	if h < 1 || a.Width%h != 0 || a.StepX < a.Width || a.StepQ < a.Width || a.StepY < a.Width || len(a.W) < n*h ||
		rows > 0 && (len(a.Y) < (rows-1)*a.StepY+a.Width || len(a.Q) < (rows-1)*a.StepQ+a.Width) {
		misfit("Slopes", rows, n, h, a.Width, a.StepQ, a.StepX, a.StepY, len(a.W), len(a.Q), len(a.Y))
	}
	if rows == 0 || a.Width == 0 {
		return
	}
	if t.slopes == nil || h > t.lanes || n == 0 || len(a.Lanes) < a.Width*size[T]()/4 {
		slopesGo(a)
		return
	}
	t.slopeTiles(a, rows)
}
