package run

import (
	"fmt"
	"io"
	"path/filepath"

	"ganglion/engine/checkpoint"
	"ganglion/kernels"
	"ganglion/models/module"
	"ganglion/models/module/draw"
)

// structured is a model with a pruned graph to look at.
type structured interface {
	Snapshot(get func(name string) (kernels.Tensor, error)) (module.Snapshot, error)
}

// Draw writes pictures of a structure into dir, and returns their names: the adjacency sorted by module, before and
// after training when before is not nil, and the graph of modules.
func Draw(dir string, before *module.Snapshot, after module.Snapshot, title string) ([]string, error) {
	now := after.Graph(title)
	var names []string
	write := func(name string, f func(w io.Writer) error) error {
		names = append(names, filepath.Join(dir, name))
		if err := checkpoint.WriteFile(filepath.Join(dir, name), f); err != nil {
			return fmt.Errorf("picture: %w", err)
		}
		return nil
	}
	for _, format := range []draw.Format{draw.PNG, draw.SVG} {
		adjacency := func(w io.Writer) error { return draw.Adjacency(w, now, format) }
		if before != nil {
			then := before.Graph("before training")
			now.Title = "after training"
			adjacency = func(w io.Writer) error { return draw.Adjacencies(w, then, now, format) }
		}
		if err := write("adjacency."+string(format), adjacency); err != nil {
			return names, err
		}
		g := after.Graph(title)
		if err := write("modules."+string(format),
			func(w io.Writer) error { return draw.Modules(w, g, format) }); err != nil {
			return names, err
		}
	}
	g := after.Graph(title)
	return names, write("modules.dot", func(w io.Writer) error { return draw.DOT(w, g) })
}
