// Package implicit holds the ops of Neural Modules (arXiv 2306.02157): one general directed graph of p nodes is pruned
// to its heaviest edges, its strongly connected components are the modules, and each module is an implicit system that
// is solved for every sample.
//
// W [p, p] holds w_ji, the weight of the edge j → i, at row j, column i; the diagonal takes no part. With f elementwise
// and c the part of the pre-activations that does not depend on the nodes (bias and inputs), the ops solve, row by row
// of the batch,
//
//	X = c + f(X)·W_m                                  Solve, Eq. 1
//	Λ = G + f′(X)∘(Λ·W_mᵀ)                            Linear{Transposed: true}, the adjoint, Eq. 3
//	U = V + (f′(X)∘U)·W_m                             Linear, the tangent
//
// where W_m is W with zeros at the edges that Structure pruned. A multilayer perceptron (block triangular W), a
// feed-forward graph (triangular W) and a deep-equilibrium model (one dense module) are special cases and run through
// the same code.
//
// Gradients with respect to W are taken with respect to W_m and given for all off-diagonal entries, those of pruned
// edges included: the gradient is evaluated at the pruned graph and applied to the dense one, so that a pruned edge can
// come back.
//
// A solve never passes off a non-solution: the residual of each sample in each module is tested, and the call's Report
// says how many failed, the worst residual and why.
package implicit
