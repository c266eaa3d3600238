package fusion

import (
	"strings"
	"testing"

	"ganglion/engine/plan"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// chain is a plan of y = tanh(x + b)·s with the group of its three steps; the tanh is also an output.
func chain(d kernels.DType) *plan.Plan {
	full := kernels.S(d, 4, 3)
	specs := []kernels.Spec{full, kernels.S(d, 3), kernels.S(d, 1), full, full, full}
	g := &plan.Graph{Nodes: []plan.Node{{Kind: plan.Input}, {Kind: plan.Input, Slot: 1}, {Kind: plan.Input, Slot: 2},
		{Kind: plan.Apply, Op: dense.Binary{Kind: dense.Add}, In: []int{0, 1}},
		{Kind: plan.Apply, Op: dense.Unary{F: act.Tanh}, In: []int{3}},
		{Kind: plan.Apply, Op: dense.Binary{Kind: dense.Mul}, In: []int{4, 2}}},
		Outputs: []plan.Output{{Name: "h", Node: 4}, {Name: "y", Node: 5}}}
	return &plan.Plan{Graph: g, Specs: specs, Steps: []plan.Step{{Node: 3}, {Node: 4}, {Node: 5}},
		Groups: []plan.Group{{Steps: []int{0, 1, 2}, Row: 3}}}
}

func TestProgram(t *testing.T) {
	p, err := NewGroups(chain(kernels.Float32), false).Program(0)
	if err != nil {
		t.Fatal(err)
	}
	const want = `
typedef float T;

KERNEL __launch_bounds__(256) fused(i64 n, i64 row, const T *p0, const T *p1, T *p2, const T *p3, T *p4) {
	EACH(i, n) {
		i64 r = n < 0xffffffffLL ? (i64)((u32)i % (u32)row) : i % row;
		T v0 = p0[i];
		T v1 = p1[r];
		T v2 = v0 + v1;
		T v3 = act::eval0(1, v2);
		p2[i] = v3;
		T v4 = p3[0];
		T v5 = v3 * v4;
		p4[i] = v5;
	}
}
`
	if !strings.HasSuffix(p.Source, want) {
		t.Errorf("got %s", p.Source[max(0, len(p.Source)-len(want)-40):])
	}
	if strings.Contains(p.Source, "#include") || strings.Count(p.Source, "#define EACH") != 1 {
		t.Error("the headers do not stand in the source once each")
	}
	if len(p.Pointers) != 5 || p.Pointers[2] != 4 || p.Pointers[4] != 5 || p.N != 12 || p.Row != 3 {
		t.Errorf("pointers %v, n %d, row %d", p.Pointers, p.N, p.Row)
	}
	keep, err := NewGroups(chain(kernels.Float64), true).Program(0)
	if err != nil || len(keep.Pointers) != 6 || !strings.Contains(keep.Source, "typedef double T;") {
		t.Errorf("with all values kept: %d pointers, %v", len(keep.Pointers), err)
	}
}

// What a kernel cannot take is an error, which leaves the steps to the kernels compiled beforehand.
func TestProgramRefuses(t *testing.T) {
	p := chain(kernels.Float32)
	p.Graph.Nodes[4].Op = dense.ArgMax{}
	if _, err := NewGroups(p, false).Program(0); err == nil || !strings.Contains(err.Error(), "ArgMax") {
		t.Errorf("an op without expression: %v", err)
	}
	p = chain(kernels.Float32)
	for range maxPointers {
		p.Graph.Nodes = append(p.Graph.Nodes, plan.Node{Kind: plan.Input})
		p.Specs = append(p.Specs, p.Specs[0])
		p.Graph.Nodes[5].In = append(p.Graph.Nodes[5].In, len(p.Specs)-1)
	}
	p.Graph.Nodes[5].Op = dense.AddN{}
	if _, err := NewGroups(p, false).Program(0); err == nil || !strings.Contains(err.Error(), "256") {
		t.Errorf("too many tensors: %v", err)
	}
	if _, err := (*Fuser)(nil).Kernel(nil, 0); err == nil {
		t.Error("no fuser makes a kernel")
	}
}
