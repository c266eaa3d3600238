package plan

import (
	"container/heap"
	"fmt"
)

// The classes of a node that is ready to run; lower ones run first.
const (
	shrinking  = iota // frees as much memory as it takes
	growing           // takes memory
	committing        // overwrites a state: as late as possible, so that a run can be given up until then
)

// ready is a node whose inputs are computed. Nodes of one class run in the order in which they were written.
type ready struct{ class, node int }

type queue []ready

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].class != q[j].class {
		return q[i].class < q[j].class
	}
	return q[i].node < q[j].node
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(ready)) }
func (q *queue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}

// ordering is an order at work.
type ordering struct {
	p       *persistence
	waiting []int // inputs and earlier nodes that have not run
	readers []int // users that have not run; one more for values that are wanted after the run
	class   []int // of ready nodes
	done    []bool
	q       queue
	out     []int
}

// order returns the ops of the graph in the order in which they run: a topological order that respects p.before,
// prefers ops that free memory, and is otherwise the order of the graph.
func order(p *persistence) ([]int, error) {
	n := len(p.g.Nodes)
	o := &ordering{p: p, waiting: make([]int, n), readers: make([]int, n), class: make([]int, n), done: make([]bool, n)}
	total := 0
	for id := range p.g.Nodes {
		o.readers[id] = len(p.users[id])
		o.waiting[id] = len(p.before[id]) + len(distinct(p.g.Nodes[id].In))
		if p.g.Nodes[id].Kind == Apply || p.g.Nodes[id].Kind == Foreign {
			total++
		}
	}
	for _, x := range p.g.Outputs {
		o.readers[x.Node]++
	}
	for _, u := range p.g.Updates {
		o.readers[u.Next]++
	}
	for id := range p.g.Nodes {
		if k := p.g.Nodes[id].Kind; k != Apply && k != Foreign {
			o.finish(id)
		} else if len(p.g.Nodes[id].In)+len(p.before[id]) == 0 {
			o.push(id)
		}
	}
	for len(o.q) > 0 {
		r := heap.Pop(&o.q).(ready)
		if o.done[r.node] {
			continue
		}
		o.out = append(o.out, r.node)
		o.finish(r.node)
	}
	if len(o.out) != total {
		return nil, fmt.Errorf("plan: %d of %d ops wait for one another", total-len(o.out), total)
	}
	return o.out, nil
}

// finish marks a node as run and makes its followers ready.
func (o *ordering) finish(id int) {
	o.done[id] = true
	for _, c := range distinct(o.p.g.Nodes[id].In) {
		if o.readers[c]--; o.readers[c] == 1 {
			o.hasten(c)
		}
	}
	for _, list := range [][]int{o.p.users[id], o.p.after[id]} {
		for _, u := range list {
			if o.waiting[u]--; o.waiting[u] == 0 {
				o.push(u)
			}
		}
	}
}

// hasten moves the last reader of a value to a better class, if that frees enough memory and it is ready.
func (o *ordering) hasten(value int) {
	for _, u := range o.p.users[value] {
		if !o.done[u] {
			if o.waiting[u] == 0 && o.class[u] != o.rate(u) {
				o.push(u)
			}
			return
		}
	}
}

func (o *ordering) push(id int) {
	o.class[id] = o.rate(id)
	heap.Push(&o.q, ready{o.class[id], id})
}

// rate is the class of a ready node.
func (o *ordering) rate(id int) int {
	if o.p.link[id] >= 0 {
		return committing
	}
	n := &o.p.g.Nodes[id]
	if aliases(n, o.p.specs) {
		return shrinking
	}
	grow := o.p.specs[id].Bytes()
	for _, c := range distinct(n.In) {
		if k := o.p.g.Nodes[c].Kind; o.readers[c] == 1 && (k == Apply || k == Foreign) && o.p.at[c].empty() {
			grow -= o.p.specs[c].Bytes()
		}
	}
	if grow <= 0 {
		return shrinking
	}
	return growing
}

// distinct returns the list without repeats, in order; it is the list itself when it has none.
func distinct(list []int) []int {
	for i, v := range list {
		for _, w := range list[:i] {
			if v == w {
				return dedupe(list)
			}
		}
		if i == 16 {
			return dedupe(list)
		}
	}
	return list
}

func dedupe(list []int) []int {
	seen := make(map[int]bool, len(list))
	var out []int
	for _, v := range list {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}
