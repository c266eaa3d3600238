package main

import (
	"bytes"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestUpToDate: the PTX in the tree is of the sources in the tree.
func TestUpToDate(t *testing.T) {
	var out bytes.Buffer
	if err := run(settings{root: "../..", check: true}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
}

// sources is a small tree of kernels.
func sources() fstest.MapFS {
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	return fstest.MapFS{
		"kernels/a/one.cu":        text("#include \"include/x.cuh\"\nbody\n"),
		"kernels/a/two.cu":        text("// Targets: compute_70 compute_80\n#include \"near.cuh\"\n"),
		"kernels/a/near.cuh":      text("near\n"),
		"kernels/include/x.cuh":   text("#include \"b/deep.cuh\"\n"),
		"kernels/b/deep.cuh":      text("#include \"include/x.cuh\"\n"), // a circle, as include guards allow
		"kernels/b/ptx/gone.ptx":  text("left over"),
		"kernels/b/" + embedName:  text("left over"),
		"kernels/b/ptx/notes.txt": text("not ours"),
	}
}

func TestDiscover(t *testing.T) {
	tree := sources()
	units, err := discover(tree)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range units {
		got = append(got, u.Module()+" "+u.PTX())
	}
	want := []string{"a/one kernels/a/ptx/one.ptx", "a/two kernels/a/ptx/two.ptx", "a/two kernels/a/ptx/two.sm80.ptx"}
	if !slices.Equal(got, want) {
		t.Fatalf("units %q, want %q", got, want)
	}
	if units[1].Hash == units[2].Hash {
		t.Error("the two architectures have one hash")
	}
	before := units[0].Hash
	for _, path := range []string{"kernels/a/one.cu", "kernels/include/x.cuh", "kernels/b/deep.cuh"} {
		changed := sources()
		changed[path].Data = append(changed[path].Data, "// more\n"...)
		if units, err = discover(changed); err != nil || units[0].Hash == before {
			t.Errorf("a change of %s does not change the hash of one.cu (%v)", path, err)
		}
	}
	for _, bad := range []struct{ source, want string }{
		{"#include \"no.cuh\"\n", "no such file"},
		{"// Targets: compute_60\n", "want compute_70"},
	} {
		tree["kernels/a/one.cu"] = &fstest.MapFile{Data: []byte(bad.source)}
		if _, err := discover(tree); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%q: error %v, want %q", bad.source, err, bad.want)
		}
	}
}

func TestOutOfDate(t *testing.T) {
	tree := sources()
	units, err := discover(tree)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range units {
		tree[u.PTX()] = &fstest.MapFile{Data: []byte(u.Header() + ".version 8.0\n")}
	}
	delete(tree, "kernels/b/ptx/gone.ptx")
	delete(tree, "kernels/b/"+embedName)
	for _, e := range embeds(units) {
		tree[e.path] = &fstest.MapFile{Data: e.data}
	}
	tree[tablePath] = &fstest.MapFile{Data: []byte(digest(tree, units))}
	check := func(what string, fsys fs.FS, want ...string) {
		t.Helper()
		got, err := outOfDate(fsys, units)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%s: %q, %v; want %q", what, got, err, want)
		}
		for i := range want {
			if !strings.HasPrefix(got[i], want[i]) {
				t.Errorf("%s: %q, want %q", what, got[i], want[i])
			}
		}
	}
	check("all there", tree)
	units[0].Hash = strings.Repeat("0", 64)
	check("another source", tree, "kernels/a/ptx/one.ptx")
	units, err = discover(tree)
	if err != nil {
		t.Fatal(err)
	}
	tree["kernels/b/ptx/gone.ptx"] = sources()["kernels/b/ptx/gone.ptx"]
	tree["kernels/b/"+embedName] = sources()["kernels/b/"+embedName]
	check("left over", tree, "kernels/b/ptx/gone.ptx", "kernels/b/"+embedName)
	delete(tree, "kernels/b/ptx/gone.ptx")
	delete(tree, "kernels/b/"+embedName)
	tree["kernels/a/"+embedName] = &fstest.MapFile{Data: []byte("package a\n")}
	check("embedding", tree, "kernels/a/"+embedName)
}

const log70 = `ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'one_f64' for 'sm_70'
ptxas info    : Function properties for one_f64
    16 bytes stack frame, 8 bytes spill stores, 12 bytes spill loads
ptxas info    : Used 40 registers, 1032 bytes smem, 400 bytes cmem[0]
ptxas info    : Compiling entry function 'one_f32' for 'sm_70'
ptxas info    : Function properties for one_f32
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 16 registers, used 1 barriers, 360 bytes cmem[0]
ptxas info    : Function properties for slow_path
    32 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads
`

func TestUsage(t *testing.T) {
	got, err := parseUsage(log70)
	if err != nil {
		t.Fatal(err)
	}
	if want := (usage{Registers: 40, Shared: 1032, Stack: 16, Spills: 8}); got["one_f64"] != want {
		t.Errorf("one_f64: %+v, want %+v", got["one_f64"], want)
	}
	if want := (usage{Registers: 16, Spills: 4}); got["one_f32"] != want {
		t.Errorf("one_f32: %+v, want %+v", got["one_f32"], want)
	}
	if _, err := parseUsage("Compiling entry function 'x' for 'sm_70'\n"); err == nil {
		t.Error("a log without registers passes")
	}
	jobs := []*assembled{{unit: unit{Source: "kernels/a/one.cu"}, device: devices()[0], usage: got}}
	if err := forbidSpills(jobs); err == nil || !strings.Contains(err.Error(), "one_f32 spills 4 bytes") {
		t.Errorf("spills: %v", err)
	}
}

// TestOccupancy compares with figures worked out by hand from the vendor's tables.
func TestOccupancy(t *testing.T) {
	for _, c := range []struct{ device, threads, registers, shared, want int }{
		{70, 256, 32, 0, 100},       // 8 blocks of 8 warps
		{70, 256, 33, 0, 75},        // 40 registers by the unit: 51 warps, 6 blocks
		{70, 256, 255, 0, 12},       // 8 warps of 64
		{75, 32, 16, 0, 50},         // 16 blocks at most, of 32 warps
		{80, 256, 16, 48 << 10, 37}, // 49 KiB each out of 164: 3 blocks
		{86, 1024, 16, 0, 66},       // one block of 1024 in 1536
		{90, 128, 64, 16 << 10, 50}, // 32 warps by registers, before 13 blocks by shared memory
	} {
		i := slices.IndexFunc(devices(), func(d device) bool { return d.capability == c.device })
		if got := devices()[i].occupancy(c.threads, c.registers, c.shared); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

// TestLocate: what is missing is named with the way to get it.
func TestLocate(t *testing.T) {
	if _, err := locate(t.TempDir(), "no/*", "the compiler"); err == nil || !strings.Contains(err.Error(), "make ") {
		t.Errorf("error %v", err)
	}
	path, err := locate(".", "source*.go", "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
