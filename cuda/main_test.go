//go:build gpu && cgo && linux && (amd64 || arm64)

package cuda

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ganglion/cuda/driver"
	"ganglion/cuda/nvrtc"
)

var update = flag.Bool("update", false, "write testdata/small.ptx")

// library is the emulated driver.
const library = "../bin/libcuemu.so"

// TestMain runs the tests on the emulated driver, or one scenario in a process of its own.
func TestMain(m *testing.M) {
	if name := os.Getenv("GANGLION_TEST_SCENARIO"); name != "" {
		os.Exit(play(name))
	}
	path, err := filepath.Abs(library)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		fmt.Printf("SKIPPED: the tests of package cuda need the emulated driver, run make emu: %v\n", err)
		if os.Getenv("GANGLION_REQUIRE_EMU") == "1" {
			os.Exit(1)
		}
		return
	}
	if err := os.Setenv("GANGLION_LIBCUDA", path); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// inProcess plays a scenario in a process of its own with more environment variables. It returns the output.
func inProcess(t *testing.T, name string, env ...string) (string, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(append(os.Environ(), "GANGLION_TEST_SCENARIO="+name), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	return out.String(), err
}

// opened counts the devices that open has opened and not yet closed.
var opened atomic.Int32

// open opens the device for a test. After the last one is closed nothing may be left.
func open(t *testing.T) *Device {
	t.Helper()
	d, err := Open(0)
	if err != nil {
		t.Fatal(err)
	}
	opened.Add(1)
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		last := opened.Add(-1) == 0
		if s, ok := driver.EmulatorStats(); !ok || last && !t.Failed() && leaks(s) {
			t.Errorf("the emulator holds %+v after Close", s)
		}
	})
	return d
}

// must ends the test on an error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// function loads a kernel of testdata/small.ptx.
func function(t testing.TB, d *Device, name string) *Function {
	t.Helper()
	m := must(d.Load("small", must(os.ReadFile("testdata/small.ptx"))(t)))(t)
	return must(m.Function(name))(t)
}

func floats(v ...float32) []byte {
	out := make([]byte, 4*len(v))
	for i, x := range v {
		binary.LittleEndian.PutUint32(out[4*i:], math.Float32bits(x))
	}
	return out
}

func toFloats(b []byte) []float32 {
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out
}

// f32 is an argument of type float.
func f32(v float32) uint64 { return uint64(math.Float32bits(v)) }

// TestSmallPTX: the kernels of the tests are of their source.
func TestSmallPTX(t *testing.T) {
	found, err := filepath.Glob("../.cuda/venv/lib/python3*/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12")
	if err != nil || len(found) == 0 {
		t.Skip("no compiler in .cuda: run make cuda-headers")
	}
	path := must(filepath.Abs(found[0]))(t)
	c := must(nvrtc.Open(path))(t)
	source := must(os.ReadFile("testdata/small.cu"))(t)
	ptx := must(c.Compile("small.cu", string(source), []string{"--gpu-architecture=compute_70"}))(t)
	if *update {
		check(t, os.WriteFile("testdata/small.ptx", ptx, 0o644))
	}
	if have := must(os.ReadFile("testdata/small.ptx"))(t); !bytes.Equal(have, ptx) {
		t.Error("testdata/small.ptx is not of small.cu: go test -tags gpu ./cuda -run SmallPTX -update")
	}
	want := map[string][]int{"axpy": {1, 1, 1, 1}, "ramp": {1, 1, 1}, "reverse": {1}, "astray": {1, 1}, "nothing": nil,
		"packed": {1, 2, 1}}
	got := parameters(ptx)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("parameters %v, want %v", got, want)
	}
}

// TestAbsent: without a driver or a device there is one clear line, and the program goes on.
func TestAbsent(t *testing.T) {
	for _, c := range []struct{ env, want string }{
		{"GANGLION_LIBCUDA=none", "switched off by GANGLION_LIBCUDA=none"},
		{"GANGLION_LIBCUDA=/no/such/libcuda.so", "/no/such/libcuda.so"},
		{"CUEMU_NODEVICE=1", "CUDA_ERROR_NO_DEVICE"},
	} {
		out, err := inProcess(t, "absent", c.env)
		if err != nil || strings.Count(out, "\n") != 1 || !strings.Contains(out, c.want) {
			t.Errorf("%s: %v, %q", c.env, err, out)
		}
	}
}

// TestStart: a program with the driver's trampolines costs next to nothing before it makes the first call.
func TestStart(t *testing.T) {
	self := must(os.Executable())(t)
	best := time.Hour
	for range 5 {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), "GANGLION_TEST_SCENARIO=nothing")
		check(t, cmd.Run())
		best = min(best, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	}
	if best > 50*time.Millisecond {
		t.Errorf("%v of processor time", best)
	}
}
