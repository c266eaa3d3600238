// Package graph holds graphs to learn from: one graph with features and labels of its nodes, collections of many
// graphs, and the triples of a knowledge graph; their splits, batches, generators and the usual operations on them.
//
// An edge goes from its source to its target, Source[e] → Target[e], and messages flow that way. Duplicate edges and
// loops are legal and kept; an undirected graph holds both directions. Everything random is a pure function of a seed
// (internal/philox), at any number of threads.
package graph

import "ganglion/engine/data/source"

// Error says which file, line, byte or array is wrong, what was wanted, what was found and what to do.
type Error = source.Error
