package bench

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ganglion/internal/cpu"
	"ganglion/kernels"
)

// TestQuick runs every workload at its tiny size, on one thread and on two, in both dtypes.
func TestQuick(t *testing.T) {
	for _, o := range []Options{{Threads: 1, Reps: 3}, {Threads: 2, DType: "f64"}} {
		o.Quick = true
		var machine Report
		seen := 0
		o.Machine = func(r Report) { machine = r }
		o.Each = func(Result) { seen++ }
		results, err := Run(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		if machine.Threads != o.Threads || seen != len(results) {
			t.Errorf("machine of %d threads, %d of %d results seen", machine.Threads, seen, len(results))
		}
		count := map[string]int{}
		for _, r := range results {
			count[r.Workload]++
			checkResult(t, o, r)
		}
		for _, w := range Workloads() {
			if count[w[0]] == 0 {
				t.Errorf("%s has no result", w[0])
			}
		}
	}
}

func checkResult(t *testing.T, o Options, r Result) {
	t.Helper()
	if !(r.MinMS > 0 && r.MinMS <= r.MedianMS && r.MedianMS <= r.MaxMS) || r.Device != "cpu" || r.Path == "" {
		t.Errorf("%+v", r)
	}
	if r.Workload == machineName {
		return
	}
	if o.Reps > 0 && r.Reps != o.Reps || o.Reps == 0 && r.Reps < leastReps {
		t.Errorf("%s %v: %d repetitions", r.Workload, r.Size, r.Reps)
	}
	if r.Threads != o.Threads || o.DType == "f64" != (r.DType == "f64") {
		t.Errorf("%s %v: %d threads, %s", r.Workload, r.Size, r.Threads, r.DType)
	}
	if !(r.Roofline > 0) || r.GBPS <= 0 || math.IsInf(r.Roofline, 0) {
		t.Errorf("%s %v: roofline %v, %v GB/s", r.Workload, r.Size, r.Roofline, r.GBPS)
	}
	for _, f := range r.Extra {
		if strings.HasSuffix(f.Name, "failed") && f.Value != 0 {
			t.Errorf("%s %v: %s %v", r.Workload, r.Size, f.Name, f.Value)
		}
	}
}

// TestSteps checks that what is timed is the work that is named: sizes of parameters, operations, and a loss that
// falls.
func TestSteps(t *testing.T) {
	e := env{dtype: kernels.Float32, pool: newPool(1), threads: 1}
	defer e.pool.Close()
	cases := mlpCases(e)
	r, err := cases[0].open(e)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	// 784·512 + 512·256 + 256·10 weights, 778 biases; three products a layer and two of the first, 32 samples.
	w := r.work()
	if want := 32 * 2 * (2*784*512 + 3*512*256 + 3*256*10.); w.Flops != want {
		t.Errorf("%v operations, want %v", w.Flops, want)
	}
	if want := 7 * 4 * (784*512 + 512*256 + 256*10 + 778.); w.Bytes != want {
		t.Errorf("%v bytes, want %v", w.Bytes, want)
	}
	for range 3 {
		if err := r.step(); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(5, func() { err = r.step() }); n > 0 || err != nil {
		t.Errorf("a step makes %v allocations, error %v", n, err)
	}
}

// TestOptions checks what Run refuses.
func TestOptions(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Workloads: []string{"gemm", "nonsense"}}, `workload "nonsense" is not one of machine, gemm`},
		{Options{DType: "f16"}, `dtype "f16" is neither f32 nor f64`},
		{Options{Threads: -1}, "threads -1 must be from 0 to 1024"},
		{Options{Reps: -1}, "reps -1"},
		{Options{Budget: -time.Second}, "time -1s"},
	} {
		if _, err := Run(context.Background(), c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.o, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, Options{Quick: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestMeasure checks the statistics and that errors end a measurement.
func TestMeasure(t *testing.T) {
	n := 0
	nap := func() error { n++; time.Sleep(repetition); return nil }
	tm, err := measure(context.Background(), nap, time.Millisecond, 4)
	if err != nil || tm.Reps != 4 || n < warmUpSteps+4 || !(tm.Min >= repetition.Seconds()) || tm.Median > tm.Max {
		t.Errorf("%+v, %v after %d steps", tm, err, n)
	}
	bad := errors.New("bad")
	for _, at := range []int{1, warmUpSteps + 20} {
		n = 0
		step := func() error {
			if n++; n >= at {
				return bad
			}
			return nil
		}
		if _, err := measure(context.Background(), step, time.Second, 0); !errors.Is(err, bad) {
			t.Errorf("error at step %d: %v", at, err)
		}
	}
	got := summary([]portion{{[]float64{9, 9}, 1.5}, {[]float64{4, 1}, 0.1}, {[]float64{3}, 0.05}}, 2)
	if want := (Timing{Median: 3, Min: 1, Max: 4, Reps: 3, Other: 0.1}); got != want {
		t.Errorf("quiet portions: %+v, want %+v", got, want)
	}
	got = summary([]portion{{[]float64{9, 9}, 1.5}, {[]float64{4, 1}, 0.5}, {[]float64{3}, 0.05}}, 3)
	if want := (Timing{Median: 3, Min: 1, Max: 4, Reps: 3, Other: 0.5}); got != want {
		t.Errorf("too few quiet ones: %+v, want %+v", got, want)
	}
	if got := summary([]portion{{[]float64{1, 2}, 0}}, 1).Median; got != 1.5 {
		t.Errorf("median of an even number: %v", got)
	}
}

// TestCompare joins lines of other programs with a result.
func TestCompare(t *testing.T) {
	text := `{"workload": "W1", "peer": "a", "size": {"n": 256, "op": "sgemm"}, "median_ms": 3.0, "min_ms": 2.0}

{"workload": "W1", "peer": "a", "size": {"op": "sgemm", "n": 256.0}, "median_ms": 2.0, "min_ms": 1.5}
{"workload": "gemm", "peer": "b", "size": {"op": "sgemm", "n": 256}, "median_ms": 0.5, "min_ms": 0.5, "dtype": "f32"}
{"workload": "gemm", "peer": "c", "size": {"op": "sgemm", "n": 256}, "median_ms": 0.5, "min_ms": 0.5, "dtype": "f64"}
{"workload": "W1", "peer": "d", "size": {"op": "sgemm", "n": 512}, "median_ms": 2.0, "min_ms": 1.0}
{"workload": "W9", "peer": "e", "size": {"op": "sgemm", "n": 256}, "median_ms": 2.0, "min_ms": 1.0}
{"workload": "W1", "peer": "f", "size": {"op": "sgemm", "n": 256}, "note": "failed"}
[{"workload":"gemm","device":"cpu","dtype":"f32","size":{"op":"sgemm","n":256},"median_ms":4,"min_ms":4}]
`
	peers, err := ReadPeers(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r := Result{Workload: "gemm", DType: "f32", Size: Size{{"op", "sgemm"}, {"n", 256}}, MedianMS: 1, MinMS: 0.5}
	want := []Against{{"b", 0.5, 0.5, 0.5, 1}, {"a", 2, 1.5, 2, 3}, {"ganglion", 4, 4, 4, 8}}
	if d := cmp.Diff(want, Compare(r, peers)); d != "" {
		t.Error(d)
	}
	deq := Result{Workload: "deq", DType: "f32", Size: Size{{"op", "deq-step"}, {"tol", 1e-4}}, MedianMS: 1, MinMS: 1}
	text = `{"workload":"W5","peer":"x","size":{"tol":0.0001,"op":"deq-step"},"median_ms":1,"min_ms":1}`
	peers, err = ReadPeers(strings.NewReader(text))
	if got := Compare(deq, peers); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"{", `{"workload":"W1"}`, `[1]`, `{"workload":"W1","size":{"n":1},"median_ms":0}`} {
		if _, err := ReadPeers(strings.NewReader("\n" + bad)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestSave checks that lines are added, and hold the result.
func TestSave(t *testing.T) {
	dir := t.TempDir()
	r := Result{Workload: "gemm", Device: "cpu", DType: "f32", Size: Size{{"op", "sgemm"}, {"n", 7}},
		MedianMS: 2, MinMS: 1, MaxMS: 3, Reps: 5, Threads: 2, Path: "go", Extra: []Fact{{"iterations", 3}}}
	now := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for range 2 {
		if err := Save(dir, []Result{r}, Options{}, now); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "gemm.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 2 || lines[0] != lines[1] {
		t.Fatalf("%d lines:\n%s", len(lines), text)
	}
	if !strings.Contains(lines[0], `"size":{"op":"sgemm","n":7}`) {
		t.Errorf("size in another order: %s", lines[0])
	}
	var got Line
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
		t.Fatal(err)
	}
	if got.Result.Size.key() != r.Size.key() || got.Time != "2020-01-02T03:04:05Z" || got.Seconds != 1 {
		t.Errorf("%+v", got)
	}
	got.Result.Size = r.Size
	if d := cmp.Diff(r, got.Result); d != "" {
		t.Error(d)
	}
	err = Save(filepath.Join(dir, "none"), []Result{r}, Options{}, now)
	if err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a missing folder: %v", err)
	}
}

// BenchmarkCases runs the cases at full size, for profiles: go test -bench 'Cases/mlp' -cpuprofile cpu.prof.
func BenchmarkCases(b *testing.B) {
	e := env{dtype: kernels.Float32, pool: newPool(0)}
	defer e.pool.Close()
	e.threads = e.pool.Workers()
	e.path = cpu.Best()
	for _, w := range workloads() {
		for _, c := range w.cases(e) {
			b.Run(w.name+"/"+strings.ReplaceAll(c.size.String(), " ", ","), func(b *testing.B) {
				r, err := c.open(e)
				if err != nil {
					b.Fatal(err)
				}
				if r.close != nil {
					defer r.close()
				}
				for b.Loop() {
					if err := r.step(); err != nil {
						b.Fatal(err)
					}
				}
				if f := r.work().Flops; f > 0 {
					b.ReportMetric(f*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				}
			})
		}
	}
}
