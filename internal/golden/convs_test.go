package golden_test

import (
	"ganglion/kernels"
	"ganglion/kernels/dense"
	"ganglion/kernels/sparse"
	"ganglion/models/layer/message"
)

var netNames = []string{"nn_0_weight", "net/0/W", "nn_0_bias", "net/0/b", "nn_2_weight", "net/1/W", "nn_2_bias",
	"net/1/b"}

var sageNames = []string{"lin_l_weight", "neighbours/W", "lin_l_bias", "neighbours/b", "lin_r_weight", "root/W",
	"lin_weight", "project/W", "lin_bias", "project/b"}

var gatNames = []string{"lin_edge_weight", "edge/W", "att_edge", "edge/a", "att_src", "src", "att_dst", "dst",
	"lin_src_weight", "W", "lin_dst_weight", "dst/W"}

var gatv2Names = []string{"lin_edge_weight", "edge/W", "lin_l_weight", "left/W", "lin_l_bias", "left/b",
	"lin_r_weight", "right/W", "lin_r_bias", "right/b", "att", "a"}

var chebNames = []string{"lins_", ""}

var convolutions = map[string]layerCase{
	"GCNConv":                {apply: goldenGCN},
	"SAGEConv":               {names: sageNames, apply: goldenSAGE},
	"GraphConv":              {names: []string{"lin_rel", "neighbours", "lin_root", "root"}, apply: goldenGraphConv},
	"GINConv":                {names: netNames, apply: goldenGIN},
	"GATConv":                {names: gatNames, apply: goldenGAT, fused: fusedGAT},
	"GATv2Conv":              {names: gatv2Names, apply: goldenGATv2, fused: fusedGATv2},
	"ChebConv":               {names: chebNames, apply: goldenCheb},
	"TAGConv":                {names: chebNames, apply: goldenTAG},
	"SGConv":                 {apply: goldenSGC},
	"APPNP":                  {apply: goldenAPPNP},
	"EdgeConv":               {names: netNames, apply: goldenEdgeConv},
	"RGCNConv":               {names: []string{"weight", "W", "comp", "c"}, apply: goldenRGCN, keep: true},
	"AttentionalAggregation": {names: []string{"gate_nn", "gate", "nn", "net"}, apply: goldenAttention},
}

// features declares x.
func (b *bench) features() message.Features { return message.Dense(b.array("x")) }

func goldenGCN(b *bench) *kernels.Node {
	l := message.GCN{Out: b.width("lin"), Raw: !option(b.c, "normalize", true)}
	x := b.features()
	var e message.Edges
	if l.Raw || !option(b.c, "add_self_loops", true) {
		e = b.square()
	} else {
		fill := 1.0
		if option(b.c, "improved", false) {
			fill = 2
		}
		e = b.looped(fill)
	}
	if b.has("norm_weight") {
		b.listed("norm_weight", e.Normalised(b.Scope).Weight)
	}
	return l.Apply(b.Scope, x, e)
}

func (b *bench) sage() message.SAGE {
	return message.SAGE{Out: b.width("lin_l"), Kind: aggregate(b.t, b.c, "mean"), CountZero: true,
		NoRoot: !option(b.c, "root_weight", true), Project: option(b.c, "project", false),
		Normalise: option(b.c, "normalize", false), NoBias: !option(b.c, "bias", true)}
}

func goldenSAGE(b *bench) *kernels.Node { return b.sage().Apply(b.Scope, b.features(), b.square()) }

func (b *bench) graphConv() message.GraphConv {
	return message.GraphConv{Out: b.width("lin_rel"), Kind: aggregate(b.t, b.c, "add"), CountZero: true}
}

func goldenGraphConv(b *bench) *kernels.Node {
	return b.graphConv().Apply(b.Scope, b.array("x"), b.square())
}

func goldenGIN(b *bench) *kernels.Node {
	l := message.GIN{Net: b.net(), Eps: b.c.Number("eps"), Learn: option(b.c, "train_eps", false)}
	return l.Apply(b.Scope, b.features(), b.square())
}

func (b *bench) gat(attention string) message.GAT {
	shape := b.c.Arrays["p_"+attention].Shape
	return message.GAT{Heads: shape[1], Out: shape[2], Average: !option(b.c, "concat", true),
		Slope: option(b.c, "negative_slope", 0.0), Residual: option(b.c, "residual", false),
		NoBias: !option(b.c, "bias", true)}
}

// attended are the edges of an attention.
func (b *bench) attended() message.Edges {
	if option(b.c, "add_self_loops", true) {
		return b.looped(1)
	}
	return b.square()
}

func goldenGAT(b *bench) *kernels.Node {
	x := b.features()
	y, alpha := b.gat("att_src").Attend(b.Scope, x, b.attended())
	b.listed("alpha", alpha)
	return y
}

func fusedGAT(b *bench) *kernels.Node {
	return b.gat("att_src").Apply(b.Scope, b.features(), b.attended())
}

func fusedGATv2(b *bench) *kernels.Node {
	l := message.GATv2{GAT: b.gat("att"), Share: option(b.c, "share_weights", false)}
	return l.Apply(b.Scope, b.features(), b.attended())
}

func goldenGATv2(b *bench) *kernels.Node {
	l := message.GATv2{GAT: b.gat("att"), Share: option(b.c, "share_weights", false)}
	x := b.features()
	y, alpha := l.Attend(b.Scope, x, x, b.attended())
	b.listed("alpha", alpha)
	return y
}

func goldenCheb(b *bench) *kernels.Node {
	l := message.Cheb{Out: b.width("lins_0"), Terms: whole(b.c, "K", 0)}
	options, _ := b.c.Meta["options"].(map[string]any)
	switch kind, given := options["normalization"]; {
	case given && kind == nil:
		l.Kind = message.Plain
	case kind == "rw":
		l.Kind = message.RandomWalk
	}
	if top := b.c.Number("lambda_max"); top > 0 {
		l.Lambda = top
	}
	x := b.array("x")
	e, _, _, _ := b.bare()
	edges, diagonal := l.Scaled(b.Scope, e)
	inverse := b.ints("inverse", sparse.Inverse(b.perm))
	edges = b.Apply(sparse.Permute{}, edges, inverse, b.ints("permuted", b.perm))
	b.expected("scaled_laplacian", b.Apply(dense.Concat{}, edges, diagonal))
	return l.Apply(b.Scope, x, e)
}

func goldenTAG(b *bench) *kernels.Node {
	l := message.TAG{Out: b.width("lins_0"), Hops: whole(b.c, "K", 0), Raw: !option(b.c, "normalize", true)}
	return l.Apply(b.Scope, b.array("x"), b.square())
}

func goldenSGC(b *bench) *kernels.Node {
	l := message.SGC{Out: b.width("lin"), Hops: whole(b.c, "K", 0)}
	return l.Apply(b.Scope, b.features(), b.looped(1))
}

func goldenAPPNP(b *bench) *kernels.Node {
	l := message.APPNP{Hops: whole(b.c, "K", 0), Alpha: option(b.c, "alpha", 0.0)}
	return l.Apply(b.Scope, b.array("x"), b.looped(1))
}

func goldenEdgeConv(b *bench) *kernels.Node {
	l := message.EdgeConv{Net: b.net(), Kind: aggregate(b.t, b.c, "max"), CountZero: true}
	return l.Apply(b.Scope, b.array("x"), b.square())
}

func goldenRGCN(b *bench) *kernels.Node {
	l := message.RGCN{Out: b.c.Arrays["p_root"].Shape[1], Relations: whole(b.c, "num_relations", 0),
		Bases: whole(b.c, "num_bases", 0), Blocks: whole(b.c, "num_blocks", 0), Kind: aggregate(b.t, b.c, "mean")}
	n := int(b.c.Number("num_nodes"))
	src, dst := edgesOf(b.c)
	rows := message.RelationRows(dst, int32s(b.c.Arrays["edge_type"].Int), l.Relations)
	s, _ := build(b.t, n*l.Relations, n, src, rows)
	return l.Apply(b.Scope, b.array("x"), message.Edges{Structure: b.structure("relations", s)})
}

func goldenAttention(b *bench) *kernels.Node {
	s, err := sparse.Index(int(b.c.Number("size")), int32s(b.c.Arrays["batch"].Int))
	if err != nil {
		b.t.Fatal(err)
	}
	l := message.Attention{Out: b.width("nn")}
	return l.Apply(b.Scope, b.array("x"), message.Edges{Structure: b.structure("graphs", s)})
}

// bipartite is a layer between two kinds of nodes.
func bipartite(kind string) func(b *bench) *kernels.Node {
	return func(b *bench) *kernels.Node {
		src, dst := b.features2()
		e := b.edges(b.c.Arrays["x_dst"].Shape[0], b.c.Arrays["x_src"].Shape[0])
		switch kind {
		case "SAGEConv":
			return b.sage().Between(b.Scope, src, dst, e)
		case "GraphConv":
			l := b.graphConv()
			l.Kind = message.Mean // of all layers of the bipartite cases
			return l.Between(b.Scope, src.X, dst.X, e)
		case "GATConv":
			return b.gat("att_src").Between(b.Scope, src, dst, e)
		}
		y, _ := message.GATv2{GAT: b.gat("att")}.Attend(b.Scope, src, dst, e)
		return y
	}
}

// features2 declares the features of both sides.
func (b *bench) features2() (src, dst message.Features) {
	return message.Dense(b.array("x_src")), message.Dense(b.array("x_dst"))
}
