// Package algebra computes with tensors as with matrices: the t-product under invertible transforms along tubes
// (arXiv 2303.00196, section 2), and what linear algebra has beside products: transpose, identity, inverse, solving,
// t-SVD, t-QR, t-Cholesky, pseudo-inverse, ranks, norms, best approximations and the proximal map of the tubal nuclear
// norm. It computes in float64 slice by slice, plainly: for analysis, for compressing trained weights, and for checks
// of the operators of package spectral, which do the same products in networks.
//
// A t-matrix A ∈ R^{m×n×c} is an m×n matrix of tubes of length c; a tensor of higher order has tubes with several axes,
// of which each has a transform of its own. In the domain of the transforms a product is an ordinary product slice by
// slice, Ĉ_k = Â_k·B̂_k. Under the unnormalised DFT it is the circulant t-product of M. Kilmer and C. Martin.
//
// Results are real for the transforms of this package: real ones, and DFTs, whose spectra are conjugate symmetric and
// are treated so to the last bit.
package algebra
