package sparse

import (
	"fmt"

	"ganglion/kernels"
)

// WithLoops replaces the edges from a node to itself: those of the list go, and one for each node is appended, in the
// order of the nodes. from tells which edge each one was: for a node that had loops the last of them, -1 for a new one
// (whose weight a caller chooses).
func WithLoops(nodes int, src, dst []int32) (s, d, from []int32, err error) {
	if len(src) != len(dst) {
		return nil, nil, nil, fmt.Errorf("sparse: WithLoops: %d sources and %d destinations", len(src), len(dst))
	}
	loop := make([]int32, nodes)
	for i := range loop {
		loop[i] = -1
	}
	for e, j := range src {
		if j != dst[e] {
			s, d, from = append(s, j), append(d, dst[e]), append(from, int32(e))
			continue
		}
		if j < 0 || int(j) >= nodes {
			return nil, nil, nil, fmt.Errorf("sparse: WithLoops: edge %d is a loop of node %d, there are %d nodes "+
				"(numbered from 0)", e, j, nodes)
		}
		loop[j] = int32(e)
	}
	for i, e := range loop {
		s, d, from = append(s, int32(i)), append(d, int32(i)), append(from, e)
	}
	return s, d, from, nil
}

// Normalise returns the weights of D^{−1/2}·A·D^{−1/2} for a square structure with weights w [entries]: w_k·r_i·r_{col
// k} with r = D^{−1/2}, D the sums of the weights of each row, and 0 for rows whose sum is 0. With the loops of
// WithLoops this is Â of a graph convolution; gradients flow through D.
func Normalise(b kernels.Builder, w *kernels.Node, structure ...*kernels.Node) *kernels.Node {
	r := b.Apply(InvSqrt{}, b.Apply(Segment{}, nodes(structure, w)...))
	return times(b, b.Apply(SDDMM{Kind: Multiply}, nodes(structure, r, r)...), w)
}
