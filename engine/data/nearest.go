package data

import (
	"fmt"
	"slices"
	"strings"
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
		all[i] = scored{n, editDistance(strings.ToLower(clip(asked)), strings.ToLower(clip(n)))}
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

// editDistance is the least number of bytes to insert, delete or replace that makes b of a.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
