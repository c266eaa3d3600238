package implicit

// search holds the arrays of the graph algorithms: scratch of p or p+1 elements each, and the structure being filled.
type search struct {
	l Layout

	index    []int32 // order of discovery of each node, from 1; 0 = not found yet
	low      []int32 // smallest index that is reachable
	stack    []int32 // nodes whose component is still open
	path     []int32 // nodes from the root of the search to the current one
	cursor   []int32 // next edge of each node on the path
	scc      []int32 // component of each node, sinks first
	members  []int32 // nodes by component
	start    []int32 // [p+1] members of each component
	sccLevel []int32 // level of each component
	renamed  []int32 // module number of each component
	queue    []int32 // components by smallest node
	parent   []int32 // forest of the weakly connected parts
	edges    []int32 // kept edges of each part
	row      []int32 // one row of edges
	count    int     // components
}

const searchArrays = 14

func newSearch(work []int32, p int) search {
	cut := func() []int32 {
		part := work[: p+1 : p+1]
		work = work[p+1:]
		return part
	}
	return search{index: cut(), low: cut(), stack: cut(), path: cut(), cursor: cut(), scc: cut(), members: cut(),
		start: cut(), sccLevel: cut(), renamed: cut(), queue: cut(), parent: cut(), edges: cut(), row: cut()}
}

// components is Tarjan's algorithm with an explicit path: it numbers the strongly connected components, sinks first.
func (s *search) components() {
	p := s.l.Nodes
	clear(s.index)
	found, open := int32(0), 0
	s.count = 0
	for root := range p {
		if s.index[root] != 0 {
			continue
		}
		s.path[0] = int32(root)
		for depth := 1; depth > 0; {
			v := s.path[depth-1]
			if s.index[v] == 0 {
				found++
				s.index[v], s.low[v], s.cursor[v] = found, found, s.l.OutPtr[v]
				s.stack[open] = v
				open++
				s.scc[v] = -1
			}
			if next := s.advance(v); next >= 0 {
				s.path[depth] = next
				depth++
				continue
			}
			depth--
			if s.low[v] == s.index[v] {
				open = s.close(v, open)
			} else if depth > 0 {
				u := s.path[depth-1]
				s.low[u] = min(s.low[u], s.low[v])
			}
		}
	}
}

// advance follows the edges of v up to one that leads to a new node, which it returns, or -1 at the end.
func (s *search) advance(v int32) int32 {
	for e := s.cursor[v]; e < s.l.OutPtr[v+1]; e++ {
		i := s.l.Out[e]
		if s.index[i] == 0 {
			s.cursor[v] = e + 1
			return i
		}
		if s.scc[i] < 0 {
			s.low[v] = min(s.low[v], s.index[i])
		}
	}
	s.cursor[v] = s.l.OutPtr[v+1]
	return -1
}

// close takes the component of v off the stack.
func (s *search) close(v int32, open int) int {
	for {
		open--
		u := s.stack[open]
		s.scc[u] = int32(s.count)
		if u == v {
			s.count++
			return open
		}
	}
}

// levels computes the longest path to each component, from the sources (highest numbers) to the sinks.
func (s *search) levels() {
	p := s.l.Nodes
	clear(s.start)
	for i := range p {
		s.start[s.scc[i]+1]++
	}
	for c := range s.count {
		s.start[c+1] += s.start[c]
		s.queue[c] = s.start[c]
		s.sccLevel[c] = 0
	}
	for i := range p {
		c := s.scc[i]
		s.members[s.queue[c]] = int32(i)
		s.queue[c]++
	}
	for c := int32(s.count) - 1; c >= 0 && s.count > 1; c-- {
		for _, j := range s.members[s.start[c]:s.start[c+1]] {
			for _, i := range s.l.Destinations(int(j)) {
				if d := s.scc[i]; d != c {
					s.sccLevel[d] = max(s.sccLevel[d], s.sccLevel[c]+1)
				}
			}
		}
	}
}

// number gives the modules their numbers, by level and then by smallest node, and sorts the nodes.
func (s *search) number(out []int32) {
	l, p := &s.l, s.l.Nodes
	seen, n := s.renamed, 0
	for c := range s.count {
		seen[c] = -1
	}
	for i := range p {
		if c := s.scc[i]; seen[c] < 0 {
			seen[c] = 0
			s.queue[n] = c
			n++
		}
	}
	levels := int32(0)
	for c := range s.count {
		l.LevelPtr[s.sccLevel[c]+1]++
		levels = max(levels, s.sccLevel[c]+1)
	}
	for k := range levels {
		l.LevelPtr[k+1] += l.LevelPtr[k]
		s.row[k] = l.LevelPtr[k]
	}
	for _, c := range s.queue[:n] {
		k := s.sccLevel[c]
		s.renamed[c] = s.row[k]
		l.ModuleLevel[s.row[k]] = k
		l.ModulePtr[s.row[k]+1] = s.start[c+1] - s.start[c]
		s.row[k]++
	}
	for m := range n {
		l.ModulePtr[m+1] += l.ModulePtr[m]
	}
	for _, c := range s.queue[:n] {
		at := l.ModulePtr[s.renamed[c]]
		nodes := s.members[s.start[c]:s.start[c+1]]
		for k, i := range nodes {
			l.Order[at+int32(k)], l.Position[i] = i, at+int32(k)
			l.Module[i], l.Component[i] = s.renamed[c], nodes[0]
		}
	}
	l.Modules, l.Levels = n, int(levels)
	out[headModules], out[headLevels] = int32(n), levels
}

// split lists the edges by destination and, in both lists, those between modules before those inside one.
func (s *search) split() {
	l, p := &s.l, s.l.Nodes
	for j := range p {
		m, outer, inner := l.Module[j], l.OutPtr[j], 0
		for _, i := range l.Destinations(j) {
			l.InPtr[i+1]++
			if l.Module[i] == m {
				s.row[inner] = i
				inner++
			} else {
				l.InMid[i]++
				l.Out[outer] = i
				outer++
			}
		}
		l.OutMid[j] = outer
		copy(l.Out[outer:], s.row[:inner])
	}
	for i := range p {
		l.InPtr[i+1] += l.InPtr[i]
		s.queue[i] = l.InPtr[i] // next outer edge
		l.InMid[i] += l.InPtr[i]
		s.cursor[i] = l.InMid[i] // next inner edge
	}
	for j := range p {
		for e := l.OutPtr[j]; e < l.OutPtr[j+1]; e++ {
			next := s.queue
			if e >= l.OutMid[j] {
				next = s.cursor
			}
			i := l.Out[e]
			l.In[next[i]] = int32(j)
			next[i]++
		}
	}
}

// connect counts the kept edges of each weakly connected part, by union and find with path halving. A module is part of
// one, so that edges between modules are all there is to look at.
func (s *search) connect() {
	l, p := &s.l, s.l.Nodes
	for i := range p {
		s.parent[i], s.edges[i] = l.Component[i], 0
	}
	for j := range p {
		for _, i := range l.Out[l.OutPtr[j]:l.OutMid[j]] {
			a, b := s.root(int32(j)), s.root(i)
			s.parent[max(a, b)] = min(a, b)
		}
	}
	for j := range p {
		s.edges[s.root(int32(j))] += l.OutPtr[j+1] - l.OutPtr[j]
	}
	for i := range p {
		l.Connected[i] = s.edges[s.root(int32(i))]
	}
}

func (s *search) root(i int32) int32 {
	for s.parent[i] != i {
		s.parent[i] = s.parent[s.parent[i]]
		i = s.parent[i]
	}
	return i
}
