package data

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"ganglion/engine/data/source"
)

//go:embed sets/gas/*.npz sets/small/*.csv sets/digits/*.gz
var embedded embed.FS

// Set is a named data set: one that is in the binary, or one whose files the user has in a folder.
type Set struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	Task     Task   `json:"task"`
	Rows     int    `json:"rows"`
	Features int    `json:"features"` // before encoding
	Embedded bool   `json:"embedded"` // in the binary
	Origin   string `json:"origin"`
	Licence  string `json:"licence"`
	Cite     string `json:"cite,omitempty"`
	// Layouts are the forms in which the files may lie in the folder, the preferred one first.
	Layouts []Layout `json:"-"`
}

// Layout is a group of files that together hold a data set.
type Layout struct {
	Files []SetFile `json:"files"`
	Note  string    `json:"note,omitempty"` // what there is to know about the files
	read  func(context.Context, *setFiles) (*Table, error)
}

// SetFile is a file of a data set. A file NAME.gz may also lie there unpacked, as NAME, and the other way round.
type SetFile struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256,omitempty"` // of the file of exactly that name; empty if it is not known
}

// FindSet returns the data set of that name.
func FindSet(name string) (Set, bool) {
	sets := Sets()
	i := slices.IndexFunc(sets, func(s Set) bool { return s.Name == name })
	if i < 0 {
		return Set{}, false
	}
	return sets[i], true
}

func setNames() []string {
	var names []string
	for _, s := range Sets() {
		names = append(names, s.Name)
	}
	return names
}

// setFiles reads the files of a layout, in the order asked for.
type setFiles struct {
	set    Set
	layout Layout
	opts   Options
	paths  map[string]string // file name → where it lies; empty for an embedded set
	sums   []string
	notes  []string
}

// load reads the set from the binary or from the first layout whose files are all in the folder.
func (s Set) load(ctx context.Context, o Options) (*Table, error) {
	files := &setFiles{set: s, opts: o}
	if s.Embedded {
		files.layout = s.Layouts[0]
	} else if err := files.find(); err != nil {
		return nil, err
	}
	t, err := files.layout.read(ctx, files)
	if err != nil {
		return nil, err
	}
	t.Name, t.Source, t.SHA256, t.set = s.Name, s.Origin, files.sum(), s.Name
	t.Notes = append(files.notes, t.Notes...)
	return t, nil
}

// find looks for the files in the folder, in the folder's sub-folder of the set's name, and in the one by which the
// set is also known.
func (f *setFiles) find() error {
	if f.opts.Dir != "" {
		for _, l := range f.set.Layouts {
			for _, sub := range []string{"", f.set.Name, folderOf(f.set.Name)} {
				if f.paths = l.in(filepath.Join(f.opts.Dir, sub)); f.paths != nil {
					f.layout = l
					return nil
				}
			}
		}
	}
	var want []string
	for _, l := range f.set.Layouts {
		want = append(want, l.describe())
	}
	where := "no folder to look in"
	if f.opts.Dir != "" {
		where = "none of these in " + f.opts.Dir
	}
	return &Error{File: f.set.Name, Want: "the files " + strings.Join(want, ", or "), Got: where,
		Remedy: "they come from " + f.set.Origin + "; name their folder with --data-dir"}
}

// in returns where the files of the layout lie, if all of them are in the folder, plain or as gzip files.
func (l Layout) in(dir string) map[string]string {
	paths := map[string]string{}
	for _, file := range l.Files {
		plain := filepath.Join(dir, filepath.FromSlash(strings.TrimSuffix(file.Name, ".gz")))
		for _, p := range []string{plain + ".gz", plain} {
			if info, err := os.Stat(p); err == nil && info.Mode().IsRegular() {
				paths[file.Name] = p
			}
		}
		if paths[file.Name] == "" {
			return nil
		}
	}
	return paths
}

// describe names the files with their checksums; of very many the first.
func (l Layout) describe() string {
	var words []string
	for _, file := range l.Files[:min(len(l.Files), 12)] {
		w := file.Name
		if file.SHA256 != "" {
			w += " (sha256 " + file.SHA256 + ")"
		}
		words = append(words, w)
	}
	if n := len(l.Files); n > len(words) {
		words = append(words, fmt.Sprintf("… (%d files)", n))
	}
	return strings.Join(words, ", ")
}

// read returns a file of the layout. An embedded file must have the listed checksum; for another a difference is
// noted, since it may be a newer edition.
func (f *setFiles) read(name string) (*source.File, error) {
	i := slices.IndexFunc(f.layout.Files, func(s SetFile) bool { return s.Name == name })
	want := f.layout.Files[i].SHA256
	if f.set.Embedded {
		raw, err := embedded.ReadFile(path.Join("sets", name))
		if err != nil {
			return nil, &Error{File: f.set.Name, Err: err, Remedy: "build the program again"}
		}
		file, err := source.New(f.set.Name, raw, f.opts.Limits)
		if err != nil {
			return nil, err
		}
		if file.SHA256 != want {
			return nil, &Error{File: f.set.Name, Want: "sha256 " + want + " of " + name, Got: file.SHA256,
				Remedy: "the binary is damaged: install it again"}
		}
		f.sums = append(f.sums, file.SHA256)
		return file, nil
	}
	file, err := source.Read(f.paths[name], f.opts.Limits)
	if err != nil {
		return nil, err
	}
	if want != "" && file.SHA256 != want && filepath.Base(f.paths[name]) == path.Base(name) {
		f.notes = append(f.notes, fmt.Sprintf("%s is not the listed edition: its sha256 is %s", f.paths[name],
			file.SHA256))
	}
	f.sums = append(f.sums, file.SHA256)
	return file, nil
}

// sum is the checksum of the files read: a single one's own, else that of the checksums, one a line.
func (f *setFiles) sum() string {
	if len(f.sums) == 1 {
		return f.sums[0]
	}
	all := sha256.Sum256([]byte(strings.Join(f.sums, "\n")))
	return hex.EncodeToString(all[:])
}

// Found reports whether the set is in the binary, or its files are all in the folder.
func (s Set) Found(dir string) bool {
	return s.Embedded || dir != "" && (&setFiles{set: s, opts: Options{Dir: dir}}).find() == nil
}
