package tidy

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
)

func noInit(t *tree) []violation {
	var out report
	for _, f := range t.sources(true) {
		for _, d := range f.Go.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				out.add(f.Path, t.line(fn.Pos()), "has an init function: call it where it is needed")
			}
		}
	}
	return out
}

// The patterns are put together from halves, so that this file does not break its own rules.
var (
	notePattern = regexp.MustCompile(`\b(` + "TO" + "DO|FIX" + "ME|XX" + "X|HA" + `CK)\b`)
	pathPattern = regexp.MustCompile(`(^|[^\w.~-])/(` + `work|tmp|root|home|Users` + `)/[\w.-]`)
	hostPattern = regexp.MustCompile(`\b((proxy|sum)\.` + `golang\.org|goproxy\.\w+|pypi\.` + `org|pythonhosted\.org|` +
		`registry\.npmjs\.org|arti` + `factory|crates\.io)\b`)
)

// grep reports the lines of text files that a pattern matches.
func grep(t *tree, pattern *regexp.Regexp, say string) []violation {
	var out report
	for _, f := range t.Files {
		if !f.isText() || f.Path == "go.sum" || f.Path == "LICENSE" {
			continue
		}
		n := 0
		for line := range bytes.Lines(f.Data) {
			n++
			if m := pattern.Find(line); m != nil {
				out.add(f.Path, n, "%s: %q", say, strings.TrimSpace(string(m)))
			}
		}
	}
	return out
}

func notes(t *tree) []violation {
	return t.unexcused("notes", grep(t, notePattern, "holds a note of work to be done"))
}

func machines(t *tree) []violation {
	out := grep(t, pathPattern, "names a folder of one machine")
	out = append(out, grep(t, hostPattern, "names a host of a package registry")...)
	return sorted(t.unexcused("paths", out))
}

// codePattern matches what is far more likely a statement than a sentence or an equation.
var codePattern = regexp.MustCompile(`:=|^(if|for|switch|select)\b.*\{$|^(return|defer|go|var|const)\b.*[)\]}]$|` +
	`^\}( else.*\{)?$|^func\b.*\{$|^[a-zA-Z_][\w.]*\(.*\)$|^[a-zA-Z_][\w.]*(\[.*\])? [-+*/]?= .*\)$`)

// deadCode looks for comments inside of functions, and for comments that belong to no declaration, whose lines parse
// as statements.
func deadCode(t *tree) []violation {
	var out report
	for _, f := range t.sources(true) {
		docs := docComments(f.Go)
		for _, g := range f.Go.Comments {
			if docs[g] {
				continue
			}
			for _, c := range g.List {
				line := strings.TrimSpace(strings.Trim(c.Text, "/*"))
				if codePattern.MatchString(line) && isStatement(line) {
					out.add(f.Path, t.line(c.Pos()), "code in a comment: %s", line)
				}
			}
		}
	}
	return out
}

// docComments marks the comments of declarations, fields and specs: they may show code.
func docComments(f *ast.File) map[*ast.CommentGroup]bool {
	docs := map[*ast.CommentGroup]bool{f.Doc: true}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			docs[n.Doc] = true
		case *ast.GenDecl:
			docs[n.Doc] = true
		case *ast.Field:
			docs[n.Doc], docs[n.Comment] = true, true
		case *ast.TypeSpec:
			docs[n.Doc], docs[n.Comment] = true, true
		case *ast.ValueSpec:
			docs[n.Doc], docs[n.Comment] = true, true
		}
		return true
	})
	return docs
}

// isStatement tells whether a line is a statement of Go, or the beginning or end of one.
func isStatement(line string) bool {
	const inside, nested, end = "func _() {\n", "func _() {\nif x {\n", "\n}\n"
	frames := [][2]string{{inside, end}, {inside, end + end}, {nested, end}, {nested, end + end}, {"", end}}
	for _, frame := range frames {
		src := "package p\n" + frame[0] + line + frame[1]
		if _, err := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution); err == nil {
			return true
		}
	}
	return false
}
