package run

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ganglion/engine/train"
)

// variants are networks that use, between them, every kind of state: moments, structures kept for some steps, warm
// starts, dropout.
var variants = []struct {
	name, model string
	set         []string
}{
	{"nm", "module/nm", []string{"nodes=24", "keep=0.1"}},
	{
		"nm every 3, warm",
		"module/nm",
		[]string{"nodes=24", "keep=0.1", "restructure_every=3", "warm=true", "train.optimiser=adamw",
			"train.weight_decay=0.01", "train.clip=1"},
	},
	{
		"nm l1, newton",
		"module/nm",
		[]string{"nodes=20", "keep=60", "reg=l1", "alpha=0.01", "solver=newton", "train.optimiser=momentum"},
	},
	{"mlp with dropout", "module/mlp", []string{"hidden=24", "dropout=0.3", "train.schedule=step", "train.warmup=5"}},
	{
		"deq warm, anderson",
		"module/deq",
		[]string{"nodes=20", "warm=true", "solver=anderson", "train.optimiser=sgd", "train.lr=0.05"},
	},
}

// run35 trains 35 steps, the last of the 17 to 18 of an epoch being short, and returns all reports and the whole state.
func run35(t *testing.T, c Config) ([]train.Epoch, []byte) {
	t.Helper()
	c.Train.Batch, c.Train.Epochs = 230, 2
	s := prepare(t, c)
	var seen []train.Epoch
	if _, err := s.Trainer.Fit(context.Background(), train.Hooks{Epoch: epochs(&seen)}); err != nil {
		t.Fatal(err)
	}
	if n := s.Trainer.Position().Step; n < 30 {
		t.Fatalf("%d steps are too few", n)
	}
	return seen, stateBytes(t, s)
}

// TestSameBits: parameters, optimiser, reports and the rest of the state do not depend on the number of threads.
func TestSameBits(t *testing.T) {
	for _, v := range variants {
		for _, dtype := range []string{"f32", "f64"} {
			t.Run(v.name+"/"+dtype, func(t *testing.T) {
				c := configure(t, v.model, "gas", append(v.set, "train.dtype="+dtype)...)
				c.Train.Threads = 1
				reports, state := run35(t, c)
				for _, threads := range []int{2, 4} {
					c.Train.Threads = threads
					gotReports, got := run35(t, c)
					if d := cmp.Diff(reports, gotReports, cmpopts.EquateNaNs(),
						cmp.AllowUnexported(train.Solver{})); d != "" {
						t.Errorf("%d threads: reports differ (-1 thread +%d)\n%s", threads, threads, d)
					}
					if !bytes.Equal(state, got) {
						t.Errorf("%d threads: the states differ", threads)
					}
				}
			})
		}
	}
}

// TestSeedMatters: another seed is another run, or TestSameBits would show nothing.
func TestSeedMatters(t *testing.T) {
	c := configure(t, "module/mlp", "iris", "hidden=5", "train.epochs=1")
	one := prepare(t, c)
	c.Train.Seed = 2
	two := prepare(t, c)
	c.Train.Seed = 0
	none := prepare(t, c)
	a, b, z := stateBytes(t, one), stateBytes(t, two), stateBytes(t, none)
	if bytes.Equal(a, b) || bytes.Equal(b, z) || bytes.Equal(a, z) {
		t.Error("the seeds 0, 1 and 2 give equal parameters")
	}
}

// TestRestore stops runs at every kind of place, goes on in a new session, and compares with a run that was not
// stopped.
func TestRestore(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			c := configure(t, v.model, "wine", append(v.set, "train.batch=25", "train.epochs=3", "train.threads=2")...)
			whole := prepare(t, c)
			var want []train.Epoch
			out, err := whole.Trainer.Fit(context.Background(), train.Hooks{Epoch: epochs(&want)})
			if err != nil {
				t.Fatal(err)
			}
			per := whole.Trainer.StepsPerEpoch()
			for _, at := range []int{0, 1, per - 1, per, 2*per + 2, 3 * per} {
				got, again, s := stoppedAt(t, c, at)
				if d := cmp.Diff(want, got, cmp.AllowUnexported(train.Solver{})); d != "" {
					t.Errorf("stopped at step %d: reports differ (-whole +resumed)\n%s", at, d)
				}
				if !bytes.Equal(stateBytes(t, whole), stateBytes(t, s)) {
					t.Errorf("stopped at step %d: the states differ", at)
				}
				if d := cmp.Diff(solverOf(out.Solver), solverOf(again.Solver)); d != "" ||
					out.Skipped != again.Skipped {
					t.Errorf("stopped at step %d: the totals differ: %s", at, d)
				}
			}
		})
	}
}

// stoppedAt runs c to a step, and goes on from its snapshot in a new session to the end.
func stoppedAt(t *testing.T, c Config, step int) ([]train.Epoch, train.Outcome, *Session) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	first, second := prepare(t, c), prepare(t, c)
	var seen []train.Epoch
	if step == 0 {
		cancel()
	}
	h := train.Hooks{Epoch: epochs(&seen), Step: func(n, _ int, _ float64) error {
		if n == step {
			cancel()
		}
		return nil
	}}
	saved := 0
	h.Save = func() error {
		saved++
		state, err := first.Trainer.Snapshot()
		if err != nil {
			return err
		}
		return second.Trainer.Restore(state)
	}
	_, err := first.Trainer.Fit(ctx, h)
	last := step == first.Trainer.TotalSteps()
	if last != (err == nil) || !last && !errors.Is(err, context.Canceled) || saved == 0 {
		t.Fatalf("stopped at step %d: error %v, saved %d times", step, err, saved)
	}
	if n := first.Trainer.Position().Step; n != step {
		t.Fatalf("stopped at step %d, wanted %d", n, step)
	}
	out, err := second.Trainer.Fit(context.Background(), train.Hooks{Epoch: epochs(&seen)})
	if err != nil {
		t.Fatal(err)
	}
	return seen, out, second
}

// TestStepAllocatesNothing measures steps inside of an epoch, with a full batch and with the last, shorter one.
func TestStepAllocatesNothing(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			s := prepare(
				t,
				configure(
					t,
					v.model,
					"gas",
					append(v.set, "train.threads=2", "train.epochs=100", "train.batch=400")...),
			)
			tr := s.Trainer
			step := func() {
				if _, err := tr.Step(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			per := tr.StepsPerEpoch()
			for range per + 1 {
				step()
			}
			if n := testing.AllocsPerRun(per-4, step); n != 0 {
				t.Errorf("a full step allocates %v times", n)
			}
			short := 0.0
			for range 3 {
				for tr.Position().Batch != per-1 {
					step()
				}
				short += mallocs(step)
			}
			if short != 0 {
				t.Errorf("3 short steps allocate %v times", short)
			}
		})
	}
}

// mallocs counts the allocations of one call.
func mallocs(f func()) float64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs - before.Mallocs)
}

// TestNothingLeaks: sessions that are closed leave no threads behind.
func TestNothingLeaks(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		s, err := Prepare(context.Background(), configure(t, "module/mlp", "iris", "hidden=3", "train.threads=4"))
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	for range 100 { // threads end in their own time
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
	}
	if after := runtime.NumGoroutine(); after > before+3 {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}
