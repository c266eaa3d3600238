// Package generate makes graphs by rule or at random. A random graph is a pure function of its sizes and its seed: each
// row, or each edge, has random numbers of its own. All graphs are undirected, both directions of each pair stored,
// sorted by source and target, unless a function says otherwise.
package generate
