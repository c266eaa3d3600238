package read

import (
	"context"

	"ganglion/engine/data/graph"
	"ganglion/engine/data/source"
)

// findFile tells the format of a file by its content; nil if it is none of a graph.
func findFile(f *source.File, o Options) (*found, error) {
	switch {
	case source.IsArchive(f.Data):
		a, err := source.OpenArchive(f, o.Limits)
		if err != nil || !isGraphArchive(a) {
			return nil, err
		}
		return one("npz", func(ctx context.Context) (*graph.Graph, error) { return readNPZ(ctx, a, o) }), nil
	}
	return nil, nil
}
