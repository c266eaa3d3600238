//go:build unix

package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ganglion/internal/philox"
)

var full = flag.Bool("full", false, "run the long tests too")

// long is a run of some tenths of a second that saves every few steps and uses all kinds of state.
func long(dir string) []string {
	return []string{
		"train",
		"module/nm",
		"--data",
		"gas",
		"--epochs",
		"5",
		"--batch",
		"128",
		"--out",
		dir,
		"--quiet",
		"--threads",
		"2",
		"--set",
		"nodes=40",
		"--set",
		"keep=0.08",
		"--set",
		"warm=true",
		"--set",
		"restructure_every=3",
		"--set",
		"save_steps=5",
	}
}

var seconds = regexp.MustCompile(`"seconds":[^,]*,`)

// kept is what a run leaves behind that must not depend on interruptions.
func kept(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	names, err := filepath.Glob(filepath.Join(dir, "checkpoints", "*"))
	if err != nil || len(names) < 3 {
		t.Fatalf("checkpoints %q, %v", names, err)
	}
	for _, name := range append(names, filepath.Join(dir, "metrics.jsonl"), filepath.Join(dir, "data.json"),
		filepath.Join(dir, "config.yaml")) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "metrics.jsonl") {
			b = seconds.ReplaceAll(b, nil)
		}
		out[filepath.Base(name)] = b
	}
	return out
}

func same(t *testing.T, what string, want, got map[string][]byte) {
	t.Helper()
	if len(want) != len(got) {
		t.Errorf("%s: %d files, wanted %d", what, len(got), len(want))
	}
	for name, b := range want {
		if !bytes.Equal(b, got[name]) {
			t.Errorf("%s: %s differs: %d bytes, wanted %d", what, name, len(got[name]), len(b))
		}
	}
}

// newest is the step of a run's newest checkpoint, -1 while there is none.
func newest(dir string) int {
	step := -1
	names, _ := filepath.Glob(filepath.Join(dir, "checkpoints", "*"))
	for _, name := range names {
		digits := strings.Trim(filepath.Base(name), "abcdefghijklmnopqrstuvwxyz.-_")
		if n, err := strconv.Atoi(digits); err == nil {
			step = max(step, n)
		}
	}
	return step
}

// TestKill kills runs at random moments, each several times, and resumes them: what they leave is byte for byte what a
// run leaves that was let alone.
func TestKill(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "run")
	if out, err := command(t, long(whole)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, last := kept(t, whole), newest(whole)
	runs := 3
	if *full {
		runs = 50
	}
	random := philox.New(1, 7, 0)
	kills := 0
	for range runs {
		dir := filepath.Join(t.TempDir(), "run")
		args := long(dir)
		for at := 0; at < last; {
			at += int(random.Uint32() % uint32(last/2))
			pause := time.Duration(random.Uint32()%4000) * time.Microsecond
			if !killAt(t, dir, args, at, pause) {
				break
			}
			kills++
			args = []string{"train", "--resume", dir, "--quiet"}
		}
		if newest(dir) != last || !exists(filepath.Join(dir, "result.json")) {
			must(t, args...)
		}
		same(t, "killed", want, kept(t, dir))
	}
	if last != 160 || kills < 2*runs {
		t.Errorf("%d steps, %d kills of %d runs", last, kills, runs)
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// killAt runs the command and kills it some time after the checkpoint of a step was seen, or lets it end. It reports
// whether it did kill.
func killAt(t *testing.T, dir string, args []string, step int, pause time.Duration) bool {
	t.Helper()
	c := command(t, args...)
	var log bytes.Buffer
	c.Stderr = &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("%q: %v\n%s", args, err, log.String())
			}
			return false
		case <-time.After(time.Millisecond):
		}
		if newest(dir) >= step {
			time.Sleep(pause)
			if err := c.Process.Kill(); err != nil {
				continue // it has ended
			}
			return <-ended != nil
		}
	}
}

// TestSignals: the step under way is finished, the run saved, and the exit code asks for it to be taken up again.
func TestSignals(t *testing.T) {
	const more = "20" // epochs: the run must outlast a command that is refused because of it
	whole := filepath.Join(t.TempDir(), "run")
	must(t, append(long(whole), "--epochs", more)...)
	want := kept(t, whole)
	for _, s := range []os.Signal{syscall.SIGTERM, syscall.SIGUSR1, os.Interrupt} {
		dir := filepath.Join(t.TempDir(), "run")
		c := command(t, append(long(dir), "--epochs", more)...)
		var log bytes.Buffer
		c.Stderr = &log
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for i := 0; ; i++ { // the first checkpoint says that training is under way
			if found, _ := filepath.Glob(filepath.Join(dir, "checkpoints", "*")); len(found) > 0 || i > 1000 {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		if s == os.Interrupt { // while it runs, nobody else may write to it
			if o := do(t, "train", "--resume", dir); o.code != exitFailed ||
				!strings.Contains(o.log, "in use by another process") {
				t.Errorf("a second writer: %+v", o)
			}
		}
		if err := c.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		err := c.Wait()
		if c.ProcessState.ExitCode() != exitInterrupted || !strings.Contains(log.String(), "--resume "+dir) {
			t.Fatalf("%v: %v\n%s", s, err, log.String())
		}
		if o := do(t, "inspect", dir, "--json"); o.code != exitOK || !strings.Contains(o.log, "has not ended") {
			t.Errorf("inspecting an unfinished run: %+v", o)
		}
		must(t, "train", "--resume", dir, "--quiet", "--threads", "1")
		same(t, s.String(), want, kept(t, dir))
	}
}
