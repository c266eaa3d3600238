package sample

import "ganglion/engine/data/graph"

// Batch is a part of a graph around some seeds. Its nodes are numbered in the order in which they were found, seeds
// first, and its edges are sorted by target: those into node i are Ptr[i] to Ptr[i+1]−1.
type Batch struct {
	Nodes  []int32 // of the graph that each node of the batch is
	Seeds  []int32 // of the batch that each seed is; the same for a seed given twice, unless trees are disjoint
	Member []int32 // the seed, by its place in the list, that each node belongs to; nil unless trees are disjoint
	Hops   []int32 // [layers+1]: nodes found within h hops; nil for parts that were not found hop by hop

	Ptr    []int32   // [expanded+1]; nodes behind these have no edges into them
	Source []int32   // [edges], nodes of the batch
	Entry  []int32   // [edges], places in the list Node of the graph's Neighbours, where Edge says which edge it is
	Weight []float32 // [edges], what a mean over the neighbours is to be weighted by; nil for equal weights
}

// Block is the edges of one layer of a network: from the first Cols nodes of a batch to its first Rows nodes, in CSR
// form by target. Rows ≤ Cols, so each target is a source of the same number.
type Block struct {
	Rows, Cols int
	Ptr, Col   []int32
	Weight     []float32 // as in Batch
}

// Block returns the edges of a layer, counted from 1 for the one next to the features to the number of hops for the
// one whose rows are the seeds: each layer computes the nodes alone that a later one needs. The lists are views. For a
// batch that was not found hop by hop it is all nodes and edges in every layer.
func (b *Batch) Block(layer int) Block {
	rows, cols := len(b.Nodes), len(b.Nodes)
	if hops := len(b.Hops) - 1; hops > 0 {
		layer = min(max(layer, 1), hops)
		rows, cols = int(b.Hops[hops-layer]), int(b.Hops[hops-layer+1])
	}
	ptr := b.Ptr[:min(rows, len(b.Ptr)-1)+1]
	edges := ptr[len(ptr)-1]
	out := Block{Rows: rows, Cols: cols, Ptr: ptr, Col: b.Source[:edges]}
	if b.Weight != nil {
		out.Weight = b.Weight[:edges]
	}
	return out
}

// Edges returns the edges as a list, in the order of Col.
func (b Block) Edges() (source, target []int32) {
	target = make([]int32, 0, len(b.Col))
	for i := range len(b.Ptr) - 1 {
		for range b.Ptr[i+1] - b.Ptr[i] {
			target = append(target, int32(i))
		}
	}
	return b.Col, target
}

// Edges returns all edges of the batch as a list, and which edges of the graph they are; in are the neighbours that
// the batch was cut from.
func (b *Batch) Edges(in graph.Neighbours) (source, target, edge []int32) {
	all := Block{Ptr: b.Ptr, Col: b.Source}
	source, target = all.Edges()
	edge = make([]int32, len(b.Entry))
	for k, e := range b.Entry {
		edge[k] = in.Edge[e]
	}
	return source, target, edge
}

// reset empties the batch and keeps its memory.
func (b *Batch) reset() {
	b.Nodes, b.Seeds, b.Member, b.Hops = b.Nodes[:0], b.Seeds[:0], b.Member[:0], b.Hops[:0]
	b.Ptr, b.Source, b.Entry, b.Weight = b.Ptr[:0], b.Source[:0], b.Entry[:0], b.Weight[:0]
}
