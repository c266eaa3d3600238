package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	kernels  = "kernels"
	compiler = "NVRTC 12.0" // whose PTX every driver since R525 takes
	baseArch = 70
)

// options are the flags that change the code; include folders come on top.
func options(arch int) []string {
	return []string{fmt.Sprintf("--gpu-architecture=compute_%d", arch), "-std=c++17", "-default-device"}
}

// unit is one compilation: a source for one architecture.
type unit struct {
	Source string // path of the .cu file from the root
	Arch   int
	Hash   string // of source, what it includes, options and compiler
}

// Module is the name that launches use: the path below kernels without the ending.
func (u unit) Module() string {
	return strings.TrimSuffix(strings.TrimPrefix(u.Source, kernels+"/"), ".cu")
}

// Family is the folder of the source.
func (u unit) Family() string { return path.Dir(u.Source) }

// PTX is the path of the result: ptx/NAME.ptx beside the source, ptx/NAME.sm80.ptx for a higher architecture.
func (u unit) PTX() string {
	name := strings.TrimSuffix(path.Base(u.Source), ".cu")
	if u.Arch != baseArch {
		name += fmt.Sprintf(".sm%d", u.Arch)
	}
	return path.Join(u.Family(), "ptx", name+".ptx")
}

// Header stands before what the compiler writes.
func (u unit) Header() string {
	return fmt.Sprintf(
		"// Compiled from %s by go run -tags gpu ./cuda/ptxtool; do not edit.\n// sha256 %s, compute_%d, %s\n",
		u.Source,
		u.Hash,
		u.Arch,
		compiler,
	)
}

var (
	includePattern = regexp.MustCompile(`(?m)^\s*#\s*include\s+"([^"]+)"`)
	targetsPattern = regexp.MustCompile(`(?m)^// Targets:((?: compute_\d+)+)\.?$`)
)

// discover lists all units, in order of their paths. A source is compiled for compute_70, or for what a line such as
// “// Targets: compute_70 compute_80” says.
func discover(root fs.FS) ([]unit, error) {
	var units []unit
	err := fs.WalkDir(root, kernels, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(p) != ".cu" {
			return err
		}
		data, err := fs.ReadFile(root, p)
		if err != nil {
			return err
		}
		archs := []int{baseArch}
		if m := targetsPattern.FindSubmatch(data); m != nil {
			archs = archs[:0]
			for _, word := range strings.Fields(string(m[1])) {
				n, err := strconv.Atoi(strings.TrimPrefix(word, "compute_"))
				if err != nil || n < baseArch {
					return fmt.Errorf("ptxtool: %s: target %s: want compute_%d or higher", p, word, baseArch)
				}
				archs = append(archs, n)
			}
		}
		for _, arch := range archs {
			u := unit{Source: p, Arch: arch}
			if u.Hash, err = hash(root, p, arch); err != nil {
				return err
			}
			units = append(units, u)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(units, func(a, b unit) int { return strings.Compare(a.PTX(), b.PTX()) })
	return units, nil
}

// hash covers all that the PTX depends on.
func hash(root fs.FS, source string, arch int) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%q\n", compiler, options(arch))
	seen := make(map[string]bool)
	var visit func(p string) error
	visit = func(p string) error {
		if seen[p] {
			return nil
		}
		seen[p] = true
		data, err := fs.ReadFile(root, p)
		if err != nil {
			return fmt.Errorf("ptxtool: %w", err)
		}
		fmt.Fprintf(h, "%s %d\n", p, len(data))
		h.Write(data)
		for _, m := range includePattern.FindAllSubmatch(data, -1) {
			next, err := resolve(root, path.Dir(p), string(m[1]))
			if err != nil {
				return fmt.Errorf("ptxtool: %s: %w", p, err)
			}
			if err := visit(next); err != nil {
				return err
			}
		}
		return nil
	}
	if err := visit(source); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// resolve finds an included file as the compiler does: beside the including one, then in the folders of includes.
func resolve(root fs.FS, dir, name string) (string, error) {
	for _, folder := range []string{dir, kernels, kernels + "/include"} {
		p := path.Join(folder, name)
		if _, err := fs.Stat(root, p); err == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("include of %q: no such file beside it, in %s or in %s/include", name, kernels, kernels)
}

// fresh tells whether the PTX of a unit is there and of this source.
func fresh(root fs.FS, u unit) bool {
	data, err := fs.ReadFile(root, u.PTX())
	return err == nil && bytes.HasPrefix(data, []byte(u.Header()))
}

// outOfDate lists what a run would change, one line each: PTX of another source, PTX without a source, embedding files.
func outOfDate(root fs.FS, units []unit) ([]string, error) {
	var out []string
	wanted := make(map[string]bool)
	for _, u := range units {
		wanted[u.PTX()] = true
		if !fresh(root, u) {
			out = append(out, u.PTX()+" is missing or not compiled from "+u.Source+" as it stands")
		}
	}
	orphans, err := strays(root, wanted)
	if err != nil {
		return nil, err
	}
	for _, p := range orphans {
		out = append(out, p+" has no source")
	}
	for _, e := range embeds(units) {
		if data, err := fs.ReadFile(root, e.path); err != nil || !bytes.Equal(data, e.data) {
			out = append(out, e.path+" does not embed all PTX")
		}
	}
	if data, err := fs.ReadFile(root, tablePath); err != nil || !bytes.Contains(data, []byte(digest(root, units))) {
		out = append(out, tablePath+" is not made from this PTX")
	}
	return out, nil
}

// strays lists PTX files and embedding files below kernels that nothing asks for.
func strays(root fs.FS, wanted map[string]bool) ([]string, error) {
	var out []string
	families := make(map[string]bool)
	for p := range wanted {
		families[path.Dir(path.Dir(p))] = true
	}
	err := fs.WalkDir(root, kernels, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		stray := path.Ext(p) == ".ptx" && path.Base(path.Dir(p)) == "ptx" && !wanted[p]
		if path.Base(p) == embedName && path.Dir(p) != imagesDir && !families[path.Dir(p)] {
			stray = true
		}
		if stray {
			out = append(out, p)
		}
		return nil
	})
	return out, err
}
