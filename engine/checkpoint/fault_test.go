package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ganglion/engine/checkpoint/safetensors"
)

const run = "run"

// stateOf returns a state whose tensors follow from the step alone, with n bytes or so of them.
func stateOf(step, n int) *State {
	r := rand.New(rand.NewPCG(uint64(step), 7))
	w, ids, moment := make([]float32, 12), make([]int32, 5), make([]float64, 3)
	for i := range w {
		w[i] = r.Float32()
	}
	for i := range ids {
		ids[i] = int32(r.Uint32())
	}
	for i := range moment {
		moment[i] = r.NormFloat64()
	}
	bulk := bytes.Repeat(binary.LittleEndian.AppendUint64(nil, r.Uint64()), n/8)
	return &State{Step: step, Epoch: step / 10, Batch: step % 10, Seed: 1<<64 - 1, ConfigHash: "c0ffee",
		Best:     &Best{Step: step / 2, Metric: r.Float64()},
		Counters: []Counter{{"sampler", r.Uint64()}, {"patience", 3}},
		Tensors: []safetensors.Tensor{safetensors.Of("conv1/w", []int{4, 3}, w), safetensors.Of("ids", []int{5}, ids),
			safetensors.Of("adam/m", []int{3}, moment), safetensors.Of("bulk", []int{n / 8, 8}, bulk)}}
}

// sameState returns an error if got is not what stateOf gives for its step.
func sameState(got *State, n int) error {
	var a, b bytes.Buffer
	if err := errors.Join(got.encode(&a), stateOf(got.Step, n).encode(&b)); err != nil {
		return err
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		return fmt.Errorf("the state of step %d is not the one that was saved", got.Step)
	}
	return nil
}

// layout is what is on the disk before the save under test.
type layout struct {
	name  string
	steps []int // saved before, each as the best
	stale bool  // and what an interrupted save left
}

// disk prepares a layout.
func (l layout) disk(t *testing.T, n int) *memDisk {
	t.Helper()
	d := newMemDisk(run)
	for _, s := range l.steps {
		if _, err := save(d, run, stateOf(s, n), SaveOptions{Keep: 2, Best: true}); err != nil {
			t.Fatal(err)
		}
	}
	d = d.after(powerCut)
	if l.stale {
		d.names[filepath.Join(run, checkpointDir, stepName(40)+tempSuffix)] = &memData{now: []byte("half")}
		d.names[filepath.Join(run, checkpointDir, bestFile+tempSuffix)] = &memData{now: []byte("half")}
	}
	return d
}

// check returns an error unless the newest whole checkpoint loads: the new one if it must be there, else that or
// the one before.
func (l layout) check(d *memDisk, n, step int, must bool) error {
	found, err := latest(d, run)
	if err != nil {
		if errors.Is(err, ErrNoCheckpoint) && len(l.steps) == 0 && !must {
			return nil
		}
		return err
	}
	if err := sameState(found.State, n); err != nil {
		return err
	}
	got := found.State.Step
	if got != step && (must || len(l.steps) == 0 || got != l.steps[len(l.steps)-1]) {
		return fmt.Errorf("step %d was loaded (skipped %v)", got, found.Skipped)
	}
	if len(found.Skipped) > 0 {
		return fmt.Errorf("a checkpoint is damaged: %v", found.Skipped)
	}
	if len(l.steps) == 0 && !must {
		return nil
	}
	best, err := load(d, filepath.Join(run, checkpointDir, bestFile))
	if err != nil {
		return err
	}
	return sameState(best, n)
}

// TestFaultAtEveryCall fails and crashes a save at every call it makes, in every way, on every layout, and then
// loads what is left after a killed process and after each kind of power cut.
func TestFaultAtEveryCall(t *testing.T) {
	const n, step = writeBuffer + 8192, 40
	total := 0
	layouts := []layout{{"first", nil, false}, {"pruned", []int{10, 20, 30}, true}, {"second", []int{10}, false},
		{"stale", []int{10, 20}, true}, {"again", []int{20, 40}, false}}
	if testing.Short() {
		layouts = layouts[:2]
	}
	for _, l := range layouts {
		before := l.disk(t, n)
		for kind := range faultKinds {
			for k := 1; ; k++ {
				d := before.after(killed)
				d.fault = fault{k, kind}
				path, err := save(d, run, stateOf(step, n), SaveOptions{Keep: 2, Best: true})
				if !d.fired {
					if err != nil || k < 15 {
						t.Fatalf("%s: %d calls without a fault: %v", l.name, k, err)
					}
					break
				}
				total++
				if err == nil && kind != shortWrite { // the rest of a short write may be written by the next
					t.Fatalf("%s: fault %d at call %d: no error", l.name, kind, k)
				}
				for c := range cutsPerDisk {
					if err := l.check(d.after(c), n, step, path != ""); err != nil {
						t.Fatalf("%s: fault %d at call %d, cut %d: %v", l.name, kind, k, c, err)
					}
				}
				if err := next(d, n); err != nil {
					t.Fatalf("%s: fault %d at call %d: the save after it: %v", l.name, kind, k, err)
				}
			}
		}
	}
	t.Logf("%d faults", total)
	if total < 100*len(layouts) {
		t.Errorf("only %d faults", total)
	}
}

// next saves once more after a fault, in the same process if it lives, and checks that nothing is left over.
func next(d *memDisk, n int) error {
	if d.open != 0 {
		return fmt.Errorf("%d files stayed open", d.open)
	}
	if d.crashed {
		d = d.after(killed)
	}
	d.fault = fault{}
	if _, err := save(d, run, stateOf(50, n), SaveOptions{Keep: 2, Best: true}); err != nil {
		return err
	}
	d = d.after(powerCut)
	if err := (layout{}).check(d, n, 50, true); err != nil {
		return err
	}
	names, err := d.ReadDir(filepath.Join(run, checkpointDir))
	for _, name := range names {
		if strings.HasSuffix(name, tempSuffix) {
			return fmt.Errorf("%s is left", name)
		}
	}
	return err
}

// TestFaultAtEveryRead fails every call of a load: what comes back is an error or a right state.
func TestFaultAtEveryRead(t *testing.T) {
	const n = 4096
	l := layout{"", []int{10, 20}, false}
	for kind := range crashBefore {
		for k := 1; ; k++ {
			d := l.disk(t, n)
			d.fault = fault{k, kind}
			found, err := latest(d, run)
			if !d.fired {
				break
			}
			if err != nil {
				continue
			}
			if err := sameState(found.State, n); err != nil {
				t.Fatalf("fault %d at call %d: %v", kind, k, err)
			}
			if found.State.Step != 20 && len(found.Skipped) == 0 {
				t.Fatalf("fault %d at call %d: step %d without a word", kind, k, found.State.Step)
			}
		}
	}
}

// TestDiskFull gives the disk room for a multiple of 4 KiB, from nothing to more than enough.
func TestDiskFull(t *testing.T) {
	const n, points = 100_000, 64
	l := layout{"", []int{10}, false}
	saved := 0
	for p := range points {
		d := l.disk(t, n)
		d.room, d.limited = p*4096, true
		path, err := save(d, run, stateOf(40, n), SaveOptions{Best: true})
		if (err == nil) != (path != "") {
			t.Fatalf("%d bytes free: path %q, error %v", p*4096, path, err)
		}
		if err == nil {
			saved++
		}
		for c := range cutsPerDisk {
			if err := l.check(d.after(c), n, 40, path != ""); err != nil {
				t.Fatalf("%d bytes free, cut %d: %v", p*4096, c, err)
			}
		}
		d.room = 1 << 30
		if err := next(d, n); err != nil {
			t.Fatalf("after room was made: %v", err)
		}
	}
	if saved == 0 || saved == points {
		t.Errorf("%d of %d points had enough room", saved, points)
	}
}

// TestTruncationFallsBack cuts the newest checkpoint of 64 KiB at every length: the one before is loaded, and the
// cut is reported.
func TestTruncationFallsBack(t *testing.T) {
	d := newMemDisk(run)
	if _, err := save(d, run, stateOf(1, 64), SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	path, err := save(d, run, stateOf(2, 64_650), SaveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	whole := d.names[path].now
	if len(whole) < 65_000 || len(whole) > 1<<16 {
		t.Fatalf("the checkpoint has %d bytes", len(whole))
	}
	stride := 1
	if testing.Short() {
		stride = 37
	}
	for n := 0; n < len(whole); n += stride {
		d.names[path].now = whole[:n]
		found, err := latest(d, run)
		if err != nil || found.State.Step != 1 || len(found.Skipped) != 1 {
			t.Fatalf("cut to %d bytes: %+v, %v", n, found, err)
		}
	}
}

// TestBitRot flips bits of a checkpoint of 64 KiB: every flip is noticed.
func TestBitRot(t *testing.T) {
	d := newMemDisk(run)
	path, err := save(d, run, stateOf(2, 64_650), SaveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	whole := d.names[path].now
	r := rand.New(rand.NewPCG(11, 11))
	for i := range 10_000 {
		b := slices.Clone(whole)
		in := len(b)
		if i%2 == 0 {
			in = 1024 // half of the flips go to the header
		}
		for range 1 + i%4 {
			b[r.IntN(in)] ^= 1 << r.IntN(8)
		}
		if bytes.Equal(b, whole) {
			continue
		}
		d.names[path].now = b
		if s, err := load(d, path); err == nil {
			t.Fatalf("case %d: step %d was loaded from a damaged file", i, s.Step)
		}
	}
}
