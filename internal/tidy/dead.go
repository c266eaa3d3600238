package tidy

import (
	"go/ast"
	"slices"
	"strings"
)

// exported is an exported name of an internal package with what keeps it alive besides direct use.
type exported struct {
	file  *file
	line  int
	uses  []string // names of its package that its declaration mentions
	group []string // names declared together with it, such as the values of an enumeration
}

// deadNames finds exported names of internal packages that no other package uses, directly or through the
// declaration of one it uses.
func deadNames(t *tree) []violation {
	var out report
	selected := t.selected()
	known := t.interfaceMethods()
	for _, dir := range t.dirs() {
		if top(dir+"/") != "internal" || strings.Contains(dir, "/_") {
			continue
		}
		files := t.in(dir)
		if files[0].Go.Name.Name == "main" {
			continue
		}
		names := t.exportedNames(files)
		used := selected[t.Module+"/"+dir]
		live := reachable(names, used)
		for _, name := range sortedNames(names) {
			if !live[name] {
				n := names[name]
				out.add(n.file.Path, n.line, "%s is exported, but no other package uses it", name)
			}
		}
		out = append(out, t.deadMethods(dir, files, known)...)
	}
	return sorted(t.unexcused("dead names", out))
}

// selected maps the path of each package to the names that files of other packages select from it.
func (t *tree) selected() map[string]map[string]bool {
	out := make(map[string]map[string]bool)
	for _, f := range t.Files {
		if f.Go == nil {
			continue
		}
		local := make(map[string]string)
		for i, path := range importPaths(f) {
			if strings.HasPrefix(path, t.Module+"/") && path != t.Module+"/"+f.Dir() {
				name := path[strings.LastIndex(path, "/")+1:]
				if s := f.Go.Imports[i]; s.Name != nil {
					name = s.Name.Name
				}
				local[name] = path
			}
		}
		ast.Inspect(f.Go, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if id, ok := s.X.(*ast.Ident); ok && local[id.Name] != "" {
					path := local[id.Name]
					if out[path] == nil {
						out[path] = make(map[string]bool)
					}
					out[path][s.Sel.Name] = true
				}
			}
			return true
		})
	}
	return out
}

// exportedNames collects the exported package-level names of a package.
func (t *tree) exportedNames(files []*file) map[string]exported {
	names := make(map[string]exported)
	for _, f := range files {
		for _, d := range f.Go.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if r := receiver(d); r != "" { // its signature keeps names alive that the type's users need
					e := names[r]
					e.uses = append(e.uses, mentioned(d.Type)...)
					if ast.IsExported(r) && d.Name.IsExported() {
						names[r] = e
					}
				} else if d.Name.IsExported() {
					names[d.Name.Name] = exported{file: f, line: t.line(d.Pos()), uses: mentioned(d.Type)}
				}
			case *ast.GenDecl:
				t.exportedSpecs(f, d, names)
			}
		}
	}
	return names
}

func (t *tree) exportedSpecs(f *file, d *ast.GenDecl, names map[string]exported) {
	var group []string
	for _, s := range d.Specs {
		if v, ok := s.(*ast.ValueSpec); ok {
			for _, id := range v.Names {
				group = append(group, id.Name)
			}
		}
	}
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() {
				uses := append(names[s.Name.Name].uses, mentioned(s.Type)...)
				names[s.Name.Name] = exported{file: f, line: t.line(s.Pos()), uses: uses}
			}
		case *ast.ValueSpec:
			for _, id := range s.Names {
				if id.IsExported() {
					uses := mentioned(s)
					names[id.Name] = exported{file: f, line: t.line(id.Pos()), uses: uses, group: group}
				}
			}
		}
	}
}

// mentioned lists the exported names without a package in front that a piece of a declaration mentions.
func mentioned(n ast.Node) []string {
	var out []string
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			return false
		case *ast.Ident:
			if n.IsExported() {
				out = append(out, n.Name)
			}
		}
		return true
	})
	return out
}

// reachable marks the names that are used, or mentioned in declarations of such.
func reachable(names map[string]exported, used map[string]bool) map[string]bool {
	live := make(map[string]bool)
	var visit func(name string)
	visit = func(name string) {
		if live[name] {
			return
		}
		live[name] = true
		for _, next := range names[name].uses {
			visit(next)
		}
		for _, next := range names[name].group {
			visit(next)
		}
	}
	for name := range used {
		visit(name)
	}
	return live
}

// deadMethods finds exported methods that no file of another folder selects from anything.
func (t *tree) deadMethods(dir string, files []*file, known map[string]bool) []violation {
	selected := make(map[string]bool)
	for _, f := range t.Files {
		if f.Go != nil && f.Dir() != dir {
			ast.Inspect(f.Go, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					selected[s.Sel.Name] = true
				}
				return true
			})
		}
	}
	var out report
	for _, f := range files {
		for _, d := range f.Go.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || known[fn.Name.Name] || selected[fn.Name.Name] {
				continue
			}
			if !fn.Name.IsExported() || !ast.IsExported(receiver(fn)) {
				continue
			}
			name := receiver(fn) + "." + fn.Name.Name
			out.add(f.Path, t.line(fn.Pos()), "%s is exported, but no other package uses it", name)
		}
	}
	return out
}

func sortedNames[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
