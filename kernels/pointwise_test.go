package kernels

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestCUDAHeader(t *testing.T) {
	text, err := CUDAHeader("act/act.cuh")
	if err != nil || strings.Contains(text, "#include") || strings.Contains(text, "#pragma once") {
		t.Errorf("%v\n%s", err, text)
	}
	if strings.Index(text, "#define EACH") > strings.Index(text, "namespace act") {
		t.Error("what is included stands behind what includes it")
	}
	if _, err := CUDAHeader("absent.cuh"); err == nil {
		t.Error("an absent header is no error")
	}
}

func TestExpand(t *testing.T) {
	files := fstest.MapFS{
		"a.cuh": {Data: []byte("#pragma once\n#include \"b.cuh\"\n#include \"c.cuh\"\na\n")},
		"b.cuh": {Data: []byte("#include \"c.cuh\"\nb\n")},
		"c.cuh": {Data: []byte("#pragma once\nc\n")},
		"d.cuh": {Data: []byte("#include \"e.cuh\"\n")},
	}
	var b strings.Builder
	if err := expand(&b, files, "a.cuh", map[string]bool{}); err != nil || b.String() != "c\nb\na\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
	if err := expand(&b, files, "d.cuh", map[string]bool{}); err == nil || !strings.Contains(err.Error(), "d.cuh") {
		t.Errorf("an absent header: %v", err)
	}
}
