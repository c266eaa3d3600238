package tidy

import (
	"bytes"
	"fmt"
	"go/ast"
	pathpkg "path"
	"regexp"
	"slices"
	"strings"
)

var (
	spanPattern   = regexp.MustCompile("`([^`\n]+)`")
	linkPattern   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	filePattern   = regexp.MustCompile(`^\.?[\w./*-]+$`)
	makePattern   = regexp.MustCompile(`\bmake ((?:[a-z][\w-]*)(?: [a-z][\w-]*)*)`)
	targetPattern = regexp.MustCompile(`(?m)^([a-z][\w -]*):`)
	flagPattern   = regexp.MustCompile(`\s--([a-z][\w-]*)`)
	symbolPattern = regexp.MustCompile(`^([a-z]\w*)\.([A-Z]\w*)(\(.*\))?$`)
)

// references checks what the documents at the root and in docs/ name: links, files and symbols in code spans, make
// targets and flags in code.
func references(t *tree) []violation {
	var out report
	for _, f := range t.Files {
		if strings.HasSuffix(f.Path, ".md") && (top(f.Path) == "" || top(f.Path) == "docs") {
			out = append(out, t.document(f)...)
		}
	}
	return out
}

func (t *tree) document(f *file) []violation {
	var out report
	n, fenced := 0, false
	for line := range bytes.Lines(f.Data) {
		n++
		text := strings.TrimRight(string(line), "\r\n")
		if strings.HasPrefix(strings.TrimSpace(text), "```") {
			fenced = !fenced
			continue
		}
		say := func(what string) {
			if what != "" {
				out.add(f.Path, n, "%s", what)
			}
		}
		if fenced || strings.HasPrefix(text, "    ") {
			say(t.command(text))
			continue
		}
		for _, m := range linkPattern.FindAllStringSubmatch(text, -1) {
			say(t.link(f, m[1]))
		}
		for _, m := range spanPattern.FindAllStringSubmatch(text, -1) {
			say(t.command(m[1]))
			say(t.path(m[1]))
			say(t.symbol(m[1]))
		}
	}
	return out
}

// link checks a link to a file of the project.
func (t *tree) link(f *file, target string) string {
	target, _, _ = strings.Cut(target, "#")
	if target == "" || strings.Contains(target, ":") || t.has(pathpkg.Join(f.Dir(), target)) {
		return ""
	}
	return fmt.Sprintf("links to %s, which does not exist", target)
}

// path checks a code span that looks like a path in one of the folders of the project.
func (t *tree) path(span string) string {
	span = strings.TrimSuffix(strings.TrimPrefix(span, "./"), "/...")
	span = strings.TrimSuffix(span, "/")
	if !filePattern.MatchString(span) || !strings.Contains(span, "/") || !t.has(top(span)) {
		return ""
	}
	if strings.Contains(span, "*") {
		for _, f := range t.Files {
			if ok, err := pathpkg.Match(span, f.Path); ok && err == nil {
				return ""
			}
		}
	} else if t.has(span) {
		return ""
	}
	return fmt.Sprintf("names %s, which does not exist", span)
}

// symbol checks a code span that looks like an exported name of one of our packages.
func (t *tree) symbol(span string) string {
	m := symbolPattern.FindStringSubmatch(span)
	if m == nil {
		return ""
	}
	known := false
	for _, f := range t.Files {
		if f.Go == nil || f.Test || f.Go.Name.Name != m[1] {
			continue
		}
		known = true
		if declares(f.Go, m[2]) {
			return ""
		}
	}
	if !known {
		return ""
	}
	return fmt.Sprintf("names %s.%s, which does not exist", m[1], m[2])
}

// declares tells whether a file declares a name on package level.
func declares(f *ast.File, name string) bool {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == name {
				return true
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if s.Name.Name == name {
						return true
					}
				case *ast.ValueSpec:
					if slices.ContainsFunc(s.Names, func(id *ast.Ident) bool { return id.Name == name }) {
						return true
					}
				}
			}
		}
	}
	return false
}

// command checks the make targets and the flags of our own command in a line of code.
func (t *tree) command(line string) string {
	line, _, _ = strings.Cut(line, "#")
	if m := makePattern.FindStringSubmatch(line); m != nil {
		for _, target := range strings.Fields(m[1]) {
			if !t.target(target) {
				return fmt.Sprintf("names the make target %s, which does not exist", target)
			}
		}
	}
	at := strings.Index(line, "ganglion ")
	if at < 0 || !t.has("cmd/ganglion") {
		return ""
	}
	for _, m := range flagPattern.FindAllStringSubmatch(line[at:], -1) {
		if m[1] != "help" && !t.flag(m[1]) {
			return fmt.Sprintf("names the flag --%s, which the command does not have", m[1])
		}
	}
	return ""
}

// target tells whether the Makefile has a target.
func (t *tree) target(name string) bool {
	for _, f := range t.Files {
		if f.Path == "Makefile" {
			for _, m := range targetPattern.FindAllSubmatch(f.Data, -1) {
				if slices.Contains(strings.Fields(string(m[1])), name) {
					return true
				}
			}
		}
	}
	return false
}

// flag tells whether the command's source holds the flag's name as a string.
func (t *tree) flag(name string) bool {
	for _, f := range t.Files {
		if strings.HasPrefix(f.Path, "cmd/ganglion/") && f.Go != nil && bytes.Contains(f.Data, []byte(`"`+name+`"`)) {
			return true
		}
	}
	return false
}
