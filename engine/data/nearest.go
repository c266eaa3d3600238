package data

import (
	"fmt"
	"slices"
	"strings"

	"ganglion/internal/edit"
)

// nearest lists the names most like the one that was asked for, for an error message: at most five, the likest first.
func nearest(asked string, names []string) string {
	type scored struct {
		name string
		cost int
	}
	names = names[:min(len(names), 1000)]
	all := make([]scored, len(names))
	for i, n := range names {
		all[i] = scored{n, edit.Distance(strings.ToLower(clip(asked)), strings.ToLower(clip(n)))}
	}
	slices.SortStableFunc(all, func(a, b scored) int { return a.cost - b.cost })
	var quoted []string
	for _, s := range all[:min(len(all), 5)] {
		quoted = append(quoted, fmt.Sprintf("%q", s.name))
	}
	return strings.Join(quoted, ", ")
}

// clip bounds the cost of a comparison with a hostile name.
func clip(s string) string { return s[:min(len(s), 64)] }
