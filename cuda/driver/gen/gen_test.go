package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestUpToDate: trampolines and names are of the list.
func TestUpToDate(t *testing.T) {
	if err := run("..", true, false); err != nil {
		t.Error(err)
	}
}

// TestHeader: what driver.h declares is on the list.
func TestHeader(t *testing.T) {
	symbols, err := readList("../syms.txt")
	if err != nil {
		t.Fatal(err)
	}
	header, err := os.ReadFile("../driver.h")
	if err != nil {
		t.Fatal(err)
	}
	found := prototypePattern.FindAllStringSubmatch(string(header), -1)
	if len(found) < 30 {
		t.Fatalf("%d prototypes found", len(found))
	}
	for _, m := range found {
		if !slices.Contains(symbols, m[1]) {
			t.Errorf("%s is not in syms.txt: run go run ./cuda/driver/gen -scan", m[1])
		}
	}
}

func TestReadList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "syms.txt")
	for text, want := range map[string]string{
		"# x\n\ncuA\ncuB\n": "",
		"cuB\ncuA\n":        ":2: cuA does not come after cuB",
		"cuA\ncuA\n":        ":2:",
		"cuInit\n":          "wants a trampoline",
		"cublasCreate\n":    "wants a trampoline",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := readList(path)
		if want == "" && (err != nil || !slices.Equal(got, []string{"cuA", "cuB"})) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
	list := []string{"cuA", "cuB"}
	if err := os.WriteFile(path, writeList(list), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := readList(path); err != nil || !slices.Equal(got, list) {
		t.Errorf("round trip: %q, %v", got, err)
	}
}

func TestSplit(t *testing.T) {
	member := func(body string) string {
		return "name            0           0     0     100644  " + pad(len(body)) + "`\n" + body
	}
	got, err := split([]byte("!<arch>\n" + member("abc") + "\n" + member("de")))
	if err != nil || len(got) != 2 || string(got[0]) != "abc" || string(got[1]) != "de" {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"", "!<arch>\nshort", "!<arch>\n" + member("abc")[:60]} {
		if _, err := split([]byte(bad)); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

// pad is a number in a field of ten bytes.
func pad(n int) string {
	s := string(rune('0' + n))
	return s + strings.Repeat(" ", 10-len(s))
}
