// Package tidy holds the rules of the house as code: each rule is a function over the files of the tree, and a test
// applies all of them to the project itself. What a rule lets pass by name stands in exceptions.go with the reason,
// or in ratchet.txt.
package tidy

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	pathpkg "path"
	"slices"
	"strings"
	"unicode/utf8"
)

// violation is one place where a rule is broken.
type violation struct {
	Path string // from the root, with slashes
	Line int    // 0 if the whole file is meant
	Text string // what is wrong and what to do
}

// String reads like: kernels/op.go:12: the line has 130 columns.
func (v violation) String() string {
	if v.Line == 0 {
		return v.Path + ": " + v.Text
	}
	return fmt.Sprintf("%s:%d: %s", v.Path, v.Line, v.Text)
}

// rule is one rule of the house.
type rule struct {
	Name  string
	Claim string // what holds, in one sentence
	Check func(t *tree) []violation
}

// rules lists all rules.
func rules() []rule {
	return []rule{
		{"format", "Go files are formatted by gofmt", format},
		{"lines", "lines of Go have at most 120 columns, a tab counting 4", lines},
		{"functions", "functions have at most 70 lines, in tests 100, but for tables and the ratchet list", functions},
		{"files", "Go files have at most 500 lines, but for generated ones and the ratchet list", files},
		{"size", "files have at most 1 MiB, but for listed ones", size},
		{"init", "no package has an init function", noInit},
		{"notes", "no file holds notes of work to be done", notes},
		{"code in comments", "no code is commented out", deadCode},
		{"paths", "no text names folders of one machine or hosts of package registries", machines},
		{"random", "numbers are drawn by counter, never by math/rand, outside of tests", random},
		{"imports", "imports go down: cmd, bench, models, engine, kernels or cuda, internal", imports},
		{"variables", "no package variable changes after its declaration, but in listed places", variables},
		{"documented", "every package and every exported name is documented", documented},
		{"dead names", "exported names of internal packages are used by other packages", deadNames},
		{"generated", "generated files have a header and equal their regeneration", generated},
		{"cases", "every operator has a table of test cases", cases},
		{"devices", "every operator has CUDA kernels, but those that are listed with a reason", devices},
		{"identity", "no operator has a method that would change its printed form", identity},
		{"systems", "every system of the zoo says what it is, has checks and is verified", systems},
		{"data", "every shipped data set states origin and licence", data},
		{"references", "documents name only files, make targets, flags and symbols that exist", references},
	}
}

// file is one file of the tree.
type file struct {
	Path      string
	Data      []byte
	Go        *ast.File // nil if it is not Go
	Test      bool      // a Go test file
	Generated bool      // its first lines say that it is generated
}

// tree is the tree of files that the rules look at.
type tree struct {
	FS      fs.FS
	Module  string // the module's path
	Files   []*file
	Fset    *token.FileSet
	Ratchet map[string]int // sizes allowed by name: see ratchet.txt
	Strict  bool           // nothing is excused
}

// load reads a tree, without what git ignores: version control, built programs, runs, CUDA's compilers.
func load(root fs.FS) (*tree, error) {
	t := &tree{FS: root, Fset: token.NewFileSet()}
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (path == ".git" || path == ".cuda" || path == "bin" || path == "runs"):
			return fs.SkipDir
		case d.IsDir() || strings.HasSuffix(path, ".test") || strings.HasSuffix(path, ".prof"):
			return nil
		}
		return t.add(path)
	})
	if err != nil {
		return nil, fmt.Errorf("tidy: %w", err)
	}
	if t.Module == "" {
		return nil, fmt.Errorf("tidy: no go.mod with a module line at the root")
	}
	return t, nil
}

func (t *tree) add(path string) error {
	data, err := fs.ReadFile(t.FS, path)
	if err != nil {
		return err
	}
	f := &file{Path: path, Data: data}
	t.Files = append(t.Files, f)
	if path == "go.mod" {
		for line := range bytes.Lines(data) {
			if name, ok := bytes.CutPrefix(line, []byte("module ")); ok {
				t.Module = string(bytes.TrimSpace(name))
			}
		}
	}
	if !strings.HasSuffix(path, ".go") || strings.Contains(path, "testdata/") {
		return nil
	}
	f.Test = strings.HasSuffix(path, "_test.go")
	f.Go, err = parser.ParseFile(t.Fset, path, data, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	f.Generated = ast.IsGenerated(f.Go)
	return nil
}

// Dir is the folder of a file.
func (f *file) Dir() string { return pathpkg.Dir(f.Path) }

// isText tells whether the file is text.
func (f *file) isText() bool { return utf8.Valid(f.Data) && !bytes.ContainsRune(f.Data, 0) }

// line is the line number of a position.
func (t *tree) line(p token.Pos) int { return t.Fset.Position(p).Line }

// sources yields the Go files written by hand, tests only if wanted.
func (t *tree) sources(tests bool) []*file {
	var out []*file
	for _, f := range t.Files {
		if f.Go != nil && !f.Generated && (tests || !f.Test) {
			out = append(out, f)
		}
	}
	return out
}

// has tells whether the tree has a file or folder of that path.
func (t *tree) has(path string) bool {
	_, err := fs.Stat(t.FS, path)
	return err == nil
}

// top is the first folder of a path, or "" for files at the root.
func top(path string) string {
	first, _, deeper := strings.Cut(path, "/")
	if !deeper {
		return ""
	}
	return first
}

// report gathers violations.
type report []violation

// add appends one, with a text made as by Sprintf.
func (r *report) add(path string, line int, format string, args ...any) {
	*r = append(*r, violation{path, line, fmt.Sprintf(format, args...)})
}

// sorted puts violations in order of place.
func sorted(v []violation) []violation {
	slices.SortStableFunc(v, func(a, b violation) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), a.Line-b.Line, strings.Compare(a.Text, b.Text))
	})
	return v
}
