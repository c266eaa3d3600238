package implicit

import (
	"unsafe"

	"ganglion/kernels"
)

// Restructure is Structure at the steps 1, 1+Every, 1+2·Every, …, and the previous structure at all others.
// Inputs: W float [p, p], the previous structure int32 [StructureLen(p)], the step's number int32 [1], from 1.
// Output: int32 [StructureLen(p)], in place over the previous structure where the planner so decides.
//
// Every 0 means 1. The previous structure may be all zero before the first step. There is no gradient: integers.
type Restructure struct {
	Keep, Every int
}

var (
	_ kernels.CPUOp     = Restructure{}
	_ kernels.Scratcher = Restructure{}
	_ kernels.InPlacer  = Restructure{}
)

// Infer wants a square float matrix, a structure of as many nodes and one step number.
func (o Restructure) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 2, 1, 1); err != nil {
		return kernels.Spec{}, err
	}
	if err := wantWeights(o, in, 0); err != nil {
		return kernels.Spec{}, err
	}
	if err := wantStructure(o, in, 1, in[0].Shape[0]); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantType(o, in, 2, kernels.Int32); err != nil {
		return kernels.Spec{}, err
	}
	if in[2].Size() != 1 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape,
			"input 2: one step number is wanted, has %d", in[2].Size())
	}
	if o.Every < 0 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "Every is negative: %d", o.Every)
	}
	return in[1], nil
}

func (o Restructure) due(step int32) bool { return (int(step)-1)%max(o.Every, 1) == 0 }

// Ref is Structure's or a copy.
func (o Restructure) Ref(out kernels.Tensor, in []kernels.Tensor) {
	if o.due(in[2].I32[0]) {
		Structure{Keep: o.Keep}.Ref(out, in[:1])
		return
	}
	copy(out.I32, in[1].I32)
}

// CPU is Structure's or a copy.
func (o Restructure) CPU(c *kernels.Call) {
	if !o.due(c.In[2].I32[0]) {
		if unsafe.SliceData(c.Out.I32) != unsafe.SliceData(c.In[1].I32) {
			copy(c.Out.I32, c.In[1].I32)
		}
		c.Report.Structure = describe(c.Out.I32)
		return
	}
	build(c, o.Keep)
}

// Workspace is Structure's.
func (o Restructure) Workspace(in []kernels.Spec, _ kernels.Spec, _ int) int { return buildSize(in[0]) }

// InPlace is true for the previous structure.
func (o Restructure) InPlace(i int) bool { return i == 1 }
