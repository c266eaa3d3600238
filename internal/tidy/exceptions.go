package tidy

import "strings"

// exception lets files pass a rule.
type exception struct {
	rule   string
	prefix string // of the path
	reason string
}

// exceptions lists what passes, with reasons. An entry that nothing needs is a violation.
func exceptions() []exception {
	return []exception{
		{"imports", "internal/optest/", "the bench of operators; only tests import it"},
		{"devices", "kernels/diagram.", "equivariant maps have kernels for the processor only"},
		{"devices", "kernels/sparse.", "message passing has kernels for the processor only"},
		{"devices", "kernels/spectral.", "products in a transform's domain have kernels for the processor only"},
		{"dead names", "internal/golden/", "its test is a door for cases from outside: go test -dir"},
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
func (t *tree) unexcused(rule string, all []violation) []violation {
	if t.Strict {
		return all
	}
	var out []violation
	for _, v := range all {
		if !excused(rule, v.Path) {
			out = append(out, v)
		}
	}
	return out
}
