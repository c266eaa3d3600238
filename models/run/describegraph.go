package run

import (
	"context"
	"fmt"
	"slices"

	"ganglion/engine/data"
	"ganglion/engine/data/graph"
	"ganglion/engine/data/graph/read"
)

// GraphInfo is a named set of graphs and whether it is at hand.
type GraphInfo struct {
	read.Set
	State string `json:"state"` // built in, found or missing
}

// GraphSets lists the named sets of graphs; dir is the user's folder, if any.
func GraphSets(dir string) []GraphInfo {
	var out []GraphInfo
	for _, s := range read.Sets() {
		g := GraphInfo{Set: s, State: "missing"}
		if _, err := s.Find(dir); s.Embedded {
			g.State = "built in"
		} else if err == nil {
			g.State = "found"
		}
		out = append(out, g)
	}
	return out
}

// IsGraph says whether a data set or file is a graph and no table. What cannot be looked at is none: loading it as a
// table tells why.
func IsGraph(d Data) bool {
	if _, ok := data.FindSet(d.Source); ok {
		return false
	}
	is, err := read.Is(d.Source, read.Options{Dir: d.Dir})
	return is && err == nil
}

// ShowGraph loads a graph and sums it up. With full, the split is tried too, so that what passes can be trained on.
func ShowGraph(ctx context.Context, d Data, full bool) (graph.Summary, error) {
	got, err := read.Load(ctx, d.Source, read.Options{Dir: d.Dir})
	if err != nil {
		return graph.Summary{}, err
	}
	var s graph.Summary
	var labels graph.Labels
	var splits []graph.Split
	switch {
	case got.Graph != nil:
		s, labels, splits = got.Graph.Summarize(), got.Graph.Labels, got.Graph.Splits
	case got.Collection != nil:
		s, labels, splits = got.Collection.Summarize(), got.Collection.Labels, got.Collection.Splits
	default:
		return got.Triples.Summarize(), nil
	}
	if !full {
		return s, nil
	}
	part, err := graph.Choose(labels, splits, d.Split, 1)
	if err != nil {
		return s, &data.Error{File: d.Source, Err: err}
	}
	chosen := graph.Split{Part: [][]int8{part}}
	var sizes [3]int
	for p := range sizes {
		if sizes[p] = len(chosen.Rows(0, int8(p))); sizes[p] == 0 {
			return s, &data.Error{File: d.Source, Want: "rows for training, validation and test",
				Got: fmt.Sprintf("no rows in part %d", p), Remedy: "choose another --split"}
		}
	}
	s.Notes = slices.Concat(
		s.Notes,
		[]string{fmt.Sprintf("training would learn from %d rows, select on %d and test on %d",
			sizes[graph.Train], sizes[graph.Valid], sizes[graph.Test])},
	)
	return s, nil
}
