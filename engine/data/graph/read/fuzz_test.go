package read

import (
	"context"
	"errors"
	"slices"
	"testing"

	"ganglion/engine/data/graph"
	"ganglion/engine/data/source"
)

// FuzzFile gives any bytes to the readers of single files: what comes out is whole, or the error is one about the file.
func FuzzFile(f *testing.F) {
	for _, text := range []string{graphTextFile, marketFile, edgesFile, "# r\n0 1\n", npz(f, plainArrays()...),
		npz(f, heteroArrays()...), gz(f, graphTextFile), "1\n0 0\n"} {
		f.Add([]byte(text), false)
		f.Add([]byte(text), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, directed bool) {
		file, err := source.New("/nowhere/edges.txt", b, source.Limits{MaxBytes: 1 << 20})
		if err != nil {
			return
		}
		verify(t, func(o Options) (*found, error) { return findFile(file, o) }, Options{Directed: directed})
	})
}

// verify reads what was found and checks it.
func verify(t *testing.T, find func(Options) (*found, error), o Options) {
	t.Helper()
	r, err := find(o)
	var d Data
	if err == nil && r != nil {
		d, err = r.read(context.Background())
	}
	var e *graph.Error
	if err != nil && (!errors.As(err, &e) || e.File == "") {
		t.Fatalf("error of type %T: %v", err, err)
	}
	if err == nil && r != nil {
		if err := d.check("fuzz"); err != nil {
			t.Fatalf("%s: a loader made a damaged graph: %v", r.format, err)
		}
	}
}

// FuzzFolder puts any bytes into one file of a whole folder of each format.
func FuzzFolder(f *testing.F) {
	sets := []map[string]string{tuFiles(), musaeFiles(), geomFiles(f), ogbFiles(f), ogbNodeFiles(), tripleFiles(),
		planetoidFiles(f), {"edges.csv": edgesFile, "nodes.csv": nodesFile}}
	for k, files := range sets {
		for n, name := range sorted(files) {
			f.Add(uint8(k), uint8(n), []byte(files[name]))
		}
	}
	f.Fuzz(func(t *testing.T, k, n uint8, b []byte) {
		files := sets[int(k)%len(sets)]
		names := sorted(files)
		dir := folderOf(t, spoil(files, names[int(n)%len(names)], string(b)))
		verify(t, func(o Options) (*found, error) { return findFolder(dir, o) },
			Options{Limits: source.Limits{MaxBytes: 1 << 20}})
	})
}

func sorted(files map[string]string) []string {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
