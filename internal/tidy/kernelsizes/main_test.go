package main

import (
	"slices"
	"strings"
	"testing"
)

// TestShipped: the kernels of the tree are found.
func TestShipped(t *testing.T) {
	all, err := shipped("../../../kernels")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"dense/scale/scale_f32", "optim/update/adam_f64"} {
		if !slices.Contains(all, want) {
			t.Errorf("%s is missing in %q", want, all)
		}
	}
	if _, err := shipped(t.TempDir()); err == nil {
		t.Error("a folder without kernels gives no error")
	}
}

// TestCheck: what is missing is named, and so are exceptions that are not needed.
func TestCheck(t *testing.T) {
	ran, err := read(strings.NewReader("a/b/whole 0 1 31\na/b/whole 32 33 1000 7\na/b/part 0 1 31 32 33\n\n" +
		"a/c/other 1000\n"))
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"a/b/part", "a/b/whole", "a/c/other", "a/d/never"}
	some := []exception{{"a/c/*", []int{0, 1, 31, 32, 33}, "why"}, {"a/d/never", sizes, "why"}}
	for _, c := range []struct {
		all   []string
		list  []exception
		wants []string
	}{
		{all[1:2], nil, nil},
		{all[1:], some, nil},
		{all, some, []string{"a/b/part did not run at sizes [1000]"}},
		{all[1:2], some, []string{"exception of a/c/* is not needed", "exception of a/d/never is not needed"}},
		{all[3:], nil, []string{"a/d/never did not run at sizes [0 1 31 32 33 1000]"}},
	} {
		err := check(c.all, ran, c.list)
		if (err == nil) != (len(c.wants) == 0) {
			t.Errorf("%q: %v", c.all, err)
		}
		for _, want := range c.wants {
			if err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%q: no %q in %v", c.all, want, err)
			}
		}
	}
	if _, err := read(strings.NewReader("a/b/c one\n")); err == nil {
		t.Error("a line that is not of the tests gives no error")
	}
}
