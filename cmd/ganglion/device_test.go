package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"ganglion/cuda/driver"
	"ganglion/models/run"
)

// library is the emulated driver of a process that acts as the command. Without it the test is skipped, or fails with
// GANGLION_REQUIRE_EMU=1.
func library(t *testing.T) string {
	t.Helper()
	path := os.Getenv(givenLibrary)
	if path == "" {
		path = filepath.Join("..", "..", "bin", "libcuemu.so")
	}
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if !driver.Built {
		err = errors.New("this program was built without GPU code")
	}
	if err == nil {
		return path
	}
	if driver.Built && os.Getenv("GANGLION_REQUIRE_EMU") == "1" {
		t.Fatalf("GANGLION_REQUIRE_EMU is set, run make emu: %v", err)
	}
	t.Skipf("needs the tag gpu and the emulated driver (make emu): %v", err)
	return ""
}

// patience is how long a command of these tests may take at most: one that hangs is an error.
const patience = 2 * time.Minute

// onDevice runs the command as a process with more environment variables, such as the driver's library.
func onDevice(t *testing.T, env []string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	plain := command(t, args...)
	c := exec.CommandContext(ctx, plain.Path, args...)
	c.Env = append(plain.Env, env...)
	var out, log bytes.Buffer
	c.Stdout, c.Stderr = &out, &log
	err := c.Run()
	if ctx.Err() != nil {
		t.Fatalf("%q with %q hangs\n%s", args, env, log.String())
	}
	o := outcome{c.ProcessState.ExitCode(), out.String(), log.String()}
	if (err == nil) != (o.code == exitOK) {
		t.Fatalf("%q: %v", args, err)
	}
	orderly(t, args, o)
	return o
}

// stepwise are flags of a run with one step an epoch, so that the metrics hold the loss of every step.
func stepwise(model, dir, device string, more ...string) []string {
	return append([]string{"train", model, "--data", "iris", "--batch", "128", "--epochs", "20", "--quiet", "--json",
		"--device", device, "--out", dir}, more...)
}

// metrics reads the losses of a run's epochs: of training and of validation.
func metrics(t *testing.T, dir string) (losses [][2]float64) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var m struct {
			Train float64 `json:"train_loss"`
			Valid float64 `json:"valid_loss"`
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		losses = append(losses, [2]float64{m.Train, m.Valid})
	}
	return losses
}

// sameLosses compares two runs step by step, to 1e-5.
func sameLosses(t *testing.T, what, got, want string) {
	t.Helper()
	a, b := metrics(t, got), metrics(t, want)
	if len(a) != len(b) || len(a) == 0 {
		t.Fatalf("%s: %d steps, wanted %d", what, len(a), len(b))
	}
	for i := range a {
		for k := range a[i] {
			if !(math.Abs(a[i][k]-b[i][k]) <= 1e-5*max(1, math.Abs(b[i][k]))) {
				t.Fatalf("%s: step %d: losses %v, on the processor %v", what, i+1, a[i], b[i])
			}
		}
	}
}

// TestDeviceTrain: the command trains on the device as on the processor, names it, and evaluates, predicts and plans
// there.
func TestDeviceTrain(t *testing.T) {
	env := []string{"GANGLION_LIBCUDA=" + library(t)}
	for _, c := range [][]string{
		{"module/nm", "--set", "nodes=12", "--set", "keep=0.3"},
		{"module/mlp"},
		{"baseline/lenet", "--set", "shape=1x2x2", "--set", "channels=4"},
		{"baseline/gru", "--set", "shape=1x4", "--set", "hidden=8"},
	} {
		t.Run(c[0], func(t *testing.T) {
			host, dev, eager := filepath.Join(t.TempDir(), "host"), filepath.Join(t.TempDir(), "dev"),
				filepath.Join(t.TempDir(), "eager")
			var want, got run.Result
			strict(t, must(t, stepwise(c[0], host, "cpu", c[1:]...)...).out, &want)
			for dir, more := range map[string][]string{dev: nil, eager: {"--eager"}} {
				o := onDevice(t, env, append(stepwise(c[0], dir, "cuda", c[1:]...), more...)...)
				if o.code != exitOK {
					t.Fatalf("%q: exit code %d\n%s", more, o.code, o.log)
				}
				strict(t, o.out, &got)
				sameLosses(t, c[0], dir, host)
				if got.Device != "cuda:0 (emulated)" || want.Device != "cpu" || len(got.Fallbacks) > 0 ||
					got.Steps != 20 || !reflect.DeepEqual(got.Extra.Modules, want.Extra.Modules) {
					t.Errorf("%q: %+v, on the processor %+v", more, got, want)
				}
			}
			deviceDoors(t, env, dev, host)
		})
	}
}

// TestDeviceSeeds: in whatever order streams, graph nodes and blocks are taken, Neural Modules leave the same bytes.
func TestDeviceSeeds(t *testing.T) {
	lib := "GANGLION_LIBCUDA=" + library(t)
	var first map[string][]byte
	for seed := 1; seed <= 5; seed++ {
		dir := filepath.Join(t.TempDir(), "run")
		o := onDevice(t, []string{lib, fmt.Sprintf("CUEMU_SEED=%d", seed)}, stepwise("module/nm", dir, "cuda", "--set",
			"nodes=12", "--set", "keep=0.3", "--set", "save_steps=6", "--set", "restructure_every=2")...)
		if o.code != exitOK {
			t.Fatalf("seed %d: %+v", seed, o)
		}
		if got := kept(t, dir); first == nil {
			first = got
		} else {
			same(t, fmt.Sprintf("seed %d", seed), first, got)
		}
	}
}

// deviceDoors opens a trained network by the other commands, on the device and beside it.
func deviceDoors(t *testing.T, env []string, dev, host string) {
	t.Helper()
	var a, b run.Evaluation
	strict(t, onDevice(t, env, "eval", dev, "--json").out, &a) // auto takes the device
	strict(t, must(t, "eval", host, "--json", "--device", "cpu").out, &b)
	if a.Device != "cuda:0 (emulated)" || b.Device != "cpu" || math.Abs(float64(a.Loss-b.Loss)) > 1e-5 {
		t.Errorf("eval: %+v, %+v", a, b)
	}
	rows := file(
		t,
		"rows.csv",
		"sepal_length_cm,sepal_width_cm,petal_length_cm,petal_width_cm\n5.1,3.5,1.4,0.2\n6.3,2.9,5.6,1.8\n",
	)
	text := must(t, "predict", host, "--input", rows).out
	o := onDevice(t, env, "predict", dev, "--input", rows, "--device", "cuda:0")
	if o.code != exitOK || strings.Count(o.out, "\n") != strings.Count(text, "\n") || o.out[:20] != text[:20] {
		t.Errorf("predict: %+v, wanted %q", o, text)
	}
	var p run.Plan
	strict(t, onDevice(t, env, "plan", "module/mlp", "--data", "iris", "--json").out, &p)
	if p.Device != "cuda:0 (emulated)" || len(p.Fallbacks) > 0 ||
		!strings.HasPrefix(p.Programs[0].Steps[1].Kernel, "cuda/") {
		t.Errorf("plan: device %q, fallbacks %q, step %+v", p.Device, p.Fallbacks, p.Programs[0].Steps[1])
	}
	if o := onDevice(t, env, "train", "--device", "cuda:7", "--data", "iris"); o.code != exitDevice ||
		!strings.Contains(o.log, "cuda:7") || !strings.Contains(o.log, "there is 1 device, numbered from 0") {
		t.Errorf("a device that is not there: %+v", o)
	}
}

// TestNoDevice: whatever is missing, a run that asks for nothing takes the processor, says why in one line, and leaves
// the bytes of a run on the processor; one that asks for a GPU ends with exit code 3 and the reason.
func TestNoDevice(t *testing.T) {
	emulated := library(t)
	broken := file(t, "libcuda.so", "not a library\n")
	flags := []string{"--set", "nodes=12", "--set", "save_steps=6", "--json=false"}
	host := filepath.Join(t.TempDir(), "run")
	must(t, stepwise("module/nm", host, "cpu", flags...)...)
	want := kept(t, host)
	for _, c := range []struct {
		env   []string
		words string
	}{
		{[]string{"GANGLION_LIBCUDA=" + emulated, "CUEMU_NODEVICE=1"}, "CUDA_ERROR_NO_DEVICE"},
		{[]string{"GANGLION_LIBCUDA=none"}, "GANGLION_LIBCUDA=none"},
		{[]string{"GANGLION_LIBCUDA=/none/libcuda.so.1"}, "/none/libcuda.so.1"},
		{[]string{"GANGLION_LIBCUDA=" + broken}, broken},
		{[]string{"GANGLION_LIBCUDA=" + emulated, "CUEMU_FAIL=1"}, "CUDA_ERROR_UNKNOWN"},
		{[]string{"GANGLION_LIBCUDA=" + emulated, "CUEMU_CC=6.1"}, "compute capability 6.1"},
	} {
		dir := filepath.Join(t.TempDir(), "run")
		args := stepwise("module/nm", dir, "auto", flags...)
		args = append(args, "--quiet=false")
		o := onDevice(t, c.env, args...)
		lines := 0
		for _, l := range strings.Split(o.log, "\n") {
			if strings.Contains(l, "GPU") && strings.Contains(l, c.words) && strings.Contains(l, "using the CPU") {
				lines++
			}
		}
		if o.code != exitOK || lines != 1 {
			t.Errorf("%q: exit code %d, %d lines with the reason\n%s", c.env, o.code, lines, o.log)
			continue
		}
		same(t, fmt.Sprint(c.env), want, kept(t, dir))
		dir = filepath.Join(t.TempDir(), "other")
		o = onDevice(t, c.env, stepwise("module/mlp", dir, "cuda")...)
		if o.code != exitDevice || !strings.Contains(o.log, c.words) || exists(dir) {
			t.Errorf("%q: --device cuda: %+v", c.env, o)
		}
		if o := onDevice(t, c.env, "doctor"); o.code != exitOK || !strings.Contains(o.out, c.words) {
			t.Errorf("%q: doctor: %+v", c.env, o)
		}
	}
}

// TestDeviceFailures lets calls of the driver fail, one in each run: the command ends with its exit code, and what it
// had saved goes on, on the processor, to the result of a run that was let alone.
func TestDeviceFailures(t *testing.T) {
	lib := "GANGLION_LIBCUDA=" + library(t)
	flags := []string{"--epochs", "4", "--set", "save_steps=1", "--set", "hidden=8"}
	whole := filepath.Join(t.TempDir(), "run")
	must(t, stepwise("module/mlp", whole, "cpu", flags...)...)
	stride, failed, resumed := 17, 0, 0
	if *full {
		stride = 1
	}
	for k := 1; ; k += stride {
		dir := filepath.Join(t.TempDir(), "run")
		o := onDevice(
			t,
			[]string{lib, fmt.Sprintf("CUEMU_FAIL=%d", k)},
			stepwise("module/mlp", dir, "cuda", flags...)...)
		if !strings.Contains(o.log, "cuemu: ") { // fewer calls were made
			if o.code != exitOK {
				t.Errorf("call %d: %+v", k, o)
			}
			break
		}
		failed++
		if o.code != exitDevice && o.code != exitFailed || !strings.Contains(o.log, "CUDA_ERROR_UNKNOWN") {
			t.Errorf("call %d: %+v", k, o)
		}
		if o.code == exitDevice && exists(dir) {
			t.Errorf("call %d: a run without a device left a directory", k)
		}
		if recovers(t, dir, whole) {
			resumed++
		}
	}
	t.Logf("%d calls failed, one in each run; %d runs went on from a checkpoint", failed, resumed)
	if failed < 15 || resumed < 3 {
		t.Errorf("%d calls failed, %d runs went on", failed, resumed)
	}
	kinds := []struct {
		fail string
		code int
	}{{"cuMemAlloc_v2:1:2", exitMemory}, {"cuMemAlloc_v2:3:2", exitMemory}, {"cuLaunchKernel:30:700", exitFailed},
		{"cuGraphLaunch:2:719", exitFailed}, {"cuMemcpyDtoHAsync_v2:9:700", exitFailed},
		{"cuDevicePrimaryCtxRetain:1:2", exitDevice}}
	for _, c := range kinds {
		dir := filepath.Join(t.TempDir(), "run")
		o := onDevice(t, []string{lib, "CUEMU_FAIL=" + c.fail}, stepwise("module/mlp", dir, "cuda", flags...)...)
		if o.code != c.code || !strings.Contains(o.log, "CUDA_ERROR") {
			t.Errorf("%s: %+v", c.fail, o)
		}
		recovers(t, dir, whole)
	}
}

// recovers checks what a failed run left: nothing, or a directory that opens and goes on. It reports whether the run
// went on from a checkpoint.
func recovers(t *testing.T, dir, whole string) bool {
	t.Helper()
	if !exists(dir) {
		return false
	}
	saved := newest(dir) >= 0
	if saved {
		must(t, "inspect", dir)
	}
	must(t, "train", "--resume", dir, "--device", "cpu", "--quiet")
	sameLosses(t, "resumed", dir, whole)
	return saved
}
