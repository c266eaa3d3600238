package plan

import (
	"reflect"
	"runtime/debug"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/kernels"
)

// The unexported fields and texts of gorgonia that this package and kernels.Children read. If this test fails after
// an update of gorgonia, so do the readings: see builtin.go and kernels.Children.
func TestGorgoniaHasNotDrifted(t *testing.T) {
	if v, ok := reflect.TypeFor[gorgonia.Node]().FieldByName("children"); !ok ||
		v.Type != reflect.TypeFor[gorgonia.Nodes]() {
		t.Errorf("gorgonia.Node.children is %v", v.Type)
	}
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(2, 3), gorgonia.WithName("x"))
	c := gorgonia.NewTensor(g, tensor.Float64, 3, gorgonia.WithShape(2, 3, 3), gorgonia.WithName("c"))
	must := gorgonia.Must
	soft := must(gorgonia.SoftMax(x))
	square := must(gorgonia.Mul(x, must(gorgonia.Transpose(x))))
	v := must(gorgonia.Sum(x, 1))
	v3 := must(gorgonia.Sum(x, 0))
	image := gorgonia.NewTensor(g, tensor.Float64, 4, gorgonia.WithShape(1, 2, 3, 3), gorgonia.WithName("image"))
	columns := must(gorgonia.Im2Col(image, []int{2, 2}, []int{0, 0}, []int{1, 1}, []int{1, 1}))
	pool := must(gorgonia.MaxPool2D(image, []int{2, 2}, []int{0, 0}, []int{1, 1}))
	group := kernels.Children(kernels.Children(must(gorgonia.GroupNorm(image, image, image, 2, 2, 0.1)))[0])[1]
	batch, drop := normalised(image), must(gorgonia.Dropout(x, 0.25))
	if f, ok := reflect.TypeFor[gorgonia.Node]().FieldByName("boundTo"); !ok ||
		f.Type != reflect.TypeFor[gorgonia.Value]() {
		t.Errorf("gorgonia.Node.boundTo is %v", f.Type)
	}
	for _, c := range []struct {
		n     *gorgonia.Node
		kind  string
		text  string
		field string
		is    reflect.Kind
	}{
		{must(gorgonia.Add(x, x)), "gorgonia.elemBinOp", "+ false", "retSame", reflect.Bool},
		{must(gorgonia.Lt(x, x, true)), "gorgonia.elemBinOp", "< true", "retSame", reflect.Bool},
		{must(gorgonia.InverseSqrt(x)), "gorgonia.elemUnaryOp", "invSqrt", "argTensor", reflect.Bool},
		{square, "gorgonia.linAlgBinOp", "A × B", "transA", reflect.Bool},
		{must(gorgonia.Mul(v, x)), "gorgonia.linAlgBinOp", "Aᵀ × b", "transA", reflect.Bool},
		{must(gorgonia.Mul(v, v)), "gorgonia.linAlgBinOp", "a ⋅ b", "transA", reflect.Bool},
		{must(gorgonia.OuterProd(v, v)), "gorgonia.linAlgBinOp", "a ⊗ b", "transA", reflect.Bool},
		{must(gorgonia.BatchedMatMul(c, c, false, true)), "gorgonia.linAlgBinOp", "A ××× Bᵀ", "transB", reflect.Bool},
		{v, "gorgonia.sumOp", "Σ[1]", "along", reflect.Slice},
		{must(gorgonia.Max(x, 1)), "*gorgonia.maxOp", "MaxAlong[1]", "along", reflect.Slice},
		{must(gorgonia.Reshape(x, tensor.Shape{3, 2})), "gorgonia.reshapeOp", "Reshape(3, 2)", "to", reflect.Slice},
		{must(gorgonia.Transpose(x, 1, 0)), "gorgonia.transposeOp", "Aᵀ{1, 0}", "pattern", reflect.Slice},
		{must(gorgonia.SizeOf(1, x)), "gorgonia.sizeOp", "SizeOf=3", "axis", reflect.Int},
		{soft, "*gorgonia.softmaxOp", "Softmax{-1, false}()", "isLog", reflect.Bool},
		{soft, "*gorgonia.softmaxOp", "Softmax{-1, false}()", "axis", reflect.Int},
		{must(gorgonia.Concat(0, x, x)), "gorgonia.concatOp", "Concat(axis=0)", "axis", reflect.Int},
		{must(gorgonia.ByIndices(x, gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(2), gorgonia.WithName("i")),
			0)),
			"*gorgonia.byIndicesOp", "ByIndicesOp{axis=0}", "axis", reflect.Int},
		{must(gorgonia.Slice(x, nil, gorgonia.S(0, 2))), "*gorgonia.sliceOp", "T[:, 0:2:1...]", "along", reflect.Int},
		{must(gorgonia.At(x, 1, 2)), "gorgonia.atOp", "At([1 2])", "coordinates", reflect.Slice},
		{must(gorgonia.Tensordot([]int{1}, []int{0}, x, v3)), "gorgonia.tensordotOp", "Tensordot(aAxes=[1], bAxes=[0])",
			"aAxes", reflect.Slice},
		{columns, "gorgonia.im2colOp", "im2col<(2,2), (0, 0), (1,1) (1, 1)>", "dilationW", reflect.Int},
		{gradOf(columns), "gorgonia.col2imOp", "col2im<(2,2), (0, 0), (1,1)>", "unpaddedH", reflect.Int},
		{gradOf(columns), "gorgonia.col2imOp", "col2im<(2,2), (0, 0), (1,1)>", "strideW", reflect.Int},
		{pool, "*gorgonia.maxPoolOp", "MaxPool{1, 2, 3, 3}(kernel: (2, 2), pad: (0, 0), stride: (1, 1))", "padSouth",
			reflect.Int},
		{pool, "*gorgonia.maxPoolOp", "MaxPool{1, 2, 3, 3}(kernel: (2, 2), pad: (0, 0), stride: (1, 1))",
			"explicitPadding", reflect.Bool},
		{must(gorgonia.Upsample2D(image, 3)), "*gorgonia.upsampleOp", "Upsample{}(stride: (2))", "stride", reflect.Int},
		{must(gorgonia.GlobalAveragePool2D(image)), "*gorgonia.globalAveragePoolOp", "GlobalAveragePool", "", 0},
		{group, "*gorgonia.GroupNormOp", "GroupNorm{2, 2}()", "numGroups", reflect.Int},
		{group, "*gorgonia.GroupNormOp", "GroupNorm{2, 2}()", "epsilon", reflect.Float64},
		{gradOf(group), "*gorgonia.groupNormDiffOp", "groupNormDiff{2, 2}()", "numGroups", reflect.Int},
		{must(gorgonia.DiagFlat(v)), "gorgonia.diagFlatOp", "DiagFlat", "", 0},
		{batch, "*gorgonia.BatchNormOp", "batchnorm-0.9-0.1", "training", reflect.Bool},
		{batch, "*gorgonia.BatchNormOp", "batchnorm-0.9-0.1", "momentum", reflect.Float64},
		{batch, "*gorgonia.BatchNormOp", "batchnorm-0.9-0.1", "epsilon", reflect.Float64},
		{batch, "*gorgonia.BatchNormOp", "batchnorm-0.9-0.1", "saveVariance", reflect.Pointer},
		{gradOf(batch), "*gorgonia.batchnormDiffOp", "batchnormdiff-0.9-0.1", "epsilon", reflect.Float64},
		{drop, "*gorgonia.dropoutOp", "Dropout{training=true}()", "isTraining", reflect.Bool},
		{drop, "*gorgonia.dropoutOp", "Dropout{training=true}()", "probability", reflect.Float64},
		{gradOf(drop), "*gorgonia.dropoutDiffOp", "dropoutDiffOp(0.250000)", "probability", reflect.Float64},
		{must(gorgonia.Sparsemax(x)), "*gorgonia.sparsemaxOp", "Sparsemax{}()", "axis", reflect.Int},
		{gradOf(must(gorgonia.Sparsemax(x))), "*gorgonia.sparsemaxDiffOp", "SparsemaxDiff{}()", "", 0},
		{gorgonia.Read(x, new(gorgonia.Value)), "gorgonia.readOp", "print", "into", reflect.Pointer},
	} {
		op := c.n.Op()
		if kind := reflect.TypeOf(op).String(); kind != c.kind || op.String() != c.text {
			t.Errorf("op is %s %q, want %s %q", kind, op.String(), c.kind, c.text)
			continue
		}
		if f := field(op, c.field); c.field != "" && (!f.IsValid() || f.Kind() != c.is) {
			t.Errorf("%s.%s is %v", c.kind, c.field, f)
		}
		if len(kernels.Children(c.n)) == 0 {
			t.Errorf("%s has no children", c.kind)
		}
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "gorgonia.org/gorgonia" && m.Version != "v0.9.18" {
				t.Errorf("gorgonia is %s; the readings were checked with v0.9.18", m.Version)
			}
		}
	}
}

// gradOf is the node that the op of n makes for its first gradient, for the gradient n.
func gradOf(n *gorgonia.Node) *gorgonia.Node {
	grads, err := n.Op().(gorgonia.SDOp).SymDiff(kernels.Children(n), n, n)
	if err != nil {
		panic(err)
	}
	return grads[0]
}

// normalised is the node of a batch normalisation, without scale and shift.
func normalised(x *gorgonia.Node) *gorgonia.Node {
	y, _, _, _, err := gorgonia.BatchNorm(x, x, x, 0.9, 0.1)
	if err != nil {
		panic(err)
	}
	return kernels.Children(kernels.Children(y)[0])[1]
}
