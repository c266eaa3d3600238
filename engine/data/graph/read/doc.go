// Package read makes graphs of the files people have: Planetoid folders, TU folders, OGB folders, MUSAE and Geom-GCN
// files, .npz archives of three layouts, the text form of DGCNN and GIN, Matrix Market, lists of edges, and triples of
// a knowledge graph, each plain or gzip, told apart by content. Cora is in the binary.
//
// Every file is hostile until it is parsed: no pickle is executed, nothing is allocated before its size is checked,
// and an error names the file, the line or byte, what was wanted, what was found and what to do.
package read
