package tidy

import (
	"go/ast"
	"slices"
	"strings"
)

// standardMethods are methods that packages of the standard library, and of gorgonia, ask for: what they do is
// documented there.
const standardMethods = `
	Error String GoString Format Unwrap Is As Read Write Close WriteTo ReadFrom ReadAt WriteAt Seek Len Less Swap
	Push Pop MarshalJSON UnmarshalJSON MarshalText UnmarshalText MarshalYAML UnmarshalYAML ServeHTTP Import
	Name Size Mode ModTime IsDir Sys
	Arity Type InferShape Do ReturnsPtr CallsExtern OverwritesInput WriteHash Hashcode DiffWRT SymDiff`

// interfaceMethods collects the methods of the interfaces of the tree: they are documented there.
func (t *tree) interfaceMethods() map[string]bool {
	methods := make(map[string]bool)
	for _, name := range strings.Fields(standardMethods) {
		methods[name] = true
	}
	for _, f := range t.sources(false) {
		ast.Inspect(f.Go, func(n ast.Node) bool {
			if i, ok := n.(*ast.InterfaceType); ok {
				for _, m := range i.Methods.List {
					for _, name := range m.Names {
						methods[name.Name] = true
					}
				}
			}
			return true
		})
	}
	return methods
}

func documented(t *tree) []violation {
	var out report
	known := t.interfaceMethods()
	for _, f := range t.sources(false) {
		for _, d := range f.Go.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if name := undocumentedFunc(d, known); name != "" {
					out.add(f.Path, t.line(d.Pos()), "%s has no comment", name)
				}
			case *ast.GenDecl:
				for _, id := range undocumentedNames(d) {
					out.add(f.Path, t.line(id.Pos()), "%s has no comment", id.Name)
				}
			}
		}
	}
	for _, dir := range t.dirs() {
		if !slices.ContainsFunc(t.in(dir), func(f *file) bool { return f.Go.Doc.Text() != "" }) {
			out.add(dir, 0, "the package has no comment")
		}
	}
	return sorted(out)
}

// undocumentedFunc is the name of an exported function, or method of an exported type, without comment.
func undocumentedFunc(d *ast.FuncDecl, known map[string]bool) string {
	if !d.Name.IsExported() || d.Doc.Text() != "" {
		return ""
	}
	if d.Recv == nil {
		return d.Name.Name
	}
	if r := receiver(d); ast.IsExported(r) && !known[d.Name.Name] {
		return r + "." + d.Name.Name
	}
	return ""
}

// undocumentedNames lists the exported types, constants and variables without a comment before, behind or above
// their group.
func undocumentedNames(d *ast.GenDecl) []*ast.Ident {
	var out []*ast.Ident
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && s.Doc.Text() == "" && d.Doc.Text() == "" {
				out = append(out, s.Name)
			}
		case *ast.ValueSpec:
			for _, id := range s.Names {
				if id.IsExported() && s.Doc.Text() == "" && s.Comment.Text() == "" && d.Doc.Text() == "" {
					out = append(out, id)
				}
			}
		}
	}
	return out
}
