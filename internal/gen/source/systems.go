package source

import (
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// System is a published system found in the source: a package variable below models/ that is a literal of zoo.System.
type System struct {
	Dir     string // folder of its package, such as models/module
	Package string // name of its package
	Name    string // name of its variable
	ID      string
	Doc     string   // its whole comment
	Fields  []string // fields that the literal sets
}

// Has tells whether the literal sets a field.
func (s System) Has(field string) bool { return slices.Contains(s.Fields, field) }

// Systems returns the systems below models/ in a tree, by ID.
func Systems(tree fs.FS) ([]System, error) {
	module, err := modulePath(tree)
	if err != nil {
		return nil, err
	}
	all, err := packages(tree, "models")
	if err != nil {
		return nil, err
	}
	var systems []System
	for _, p := range all {
		for _, f := range p.files {
			zoo := importName(f, module+"/models/zoo")
			if zoo == "" || p.dir == "models" {
				continue
			}
			found, err := p.systems(f, zoo)
			if err != nil {
				return nil, err
			}
			systems = append(systems, found...)
		}
	}
	slices.SortFunc(systems, func(a, b System) int { return strings.Compare(a.ID, b.ID) })
	for i, s := range systems {
		if i > 0 && s.ID == systems[i-1].ID {
			return nil, fmt.Errorf("gen: two systems have the ID %q: %s.%s and %s.%s",
				s.ID, systems[i-1].Dir, systems[i-1].Name, s.Dir, s.Name)
		}
	}
	return systems, nil
}

// systems finds the systems in one file that imports zoo under the given name.
func (p *pkg) systems(f *ast.File, zoo string) ([]System, error) {
	var out []System
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			for i, value := range v.Values {
				lit, ok := value.(*ast.CompositeLit)
				if !ok || !hasType(lit, zoo, "System") || i >= len(v.Names) {
					continue
				}
				text := v.Doc.Text()
				if text == "" {
					text = g.Doc.Text()
				}
				sys := System{Dir: p.dir, Package: p.name, Name: v.Names[i].Name, Doc: text}
				if err := sys.read(lit); err != nil {
					return nil, err
				}
				out = append(out, sys)
			}
		}
	}
	return out, nil
}

// hasType tells whether a literal is of the type pkg.name.
func hasType(lit *ast.CompositeLit, pkg, name string) bool {
	s, ok := lit.Type.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	id, ok := s.X.(*ast.Ident)
	return ok && id.Name == pkg
}

// read takes the ID and the names of the fields from the literal.
func (s *System) read(lit *ast.CompositeLit) error {
	where := s.Dir + "." + s.Name
	if !ast.IsExported(s.Name) {
		return fmt.Errorf("gen: the system %s must be exported to be listed", where)
	}
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return fmt.Errorf("gen: the system %s must name its fields", where)
		}
		name := kv.Key.(*ast.Ident).Name
		s.Fields = append(s.Fields, name)
		if name != "ID" {
			continue
		}
		b, ok := kv.Value.(*ast.BasicLit)
		if !ok || b.Kind != token.STRING {
			return fmt.Errorf("gen: the ID of the system %s must be a string literal", where)
		}
		id, err := strconv.Unquote(b.Value)
		if err != nil {
			return fmt.Errorf("gen: the ID of the system %s: %w", where, err)
		}
		s.ID = id
	}
	if family, name, ok := strings.Cut(s.ID, "/"); !ok || family == "" || name == "" {
		return fmt.Errorf("gen: the ID of the system %s is %q, want family/name", where, s.ID)
	}
	return nil
}

// systemsFile is models/all_gen.go: the list of all systems.
func systemsFile(module string, systems []System) file {
	var dirs []string
	for _, s := range systems {
		dirs = append(dirs, s.Dir)
	}
	slices.Sort(dirs)
	dirs = slices.Compact(dirs)
	names, taken := make(map[string]string), map[string]bool{"zoo": true, "models": true}
	for _, dir := range dirs {
		at := slices.IndexFunc(systems, func(s System) bool { return s.Dir == dir })
		name := systems[at].Package
		for n := 2; taken[name]; n++ {
			name = systems[at].Package + strconv.Itoa(n)
		}
		taken[name], names[dir] = true, name
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n// Package models lists every system of the zoo.\npackage models\n\nimport (\n", Header)
	dirs = append(dirs, "models/zoo")
	slices.Sort(dirs)
	for _, dir := range dirs {
		alias := ""
		if name := names[dir]; name != "" && name != dir[strings.LastIndex(dir, "/")+1:] {
			alias = name + " "
		}
		fmt.Fprintf(&b, "\t%s\"%s/%s\"\n", alias, module, dir)
	}
	fmt.Fprint(&b, ")\n\n// All lists the systems by ID.\nfunc All() []zoo.System {\n\treturn []zoo.System{\n")
	for _, s := range systems {
		fmt.Fprintf(&b, "\t\t%s.%s,\n", names[s.Dir], s.Name)
	}
	fmt.Fprint(&b, "\t}\n}\n")
	return file{"models/all_gen.go", []byte(b.String())}
}
