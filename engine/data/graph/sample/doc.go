// Package sample cuts mini-batches out of a graph: neighbours by fan-out, nodes by layer, random walks, clusters, and
// a shadow for each seed.
//
// A random number is a pure function of (seed, epoch, layer, node, draw), so batches do not depend on the number of
// threads, and any batch of any epoch is made without those before it. Nothing is padded: a batch has as many nodes
// and edges as were found.
package sample
