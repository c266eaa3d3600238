package tidy

import (
	_ "embed"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

//go:embed ratchet.txt
var ratchetText string

// TestTree applies every rule to the project.
func TestTree(t *testing.T) {
	tree, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if tree.Ratchet, err = parseRatchet(ratchetText); err != nil {
		t.Fatal(err)
	}
	for _, r := range rules() {
		t.Run(strings.ReplaceAll(r.Name, " ", "-"), func(t *testing.T) {
			for _, v := range r.Check(tree) {
				t.Error(v)
			}
		})
	}
}

// TestExceptions: every exception is needed by a file of the project.
func TestExceptions(t *testing.T) {
	tree, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	tree.Strict = true
	for _, r := range rules() {
		var found []violation
		for _, e := range exceptions() {
			if e.rule != r.Name {
				continue
			}
			if found == nil {
				found = r.Check(tree)
			}
			if !slices.ContainsFunc(found, func(v violation) bool { return strings.HasPrefix(v.Path, e.prefix) }) {
				t.Errorf("nothing needs the exception of %s from the rule %q: take it off", e.prefix, e.rule)
			}
			if e.reason == "" {
				t.Errorf("the exception of %s from the rule %q has no reason", e.prefix, e.rule)
			}
		}
	}
}

// TestRules: every rule catches what breaks it, and lets pass what does not.
func TestRules(t *testing.T) {
	tested := make(map[string]bool)
	for _, c := range examples(t) {
		for _, r := range rules() {
			if r.Name != c.rule {
				continue
			}
			tested[r.Name+c.kind()] = true
			t.Run(strings.ReplaceAll(r.Name+"/"+c.name, " ", "-"), func(t *testing.T) { c.check(t, r) })
		}
	}
	for _, r := range rules() {
		if !tested[r.Name+"/broken"] || !tested[r.Name+"/kept"] {
			t.Errorf("the rule %q has no example that breaks it, or none that keeps it", r.Name)
		}
		if r.Claim == "" {
			t.Errorf("the rule %q has no claim", r.Name)
		}
	}
}

// example is a small tree with what a rule should say about it.
type example struct {
	rule, name string
	files      map[string]string
	ratchet    string
	want       []string // parts of the violations in order; none if the rule is kept
}

//go:embed testdata/examples.txt
var exampleText string

// examples reads the examples: the form is explained at the top of their file.
func examples(t *testing.T) []example {
	t.Helper()
	var all []example
	for part := range strings.SplitSeq(exampleText, "\n=== ") {
		if strings.HasPrefix(part, "Examples") {
			continue
		}
		e := example{files: make(map[string]string)}
		head, rest, _ := strings.Cut(part, "\n-- ")
		for i, line := range strings.Split(strings.TrimSpace(head), "\n") {
			key, value, ok := strings.Cut(line, ": ")
			switch {
			case !ok:
				t.Fatalf("examples.txt: %q: want key: value", line)
			case i == 0:
				e.rule, e.name = key, value
			case key == "want":
				e.want = append(e.want, value)
			case key == "ratchet":
				e.ratchet += value + "\n"
			default:
				t.Fatalf("examples.txt: %s: unknown key %q", e.name, key)
			}
		}
		if rest != "" {
			for file := range strings.SplitSeq(rest, "\n-- ") {
				path, text, ok := strings.Cut(file, " --\n")
				if !ok {
					t.Fatalf("examples.txt: %s: a file without path", e.name)
				}
				e.files[path] = strings.TrimRight(expand(text), "\n") + "\n"
			}
		}
		all = append(all, e)
	}
	return all
}

var repeated = regexp.MustCompile(`⟨([^⟩]*?)×(\d+)⟩`)

// expand writes out what stands for repeated text.
func expand(text string) string {
	text = repeated.ReplaceAllStringFunc(text, func(m string) string {
		parts := repeated.FindStringSubmatch(m)
		n, err := strconv.Atoi(parts[2])
		if err != nil {
			return err.Error()
		}
		return strings.Repeat(strings.ReplaceAll(parts[1], `\n`, "\n"), n)
	})
	return strings.ReplaceAll(text, "⟨NUL⟩", "\x00")
}

func (e example) kind() string {
	if len(e.want) > 0 {
		return "/broken"
	}
	return "/kept"
}

func (e example) check(t *testing.T, r rule) {
	tree := parse(t, e.files)
	var err error
	if tree.Ratchet, err = parseRatchet(e.ratchet); err != nil {
		t.Fatal(err)
	}
	got := r.Check(tree)
	for i, v := range got {
		if i >= len(e.want) || !strings.Contains(v.String(), e.want[i]) {
			t.Errorf("violation %d is %q, not wanted here", i, v)
		}
	}
	if len(got) < len(e.want) {
		t.Errorf("%d violations, want %d: %q", len(got), len(e.want), e.want)
	}
}

// parse makes a tree in memory.
func parse(t *testing.T, files map[string]string) *tree {
	t.Helper()
	tree, err := load(mapFS(files))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// mapFS is a tree of files with a go.mod.
func mapFS(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{"go.mod": &fstest.MapFile{Data: []byte("module ganglion\n\ngo 1.26\n")}}
	for path, text := range files {
		m[path] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func TestLoad(t *testing.T) {
	tree := parse(t, map[string]string{
		"bin/x.go": "no Go", "runs/1/log.txt": "", ".git/config": "", "a/a.test": "", "a/testdata/bad.go": "no Go",
		"kernels/bin/x.go": "package x\n",
	})
	var paths []string
	for _, f := range tree.Files {
		paths = append(paths, f.Path)
	}
	if got := strings.Join(paths, " "); got != "a/testdata/bad.go go.mod kernels/bin/x.go" {
		t.Errorf("loaded %s", got)
	}
	if _, err := load(fstest.MapFS{"a.go": &fstest.MapFile{Data: []byte("package a")}}); err == nil {
		t.Error("a tree without go.mod was loaded")
	}
	_, err := load(mapFS(map[string]string{"a.go": "pack a"}))
	if err == nil || !strings.Contains(err.Error(), "a.go:1") {
		t.Errorf("a broken file: got %v", err)
	}
}

func TestParseRatchet(t *testing.T) {
	list, err := parseRatchet("# comment\n\nfunction a/b.go:F 80\nfile a/c.go 600\n")
	if err != nil || list["function a/b.go:F"] != 80 || list["file a/c.go"] != 600 || len(list) != 2 {
		t.Errorf("got %v, %v", list, err)
	}
	for _, bad := range []string{"function a", "file a x", "file a -1", "line a 3", "file a 501\nfile a 502"} {
		if _, err := parseRatchet(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
