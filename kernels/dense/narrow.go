package dense

import (
	"math"

	"ganglion/kernels"
)

// Narrow stores numbers in 16 bits: each becomes the nearest one of a format.
// Input: x float [...].  Output: byte [..., 2], the bits of each number, low byte first.
//
// It has no gradient, since bytes have none: the planner puts it where gradients are done.
type Narrow struct{ To Format } // BF16 or F16

var (
	_ kernels.CPUOp  = Narrow{}
	_ kernels.CUDAOp = Narrow{}
)

// wantHalf checks a format of 16 bits.
func wantHalf(op kernels.Op, in []kernels.Spec, f Format) error {
	if f != BF16 && f != F16 {
		return kernels.Errorf(op, in, kernels.ErrDType, "only bf16 and f16 are stored in 16 bits, not %v", f)
	}
	return nil
}

// Infer appends a dimension of two bytes.
func (o Narrow) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(o, in, 1); err != nil {
		return kernels.Spec{}, err
	}
	if err := wantHalf(o, in, o.To); err != nil {
		return kernels.Spec{}, err
	}
	return kernels.S(kernels.Byte, append(append([]int(nil), in[0].Shape...), 2)...), nil
}

// bits are those of a number of the format, which BF16 and F16 have 16 of.
func (f Format) bits(x float64) uint16 {
	if f == BF16 {
		if x != x {
			return 0x7fc0
		}
		return uint16(math.Float32bits(float32(x)) >> 16)
	}
	sign := uint16(math.Float64bits(x) >> 48 & 0x8000)
	switch a := math.Abs(x); {
	case a != a:
		return 0x7e00
	case a > 65504:
		return sign | 0x7c00
	case a < 1.0/(1<<14):
		return sign | uint16(a*(1<<24))
	default:
		_, e := math.Frexp(a) // a is in [2^(e−1), 2^e)
		return sign | uint16((e+14)<<10) + uint16(math.Ldexp(a, 11-e)) - 1<<10
	}
}

// number is what 16 bits of the format stand for.
func (f Format) number(b uint16) float64 {
	if f == BF16 {
		return float64(math.Float32frombits(uint32(b) << 16))
	}
	x, e := float64(b&0x3ff), int(b>>10&31)
	switch {
	case e == 31 && x > 0:
		x = math.NaN()
	case e == 31:
		x = math.Inf(1)
	case e == 0:
		x = math.Ldexp(x, -24)
	default:
		x = math.Ldexp(x+1<<10, e-25)
	}
	return math.Copysign(x, 1-float64(b>>15)*2)
}

// Ref stores element by element.
func (o Narrow) Ref(out kernels.Tensor, in []kernels.Tensor) {
	for i, v := range in[0].F64 {
		b := o.To.bits(o.To.Nearest(v))
		out.U8[2*i], out.U8[2*i+1] = byte(b), byte(b>>8)
	}
}

// CPU stores chunks.
func (o Narrow) CPU(c *kernels.Call) {
	n := cut(c, c.In[0].Size(), roundCost)
	if c.In[0].DType == kernels.Float32 {
		c.For(n, narrowBody32)
	} else {
		c.For(n, narrowBody64)
	}
}

func narrowBody32(c *kernels.Call, chunk, _ int) {
	x, f := c.In[0].F32, c.Op.(Narrow).To
	lo, hi := c.Chunk(chunk, len(x))
	x, y := x[lo:hi], c.Out.U8[2*lo:2*hi]
	var near [256]float32
	for len(x) > 0 {
		run := near[:min(len(near), len(x))]
		f.nearest32(run, x[:len(run)])
		for i, v := range run {
			b := uint16(math.Float32bits(v) >> 16)
			if f == F16 || v != v {
				b = f.bits(float64(v))
			}
			y[2*i], y[2*i+1] = byte(b), byte(b>>8)
		}
		x, y = x[len(run):], y[2*len(run):]
	}
}

func narrowBody64(c *kernels.Call, chunk, _ int) {
	f, x := c.Op.(Narrow).To, c.In[0].F64
	lo, hi := c.Chunk(chunk, len(x))
	for i := lo; i < hi; i++ {
		b := f.bits(f.Nearest(x[i]))
		c.Out.U8[2*i], c.Out.U8[2*i+1] = byte(b), byte(b>>8)
	}
}

// CUDA stores an element in a thread.
func (o Narrow) CUDA(t kernels.Target, in []kernels.Spec, _ kernels.Spec) ([]kernels.Launch, error) {
	return []kernels.Launch{narrowLaunch(t, in[0].DType, o.To, in[0].Size(), kernels.InputArg(0),
		kernels.OutputArg())}, nil
}

// narrowLaunch stores n elements in 16 bits.
func narrowLaunch(t kernels.Target, d kernels.DType, f Format, n int, from, to kernels.Arg) kernels.Launch {
	return t.Sweep("dense/narrow", kernels.Entry("narrow_"+f.String(), d), n, kernels.IntArg(n), from, to)
}
