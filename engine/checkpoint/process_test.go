//go:build linux

package checkpoint

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The environment variable that makes this test binary one of the programs below, on the run directory in the second.
const (
	programVar = "CHECKPOINT_TEST_PROGRAM"
	dirVar     = "CHECKPOINT_TEST_DIR"
)

const processState = 1 << 18 // bytes of the states that other processes save

func TestMain(m *testing.M) {
	programs := map[string]func(dir string) error{"saver": saver, "opener": opener, "limited": limited}
	f := programs[os.Getenv(programVar)]
	if f == nil {
		os.Exit(m.Run())
	}
	if err := f(os.Getenv(dirVar)); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// program starts this test binary as another process.
func program(t *testing.T, name, dir string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe)
	c.Env = append(os.Environ(), programVar+"="+name, dirVar+"="+dir)
	return c
}

// saver resumes the run and saves a checkpoint at every step, telling each that is saved, until it is killed.
func saver(dir string) error {
	r, err := Open(dir)
	if err != nil {
		return err
	}
	found, err := r.Resume()
	if err != nil {
		return err
	}
	step := 0
	if found.State != nil {
		step = found.State.Step
	}
	for {
		step++
		if _, err := fmt.Fprintf(r.Metrics(), "{\"step\":%d}\n", step); err != nil {
			return err
		}
		s := stateOf(step, processState)
		if _, err := r.Save(s, SaveOptions{Best: step%3 == 0}); err != nil {
			return err
		}
		fmt.Println(step)
	}
}

// TestKillDuringSave kills a process at random times while it saves. The newest checkpoint it told of, or a later
// one, must load.
func TestKillDuringSave(t *testing.T) {
	r := create(t)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(5, 5))
	told, kills, unfinished, most := 0, 0, 0, 100
	if testing.Short() {
		most = 30
	}
	for start := time.Now(); kills < most && time.Since(start) < 5*time.Second; kills++ {
		told = max(told, saveAndKill(t, r.Dir(), time.Duration(random.IntN(20_000))*time.Microsecond))
		left, err := filepath.Glob(filepath.Join(r.Dir(), "checkpoints", "*"+tempSuffix))
		if err != nil {
			t.Fatal(err)
		}
		unfinished += len(left)
		found, err := Latest(r.Dir())
		if err != nil {
			t.Fatalf("after kill %d: %v", kills, err)
		}
		if found.State.Step < told || len(found.Skipped) > 0 {
			t.Fatalf("after kill %d: step %d, but %d was told; skipped %v", kills, found.State.Step, told,
				found.Skipped)
		}
		hash := found.State.ConfigHash
		if found.State.ConfigHash = "c0ffee"; hash == "c0ffee" {
			t.Fatal("the run did not put its own hash into the checkpoint")
		}
		if err := sameState(found.State, processState); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d kills in %d steps, %d of them within a write", kills, told, unfinished)
	if kills < 10 || unfinished == 0 {
		t.Errorf("%d kills, %d within a write: too few to tell", kills, unfinished)
	}
	checkMetrics(t, r.Dir())
}

// saveAndKill runs the saver until it has told a step and then for the given time. It returns the last step that
// was told.
func saveAndKill(t *testing.T, dir string, after time.Duration) int {
	t.Helper()
	c := program(t, "saver", dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	told := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, err := fmt.Sscan(lines.Text(), &told); err != nil {
			t.Fatalf("the saver says: %s", lines.Text())
		}
		if after >= 0 {
			time.Sleep(after)
			if err := c.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			after = -1
		}
	}
	_ = c.Wait() // it was killed
	return told
}

// checkMetrics resumes the run and checks that the metrics have every step up to the checkpoint once.
func checkMetrics(t *testing.T, dir string) {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	found, err := r.Resume()
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSuffix(text(t, r, MetricsFile), "\n"), "\n") {
		if line != fmt.Sprintf("{\"step\":%d}", i+1) || i >= found.State.Step {
			t.Fatalf("line %d of the metrics is %q, the checkpoint is of step %d", i+1, line, found.State.Step)
		}
	}
}

// opener opens the run for writing and holds it for a moment.
func opener(dir string) error {
	r, err := Open(dir)
	if err != nil {
		return err
	}
	time.Sleep(20 * time.Millisecond)
	return r.Close()
}

// TestTwoWriters has other processes open a run that is open here, and two at a time one that is not.
func TestTwoWriters(t *testing.T) {
	r := create(t)
	for i := range 20 {
		before := text(t, r, MetricsFile)
		out, err := program(t, "opener", r.Dir()).Output()
		if err == nil || !strings.Contains(string(out), ErrLocked.Error()) || !strings.Contains(string(out), r.Dir()) {
			t.Fatalf("process %d: %s, %v", i, out, err)
		}
		if text(t, r, MetricsFile) != before {
			t.Fatal("a refused process wrote")
		}
		write(t, r.Metrics(), fmt.Sprintf("{\"step\":%d}\n", i))
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := program(t, "opener", r.Dir()).Output(); err != nil {
		t.Fatalf("after the writer closed: %s, %v", out, err)
	}
	kill := program(t, "saver", r.Dir())
	if err := kill.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	if err := kill.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = kill.Wait()
	if out, err := program(t, "opener", r.Dir()).Output(); err != nil {
		t.Fatalf("after the writer was killed: %s, %v", out, err)
	}
}

// limited saves under a limit on the size of files that rises by 4 KiB from nothing to beyond what is needed, which
// makes the kernel cut writes short as a full disk does, and checks what is left each time.
func limited(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	const n = 200_000
	r, err := Open(dir)
	if err != nil {
		return err
	}
	if _, err := r.Save(stateOf(1, n), SaveOptions{Best: true}); err != nil {
		return err
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	last, failed := 1, 0
	for p := range 64 {
		limit.Cur = uint64(p * 4096)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			return err
		}
		line := fmt.Sprintf("{\"step\":%d,\"x\":\"%s\"}\n", p, strings.Repeat("x", 3000))
		if _, err := r.Metrics().Write([]byte(line)); err != nil && !errors.Is(err, syscall.EFBIG) {
			return fmt.Errorf("metrics under %d bytes: %w", limit.Cur, err)
		}
		_, err := r.Save(stateOf(p+2, n), SaveOptions{Best: true})
		if err == nil {
			last = p + 2
		} else if failed++; !errors.Is(err, syscall.EFBIG) {
			return fmt.Errorf("save under %d bytes: %w", limit.Cur, err)
		}
		found, err := Latest(dir)
		if err != nil || found.State.Step != last || len(found.Skipped) > 0 {
			return fmt.Errorf("under %d bytes: %+v instead of step %d: %w", limit.Cur, found, last, err)
		}
		if _, err := LoadBest(dir); err != nil {
			return err
		}
	}
	if failed < 16 || failed > 60 {
		return fmt.Errorf("%d of 64 saves failed", failed)
	}
	if warning, err := r.metrics.rewind(64); err != nil || warning != "" {
		return fmt.Errorf("the metrics have a torn line: %s %w", warning, err)
	}
	return nil
}

func TestFileSizeLimit(t *testing.T) {
	r := create(t)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := program(t, "limited", r.Dir()).Output(); err != nil {
		t.Fatalf("%s %v", out, err)
	}
	left, err := filepath.Glob(filepath.Join(r.Dir(), "checkpoints", "*"+tempSuffix))
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
