// Package optest is the bench on which every op is tested: one table of cases per op is run against the op's own
// reference in every way the op can be executed.
package optest

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"ganglion/internal/cpu"
	"ganglion/internal/par"
	"ganglion/internal/philox"
	"ganglion/kernels"
)

// Case is one row of an op's table.
type Case struct {
	Name string
	Op   kernels.Op
	In   []Arg
	// Tol is the allowed float64 error relative to the largest |reference| value (at least 1e-300), 0 means 1e-12.
	Tol float64
	// Tol32 is the same for float32 against the float64 reference on the same float32 inputs, 0 means 1e-5. A larger
	// value needs a comment with the error that was seen.
	Tol32 float64
	// GradTol is the allowed difference between Grad and central differences, relative to 1+max|gradient|; 0 means
	// 1e-6.
	GradTol float64
	// NoGrad leaves out the gradient check; needs a comment that says where the gradient is checked instead.
	NoGrad bool
	// Linear says that the op is linear in input 0: the adjoint identity ⟨Ax, y⟩ = ⟨x, Aᵀy⟩ is checked to rounding.
	Linear bool
	// Exact says that every path must give the reference's value rounded to the type, without tolerance (moves,
	// integers).
	Exact bool
	// MayAlloc lifts the check that the CPU kernel allocates nothing; needs a comment.
	MayAlloc bool
}

// Arg makes one input of a case.
type Arg struct {
	spec  kernels.Spec
	make  func(t kernels.Tensor, stream uint32)
	below int  // elements are from 0 to below−1; 0 if they are no indices
	given bool // made for this shape alone
}

// Normal is a float input with standard normal elements. The element type follows the run (float32 or float64).
func Normal(shape ...int) Arg {
	return Arg{spec: kernels.S(kernels.Float64, shape...), make: func(t kernels.Tensor, stream uint32) {
		for i := range t.F64 {
			u := philox.Block([2]uint32{7, 11}, [4]uint32{uint32(i), stream, 1, 0})
			r := math.Sqrt(-2 * math.Log((float64(u[0])+1)/(1<<32)))
			t.F64[i] = r * math.Cos(2*math.Pi*float64(u[1])/(1<<32))
		}
	}}
}

// Uniform is a float input with elements spread evenly over [lo, hi).
func Uniform(lo, hi float64, shape ...int) Arg {
	return Arg{spec: kernels.S(kernels.Float64, shape...), make: func(t kernels.Tensor, stream uint32) {
		for i := range t.F64 {
			u := philox.Block([2]uint32{7, 11}, [4]uint32{uint32(i), stream, 2, 0})
			t.F64[i] = lo + (hi-lo)*float64(u[0])/(1<<32)
		}
	}}
}

// AwayFromZero is Normal with every element at least gap away from zero: for ops with a kink there.
func AwayFromZero(gap float64, shape ...int) Arg {
	n := Normal(shape...)
	return Arg{spec: n.spec, make: func(t kernels.Tensor, stream uint32) {
		n.make(t, stream)
		for i, v := range t.F64 {
			t.F64[i] = v + math.Copysign(gap, v)
		}
	}}
}

// Ints is an int32 input with elements from lo to hi-1. From 0 on they are indices, and hi what they are indices into.
func Ints(lo, hi int, shape ...int) Arg {
	below := hi
	if lo < 0 {
		below = 0
	}
	return Arg{spec: kernels.S(kernels.Int32, shape...), below: below, given: lo > 0,
		make: func(t kernels.Tensor, stream uint32) {
			for i := range t.I32 {
				u := philox.Block([2]uint32{7, 11}, [4]uint32{uint32(i), stream, 3, 0})
				t.I32[i] = int32(lo + int(uint64(u[0])*uint64(hi-lo)>>32))
			}
		}}
}

// Filled is an input of type d, float data as float64, that fill makes for any shape.
func Filled(d kernels.DType, fill func(t kernels.Tensor), shape ...int) Arg {
	return Arg{spec: kernels.S(d, shape...), make: func(t kernels.Tensor, _ uint32) { fill(t) }}
}

// Values is a given input: float data as float64, or int32, or byte.
func Values(v kernels.Tensor) Arg {
	return Arg{spec: v.Spec, make: func(t kernels.Tensor, _ uint32) { v.CopyTo(t) }, given: true}
}

// Check runs every case in every way its op can be executed.
func Check(t *testing.T, cases []Case) {
	t.Helper()
	if len(cases) == 0 {
		t.Fatal("optest: no cases")
	}
	dev := openDevice(t, cases)
	for _, c := range cases {
		name := c.Name
		if name == "" {
			name = fmt.Sprint(kernels.Identity(c.Op), inSpecs(c.inputs()))
		}
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) { c.run(t, dev) })
	}
	if dev != nil && !testing.Short() {
		t.Run("sizes", func(t *testing.T) { dev.sweep(t, cases) })
	}
}

// Errors checks that Infer refuses the given inputs with a message that holds want.
func Errors(t *testing.T, op kernels.Op, want string, in ...kernels.Spec) {
	t.Helper()
	out, err := op.Infer(in)
	if err == nil {
		t.Errorf("%s%v: got %v, want an error with %q", kernels.Name(op), in, out, want)
		return
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("%s%v: error %q does not say %q", kernels.Name(op), in, err, want)
	}
}

// workers are the pool sizes under which every kernel must give the same bits.
var workers = []int{1, 2, 3, 4}

func (c Case) inputs() []kernels.Tensor {
	in := make([]kernels.Tensor, len(c.In))
	for i, a := range c.In {
		in[i] = kernels.New(a.spec)
		a.make(in[i], uint32(i))
	}
	return in
}

func (c Case) run(t *testing.T, dev *device) {
	in := c.inputs()
	out, err := c.Op.Infer(inSpecs(in))
	if err != nil {
		t.Fatalf("Infer: %v", err)
	}
	if _, ok := c.Op.(kernels.CPUOp); ok {
		for _, d := range c.types(in) {
			c.checkCPU(t, convert(in, d), d)
		}
	}
	if _, ok := c.Op.(kernels.CUDAOp); ok && dev != nil && dev.affords(t, in, out) {
		for _, d := range c.types(in) {
			t.Run(fmt.Sprintf("%v/cuda", d), func(t *testing.T) { dev.check(t, c, convert(in, d), d, 2) })
		}
	}
	c.checkViews(t, in, out)
	if _, ok := c.Op.(kernels.Differentiable); ok && !c.NoGrad {
		t.Run("grad", func(t *testing.T) { c.checkGrad(t, in) })
		if c.Linear {
			t.Run("adjoint", func(t *testing.T) { c.checkAdjoint(t, in) })
		}
	}
	if nonEmpty(in) && out.Size() > 0 {
		t.Run("gorgonia", func(t *testing.T) { c.checkMachine(t, in) })
	}
}

// types lists the float types to run in: just one when no input is float.
func (c Case) types(in []kernels.Tensor) []kernels.DType {
	for _, t := range in {
		if t.DType.IsFloat() {
			return []kernels.DType{kernels.Float64, kernels.Float32}
		}
	}
	return []kernels.DType{kernels.Float64}
}

func convert(in []kernels.Tensor, d kernels.DType) []kernels.Tensor {
	out := make([]kernels.Tensor, len(in))
	for i, t := range in {
		out[i] = kernels.Convert(t, d)
	}
	return out
}

func inSpecs(in []kernels.Tensor) []kernels.Spec {
	s := make([]kernels.Spec, len(in))
	for i, t := range in {
		s[i] = t.Spec
	}
	return s
}

func nonEmpty(in []kernels.Tensor) bool {
	for _, t := range in {
		if t.Size() == 0 {
			return false
		}
	}
	return true
}

// checkCPU runs the kernel on every path and pool, in buffers of its own, and in place where that is allowed.
func (c Case) checkCPU(t *testing.T, in []kernels.Tensor, d kernels.DType) {
	want, err := kernels.RunRef(c.Op, in)
	if err != nil {
		t.Fatalf("reference: %v", err)
	}
	ref := c.wide(t, in)
	for _, path := range cpu.Paths() {
		t.Run(fmt.Sprintf("%v/%v", d, path), func(t *testing.T) {
			var first kernels.Tensor
			for _, w := range workers {
				pool := par.New(w)
				got := c.call(t, path, pool, in, want.Spec, -1)
				if w == workers[0] {
					first = got
					c.compare(t, got, ref, d)
				} else if msg := differ(got, first); msg != "" {
					t.Errorf("%d workers differ from %d: %s", w, workers[0], msg)
				}
				pool.Close()
			}
			c.checkInPlace(t, path, in, want.Spec, first)
		})
	}
	t.Run(fmt.Sprintf("%v/allocs", d), func(t *testing.T) { c.checkAllocs(t, in, want.Spec) })
}

// wide is the reference in float64 on inputs as they are, without rounding to the run's type.
func (c Case) wide(t *testing.T, in []kernels.Tensor) kernels.Tensor {
	t.Helper()
	ref, err := kernels.RunRef(c.Op, convert(in, kernels.Float64))
	if err != nil {
		t.Fatalf("reference: %v", err)
	}
	return ref
}

func (c Case) checkInPlace(t *testing.T, path cpu.Path, in []kernels.Tensor, out kernels.Spec, want kernels.Tensor) {
	p, ok := c.Op.(kernels.InPlacer)
	if !ok {
		return
	}
	pool := par.New(2)
	defer pool.Close()
	for i := range in {
		if !p.InPlace(i) || !in[i].Spec.Equal(out) {
			continue
		}
		if msg := differ(c.call(t, path, pool, in, out, i), want); msg != "" {
			t.Errorf("in place over input %d: %s", i, msg)
		}
	}
}

// call executes the kernel once in padded buffers: the padding and the output are NaN (or a pattern) before, and the
// padding must be so afterwards. With over >= 0 the output lies over that input.
func (c Case) call(
	t *testing.T,
	path cpu.Path,
	pool *par.Pool,
	in []kernels.Tensor,
	out kernels.Spec,
	over int,
) kernels.Tensor {
	t.Helper()
	call, guards := c.bind(path, pool, in, out, over)
	c.Op.(kernels.CPUOp).CPU(call)
	for i, g := range guards {
		if !g.intact() {
			t.Errorf("wrote outside of its memory (buffer %d of %d inputs, the output, scratch)", i, len(in))
		}
	}
	for i, a := range in {
		if i == over {
			continue
		}
		if c.shapeOnly(i) {
			a = a.Clone()
			spoil(a)
		}
		if msg := differ(call.In[i], a); msg != "" {
			t.Errorf("changed its input %d: %s", i, msg)
		}
	}
	return call.Out
}

func (c Case) bind(
	path cpu.Path,
	pool *par.Pool,
	in []kernels.Tensor,
	out kernels.Spec,
	over int,
) (*kernels.Call, []guard) {
	call := kernels.NewCall(c.Op, path, pool)
	var guards []guard
	for _, a := range in {
		g, b := newGuard(a.Spec)
		a.CopyTo(b)
		if c.shapeOnly(len(call.In)) {
			spoil(b) // may hold anything
		}
		call.In, guards = append(call.In, b), append(guards, g)
	}
	if over >= 0 {
		call.Out = call.In[over]
	} else {
		g, b := newGuard(out)
		call.Out, guards = b, append(guards, g)
	}
	if s, ok := c.Op.(kernels.Scratcher); ok {
		n := s.Workspace(inSpecs(in), out, pool.Workers())
		g, b := newGuard(kernels.S(kernels.Byte, n))
		call.Work, guards = b.U8, append(guards, g)
	}
	if s, ok := c.Op.(kernels.Reserver); ok {
		n := s.Reserve(inSpecs(in), out, pool.Workers())
		g, b := newGuard(kernels.S(kernels.Byte, n))
		call.Reserve, guards = b.U8, append(guards, g)
	}
	return call, guards
}

// shapeOnly reports whether the op looks at the shape of input i alone.
func (c Case) shapeOnly(i int) bool {
	r, ok := c.Op.(kernels.ShapeReader)
	return ok && r.ShapeOnly(i)
}

// spoil fills a tensor with NaN, and integers with -1.
func spoil(t kernels.Tensor) {
	for i := range t.Memory() {
		t.Memory()[i] = 0xff
	}
}

func (c Case) checkAllocs(t *testing.T, in []kernels.Tensor, out kernels.Spec) {
	if c.MayAlloc {
		return
	}
	pool := par.New(2)
	defer pool.Close()
	call, _ := c.bind(cpu.Best(), pool, in, out, -1)
	k := c.Op.(kernels.CPUOp)
	if n := testing.AllocsPerRun(5, func() { k.CPU(call) }); n > 0 {
		t.Errorf("the kernel allocates %v times a run", n)
	}
}

func (c Case) compare(t *testing.T, got, ref kernels.Tensor, d kernels.DType) {
	t.Helper()
	if !ref.DType.IsFloat() || c.Exact {
		if msg := differ(got, kernels.Convert(ref, got.DType)); msg != "" {
			t.Errorf("differs from the reference: %s", msg)
		}
		return
	}
	tol := c.Tol
	if tol == 0 {
		tol = 1e-12
	}
	if d == kernels.Float32 {
		if tol = c.Tol32; tol == 0 {
			tol = 1e-5
		}
	}
	if msg := Compare(kernels.Convert(got, kernels.Float64).F64, ref.F64, tol); msg != "" {
		t.Errorf("differs from the reference: %s", msg)
	}
}

// Compare returns "" when got equals want within tol times the largest finite |want|, with infinities and NaN in the
// same places; else it says where the worst element is.
func Compare(got, want []float64, tol float64) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d elements, want %d", len(got), len(want))
	}
	scale := 1e-300
	for _, v := range want {
		if !math.IsInf(v, 0) && !math.IsNaN(v) {
			scale = max(scale, math.Abs(v))
		}
	}
	worst, at := 0.0, -1
	for i, v := range want {
		g := got[i]
		if g == v || math.IsNaN(g) && math.IsNaN(v) {
			continue
		}
		e := math.Abs(g-v) / scale
		if math.IsNaN(e) || math.IsInf(v, 0) || math.IsInf(g, 0) {
			return fmt.Sprintf("element %d is %v, want %v", i, g, v)
		}
		if e > worst {
			worst, at = e, i
		}
	}
	if worst > tol {
		return fmt.Sprintf(
			"element %d is %v, want %v: relative error %.3g, allowed %.3g",
			at,
			got[at],
			want[at],
			worst,
			tol,
		)
	}
	return ""
}

// differ compares bit by bit (all NaN are equal) and says where the first difference is.
func differ(a, b kernels.Tensor) string {
	if !a.Spec.Equal(b.Spec) {
		return fmt.Sprintf("%v and %v", a.Spec, b.Spec)
	}
	for i, v := range a.F32 {
		if w := b.F32[i]; math.Float32bits(v) != math.Float32bits(w) && (v == v || w == w) {
			return fmt.Sprintf("element %d: %v and %v", i, v, w)
		}
	}
	for i, v := range a.F64 {
		if w := b.F64[i]; math.Float64bits(v) != math.Float64bits(w) && (v == v || w == w) {
			return fmt.Sprintf("element %d: %v and %v", i, v, w)
		}
	}
	for i, v := range a.I32 {
		if v != b.I32[i] {
			return fmt.Sprintf("element %d: %v and %v", i, v, b.I32[i])
		}
	}
	for i, v := range a.U8 {
		if v != b.U8[i] {
			return fmt.Sprintf("element %d: %v and %v", i, v, b.U8[i])
		}
	}
	return ""
}
