package plan

import "ganglion/kernels"

// viewOf returns where the value of n begins inside the value of its first input, in bytes, when n is a view of it at
// the given sizes.
func viewOf(n *Node, specs []kernels.Spec) (offset int, ok bool) {
	v, ok := n.Op.(kernels.Viewer)
	if !ok || n.Kind != Apply {
		return 0, false
	}
	at := v.View(specsAt(specs, n.In))
	return at * n.Spec.DType.Size(), at >= 0
}

// packOf returns n's op when it lays its inputs one behind another.
func packOf(n *Node) (kernels.Packer, bool) {
	k, ok := n.Op.(kernels.Packer)
	return k, ok && n.Kind == Apply
}

// aliases reports whether the value of n lies, at the given sizes, in the memory of its inputs.
func aliases(n *Node, specs []kernels.Spec) bool {
	if _, ok := packOf(n); ok {
		return true
	}
	_, ok := viewOf(n, specs)
	return ok
}

// mayAlias reports whether the value of n lies in the memory of its inputs at some sizes.
func mayAlias(n *Node) bool {
	_, view := n.Op.(kernels.Viewer)
	_, pack := packOf(n)
	return n.Kind == Apply && view || pack
}
