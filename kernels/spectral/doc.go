// Package spectral holds the operators of transform-based tensor algebra: transforms along tubes, facewise products,
// and what is made of them, the t-product (arXiv 2303.00196, section 2). One operator a file.
//
// # Layout
//
// Tensors are slice-major from end to end: the tube is the first axis. A t-matrix A ∈ R^{m×n×c} is [c, m, n], a batch
// of N t-vectors of d features is [c, N, d] (a sample is a row), a bias is [c, d]. A transform along the tube is then
// one product with a c×c matrix, and a facewise product a batch of ordinary products.
//
// The rows of a batch are samples, so a layer W * X of tubes, which commute, is written x * w: with weights [c, dIn,
// dOut], the slices of W transposed one by one. (The transpose of an operand of a product is the t-transpose, which
// under the DFT conjugates: it does not turn [c, dOut, dIn] into that.)
//
// # Planes of the DFT
//
// The transform of a real tensor by the unnormalised DFT is held as c real planes. With r = 1 for odd and r = 2 for
// even c, and q = (c−r)/2, they are: slice 0; slice c/2 if c is even; the real parts of slices 1 … q; their imaginary
// parts. The other slices are the conjugates of these. The transform is so an invertible real c×c matrix like any
// other, and its gradient the product with the transpose; in these coordinates the gradient of a facewise product has
// no weights.
package spectral
