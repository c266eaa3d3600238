// Package module holds Neural Modules (arXiv 2306.02157, "Automated Architecture Synthesis for Arbitrarily Structured
// Neural Networks") and the baselines of the paper on the same data pipeline.
//
// Notation: p nodes; X0 [B, n0] inputs; W [p, p] edge weights, w_ji of the edge j→i; W1 [n0, p]; Wm [p, m]; f the
// activation.
//
//	X = 1bᵀ + f(X)·W + X0·W1                                      (1)
//	Y = f(X)·Wm + bo                                              (2) before the output activation
//	Λ = f'(X) ∘ (∂L/∂f(X) + Λ·Wᵀ)                                  (3)
//	∂L/∂W = f(X)ᵀΛ off the diagonal, for all edges, kept or not    (4)
//	w_ij ← w_ij·max(0, 1 − ηα·z_i·z_j/d_ij)                        (5) repulsion between the nodes of large modules
package module
