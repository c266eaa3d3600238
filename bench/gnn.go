package bench

import (
	"context"
	"fmt"
	"math"
	"runtime"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/optim"
	"ganglion/kernels/random"
	"ganglion/kernels/sparse"
)

func gnnWorkload() workload {
	const title = "training steps of graph networks on all nodes: GCN, GraphSAGE, GIN and GAT of two layers, with Adam"
	return workload{"gnn", title, "W2", gnnCases}
}

func gnnCases(e env) []bench {
	var out []bench
	for _, n := range networksOf(e.quick) {
		for _, m := range []string{"gcn", "sage", "gin", "gat"} {
			out = append(out, bench{n.size(m), func(e env) (*runner, error) { return n.open(e, m, false) }})
			if m != "gat" && n.dense == 0 {
				once := bench{n.size(m + "-once"), func(e env) (*runner, error) { return n.open(e, m, true) }}
				out = append(out, once)
			}
		}
	}
	return out
}

// message writes a graph network.
type message struct {
	*engine.Scope
	net       network
	once      bool            // the first layer mixes features, which are constant, before its linear part
	graph     []*kernels.Node // with loops for gcn and gat
	weights   *kernels.Node   // of gcn
	features  *kernels.Node   // dense ones, or
	words     []*kernels.Node // a structure
	frequency *kernels.Node   // and its values
}

// open makes a runner of whole training steps: forward on all nodes, cross-entropy, backward, Adam. With once, the
// product of the graph and the features, which are the same in every step, is made before the first one.
func (n network) open(e env, model string, once bool) (*runner, error) {
	g, edges, err := n.build(e, model, once)
	if err != nil {
		return nil, err
	}
	p, err := engine.Compile(g, engine.Options{Pool: e.pool, Seed: seed, Device: e.device})
	if err != nil {
		return nil, err
	}
	hyper, err := p.Slot("hyper")
	if err != nil {
		return nil, err
	}
	rate := kernels.Convert(kernels.FromSlice([]float64{0.01, 0, 0}, 3), e.dtype)
	feeds, t := engine.Feeds{{Slot: hyper, Tensor: rate}}, 0
	step := func() error {
		t++
		if e.dtype == kernels.Float32 {
			rate.F32[1] = float32(t)
		} else {
			rate.F64[1] = float64(t)
		}
		if err := p.Run(context.Background(), feeds); err != nil {
			return err
		}
		loss, err := p.Value("loss")
		if err != nil {
			return err
		}
		for _, v := range loss.F32 {
			err = finite(float64(v))
		}
		for _, v := range loss.F64 {
			err = finite(v)
		}
		return err
	}
	w := n.work(e, edges)
	return &runner{step: step, work: func() Work { return w }, close: p.Close, facts: func() []Fact {
		m := p.Memory()
		return []Fact{{"program MB", round(float64(m.Parameters+m.States+m.Constants+m.Arena) / 1e6)}, residentFact()}
	}}, nil
}

// finite is an error for a loss that is no number.
func finite(loss float64) error {
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Errorf("the loss is %v", loss)
	}
	return nil
}

// residentFact is the memory that the process has from the system.
func residentFact() Fact {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Fact{"process MB", round(float64(m.Sys-m.HeapReleased) / 1e6)}
}

// work counts a product and a sum for each entry and hidden unit, forward and back, of two layers, and features read
// and written once.
func (n network) work(e env, edges int) Work {
	width := n.features
	if n.dense > 0 {
		width = n.dense
	}
	flops := 4*float64(edges)*float64(n.hidden+n.classes) + 4*float64(n.nodes)*float64(width*n.hidden) +
		6*float64(n.nodes)*float64(n.hidden*n.classes)
	bytes := float64(e.dtype.Size()) * float64(n.nodes) * float64(width+4*n.hidden+4*n.classes)
	return Work{Flops: flops, Bytes: bytes, Set: bytes}
}

// build writes the graph of a training step, and returns the number of entries of its matrix.
func (n network) build(e env, model string, once bool) (*engine.Graph, int, error) {
	src, dst := n.draw()
	if model == "gcn" || model == "gat" {
		var err error
		if src, dst, _, err = sparse.WithLoops(n.nodes, src, dst); err != nil {
			return nil, 0, err
		}
	}
	structure, err := sorted(n.nodes, src, dst)
	if err != nil {
		return nil, 0, err
	}
	var words sparse.Structure
	var values, x kernels.Tensor
	if n.dense > 0 {
		words, values, err = n.words(e.dtype)
	} else {
		x, err = normal(e.dtype, 5, n.nodes, n.features)
	}
	if err != nil {
		return nil, 0, err
	}
	g, err := engine.Build("gnn", e.dtype, func(s *engine.Scope) {
		m := message{Scope: s, net: n, once: once}
		for _, t := range structure.Tensors() {
			m.graph = append(m.graph, s.Const(t))
		}
		if n.dense > 0 {
			for _, t := range words.Tensors() {
				m.words = append(m.words, s.Const(t))
			}
			m.frequency = s.Const(values)
		} else {
			m.features = s.Const(x)
		}
		if model == "gcn" {
			m.weights = s.Const(symmetric(structure, e.dtype))
		}
		m.train(m.forward(model), s.Const(n.labels()))
	})
	return g, structure.Entries(), err
}

// symmetric is the weights d_i^{−1/2}·d_j^{−1/2} of a graph, by the sizes of rows.
func symmetric(s sparse.Structure, d kernels.DType) kernels.Tensor {
	w := kernels.New(kernels.S(kernels.Float64, s.Entries()))
	size := func(i int32) float64 { return float64(s.Ptr[i+1] - s.Ptr[i]) }
	for i := range int32(s.Rows()) {
		for k := s.Ptr[i]; k < s.Ptr[i+1]; k++ {
			w.F64[k] = 1 / math.Sqrt(size(i)*size(s.Col[k]))
		}
	}
	return kernels.Convert(w, d)
}

// train writes loss, gradients and the update.
func (m message) train(logits, labels *kernels.Node) {
	loss := m.Apply(dense.SoftmaxCrossEntropy{}, logits, labels)
	m.Output("loss", loss)
	params := m.Params()
	g := m.Apply(dense.Pack{}, m.Grad(loss, params...)...)
	ok := m.Apply(optim.Finite{}, g, loss)
	n := kernels.SpecOf(g)
	parts := append([]*kernels.Node(nil), params...)
	for i := range 2 {
		parts = append(parts, m.State(fmt.Sprintf("moment%d", i+1), n, random.Zeros{}))
	}
	hyper := m.Input("hyper", kernels.S(m.DType(), 3))
	z := m.Apply(optim.Adam{}, m.Apply(dense.Pack{}, parts...), g, hyper, ok)
	at := 0
	for _, p := range parts {
		spec := kernels.SpecOf(p)
		m.Update(p, m.Apply(dense.NewView(at, spec.Shape...), z))
		at += spec.Size()
	}
}

// forward writes a network of two layers.
func (m message) forward(model string) *kernels.Node {
	hidden, classes := m.net.hidden, m.net.classes
	relu := func(x *kernels.Node) *kernels.Node { return m.Apply(dense.Unary{F: act.ReLU}, x) }
	switch model {
	case "gcn":
		h := relu(m.bias("b1", m.firstSum(sparse.Sum, "w1", hidden)))
		return m.bias("b2", m.sum(sparse.Sum, m.linear("w2", h, classes)))
	case "sage":
		h := m.add(m.firstSum(sparse.Mean, "w1", hidden), m.first("r1", hidden))
		h = relu(m.bias("b1", h))
		return m.bias("b2", m.add(m.sum(sparse.Mean, m.linear("w2", h, classes)), m.linear("r2", h, classes)))
	case "gin":
		var z *kernels.Node
		if m.once {
			z = m.linear("w1", m.add(m.features, m.sum(sparse.Sum, m.features)), hidden)
		} else {
			z = m.first("w1", hidden)
			z = m.add(z, m.sum(sparse.Sum, z))
		}
		h := relu(m.bias("b1", z))
		h = relu(m.bias("c1", m.linear("m1", h, hidden)))
		z = m.linear("w2", h, hidden)
		h = relu(m.bias("b2", m.add(z, m.sum(sparse.Sum, z))))
		return m.bias("c2", m.linear("m2", h, classes))
	}
	h := m.Apply(dense.Unary{F: act.ELU}, m.bias("b1", m.attention("a1", m.first("w1", hidden), 8)))
	return m.bias("b2", m.attention("a2", m.linear("w2", h, classes), 1))
}

// attention is a layer of GAT behind its linear part.
func (m message) attention(name string, h *kernels.Node, heads int) *kernels.Node {
	width := kernels.SpecOf(h).Shape[1]
	logit := func(end string) *kernels.Node {
		a := m.Param(name+end, random.Normal{Std: 0.1}, heads, width/heads)
		return m.Apply(dense.GEMM{}, h, m.Apply(sparse.HeadMatrix{}, a))
	}
	h3 := m.Apply(dense.Reshape{To: dense.ShapeOf(-1, heads, width/heads)}, h)
	in := append([]*kernels.Node{h3, logit("source"), logit("destination")}, m.graph...)
	return m.Apply(dense.Reshape{To: dense.ShapeOf(-1, width)}, m.Apply(sparse.GAT{Slope: 0.2}, in...))
}

func (m message) add(x, y *kernels.Node) *kernels.Node {
	return m.Apply(dense.Binary{Kind: dense.Add}, x, y)
}

func (m message) bias(name string, x *kernels.Node) *kernels.Node {
	return m.add(x, m.Param(name, random.Zeros{}, kernels.SpecOf(x).Shape[1]))
}

func (m message) linear(name string, x *kernels.Node, out int) *kernels.Node {
	in := kernels.SpecOf(x).Shape[1]
	return m.Apply(dense.GEMM{}, x, m.Param(name, random.Normal{Std: 1 / math.Sqrt(float64(in))}, in, out))
}

// firstSum is the product of the graph with linear of the features.
func (m message) firstSum(k sparse.Kind, name string, out int) *kernels.Node {
	if m.once {
		return m.linear(name, m.sum(k, m.features), out)
	}
	return m.sum(k, m.first(name, out))
}

// first is linear of the features.
func (m message) first(name string, out int) *kernels.Node {
	if m.features != nil {
		return m.linear(name, m.features, out)
	}
	w := m.Param(name, random.Normal{Std: 1 / math.Sqrt(float64(m.net.features))}, m.net.features, out)
	return m.Apply(sparse.SpMM{}, append(append([]*kernels.Node{w}, m.words...), m.frequency)...)
}

// sum is the product with the graph.
func (m message) sum(k sparse.Kind, x *kernels.Node) *kernels.Node {
	in := append([]*kernels.Node{x}, m.graph...)
	if m.weights != nil {
		in = append(in, m.weights)
	}
	return m.Apply(sparse.SpMM{Kind: k}, in...)
}
