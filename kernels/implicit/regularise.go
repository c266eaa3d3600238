package implicit

import (
	"math"
	"unsafe"

	"ganglion/kernels"
)

// Kind is a regulariser of Section 5.
type Kind uint8

// The regularisers, with the size of module of i written z_i, or for the nm-l kinds the kept edges of the weakly
// connected part that holds node i; α is the strength and η the learning rate. All act on off-diagonal weights only.
const (
	// NM is the repulsion of modules: penalty (α/2)Σ r_ij w_ij² with r_ij = z_i z_j/d_ij held constant, step w ←
	// w·max(0, 1-ηα r_ij).
	NM Kind = iota
	// L1 is α Σ|w|, step w ← sgn(w)(|w|-ηα)₊.
	L1
	// L2 is (α/2)Σ w², step w ← w/(1+ηα).
	L2
	// NML1 is α Σ_i z_i Σ_j |w_ji|, step w_ji ← sgn(w_ji)(|w_ji|-ηα z_i)₊.
	NML1
	// NML2 is (α/2)Σ_i z_i Σ_j w_ji², step w_ji ← w_ji/(1+ηα z_i).
	NML2
)

var kindNames = [...]string{"nm", "l1", "l2", "nm-l1", "nm-l2"}

// ParseKind returns the regulariser of the given name: nm, l1, l2, nm-l1 or nm-l2, in upper or lower case.
func ParseKind(name string) (Kind, error) {
	i, err := parse("regulariser", name, kindNames[:])
	return Kind(i), err
}

// Scaling says how the repulsion r_ij of NM is measured.
type Scaling uint8

// The scalings of r.
const (
	Size Scaling = iota // z_i/p and z_j/p instead of z_i and z_j: a module of all nodes has 1
	Mean                // r divided by its mean over the off-diagonal
	Raw                 // z_i·z_j/d_ij as it is
)

var scalingNames = [...]string{"size", "mean", "raw"}

// ParseScaling returns the scaling of the given name: size, mean or raw, in upper or lower case.
func ParseScaling(name string) (Scaling, error) {
	i, err := parse("scaling", name, scalingNames[:])
	return Scaling(i), err
}

// Distance is a reading of the distance d_ij of the paper, which its text does not define.
type Distance uint8

// The distances, functions of ŵ = |w|/max|w| over the off-diagonal. A further reading is one more line here and in
// distances.
const (
	Affine   Distance = iota // 1 + ε - ŵ
	Constant                 // 1: repulsion by the sizes of modules alone
)

var distances = [...]func(w, eps float64) float64{
	Affine:   func(w, eps float64) float64 { return 1 + eps - w },
	Constant: func(_, _ float64) float64 { return 1 },
}

// Regularise is one step of a regulariser on the weights W [P, P] that lie at Offset in the block of parameters, after
// the optimiser's step and decoupled from it (Section 5).
// Inputs: z float [N], the structure of W int32 [StructureLen(P)], hyper float [≥3] = (learning rate η, step, strength
// α), ok float [1].
// Output: z float [N], in place where the planner so decides. With ok = 0 it is z unchanged, and also, with a report,
// where the second input is no structure of P nodes.
//
// There is no gradient: it is an update.
type Regularise struct {
	Kind     Kind
	Scaling  Scaling
	Distance Distance
	Eps      float64 // ε of the distance, 0 means 0.1
	Offset   int     // position of W in z, in elements
	P        int     // nodes
}

var (
	_ kernels.CPUOp     = Regularise{}
	_ kernels.InPlacer  = Regularise{}
	_ kernels.Scratcher = Regularise{}
)

// Infer checks that W lies in z.
func (o Regularise) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 1, 1, 1, 1); err != nil {
		return kernels.Spec{}, err
	}
	for _, i := range []int{0, 2, 3} {
		if err := kernels.WantFloats(o, in, i); err != nil {
			return kernels.Spec{}, err
		}
	}
	fail := func(format string, args ...any) (kernels.Spec, error) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, format, args...)
	}
	switch {
	case int(o.Kind) >= len(kindNames) || int(o.Scaling) >= len(scalingNames) || int(o.Distance) >= len(distances):
		return fail("unknown kind %d, scaling %d or distance %d", o.Kind, o.Scaling, o.Distance)
	case !(o.Eps >= 0):
		return fail("Eps %v is negative", o.Eps)
	case o.P < 0 || o.P > maxNodes || o.Offset < 0 || o.Offset+o.P*o.P > in[0].Size():
		return fail("weights of %d nodes at %d do not lie in a block of %d", o.P, o.Offset, in[0].Size())
	case in[2].Size() < 3:
		return fail("hyper must hold learning rate, step and strength, has %d elements", in[2].Size())
	case in[3].Size() != 1:
		return fail("ok must have 1 element, has %d", in[3].Size())
	}
	return in[0], wantStructure(o, in, 1, o.P)
}

// Ref copies z and makes the step.
func (o Regularise) Ref(out kernels.Tensor, in []kernels.Tensor) {
	copy(out.F64, in[0].F64)
	if l := View(in[1].I32); in[3].F64[0] > 0 && l.Nodes == o.P && l.Check() == nil {
		o.Step(out.F64[o.Offset:o.Offset+o.P*o.P], l, in[2].F64[0]*in[2].F64[2])
	}
}

// InPlace is true for the block.
func (o Regularise) InPlace(i int) bool { return i == 0 }

// Workspace holds a maximum and a sum for each chunk of rows, and the factor of each node.
func (o Regularise) Workspace([]kernels.Spec, kernels.Spec, int) int {
	return kernels.CarveSize(2*o.P+2, 8) + kernels.CarveSize(o.P, 8)
}

// CPU runs over chunks of rows: once for max|w|, once more for the mean of r where that is wanted, and once for the
// step.
func (o Regularise) CPU(c *kernels.Call) {
	if c.Out.DType == kernels.Float32 {
		regularise(c, o, largestBody[float32], meanBody[float32], stepBody[float32])
	} else {
		regularise(c, o, largestBody[float64], meanBody[float64], stepBody[float64])
	}
}

func regularise(c *kernels.Call, o Regularise, largest, mean, step body) {
	if unsafe.SliceData(c.Out.Memory()) != unsafe.SliceData(c.In[0].Memory()) {
		c.In[0].CopyTo(c.Out)
	}
	l := View(c.In[1].I32)
	if !(scalar(c.In[3], 0) > 0) || o.P == 0 {
		return
	}
	if l.Nodes != o.P || l.checkNodes() != nil {
		c.Report.Status, c.Report.Failed = kernels.Diverged, 1
		return
	}
	r := newRegular(c)
	r.set(o, l, scalar(c.In[2], 0)*scalar(c.In[2], 2))
	chunks := c.Rows(o.P, 2*float64(o.P))
	if o.Kind == NM && o.Distance != Constant {
		c.For(chunks, largest)
		for _, v := range r.most[:chunks] {
			r.head[0] = larger(r.head[0], v)
		}
	}
	if o.Kind == NM && o.Scaling == Mean && o.P > 1 {
		c.For(chunks, mean)
		sum := 0.0
		for _, v := range r.most[:chunks] {
			sum += v
		}
		r.head[1] *= float64(o.P*(o.P-1)) / sum
	}
	c.For(chunks, step)
}

func scalar(t kernels.Tensor, i int) float64 {
	if t.DType == kernels.Float32 {
		return float64(t.F32[i])
	}
	return t.F64[i]
}

// regular is the scratch of one step: head = (max|w|, factor of all), one number a chunk, one number a node.
type regular struct{ head, most, node []float64 }

func newRegular(c *kernels.Call) regular {
	o, work := c.Op.(Regularise), c.Work
	a := kernels.Carve[float64](&work, 2*o.P+2)
	return regular{head: a[:2], most: a[2:], node: kernels.Carve[float64](&work, o.P)}
}

// set fills in the factors, strength being ηα.
func (r regular) set(o Regularise, l Layout, strength float64) {
	r.head[0], r.head[1] = 0, strength
	for i := range r.node {
		r.node[i] = o.weight(l, i)
	}
}

// weight is z_i as the kind counts it.
func (o Regularise) weight(l Layout, i int) float64 {
	switch o.Kind {
	case NM:
		z := float64(l.Size(int(l.Module[i])))
		if o.Scaling == Size {
			z /= float64(o.P)
		}
		return z
	case NML1, NML2:
		return float64(l.Connected[i])
	}
	return 1
}

// eps is ε, 0.1 by default.
func (o Regularise) eps() float64 {
	if o.Eps == 0 {
		return 0.1
	}
	return o.Eps
}

// rowParts are the parts of a row to the left and to the right of the diagonal; at is the column of the first element.
func rowParts[T kernels.Float](w []T, p, j, side int) (row []T, at int) {
	if side == 0 {
		return w[j*p : j*p+j], 0
	}
	return w[j*p+j+1 : j*p+p], j + 1
}

func largestBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(Regularise)
	w := kernels.Of[T](c.Out)[o.Offset:][:o.P*o.P]
	lo, hi := c.Chunk(chunk, o.P)
	most := T(0)
	for j := lo; j < hi; j++ {
		for side := range 2 {
			row, _ := rowParts(w, o.P, j, side)
			for _, v := range row {
				most = larger(most, v)
			}
		}
	}
	newRegular(c).most[chunk] = float64(most)
}

func meanBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o, r := c.Op.(Regularise), newRegular(c)
	w := kernels.Of[T](c.Out)[o.Offset:][:o.P*o.P]
	lo, hi := c.Chunk(chunk, o.P)
	sum, inverse, eps := 0.0, reciprocal(r.head[0]), o.eps()
	for j := lo; j < hi; j++ {
		for side := range 2 {
			row, at := rowParts(w, o.P, j, side)
			part := 0.0
			for k, v := range row {
				part += r.node[at+k] / distances[o.Distance](math.Abs(float64(v))*inverse, eps)
			}
			sum += part * r.node[j]
		}
	}
	r.most[chunk] = sum
}

// reciprocal is 1/v, or 0 for 0: weights that are all zero have ŵ = 0.
func reciprocal(v float64) float64 {
	if v == 0 {
		return 0
	}
	return 1 / v
}

func stepBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o, r := c.Op.(Regularise), newRegular(c)
	w := kernels.Of[T](c.Out)[o.Offset:][:o.P*o.P]
	lo, hi := c.Chunk(chunk, o.P)
	for j := lo; j < hi; j++ {
		for side := range 2 {
			row, at := rowParts(w, o.P, j, side)
			node := r.node[at:][:len(row)]
			switch {
			case o.Kind == L1 || o.Kind == NML1:
				shrinkRow(row, node, T(r.head[1]))
			case o.Kind == L2 || o.Kind == NML2:
				divideRow(row, node, T(r.head[1]))
			case o.Distance == Affine:
				repelRow(row, node, T(r.head[1]*r.node[j]), T(reciprocal(r.head[0])), T(1+o.eps()))
			default:
				repelBy(o, row, node, r.head[1]*r.node[j], reciprocal(r.head[0]))
			}
		}
	}
}

// repelRow is w_k ← w_k·max(0, 1 - a·z_k/(b - |w_k|·inverse)).
func repelRow[T kernels.Float](w []T, z []float64, a, inverse, b T) {
	for k, v := range w {
		size := v
		if size < 0 {
			size = -size
		}
		w[k] = v * max(0, 1-a*T(z[k])/(b-size*inverse))
	}
}

// repelBy is repelRow for any distance.
func repelBy[T kernels.Float](o Regularise, w []T, z []float64, a, inverse float64) {
	for k, v := range w {
		d := distances[o.Distance](math.Abs(float64(v))*inverse, o.eps())
		w[k] = v * T(max(0, 1-a*z[k]/d))
	}
}

// shrinkRow is w_k ← sgn(w_k)(|w_k| - a·z_k)₊.
func shrinkRow[T kernels.Float](w []T, z []float64, a T) {
	for k, v := range w {
		if cut := a * T(z[k]); v > 0 {
			w[k] = max(v-cut, 0)
		} else {
			w[k] = min(v+cut, 0)
		}
	}
}

// divideRow is w_k ← w_k/(1 + a·z_k).
func divideRow[T kernels.Float](w []T, z []float64, a T) {
	for k, v := range w {
		w[k] = v / (1 + a*T(z[k]))
	}
}
