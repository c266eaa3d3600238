// Package message holds the layers of message passing on graphs, one a file, with the meaning of PyTorch Geometric's
// layers of these names. x has a row for each node; an edge j → i carries messages from j to i; a layer is a struct
// with a method Apply that declares its parameters in a scope and returns a row for each node. Weights are [in, out].
//
// A graph enters a program as data (see Edges), so that a new graph needs no new program, and its sizes may differ from
// run to run.
package message
