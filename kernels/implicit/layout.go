package implicit

import "fmt"

// The head of a packed structure: counts, one int32 each.
const (
	headNodes = iota
	headKept
	headModules
	headLevels
	headCyclic
	headLargest
	headSmallest
	headEdges // length of each edge list, p(p-1)
	headLen   = 16
)

// StructureLen is the number of int32 elements of the structure of a graph with p nodes: room for p(p-1) edges, twice.
func StructureLen(p int) int { return headLen + nodeArrays(p) + 2*p*max(p-1, 0) }

// nodeArrays is the length of all arrays between the head and the edges: six of p elements and six of p+1.
func nodeArrays(p int) int { return 6*p + 6*(p+1) }

// Layout is a decoded structure: slices into the packed array, in the order in which they stand there after the head of
// 16 counts. Node numbers are rows of W, module numbers follow (level, smallest node), and everything behind the counts
// is zero.
type Layout struct {
	Nodes    int // p
	Kept     int // edges kept
	Modules  int // strongly connected components, single nodes included
	Levels   int // length of the longest path of the condensation, in modules
	Cyclic   int // modules of more than one node
	Largest  int // nodes of the largest module
	Smallest int // nodes of the smallest cyclic module, 0 if there is none

	Order       []int32 // [p] nodes sorted by (level, module, node)
	Position    []int32 // [p] the place of each node in Order
	Module      []int32 // [p] module of each node
	Component   []int32 // [p] smallest node of the module of each node
	Connected   []int32 // [p] kept edges in the weakly connected part of the graph that holds the node (z of nm-l1)
	ModuleLevel []int32 // [p] level of each module: the longest path to it in the condensation, sources 0
	ModulePtr   []int32 // [p+1] nodes of module m: Order[ModulePtr[m]:ModulePtr[m+1]]
	LevelPtr    []int32 // [p+1] modules of level l: LevelPtr[l] … LevelPtr[l+1]-1
	InPtr       []int32 // [p+1] kept edges into node i: In[InPtr[i]:InPtr[i+1]]
	InMid       []int32 // [p+1] In[InPtr[i]:InMid[i]] come from other modules, the rest of the row from i's own
	OutPtr      []int32 // [p+1] kept edges out of node j: Out[OutPtr[j]:OutPtr[j+1]]
	OutMid      []int32 // [p+1] Out[OutPtr[j]:OutMid[j]] lead to other modules, the rest of the row stays in j's own
	In          []int32 // [p(p-1)] sources, ascending in each part
	Out         []int32 // [p(p-1)] destinations, ascending in each part
}

// View decodes a structure made by Structure, without copying or allocating. An array that was not filled in yet (all
// zero) is a graph without nodes.
func View(s []int32) Layout {
	if len(s) < headLen {
		return Layout{}
	}
	p := int(s[headNodes])
	if p < 0 || len(s) < StructureLen(p) || p == 0 && s[headEdges] != 0 {
		return Layout{}
	}
	l := Layout{
		Nodes: p, Kept: int(s[headKept]), Modules: int(s[headModules]), Levels: int(s[headLevels]),
		Cyclic: int(s[headCyclic]), Largest: int(s[headLargest]), Smallest: int(s[headSmallest]),
	}
	rest := s[headLen:]
	cut := func(n int) []int32 {
		part := rest[:n:n]
		rest = rest[n:]
		return part
	}
	l.Order, l.Position, l.Module, l.Component = cut(p), cut(p), cut(p), cut(p)
	l.Connected, l.ModuleLevel = cut(p), cut(p)
	l.ModulePtr, l.LevelPtr, l.InPtr, l.InMid = cut(p+1), cut(p+1), cut(p+1), cut(p+1)
	l.OutPtr, l.OutMid = cut(p+1), cut(p+1)
	edges := p * max(p-1, 0)
	l.In, l.Out = cut(edges), cut(edges)
	return l
}

// Members returns the nodes of a module in ascending order.
func (l Layout) Members(module int) []int32 {
	return l.Order[l.ModulePtr[module]:l.ModulePtr[module+1]]
}

// Size is the number of nodes of a module.
func (l Layout) Size(module int) int { return int(l.ModulePtr[module+1] - l.ModulePtr[module]) }

// Level returns the modules lo … hi-1 of a level.
func (l Layout) Level(level int) (lo, hi int) {
	return int(l.LevelPtr[level]), int(l.LevelPtr[level+1])
}

// Sources returns the nodes with a kept edge into node i, those of other modules first.
func (l Layout) Sources(i int) []int32 { return l.In[l.InPtr[i]:l.InPtr[i+1]] }

// Destinations returns the nodes with a kept edge from node j, those of other modules first.
func (l Layout) Destinations(j int) []int32 { return l.Out[l.OutPtr[j]:l.OutPtr[j+1]] }

// InnerEdges is the number of kept edges between nodes of one module.
func (l Layout) InnerEdges(module int) int {
	n := 0
	for _, i := range l.Members(module) {
		n += int(l.InPtr[i+1] - l.InMid[i])
	}
	return n
}

// Mask returns the kept edges as a [p, p] matrix of zeros and ones, row = source.
func (l Layout) Mask() []byte {
	m := make([]byte, l.Nodes*l.Nodes)
	for j := range l.Nodes {
		for _, i := range l.Destinations(j) {
			m[j*l.Nodes+int(i)] = 1
		}
	}
	return m
}

// Check tests the structure for consistency: every node in one module, levels and pointers that ascend, both edge lists
// alike, edges that stay within a module or lead to a higher level. Structures made by this package pass; one that came
// from a file should be checked before it is used.
func (l Layout) Check() error {
	if err := l.checkNodes(); err != nil {
		return err
	}
	for j := range l.Nodes {
		for e, i := range l.Destinations(j) {
			if !l.follows(int32(j), i, e >= int(l.OutMid[j]-l.OutPtr[j])) {
				return fmt.Errorf("implicit: structure: node %d has no proper edge to %d", j, i)
			}
		}
		for e, i := range l.Sources(j) {
			if !l.follows(i, int32(j), e >= int(l.InMid[j]-l.InPtr[j])) {
				return fmt.Errorf("implicit: structure: node %d has no proper edge from %d", j, i)
			}
		}
	}
	return nil
}

// follows reports whether j → i can be an edge within a module (inner) or between two.
func (l *Layout) follows(j, i int32, inner bool) bool {
	if uint(j) >= uint(l.Nodes) || uint(i) >= uint(l.Nodes) || i == j {
		return false
	}
	from, to := l.Module[j], l.Module[i]
	if inner {
		return from == to
	}
	return l.ModuleLevel[from] < l.ModuleLevel[to]
}

// checkNodes is Check without the edges themselves, in time O(p).
func (l *Layout) checkNodes() error {
	p := l.Nodes
	if p == 0 {
		return nil
	}
	if l.Modules < 1 || l.Modules > p || l.Kept < 0 || l.Kept > len(l.In) || l.Levels < 1 || l.Levels > l.Modules {
		return fmt.Errorf("implicit: structure with %d modules, %d levels and %d edges for %d nodes",
			l.Modules, l.Levels, l.Kept, p)
	}
	if l.ModulePtr[0] != 0 || int(l.ModulePtr[l.Modules]) != p ||
		l.LevelPtr[0] != 0 || int(l.LevelPtr[l.Levels]) != l.Modules {
		return fmt.Errorf("implicit: structure: %d modules do not hold %d nodes", l.Modules, p)
	}
	for m := range l.Modules {
		if l.ModulePtr[m] < 0 || l.ModulePtr[m] >= l.ModulePtr[m+1] || int(l.ModulePtr[m+1]) > p {
			return fmt.Errorf("implicit: structure: module %d has no nodes", m)
		}
		for _, i := range l.Members(m) {
			if uint(i) >= uint(p) || int(l.Module[i]) != m {
				return fmt.Errorf("implicit: structure: node %d does not belong to module %d", i, m)
			}
		}
	}
	for k := range l.Levels {
		if l.LevelPtr[k] < 0 || l.LevelPtr[k] >= l.LevelPtr[k+1] || int(l.LevelPtr[k+1]) > l.Modules {
			return fmt.Errorf("implicit: structure: level %d has no modules", k)
		}
		for m := l.LevelPtr[k]; m < l.LevelPtr[k+1]; m++ {
			if int(l.ModuleLevel[m]) != k {
				return fmt.Errorf("implicit: structure: module %d is not of level %d", m, k)
			}
		}
	}
	for at, i := range l.Order {
		if int(l.Position[i]) != at {
			return fmt.Errorf("implicit: structure: node %d is not at position %d", i, l.Position[i])
		}
	}
	if !pointers(l.InPtr, l.InMid, l.Kept) || !pointers(l.OutPtr, l.OutMid, l.Kept) {
		return fmt.Errorf("implicit: structure: pointers to %d edges are out of order", l.Kept)
	}
	return nil
}

// pointers reports whether ptr and mid cut a list of the given length.
func pointers(ptr, mid []int32, length int) bool {
	for i := range len(ptr) - 1 {
		if ptr[i] < 0 || ptr[i] > mid[i] || mid[i] > ptr[i+1] {
			return false
		}
	}
	return ptr[0] == 0 && int(ptr[len(ptr)-1]) == length
}
