// Package data turns files into tables that a network can learn from: loaders of the formats people have, named data
// sets, splits, encodings, standardisation and the order of batches.
//
// The way of a file is Load → Table → Table.Split → FitStandardizer on the training rows → Transform of the rows of a
// batch, in the order of Batches. What was learnt about the columns on the way (an Encoder and a Standardizer) is
// plain data that is saved with a run, so that new files are read exactly as the training file was.
//
// Everything random is a pure function of a seed (internal/philox). Nothing is fetched from anywhere: a data set is
// in the binary or in a folder that the user names. What a loader changes or leaves out it says in Table.Notes.
package data

import "ganglion/engine/data/source"

// Error says which file, line, byte or column is wrong, what was wanted, what was found and what to do. It is
// returned, perhaps wrapped, for every damaged or unsuitable file.
type Error = source.Error

// The streams of random numbers of this package, as the stream number of philox.New. The substream is the class of a
// split, the epoch of an order.
const (
	streamSplit = 0x64617461 + iota
	streamCarve
	streamOrder
)
