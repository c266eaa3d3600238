package run

import (
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"

	"ganglion/engine/checkpoint"
	"ganglion/kernels"
	"ganglion/models/module"
	"ganglion/models/module/draw"
)

// structured is a model with a pruned graph to look at.
type structured interface {
	Snapshot(get func(name string) (kernels.Tensor, error)) (module.Snapshot, error)
}

// sparing makes the process collect its garbage when there is a tenth of what it holds, and return what it has left
// over, for work that leaves much behind, until the function that it returns is called.
func sparing() (stop func()) {
	const tenth = 10
	debug.FreeOSMemory()
	old := debug.SetGCPercent(tenth)
	return func() {
		debug.SetGCPercent(old)
		debug.FreeOSMemory()
	}
}

// Draw writes pictures of a structure into dir, and returns their names: the adjacency sorted by module, before and
// after training when before is not nil, and the graph of modules.
func Draw(dir string, before *module.Snapshot, after module.Snapshot, title string) ([]string, error) {
	defer sparing()()
	g := after.Graph(title)
	var names []string
	write := func(name string, f func(w io.Writer) error) error {
		names = append(names, filepath.Join(dir, name))
		if err := checkpoint.WriteFile(filepath.Join(dir, name), f); err != nil {
			return fmt.Errorf("picture: %w", err)
		}
		debug.FreeOSMemory()
		return nil
	}
	for _, format := range []draw.Format{draw.PNG, draw.SVG} {
		adjacency := func(w io.Writer) error { return draw.Adjacency(w, g, format) }
		if before != nil {
			then, now := before.Graph("before training"), g
			now.Title = "after training"
			adjacency = func(w io.Writer) error { return draw.Adjacencies(w, then, now, format) }
		}
		if err := write("adjacency."+string(format), adjacency); err != nil {
			return names, err
		}
		if err := write("modules."+string(format),
			func(w io.Writer) error { return draw.Modules(w, g, format) }); err != nil {
			return names, err
		}
	}
	return names, write("modules.dot", func(w io.Writer) error { return draw.DOT(w, g) })
}
