package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func TestLicence(t *testing.T) {
	const (
		mit    = "MIT License\n\nPermission is hereby granted, free of charge, to any\nperson obtaining a copy of this"
		apache = "                  Apache License\n        Version 2.0, January 2004\n"
		bsd    = "Redistribution and use in source and binary forms, with or without\nmodification, are permitted"
		gpl    = "GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007"
		ftl    = "your choice of exactly one of\nthe following two licenses:\n  * The FreeType License, or\n  * " + gpl
		ofl    = "under the SIL Open Font License,\nVersion 1.1."
	)
	for _, c := range []struct {
		files map[string]string
		want  string // licences, or part of the error
	}{
		{map[string]string{"LICENSE": mit}, "MIT"},
		{map[string]string{"LICENCE.md": apache}, "Apache-2.0"},
		{map[string]string{"COPYING": bsd}, "BSD"},
		{map[string]string{"LICENSE": apache + "parts:\n" + mit + "\nparts under the " + gpl}, "Apache-2.0"},
		{map[string]string{"LICENSE": ftl, "licenses/gpl.txt": gpl}, "FTL"},
		{map[string]string{"LICENSE": bsd, "LICENSE-FONT": ofl}, "BSD, OFL-1.1"},
		{map[string]string{"LICENSE": gpl}, "LICENSE is none of the allowed"},
		{map[string]string{"LICENSE": gpl + mit}, "LICENSE is none of the allowed"},
		{map[string]string{"LICENSE": "Commons Clause\n" + mit}, "LICENSE is none of the allowed"},
		{map[string]string{"LICENSE": mit, "LICENSE.other": "All rights reserved."}, "LICENSE.other is none"},
		{map[string]string{"README.md": mit}, "no licence file"},
		{map[string]string{"license/MIT": mit}, "no licence file"},
	} {
		root := fstest.MapFS{}
		for name, text := range c.files {
			root[name] = &fstest.MapFile{Data: []byte(text)}
		}
		names, err := licence(root)
		got := strings.Join(names, ", ")
		if err != nil {
			got = err.Error()
		}
		if err == nil && got != c.want || !strings.Contains(got, c.want) {
			t.Errorf("%v: got %s, want %s", c.files, got, c.want)
		}
	}
}

// TestRequired asks the go command about a module that requires one other, which a proxy in a folder serves.
func TestRequired(t *testing.T) {
	proxy := t.TempDir()
	versions := filepath.Join(proxy, "example.org", "m", "@v")
	var z bytes.Buffer
	w := zip.NewWriter(&z)
	const declares = "module example.org/m\n"
	for name, text := range map[string]string{"go.mod": declares, "LICENSE": "ISC", "m.go": "package m\n"} {
		f, err := w.Create("example.org/m@v1.0.0/" + name)
		if err == nil {
			_, err = f.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(versions, "v1.0.0.zip"), z.String())
	put(t, filepath.Join(versions, "v1.0.0.mod"), declares)
	put(t, filepath.Join(versions, "v1.0.0.info"), `{"Version":"v1.0.0"}`)
	for key, value := range map[string]string{
		"GOPROXY": "file://" + filepath.ToSlash(proxy), "GONOSUMDB": "*", "GOFLAGS": "-modcacherw",
		"GOMODCACHE": t.TempDir(),
	} {
		t.Setenv(key, value)
	}
	dir := t.TempDir()
	put(t, filepath.Join(dir, "go.mod"), "module x\n\ngo 1.26\n\nrequire example.org/m v1.0.0\n")
	modules, err := required(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(modules) != 1 || modules[0].Path != "example.org/m" || modules[0].Version != "v1.0.0" {
		t.Fatalf("got %+v", modules)
	}
	if data, err := os.ReadFile(filepath.Join(modules[0].Dir, "LICENSE")); err != nil || string(data) != "ISC" {
		t.Errorf("the module's folder holds %q, %v", data, err)
	}
	put(t, filepath.Join(dir, "go.mod"), "module x\n\ngo 1.26\n\nrequire example.org/none v1.0.0\n")
	if _, err := required(dir); err == nil || !strings.Contains(err.Error(), "example.org/none") {
		t.Errorf("a module that does not exist: got %v", err)
	}
	if _, err := required(t.TempDir()); err == nil || !strings.Contains(err.Error(), "go mod edit") {
		t.Errorf("a folder without go.mod: got %v", err)
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
