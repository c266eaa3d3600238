package engine

import "gorgonia.org/gorgonia"

// MachineOption is an option of NewMachine. The names are those of gorgonia's options where there are any; gorgonia's
// own options know only gorgonia's machines.
type MachineOption func(c *machineConfig)

type machineConfig struct {
	options   Options
	eval      bool
	trace     bool
	watch     bool
	asIs      bool // no op of gorgonia is lowered
	dual      bool
	dualNodes []*Node // none: all
	keep      []*Node
	only      []*Node
}

// BindDualValues binds the derivatives of the given nodes, or of all inputs when none are given, to the nodes
// themselves, where Node.Grad finds them. They accumulate: each run adds to what is there until a solver clears it.
func BindDualValues(nodes ...*Node) MachineOption {
	return func(c *machineConfig) {
		c.dual = true
		c.dualNodes = append(c.dualNodes, nodes...)
	}
}

// WithLearnables is BindDualValues under the name that says what the nodes are.
func WithLearnables(nodes gorgonia.Nodes) MachineOption { return BindDualValues(nodes...) }

// EvalMode switches ops that know the difference, such as dropout, from training to evaluation.
func EvalMode() MachineOption { return func(c *machineConfig) { c.eval = true } }

// TraceExec keeps the values of all nodes.
func TraceExec() MachineOption { return func(c *machineConfig) { c.trace = true } }

// Keep keeps the values of nodes that would otherwise have none after a run.
func Keep(nodes ...*Node) MachineOption {
	return func(c *machineConfig) { c.keep = append(c.keep, nodes...) }
}

// Only runs no more of the graph than these nodes need: no other roots, statements or derivatives. It is what
// gorgonia.CompileFunction is for.
func Only(nodes ...*Node) MachineOption {
	return func(c *machineConfig) { c.only = append(c.only, nodes...) }
}

// WithNonFiniteWatch makes a run that yields NaN or infinity an error that names the first op to do so. Such a run
// takes twice as long.
func WithNonFiniteWatch() MachineOption { return func(c *machineConfig) { c.watch = true } }

// WithOptions sets how the graph is compiled: threads, kernels, strictness. The graph has no parameters of ours, so
// Store and Seed do not matter.
func WithOptions(o Options) MachineOption { return func(c *machineConfig) { c.options = o } }
