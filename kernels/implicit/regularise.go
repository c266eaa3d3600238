package implicit

import (
	"math"
	"unsafe"

	"ganglion/kernels"
	"ganglion/kernels/implicit/lane"
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

// Workspace holds the factor of each node, a few numbers, and some for each chunk of rows.
func (o Regularise) Workspace(in []kernels.Spec, _ kernels.Spec, _ int) int {
	elem := in[0].DType.Size()
	return kernels.CarveSize(2+o.P, 8) + kernels.CarveSize(o.P, elem) + kernels.CarveSize(o.P*lane.Group, elem)
}

// CPU runs over chunks of rows: once for max|w|, once more for the mean of r where that is wanted, and once for the
// step.
func (o Regularise) CPU(c *kernels.Call) {
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
	if c.Out.DType == kernels.Float32 {
		regularise[float32](c, o, l, largestBody[float32], meanBody[float32], stepBody[float32])
	} else {
		regularise[float64](c, o, l, largestBody[float64], meanBody[float64], stepBody[float64])
	}
}

func regularise[T kernels.Float](c *kernels.Call, o Regularise, l Layout, largest, mean, step body) {
	r := newRegular[T](c)
	r.head[0], r.head[1] = 0, scalar(c.In[2], 0)*scalar(c.In[2], 2)
	for i := range r.node {
		r.node[i] = T(o.weight(l, i))
	}
	chunks := c.Rows(o.P, 0.5*float64(o.P))
	if o.Kind == NM && o.Distance != Constant {
		clear(r.most)
		c.For(chunks, largest)
		for _, v := range r.most {
			r.head[0] = larger(r.head[0], float64(v))
		}
	}
	if o.Kind == NM && o.Scaling == Mean && o.P > 1 {
		c.For(chunks, mean)
		sum := 0.0
		for _, v := range r.sums[:chunks] {
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

// regular is the scratch of one step.
type regular[T kernels.Float] struct {
	head []float64 // max|w| and the factor of all
	sums []float64 // [P] of the chunks
	node []T       // [P] factors of the nodes
	most []T       // [P·Group] largest |w| of the chunks
}

func newRegular[T kernels.Float](c *kernels.Call) regular[T] {
	o, work := c.Op.(Regularise), c.Work
	a := kernels.Carve[float64](&work, 2+o.P)
	return regular[T]{head: a[:2], sums: a[2:], node: kernels.Carve[T](&work, o.P),
		most: kernels.Carve[T](&work, o.P*lane.Group)}
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

// reciprocal is 1/v, or 0 for 0: weights that are all zero have ŵ = 0.
func reciprocal(v float64) float64 {
	if v == 0 {
		return 0
	}
	return 1 / v
}

// rowOf returns row j of the weights in the block, with the diagonal set to 0 so that loops can run over whole rows,
// and the element that stood there, to be put back.
func rowOf[T kernels.Float](c *kernels.Call, o Regularise, j int) (row []T, diagonal T) {
	row = kernels.Of[T](c.Out)[o.Offset+j*o.P:][:o.P]
	diagonal, row[j] = row[j], 0
	return row, diagonal
}

func largestBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o, r := c.Op.(Regularise), newRegular[T](c)
	table := lane.ForWeights[T](c.Path)
	lo, hi := c.Chunk(chunk, o.P)
	for j := lo; j < hi; j++ {
		row, diagonal := rowOf[T](c, o, j)
		table.Largest(r.most[chunk*lane.Group:][:lane.Group], row)
		row[j] = diagonal
	}
}

func meanBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o, r := c.Op.(Regularise), newRegular[T](c)
	lo, hi := c.Chunk(chunk, o.P)
	sum, inverse, eps := 0.0, reciprocal(r.head[0]), o.eps()
	for j := lo; j < hi; j++ {
		row := kernels.Of[T](c.Out)[o.Offset+j*o.P:][:o.P]
		part := 0.0
		for i, v := range row {
			if i != j {
				part += float64(r.node[i]) / distances[o.Distance](math.Abs(float64(v))*inverse, eps)
			}
		}
		sum += part * float64(r.node[j])
	}
	r.sums[chunk] = sum
}

func stepBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o, r := c.Op.(Regularise), newRegular[T](c)
	table := lane.ForWeights[T](c.Path)
	lo, hi := c.Chunk(chunk, o.P)
	strength, inverse := r.head[1], reciprocal(r.head[0])
	for j := lo; j < hi; j++ {
		row, diagonal := rowOf[T](c, o, j)
		switch {
		case o.Kind == L1 || o.Kind == NML1:
			table.Shrink(row, r.node, T(strength))
		case o.Kind == L2 || o.Kind == NML2:
			table.Divide(row, r.node, T(strength))
		case o.Distance == Affine:
			table.Repel(row, r.node, T(strength*float64(r.node[j])), T(inverse), T(1+o.eps()))
		default:
			repelBy(o, row, r.node, strength*float64(r.node[j]), inverse)
		}
		row[j] = diagonal
	}
}

// repelBy is Repel for any distance.
func repelBy[T kernels.Float](o Regularise, w, z []T, a, inverse float64) {
	for k, v := range w {
		d := distances[o.Distance](math.Abs(float64(v))*inverse, o.eps())
		w[k] = v * T(max(0, 1-a*float64(z[k])/d))
	}
}
