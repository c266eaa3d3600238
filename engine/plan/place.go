package plan

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"ganglion/kernels"
)

// Runner says what executes a step.
type Runner uint8

// The runners.
const (
	Nothing   Runner = iota // a view, or a pack whose parts are in place
	Kernel                  // the op's CPU kernel
	Reference               // the op's reference through float64 copies: the op has no CPU kernel
	Do                      // gorgonia's own implementation
	Moves                   // copies of the parts of a pack that are not in place
)

// CPUDevice is the name of the processor among the devices of a plan.
const CPUDevice = "cpu"

// Runner decides what executes an Apply or Foreign node, and says why when it is not its kernel. A view that is none
// at some sizes runs its kernel there.
func (n *Node) Runner() (r Runner, reason string) {
	r, _, reason = n.choose(mayAlias(n))
	return r, reason
}

// choose is Runner, with the device, for a node whose value does or does not lie in its inputs' memory.
func (n *Node) choose(alias bool) (r Runner, device, reason string) {
	switch {
	case n.Kind == Foreign:
		return Do, CPUDevice, whyDo(n.Do)
	case alias:
		return Nothing, CPUDevice, ""
	}
	if _, ok := n.Op.(kernels.CPUOp); ok {
		return Kernel, CPUDevice, ""
	}
	return Reference, CPUDevice, "no CPU kernel: runs its float64 reference"
}

// whyDo says why an op of gorgonia runs through its own Do.
func whyDo(op gorgonia.Op) string {
	switch kind := fmt.Sprintf("%T", op); kind {
	case "gorgonia.randomOp", "*gorgonia.dropoutOp":
		return fmt.Sprintf("gorgonia's %s draws from a generator set by the clock: no kernel can give its numbers",
			kind)
	case "*gorgonia.avgPoolOp", "*gorgonia.avgPoolDiffOp":
		return fmt.Sprintf("gorgonia's %s divides by the width of the input: no kernel computes that", kind)
	default:
		return fmt.Sprintf("gorgonia's %s has no lowering", kind)
	}
}
