package plan

import (
	"reflect"
	"strings"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// builtin lowers a built-in op of gorgonia v0.9.18. Ops are told apart by the names of their types and by their
// texts, since the types are not exported; a test fails when these drift. What has no rule, or does not pass the
// checks of our op, is Foreign.
func (l *lowering) builtin(n *kernels.Node, in []int) (int, error) {
	if c, ok := n.Op().(interface{ Value() gorgonia.Value }); ok && len(in) == 0 {
		return l.constant(n, c.Value())
	}
	if l.src.AsIs != nil && l.src.AsIs(n) {
		return l.foreign(n, in)
	}
	id := -1
	kind := strings.TrimPrefix(reflect.TypeOf(n.Op()).String(), "*")
	if rule, ok := l.rules[kind]; ok {
		id = rule(l, n, in)
	}
	if id >= 0 && l.g.Nodes[id].Spec.Equal(SpecOf(n)) {
		return id, nil
	}
	return l.foreign(n, in)
}

// lowerRule adds the nodes that do what n does over the inputs, and returns the one of the value, or -1 when it does
// not apply.
type lowerRule func(l *lowering, n *kernels.Node, in []int) int

// lowerings are the rules, by the type of op.
func lowerings() map[string]lowerRule {
	return map[string]lowerRule{
		"gorgonia.elemBinOp":           (*lowering).binary,
		"gorgonia.elemUnaryOp":         (*lowering).unary,
		"gorgonia.linAlgBinOp":         (*lowering).product,
		"gorgonia.tensordotOp":         (*lowering).tensordot,
		"gorgonia.sumOp":               (*lowering).sum,
		"gorgonia.maxOp":               (*lowering).largest,
		"gorgonia.minBetween":          (*lowering).minBetween,
		"gorgonia.maxBetween":          (*lowering).maxBetween,
		"gorgonia.reshapeOp":           (*lowering).reshape,
		"gorgonia.transposeOp":         (*lowering).transpose,
		"gorgonia.sizeOp":              (*lowering).size,
		"gorgonia.repeatOp":            (*lowering).repeat,
		"gorgonia.softmaxOp":           (*lowering).softmax,
		"gorgonia.softmaxDiffOp":       (*lowering).softmaxDiff,
		"gorgonia.concatOp":            (*lowering).concat,
		"gorgonia.sliceOp":             (*lowering).slice,
		"gorgonia.sliceIncrOp":         (*lowering).sliceIncr,
		"gorgonia.atOp":                (*lowering).element,
		"gorgonia.byIndicesOp":         (*lowering).byIndices,
		"gorgonia.byIndicesOpDiffOp":   (*lowering).byIndicesDiff,
		"gorgonia.dtConvOp":            (*lowering).convert,
		"gorgonia.Iop":                 (*lowering).same,
		"gorgonia.im2colOp":            (*lowering).unfold,
		"gorgonia.col2imOp":            (*lowering).fold,
		"gorgonia.maxPoolOp":           (*lowering).maxPool,
		"gorgonia.maxPoolDiffOp":       (*lowering).maxPoolDiff,
		"gorgonia.upsampleOp":          (*lowering).upsample,
		"gorgonia.upsampleDiffOp":      (*lowering).upsampleDiff,
		"gorgonia.globalAveragePoolOp": (*lowering).globalAverage,
		"gorgonia.GroupNormOp":         (*lowering).groupNorm,
		"gorgonia.groupNormDiffOp":     (*lowering).groupNormDiff,
		"gorgonia.diagFlatOp":          (*lowering).diagonal,
		"gorgonia.BatchNormOp":         (*lowering).batchNorm,
		"gorgonia.batchnormDiffOp":     (*lowering).batchNormDiff,
		"gorgonia.dropoutOp":           (*lowering).dropout,
		"gorgonia.dropoutDiffOp":       (*lowering).dropoutDiff,
		"gorgonia.sparsemaxOp":         (*lowering).sparsemax,
		"gorgonia.sparsemaxDiffOp":     (*lowering).sparsemaxDiff,
	}
}

// apply adds one of our ops for node n; -1 when the op does not take the inputs, or one of them is -1.
func (l *lowering) apply(n *kernels.Node, op kernels.Op, in ...int) int {
	specs := make([]kernels.Spec, len(in))
	for i, c := range in {
		if c < 0 {
			return -1
		}
		specs[i] = l.g.Nodes[c].Spec
	}
	spec, err := op.Infer(specs)
	if err != nil {
		return -1
	}
	return l.add(Node{Kind: Apply, Op: op, In: append([]int(nil), in...), Spec: spec,
		Notes: []string{"lowered " + n.Op().String()}}, n)
}

func binaryKinds() map[string]dense.Kind {
	return map[string]dense.Kind{"+": dense.Add, "-": dense.Sub, "⊙": dense.Mul, "÷": dense.Div, "^": dense.Pow,
		"<": dense.Lt, ">": dense.Gt, "<=": dense.Lte, ">=": dense.Gte, "==": dense.Eq, "!=": dense.Ne}
}

func (l *lowering) binary(n *kernels.Node, in []int) int {
	word, _, _ := strings.Cut(n.Op().String(), " ")
	kind, ok := binaryKinds()[word]
	if !ok {
		return -1
	}
	id := l.apply(n, dense.Binary{Kind: kind}, in...)
	if n.Dtype() == tensor.Bool {
		return l.apply(n, dense.Cast{To: kernels.Byte}, id)
	}
	return id
}

func unaryFuncs() map[string]act.Func {
	return map[string]act.Func{
		"abs": act.Abs, "sign": act.Sign, "ceil": act.Ceil, "floor": act.Floor, "sin": act.Sin, "cos": act.Cos,
		"exp": act.Exp, "ln": act.Log, "log2": act.Log2, "neg": act.Neg, "square": act.Square, "sqrt": act.Sqrt,
		"inv": act.Inv, "invSqrt": act.InvSqrt, "cube": act.Cube, "tanh": act.Tanh, "sigmoid": act.Sigmoid,
		"log1p": act.Log1p, "expm1": act.Expm1, "softplus": act.Softplus,
	}
}

func (l *lowering) unary(n *kernels.Node, in []int) int {
	f, ok := unaryFuncs()[n.Op().String()]
	if !ok {
		return -1
	}
	return l.apply(n, dense.Unary{F: f}, in...)
}

// product lowers the linear algebra ops; vectors become matrices of one row or column.
func (l *lowering) product(n *kernels.Node, in []int) int {
	text := n.Op().String()
	transA, transB := strings.HasPrefix(text, "Aᵀ"), strings.HasSuffix(text, "ᵀ")
	fit := func(id int, insert ...int) int { return l.apply(n, Fit{Insert: dense.On(insert...)}, id) }
	drop := func(id int, axes ...int) int { return l.apply(n, Fit{Drop: dense.On(axes...)}, id) }
	rank := func(i int) int { return l.g.Nodes[in[i]].Spec.Rank() }
	switch strings.Trim(text, "AaBbᵀ ") {
	case "×":
		if rank(1) == 1 {
			return drop(l.apply(n, dense.GEMM{TransA: transA}, in[0], fit(in[1], 1)), 1)
		}
		return l.apply(n, dense.GEMM{TransA: transA, TransB: transB}, in...)
	case "⋅":
		if rank(0) == 1 && rank(1) == 1 {
			return drop(l.apply(n, dense.GEMM{}, fit(in[0], 0), fit(in[1], 1)), 0, 1)
		}
	case "⊗":
		if rank(0) == 1 && rank(1) == 1 {
			return l.apply(n, dense.GEMM{}, fit(in[0], 1), fit(in[1], 0))
		}
	case "×××":
		return l.apply(n, dense.BatchedGEMM{TransA: transA, TransB: transB}, in...)
	}
	return -1
}

// axesOf is a set of axes; ok is false when there are too many.
func axesOf(list []int) (set dense.Axes, ok bool) {
	for _, a := range list {
		if a < 0 || a >= dense.MaxRank {
			return 0, false
		}
		set |= dense.On(a)
	}
	return set, true
}

func (l *lowering) reduce(n *kernels.Node, in []int, kind dense.Kind) int {
	axes, ok := axesOf(intsOf(field(n.Op(), "along")))
	if !ok {
		return -1
	}
	return l.apply(n, dense.Reduce{Kind: kind, Axes: axes}, in...)
}

func (l *lowering) sum(n *kernels.Node, in []int) int     { return l.reduce(n, in, dense.Sum) }
func (l *lowering) largest(n *kernels.Node, in []int) int { return l.reduce(n, in, dense.Max) }

func (l *lowering) reshape(n *kernels.Node, in []int) int {
	from, to := l.g.Nodes[in[0]].Spec.Shape, SpecOf(n).Shape
	if fit, ok := fitting(from, to); ok {
		return l.apply(n, fit, in...)
	}
	return l.apply(n, dense.Reshape{To: dense.ShapeOf(to...)}, in...)
}

func (l *lowering) transpose(n *kernels.Node, in []int) int {
	return l.apply(n, dense.NewTranspose(intsOf(field(n.Op(), "pattern"))...), in...)
}

// repeat lowers a Repeat whose count is the size of an axis or a constant.
func (l *lowering) repeat(n *kernels.Node, in []int) int {
	axis := int(field(n.Op(), "along").Int())
	x := in[0]
	for l.g.Nodes[x].Spec.Rank() <= axis {
		if x = l.apply(n, Fit{Insert: dense.On(l.g.Nodes[x].Spec.Rank())}, x); x < 0 {
			return -1
		}
	}
	count := &l.g.Nodes[in[1]]
	if size, ok := count.Op.(SizeOf); ok {
		return l.apply(n, Repeat{Axis: axis, From: size.Axis}, x, count.In[0])
	}
	if v, ok := scalarValue(count); ok && v == float64(int(v)) {
		return l.apply(n, Repeat{Axis: axis, Times: int(v)}, x)
	}
	return -1
}

// softmaxAxis is the axis of a softmax, counted from the last, as gorgonia takes it: a column is a vector.
func softmaxAxis(n *kernels.Node, shape []int) int {
	axis := int(field(n.Op(), "axis").Int())
	if axis == -1 {
		axis = len(shape) - 1
		if len(shape) == 2 && shape[1] == 1 && shape[0] > 1 {
			axis = 0
		}
	}
	return len(shape) - 1 - axis
}

func (l *lowering) softmax(n *kernels.Node, in []int) int {
	axis := softmaxAxis(n, l.g.Nodes[in[0]].Spec.Shape)
	if field(n.Op(), "isLog").Bool() {
		return l.apply(n, dense.LogSoftmax{FromLast: axis}, in...)
	}
	return l.apply(n, dense.Softmax{FromLast: axis}, in...)
}

// softmaxDiff is y∘(g − Σ y∘g), and g − exp(y)·Σ g for the logarithm, where the inputs are x, y and g.
func (l *lowering) softmaxDiff(n *kernels.Node, in []int) int {
	shape := l.g.Nodes[in[0]].Spec.Shape
	axes, ok := axesOf([]int{len(shape) - 1 - softmaxAxis(n, shape)})
	if !ok {
		return -1
	}
	y, g := in[1], in[2]
	mul := func(a, b int) int { return l.apply(n, dense.Binary{Kind: dense.Mul}, a, b) }
	sub := func(a, b int) int { return l.apply(n, dense.Binary{Kind: dense.Sub}, a, b) }
	sum := func(a int) int { return l.apply(n, dense.Reduce{Kind: dense.Sum, Axes: axes, Keep: true}, a) }
	if field(n.Op(), "isLog").Bool() {
		return sub(g, mul(l.apply(n, dense.Unary{F: act.Exp}, y), sum(g)))
	}
	return mul(y, sub(g, sum(mul(y, g))))
}
