package source

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/doc"
	"go/token"
	"io/fs"
	"slices"
	"strings"
)

// Op is an operator found in the source: an exported type below kernels/ with the methods Infer and Ref.
type Op struct {
	Dir     string // folder of its package, such as kernels/dense
	Family  string // name of its package
	Name    string // name of its type
	Doc     string // first sentence of its comment, in one line
	Cases   bool   // a table of test cases holds it
	Methods []string
}

// Has tells whether the operator has a method of that name.
func (o Op) Has(method string) bool { return slices.Contains(o.Methods, method) }

// Ops returns the operators below kernels/ in a tree, by folder and name.
func Ops(tree fs.FS) ([]Op, error) {
	module, err := modulePath(tree)
	if err != nil {
		return nil, err
	}
	all, err := packages(tree, "kernels")
	if err != nil {
		return nil, err
	}
	var ops []Op
	for _, p := range all {
		if p.dir != "kernels" {
			ops = append(ops, p.ops(module)...)
		}
	}
	return ops, nil
}

// typeDecl is a type with what is declared on it.
type typeDecl struct {
	doc      string
	methods  []string
	embedded []string
}

// ops finds the operators of one package.
func (p *pkg) ops(module string) []Op {
	types := p.types()
	var ops []Op
	for _, name := range sortedKeys(types) {
		methods := methodSet(types, name, nil)
		if !ast.IsExported(name) || !slices.Contains(methods, "Infer") || !slices.Contains(methods, "Ref") {
			continue
		}
		text := new(doc.Package).Synopsis(types[name].doc)
		ops = append(ops, Op{
			Dir: p.dir, Family: p.name, Name: name, Methods: methods,
			Doc: strings.Join(strings.Fields(text), " "), Cases: p.inTable(module, name),
		})
	}
	return ops
}

// types collects the types of a package with their comments, methods and embedded types.
func (p *pkg) types() map[string]*typeDecl {
	types := make(map[string]*typeDecl)
	get := func(name string) *typeDecl {
		if types[name] == nil {
			types[name] = &typeDecl{}
		}
		return types[name]
	}
	for _, f := range p.files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if r := receiver(d); r != "" {
					get(r).methods = append(get(r).methods, d.Name.Name)
				}
			case *ast.GenDecl:
				if d.Tok == token.TYPE {
					for _, s := range d.Specs {
						addType(get, d, s.(*ast.TypeSpec))
					}
				}
			}
		}
	}
	return types
}

func addType(get func(string) *typeDecl, d *ast.GenDecl, s *ast.TypeSpec) {
	t := get(s.Name.Name)
	t.doc = s.Doc.Text()
	if t.doc == "" && len(d.Specs) == 1 {
		t.doc = d.Doc.Text()
	}
	if st, ok := s.Type.(*ast.StructType); ok {
		for _, f := range st.Fields.List {
			if id, ok := f.Type.(*ast.Ident); ok && len(f.Names) == 0 {
				t.embedded = append(t.embedded, id.Name)
			}
		}
	}
}

// receiver is the type name of a method's receiver, or "".
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return ""
	}
	t := d.Recv.List[0].Type
	if s, ok := t.(*ast.StarExpr); ok {
		t = s.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// methodSet lists the methods of a type with those of the types it embeds.
func methodSet(types map[string]*typeDecl, name string, seen []string) []string {
	t := types[name]
	if t == nil || slices.Contains(seen, name) {
		return nil
	}
	out := slices.Clone(t.methods)
	for _, e := range t.embedded {
		out = append(out, methodSet(types, e, append(seen, name))...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// inTable tells whether a table of cases mentions the operator: a literal of its type inside of a declaration that
// uses the package optest, in a package whose tests call optest.Check.
func (p *pkg) inTable(module, op string) bool {
	mentioned, checked := false, false
	for _, f := range p.tests {
		bench := importName(f, module+"/internal/optest")
		if bench == "" {
			continue
		}
		prefix := ""
		if f.Name.Name != p.name {
			prefix = importName(f, module+"/"+p.dir)
		}
		for _, d := range f.Decls {
			uses := selectors(d, bench)
			checked = checked || slices.Contains(uses, "Check")
			mentioned = mentioned || len(uses) > 0 && hasLiteral(d, prefix, op)
		}
	}
	return mentioned && checked
}

// selectors lists the names selected from a package in a declaration.
func selectors(d ast.Node, pkg string) []string {
	var names []string
	ast.Inspect(d, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && id.Name == pkg {
				names = append(names, s.Sel.Name)
			}
		}
		return true
	})
	return names
}

// hasLiteral finds a composite literal of a type, of a package if prefix is not empty.
func hasLiteral(d ast.Node, prefix, name string) bool {
	found := false
	ast.Inspect(d, func(n ast.Node) bool {
		if c, ok := n.(*ast.CompositeLit); ok {
			switch t := c.Type.(type) {
			case *ast.Ident:
				found = found || prefix == "" && t.Name == name
			case *ast.SelectorExpr:
				id, ok := t.X.(*ast.Ident)
				found = found || ok && id.Name == prefix && t.Sel.Name == name
			}
		}
		return !found
	})
	return found
}

// families lists the folders of operators.
func families(ops []Op) []string {
	var dirs []string
	for _, o := range ops {
		dirs = append(dirs, o.Dir)
	}
	return slices.Compact(dirs)
}

// opsFile is the list of operators of one family.
func opsFile(module, dir string, ops []Op) file {
	var b strings.Builder
	first := slices.IndexFunc(ops, func(o Op) bool { return o.Dir == dir })
	fmt.Fprintf(&b, "%s\n\npackage %s\n\nimport \"%s/kernels\"\n\n", Header, ops[first].Family, module)
	fmt.Fprint(&b, "// Ops lists the operators of this package by name, each at its zero value.\n")
	fmt.Fprint(&b, "func Ops() []kernels.Op {\n\treturn []kernels.Op{\n")
	for _, o := range ops {
		if o.Dir == dir {
			fmt.Fprintf(&b, "\t\t%s{},\n", o.Name)
		}
	}
	fmt.Fprint(&b, "\t}\n}\n")
	return file{dir + "/ops_gen.go", []byte(b.String())}
}

const tableHead = `<!-- Code generated by go run ./internal/gen; DO NOT EDIT. -->

# Operators

%d operators in %d families. Gradient: has a rule, in operators of this list. CPU: a kernel of its own; without one the
engine runs the reference and lists that, and a view costs nothing. In place: the output may overwrite an input. Fused:
names the parts it is made of. Cases: a table of tests runs it in every way.
`

// opsTable is docs/ops.md: every operator with what it can do.
func opsTable(ops []Op) file {
	var b strings.Builder
	fmt.Fprintf(&b, tableHead, len(ops), len(families(ops)))
	for _, dir := range families(ops) {
		first := slices.IndexFunc(ops, func(o Op) bool { return o.Dir == dir })
		fmt.Fprintf(&b, "\n## %s\n\n", ops[first].Family)
		fmt.Fprint(&b, "| op | what it computes | gradient | CPU | CUDA | in place | fused | cases |\n")
		fmt.Fprint(&b, "| --- | --- | --- | --- | --- | --- | --- | --- |\n")
		for _, o := range ops {
			if o.Dir == dir {
				fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", o.Name, markdown(o.Doc),
					mark(o.Has("Grad") || o.Has("Decompose")), o.cpu(), mark(o.Has("CUDA")), mark(o.Has("InPlace")),
					mark(o.Has("Decompose")), mark(o.Cases))
			}
		}
	}
	return file{"docs/ops.md", []byte(b.String())}
}

func (o Op) cpu() string {
	switch {
	case o.Has("View"):
		return "view"
	case o.Has("CPU"):
		return "yes"
	}
	return "reference"
}

func mark(yes bool) string {
	if yes {
		return "yes"
	}
	return "–"
}

// markdown escapes what would be read as markup in a table cell.
func markdown(text string) string {
	pairs := []string{`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;", "[", `\[`, "]", `\]`}
	return strings.NewReplacer(pairs...).Replace(text)
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
