package bench

import (
	"ganglion/internal/philox"
	"ganglion/kernels"
	"ganglion/kernels/dense"
	"ganglion/kernels/sparse"
)

func spmmWorkload() workload {
	const title = "message passing: sparse products, inner products, softmax over edges, attention; random rows"
	return workload{"spmm", title, "W2m", spmmCases}
}

func spmmCases(e env) []bench {
	sizes := [][2]int{{20000, 340000}, {100000, 2000000}}
	if e.quick {
		sizes = [][2]int{{20, 60}}
	}
	var out []bench
	for _, n := range sizes {
		for _, skewed := range []bool{false, true} {
			g := network{nodes: n[0], edges: n[1], skewed: skewed}
			for _, width := range []int{16, 64, 128} {
				out = append(out, g.product("spmm", width, true), g.product("spmm-unweighted", width, false))
			}
			for _, width := range []int{16, 64} {
				out = append(out, g.inner(width))
			}
			out = append(out, g.softmax(), g.attend(false), g.attend(true))
		}
		out = append(out, gather(n[0], n[1]))
	}
	return out
}

// pattern is the name of a kind of graph.
func (n network) pattern() string {
	if n.skewed {
		return "rmat"
	}
	return "uniform"
}

func (n network) micro(op, what string, width int) Size {
	return Size{{"op", op}, {"n", n.nodes}, {"nnz", n.edges}, {what, width}, {"pattern", n.pattern()}}
}

// on makes a runner of an operator over a graph: normal numbers of the given shapes before the structure, and behind.
func (n network) on(e env, op kernels.CPUOp, work Work, first, last [][]int) (*runner, error) {
	s, err := sorted(n.draw2())
	if err != nil {
		return nil, err
	}
	r, err := openTensors(e, op, work, first, s.Tensors(), last)
	return r, err
}

// draw2 is draw, as sorted takes it.
func (n network) draw2() (nodes int, src, dst []int32) {
	src, dst = n.draw()
	return n.nodes, src, dst
}

// openTensors makes a runner that calls an op's kernel on normal numbers, lists, and more normal numbers.
func openTensors(
	e env,
	op kernels.CPUOp,
	work Work,
	first [][]int,
	lists []kernels.Tensor,
	last [][]int,
) (*runner, error) {
	c := kernels.NewCall(op, e.path, e.pool)
	var specs []kernels.Spec
	draw := func(shapes [][]int) error {
		for _, s := range shapes {
			t, err := normal(e.dtype, uint32(len(c.In)), s...)
			if err != nil {
				return err
			}
			c.In = append(c.In, t)
		}
		return nil
	}
	if err := draw(first); err != nil {
		return nil, err
	}
	c.In = append(c.In, lists...)
	if err := draw(last); err != nil {
		return nil, err
	}
	for _, t := range c.In {
		specs = append(specs, t.Spec)
	}
	out, err := op.Infer(specs)
	if err != nil {
		return nil, err
	}
	c.Out = kernels.New(out)
	if s, ok := op.(kernels.Scratcher); ok {
		c.Work = make([]byte, s.Workspace(specs, out, e.pool.Workers()))
	}
	return &runner{step: func() error { op.CPU(c); return nil }, work: func() Work { return work }}, nil
}

// moved is a work that goes through a row of the given width for each entry.
func (n network) moved(e env, flops, width float64) Work {
	b := float64(e.dtype.Size())
	return Work{Flops: flops * float64(n.edges) * width, Bytes: float64(n.edges)*(8+b*width) + b*width*float64(n.nodes),
		Set: 2*b*width*float64(n.nodes) + 8*float64(n.edges)}
}

func (n network) product(op string, width int, weights bool) bench {
	return bench{n.micro(op, "cols", width), func(e env) (*runner, error) {
		var last [][]int
		if weights {
			last = [][]int{{n.edges}}
		}
		return n.on(e, sparse.SpMM{}, n.moved(e, 2, float64(width)), [][]int{{n.nodes, width}}, last)
	}}
}

func (n network) inner(width int) bench {
	return bench{n.micro("sddmm", "cols", width), func(e env) (*runner, error) {
		x := []int{n.nodes, width}
		return n.on(e, sparse.SDDMM{}, n.moved(e, 2, float64(width)), [][]int{x, x}, nil)
	}}
}

// softmaxHeads is the number of heads of softmax and attention.
const softmaxHeads = 8

func (n network) softmax() bench {
	return bench{n.micro("edge_softmax", "heads", softmaxHeads), func(e env) (*runner, error) {
		bytes := float64(2 * softmaxHeads * n.edges * e.dtype.Size())
		return n.on(e, sparse.Softmax{}, Work{Bytes: bytes, Set: bytes}, [][]int{{n.edges, softmaxHeads}}, nil)
	}}
}

func (n network) attend(grad bool) bench {
	op, name, reads := kernels.CPUOp(sparse.GAT{Slope: 0.2}), "gat", 2.0
	h, u := []int{n.nodes, softmaxHeads, 8}, []int{n.nodes, softmaxHeads}
	shapes := [][]int{h, u, u}
	if grad {
		op, name, reads, shapes = sparse.GATGrad{Slope: 0.2}, "gat-grad", 4, append(shapes, h, h)
	}
	return bench{n.micro(name, "heads", softmaxHeads), func(e env) (*runner, error) {
		return n.on(e, op, n.moved(e, reads, 64), shapes, nil)
	}}
}

// gather copies rows of 256 bytes that are named at random: the rate that memory has for products with sparse matrices.
func gather(rows, count int) bench {
	size := Size{{"op", "gather"}, {"rows", rows}, {"count", count}, {"bytes", 256}}
	return bench{size, func(e env) (*runner, error) {
		width := 256 / e.dtype.Size()
		index, r := kernels.New(kernels.S(kernels.Int32, count)), philox.New(seed, 80, 0)
		for i := range index.I32 {
			index.I32[i] = int32(r.Below(uint32(rows)))
		}
		bytes := 256 * float64(count)
		return openTensors(e, dense.Gather{}, Work{Bytes: bytes, Set: 256 * float64(rows)}, [][]int{{rows, width}},
			[]kernels.Tensor{index}, nil)
	}}
}
