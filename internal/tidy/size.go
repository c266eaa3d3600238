package tidy

import (
	"bytes"
	"fmt"
	"go/ast"
	goformat "go/format"
	"go/token"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The limits.
const (
	maxFunction = 70
	maxTest     = 100
	maxFile     = 500
	maxColumns  = 120
	maxBytes    = 1 << 20
	tab         = 4
)

// parseRatchet reads the list of functions and files that were longer than allowed when their rule came: lines of a
// rule's name (function or file), a path (with :function), and the largest number of lines, which may only fall.
func parseRatchet(text string) (map[string]int, error) {
	list := make(map[string]int)
	n := 0
	for line := range strings.Lines(text) {
		n++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		words := strings.Fields(line)
		if len(words) != 3 || words[0] != "function" && words[0] != "file" {
			return nil, fmt.Errorf("ratchet.txt:%d: want function or file, a path and a number, got %q", n, line)
		}
		size, err := strconv.Atoi(words[2])
		if err != nil || size <= 0 {
			return nil, fmt.Errorf("ratchet.txt:%d: want a positive number of lines, got %q", n, words[2])
		}
		if key := words[0] + " " + words[1]; list[key] != 0 {
			return nil, fmt.Errorf("ratchet.txt:%d: %s is listed twice", n, key)
		} else {
			list[key] = size
		}
	}
	return list, nil
}

// ratchet compares one size with its limit and its entry in the list; seen collects the entries that are in use.
func (t *tree) ratchet(kind, key string, size, limit int, seen map[string]bool) string {
	key = kind + " " + key
	allowed, listed := t.Ratchet[key]
	seen[key] = true
	switch {
	case listed && size <= limit:
		return fmt.Sprintf("has %d lines: take the line %q off the ratchet list", size, key)
	case listed && size > allowed:
		return fmt.Sprintf("has %d lines, the ratchet list allows %d: split it", size, allowed)
	case listed && size < allowed:
		return fmt.Sprintf("has %d lines: lower its entry in the ratchet list from %d", size, allowed)
	case !listed && size > limit:
		return fmt.Sprintf("has %d lines, allowed are %d: split it", size, limit)
	}
	return ""
}

// unused reports entries of the list that name nothing.
func (t *tree) unused(kind string, seen map[string]bool) []violation {
	var out report
	for key := range t.Ratchet {
		if strings.HasPrefix(key, kind+" ") && !seen[key] {
			out.add("internal/tidy/ratchet.txt", 0, "%q names nothing: take it off", key)
		}
	}
	return sorted(out)
}

func functions(t *tree) []violation {
	var out report
	seen := make(map[string]bool)
	for _, f := range t.sources(true) {
		limit := maxFunction
		if f.Test {
			limit = maxTest
		}
		for _, d := range f.Go.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || isTable(fn) {
				continue
			}
			first, last := t.line(fn.Pos()), t.line(fn.End())
			name := fn.Name.Name
			if r := receiver(fn); r != "" {
				name = r + "." + name
			}
			if text := t.ratchet("function", f.Path+":"+name, last-first+1, limit, seen); text != "" {
				out.add(f.Path, first, "%s %s", name, text)
			}
		}
	}
	return append(out, t.unused("function", seen)...)
}

// isTable tells whether a function only returns a literal.
func isTable(fn *ast.FuncDecl) bool {
	if fn.Body == nil || len(fn.Body.List) != 1 {
		return false
	}
	r, ok := fn.Body.List[0].(*ast.ReturnStmt)
	if !ok || len(r.Results) != 1 {
		return false
	}
	_, ok = r.Results[0].(*ast.CompositeLit)
	return ok
}

// receiver is the name of the type that a method belongs to, or "".
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return ""
	}
	switch x := fn.Recv.List[0].Type.(type) {
	case *ast.StarExpr:
		return baseName(x.X)
	default:
		return baseName(x)
	}
}

// baseName is the name of a type without its parameters.
func baseName(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.IndexExpr:
		return baseName(x.X)
	case *ast.IndexListExpr:
		return baseName(x.X)
	}
	return ""
}

func files(t *tree) []violation {
	var out report
	seen := make(map[string]bool)
	for _, f := range t.sources(true) {
		n := bytes.Count(f.Data, []byte("\n"))
		if text := t.ratchet("file", f.Path, n, maxFile, seen); text != "" {
			out.add(f.Path, 0, "%s", text)
		}
	}
	return append(out, t.unused("file", seen)...)
}

func lines(t *tree) []violation {
	var out report
	for _, f := range t.sources(true) {
		raw := t.rawLines(f)
		n := 0
		for line := range bytes.Lines(f.Data) {
			n++
			line = bytes.TrimRight(line, "\r\n")
			columns := utf8.RuneCount(line) + (tab-1)*bytes.Count(line, []byte("\t"))
			if columns > maxColumns && !raw[n] {
				out.add(f.Path, n, "the line has %d columns, allowed are %d", columns, maxColumns)
			}
		}
	}
	return out
}

// rawLines marks the lines that belong to raw strings of several lines: they are data.
func (t *tree) rawLines(f *file) map[int]bool {
	raw := make(map[int]bool)
	ast.Inspect(f.Go, func(n ast.Node) bool {
		if s, ok := n.(*ast.BasicLit); ok && s.Kind == token.STRING {
			for i, last := t.line(s.Pos()), t.line(s.End()); i < last; i++ {
				raw[i+1] = true
			}
		}
		return true
	})
	return raw
}

func size(t *tree) []violation {
	var out report
	for _, f := range t.Files {
		if n := len(f.Data); n > maxBytes {
			out.add(f.Path, 0, "has %d bytes, allowed are %d", n, maxBytes)
		}
	}
	return t.unexcused("size", out)
}

func format(t *tree) []violation {
	var out report
	for _, f := range t.Files {
		if f.Go == nil {
			continue
		}
		if pretty, err := goformat.Source(f.Data); err != nil || !bytes.Equal(pretty, f.Data) {
			out.add(f.Path, 0, "is not formatted: run gofmt -w")
		}
	}
	return out
}
