// Package sparse holds the operators of message passing on graphs: products with sparse matrices, functions of the two
// ends of each edge, softmax and reductions over the edges of a node. One operator a file.
//
// A graph enters every operator as five int32 inputs in this order, made by Build and called the structure:
//
//	ptr  [rows+1]  the entries k of row i have ptr[i] ≤ k < ptr[i+1]; ptr[0] = 0, ptr[rows] = entries
//	col  [entries] the column of each entry
//	tptr [cols+1]  the same for the transposed matrix: its entries t of column j have tptr[j] ≤ t < tptr[j+1]
//	tcol [entries] the row of each transposed entry
//	tpos [entries] the entry k that it is
//
// An entry is an edge col[k] → i: rows are destinations, columns are sources. Entries of a row keep the order of the
// list that Build was given; equal ones and those from a node to itself are legal. Values of edges stand in the order
// of the entries, [entries, ...]; Permute brings them there. An operator reads the parts of the structure that it
// needs, and of the others the shapes.
//
// Segments of a list (the graphs of a batch, the groups of an index) are a structure too: see Segments and Index.
//
// A structure is data, so a new graph needs no new program. If one that an operator reads is damaged (bounds that
// decrease, entries out of range), all of the output is NaN and the report counts the call as failed.
//
// Sums over the entries of a row are in their order, rows of more than 4096 entries in pieces of 4096; results do not
// depend on the number of workers, nor on the other rows.
package sparse
