package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// settings is the configuration of the runs in these tests.
type settings struct {
	Epochs int     `yaml:"epochs"`
	LR     float64 `yaml:"lr"`
}

// create makes a run in a new directory.
func create(t *testing.T) *Run {
	t.Helper()
	r, err := Create(filepath.Join(t.TempDir(), "runs", "first"), settings{30, 1e-3}, NewEnv("cpu", 2))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// text returns the content of a file of a run.
func text(t *testing.T, r *Run, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(r.Dir(), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// reopen closes a run and opens it again.
func reopen(t *testing.T, r *Run) *Run {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := Open(r.Dir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// write fails the test if w does not take the text.
func write(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}

func TestRunDirectory(t *testing.T) {
	r := create(t)
	if got, want := text(t, r, "config.yaml"), "epochs: 30\nlr: 0.001\n"; got != want {
		t.Errorf("config.yaml is %q, wanted %q", got, want)
	}
	write(t, r.Metrics(), "{\"step\":1}\n")
	write(t, r.Log(), "hello\n")
	if got := text(t, r, "metrics.jsonl") + text(t, r, "log.txt"); got != "{\"step\":1}\nhello\n" {
		t.Errorf("not on the disk at once: %q", got)
	}
	if _, err := r.Save(stateOf(1, 64), SaveOptions{Best: true}); err != nil {
		t.Fatal(err)
	}
	var c settings
	if err := ReadConfig(r.Dir(), &c); err != nil || c != (settings{30, 1e-3}) {
		t.Errorf("read %+v, %v", c, err)
	}
	e, err := ReadEnv(r.Dir())
	if err != nil || e.Device != "cpu" || e.Threads != 2 || e.Go == "" || e.OS == "" || e.Cores < 1 {
		t.Errorf("read %+v, %v", e, err)
	}
	if d := cmp.Diff(NewEnv("cpu", 2), e); d != "" {
		t.Errorf("environment (-want +got)\n%s", d)
	}
	r = reopen(t, r)
	write(t, r.Log(), "again\n")
	if got := text(t, r, "log.txt"); got != "hello\nagain\n" {
		t.Errorf("log.txt is %q", got)
	}
	if len(r.Warnings) > 0 {
		t.Errorf("warnings %q", r.Warnings)
	}
}

func TestCreateRefuses(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"foreign file":        {"thesis.tex": "x"},
		"hidden foreign file": {".profile": ""},
		"another run":         {"config.yaml": "epochs: 1\n"},
		"metrics":             {"metrics.jsonl": "{}\n"},
		"log":                 {"log.txt": "x"},
		"checkpoints":         {"checkpoints/step-0000000001.safetensors": "x"},
	} {
		dir := t.TempDir()
		for file, content := range files {
			path := filepath.Join(dir, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_, err := Create(dir, settings{}, Env{})
		if err == nil || !strings.Contains(err.Error(), dir) ||
			!strings.Contains(err.Error(), "choose another directory") {
			t.Errorf("%s: error %v", name, err)
		}
		left, err := os.ReadDir(dir)
		if err != nil || len(left) != 1 {
			t.Errorf("%s: something was written: %v, %v", name, left, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{file, filepath.Join(file, "run")} {
		if _, err := Create(out, settings{}, Env{}); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("a file as the directory: %v", err)
		}
	}
	if _, err := Create(t.TempDir(), 3, Env{}); err == nil {
		t.Error("a number was taken for a configuration")
	}
}

func TestCreateAfterAnInterruptedCreate(t *testing.T) {
	r := create(t)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	// The configuration is the last file of Create: without it, everything else may be there in part.
	if err := os.Rename(filepath.Join(r.Dir(), "config.yaml"), filepath.Join(r.Dir(), "config.yaml.tmp")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(r.Dir()); !errors.Is(err, ErrNotRun) {
		t.Errorf("half a run was opened: %v", err)
	}
	again, err := Create(r.Dir(), settings{}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "missing")} {
		if _, err := Open(dir); !errors.Is(err, ErrNotRun) || !strings.Contains(err.Error(), dir) {
			t.Errorf("open: %v", err)
		}
		if err := ReadConfig(dir, new(settings)); !errors.Is(err, ErrNotRun) {
			t.Errorf("configuration: %v", err)
		}
		if _, err := ReadEnv(dir); !errors.Is(err, ErrNotRun) {
			t.Errorf("environment: %v", err)
		}
	}
	r := create(t)
	defer r.Close()
	_, err := Open(r.Dir())
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), r.Dir()+" is in use") {
		t.Errorf("a second writer: %v", err)
	}
}

// metricsUpTo returns the lines of the steps 1 to n.
func metricsUpTo(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "{\"step\":%d,\"train_loss\":0.%d}\n", i, i)
	}
	return b.String()
}

// TestResume stops a run at different places and resumes it: metrics end at the checkpoint's step, without a
// repeated line.
func TestResume(t *testing.T) {
	for name, c := range map[string]struct {
		saved   []int
		metrics string // beyond step 4
		keep    int    // lines after resuming
		warning string
	}{
		"nothing saved":             {nil, metricsUpTo(7), 0, ""},
		"nothing saved or written":  {nil, "", 0, ""},
		"stopped at the checkpoint": {[]int{2, 4}, metricsUpTo(4), 4, ""},
		"stopped after it":          {[]int{2, 4}, metricsUpTo(9), 4, ""},
		"fewer lines than steps":    {[]int{2, 40}, metricsUpTo(9), 9, ""},
		"several lines of a step":   {[]int{2}, metricsUpTo(2) + "{\"step\":2}\n{\"step\":3}\n", 3, ""},
		"torn":                      {[]int{4}, metricsUpTo(4) + "{\"step\":5,\"tr", 4, "torn: 13 bytes"},
		"torn at its first line":    {[]int{4}, "{\"st", 0, "torn: 4 bytes"},
		"whole but for the newline": {[]int{4}, metricsUpTo(3) + "{\"step\":4}", 3, "torn: 10 bytes"},
		"zeros at the end": {[]int{4}, metricsUpTo(3) + strings.Repeat("\x00", 200_000), 3,
			"torn: 200000 bytes"},
		"damaged last line": {[]int{4}, metricsUpTo(3) + "\x00\x00\n", 3,
			"line 4 and what follows is damaged"},
		"damaged beyond the step":    {[]int{2}, metricsUpTo(3) + "{}\n", 2, ""},
		"line without a step at end": {[]int{4}, metricsUpTo(2) + "{\"loss\":1}\n[]\n", 2, "line 3 and what"},
	} {
		r := create(t)
		for _, s := range c.saved {
			if _, err := r.Save(stateOf(s, 64), SaveOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(r.Dir(), MetricsFile), []byte(c.metrics), 0o644); err != nil {
			t.Fatal(err)
		}
		r = reopen(t, r)
		found, err := r.Resume()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(c.saved) == 0 && found.State != nil || len(c.saved) > 0 && found.State.Step != c.saved[len(c.saved)-1] {
			t.Errorf("%s: resumed at %+v", name, found.State)
		}
		if got := strings.Join(r.Warnings, "\n"); !strings.Contains(got, c.warning) || c.warning == "" && got != "" {
			t.Errorf("%s: warnings %q, wanted %q", name, got, c.warning)
		}
		write(t, r.Metrics(), "{\"step\":1000}\n")
		kept := strings.SplitAfter(c.metrics, "\n")[:c.keep]
		if got, want := text(t, r, MetricsFile), strings.Join(kept, "")+"{\"step\":1000}\n"; got != want {
			t.Errorf("%s: metrics are %.200q, wanted %q", name, got, want)
		}
	}
}

func TestResumeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		file, content, want string
	}{
		"damaged line in the middle": {MetricsFile, "{\"step\":1}\n{\"st\n{\"step\":3}\n", "line 2 is damaged, but"},
		"steps out of order":         {MetricsFile, "{\"step\":3}\n{\"step\":2}\n", "line 2: step 2 follows step 3"},
		"line too long":              {MetricsFile, "{" + strings.Repeat(" ", maxLine) + "}\n", "line 1: longer than"},
		"changed configuration":      {ConfigFile, "epochs: 31\nlr: 0.001\n", "config.yaml"},
		"no whole checkpoint":        {"checkpoints/step-0000000004.safetensors", "x", "can be loaded"},
	} {
		r := create(t)
		if _, err := r.Save(stateOf(4, 64), SaveOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(r.Dir(), c.file), []byte(c.content), 0o644); err != nil {
			t.Fatal(err)
		}
		r = reopen(t, r)
		_, err := r.Resume()
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), r.Dir()) {
			t.Errorf("%s: error %v", name, err)
		}
		if got := text(t, r, c.file); got != c.content {
			t.Errorf("%s: the file was changed to %q", name, got)
		}
	}
}

func TestMetricsTakeWholeLines(t *testing.T) {
	r := create(t)
	defer r.Close()
	for _, s := range []string{"", "{\"step\":1}", "{\"step\":1}\n{"} {
		if _, err := io.WriteString(r.Metrics(), s); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
	if got := text(t, r, MetricsFile); got != "" {
		t.Errorf("metrics are %q", got)
	}
}
