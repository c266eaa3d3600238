package read

import (
	"bytes"
	"context"

	"ganglion/engine/data/graph"
	"ganglion/engine/data/source"
)

// findFile tells the format of a file by its content; nil if it is none of a graph.
func findFile(f *source.File, o Options) (*found, error) {
	if source.IsArchive(f.Data) {
		a, err := source.OpenArchive(f, o.Limits)
		if err != nil || !isGraphArchive(a) {
			return nil, err
		}
		return one("npz", func(ctx context.Context) (*graph.Graph, error) { return readNPZ(ctx, a, o) }), nil
	}
	if bytes.HasPrefix(f.Data, []byte(marketMark)) {
		return one("Matrix Market", func(ctx context.Context) (*graph.Graph, error) { return readMarket(ctx, f) }), nil
	}
	if isGraphText(f) {
		return many("graph text", func(ctx context.Context) (*graph.Collection, error) {
			return readGraphText(ctx, f, o)
		}), nil
	}
	if o.Features != "" || isEdgeList(f) {
		return one("edges", func(ctx context.Context) (*graph.Graph, error) { return readEdgeList(ctx, f, o) }), nil
	}
	return nil, nil
}
