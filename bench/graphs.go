package bench

import (
	"math/bits"
	"slices"

	"ganglion/internal/philox"
	"ganglion/kernels"
	"ganglion/kernels/sparse"
)

// network is a graph with features and labels.
type network struct {
	name            string
	nodes, edges    int // edges in both directions
	features, dense int // features of a node, and how many of them are not zero: all if 0
	classes, hidden int
	skewed          bool // degrees follow a power law (R-MAT 0.57, 0.19, 0.19, 0.05); else all pairs are as likely
}

// networksOf have the sizes of Cora, of the page-page network of Facebook, and of a large graph.
func networksOf(quick bool) []network {
	if quick {
		return []network{{"cora", 20, 60, 11, 3, 3, 8, false}, {"fb", 20, 60, 5, 0, 3, 8, true}}
	}
	return []network{
		{"cora", 2708, 10556, 1433, 18, 7, 64, false},
		{"fb", 22470, 342004, 128, 0, 4, 64, true},
		{"rmat", 100000, 2000000, 128, 0, 16, 128, true},
	}
}

// draw returns distinct edges without loops, each in both directions.
func (n network) draw() (src, dst []int32) {
	r := philox.New(seed, 77, 0)
	var keys []uint64
	for half := n.edges / 2; len(keys) < half; {
		for range half + half/4 - len(keys)*3/4 {
			i, j := n.pair(&r)
			if i != j {
				keys = append(keys, uint64(min(i, j))<<32|uint64(max(i, j)))
			}
		}
		slices.Sort(keys)
		keys = slices.Compact(keys)
	}
	order := make([]int32, len(keys))
	for i := range order {
		order[i] = int32(i)
	}
	r.Shuffle(order)
	label := make([]int32, n.nodes) // hides the order that R-MAT gives the nodes
	for i := range label {
		label[i] = int32(i)
	}
	r.Shuffle(label)
	for _, at := range order[:n.edges/2] {
		i, j := label[keys[at]>>32], label[uint32(keys[at])]
		src, dst = append(src, i, j), append(dst, j, i)
	}
	return src, dst
}

// pair draws the two ends of an edge.
func (n network) pair(r *philox.Stream) (i, j uint32) {
	for {
		if !n.skewed {
			return r.Below(uint32(n.nodes)), r.Below(uint32(n.nodes))
		}
		i, j = 0, 0
		for range bits.Len(uint(n.nodes - 1)) {
			u := r.Below(100)
			i, j = 2*i, 2*j
			switch {
			case u >= 95:
				i, j = i+1, j+1
			case u >= 76:
				i++
			case u >= 57:
				j++
			}
		}
		if int(i) < n.nodes && int(j) < n.nodes {
			return i, j
		}
	}
}

// sorted is a structure whose rows have their columns in increasing order.
func sorted(nodes int, src, dst []int32) (sparse.Structure, error) {
	order := make([]int32, len(src))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return int(src[a]) - int(src[b]) })
	s, d := make([]int32, len(src)), make([]int32, len(src))
	for k, e := range order {
		s[k], d[k] = src[e], dst[e]
	}
	g, _, err := sparse.Build(nodes, nodes, s, d)
	return g, err
}

// rows of features of which few are not zero, and equal: a bag of words with a sum of 1.
func (n network) words(d kernels.DType) (sparse.Structure, kernels.Tensor, error) {
	r := philox.New(seed, 78, 0)
	ptr, col := []int32{0}, []int32{}
	for range n.nodes {
		var row []int32
		for range n.dense {
			row = append(row, int32(r.Below(uint32(n.features))))
		}
		slices.Sort(row)
		col = append(col, slices.Compact(row)...)
		ptr = append(ptr, int32(len(col)))
	}
	s, err := sparse.Compressed(n.features, ptr, col)
	w := kernels.New(kernels.S(kernels.Float64, len(col)))
	for i := range n.nodes {
		for k := ptr[i]; k < ptr[i+1]; k++ {
			w.F64[k] = 1 / float64(ptr[i+1]-ptr[i])
		}
	}
	return s, kernels.Convert(w, d), err
}

// size tells a network.
func (n network) size(model string) Size {
	return Size{{"op", model + "-step"}, {"graph", n.name}, {"nodes", n.nodes}, {"edges", n.edges},
		{"features", n.features}, {"hidden", n.hidden}}
}

// labels are classes at random.
func (n network) labels() kernels.Tensor {
	r := philox.New(seed, 79, 0)
	t := kernels.New(kernels.S(kernels.Int32, n.nodes))
	for i := range t.I32 {
		t.I32[i] = int32(r.Below(uint32(n.classes)))
	}
	return t
}
