package engine

import "gorgonia.org/gorgonia"

// AsWritten runs every op of gorgonia through its own Do: a plain interpreter, of which no result depends on our
// kernels.
func AsWritten() MachineOption { return func(c *machineConfig) { c.asIs = true } }

// Bound is where a node keeps its value.
func Bound(n *Node) *gorgonia.Value { return bound(n) }
