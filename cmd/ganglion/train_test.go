package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ganglion/cuda/driver"
	"ganglion/models/run"
)

// keys are those of the object that ganglion train --json ends with.
var keys = strings.Fields(
	`command model data device dtype seed epochs steps seconds seconds_per_epoch parameters peak_bytes loss metric
	extra fallbacks run`,
)

// checkResult decodes the last line of a run's output and checks the object.
func checkResult(t *testing.T, text, dir string) run.Result {
	t.Helper()
	var r run.Result
	strict(t, text, &r)
	var plain map[string]json.RawMessage
	strict(t, text, &plain)
	if got, want := slices.Sorted(maps.Keys(plain)), slices.Sorted(slices.Values(keys)); !slices.Equal(got, want) {
		t.Errorf("keys %q, wanted %q", got, want)
	}
	for key, want := range map[string][]string{"loss": {"test", "train", "valid"},
		"metric": {"name", "test", "train", "valid"}} {
		var part map[string]any
		if err := json.Unmarshal(plain[key], &part); err != nil {
			t.Fatal(err)
		}
		if got := slices.Sorted(maps.Keys(part)); !slices.Equal(got, want) {
			t.Errorf("%s has the keys %q, wanted %q", key, got, want)
		}
	}
	if r.Command != "train" || r.Device != "cpu" || r.DType != "f32" || r.Run != dir || r.Steps == 0 ||
		r.Parameters == 0 ||
		r.PeakBytes < 4*r.Parameters || r.Metric.Name != "accuracy" || r.Fallbacks == nil ||
		!(r.Seconds > 0) {
		t.Errorf("result %+v", r)
	}
	return r
}

// TestTrainFlagship: without a model Neural Modules are trained; the run ends with a table that has what users look
// for.
func TestTrainFlagship(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	o := must(t, "train", "--data", "wine", "--epochs", "3", "--set", "nodes=40", "--json", "--out", dir)
	r := checkResult(t, o.out, dir)
	if r.Model != "module/nm" || r.Data != "wine" || r.Epochs != 3 || r.Extra.Modules == nil ||
		r.Extra.Baseline == nil {
		t.Errorf("result %+v", r)
	}
	for _, w := range []string{"MODEL", "PARAMETERS", "ACCURACY TRAIN", "VALID", "TEST", "module/nm", "module/mlp",
		"structure", "40 nodes",
		"cyclic modules", "before training", "solver", "iterations on average", "worst residual", "seconds an epoch",
		"run", dir} {
		if !strings.Contains(o.out, w) {
			t.Errorf("%q is not in the table\n%s", w, o.out)
		}
	}
	if n, b := r.Parameters, r.Extra.Baseline.Parameters; 20*max(n-b, b-n) > n {
		t.Errorf("%d parameters are compared with a baseline of %d", n, b)
	}
	device := "device: cpu"
	if driver.Built {
		device = "using the CPU"
	}
	for _, w := range []string{device, "178 rows", "epoch 3/3", "training module/mlp"} {
		if !strings.Contains(o.log, w) {
			t.Errorf("%q is not in the log\n%s", w, o.log)
		}
	}
	if strings.ContainsAny(o.log, "\r\x1b") {
		t.Errorf("the log, which is no terminal, holds control characters: %q", o.log)
	}
	for _, name := range []string{"config.yaml", "env.json", "metrics.jsonl", "log.txt", "data.json", "result.json",
		"adjacency.png",
		"adjacency.svg", "modules.png", "modules.svg", "modules.dot", "checkpoints/best.safetensors"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 && name != "log.txt" {
			t.Errorf("%s: %v", name, err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	var kept run.Result
	if err := json.Unmarshal(text, &kept); err != nil || kept.Metric != r.Metric {
		t.Errorf("result.json: %v, %+v", err, kept.Metric)
	}
}

// TestTrainProcess runs the command as a process of its own: with --quiet --json one line is all that comes out.
func TestTrainProcess(t *testing.T) {
	args, dir := small(t, "--quiet", "--json")
	c := command(t, args...)
	var log strings.Builder
	c.Stderr = &log
	out, err := c.Output()
	if err != nil || log.Len() > 0 {
		t.Fatalf("%v\n%s", err, log.String())
	}
	if n := strings.Count(string(out), "\n"); n != 1 {
		t.Errorf("%d lines on standard output:\n%s", n, out)
	}
	checkResult(t, string(out), dir)
	c = command(t, "train", "--epochs", "many")
	err = c.Run()
	if c.ProcessState.ExitCode() != exitUsage {
		t.Errorf("a bad flag ends the process with %v", err)
	}
}

// TestPrecedence: defaults, then the file, then flags, then --set.
func TestPrecedence(t *testing.T) {
	conf := file(
		t,
		"c.yaml",
		"model: module/mlp\ndata:\n  source: wine\ntrain:\n  epochs: 3\n  batch: 20\n  lr: 0.01\nnet:\n  hidden: 5\n",
	)
	dir := filepath.Join(t.TempDir(), "run")
	must(
		t,
		"train",
		"--config",
		conf,
		"--set",
		"train.batch=30",
		"--set",
		"depth=1",
		"--batch",
		"25",
		"--epochs",
		"1",
		"--out",
		dir,
	)
	cfg, err := run.LoadRun(dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := cfg.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []string{"model: module/mlp", "source: wine", "epochs: 1\n", "batch: 30\n", "lr: 0.01\n",
		"hidden: 5\n", "depth: 1\n",
		"optimiser: adam\n"} {
		if !strings.Contains(string(text), w) {
			t.Errorf("%q is not in\n%s", w, text)
		}
	}
	if o := do(t, "train", "module/nm", "--config", conf); o.code != exitUsage ||
		!strings.Contains(o.log, "is about module/mlp") {
		t.Errorf("a model beside a file of another: %+v", o)
	}
}

// TestFlagOrder: flags may stand on either side of the arguments, and a value may look like a flag.
func TestFlagOrder(t *testing.T) {
	data := file(t, "t.csv", table())
	args := []string{"module/mlp", "--data", data, "--epochs", "1", "--target=-1", "--quiet", "--json"}
	var first run.Result
	for i := range args {
		if strings.HasPrefix(args[i], "-") && !strings.Contains(args[i], "=") && i+1 < len(args) &&
			!strings.HasPrefix(args[i+1], "-") {
			continue // a flag is not torn from its value
		}
		order := slices.Concat([]string{"train", "--out", filepath.Join(t.TempDir(), "run")}, args[i+1:], args[:i+1])
		var r run.Result
		strict(t, must(t, order...).out, &r)
		if i == 0 {
			first = r
		} else if r.Loss != first.Loss {
			t.Errorf("%q gives another run", order)
		}
	}
	must(
		t,
		"train",
		"--data",
		data,
		"--target",
		"-1",
		"--epochs",
		"1",
		"--out",
		filepath.Join(t.TempDir(), "run"),
		"--",
		"module/mlp",
	)
}
