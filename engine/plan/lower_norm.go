package plan

import (
	"math"
	"reflect"

	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/conv"
	"ganglion/kernels/dense"
)

// Running are the inputs that hold what a batch normalisation of gorgonia keeps in the op: running mean and variance,
// and the sum of squares of the last batch of training. In training their next values are further outputs of the
// lowered graph, called Next(name of the input).
type Running struct{ Mean, Variance, Squares *kernels.Node }

// Next is the name of the output that is the next value of an input.
func Next(input string) string { return input + "′" }

// Training reads the mode of an op of gorgonia that knows the difference; ok is false for all others.
func Training(n *kernels.Node) (training, ok bool) {
	switch reflect.TypeOf(n.Op()).String() {
	case "*gorgonia.BatchNormOp":
		return field(n.Op(), "training").Bool(), true
	case "*gorgonia.dropoutOp":
		return field(n.Op(), "isTraining").Bool(), true
	}
	return false, false
}

// moments are the vectors by which a batch normalisation was lowered: y = (x − mean)·inv, with the means and
// inverse deviations of the batch in training, else the running ones.
type moments struct {
	mean, inv, zero, squares int
	training                 bool
}

// batchNorm lowers a batch normalisation whose running mean and variance are inputs.
func (l *lowering) batchNorm(n *kernels.Node, in []int) int {
	running, ok := l.src.Running[n]
	x := l.g.Nodes[in[0]].Spec
	if !ok || x.Rank() < 2 {
		return -1
	}
	mean, err := l.visit(running.Mean)
	variance, err2 := l.visit(running.Variance)
	squares, err3 := l.visit(running.Squares)
	if err != nil || err2 != nil || err3 != nil {
		return -1
	}
	vector := kernels.S(x.DType, x.Shape[1])
	m := moments{squares: squares, zero: l.add(Node{Kind: Const, Spec: vector, Value: kernels.New(vector)}, n)}
	m.training, _ = Training(n)
	var next [3]int
	if m.training {
		both := l.apply(n, conv.Moments{}, in[0])
		row := func(i int) int {
			return l.apply(n, Fit{Drop: dense.On(0)}, l.apply(n, dense.Slice{Axis: 0, Lo: i, Hi: i + 1}, both))
		}
		momentum, count := field(n.Op(), "momentum").Float(), float64(x.Size()/max(1, x.Shape[1]))
		blend := func(now int, weight float64, old int) int {
			return l.apply(n, dense.Binary{Kind: dense.Add}, l.apply(n, dense.Scale{Alpha: weight}, now),
				l.apply(n, dense.Scale{Alpha: 1 - momentum}, old))
		}
		now := [2]int{row(0), row(1)}
		next = [3]int{blend(now[0], momentum, mean), blend(now[1], momentum*count/(count-1), variance),
			l.apply(n, dense.Scale{Alpha: count}, now[1])}
		mean, variance = now[0], now[1]
	}
	m.mean = mean
	m.inv = l.apply(n, dense.Unary{F: act.InvSqrt}, l.apply(n, dense.Scale{Alpha: 1,
		Beta: field(n.Op(), "epsilon").Float()}, variance))
	y := l.apply(n, conv.ChannelAffine{}, in[0], m.mean, m.inv, m.zero)
	if y < 0 || m.training && min(next[0], next[1], next[2]) < 0 {
		return -1
	}
	if m.training {
		for i, leaf := range []*kernels.Node{running.Mean, running.Variance, running.Squares} {
			l.next = append(l.next, Output{Next(l.src.Leaves[leaf].Name), next[i]})
		}
	}
	l.norms[n] = m
	return y
}

// batchNormDiff has the inputs x, the gradient and, behind them, the normalisation itself. In training it is
// (dy − mean(dy) − (x − mean)·k)·inv with k = inv²·mean((x − mean)·dy). In evaluation gorgonia scales by the running
// deviation where there is one position. Where there are more it takes the deviation of the last batch of training, in
// float64 after it has forgotten it.
func (l *lowering) batchNormDiff(n *kernels.Node, in []int) int {
	m, ok := l.norms[l.applied(n, reflect.ValueOf(n.Op()).Elem().Field(0).UnsafePointer())]
	if !ok {
		return -1
	}
	x, dy := l.g.Nodes[in[0]].Spec, in[1]
	count := x.Size() / max(1, x.Shape[1])
	affine := func(x, shift, scale int) int { return l.apply(n, conv.ChannelAffine{}, x, shift, scale, m.zero) }
	switch {
	case !m.training && count == x.Shape[0]:
		return affine(dy, m.zero, m.inv)
	case !m.training && x.DType == kernels.Float64:
		return l.apply(n, dense.Scale{Alpha: 1 / math.Sqrt(field(n.Op(), "epsilon").Float())}, dy)
	case !m.training:
		last := l.apply(n, dense.Scale{Alpha: 1 / float64(count), Beta: field(n.Op(), "epsilon").Float()}, m.squares)
		return affine(dy, m.zero, l.apply(n, dense.Unary{F: act.InvSqrt}, last))
	}
	sums := l.apply(n, dense.Scale{Alpha: 1 / float64(count)}, l.apply(n, conv.ChannelSums{}, in[0], m.mean, dy))
	row := func(i int) int {
		return l.apply(n, Fit{Drop: dense.On(0)}, l.apply(n, dense.Slice{Axis: 0, Lo: i, Hi: i + 1}, sums))
	}
	slope := l.apply(n, dense.Binary{Kind: dense.Mul}, row(0), l.apply(n, dense.Unary{F: act.Cube}, m.inv))
	return l.apply(n, dense.Binary{Kind: dense.Sub}, affine(dy, row(1), m.inv), affine(in[0], m.mean, slope))
}

// dropout is the identity where it does not draw; where it does, it draws from a generator of gorgonia's that is set by
// the clock.
func (l *lowering) dropout(n *kernels.Node, in []int) int {
	if field(n.Op(), "isTraining").Bool() && field(n.Op(), "probability").Float() != 0 {
		return -1
	}
	return in[0]
}

// dropoutDiff has the inputs x, y and the gradient, which it divides by the probability where y is not 0.
func (l *lowering) dropoutDiff(n *kernels.Node, in []int) int {
	p := field(n.Op(), "probability").Float()
	if p == 0 {
		return l.apply(n, dense.FillLike{}, in[0])
	}
	return l.apply(n, dense.Binary{Kind: dense.Mul}, l.nonZero(n, in[1]),
		l.apply(n, dense.Binary{Kind: dense.Div}, in[2], l.number(n, in[2], p)))
}

// nonZero is 1 where x is not 0, else 0.
func (l *lowering) nonZero(n *kernels.Node, x int) int {
	return l.apply(n, dense.Binary{Kind: dense.Ne}, x, l.number(n, x, 0))
}

// number is a constant of the type of x.
func (l *lowering) number(n *kernels.Node, x int, v float64) int {
	t := kernels.New(kernels.S(kernels.Float64))
	t.F64[0] = v
	t = kernels.Convert(t, l.g.Nodes[x].Spec.DType)
	return l.add(Node{Kind: Const, Spec: t.Spec, Value: t}, n)
}

// sparsemax along an axis that was named has its result in a shape that it does not belong to.
func (l *lowering) sparsemax(n *kernels.Node, in []int) int {
	if field(n.Op(), "axis").Int() != -1 {
		return -1
	}
	return l.apply(n, dense.Sparsemax{}, in...)
}

// sparsemaxDiff has the inputs y and the gradient g: on the support of each row, g minus its mean over the support.
func (l *lowering) sparsemaxDiff(n *kernels.Node, in []int) int {
	if y, g := l.g.Nodes[in[0]].Spec, l.g.Nodes[in[1]].Spec; y.Rank() != 2 || !y.Equal(g) {
		return -1 // an error of gorgonia's
	}
	on := l.nonZero(n, in[0])
	mul := func(a, b int) int { return l.apply(n, dense.Binary{Kind: dense.Mul}, a, b) }
	sum := func(a int) int { return l.apply(n, dense.Reduce{Kind: dense.Sum, Axes: dense.On(1), Keep: true}, a) }
	mean := l.apply(n, dense.Binary{Kind: dense.Div}, sum(mul(on, in[1])), sum(on))
	return mul(on, l.apply(n, dense.Binary{Kind: dense.Sub}, in[1], mean))
}
