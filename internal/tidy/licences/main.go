// Command licences checks that every module which the project requires, directly or not, comes with a licence on the
// list of allowed ones, and prints module and licence. It reads the module cache and fills it where something is
// missing.
//
// Usage, from the root of the module:
//
//	go run ./internal/tidy/licences [FOLDER…]
//
// Each folder holds a go.mod; without any it is the current one.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

func main() {
	folders := os.Args[1:]
	if len(folders) == 0 {
		folders = []string{"."}
	}
	failed := false
	for _, dir := range folders {
		modules, err := required(dir)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for _, m := range modules {
			names, err := licence(os.DirFS(m.Dir))
			if err != nil {
				fmt.Fprintf(os.Stderr, "licences: %s %s: %v\n", m.Path, m.Version, err)
				failed = true
				continue
			}
			fmt.Printf("%-60s %-40s %s\n", m.Path, m.Version, strings.Join(names, ", "))
		}
	}
	if failed {
		os.Exit(1)
	}
}

// module is one required module in the module cache.
type module struct{ Path, Version, Dir, Error string }

// required lists what the go.mod in a folder requires.
func required(dir string) ([]module, error) {
	out, err := run(dir, "mod", "edit", "-json")
	if err != nil {
		return nil, err
	}
	var file struct{ Require []module }
	if err := json.Unmarshal(out, &file); err != nil {
		return nil, fmt.Errorf("licences: %s/go.mod: %w", dir, err)
	}
	if len(file.Require) == 0 {
		return nil, nil
	}
	args := []string{"mod", "download", "-json"}
	for _, m := range file.Require {
		args = append(args, m.Path+"@"+m.Version)
	}
	out, failed := run(dir, args...) // what it says about single modules tells more than its failure
	var modules []module
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var m module
		if err := d.Decode(&m); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("licences: go mod download: %w", err)
		}
		if m.Error != "" {
			return nil, fmt.Errorf("licences: %s %s: %s", m.Path, m.Version, m.Error)
		}
		modules = append(modules, m)
	}
	if failed != nil {
		return nil, failed
	}
	if len(modules) != len(file.Require) {
		const format = "licences: %s/go.mod requires %d modules, found %d"
		return nil, fmt.Errorf(format, dir, len(file.Require), len(modules))
	}
	return modules, nil
}

// run runs the go command in a folder.
func run(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(complaints.String())
		return out.Bytes(), fmt.Errorf("licences: go %s in %s: %w\n%s", strings.Join(args[:2], " "), dir, err, said)
	}
	return out.Bytes(), nil
}

var (
	fileName = regexp.MustCompile(`(?i)^(un)?licen[cs]e|^copying`)
	spaces   = regexp.MustCompile(`[\s*#>"“”]+`)
)

// kinds are the allowed licences, each with words that only it has. Texts are compared in lower case with single
// spaces.
var kinds = []struct{ name, words string }{
	{"Apache-2.0", "apache license version 2.0"},
	{"MPL-2.0", "mozilla public license version 2.0"},
	{"BSD", "redistribution and use in source and binary forms, with or without modification, are permitted"},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose with or without fee"},
	{"Unlicense", "this is free and unencumbered software released into the public domain"},
	{"CC0-1.0", "cc0 1.0 universal"},
	{"CC-BY-4.0", "creative commons attribution 4.0 international"},
	{"OFL-1.1", "sil open font license, version 1.1"},
	{"FTL", "your choice of exactly one of the following two licenses: the freetype license"},
}

// licence names the licences in the root of a module: every file that is called so must be on the list.
func licence(root fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(root, ".")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() || !fileName.MatchString(e.Name()) {
			continue
		}
		data, err := fs.ReadFile(root, e.Name())
		if err != nil {
			return nil, err
		}
		name := classify(string(data))
		if name == "" {
			return nil, fmt.Errorf("%s is none of the allowed licences: use another module, or add the kind", e.Name())
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil, errors.New("has no licence file in its root")
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// classify names the allowed licence that comes first in a text, or is "": what comes later belongs to parts.
func classify(text string) string {
	text = strings.ToLower(spaces.ReplaceAllString(text, " "))
	name, first := "", len(text)
	for _, k := range kinds {
		if i := strings.Index(text, k.words); i >= 0 && i < first {
			name, first = k.name, i
		}
	}
	for _, refused := range []string{"gnu general public license", "gnu affero", "gnu lesser", "commons clause"} {
		if i := strings.Index(text, refused); i >= 0 && i < first {
			return ""
		}
	}
	return name
}
