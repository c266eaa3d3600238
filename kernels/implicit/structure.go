package implicit

import (
	"cmp"
	"math"
	"slices"

	"ganglion/kernels"
)

// Structure prunes the graph of W to its heaviest edges and finds the modules (Section 2).
// Input: W float [p, p].  Output: int32 [StructureLen(p)], to be read by View.
//
// An edge j → i (j ≠ i) is kept when |w_ji| ≥ γ, the Keep-th largest |w| off the diagonal: ties at γ are all kept, a
// weight of exactly 0 never is, even when fewer than Keep weights are left. Keep < 0 keeps every edge whose weight is
// not 0. NaN ranks above +Inf, so a damaged weight is never hidden by pruning. Modules are the strongly connected
// components (Tarjan), ordered by level of the condensation, then by smallest node. Time O(p² + k), for the k edges
// kept. There is no gradient: integers.
type Structure struct {
	Keep int
}

var (
	_ kernels.CPUOp     = Structure{}
	_ kernels.Scratcher = Structure{}
)

// Infer wants a square float matrix.
func (o Structure) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 2); err != nil {
		return kernels.Spec{}, err
	}
	if err := wantWeights(o, in, 0); err != nil {
		return kernels.Spec{}, err
	}
	return kernels.S(kernels.Int32, StructureLen(in[0].Shape[0])), nil
}

// maxNodes keeps 2p(p-1) edge slots within an int32 index.
const maxNodes = 32000

func wantWeights(op kernels.Op, in []kernels.Spec, i int) error {
	if err := kernels.WantFloats(op, in, i); err != nil {
		return err
	}
	rows, cols := in[i].Shape[0], in[i].Shape[1]
	if rows != cols {
		return kernels.Errorf(op, in, kernels.ErrShape,
			"input %d: weights must be square, are %d by %d", i, rows, cols)
	}
	if rows > maxNodes {
		return kernels.Errorf(op, in, kernels.ErrShape,
			"input %d: %d nodes, at most %d are possible", i, rows, maxNodes)
	}
	return nil
}

func wantStructure(op kernels.Op, in []kernels.Spec, i, p int) error {
	if err := kernels.WantType(op, in, i, kernels.Int32); err != nil {
		return err
	}
	if want := StructureLen(p); in[i].Rank() != 1 || in[i].Size() != want {
		return kernels.Errorf(op, in, kernels.ErrShape,
			"input %d: the structure of %d nodes has %d elements (see Structure)", i, p, want)
	}
	return nil
}

// Ref sorts all weights, finds the components by closing the graph transitively and the levels by relaxing until
// nothing changes.
func (o Structure) Ref(out kernels.Tensor, in []kernels.Tensor) {
	p := in[0].Shape[0]
	keepEdge := refMask(in[0].F64, p, o.Keep)
	reach := slices.Clone(keepEdge)
	for k := range p {
		for j := range p {
			for i := range p {
				reach[j*p+i] = reach[j*p+i] || reach[j*p+k] && reach[k*p+i]
			}
		}
	}
	component, level := make([]int32, p), make([]int32, p)
	for i := range p {
		component[i] = int32(i)
		for j := range i {
			if reach[i*p+j] && reach[j*p+i] {
				component[i] = component[j]
				break
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for j := range p {
			for i := range p {
				if keepEdge[j*p+i] && component[i] != component[j] && level[i] < level[j]+1 {
					level[i], changed = level[j]+1, true
				}
				if component[i] == component[j] && level[i] < level[j] {
					level[i], changed = level[j], true
				}
			}
		}
	}
	refPack(out.I32, p, keepEdge, component, level)
}

// refMask marks the edges that are kept, row = source.
func refMask(w []float64, p, keep int) []bool {
	type edge struct {
		at int
		w  float64
	}
	var edges []edge
	for at, v := range w {
		if at/p != at%p && v != 0 {
			if v = math.Abs(v); v != v {
				v = math.Inf(1)
			}
			edges = append(edges, edge{at, v})
		}
	}
	slices.SortStableFunc(edges, func(a, b edge) int { return cmp.Compare(b.w, a.w) })
	mask := make([]bool, p*p)
	for i, e := range edges {
		if keep < 0 || i < keep || keep > 0 && e.w == edges[keep-1].w {
			mask[e.at] = true
		}
	}
	return mask
}

// refPack lays the structure out, given the edges and each node's component and level.
func refPack(out []int32, p int, mask []bool, component, level []int32) {
	clear(out)
	out[headNodes], out[headEdges] = int32(p), int32(p*max(p-1, 0))
	l := View(out)
	for i := range l.Order {
		l.Order[i] = int32(i)
	}
	slices.SortFunc(l.Order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(level[a], level[b]), cmp.Compare(component[a], component[b]), cmp.Compare(a, b))
	})
	modules, levels := int32(0), int32(0)
	for at, i := range l.Order {
		l.Position[i], l.Component[i] = int32(at), component[i]
		if at > 0 && component[i] == component[l.Order[at-1]] {
			l.Module[i] = modules - 1
			continue
		}
		l.Module[i], l.ModuleLevel[modules], l.ModulePtr[modules] = modules, level[i], int32(at)
		if level[i]+1 > levels {
			l.LevelPtr[levels], levels = modules, levels+1
		}
		modules++
	}
	l.ModulePtr[modules], l.LevelPtr[levels] = int32(p), modules
	out[headModules], out[headLevels] = modules, levels
	refEdges(out, l, mask)
	refConnected(l, mask)
	l.Modules = int(modules)
	count(out, l)
}

func refEdges(out []int32, l Layout, mask []bool) {
	p := l.Nodes
	at, to := int32(0), int32(0)
	for i := range p {
		for _, inner := range []bool{false, true} {
			for j := range p {
				if mask[j*p+i] && (l.Module[i] == l.Module[j]) == inner {
					l.In[at] = int32(j)
					at++
				}
				if mask[i*p+j] && (l.Module[i] == l.Module[j]) == inner {
					l.Out[to] = int32(j)
					to++
				}
			}
			if !inner {
				l.InMid[i], l.OutMid[i] = at, to
			}
		}
		l.InPtr[i+1], l.OutPtr[i+1] = at, to
	}
	out[headKept] = at
}

// refConnected spreads the smallest label along edges in both directions, then counts the edges of each label.
func refConnected(l Layout, mask []bool) {
	p := l.Nodes
	label := make([]int, p)
	for i := range label {
		label[i] = i
	}
	for changed := true; changed; {
		changed = false
		for at, kept := range mask {
			if a, b := at/p, at%p; kept && label[a] != label[b] {
				label[a] = min(label[a], label[b])
				label[b] = label[a]
				changed = true
			}
		}
	}
	for i := range p {
		for at, kept := range mask {
			if kept && label[at/p] == label[i] {
				l.Connected[i]++
			}
		}
	}
}

// CPU finds γ by radix selection and the modules by Tarjan's algorithm without recursion. W is read once, in parallel
// when it is large.
func (o Structure) CPU(c *kernels.Call) { build(c, o.Keep) }

// Workspace holds the candidates of the selection and the arrays of the graph search.
func (o Structure) Workspace(in []kernels.Spec, _ kernels.Spec, _ int) int { return buildSize(in[0]) }

func buildSize(w kernels.Spec) int {
	return selectionSize(w) + kernels.CarveSize(searchArrays*(w.Shape[0]+1), 4)
}

// build fills c.Out with the structure of the weights c.In[0] and reports it.
func build(c *kernels.Call, keep int) {
	p, out := c.In[0].Shape[0], c.Out.I32
	clear(out[:headLen+nodeArrays(p)])
	out[headNodes], out[headEdges] = int32(p), int32(p*max(p-1, 0))
	work := c.Work[selectionSize(c.In[0].Spec):]
	s := newSearch(kernels.Carve[int32](&work, searchArrays*(p+1)), p)
	s.l = View(out)
	switch {
	case (keep < 0 || keep >= p*(p-1)) && complete(c):
		fill(out, &s.l)
		c.For(c.Rows(p, 0.6*float64(p)), othersBody)
	case p > 0:
		if c.In[0].DType == kernels.Float32 {
			keepEdges[float32](c, &s, keep, scanBody[float32])
		} else {
			keepEdges[float64](c, &s, keep, scanBody[float64])
		}
		s.components()
		s.levels()
		s.number(out)
		s.split()
		s.connect()
	}
	out[headKept] = int32(s.l.Kept)
	c.Arg[0] = s.l.Kept
	c.For((len(s.l.In)+clearChunk-1)/clearChunk, clearBody)
	count(out, s.l)
	c.Report.Structure = describe(out)
}

// clearChunk is the number of elements of each edge list that are cleared at a time.
const clearChunk = 1 << 15

// clearBody clears what lies behind the edges.
func clearBody(c *kernels.Call, chunk, _ int) {
	l := View(c.Out.I32)
	lo, hi := chunk*clearChunk, min((chunk+1)*clearChunk, len(l.In))
	if lo = max(lo, c.Arg[0]); lo < hi {
		clear(l.In[lo:hi])
		clear(l.Out[lo:hi])
	}
}

// count fills in the counts of cyclic modules and their sizes.
func count(out []int32, l Layout) {
	cyclic, largest, smallest := 0, 0, 0
	for m := range l.Modules {
		n := l.Size(m)
		largest = max(largest, n)
		if n > 1 {
			cyclic++
			if smallest == 0 || n < smallest {
				smallest = n
			}
		}
	}
	out[headCyclic], out[headLargest], out[headSmallest] = int32(cyclic), int32(largest), int32(smallest)
}

func describe(s []int32) kernels.Structure {
	return kernels.Structure{
		Nodes: int(s[headNodes]), Kept: int(s[headKept]), Modules: int(s[headModules]), Cyclic: int(s[headCyclic]),
		Largest: int(s[headLargest]), Levels: int(s[headLevels]), Smallest: int(s[headSmallest]),
	}
}
