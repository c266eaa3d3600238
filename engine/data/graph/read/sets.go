package read

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ganglion/engine/data/graph"
	"ganglion/engine/data/sets/cora"
	"ganglion/engine/data/source"
)

// Set is a named set of graphs: one that is in the binary, or one whose files the user has in a folder.
type Set struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	Kind     string `json:"kind"` // nodes, graphs or triples: what is learnt about
	Graphs   int    `json:"graphs"`
	Nodes    int    `json:"nodes"`    // in all graphs; entities
	Edges    int    `json:"edges"`    // pairs of nodes in all graphs; triples
	Features int    `json:"features"` // of a node; relations
	Classes  int    `json:"classes"`
	Embedded bool   `json:"embedded"` // in the binary
	Origin   string `json:"origin"`
	Licence  string `json:"licence"`
	Cite     string `json:"cite,omitempty"`
	// Paths are where the set may lie in the folder, the preferred one first.
	Paths []string `json:"paths,omitempty"`
}

// FindSet returns the set of that name.
func FindSet(name string) (Set, bool) {
	sets := Sets()
	i := slices.IndexFunc(sets, func(s Set) bool { return s.Name == name })
	if i < 0 {
		return Set{}, false
	}
	return sets[i], true
}

// load reads the set from the binary or from the first place in the folder where it lies.
func (s Set) load(ctx context.Context, o Options) (Data, error) {
	var f *found
	var err error
	if s.Embedded {
		var file *source.File
		if file, err = source.New(s.Name, cora.Archive(), o.Limits); err != nil {
			return Data{}, err
		}
		if file.SHA256 != cora.SHA256 {
			return Data{}, &graph.Error{File: s.Name, Want: "sha256 " + cora.SHA256, Got: file.SHA256,
				Remedy: "the binary is damaged: install it again"}
		}
		f, err = findFile(file, o)
	} else {
		var path string
		if path, err = s.Find(o.Dir); err == nil {
			f, err = find(path, o)
		}
	}
	if err != nil {
		return Data{}, err
	}
	if f == nil {
		return Data{}, &graph.Error{File: s.Name, Want: "a graph", Got: "something else", Remedy: "fetch the set again"}
	}
	d, err := f.read(ctx)
	if err != nil {
		return Data{}, err
	}
	d.name(s)
	return d, d.check(s.Name)
}

// name puts the set's name and origin in.
func (d Data) name(s Set) {
	switch {
	case d.Graph != nil:
		d.Graph.Name, d.Graph.Origin = s.Name, s.Origin
	case d.Collection != nil:
		d.Collection.Name, d.Collection.Origin = s.Name, s.Origin
	case d.Triples != nil:
		d.Triples.Name, d.Triples.Origin = s.Name, s.Origin
	}
}

// Find returns where the set lies in the folder, or an error that says which files are wanted.
func (s Set) Find(dir string) (string, error) {
	where := "no folder to look in"
	if dir != "" {
		for _, p := range s.Paths {
			path := filepath.Join(dir, filepath.FromSlash(p))
			for _, try := range []string{path, path + ".gz", strings.TrimSuffix(path, ".gz")} {
				if _, err := os.Stat(try); err == nil {
					return try, nil
				}
			}
		}
		where = "none of these in " + dir
	}
	return "", &graph.Error{File: s.Name, Want: strings.Join(s.Paths, ", or "), Got: where,
		Remedy: "they come from " + s.Origin + "; name their folder with --data-dir"}
}
