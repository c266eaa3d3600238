package dense

import (
	"math"

	"ganglion/kernels"
)

// Widen reads what Narrow stored.
// Input: x byte [..., 2].  Output: type To [...].
type Widen struct {
	From Format        // BF16 or F16
	To   kernels.DType // float32 or float64
}

var (
	_ kernels.CPUOp  = Widen{}
	_ kernels.CUDAOp = Widen{}
)

// Infer takes the last dimension off.
func (o Widen) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, -1); err != nil {
		return kernels.Spec{}, err
	}
	if err := wantHalf(o, in, o.From); err != nil {
		return kernels.Spec{}, err
	}
	if !o.To.IsFloat() {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrDType, "to float32 or float64, not %v", o.To)
	}
	return wantStored(o, in, 0, o.To)
}

// wantStored checks that an input holds numbers of 16 bits, and returns its spec as numbers of type d.
func wantStored(op kernels.Op, in []kernels.Spec, i int, d kernels.DType) (kernels.Spec, error) {
	s := in[i]
	if r := s.Rank(); s.DType == kernels.Byte && r > 0 && s.Shape[r-1] == 2 {
		return kernels.S(d, s.Shape[:r-1]...), nil
	}
	return kernels.Spec{}, kernels.Errorf(op, in, kernels.ErrShape, "input %d must be byte [..., 2], is %v", i, s)
}

// Ref reads element by element.
func (o Widen) Ref(out kernels.Tensor, in []kernels.Tensor) { widenRef(o.From, out.F64, in[0].U8) }

func widenRef(f Format, y []float64, x []byte) {
	for i := range y {
		y[i] = f.number(uint16(x[2*i]) | uint16(x[2*i+1])<<8)
	}
}

// CPU reads chunks.
func (o Widen) CPU(c *kernels.Call) {
	run(c, cut(c, c.Out.Size(), roundCost), widenBody[float32], widenBody[float64])
}

func widenBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	y := kernels.Of[T](c.Out)
	lo, hi := c.Chunk(chunk, len(y))
	widenRun(c.Op.(Widen).From, y[lo:hi], c.In[0].U8[2*lo:2*hi])
}

func widenRun[T kernels.Float](f Format, y []T, x []byte) {
	if f == BF16 {
		for i := range y {
			y[i] = T(math.Float32frombits(uint32(x[2*i])<<16 | uint32(x[2*i+1])<<24))
		}
		return
	}
	for i := range y {
		y[i] = T(f.number(uint16(x[2*i]) | uint16(x[2*i+1])<<8))
	}
}

// CUDA reads an element in a thread.
func (o Widen) CUDA(t kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return []kernels.Launch{
		widenLaunch(t, out.DType, o.From, out.Size(), kernels.InputArg(0), kernels.OutputArg()),
	}, nil
}

// widenLaunch reads n elements of 16 bits.
func widenLaunch(t kernels.Target, d kernels.DType, f Format, n int, from, to kernels.Arg) kernels.Launch {
	return t.Sweep("dense/narrow", kernels.Entry("widen_"+f.String(), d), n, kernels.IntArg(n), from, to)
}
