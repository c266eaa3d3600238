package engine

import (
	"fmt"
	"slices"
	"sync"

	"ganglion/engine/plan"
	"ganglion/kernels"
)

// storeAlign is the alignment of the blocks of a store and of what does not have to adjoin something else, in bytes.
const storeAlign = 64

// Store is the memory of parameters and states. Programs that share one (training, evaluation) work on the same
// values. The first program compiled decides the layout: all parameters one behind another in order of declaration,
// then what a Pack op wants to follow them (the optimiser's moments), then the other states.
//
// Programs that share a store must not run at the same time.
type Store struct {
	mu     sync.Mutex
	blocks [][]byte
	vars   []variable
	byName map[string]int
	params kernels.Tensor
	mirror *mirror // on a device; nil if no program runs there
}

// variable is a parameter or state of a store.
type variable struct {
	name  string
	param bool
	spec  kernels.Spec
	home  plan.Home
}

// NewStore returns an empty store, as new(Store) does.
func NewStore() *Store { return new(Store) }

// Names lists the parameters and states: parameters first, in order of declaration, then states.
func (s *Store) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, len(s.vars))
	for i, v := range s.vars {
		names[i] = v.name
	}
	return names
}

// Tensor returns the live memory of a parameter or state: writing to it between runs changes the model.
func (s *Store) Tensor(name string) (kernels.Tensor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.pull(); err != nil {
		return kernels.Tensor{}, err
	}
	i, ok := s.byName[name]
	if !ok {
		return kernels.Tensor{}, fmt.Errorf("engine: the store has no parameter or state %q; it has %d others", name,
			len(s.vars))
	}
	return s.tensor(i), nil
}

// IsParam reports whether name is a parameter of the store.
func (s *Store) IsParam(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.byName[name]
	return ok && s.vars[i].param
}

// Params returns the live memory of all parameters as one tensor [number of parameters], in the order of Names.
func (s *Store) Params() kernels.Tensor {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.pull() // Params cannot tell: the error is kept for the next call that can
	return s.params
}

// Bytes is the size of all parameters and states.
func (s *Store) Bytes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, v := range s.vars {
		n += v.spec.Bytes()
	}
	return n
}

func (s *Store) tensor(i int) kernels.Tensor {
	v := s.vars[i]
	return kernels.FromBytes(s.blocks[v.home.Block][v.home.Offset:], v.spec)
}

// admit brings the variables of a graph into the store and returns where they live. Those that are there already must
// have the same specs; new ones are laid out in a block of their own, groups (slots of variables that are to adjoin)
// respected, and filled.
func (s *Store) admit(g *Graph, groups [][]int, seed uint64) (homes []plan.Home, blocks [][]byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byName == nil {
		s.byName = map[string]int{}
	}
	nodes := g.stateful()
	homes = make([]plan.Home, len(nodes))
	var fresh []int
	for i, n := range nodes {
		l := g.leaf(n)
		at, ok := s.byName[l.name]
		if !ok {
			if l.kind == kindParam && len(s.vars) > 0 {
				return nil, nil, fmt.Errorf("engine: the store holds another model: it has no parameter %q", l.name)
			}
			fresh = append(fresh, i)
			continue
		}
		v := s.vars[at]
		if !v.spec.Equal(l.spec) || v.param != (l.kind == kindParam) {
			return nil, nil, fmt.Errorf("engine: %v %s: %w: the store has %v of that name, the graph wants %v",
				l.kind, l.name, kernels.ErrShape, v.spec, l.spec)
		}
		homes[i] = v.home
	}
	if len(fresh) == 0 {
		return homes, slices.Clone(s.blocks), nil
	}
	block, made, err := s.lay(g, nodes, fresh, groups, seed)
	if err != nil {
		return nil, nil, err
	}
	s.blocks = append(s.blocks, block)
	for k, v := range made {
		homes[fresh[k]] = v.home
		s.byName[v.name] = len(s.vars)
		s.vars = append(s.vars, v)
	}
	s.setParams(g.dtype)
	return homes, slices.Clone(s.blocks), nil
}

// lay makes one block of memory for the fresh variables and fills it.
func (s *Store) lay(g *Graph, nodes []*Node, fresh []int, groups [][]int, seed uint64) ([]byte, []variable, error) {
	chains := chain(g, nodes, fresh, groups)
	offset := make(map[int]int, len(fresh))
	size := 0
	for _, c := range chains {
		size = (size + storeAlign - 1) &^ (storeAlign - 1)
		for _, i := range c {
			offset[i] = size
			size += g.leaf(nodes[i]).spec.Bytes()
		}
	}
	block := alignedBytes(size)
	made := make([]variable, len(fresh))
	for k, i := range fresh {
		l := g.leaf(nodes[i])
		made[k] = variable{l.name, l.kind == kindParam, l.spec, plan.Home{Block: len(s.blocks), Offset: offset[i]}}
		if l.init == nil {
			continue
		}
		t := kernels.FromBytes(block[offset[i]:], l.spec)
		if err := l.init.Fill(t, seed, l.stream); err != nil {
			return nil, nil, fmt.Errorf("engine: initial value of %s %v: %w", l.name, l.spec, err)
		}
	}
	return block, made, nil
}

// chain splits the fresh variables into lists that lie without gaps: the parameters with all that groups want behind
// them, other groups, and single states. A group is followed as far as it does not tear apart what lies together
// already.
func chain(g *Graph, nodes []*Node, fresh []int, groups [][]int) [][]int {
	isFresh := make(map[int]bool, len(fresh))
	next, prev := map[int]int{}, map[int]int{}
	dtype := func(i int) kernels.DType { return g.leaf(nodes[i]).spec.DType }
	join := func(list []int) {
		for k := 1; k < len(list); k++ {
			a, b := list[k-1], list[k]
			_, hasNext := next[a]
			_, hasPrev := prev[b]
			if !hasNext && !hasPrev && a != b && isFresh[a] && isFresh[b] && dtype(a) == dtype(b) &&
				!follows(next, b, a) {
				next[a], prev[b] = b, a
			}
		}
	}
	var params []int
	for _, i := range fresh {
		isFresh[i] = true
		if g.leaf(nodes[i]).kind == kindParam {
			params = append(params, i)
		}
	}
	join(params)
	for _, list := range groups {
		join(list)
	}
	var chains [][]int
	for _, i := range fresh {
		if _, ok := prev[i]; ok {
			continue
		}
		c := []int{i}
		for {
			n, ok := next[c[len(c)-1]]
			if !ok {
				break
			}
			c = append(c, n)
		}
		chains = append(chains, c)
	}
	return chains
}

// follows reports whether b stands behind a in a chain.
func follows(next map[int]int, a, b int) bool {
	for {
		if a == b {
			return true
		}
		n, ok := next[a]
		if !ok {
			return false
		}
		a = n
	}
}

// setParams finds the block of all parameters, which is one chain.
func (s *Store) setParams(d kernels.DType) {
	n := 0
	first := -1
	for i, v := range s.vars {
		if v.param {
			if first < 0 {
				first = i
			}
			n += v.spec.Size()
		}
	}
	if first < 0 {
		s.params = kernels.New(kernels.S(d, 0))
		return
	}
	h := s.vars[first].home
	s.params = kernels.FromBytes(s.blocks[h.Block][h.Offset:], kernels.S(d, n))
}
