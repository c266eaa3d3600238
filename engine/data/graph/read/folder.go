package read

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ganglion/engine/data/graph"
	"ganglion/engine/data/source"
)

// maxFiles caps the files of a folder that are looked at.
const maxFiles = 1 << 16

// folder is a folder of files, plain or gzip.
type folder struct {
	dir   string
	names []string // sorted, without .gz
	o     Options
	sums  []string // of the files read, in order
}

func openFolder(dir string, o Options) (*folder, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, &graph.Error{File: dir, Err: plain(err), Remedy: "check its permissions"}
	}
	defer f.Close() // only read: nothing to lose
	names, err := f.Readdirnames(maxFiles)
	if err != nil && len(names) == 0 {
		return nil, &graph.Error{File: dir, Want: "a folder with files", Got: "none", Remedy: "check the path"}
	}
	d := &folder{dir: dir, o: o}
	for _, n := range names {
		d.names = append(d.names, strings.TrimSuffix(n, ".gz"))
	}
	slices.Sort(d.names)
	d.names = slices.Compact(d.names)
	return d, nil
}

func (d *folder) has(name string) bool {
	_, ok := slices.BinarySearch(d.names, name)
	return ok
}

// ending returns the names that end so, without the ending.
func (d *folder) ending(end string) []string {
	var out []string
	for _, n := range d.names {
		if head, ok := strings.CutSuffix(n, end); ok {
			out = append(out, head)
		}
	}
	return out
}

// file reads a file of the folder, plain or gzip; a missing one is an error that says what the format wants.
func (d *folder) file(name string) (*source.File, error) {
	for _, path := range []string{filepath.Join(d.dir, name), filepath.Join(d.dir, name+".gz")} {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			f, err := source.Read(path, d.o.Limits)
			if err == nil {
				d.sums = append(d.sums, f.SHA256)
			}
			return f, err
		}
	}
	return nil, &graph.Error{File: filepath.Join(d.dir, name), Want: "the file", Got: "none, and no " + name + ".gz",
		Remedy: "the set is not whole without it: put it into the folder"}
}

// sum is the checksum of the checksums of the files read, one a line.
func (d *folder) sum() string {
	all := sha256.Sum256([]byte(strings.Join(d.sums, "\n")))
	return hex.EncodeToString(all[:])
}

// one is found for a reader of one graph.
func one(format string, read func(context.Context) (*graph.Graph, error)) *found {
	return &found{format, func(ctx context.Context) (Data, error) {
		g, err := read(ctx)
		return Data{Graph: g}, err
	}}
}

// findFolder tells the format of a folder by the names of its files, of its sub-folder raw, or by its only .npz file.
func findFolder(dir string, o Options) (*found, error) {
	d, err := openFolder(dir, o)
	if err != nil {
		return nil, err
	}
	if f := d.format(); f != nil {
		return f, nil
	}
	if raw := filepath.Join(dir, "raw"); d.has("raw") {
		sub, err := openFolder(raw, o)
		if err == nil {
			if f := sub.format(); f != nil {
				return f, nil
			}
		}
	}
	if npz := d.ending(".npz"); len(npz) == 1 {
		f, err := source.Read(filepath.Join(dir, npz[0]+".npz"), o.Limits)
		if err != nil {
			return nil, err
		}
		return findFile(f, o)
	}
	return nil, nil
}

// format tells the format of the folder by the names of its files; nil if it has none of a graph.
func (d *folder) format() *found {
	for _, n := range d.ending(".graph") {
		if name, ok := strings.CutPrefix(n, "ind."); ok {
			return one("Planetoid", func(ctx context.Context) (*graph.Graph, error) {
				return readPlanetoid(ctx, d, name)
			})
		}
	}
	if name := d.tuName(); name != "" {
		return many("TU", func(ctx context.Context) (*graph.Collection, error) { return readTU(ctx, d, name) })
	}
	if d.has("num-node-list.csv") {
		return &found{"OGB", func(ctx context.Context) (Data, error) { return readOGB(ctx, d) }}
	}
	for _, name := range d.ending("_edges.csv") {
		if d.has(name+".json") || d.has(name+"_features.json") || d.has(name+"_target.csv") {
			return one("MUSAE", func(ctx context.Context) (*graph.Graph, error) { return readMUSAE(ctx, d, name) })
		}
	}
	if d.has(geomEdges) || d.has(geomNodes) {
		return one("Geom-GCN", func(ctx context.Context) (*graph.Graph, error) { return readGeom(ctx, d) })
	}
	if d.isTriples() {
		return &found{"triples", func(ctx context.Context) (Data, error) { return readTriples(ctx, d) }}
	}
	if edges, nodes := d.edgeFolder(); edges != "" {
		return one("edges", func(ctx context.Context) (*graph.Graph, error) {
			return readEdgeFolder(ctx, d, edges, nodes)
		})
	}
	return nil
}
