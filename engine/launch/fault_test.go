//go:build gpu && cgo && linux && (amd64 || arm64)

package launch_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ganglion/cuda"
	"ganglion/cuda/nvrtc"
	"ganglion/engine/launch"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/conv"
	"ganglion/kernels/dense"
	"ganglion/kernels/optim"
)

// mistake is a kernel of the engine with one mistake in its source, which the emulated device must find.
type mistake struct {
	name     string
	op       kernels.Op
	in       []kernels.Spec
	file     string // below the folder of kernels
	old, bad string
	entry    string // the kernel that is to be named
	want     string // a part of the report
}

func f32(shape ...int) kernels.Spec { return kernels.S(kernels.Float32, shape...) }

const header = "include/ganglion.cuh"

func mistakes() []mistake {
	relu, scale := dense.Unary{F: act.ReLU}, optim.ClipNorm{Max: 1}
	pool := conv.MaxPool{Window: conv.Window{Dims: 1, Kernel: [3]int32{2}}}
	product := []kernels.Spec{f32(70, 40), f32(40, 70)}
	return []mistake{
		{"a barrier is missing", dense.GEMM{}, product, "dense/gemm.cu", "\t\t__syncthreads();\n", "",
			"gemm64_f32", "shared memory"},
		{"a barrier is missing among asynchronous copies", dense.GEMM{}, product, "dense/gemmasync.cu",
			"\t\t__syncthreads();\n", "", "async64_f32", "shared memory"},
		{"a slice is copied over the one that is read", dense.GEMM{}, []kernels.Spec{f32(70, 90), f32(90, 70)},
			"dense/gemmasync.cu", "fetch(next)", "fetch(now)", "async64_f32", "shared memory"},
		{
			"an asynchronous copy is not aligned",
			dense.GEMM{},
			[]kernels.Spec{f32(70, 39), f32(39, 70)},
			"dense/async.cuh",
			"% 16 == 0",
			"% 4 == 0",
			"async64_f32",
			"misaligned",
		},
		{"a barrier is missing before tensor cores", dense.MixedGEMM{}, product, "dense/mixed.cu",
			"\t\t__syncthreads();\n", "", "tf32_64_nn", "shared memory"},
		{"tensor cores read beyond the slices", dense.MixedGEMM{Operands: dense.BF16}, product, "dense/mixed.cu",
			"STAGES + now", "2 * STAGES + now", "bf16_64_nn", "of shared memory"},
		{"the loop goes one too far", relu, []kernels.Spec{f32(1000)}, header, "i < (n)", "i <= (n)",
			"unary_f32", "bytes 4000 to 4003"},
		{"a stride is wrong", pool, []kernels.Spec{f32(2, 3, 64)}, "conv/pool.cu", "v[plane * g.plane() + q]",
			"v[plane * (g.plane() + 64) + q]", "largest_f32", "reads 4 bytes"},
		{"threads return before a barrier", scale, []kernels.Spec{f32(96)}, "optim/clip.cu", "\tdouble s = 0;\n\tfor",
			"\tdouble s = 0;\n\tif (threadIdx.x >= n) return;\n\tfor", "squares_f32", "has exited"},
		{"threads return before a shuffle", scale, []kernels.Spec{f32(100)}, "optim/clip.cu", "\tdouble s = 0;\n\tfor",
			"\tdouble s = 0;\n\tif (threadIdx.x >= n) return;\n\tfor", "squares_f32", "only lanes 0x0000000f arrived"},
		{"a shuffle is of lanes that do not come", scale, []kernels.Spec{f32(100)}, header, "sync(0xffffffffu",
			"sync(0x0000ffffu", "squares_f32", "is not in its own member mask"},
		{"rows of shared memory are not aligned", dense.GEMM{}, product, "dense/gemm.cu", "WIDE + 4", "WIDE + 3",
			"gemm64_f32", "misaligned"},
		{"shared memory is too small", scale, []kernels.Spec{f32(100)}, header, "part[warp] = v", "part[warp + 32] = v",
			"squares_f32", "of shared memory"},
		{"the output is read before it is written", optim.ClipValue{Max: 1}, []kernels.Spec{f32(100)}, "optim/clip.cu",
			"y[i] = max_", "y[i] += max_", "clamp_f32", "nobody has written"},
		{"blocks write one place", scale, []kernels.Spec{f32(100000)}, "optim/clip.cu", "sums[blockIdx.x] = s",
			"sums[0] = s", "squares_f32", "global memory race"},
		{"a loop has no end", scale, []kernels.Spec{f32(100)}, header, "d > 0; d /= 2", "d > 0; d *= 1", "squares_f32",
			"an endless loop?"},
	}
}

// Each mistake in a kernel is reported with kernel, block, thread (or warp) and line; without the mistakes all is well.
func TestMistakesAreFound(t *testing.T) {
	c := newWorkshop(t)
	for _, m := range mistakes() {
		t.Run(m.name, func(t *testing.T) {
			good, bad := m.sources(t, c)
			if _, err := perform(t, m, good); err != nil {
				t.Fatalf("as it is: %v", err)
			}
			_, err := perform(t, m, bad)
			if err == nil {
				t.Fatal("not found")
			}
			where := fmt.Sprintf(`kernel %s, block \(\d+,\d+,\d+\), (thread \(\d+,\d+,\d+\)|warp \d+), PTX line \d+`,
				m.entry)
			if !errors.Is(err, cuda.ErrFault) || !regexp.MustCompile(where).MatchString(err.Error()) ||
				!strings.Contains(err.Error(), m.want) {
				t.Errorf("want %q and %q, is %v", where, m.want, err)
			}
		})
	}
}

// root is the folder of kernels.
const root = "../../kernels"

// workshop compiles kernels as they are, each once, and with mistakes.
type workshop struct {
	compiler *nvrtc.Compiler
	headers  string
	good     map[string][]byte // by source as it is
}

// newWorkshop opens the compiler of make cuda-headers.
func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	const wheels = "../../.cuda/venv/lib/python3*/site-packages/nvidia/"
	found, err := filepath.Glob(wheels + "cuda_nvrtc/lib/libnvrtc.so.12")
	if err != nil || len(found) == 0 {
		if os.Getenv("GANGLION_REQUIRE_EMU") == "1" {
			t.Fatal("GANGLION_REQUIRE_EMU is set, and there is no compiler in .cuda: run make cuda-headers")
		}
		t.Skip("no compiler in .cuda: run make cuda-headers")
	}
	path, err := filepath.Abs(found[0])
	if err != nil {
		t.Fatal(err)
	}
	c, err := nvrtc.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if found, err = filepath.Glob(wheels + "cuda_runtime/include"); err != nil || len(found) == 0 {
		t.Fatalf("no headers in .cuda: run make cuda-headers (%v)", err)
	}
	return &workshop{c, found[0], map[string][]byte{}}
}

// compile compiles a source with what it includes, which is looked for in the folders of kernels in their order.
func (w *workshop) compile(t *testing.T, file, source string, folders ...string) []byte {
	t.Helper()
	options := []string{"--gpu-architecture=compute_70", "-std=c++17", "-default-device"}
	if strings.Contains(source, "// Targets: compute_80") {
		options[0] = "--gpu-architecture=compute_80"
	}
	for _, f := range folders {
		options = append(options, "-I"+filepath.Join(f, filepath.Dir(file)), "-I"+f)
	}
	ptx, err := w.compiler.Compile(file, source, append(options, "-I"+w.headers))
	if err != nil {
		t.Fatal(err)
	}
	return ptx
}

// asItIs compiles a source without a mistake, once.
func (w *workshop) asItIs(t *testing.T, file, source string) []byte {
	t.Helper()
	if w.good[source] == nil {
		w.good[source] = w.compile(t, file, source, root)
	}
	return w.good[source]
}

// instance matches the lines of a source that make many kernels of a template.
var instance = regexp.MustCompile(`(?m)^MIXED\((\w+), .*, (\d+)\)$`)

// only leaves out all of them but those of an entry, such as tf32_64_nn, because a compiler takes its time.
func only(source, entry string) string {
	return instance.ReplaceAllStringFunc(source, func(line string) string {
		if m := instance.FindStringSubmatch(line); strings.HasPrefix(entry, m[1]+"_"+m[2]+"_") {
			return line
		}
		return ""
	})
}

// target is the device that the launches of a mistake are for: of the capability that its source is compiled for.
func (m mistake) target(t *testing.T) kernels.Target {
	t.Helper()
	if strings.Contains(m.name+m.file, "async") || strings.Contains(m.file, "mixed") ||
		strings.Contains(m.file, "stored") || strings.Contains(m.file, "tensor") {
		return kernels.Target{Capability: 80, Multiprocessors: 4}
	}
	return kernels.Target{Capability: 70, Multiprocessors: 4}
}

// sources compiles the kernels of an operator as they are, and with the mistake.
func (m mistake) sources(t *testing.T, w *workshop) (good, bad map[string][]byte) {
	t.Helper()
	good, bad = map[string][]byte{}, map[string][]byte{}
	text := read(t, m.file)
	patched := strings.ReplaceAll(text, m.old, m.bad)
	if patched == text {
		t.Fatalf("%s does not hold %q any more", m.file, m.old)
	}
	folder := t.TempDir() // found before the folder of kernels
	path := filepath.Join(folder, m.file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(patched), 0o644); err != nil {
		t.Fatal(err)
	}
	list, err := m.op.(kernels.CUDAOp).CUDA(m.target(t), m.in, m.out(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range list {
		if good[l.Module] != nil {
			continue
		}
		file := l.Module + ".cu"
		source := only(read(t, file), l.Entry)
		good[l.Module] = w.asItIs(t, file, source)
		if file == m.file {
			source = only(patched, l.Entry)
		}
		bad[l.Module] = w.compile(t, file, source, folder, root)
	}
	return good, bad
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (m mistake) out(t *testing.T) kernels.Spec {
	t.Helper()
	out, err := m.op.Infer(m.in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// perform runs the kernels of an operator once on a device of its own, and returns the output. Only the inputs have
// been written.
func perform(t *testing.T, m mistake, ptx map[string][]byte) ([]float32, error) {
	t.Helper()
	b := newBench(t, func(module string, _ int) ([]byte, error) { return ptx[module], nil })
	b.target.Capability = m.target(t).Capability
	mem := launch.Memory{Out: b.buffer(m.out(t).Bytes())}
	for _, s := range m.in {
		mem.In = append(mem.In, b.filled(s))
	}
	if s, ok := m.op.(kernels.CUDAScratcher); ok {
		mem.Scratch = b.buffer(s.CUDAWorkspace(b.target, m.in, m.out(t)))
	}
	list, err := m.op.(kernels.CUDAOp).CUDA(b.target, m.in, m.out(t))
	if err != nil {
		t.Fatal(err)
	}
	commands, err := b.modules.Commands(m.name, list, mem)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.run(commands); err != nil {
		return nil, err
	}
	out := kernels.New(m.out(t))
	return out.F32, b.dev.CopyOut(out.Memory(), mem.Out)
}

// bench is an opened device.
type bench struct {
	t       *testing.T
	dev     *cuda.Device
	modules *launch.Modules
	target  kernels.Target
}

// newBench opens the first device. Without one the test is skipped, or fails with GANGLION_REQUIRE_EMU=1.
func newBench(t *testing.T, read func(string, int) ([]byte, error)) *bench {
	t.Helper()
	// Endless loops are found after this many instructions.
	t.Setenv("CUEMU_BUDGET", "200000")
	dev, err := cuda.Open(0)
	if err != nil {
		if os.Getenv("GANGLION_REQUIRE_EMU") == "1" {
			t.Fatalf("GANGLION_REQUIRE_EMU is set: %v", err)
		}
		t.Skip(err)
	}
	if !dev.Properties().Emulated {
		t.Skip("these mistakes are for the emulated device: hardware need not notice")
	}
	t.Cleanup(func() {
		// After a fault the driver may say so once more.
		if err := dev.Close(); err != nil && !errors.Is(err, cuda.ErrFault) {
			t.Error(err)
		}
	})
	return &bench{t, dev, launch.NewModules(dev, read), launch.Target(dev.Properties())}
}

func (b *bench) buffer(n int) cuda.Address {
	b.t.Helper()
	buf, err := b.dev.Alloc(n, "test")
	if err != nil {
		b.t.Fatal(err)
	}
	return buf.Address()
}

// filled is a buffer of small numbers.
func (b *bench) filled(s kernels.Spec) cuda.Address {
	b.t.Helper()
	x, to := small(s), b.buffer(s.Bytes())
	if err := b.dev.CopyIn(to, x.Memory()); err != nil {
		b.t.Fatal(err)
	}
	return to
}

// small are numbers that all formats hold exactly, and of which sums of a thousand products are exact in float32; in
// bytes, as bfloat16.
func small(s kernels.Spec) kernels.Tensor {
	x := kernels.New(s)
	for i := range x.F32 {
		x.F32[i] = float32(1+i%7) / 4
	}
	for i := range len(x.U8) / 2 {
		bits := math.Float32bits(float32(1+i%7) / 4)
		x.U8[2*i], x.U8[2*i+1] = byte(bits>>16), byte(bits>>24)
	}
	return x
}

func (b *bench) run(commands []cuda.Command) error {
	p, err := b.dev.NewPlan("plan", commands)
	if err != nil {
		return err
	}
	return p.Run(context.Background())
}
