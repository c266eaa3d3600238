// Package dense holds the operators on dense arrays: matrix products, elementwise functions with broadcasting,
// reductions, losses, and moves of data. One operator a file.
//
// Shapes are row-major and written [rows, columns]. Arrays with a dimension of size 0 are legal everywhere; what a
// reduction over nothing gives is said at the operator.
package dense
