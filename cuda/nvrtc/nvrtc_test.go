package nvrtc

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const doubling = "extern \"C\" __global__ void twice(float *x) { x[threadIdx.x] *= 2; }\n"

func options() []string { return []string{"--gpu-architecture=compute_70"} }

// compiler loads the one that make cuda-headers installs.
func compiler(t *testing.T) *Compiler {
	t.Helper()
	found, err := filepath.Glob("../../.cuda/venv/lib/python3*/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12")
	if err != nil || len(found) == 0 {
		t.Skip("no compiler in .cuda: run make cuda-headers")
	}
	path, err := filepath.Abs(found[0])
	if err != nil {
		t.Fatal(err)
	}
	c, err := Open(path)
	if errors.Is(err, ErrUnavailable) && strings.Contains(err.Error(), "tag gpu") {
		t.Skip("built without the tag gpu")
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCompile(t *testing.T) {
	c := compiler(t)
	ptx, err := c.Compile("twice.cu", doubling, options())
	if err != nil || !bytes.Contains(ptx, []byte(".entry twice(")) || bytes.IndexByte(ptx, 0) >= 0 {
		t.Fatalf("%v\n%s", err, ptx)
	}
	_, err = c.Compile("bad.cu", "__global__ void f() { nothing(); }", options())
	var refused *CompileError
	if !errors.As(err, &refused) || !strings.Contains(refused.Log, "bad.cu(1)") || refused.Code == 0 {
		t.Errorf("a program in error: %v", err)
	}
	if _, err = c.Compile("x.cu", doubling, []string{"--no-such-option"}); !errors.As(err, &refused) {
		t.Errorf("an unknown option: %v", err)
	}
}

func TestUsable(t *testing.T) {
	c := &Compiler{path: "lib", major: 12, minor: 4}
	for driver, ok := range map[int]bool{12000: false, 12030: false, 12040: true, 12080: true, 13000: true} {
		if err := c.Usable(driver); (err == nil) != ok || err != nil && !errors.Is(err, ErrUnavailable) {
			t.Errorf("driver %d: %v", driver, err)
		}
	}
}

func TestOpen(t *testing.T) {
	for _, path := range []string{"off", filepath.Join(t.TempDir(), "libnvrtc.so.12")} {
		if _, err := Open(path); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func TestCache(t *testing.T) {
	c := compiler(t)
	k := Cache{Dir: filepath.Join(t.TempDir(), "deep", "cache")}
	first, err := k.Compile(c, "twice.cu", doubling, options())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(k.Dir, Key(c, doubling, options())+".ptx")
	kept, err := os.ReadFile(path)
	if err != nil || !bytes.HasSuffix(kept, first) {
		t.Fatalf("nothing kept: %v", err)
	}
	if files, err := os.ReadDir(k.Dir); err != nil || len(files) != 1 {
		t.Errorf("%d files in the cache, %v", len(files), err)
	}
	// What stands in the file under a good hash is what comes back, without the compiler.
	if again, err := k.Compile(uncallable(c), "other name.cu", doubling, options()); err != nil ||
		!bytes.Equal(again, first) {
		t.Errorf("from the cache: %d bytes, %v", len(again), err)
	}
	if err := os.WriteFile(path, kept[:len(kept)-5], 0o644); err != nil {
		t.Fatal(err)
	}
	if again, err := k.Compile(c, "twice.cu", doubling, options()); err != nil || !bytes.Equal(again, first) {
		t.Errorf("after damage: %d bytes, %v", len(again), err)
	}
	if mended, err := os.ReadFile(path); err != nil || !bytes.Equal(mended, kept) {
		t.Errorf("the damaged file stays: %v", err)
	}
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var unkept *CacheError
	got, err := Cache{Dir: blocked}.Compile(c, "twice.cu", doubling, options())
	if !errors.As(err, &unkept) || !bytes.Equal(got, first) {
		t.Errorf("a folder that cannot be: %d bytes, %v", len(got), err)
	}
}

// uncallable is a compiler of the same version that would crash if it were called.
func uncallable(c *Compiler) *Compiler { return &Compiler{major: c.major, minor: c.minor} }

func TestKey(t *testing.T) {
	a := &Compiler{major: 12, minor: 0}
	keys := map[string]bool{
		Key(a, "x", options()):                              true,
		Key(a, "y", options()):                              true,
		Key(a, "x", []string{"--gpu-architecture", ""}):     true,
		Key(&Compiler{major: 12, minor: 4}, "x", options()): true,
	}
	if len(keys) != 4 {
		t.Errorf("%d keys of 4 programs", len(keys))
	}
}
