// Package gnn holds graph neural networks: each learns about the nodes of one graph, which it sees whole at every step,
// or about many graphs, of which a mini-batch is one graph of separate parts.
package gnn
