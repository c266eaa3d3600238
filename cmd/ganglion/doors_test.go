package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ganglion/models/run"
)

// TestCheck: the checks of one model, and the list with the agreed keys.
func TestCheck(t *testing.T) {
	var list []run.CheckResult
	strict(t, must(t, "check", "module/mlp", "--json").out, &list)
	if len(list) != 2 || !list[0].OK || list[0].Model != "module/mlp" || list[0].Measured == "" ||
		list[0].Required == "" {
		t.Errorf("checks %+v", list)
	}
	var plain []map[string]any
	strict(t, must(t, "check", "--all", "--json").out, &plain)
	models := map[any]bool{}
	for _, c := range plain {
		models[c["model"]] = true
		if len(c) != 7 || c["claim"] == "" || c["ok"] != true || !(c["seconds"].(float64) >= 0) {
			t.Errorf("check %v", c)
		}
	}
	if len(models) < 3 {
		t.Errorf("checks of %v", models)
	}
	if text := must(t, "check", "module/deq").out; !strings.Contains(text, "ok") ||
		!strings.Contains(text, "required: at most") {
		t.Errorf("check prints\n%s", text)
	}
	refused(t, []string{"check"}, exitUsage, "--all")
	refused(t, []string{"check", "--all", "module/nm"}, exitUsage, "both")
	refused(t, []string{"check", "module/nx"}, exitUsage, "did you mean")
	refused(t, []string{"check", "--all", "--tier", "slow"}, exitUsage, "fast, full")
}

// TestTrace: a trace holds every op of the first steps and the parts of the run, and spans lie within what they are
// part of.
func TestTrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace.json")
	args, _ := small(t, "--trace", path, "--quiet", "--json")
	traced := must(t, args...)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		TraceEvents []struct {
			Name, Cat, Ph string
			Ts, Dur       float64
			Pid, Tid      int
			Args          map[string]string
		}
		DisplayTimeUnit string
	}
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	counts, ops := map[string]int{}, map[string]bool{}
	for _, e := range f.TraceEvents {
		if e.Ph != "X" || e.Dur < 0 || e.Ts < 0 || e.Pid != 1 || e.Tid != 1 {
			t.Errorf("event %+v", e)
		}
		counts[e.Name]++
		if e.Cat == "op" {
			ops[e.Name+" "+e.Args["path"]] = true
		}
	}
	if counts["step"] != 4 || counts["epoch"] != 2 || counts["validation"] != 2 || counts["save"] < 1 || len(ops) < 8 {
		t.Errorf("spans %v, ops %v", counts, ops)
	}
	args, _ = small(t, "--quiet", "--json")
	var a, b run.Result
	strict(t, traced.out, &a)
	strict(t, must(t, args...).out, &b)
	if a.Loss != b.Loss {
		t.Errorf("tracing changes the run: %+v, %+v", a.Loss, b.Loss)
	}
	args, _ = small(t, "--trace", "/none/such/trace.json")
	refused(t, args, exitFailed, "/none/such/trace.json")
}

// TestMetrics scrapes a run that goes on, and finds the door closed to other paths and methods.
func TestMetrics(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	c := command(
		t,
		"train",
		"--data",
		"gas",
		"--epochs",
		"10000",
		"--set",
		"nodes=40",
		"--set",
		"keep=0.1",
		"--metrics-addr",
		":0",
		"--out",
		dir,
	)
	log, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	}()
	var seen strings.Builder
	address := regexp.MustCompile(`metrics: (http://127\.0\.0\.1:\d+/metrics)\n`)
	buffer := make([]byte, 4096)
	for address.FindStringSubmatch(seen.String()) == nil {
		n, err := log.Read(buffer)
		seen.Write(buffer[:n])
		if err != nil {
			t.Fatalf("%v: no address in %s", err, seen.String())
		}
	}
	go func() { _, _ = io.Copy(io.Discard, log) }()
	url := address.FindStringSubmatch(seen.String())[1]
	var text string
	for range 200 {
		r, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != http.StatusOK ||
			!strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain; version=0.0.4") {
			t.Fatalf("%v, %s", err, r.Status)
		}
		if text = string(body); strings.Contains(text, "ganglion_largest_module") {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	for _, name := range strings.Fields("step epoch step_loss train_loss valid_loss valid_metric learning_rate " +
		"solver_iterations solver_residual modules largest_module") {
		if !regexp.MustCompile(`(?m)^# HELP ganglion_` + name + ` .+\n# TYPE ganglion_` + name + ` gauge\nganglion_` +
			name + ` [-+0-9.eInf]+$`).
			MatchString(text) {
			t.Errorf("no %s in\n%s", name, text)
		}
	}
	for method, u := range map[string]string{"GET": strings.TrimSuffix(url, "metrics") + "other", "POST": url} {
		req, err := http.NewRequest(method, u, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode < 400 {
			t.Errorf("%s %s: %s", method, u, r.Status)
		}
	}
	args, _ := small(t, "--metrics-addr", "here")
	refused(t, args, exitUsage, "HOST:PORT")
}

// TestCompletion: the scripts are sound, and the command answers what may follow.
func TestCompletion(t *testing.T) {
	for shell, words := range map[string]string{"bash": "complete ", "zsh": "#compdef ganglion",
		"fish": "complete -c ganglion"} {
		script := must(t, "completion", shell).out
		if !strings.Contains(script, words) {
			t.Errorf("%s: %q is not in\n%s", shell, words, script)
		}
		path, err := exec.LookPath(shell)
		if err != nil {
			continue // this shell is not here
		}
		c := exec.Command(path, "-n")
		c.Stdin = strings.NewReader(script)
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", shell, err, out)
		}
	}
	for line, word := range map[string]string{"": "train", "train --ep": "--epochs", "data": "show"} {
		args := append(strings.Fields(line), completing)
		out, err := command(t, args...).Output()
		if err != nil || !strings.Contains(string(out), word) {
			t.Errorf("%q: %v, %q is not among %q", line, err, word, out)
		}
	}
	refused(t, []string{"completion", "csh"}, exitUsage, "bash, zsh, fish")
}
