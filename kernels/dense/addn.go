package dense

import "ganglion/kernels"

// AddN is y = x₁ + x₂ + … + xₙ, added in this order.
// Inputs: one or more float [any], of one shape and type.  Output: the same.
//
// Gradient: dy for every input.
type AddN struct{}

var (
	_ kernels.Differentiable = AddN{}
	_ kernels.CPUOp          = AddN{}
	_ kernels.InPlacer       = AddN{}
	_ kernels.Scratcher      = AddN{}
	_ kernels.CUDAOp         = AddN{}
	_ kernels.CUDAScratcher  = AddN{}
)

// Infer checks that all inputs are alike.
func (o AddN) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantSome(o, in); err != nil {
		return kernels.Spec{}, err
	}
	for i, s := range in {
		if !s.Equal(in[0]) {
			return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "inputs 0 and %d differ", i)
		}
	}
	return in[0], nil
}

// Ref adds element by element.
func (o AddN) Ref(out kernels.Tensor, in []kernels.Tensor) {
	for i := range out.F64 {
		s := in[0].F64[i]
		for _, t := range in[1:] {
			s += t.F64[i]
		}
		out.F64[i] = s
	}
}

// Grad passes dout to all.
func (o AddN) Grad(_ kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	grads := make([]*kernels.Node, len(in))
	for i := range grads {
		grads[i] = dout
	}
	return grads
}

// addBlock is the number of elements that are added before they are written.
const addBlock = 1024

// Workspace holds a block for each worker, if one is needed.
func (o AddN) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	if len(in) <= 2 {
		return 0
	}
	return kernels.CarveSize(workers*addBlock, out.DType.Size())
}

// InPlace is true for every input: no element is written before all inputs have been read at its place.
func (o AddN) InPlace(int) bool { return true }

// CPU adds chunks.
func (o AddN) CPU(c *kernels.Call) {
	run(c, cut(c, c.Out.Size(), 0.2*float64(len(c.In))), addBody[float32], addBody[float64])
}

func addBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	y := kernels.Of[T](c.Out)
	lo, hi := c.Chunk(chunk, len(y))
	switch len(c.In) {
	case 1:
		copy(y[lo:hi], kernels.Of[T](c.In[0])[lo:hi])
		return
	case 2:
		binaryVV(c.Path, Add, y[lo:hi], kernels.Of[T](c.In[0])[lo:hi], kernels.Of[T](c.In[1])[lo:hi])
		return
	}
	work := c.Work
	buf := kernels.Carve[T](&work, c.Pool.Workers()*addBlock)[worker*addBlock:][:addBlock]
	for ; lo < hi; lo += addBlock {
		n := min(addBlock, hi-lo)
		s := buf[:n]
		binaryVV(c.Path, Add, s, kernels.Of[T](c.In[0])[lo:lo+n], kernels.Of[T](c.In[1])[lo:lo+n])
		for _, t := range c.In[2:] {
			binaryVV(c.Path, Add, s, s, kernels.Of[T](t)[lo:lo+n])
		}
		copy(y[lo:], s)
	}
}

// addTerms is the number of terms that one launch adds.
const addTerms = 5

// CUDAWorkspace holds the sum so far when there are more terms than one launch adds: the output may lie over a term
// that is still to come.
func (o AddN) CUDAWorkspace(_ kernels.Target, in []kernels.Spec, out kernels.Spec) int {
	if len(in) <= addTerms {
		return 0
	}
	return out.Bytes()
}

// CUDA adds five terms in a launch.
func (o AddN) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	var list []kernels.Launch
	sum := kernels.ScratchArg(0)
	for i := 0; i < len(in); {
		terms := []kernels.Arg{sum}
		if i == 0 {
			terms = terms[:0]
		}
		for ; i < len(in) && len(terms) < addTerms; i++ {
			terms = append(terms, kernels.InputArg(i))
		}
		args := []kernels.Arg{kernels.IntArg(out.Size()), kernels.IntArg(len(terms))}
		for len(terms) < addTerms {
			terms = append(terms, kernels.IntArg(0))
		}
		to := sum
		if i == len(in) {
			to = kernels.OutputArg()
		}
		list = append(list, kernels.Launch{Module: "dense/addn", Entry: kernels.Entry("addn", out.DType),
			Grid: t.Loop(out.Size(), deviceThreads), Block: kernels.Threads(deviceThreads),
			Args: append(append(args, terms...), to)})
	}
	return list, nil
}
