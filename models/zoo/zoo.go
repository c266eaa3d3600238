// Package zoo says what a published system is: how it is configured and built, what its paper claims, and how the
// claims are checked.
package zoo

import (
	"slices"

	"ganglion/engine/train"
)

// Kind tells models from methods that are not models.
type Kind uint8

// The kinds of systems.
const (
	Model Kind = iota // has parameters and is trained
	Tool              // acts on models or graphs: pruning, distillation, partitioning
)

// Tier says when a check runs.
type Tier uint8

// The tiers of checks.
const (
	Fast Tier = iota // seconds: in every test run
	Full             // minutes: on request
)

// System is one published system, in one file of a family's package.
type System struct {
	ID    string // family/name, as the command takes it
	Title string // what it is, in a few words
	Paper string // the paper's identifier, such as arXiv 2306.02157 v4; empty for textbook baselines
	Kind  Kind
	// Priority orders the systems for people who read the list: 1 are the flagships.
	Priority int
	// Config is the system's configuration at its defaults: a struct whose fields carry yaml and doc tags.
	Config any
	// Tiny is a configuration of the same type for Verify: a network of a few nodes that is smooth in all of its
	// parameters.
	Tiny any
	// Build writes the network for a task. cfg is a value of Config's type.
	Build Builder
	// Levels are what its samples may be; none means rows of a table.
	Levels []train.Level
	// Recipe sets the training options at which the system is run unless others are asked for; nil leaves them as they
	// are.
	Recipe func(o *train.Options)
	// Data names data sets on which the paper, or we, run it, the one that is used when none is asked for first.
	Data      []string
	Checks    []Check
	Published []Published
}

// Takes says whether samples of a level are what the system learns about.
func (s System) Takes(l train.Level) bool {
	return len(s.Levels) == 0 && l == train.Rows || slices.Contains(s.Levels, l)
}

// Family is the part of the ID before the slash.
func (s System) Family() string {
	for i := range s.ID {
		if s.ID[i] == '/' {
			return s.ID[:i]
		}
	}
	return s.ID
}

// Check is one acceptance check of a system, as code.
type Check struct {
	Name  string // short, for the command line
	Claim string // what must hold, in one sentence
	Tier  Tier
	// Run measures and compares. Measured and Required are what the command prints; ok tells whether the claim holds.
	Run func(seed uint64) (measured, required string, ok bool, err error)
}

// Published is one figure from the paper.
type Published struct {
	On     string  // data set
	Metric string  // what is measured
	With   string  // settings
	Value  float64 // as printed
}
