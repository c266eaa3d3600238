package implicit

import "ganglion/kernels"

// A graph of which every edge is kept is one module, and its structure is known without a search: lists of all nodes
// but one.

// complete reports whether no weight off the diagonal is 0, for two nodes and more.
func complete(c *kernels.Call) bool {
	p := c.In[0].Shape[0]
	if p < 2 {
		return false
	}
	chunks, scan, found := c.Rows(p, 0.3*float64(p)), zeroBody[float32], []int32(nil)
	if c.In[0].DType == kernels.Float32 {
		found = newSelection[float32](c).found
	} else {
		scan, found = zeroBody[float64], newSelection[float64](c).found
	}
	c.For(chunks, scan)
	for _, n := range found[:chunks] {
		if n > 0 {
			return false
		}
	}
	return true
}

// zeroBody finds out whether there are zeros off the diagonal in some rows.
func zeroBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	w, p, zeros := kernels.Of[T](c.In[0]), c.In[0].Shape[0], int32(0)
	lo, hi := c.Chunk(chunk, p)
	for j := lo; j < hi && zeros == 0; j++ {
		for i, v := range w[j*p : j*p+p] {
			if v == 0 && i != j {
				zeros = 1
				break
			}
		}
	}
	newSelection[T](c).found[chunk] = zeros
}

// fill writes the structure of the complete graph into l and its head into out, but for the lists of edges.
func fill(out []int32, l *Layout) {
	p := l.Nodes
	l.Kept, l.Modules, l.Levels = p*(p-1), 1, 1
	l.ModulePtr[1], l.LevelPtr[1] = int32(p), 1
	for i := range p {
		l.Order[i], l.Position[i], l.Connected[i] = int32(i), int32(i), int32(l.Kept)
		at := int32(i * (p - 1))
		l.InPtr[i], l.InMid[i], l.OutPtr[i], l.OutMid[i] = at, at, at, at
	}
	l.InPtr[p], l.OutPtr[p] = int32(l.Kept), int32(l.Kept)
	out[headModules], out[headLevels] = 1, 1
}

// othersBody writes the edges of some nodes: all other nodes are both sources and destinations.
func othersBody(c *kernels.Call, chunk, _ int) {
	l := View(c.Out.I32)
	lo, hi := c.Chunk(chunk, l.Nodes)
	for i := lo; i < hi; i++ {
		for _, list := range [2][]int32{l.Sources(i), l.Destinations(i)} {
			for e := range list[:i] {
				list[e] = int32(e)
			}
			for e := i; e < len(list); e++ {
				list[e] = int32(e + 1)
			}
		}
	}
}

// others reports whether list holds, in order, all nodes but i.
func others(list []int32, i int) bool {
	wrong := int32(0)
	for e, j := range list[:min(i, len(list))] {
		wrong |= j ^ int32(e)
	}
	for e := i; e < len(list); e++ {
		wrong |= list[e] ^ int32(e+1)
	}
	return wrong == 0
}

// wholeCost makes the rows of a complete graph's matrix that are packed together 16: a cache line of every row of W. Of
// these wholeTile are written side by side, for rows that lie 4 KiB apart share a set of the first-level cache.
const (
	wholeCost = 500
	wholeTile = 8
)

// whole reports whether the matrix of the system can be that of a complete graph.
func (s *system[T]) whole() bool {
	return s.l.Modules == 1 && s.denseAt[0] >= 0 && s.l.Kept == s.p*(s.p-1)
}

// packWhole packs the rows lo … hi-1 of a complete graph's matrix; it does nothing, and reports false, if these rows
// are not of one.
func (s *system[T]) packWhole(lo, hi int) bool {
	l, p := &s.l, s.p
	for i := lo; i < hi; i++ {
		list := l.Sources(i)
		if s.kind == adjoint {
			list = l.Destinations(i)
		}
		if int(l.Order[i]) != i || len(list) != p-1 || !others(list, i) {
			return false
		}
	}
	m := s.dense[s.denseAt[0]:]
	if s.kind == adjoint {
		copy(m[lo*p:hi*p], s.w[lo*p:])
	}
	for at := lo; at < hi && s.kind != adjoint; at += wholeTile {
		last := min(at+wholeTile, hi)
		for k := range p {
			for q, v := range s.w[k*p+at : k*p+last] {
				m[(at+q)*p+k] = v
			}
		}
	}
	for q := lo; q < hi; q++ {
		m[q*p+q] = 0
	}
	return true
}
