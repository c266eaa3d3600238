package fusion

import (
	"fmt"
	"strings"

	"ganglion/engine/plan"
	"ganglion/kernels"
)

// entry is the name of the kernel in every source.
const entry = "fused"

// maxPointers bounds the tensors of a kernel: its parameters may take 4096 bytes.
const maxPointers = 256

// Groups are the groups of a plan, with what must be known to make kernels of them.
type Groups struct {
	plan  *plan.Plan
	of    []int  // by node: its group, or -1
	reach []bool // by node: whether its value is used outside of its group
}

// NewGroups looks at the groups of a plan. With keep all values are written to memory, else only those that are used
// outside of their group.
func NewGroups(p *plan.Plan, keep bool) *Groups {
	g := &Groups{plan: p, of: make([]int, len(p.Graph.Nodes)), reach: make([]bool, len(p.Graph.Nodes))}
	for i := range g.of {
		g.of[i], g.reach[i] = -1, keep
	}
	for k, group := range p.Groups {
		for _, i := range group.Steps {
			g.of[p.Steps[i].Node] = k
		}
	}
	for i := range p.Graph.Nodes {
		for _, c := range p.Graph.Nodes[i].In {
			if g.of[c] != g.of[i] {
				g.reach[c] = true
			}
		}
	}
	for _, o := range p.Graph.Outputs {
		g.reach[o.Node] = true
	}
	for _, u := range p.Graph.Updates {
		g.reach[u.Next] = true
	}
	return g
}

// Program is the kernel of a group in CUDA C: fused(n, row, pointers…). It depends on the ops and on which inputs are
// repeated, not on sizes.
type Program struct {
	Source   string
	Pointers []int // the nodes whose addresses are the arguments behind n and row
	N, Row   int   // elements of the output, and of the rows over which smaller inputs are repeated
}

// Program writes the kernel of a group. A thread computes the values of all steps at one place after the other, in the
// order of the plan, so that it reads and writes at every place in the order in which the steps would.
func (g *Groups) Program(group int) (Program, error) {
	from := &g.plan.Groups[group]
	last := g.plan.Steps[from.Steps[len(from.Steps)-1]].Node
	out := g.plan.Specs[last]
	header, err := kernels.CUDAHeader("act/act.cuh")
	if err != nil {
		return Program{}, err
	}
	w := &writer{Groups: g, group: group, out: out, names: make(map[int]string),
		program: Program{N: out.Size(), Row: from.Row}}
	for _, i := range from.Steps {
		if err := w.step(g.plan.Steps[i].Node); err != nil {
			return Program{}, err
		}
	}
	if n := len(w.program.Pointers); n > maxPointers {
		return Program{}, fmt.Errorf("%d tensors are more than a kernel takes, which is %d", n, maxPointers)
	}
	float := "double"
	if out.DType == kernels.Float32 {
		float = "float"
	}
	row := ""
	if w.rows {
		row = "\t\ti64 r = n < 0xffffffffLL ? (i64)((u32)i % (u32)row) : i % row;\n"
	}
	w.program.Source = fmt.Sprintf("%s\ntypedef %s T;\n\nKERNEL __launch_bounds__(%d) %s(i64 n, i64 row%s) {\n"+
		"\tEACH(i, n) {\n%s%s\t}\n}\n", header, float, threads, entry, w.params.String(), row, w.body.String())
	return w.program, nil
}

// writer writes a kernel.
type writer struct {
	*Groups
	group   int
	out     kernels.Spec
	names   map[int]string // by node: the variable that holds its element
	params  strings.Builder
	body    strings.Builder
	rows    bool // some input is repeated over rows
	program Program
}

// step computes the element of a node, and writes it if it is used elsewhere.
func (w *writer) step(id int) error {
	n := &w.plan.Graph.Nodes[id]
	op, ok := n.Op.(kernels.CUDAPointwise)
	if !ok {
		return fmt.Errorf("%s cannot be a part of a kernel", n.OpName())
	}
	in := make([]string, len(n.In))
	for k, c := range n.In {
		in[k] = w.input(c)
	}
	name := w.value(id, op.CUDAExpression(in))
	if w.reach[id] {
		fmt.Fprintf(&w.body, "\t\t%s[i] = %s;\n", w.pointer(id, "T *"), name)
	}
	return nil
}

// value declares the variable of a node.
func (w *writer) value(id int, expression string) string {
	name := fmt.Sprintf("v%d", len(w.names))
	w.names[id] = name
	fmt.Fprintf(&w.body, "\t\tT %s = %s;\n", name, expression)
	return name
}

// pointer declares the parameter for the memory of a node.
func (w *writer) pointer(id int, kind string) string {
	name := fmt.Sprintf("p%d", len(w.program.Pointers))
	w.program.Pointers = append(w.program.Pointers, id)
	fmt.Fprintf(&w.params, ", %s%s", kind, name)
	return name
}

// input is the variable of a node; a value from outside of the group is read at its first use.
func (w *writer) input(id int) string {
	if name, ok := w.names[id]; ok {
		return name
	}
	at := "r"
	switch size := w.plan.Specs[id].Size(); {
	case size == w.out.Size():
		at = "i"
	case size == 1:
		at = "0"
	default:
		w.rows = true
	}
	return w.value(id, fmt.Sprintf("%s[%s]", w.pointer(id, "const T *"), at))
}
