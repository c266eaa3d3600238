package read

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"ganglion/engine/data/graph"
	"ganglion/engine/data/source"
)

// Options say how graphs are to be read. The zero value reads them by their content.
type Options struct {
	// Directed keeps an .npz file, a list of edges or a matrix as it is stored: otherwise, in an undirected format,
	// the other direction of each edge is added.
	Directed bool
	// Features is a file with the features, and labels, of the nodes of a list of edges.
	Features string
	// Dir is the folder with the files of named sets that are not in the binary.
	Dir string
	// Limits caps what a file may cost.
	Limits source.Limits
}

// Data is what was read: exactly one of the three.
type Data struct {
	Graph      *graph.Graph
	Collection *graph.Collection
	Triples    *graph.Triples
}

// Load reads the graph of that name or, if there is none, the file or folder at that path. A damaged file gives a
// *graph.Error; a cancelled ctx gives ctx.Err().
func Load(ctx context.Context, name string, o Options) (Data, error) {
	if s, ok := FindSet(name); ok {
		return s.load(ctx, o)
	}
	f, err := find(name, o)
	if err != nil {
		return Data{}, err
	}
	if f == nil {
		return Data{}, &graph.Error{File: name, Want: "a graph", Got: "a file or folder in none of the formats",
			Remedy: "ganglion reads " + formats}
	}
	d, err := f.read(ctx)
	if err != nil {
		return Data{}, err
	}
	return d, d.check(name)
}

// Is says whether the name is that of a graph that Load reads: a named set, or a file or folder in one of the formats.
// An error says why the file cannot be looked at.
func Is(name string, o Options) (bool, error) {
	if _, ok := FindSet(name); ok {
		return true, nil
	}
	f, err := find(name, o)
	return f != nil, err
}

const formats = "Planetoid, TU, OGB, MUSAE and Geom-GCN folders, .npz graphs, the text form of DGCNN and GIN, " +
	"Matrix Market, lists of edges, and triples in train.txt, valid.txt and test.txt"

// found is a file or folder whose format is known.
type found struct {
	format string
	read   func(context.Context) (Data, error)
}

// find tells the format of a file or folder; nil if it is none of a graph.
func find(name string, o Options) (*found, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, &graph.Error{File: name, Err: plain(err), Remedy: "check the path"}
	}
	if info.IsDir() {
		return findFolder(name, o)
	}
	f, err := source.Read(name, o.Limits)
	if err != nil {
		return nil, err
	}
	return findFile(f, o)
}

// plain strips the path that the os package puts in front: an Error names the file itself.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// check is the last look at what a loader made.
func (d Data) check(name string) error {
	var err error
	switch {
	case d.Graph != nil:
		err = d.Graph.Check()
	case d.Collection != nil:
		err = d.Collection.Check()
	case d.Triples != nil:
		err = d.Triples.Check()
	default:
		err = fmt.Errorf("no graph")
	}
	if err == nil {
		return nil
	}
	return &graph.Error{File: name, Err: err, Remedy: "the file contradicts itself: fetch it again"}
}
