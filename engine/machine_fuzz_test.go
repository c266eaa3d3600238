package engine_test

import (
	"flag"
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/kernels"
)

var full = flag.Bool("full", false, "run the long forms of tests")

// weaver writes random graphs of built-in ops of gorgonia. Values are kept small, so that errors of rounding stay so
// too.
type weaver struct {
	dice
	g    *gorgonia.ExprGraph
	d    tensor.Dtype
	pool gorgonia.Nodes // tensors of one to four dimensions
	nums gorgonia.Nodes // numbers
	wrt  gorgonia.Nodes
	idx  *gorgonia.Node
	eval bool // the graph is run in evaluation
}

// weave writes a graph, unless gorgonia cannot: it panics at some gradients of its own.
func weave(seed uint64, d tensor.Dtype, eval bool) (e *example, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, err = nil, fmt.Errorf("%v", r)
		}
	}()
	w := &weaver{dice: newDice(seed), g: gorgonia.NewGraph(), d: d, eval: eval}
	for i := range 2 + w.below(3) {
		shape := make([]int, 1+w.below(3))
		for k := range shape {
			shape[k] = w.dim()
		}
		w.wrt = append(w.wrt, in(w.g, d, fmt.Sprint("x", i), seed*16+uint64(i), 0.7, shape...))
	}
	w.pool = append(w.pool, w.wrt...)
	w.idx = gorgonia.NewVector(w.g, tensor.Int, gorgonia.WithShape(3), gorgonia.WithName("idx"),
		gorgonia.WithValue(tensor.New(tensor.WithBacking([]int{0, w.below(2), 0}))))
	for range 3 + w.below(20) {
		w.grow()
	}
	e = &example{g: w.g}
	cost, err := w.cost()
	if err != nil {
		return nil, err
	}
	reached := gorgonia.Nodes{}
	for _, x := range w.wrt {
		if below(cost, x) {
			reached = append(reached, x)
		}
	}
	roots := gorgonia.Nodes{cost, w.pool[w.below(len(w.pool))], w.pool[len(w.pool)-1]}
	if len(reached) > 0 && w.below(4) > 0 {
		grads, err := gorgonia.Grad(cost, reached...)
		if err != nil {
			return nil, err
		}
		roots = append(roots, grads...)
	}
	for _, n := range roots {
		if n.Op() != nil && len(kernels.Children(n)) > 0 {
			e.read(n)
		}
	}
	return e, nil
}

// below reports whether n depends on x.
func below(n, x *gorgonia.Node) bool {
	seen := map[*gorgonia.Node]bool{}
	list := gorgonia.Nodes{n}
	for len(list) > 0 {
		n := list[len(list)-1]
		if list = list[:len(list)-1]; n == x {
			return true
		}
		for _, c := range kernels.Children(n) {
			if !seen[c] {
				seen[c] = true
				list = append(list, c)
			}
		}
	}
	return false
}

// dim is a size: mostly 2 to 4, now and then 1.
func (w *weaver) dim() int {
	if w.below(12) == 0 {
		return 1
	}
	return 2 + w.below(3)
}

func (w *weaver) pick() *gorgonia.Node { return w.pool[w.below(len(w.pool))] }

// cost is a number that depends on the last tensors and on the numbers.
func (w *weaver) cost() (*gorgonia.Node, error) {
	s := new(steps)
	cost := s.ok(gorgonia.Sum(w.pool[len(w.pool)-1]))
	for range w.below(3) {
		cost = s.add(cost, s.mean(w.pick()))
	}
	for _, n := range w.nums {
		cost = s.add(cost, n)
	}
	return s.do(gorgonia.Tanh, cost), s.err
}

// grow adds an op, if one can be had.
func (w *weaver) grow() {
	a, b := w.pick(), w.pick()
	kinds := []func(a, b *gorgonia.Node) (*gorgonia.Node, error){w.unary, w.binary, w.binary, w.withNumber, w.product,
		w.reduce, w.shape, w.slice, w.join, w.soft, w.spread, w.single, w.image, w.norm}
	n, err := w.try(kinds[w.below(len(kinds))], a, b)
	switch {
	case err != nil || n == nil:
	case n.IsScalar():
		w.nums = append(w.nums, n)
	case n.Shape().Dims() >= 1 && n.Shape().Dims() <= 4 && n.Shape().TotalSize() < 2000:
		w.pool = append(w.pool, n)
	}
}

// try calls f; what gorgonia panics with while it writes a graph only means that there is no such node.
func (w *weaver) try(
	f func(a, b *gorgonia.Node) (*gorgonia.Node, error),
	a, b *gorgonia.Node,
) (n *gorgonia.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			n, err = nil, fmt.Errorf("%v", r)
		}
	}()
	return f(a, b)
}

func (w *weaver) unary(a, _ *gorgonia.Node) (*gorgonia.Node, error) {
	tame := [...]func(*gorgonia.Node) (*gorgonia.Node, error){
		gorgonia.Tanh,
		gorgonia.Sigmoid,
		gorgonia.Sin,
		gorgonia.Cos,
		gorgonia.Neg,
		gorgonia.Abs,
		gorgonia.Softplus,
		gorgonia.Rectify,
	}
	wild := [...]func(*gorgonia.Node) (*gorgonia.Node, error){
		gorgonia.Square,
		gorgonia.Cube,
		gorgonia.Exp,
		gorgonia.Expm1,
	}
	s := new(steps)
	switch w.below(4) {
	case 0:
		return s.do(wild[w.below(len(wild))], s.do(gorgonia.Tanh, a)), s.err
	case 1: // functions of positive numbers
		x := s.do(gorgonia.Sigmoid, a)
		f := [...]func(*gorgonia.Node) (*gorgonia.Node, error){
			gorgonia.Log1p,
			gorgonia.Sqrt,
			gorgonia.Inverse,
			gorgonia.Log2,
			gorgonia.InverseSqrt,
		}
		return s.do(f[w.below(len(f))], x), s.err
	}
	return tame[w.below(len(tame))](a)
}

// partner is a tensor of a's shape.
func (w *weaver) partner(a *gorgonia.Node) *gorgonia.Node {
	var fits gorgonia.Nodes
	for _, n := range w.pool {
		if n.Shape().Eq(a.Shape()) && n.Dims() == a.Dims() {
			fits = append(fits, n)
		}
	}
	return fits[w.below(len(fits))]
}

func (w *weaver) binary(a, _ *gorgonia.Node) (*gorgonia.Node, error) {
	b := w.partner(a)
	s := new(steps)
	switch w.below(7) {
	case 0:
		return s.do(gorgonia.Tanh, s.add(a, b)), s.err
	case 1:
		return gorgonia.Sub(a, b)
	case 2:
		return s.do(gorgonia.Tanh, s.had(a, b)), s.err
	case 3:
		return s.ok(gorgonia.HadamardDiv(a, s.add(s.do(gorgonia.Sigmoid, b), number(w.d, 1)))), s.err
	case 4:
		return gorgonia.Gt(a, b, true)
	case 5:
		return s.ok(gorgonia.Pow(s.add(s.do(gorgonia.Sigmoid, a), number(w.d, 0.5)), s.do(gorgonia.Tanh, b))), s.err
	}
	return gorgonia.Lte(a, b, true)
}

// withNumber joins a tensor and a number: a constant or a computed one, on either side.
func (w *weaver) withNumber(a, _ *gorgonia.Node) (*gorgonia.Node, error) {
	x := number(w.d, 0.25+float64(w.below(4)))
	if len(w.nums) > 0 && w.below(2) == 0 {
		x = gorgonia.Must(gorgonia.Tanh(w.nums[w.below(len(w.nums))]))
	}
	f := [...]func(a, b *gorgonia.Node) (*gorgonia.Node, error){gorgonia.Add, gorgonia.Sub, gorgonia.Mul}[w.below(3)]
	s := new(steps)
	if w.below(2) == 0 {
		return s.do(gorgonia.Tanh, s.ok(f(x, a))), s.err
	}
	return s.do(gorgonia.Tanh, s.ok(f(a, x))), s.err
}

func (w *weaver) product(a, b *gorgonia.Node) (*gorgonia.Node, error) {
	s := new(steps)
	switch {
	case a.Dims() == 3 && w.below(2) == 0:
		return s.do(gorgonia.Tanh, s.ok(gorgonia.BatchedMatMul(a, w.partner(a), false, true))), s.err
	case a.Dims() == 2 && w.below(3) == 0:
		return s.do(gorgonia.Tanh, s.mul(a, s.ok(gorgonia.Transpose(w.partner(a))))), s.err
	case a.Dims() == 1 && b.Dims() == 1 && w.below(2) == 0 && a.Shape().Eq(b.Shape()):
		return s.do(gorgonia.Tanh, s.ok(gorgonia.OuterProd(a, b))), s.err
	case a.Dims() > 2 || b.Dims() > 2:
		axes := [2]int{w.below(a.Dims()), w.below(b.Dims())}
		return s.do(gorgonia.Tanh, s.ok(gorgonia.Tensordot(axes[:1], axes[1:], a, b))), s.err
	}
	if as, bs := a.Shape(), b.Shape(); as[len(as)-1] != bs[0] && !(len(as) == 1 && as[0] == bs[len(bs)-1]) {
		return nil, nil // gorgonia finds out only when it runs
	} else if len(as) == 1 && as[0] != bs[0] {
		a, b = b, a
	}
	return s.do(gorgonia.Tanh, s.mul(a, b)), s.err
}

func (w *weaver) reduce(a, _ *gorgonia.Node) (*gorgonia.Node, error) {
	s, axis, kind := new(steps), w.below(a.Dims()), w.below(5)
	if a.Dims() > 3 { // gorgonia's are wrong here: see TestMachineReductionsOfFourDimensions
		kind = 0
	}
	switch kind {
	case 0:
		return s.do(gorgonia.Tanh, s.ok(gorgonia.Sum(a))), s.err
	case 1:
		return gorgonia.Mean(a, axis)
	case 2:
		return gorgonia.Max(a, axis)
	}
	return s.do(gorgonia.Tanh, s.ok(gorgonia.Sum(a, axis))), s.err
}

func (w *weaver) shape(a, _ *gorgonia.Node) (*gorgonia.Node, error) {
	shape := a.Shape()
	switch w.below(3) {
	case 0:
		return gorgonia.Reshape(a, tensor.Shape{shape.TotalSize()})
	case 1:
		return gorgonia.Reshape(a, tensor.Shape{shape[len(shape)-1], shape.TotalSize() / shape[len(shape)-1]})
	}
	perm := make([]int, len(shape))
	for i := range perm {
		perm[i] = i
	}
	for i := range perm {
		k := i + w.below(len(perm)-i)
		perm[i], perm[k] = perm[k], perm[i]
	}
	return gorgonia.Transpose(a, perm...)
}

func (w *weaver) slice(a, _ *gorgonia.Node) (*gorgonia.Node, error) {
	parts := make([]tensor.Slice, 0, a.Dims())
	for _, n := range a.Shape() {
		lo := w.below(n)
		switch w.below(3) {
		case 0:
			parts = append(parts, nil)
		case 1:
			parts = append(parts, gorgonia.S(lo, lo+1+w.below(n-lo)))
		default:
			parts = append(parts, gorgonia.S(lo))
		}
	}
	return gorgonia.Slice(a, parts[:1+w.below(len(parts))]...)
}

func (w *weaver) join(a, _ *gorgonia.Node) (*gorgonia.Node, error) {
	return gorgonia.Concat(w.below(a.Dims()), a, w.partner(a))
}

// soft leaves columns alone: of these gorgonia's gradient is wrong, see TestMachineSoftmaxGradientOfColumn.
func (w *weaver) soft(a, _ *gorgonia.Node) (*gorgonia.Node, error) {
	if a.Shape().IsColVec() {
		return nil, nil
	}
	if w.below(2) == 0 {
		return gorgonia.SoftMax(a, w.below(a.Dims()))
	}
	return gorgonia.SoftMax(a)
}

// norm is an op with a state or a mode, or one with a kink: batch normalisation, dropout (which evaluation makes the
// identity) and the projection on the simplex, of whose gradient gorgonia knows that of matrices.
func (w *weaver) norm(a, _ *gorgonia.Node) (*gorgonia.Node, error) {
	switch s := new(steps); {
	case w.below(3) == 0 && w.eval:
		return gorgonia.Dropout(a, 0.25)
	case a.Dims() == 2 && w.below(2) == 0:
		return gorgonia.Sparsemax(s.do(gorgonia.Tanh, a))
	case a.Dims() < 2:
		return nil, nil
	}
	n, _, _, _, err := gorgonia.BatchNorm(a, w.partner(a), w.partner(a), 0.9, 0.01)
	if err != nil {
		return nil, err
	}
	return gorgonia.Tanh(n)
}

// spread is a sum that is broadcast again: along the first axis or the last.
func (w *weaver) spread(a, _ *gorgonia.Node) (*gorgonia.Node, error) {
	if a.Dims() != 2 {
		return nil, nil
	}
	axis, s := w.below(2), new(steps)
	row := s.ok(gorgonia.Sum(a, axis))
	if s.err != nil || row.IsScalar() {
		return nil, s.err
	}
	f := [...]func(a, b *gorgonia.Node, l, r []byte) (*gorgonia.Node, error){gorgonia.BroadcastAdd,
		gorgonia.BroadcastSub,
		gorgonia.BroadcastHadamardProd}[w.below(3)]
	if w.below(2) == 0 {
		return s.do(gorgonia.Tanh, s.ok(f(a, row, nil, []byte{byte(axis)}))), s.err
	}
	return s.do(gorgonia.Tanh, s.ok(f(row, a, []byte{byte(axis)}, nil))), s.err
}

// single takes rows by their numbers; of a vector gorgonia's gradient is wrong, see TestMachineIndexGradientOfVector.
func (w *weaver) single(a, _ *gorgonia.Node) (*gorgonia.Node, error) {
	if a.Shape()[0] < 2 || a.Dims() < 2 {
		return nil, nil
	}
	return gorgonia.ByIndices(a, w.idx, 0)
}

// images returns a tensor in the shape of images [batch, channels, height, width].
func (w *weaver) images(a *gorgonia.Node) (*gorgonia.Node, error) {
	shape := append(tensor.Shape(nil), a.Shape()...)
	for len(shape) < 4 {
		at := w.below(len(shape) + 1)
		shape = append(shape[:at], append(tensor.Shape{1}, shape[at:]...)...)
	}
	return gorgonia.Reshape(a, shape)
}

// window is a size that fits in an extent with padding.
func (w *weaver) window(extent, pad int) int { return 1 + w.below(min(3, extent+2*pad)) }

// image is an op over images: convolutions with kernels made of another tensor, pooling, normalisation, and so on.
func (w *weaver) image(a, b *gorgonia.Node) (*gorgonia.Node, error) {
	s := new(steps)
	x := s.ok(w.images(a))
	if s.err != nil {
		return nil, s.err
	}
	size := x.Shape()
	pad, stride, dilation := []int{w.below(2), w.below(3)}, []int{1 + w.below(2), 1 + w.below(3)}, []int{1, 1}
	kernel := tensor.Shape{w.window(size[2], pad[0]), w.window(size[3], pad[1])}
	for i := range 2 {
		if room := size[2+i] + 2*pad[i] - 2*kernel[i] + 1; room >= 0 {
			dilation[i] += w.below(2)
		}
	}
	switch w.below(6) {
	case 0:
		return s.ok(gorgonia.Im2Col(x, kernel, pad, stride, dilation)), s.err
	case 1, 2:
		return w.convolve(s, x, b, kernel, pad, stride, dilation)
	case 3:
		for i := range 2 {
			pad[i] = min(pad[i], kernel[i]-1)
		}
		return s.ok(gorgonia.MaxPool2D(x, kernel, pad, stride)), s.err
	case 4:
		return gorgonia.Upsample2D(x, 1+w.below(3))
	}
	ones := number(w.d, 1)
	return gorgonia.DiagFlat(s.add(s.do(gorgonia.Tanh, s.ok(gorgonia.Sum(x, 0, 1, 2))), ones))
}

// convolve takes as many kernels from b, repeated, as it has room for.
func (w *weaver) convolve(
	s *steps, x, b *gorgonia.Node, kernel tensor.Shape, pad, stride, dilation []int,
) (*gorgonia.Node, error) {
	channels := x.Shape()[1]
	need := channels * kernel.TotalSize()
	flat := s.ok(gorgonia.Reshape(b, tensor.Shape{b.Shape().TotalSize()}))
	for s.err == nil && flat.Shape()[0] < need {
		flat = s.ok(gorgonia.Concat(0, flat, s.do(gorgonia.Tanh, flat)))
	}
	if s.err != nil {
		return nil, s.err
	}
	out := min(4, flat.Shape()[0]/need)
	if flat.Shape()[0] > out*need {
		flat = s.ok(gorgonia.Slice(flat, gorgonia.S(0, out*need)))
	}
	k := s.ok(gorgonia.Reshape(flat, tensor.Shape{out, channels, kernel[0], kernel[1]}))
	return s.do(gorgonia.Tanh, s.ok(gorgonia.Conv2d(x, k, kernel, pad, stride, dilation))), s.err
}
