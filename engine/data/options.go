package data

import "ganglion/engine/data/source"

// Header says whether the first record of a text table holds the names of the columns.
type Header string

// HeaderAuto decides by the content: names are text, unique, and above numbers, or do not occur again in their columns.
const (
	HeaderAuto Header = ""
	HeaderYes  Header = "yes"
	HeaderNo   Header = "no"
)

// Options say how a file or a named set is to be read. The zero value reads it by its content.
type Options struct {
	// Target is the column to learn: its name, its position from 1, or -1 for the last. Default: the column called
	// target, class, label or y if there is just one, else the last; the label of libsvm; the array y of an .npz
	// file. In a libsvm file with "label;concentration", and in the set gas, "concentration" is the number behind the
	// semicolon.
	Target string
	// Task forces the task; Auto decides by the target's values.
	Task Task
	// Header forces the meaning of the first record of a text table.
	Header Header
	// Dir is the folder with the files of named sets that are not in the binary.
	Dir string
	// MaxFeatures keeps only so many of the columns of a bag of words, those that occur in most rows; 0 keeps all.
	// Only the set facebook has them.
	MaxFeatures int
	// Limits caps what a file may cost, and the table made of it.
	Limits source.Limits
}
