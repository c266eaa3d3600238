package tidy

import "strings"

// exception lets files pass a rule.
type exception struct {
	rule   string
	prefix string // of the path, or for the rule "variables" of path:name
	reason string
}

// exceptions lists what passes, with reasons. An entry that nothing needs is a violation.
func exceptions() []exception {
	return []exception{
		{"size", "engine/data/sets/gas/", "the data set that ships inside of the command"},
		{"imports", "internal/optest/", "the bench of operators; only tests import it"},
		{"notes", "internal/tidy/testdata/", "examples that break the rule"},
		{"paths", "internal/tidy/testdata/", "examples that break the rule"},
		{"variables", "internal/cpu/", "kernel paths are detected, forced and switched off once per process"},
		{"variables", "internal/par/", "the worker pool keeps its own state"},
	}
}

// excused tells whether a path passes a rule by name.
func excused(rule, path string) bool {
	for _, e := range exceptions() {
		if e.rule == rule && strings.HasPrefix(path, e.prefix) {
			return true
		}
	}
	return false
}

// unexcused drops the violations of a rule that an exception covers.
func unexcused(rule string, all []violation) []violation {
	var out []violation
	for _, v := range all {
		if !excused(rule, v.Path) {
			out = append(out, v)
		}
	}
	return out
}
