//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ganglion/models/run"
)

// TestSecondDevice: --device cuda:1 trains there, with the losses of the processor.
func TestSecondDevice(t *testing.T) {
	env := []string{"GANGLION_LIBCUDA=" + library(t), "CUEMU_DEVICES=2"}
	host, dev := filepath.Join(t.TempDir(), "host"), filepath.Join(t.TempDir(), "dev")
	must(t, stepwise("module/mlp", host, "cpu")...)
	o := onDevice(t, env, stepwise("module/mlp", dev, "cuda:1")...)
	var r run.Result
	if o.code != exitOK {
		t.Fatalf("exit code %d\n%s", o.code, o.log)
	}
	strict(t, o.out, &r)
	if r.Device != "cuda:1 (emulated)" {
		t.Errorf("device %q", r.Device)
	}
	sameLosses(t, "cuda:1", dev, host)
	if o := onDevice(t, env, "doctor"); o.code != exitOK || !strings.Contains(o.out, "2 devices") ||
		strings.Count(o.out, "runs kernels") != 2 {
		t.Errorf("doctor: %+v", o)
	}
	if o := onDevice(t, env, stepwise("module/mlp", dev+"2", "cuda:2")...); o.code != exitDevice ||
		!strings.Contains(o.log, "cuda:2") || !strings.Contains(o.log, "there are 2 devices, numbered from 0") {
		t.Errorf("a third device: %+v", o)
	}
}

// TestDeviceMemory: the plan foretells the device's memory, and a run that does not fit the device or the budget is
// refused before it begins; what the message offers fits.
func TestDeviceMemory(t *testing.T) {
	lib := "GANGLION_LIBCUDA=" + library(t)
	args := []string{"plan", "module/mlp", "--data", "wine", "--batch", "100", "--set", "hidden=256", "--device",
		"cuda"}
	var p run.Plan
	strict(t, onDevice(t, []string{lib}, append(args, "--json")...).out, &p)
	if f := p.OnDevice; f == nil || f.Peak < f.Store || f.Store < 3*4*p.Parameters || f.Arena == 0 || f.Plans == 0 {
		t.Fatalf("%+v", f)
	}
	o := onDevice(t, []string{lib}, args...)
	if line := fmt.Sprintf("on cuda:0 (emulated): predicted peak  +%d bytes", p.OnDevice.Peak); o.code != exitOK ||
		!regexp.MustCompile(strings.NewReplacer("(", `\(`, ")", `\)`).Replace(line)).MatchString(o.out) {
		t.Errorf("want %q\n%s", line, o.out)
	}
	dir := filepath.Join(t.TempDir(), "run")
	train := append([]string{"train"}, args[1:]...)
	train = append(train, "--epochs", "1", "--quiet", "--json", "--out", dir)
	full := fmt.Sprintf("CUEMU_MEMORY=%d", p.OnDevice.Peak+2<<20-10000)
	o = onDevice(t, []string{lib, full}, train...)
	found := regexp.MustCompile(`--batch (\d+), the largest that fits`).FindStringSubmatch(o.log)
	if o.code != exitMemory || found == nil || !strings.Contains(o.log, "are free there") || exists(dir) ||
		!strings.Contains(o.log, "--device cpu") {
		t.Fatalf("a device that is too small: %+v", o)
	}
	o = onDevice(t, []string{lib, full}, append(train, "--batch", found[1])...)
	var r run.Result
	if o.code != exitOK {
		t.Fatalf("--batch %s: %+v", found[1], o)
	}
	strict(t, o.out, &r)
	e := r.Extra
	if e.DevicePeak == 0 || e.DevicePredicted < e.DevicePeak*9/10 || e.DevicePredicted > e.DevicePeak*11/10 {
		t.Errorf("foretold %d bytes, were %d", e.DevicePredicted, e.DevicePeak)
	}
	for _, list := range [][]string{args, append(slices.Clone(args), "--memory-budget", "1GiB")} {
		if o := onDevice(t, []string{lib, full}, list...); o.code != exitMemory || !strings.Contains(o.log, found[0]) {
			t.Errorf("%q: %+v", list, o)
		}
	}
	o = onDevice(t, []string{lib, "CUEMU_FAIL=cuMemAlloc_v2:2:2"}, append(train, "--out", dir+"2")...)
	if o.code != exitMemory || !strings.Contains(o.log, "smaller batches") || !strings.Contains(o.log, "allocating") {
		t.Errorf("memory that another program took: %+v", o)
	}
}

// TestDeviceLibraries: the libraries that a device may use are chosen by flags; one that is named must be there.
func TestDeviceLibraries(t *testing.T) {
	lib := "GANGLION_LIBCUDA=" + library(t)
	nvrtc, err := filepath.Glob("../../.cuda/venv/lib/python3*/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12")
	if err != nil || len(nvrtc) == 0 {
		t.Skip("no compiler in .cuda: run make cuda-headers")
	}
	plan := []string{"plan", "module/mlp", "--data", "iris", "--device", "cuda"}
	kernels := t.TempDir()
	dir := filepath.Join(t.TempDir(), "run")
	o := onDevice(t, []string{lib}, append(stepwise("module/mlp", dir, "cuda"), "--epochs", "2", "--fusion", nvrtc[0],
		"--kernel-cache", kernels)...)
	if found, err := filepath.Glob(filepath.Join(kernels, "*.ptx")); o.code != exitOK || err != nil || len(found) == 0 {
		t.Errorf("--fusion and --kernel-cache: %+v, kept %q", o, found)
	}
	for _, c := range []struct {
		flags []string
		code  int
		words string
	}{
		{[]string{"--fusion", "off"}, exitOK, "switched off"},
		{[]string{"--fusion", "on"}, exitOK, ""},
		{[]string{"--fusion", "/none/libnvrtc.so"}, exitDevice, "/none/libnvrtc.so"},
		{[]string{"--cublas", "off"}, exitOK, ""},
		{[]string{"--cublas", "auto"}, exitOK, ""},
		{[]string{"--cublas", "/none/libcublas.so"}, exitDevice, "/none/libcublas.so"},
	} {
		o := onDevice(t, []string{lib}, append(plan, c.flags...)...)
		if o.code != c.code || !strings.Contains(o.out+o.log, c.words) {
			t.Errorf("%q: %+v", c.flags, o)
		}
	}
	for env, words := range map[string]string{"": "cuBLAS", "GANGLION_CUBLAS=/none/x.so": "/none/x.so",
		"GANGLION_CUBLAS=off": "switched off by GANGLION_CUBLAS=off"} {
		if o := onDevice(t, []string{lib, env}, "doctor"); o.code != exitOK || !strings.Contains(o.out, words) ||
			!strings.Contains(o.out, "NVRTC") {
			t.Errorf("%q: doctor: %+v", env, o)
		}
	}
}

// TestDeviceSignal: a run on the device that is asked to end finishes its step, saves and says how to go on; it ends,
// on the processor, at the losses of a run that was let alone.
func TestDeviceSignal(t *testing.T) {
	lib := library(t)
	flags := []string{"--epochs", "60", "--set", "save_steps=1", "--set", "hidden=8"}
	whole := filepath.Join(t.TempDir(), "run")
	must(t, stepwise("module/mlp", whole, "cpu", flags...)...)
	dir := filepath.Join(t.TempDir(), "run")
	plain := command(t, stepwise("module/mlp", dir, "cuda", flags...)...)
	c := exec.Command(plain.Path, plain.Args[1:]...)
	c.Env = append(plain.Env, "GANGLION_LIBCUDA="+lib)
	var log bytes.Buffer
	c.Stderr = &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for i := 0; newest(dir) < 3 && i < 4000; i++ {
		time.Sleep(2 * time.Millisecond)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err := c.Wait()
	if c.ProcessState.ExitCode() != exitInterrupted || !strings.Contains(log.String(), "--resume "+dir) {
		t.Fatalf("%v\n%s", err, log.String())
	}
	if at := newest(dir); at < 3 || at >= 60 {
		t.Errorf("saved at step %d of 60", at)
	}
	if !recovers(t, dir, whole) {
		t.Error("there is no checkpoint to go on from")
	}
}
