package plan

import (
	"bytes"
	"fmt"
	"testing"

	"ganglion/internal/cpu"
	"ganglion/internal/par"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/random"
)

// The ops give the same bits whatever stands in the inputs that shapeOnly names, and do look at the others.
func TestShapeOnly(t *testing.T) {
	f := func(shape ...int) kernels.Tensor {
		x := kernels.New(kernels.S(kernels.Float64, shape...))
		for i := range x.F64 {
			x.F64[i] = float64(i + 1)
		}
		return x
	}
	i32 := func(v ...int32) kernels.Tensor { return kernels.FromSlice(v, len(v)) }
	for _, c := range []struct {
		op   kernels.Op
		in   []kernels.Tensor
		only []bool
	}{
		{dense.FillLike{Value: 2}, []kernels.Tensor{f(3)}, []bool{true}},
		{random.Uniform{Hi: 1}, []kernels.Tensor{f(3), i32(1, 2, 3, 4)}, []bool{true, false}},
		{random.Normal{Std: 1}, []kernels.Tensor{f(3), i32(1, 2, 3, 4)}, []bool{true, false}},
		{random.Bernoulli{P: 0.5}, []kernels.Tensor{f(64), i32(1, 2, 3, 4)}, []bool{true, false}},
		{dense.BroadcastTo{}, []kernels.Tensor{f(3), f(2, 3)}, []bool{false, true}},
		{dense.SumTo{}, []kernels.Tensor{f(2, 3), f(3)}, []bool{false, true}},
		{dense.Embed{Lo: 1}, []kernels.Tensor{f(2), f(5)}, []bool{false, true}},
		{dense.Reshape{}, []kernels.Tensor{f(6), f(2, 3)}, []bool{false, true}},
		{dense.Slice{Lo: 1}, []kernels.Tensor{f(5), f(2)}, []bool{false, true}},
		{dense.ScatterAdd{}, []kernels.Tensor{f(2, 3), i32(1, 0), f(4, 3)}, []bool{false, false, true}},
		{dense.Unconcat{Part: 1}, []kernels.Tensor{f(5), f(2), f(3)}, []bool{false, true, true}},
		{SizeOf{}, []kernels.Tensor{f(4)}, []bool{true}},
		{Repeat{}, []kernels.Tensor{f(2), f(3)}, []bool{false, true}},
		{dense.Unary{F: act.Neg}, []kernels.Tensor{f(2)}, []bool{false}},
		{dense.Binary{}, []kernels.Tensor{f(2), f(2)}, []bool{false, false}},
	} {
		n := &Node{Kind: Apply, Op: c.op}
		want := compute(t, c.op, c.in)
		for i, only := range c.only {
			if shapeOnly(n, i) != only {
				t.Errorf("%s: input %d: shapeOnly is %v", kernels.Name(c.op), i, !only)
			}
			in := append([]kernels.Tensor(nil), c.in...)
			in[i] = c.in[i].Clone()
			for k := range in[i].F64 {
				in[i].F64[k] += 0.5
			}
			for k := range in[i].I32 {
				in[i].I32[k] ^= 1
			}
			if got := compute(t, c.op, in); bytes.Equal(got.Memory(), want.Memory()) != only {
				t.Errorf("%s: input %d: elements count: %v", kernels.Name(c.op), i, only)
			}
		}
	}
}

func compute(t *testing.T, op kernels.Op, in []kernels.Tensor) kernels.Tensor {
	t.Helper()
	pool := par.New(1)
	defer pool.Close()
	c := kernels.NewCall(op, cpu.Go, pool)
	specs := make([]kernels.Spec, len(in))
	for i, x := range in {
		specs[i] = x.Spec
	}
	out, err := op.Infer(specs)
	if err != nil {
		t.Fatal(fmt.Sprint(kernels.Name(op), err))
	}
	c.In, c.Out = in, kernels.New(out)
	if s, ok := op.(kernels.Scratcher); ok {
		c.Work = make([]byte, s.Workspace(specs, out, 1))
	}
	op.(kernels.CPUOp).CPU(c)
	return c.Out
}

// A value that is needed for its shape alone is not computed, and one that is computed anyway is not kept for it.
func TestShapes(t *testing.T) {
	w := newWriter(t)
	x, s := w.input("x", 3, 4), w.input("s", 4)
	y := w.apply(dense.Unary{F: act.Square}, relu(w, x))
	w.output("wide", w.apply(dense.BroadcastTo{Insert: 1}, s, y))
	w.output("narrow", w.apply(dense.SumTo{}, x, w.apply(dense.Scale{Alpha: 2}, s)))
	g := w.lower()
	shaped, _ := Shapes(g)
	dead, _ := Dead(shaped)
	golden(t, "shapes", "lower", g.String(), "shapes", dead.String())

	w = newWriter(t)
	x = w.input("x", 300)
	a := relu(w, x)
	b := w.apply(dense.Unary{F: act.Exp}, w.apply(dense.Reduce{}, a))
	for range 5 {
		b = w.apply(dense.Unary{F: act.Exp}, b)
	}
	w.output("late", w.apply(dense.BroadcastTo{}, b, a))
	g = w.lower()
	if p := w.plan(g); p.Arena > 2500+512 {
		t.Errorf("arena of %d bytes: the memory of a value is kept for its shape\n%v", p.Arena, p)
	}
}
