// Package diagram holds the operators of layers that commute with a group acting on every axis of a tensor: linear
// maps (R^n)^{⊗K} → (R^n)^{⊗L} for S_n, O(n), SO(n) and Sp(n), as sums over diagrams (E. Pearce-Crump, arXiv
// 2304.14144; package calculus).
//
//	z[b, co] = Σ_π Σ_ci λ[π, co, ci]·s_π·D_π v[b, ci] + Σ_τ μ[τ, co]·D_τ
//
// Tensors are [batch, channels, n, …, n]. The diagrams of a family are those of calculus.Enumerate, in its order; s_π
// is 1, or divides the sums over blocks of the input alone by their number of terms (Scaling).
//
// # Execution
//
// A diagram of pairs and blocks is a pattern of the input's axes, one of the output's axes, and a bijection of the
// blocks that they share. Patterns of one side are few: each is a diagonal of one of Bell(K+1) arrays, every one of
// which is another summed along a diagonal. So a map reduces, mixes channels and patterns by one matrix product for
// each number d of shared blocks, and scatters, which is the transpose of reducing; a gradient is the same with the
// sides exchanged. The diagrams of SO(n) with free vertices have few entries, which are listed.
package diagram
