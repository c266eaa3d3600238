package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"ganglion/models/run"
)

// inProcess runs a command line as a process of its own, whose memory is its own.
func inProcess(t *testing.T, args ...string) outcome {
	t.Helper()
	c := command(t, args...)
	var out, log strings.Builder
	c.Stdout, c.Stderr = &out, &log
	var exit *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{c.ProcessState.ExitCode(), out.String(), log.String()}
}

// trained runs a command line that trains, as a process, and returns its result.
func trained(t *testing.T, args ...string) run.Result {
	t.Helper()
	o := inProcess(t, append([]string{"train", "--quiet", "--json", "--out", filepath.Join(t.TempDir(), "run")},
		args...)...)
	var r run.Result
	if o.code != exitOK {
		t.Fatalf("%q: exit code %d\n%s", args, o.code, o.log)
	}
	strict(t, o.out, &r)
	return r
}

// What a run takes is foretold within a tenth.
func TestMemoryIsForetold(t *testing.T) {
	if runtime.GOOS != "linux" || testing.Short() {
		t.Skip("many processes, and only Linux tells what they held at most")
	}
	for _, args := range []string{
		"module/nm --epochs 1",
		"module/nm --epochs 1 --batch 8",
		"module/nm --epochs 1 --batch 1024 --set nodes=200",
		"module/nm --epochs 1 --batch 1024 --set nodes=200 --set solver=newton",
		"module/nm --epochs 1 --batch 1000 --set nodes=250 --dtype f64",
		"module/nm --epochs 1 --batch 1000 --set nodes=400",
		"module/deq --epochs 1",
		"module/deq --epochs 1 --batch 2000 --set nodes=200",
		"module/deq --epochs 1 --batch 1000 --set nodes=250 --dtype f64",
		"module/mlp --epochs 1",
		"module/mlp --data iris --epochs 3",
		"module/mlp --epochs 1 --batch 512 --set hidden=1024",
		"module/mlp --epochs 1 --batch 4096 --set hidden=1024",
		"module/mlp --epochs 1 --batch 4000 --dtype f64 --set hidden=400",
	} {
		r := trained(t, strings.Fields(args)...)
		off := float64(r.Extra.Predicted)/float64(r.PeakBytes) - 1
		t.Logf("%-70s foretold %6.1f MiB, was %6.1f MiB: %+.1f %%", args, float64(r.Extra.Predicted)/(1<<20),
			float64(r.PeakBytes)/(1<<20), 100*off)
		if off < -0.1 || off > 0.1 {
			t.Errorf("%s: %d bytes foretold, %d taken", args, r.Extra.Predicted, r.PeakBytes)
		}
	}
}

// A run that would take more than the budget is refused before its first step, and what the message offers works.
func TestMemoryBudget(t *testing.T) {
	if runtime.GOOS != "linux" || testing.Short() {
		t.Skip("many processes, and only Linux tells what they held at most")
	}
	dir := filepath.Join(t.TempDir(), "run")
	const budget = 70
	args := []string{
		"train",
		"module/mlp",
		"--set",
		"hidden=700",
		"--epochs",
		"1",
		"--memory-budget",
		"70MiB",
		"--quiet",
		"--json",
		"--out",
		dir,
		"--batch",
	}
	o := inProcess(t, append(args, "8000")...)
	found := regexp.MustCompile(`--batch (\d+), the largest that fits`).FindStringSubmatch(o.log)
	if o.code != exitMemory || o.out != "" || found == nil || !strings.Contains(o.log, "the budget is 70MiB") {
		t.Fatalf("exit code %d\n%s%s", o.code, o.out, o.log)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s was made for a run that was refused", dir)
	}
	o = inProcess(t, append(args, found[1])...)
	var r run.Result
	if o.code != exitOK {
		t.Fatalf("--batch %s: exit code %d\n%s", found[1], o.code, o.log)
	}
	strict(t, o.out, &r)
	if r.PeakBytes > budget<<20*11/10 {
		t.Errorf("--batch %s took %d bytes within a budget of %d MiB", found[1], r.PeakBytes, budget)
	}
	for _, c := range []struct {
		line, want string
	}{
		{"train module/mlp --set hidden=100000000 --memory-budget 1GB --out " + dir, "the model is too large"},
		{"train module/mlp --set hidden=1000000000 --out " + dir, "the model is too large"},
		{"train module/mlp --memory-budget 10MiB --out " + dir, "no mini-batch fits"},
		{"plan module/mlp --memory-budget 10MiB", "no mini-batch fits"},
		{"plan module/mlp --dtype f64 --batch 8000 --set hidden=700 --memory-budget 60MiB", "--dtype f32"},
		{"eval " + r.Run + " --memory-budget 10MiB", "would take"},
		{"predict " + r.Run + " --input x --memory-budget 0", "size \"0\""},
	} {
		o := inProcess(t, strings.Fields(c.line)...)
		want := exitMemory
		if strings.HasPrefix(c.line, "predict") {
			want = exitUsage
		}
		if o.code != want || !strings.Contains(o.log, c.want) || strings.Contains(o.log, "goroutine") {
			t.Errorf("%s: exit code %d, want %d and %q\n%s", c.line, o.code, want, c.want, o.log)
		}
	}
	for _, line := range []string{"eval " + r.Run, "eval " + r.Run + " --memory-budget 1GiB"} {
		if o := inProcess(t, strings.Fields(line)...); o.code != exitOK {
			t.Errorf("%s: exit code %d\n%s", line, o.code, o.log)
		}
	}
}

// Every registered model has a plan, as a table and as one object, and no run directory is made for it.
func TestPlan(t *testing.T) {
	for _, m := range run.Models() {
		d, err := run.DescribeModel(m.ID)
		if err != nil {
			t.Fatal(err)
		}
		data, batch := d.Data[0], 16
		if data == "cora" {
			batch = 140 // all training nodes of the one graph
		}
		var p run.Plan
		strict(t, must(t, "plan", m.ID, "--data", data, "--batch", "16", "--json").out, &p)
		if p.Command != "plan" || p.Model != m.ID || p.Data != data || p.Batch != batch || p.Parameters == 0 ||
			len(p.Programs) != 2 || p.Memory.Peak < p.Memory.Resident+p.Memory.Pending() || p.Fallbacks == nil {
			t.Errorf("%s: %+v", m.ID, p)
		}
		text := must(t, "plan", m.ID, "--data", data, "--batch", "16").out
		for _, g := range p.Programs {
			size, flops := 0, 0.0
			for i, s := range g.Steps {
				if s.Index != i || s.Op == "" || s.Kernel == "" || s.Out == "" || s.Device != "cpu" {
					t.Errorf("%s: %s: step %+v", m.ID, g.Name, s)
				}
				size, flops = size+s.Bytes, flops+s.Flops
			}
			if len(g.Steps) == 0 || size != g.Bytes || flops != g.Flops || g.Live > g.Arena || g.Arena == 0 ||
				flops == 0 {
				t.Errorf("%s: %s: %d steps, %d bytes, %v flops: %+v", m.ID, g.Name, len(g.Steps), size, flops, g)
			}
		}
		for _, want := range []string{"OP", "KERNEL", "REASON", "predicted peak", "optimiser and other states", m.ID} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", m.ID, want, text)
			}
		}
	}
	var plain map[string]json.RawMessage
	strict(t, must(t, "plan", "--data", "iris", "--set", "nodes=20", "--json").out, &plain)
	if string(plain["model"]) != `"`+flagship+`"` {
		t.Errorf("plan without a model is about %s", plain["model"])
	}
}
