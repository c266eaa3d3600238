package run

import (
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"strconv"
	"strings"

	"ganglion/engine/train"
)

// Forecast is the memory that a run will take. Resident is what the process holds before the training begins, with the
// data, the parameters and the program itself; Peak adds what the training is expected to take, and Worst what it takes
// if all of the reserve is needed, which is for samples that resist a solver.
type Forecast struct {
	train.Memory
	Baseline int `json:"baseline_bytes"` // of the plain network that is trained afterwards, for comparison
	Pictures int `json:"picture_bytes"`  // of drawing the structure, before that
	Resident int `json:"resident_bytes"`
	Peak     int `json:"peak_bytes"`
	Worst    int `json:"worst_bytes"`
}

// later is what a run takes that nobody counts: code that is read in when it first runs, stacks, and what is written to
// the log until it is collected: about 2 MiB with each of the models at hand. Two processes do not hold the same to the
// byte; margin is for that.
const later, margin = 2 << 20, 1 << 20

// What drawing takes: a canvas of 8 MiB, fonts and the encoder, and for each edge its path, its text and its entry in
// the lists, of which an SVG holds two. Fitted to networks of 100 to 400 nodes and 300 to 60,000 edges.
const pictures, pictureEdge = 14 << 20, 128

// After is what is taken after the training, on top of what that holds.
func (f Forecast) After() int { return max(f.Baseline, f.Pictures) }

// Forecast foretells the peak of the process's memory. It returns what loading has left over to the system first.
func (s *Session) Forecast(baseline bool) (Forecast, error) {
	m, err := s.Trainer.MemoryAt(s.Trainer.Options.Batch)
	if err != nil {
		return Forecast{}, err
	}
	f := Forecast{Memory: m}
	if baseline {
		b, err := s.baselineOf(s.Trainer.Store().Params().Size())
		if err != nil {
			return f, err
		}
		other, err := b.Trainer.MemoryAt(b.Trainer.Options.Batch)
		b.Close()
		if err != nil {
			return f, err
		}
		f.Baseline = other.Total() - other.Data
	}
	structure, err := s.snapshot()
	if err != nil {
		return f, err
	}
	if structure != nil {
		f.Pictures = pictures + pictureEdge*structure.Layout.Kept
	}
	debug.FreeOSMemory()
	now, before := resident()
	f.Resident = now
	f.Peak = max(now+m.Pending()+f.After()+later, before)
	f.Worst = max(now+m.Worst()+f.After()+later, before)
	return f, nil
}

// Afford refuses a run that would, at worst, take more than the session's budget. The error wraps ErrMemory and says
// what would fit.
func (s *Session) Afford(f Forecast) error {
	budget := s.Config.Train.Budget
	if budget == 0 || f.Worst <= budget {
		return nil
	}
	rest := budget - (f.Resident + f.After() + later + margin)
	batch, err := 0, error(nil)
	if rest > 0 {
		if batch, err = s.Trainer.LargestBatch(rest); err != nil {
			return err
		}
	}
	var ways []string
	if batch > 0 {
		ways = append(ways, fmt.Sprintf("--batch %d, the largest that fits", batch))
	}
	if s.Config.Train.DType == "f64" {
		ways = append(ways, "--dtype f32, which halves it")
	}
	if batch == 0 {
		ways = append(ways, "a smaller model or less data, since no mini-batch fits")
	}
	ways = append(ways, "--memory-budget "+Size(f.Worst+margin)+" or more")
	return fmt.Errorf("%w: the run would take up to %s, of which %s for a step on %d samples, %s for what is "+
		"held already; the budget is %s. Try %s", ErrMemory, Size(f.Worst), Size(f.Batch+f.Arena+f.Reserve),
		s.Trainer.Options.Batch, Size(f.Resident), Size(budget), strings.Join(ways, ", or "))
}

// afford refuses what takes a number of bytes more than the process holds already, if that is above the budget.
func (t *Trained) afford(more int) error {
	if t.Budget == 0 {
		return nil
	}
	debug.FreeOSMemory()
	now, before := resident()
	if need := max(now+more+later, before); need > t.Budget {
		return fmt.Errorf(
			"%w: this would take %s, of which %s is held already; the budget is %s. Try a file with fewer "+
				"rows, or --memory-budget %s or more",
			ErrMemory,
			Size(need),
			Size(now),
			Size(t.Budget),
			Size(need+margin),
		)
	}
	return nil
}

// Hold makes the process collect its garbage as often as it must to stay within a budget, in bytes; 0 is none. The
// function it returns lets go again.
func Hold(budget int) (release func()) {
	if budget == 0 {
		return func() {}
	}
	old := debug.SetMemoryLimit(int64(budget))
	return func() { debug.SetMemoryLimit(old) }
}

// overBudget gives an error of the trainer about the budget the mark by which the command knows it.
func overBudget(err error) error {
	if errors.Is(err, train.ErrBudget) {
		return fmt.Errorf("%w: %w; take a smaller model, or raise --memory-budget", ErrMemory, err)
	}
	return err
}

// units are the endings of a size, the longer before the shorter.
var units = []struct {
	name  string
	bytes float64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6},
	{"kB", 1e3}, {"KB", 1e3}, {"T", 1 << 40}, {"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"B", 1}}

// ParseSize reads a size such as 512MiB, 2GB, 1.5G or a number of bytes. It is above 0.
func ParseSize(text string) (int, error) {
	number, factor := strings.TrimSpace(text), 1.0
	for _, u := range units {
		if n, ok := cutSuffixFold(number, u.name); ok {
			number, factor = strings.TrimSpace(n), u.bytes
			break
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if bytes := v * factor; err == nil && bytes >= 1 && bytes < math.MaxInt64/2 && bytes <= math.MaxInt/2 {
		return int(bytes), nil
	}
	return 0, usage(fmt.Errorf("size %q: want a number above 0 with kB, MB, GB, KiB, MiB or GiB, as in 512MiB", text))
}

func cutSuffixFold(s, suffix string) (string, bool) {
	if len(s) < len(suffix) || !strings.EqualFold(s[len(s)-len(suffix):], suffix) {
		return s, false
	}
	return s[:len(s)-len(suffix)], true
}

// Size writes a number of bytes in mebibytes, rounded up.
func Size(bytes int) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%dKiB", (bytes+1<<10-1)>>10)
	}
	return fmt.Sprintf("%dMiB", (bytes+1<<20-1)>>20)
}
