package checkpoint

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ganglion/engine/checkpoint/safetensors"
)

// stepsIn lists the steps that are kept in a run directory, "best" standing for that file.
func stepsIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "checkpoints"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		name := strings.TrimSuffix(strings.TrimPrefix(e.Name(), "step-"), ".safetensors")
		names = append(names, strings.TrimLeft(name, "0"))
	}
	return names
}

func TestSaveAndLoad(t *testing.T) {
	dir := t.TempDir()
	want := stateOf(17, 1000)
	path, err := Save(dir, want, SaveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if path != filepath.Join(dir, "checkpoints", "step-0000000017.safetensors") {
		t.Errorf("saved as %s", path)
	}
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	byName := func(a, b safetensors.Tensor) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(got.Tensors, byName)
	slices.SortFunc(want.Tensors, byName)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if _, err := LoadBest(dir); !errors.Is(err, ErrNoCheckpoint) {
		t.Errorf("no best was saved, error %v", err)
	}
	again, err := Save(t.TempDir(), stateOf(17, 1000), SaveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	a, errA := os.ReadFile(path)
	b, errB := os.ReadFile(again)
	if errA != nil || errB != nil || string(a) != string(b) {
		t.Error("the same state gives two different files")
	}
}

// TestBlocksWithoutCopies saves float blocks and restores them into others of the same kind, bit for bit.
func TestBlocksWithoutCopies(t *testing.T) {
	params := []float32{1, float32(math.Inf(1)), math.SmallestNonzeroFloat32, float32(math.Copysign(0, -1))}
	moments := []float64{math.Pi, math.NaN()}
	s := &State{Step: 1, Tensors: []safetensors.Tensor{safetensors.Of("params", []int{4}, params),
		safetensors.Of("adam/m", []int{2}, moments)}}
	dir := t.TempDir()
	if _, err := Save(dir, s, SaveOptions{Best: true}); err != nil {
		t.Fatal(err)
	}
	best, err := LoadBest(dir)
	if err != nil {
		t.Fatal(err)
	}
	p, m := make([]float32, 4), make([]float64, 2)
	for _, x := range best.Tensors {
		if x.Name == "params" {
			err = errors.Join(err, safetensors.Copy(p, x))
		} else {
			err = errors.Join(err, safetensors.Copy(m, x))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range p {
		if math.Float32bits(p[i]) != math.Float32bits(params[i]) {
			t.Errorf("parameter %d is %v, was %v", i, p[i], params[i])
		}
	}
	for i := range m {
		if math.Float64bits(m[i]) != math.Float64bits(moments[i]) {
			t.Errorf("moment %d is %v, was %v", i, m[i], moments[i])
		}
	}
}

func TestKeep(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		step int
		o    SaveOptions
		want []string
	}{
		{10, SaveOptions{Keep: 2, Best: true}, []string{"best", "10"}},
		{20, SaveOptions{Keep: 2}, []string{"best", "10", "20"}},
		{30, SaveOptions{Keep: 2}, []string{"best", "20", "30"}},
		{30, SaveOptions{Keep: 2}, []string{"best", "20", "30"}},
		{40, SaveOptions{}, []string{"best", "30", "40"}},
		{50, SaveOptions{Keep: 4}, []string{"best", "30", "40", "50"}},
		{35, SaveOptions{Keep: 1}, []string{"best", "35", "40", "50"}}, // resumed from further back: later ones stay
		{45, SaveOptions{Keep: 1, Best: true}, []string{"best", "45", "50"}},
	} {
		if _, err := Save(dir, stateOf(c.step, 64), c.o); err != nil {
			t.Fatal(err)
		}
		if got := stepsIn(t, dir); !slices.Equal(got, c.want) {
			t.Errorf("after step %d with %+v: %v, wanted %v", c.step, c.o, got, c.want)
		}
	}
	best, err := LoadBest(dir)
	if err != nil || best.Step != 45 {
		t.Errorf("best is %+v, %v", best, err)
	}
}

func TestSaveRefuses(t *testing.T) {
	tensor := safetensors.Of("w", []int{1}, []float32{1})
	for name, c := range map[string]struct {
		s State
		o SaveOptions
	}{
		"negative step":  {State{Step: -1}, SaveOptions{}},
		"negative batch": {State{Step: math.MaxInt32, Batch: -1}, SaveOptions{}},
		"NaN as best":    {State{Best: &Best{Metric: math.NaN()}}, SaveOptions{}},
		"Inf as best":    {State{Best: &Best{Metric: math.Inf(-1)}}, SaveOptions{}},
		"counter twice":  {State{Counters: []Counter{{"a", 1}, {"a", 2}}}, SaveOptions{}},
		"tensor twice":   {State{Tensors: []safetensors.Tensor{tensor, tensor}}, SaveOptions{}},
		"wrong shape": {State{Tensors: []safetensors.Tensor{safetensors.Of("w", []int{2}, []float32{1})}},
			SaveOptions{}},
		"partial state": {State{Partial: true}, SaveOptions{}},
		"negative keep": {State{}, SaveOptions{Keep: -1}},
	} {
		dir := t.TempDir()
		path, err := Save(dir, &c.s, c.o)
		if err == nil || path != "" || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: path %q, error %v", name, path, err)
		}
		if _, err := Latest(dir); !errors.Is(err, ErrNoCheckpoint) {
			t.Errorf("%s: something was saved: %v", name, err)
		}
	}
	missing := filepath.Join(t.TempDir(), "missing")
	if _, err := Save(missing, stateOf(1, 64), SaveOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
}

// TestLatest puts files in a run directory that are not good checkpoints.
func TestLatest(t *testing.T) {
	dir := t.TempDir()
	sub := filepath.Join(dir, "checkpoints")
	_, err := Latest(filepath.Join(dir, "missing"))
	if !errors.Is(err, ErrNoCheckpoint) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
	for _, step := range []int{5, 9} {
		if _, err := Save(dir, stateOf(step, 64), SaveOptions{Best: step == 5}); err != nil {
			t.Fatal(err)
		}
	}
	put := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(sub, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	good, err := os.ReadFile(filepath.Join(sub, stepName(9)))
	if err != nil {
		t.Fatal(err)
	}
	var foreign strings.Builder
	if err := safetensors.Write(&foreign, nil, nil); err != nil {
		t.Fatal(err)
	}
	put("step-99.safetensors", good)                 // not our name
	put("step-9999999999.safetensors", good)         // beyond the last step
	put("notes.txt", nil)                            // foreign
	put(stepName(50)+tempSuffix, good)               // unfinished
	put(stepName(60), good)                          // renamed
	put(stepName(61), nil)                           // empty
	put(stepName(62), []byte(foreign.String()))      // no checkpoint
	put(stepName(63), append(slices.Clone(good), 0)) // longer than it says
	if err := os.Mkdir(filepath.Join(sub, stepName(70)), 0o755); err != nil {
		t.Fatal(err)
	}
	found, err := Latest(dir)
	if err != nil || found.State.Step != 9 || len(found.Skipped) != 5 {
		t.Fatalf("%+v, %v", found, err)
	}
	for i, step := range []int{70, 63, 62, 61, 60} {
		if !strings.Contains(found.Skipped[i].Error(), stepName(step)) {
			t.Errorf("skipped %v, wanted %s", found.Skipped[i], stepName(step))
		}
	}
	put(stepName(5), good[:100])
	put(stepName(9), good[:100])
	if found, err = Latest(dir); err != nil || found.State.Step != 5 ||
		filepath.Base(found.Path) != "best.safetensors" {
		t.Errorf("only the best is whole: %+v, %v", found, err)
	}
	put("best.safetensors", nil)
	_, err = Latest(dir)
	if !errors.Is(err, ErrNoCheckpoint) || !errors.Is(err, safetensors.ErrFormat) {
		t.Errorf("nothing is whole: %v", err)
	}
	for _, name := range []string{stepName(9), stepName(60), "best.safetensors"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
}

func TestWriteFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out")
	write := func(text string, fail error) error {
		return WriteFile(name, func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return errors.Join(err, fail)
		})
	}
	if err := write("one", nil); err != nil {
		t.Fatal(err)
	}
	if err := write("two", errFault); !errors.Is(err, errFault) || !strings.Contains(err.Error(), name) {
		t.Errorf("error %v", err)
	}
	if b, err := os.ReadFile(name); err != nil || string(b) != "one" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := os.Stat(name + tempSuffix); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the unfinished file is left: %v", err)
	}
	if err := write("three", nil); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(name); err != nil || string(b) != "three" {
		t.Errorf("%q, %v", b, err)
	}
}

func FuzzLoad(f *testing.F) {
	d := newMemDisk(run)
	path, err := save(d, run, stateOf(2, 64), SaveOptions{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(d.names[path].now)
	f.Add(d.names[path].now[:40])
	f.Fuzz(func(t *testing.T, b []byte) {
		d := newMemDisk(run)
		d.names[path] = &memData{now: b}
		s, err := load(d, path)
		if err == nil && s.Step != 2 {
			t.Fatalf("step %d came from the file of step 2", s.Step)
		}
		if err != nil && s != nil {
			t.Fatal("a state came with an error")
		}
	})
}
