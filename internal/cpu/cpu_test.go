package cpu

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// reset forgets what was switched off when the test ends.
func reset(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		off.mu.Lock()
		defer off.mu.Unlock()
		off.list = nil
		off.mask.Store(0)
	})
}

func TestPathString(t *testing.T) {
	for p, want := range map[Path]string{Go: "go", AVX2: "avx2", AVX512: "avx512", 9: "cpu.Path(9)"} {
		if got := p.String(); got != want {
			t.Errorf("Path(%d).String() = %q, want %q", uint8(p), got, want)
		}
	}
}

func TestPathsBeginWithGoAndAscend(t *testing.T) {
	paths := Paths()
	if len(paths) == 0 || paths[0] != Go {
		t.Fatalf("Paths() = %v, want go first", paths)
	}
	if !slices.IsSorted(paths) {
		t.Errorf("Paths() = %v, want slowest first", paths)
	}
	paths[0] = AVX512
	if Paths()[0] != Go {
		t.Error("a caller can change what Paths returns")
	}
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		env  string
		can  []Path
		want choice
		err  string
	}{
		{"", []Path{Go}, choice{}, ""},
		{"go", []Path{Go, AVX2}, choice{forced: true, path: Go}, ""},
		{"avx2", []Path{Go, AVX2, AVX512}, choice{forced: true, path: AVX2}, ""},
		{"avx512", []Path{Go, AVX2, AVX512}, choice{forced: true, path: AVX512}, ""},
		{"avx512", []Path{Go, AVX2}, choice{}, "cannot run it (it can run go, avx2)"},
		{"AVX2", []Path{Go, AVX2}, choice{}, `GANGLION_CPU="AVX2": unknown kernel path`},
		{"sse", []Path{Go}, choice{}, "unknown kernel path"},
	} {
		got := choose(c.env, c.can)
		if got.forced != c.want.forced || got.path != c.want.path {
			t.Errorf("choose(%q, %v) = %+v, want %+v", c.env, c.can, got, c.want)
		}
		if (c.err == "") != (got.err == nil) || got.err != nil && !strings.Contains(got.err.Error(), c.err) {
			t.Errorf("choose(%q, %v): error %v, want %q", c.env, c.can, got.err, c.err)
		}
	}
}

// TestEnvironment runs this test binary again under each value of GANGLION_CPU.
func TestEnvironment(t *testing.T) {
	if os.Getenv("CPU_TEST_CHILD") != "" {
		if os.Getenv("CPU_TEST_CHILD") == "off" {
			disable(AVX2, "wrong sum")
		}
		err := "nil"
		if e := EnvError(); e != nil {
			err = e.Error()
		}
		os.Stdout.WriteString("child: best=" + Best().String() + " err=" + err + "\n")
		return
	}
	fastest := Paths()[len(Paths())-1]
	for _, env := range []string{"", "go", "avx2", "avx512", "mmx"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestEnvironment$")
		cmd.Env = append(os.Environ(), envVar+"="+env, "CPU_TEST_CHILD=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s=%s: %v\n%s", envVar, env, err, out)
		}
		want := "best=" + fastest.String() + " err="
		if i := slices.IndexFunc(Paths(), func(p Path) bool { return p.String() == env }); i >= 0 {
			want = "best=" + env + " err=nil"
		} else if env == "" {
			want += "nil"
		} else {
			want += "cpu: GANGLION_CPU="
		}
		if !strings.Contains(string(out), want) {
			t.Errorf("%s=%s: got %q, want %q", envVar, env, out, want)
		}
	}
}

func TestForcedPathSwitchedOff(t *testing.T) {
	if !slices.Contains(Paths(), AVX2) {
		t.Skip("this processor or build has no avx2 path")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestEnvironment$")
	cmd.Env = append(os.Environ(), envVar+"=avx2", "CPU_TEST_CHILD=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := "err=cpu: GANGLION_CPU=avx2: the path was switched off: wrong sum"
	if !strings.Contains(string(out), want) || strings.Contains(string(out), "best=avx2") {
		t.Errorf("got %q, want %q and another path", out, want)
	}
}

func TestDisable(t *testing.T) {
	reset(t)
	disable(AVX512, "first")
	disable(AVX512, "second")
	disable(AVX2, "third")
	want := []Disabling{{AVX512, "first"}, {AVX2, "third"}}
	if got := Disabled(); !slices.Equal(got, want) {
		t.Errorf("Disabled() = %v, want %v", got, want)
	}
	if got := Paths(); !slices.Equal(got, []Path{Go}) {
		t.Errorf("Paths() = %v after all others were switched off, want [go]", got)
	}
	if got := Best(); got != Go {
		t.Errorf("Best() = %v, want go", got)
	}
}

func TestDisableGoPanics(t *testing.T) {
	for _, p := range []Path{Go, Path(pathCount)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("disable(%v) did not panic", p)
				}
			}()
			disable(p, "")
		}()
	}
}

func TestBestDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { Best() }); n != 0 {
		t.Errorf("Best allocates %v times", n)
	}
}

func TestName(t *testing.T) {
	if Name() == "" || Name() != strings.TrimSpace(Name()) {
		t.Errorf("Name() = %q", Name())
	}
	t.Log(Name(), Paths())
}
