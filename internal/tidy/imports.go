package tidy

import (
	"strconv"
	"strings"
)

func random(t *tree) []violation {
	var out report
	for _, f := range t.sources(false) {
		for _, path := range importPaths(f) {
			if path == "math/rand" || path == "math/rand/v2" {
				out.add(f.Path, 0, "imports %s: draw numbers by internal/philox", path)
			}
		}
	}
	return out
}

// importPaths lists the imports of a file.
func importPaths(f *file) []string {
	var out []string
	for _, s := range f.Go.Imports {
		if path, err := strconv.Unquote(s.Path.Value); err == nil {
			out = append(out, path)
		}
	}
	return out
}

// layers are the folders that hold packages, from the bottom to the top.
var layers = map[string]int{"internal": 1, "kernels": 2, "cuda": 2, "engine": 3, "models": 4, "bench": 5, "cmd": 6}

func imports(t *tree) []violation {
	var out report
	for _, f := range t.sources(false) {
		if strings.Contains(f.Path, "/_") {
			continue
		}
		from := top(f.Path)
		if layers[from] == 0 {
			out.add(f.Path, 0, "is outside of the layout: cmd bench models engine kernels cuda internal")
		}
		for _, path := range importPaths(f) {
			if (path == "gorgonia.org/cu" || strings.HasPrefix(path, "gorgonia.org/cu/")) && from != "cuda" {
				out.add(
					f.Path,
					0,
					"only cuda may import %s: without its stub the program would be linked to the driver",
					path,
				)
			}
			inner, ours := strings.CutPrefix(path, t.Module+"/")
			if !ours {
				continue
			}
			to, _, _ := strings.Cut(inner, "/")
			if from != to && layers[to] >= layers[from] {
				out.add(f.Path, 0, "%s must not import %s", from, inner)
			}
			if excused("imports", inner+"/") && !excused("imports", f.Path) {
				out.add(f.Path, 0, "only tests may import %s", inner)
			}
		}
	}
	return t.unexcused("imports", out)
}
