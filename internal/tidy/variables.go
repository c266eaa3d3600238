package tidy

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// variables finds package variables that are assigned to, or whose type is made to change.
func variables(t *tree) []violation {
	var out report
	for _, dir := range t.dirs() {
		files := t.in(dir)
		info := resolve(t, dir, files)
		for _, f := range files {
			out = append(out, t.assignments(f, info)...)
			out = append(out, t.changing(f)...)
		}
	}
	return t.unexcused("variables", sorted(out))
}

// dirs lists the folders with Go files that are not tests.
func (t *tree) dirs() []string {
	var out []string
	for _, f := range t.sources(false) {
		out = append(out, f.Dir())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// in lists the Go files of a folder that are not tests, with generated ones.
func (t *tree) in(dir string) []*file {
	var out []*file
	for _, f := range t.Files {
		if f.Go != nil && !f.Test && f.Dir() == dir {
			out = append(out, f)
		}
	}
	return out
}

// hollow is an importer of packages without content: names of other packages stay unknown.
type hollow struct{}

func (hollow) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, path[strings.LastIndex(path, "/")+1:])
	p.MarkComplete()
	return p, nil
}

// resolve finds out what each name in a package stands for. Errors are expected, since other packages are hollow.
func resolve(t *tree, dir string, files []*file) *types.Info {
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object)}
	conf := types.Config{Importer: hollow{}, Error: func(error) {}, FakeImportC: true}
	var parsed []*ast.File
	for _, f := range files {
		parsed = append(parsed, f.Go)
	}
	// The error is the first of those given to Error.
	_, _ = conf.Check(dir, t.Fset, parsed, info)
	return info
}

// assignments reports statements outside of declarations that set a package variable.
func (t *tree) assignments(f *file, info *types.Info) []violation {
	var out report
	report := func(target ast.Expr) {
		if name := packageVariable(target, info); name != "" {
			out.add(f.Path, t.line(target.Pos()), "changes the package variable %s", name)
		}
	}
	ast.Inspect(f.Go, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				report(l)
			}
		case *ast.IncDecStmt:
			report(n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				report(n.Key)
				report(n.Value)
			}
		case *ast.CallExpr:
			if len(n.Args) > 0 && isMutator(n.Fun) {
				report(n.Args[0])
			}
		}
		return true
	})
	return out
}

// isMutator tells whether a call changes its first argument.
func isMutator(fn ast.Expr) bool {
	switch x := fn.(type) {
	case *ast.Ident:
		return x.Name == "copy" || x.Name == "clear" || x.Name == "delete"
	case *ast.SelectorExpr:
		id, ok := x.X.(*ast.Ident)
		sorts := ok && id.Name == "slices" && strings.HasPrefix(x.Sel.Name, "Sort")
		return sorts || ok && (id.Name == "sort" || id.Name == "atomic")
	}
	return false
}

// packageVariable is the name of the package variable at the root of an expression that is set, or "".
func packageVariable(e ast.Expr, info *types.Info) string {
	for {
		switch x := e.(type) {
		case *ast.ParenExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.UnaryExpr:
			e = x.X
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok {
				if _, foreign := info.Uses[id].(*types.PkgName); foreign {
					return id.Name + "." + x.Sel.Name
				}
			}
			e = x.X
		case *ast.Ident:
			v, ok := info.Uses[x].(*types.Var)
			if ok && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() {
				return x.Name
			}
			return ""
		default:
			return ""
		}
	}
}

// changing reports package variables of types that are of no use unless they change: locks, atomics, channels, pools.
func (t *tree) changing(f *file) []violation {
	var out report
	for _, d := range f.Go.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			parts := slices.Clone(v.Values)
			if v.Names[0].Name == "_" {
				continue
			}
			if v.Type != nil {
				parts = append(parts, v.Type)
			}
			for _, e := range parts {
				if what := stateful(e); what != "" {
					out.add(f.Path, t.line(v.Pos()), "the package variable %s is a %s", v.Names[0].Name, what)
				}
			}
		}
	}
	return out
}

// stateful names the first part of a type or value that exists in order to change. sync.OnceValue only puts a
// constant off.
func stateful(e ast.Expr) string {
	what := ""
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ChanType:
			what = "channel"
		case *ast.SelectorExpr:
			id, ok := n.X.(*ast.Ident)
			put := strings.HasPrefix(n.Sel.Name, "OnceValue") || n.Sel.Name == "OnceFunc"
			if ok && (id.Name == "sync" || id.Name == "atomic") && !put {
				what = id.Name + "." + n.Sel.Name
			}
		}
		return what == ""
	})
	return what
}

// isSelector tells whether an expression is pkg.name.
func isSelector(e ast.Expr, pkg, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	id, ok := s.X.(*ast.Ident)
	return ok && id.Name == pkg
}
