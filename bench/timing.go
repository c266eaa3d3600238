package bench

import (
	"context"
	"math"
	"runtime"
	"slices"
	"time"
)

// Timing is what repetitions of one case took.
type Timing struct {
	Median, Min, Max float64 // seconds
	Reps             int
	Other            float64 // cores that other processes used meanwhile; -1 where the system cannot tell
}

// Limits of a measurement.
const (
	leastReps   = 7
	mostReps    = 300
	repetition  = 2 * time.Millisecond   // shorter steps are timed several at a time
	part        = 300 * time.Millisecond // repetitions are judged by what others did during such parts
	quiet       = 0.15                   // cores used by others, above which a part is set aside
	patience    = 2                      // times the budget that is spent when the machine is not quiet
	warmUpSteps = 3
	warmUpTime  = 100 * time.Millisecond
)

// portion is some repetitions, and what others did meanwhile.
type portion struct {
	times []float64
	other float64
}

// measure times step: after a warm-up, for about the budget, or the given number of repetitions if reps is positive.
func measure(ctx context.Context, step func() error, budget time.Duration, reps int) (Timing, error) {
	inner, err := warmUp(step, min(warmUpTime, budget))
	if err != nil {
		return Timing{}, err
	}
	least, most, room := leastReps, mostReps, math.MaxInt
	if reps > 0 {
		least, most, room = reps, reps, reps
	}
	var portions []portion
	var quietTime time.Duration
	quietReps, all := 0, 0
	for start := time.Now(); ; {
		if err := ctx.Err(); err != nil {
			return Timing{}, err
		}
		p, took, err := repeat(step, inner, min(part, budget), room-all)
		if err != nil {
			return Timing{}, err
		}
		portions = append(portions, p)
		all += len(p.times)
		if p.other < quiet {
			quietTime += took
			quietReps += len(p.times)
		}
		enough := quietTime >= budget && quietReps >= least
		late := time.Since(start) >= patience*budget
		if all >= most || reps <= 0 && all >= least && (enough || late) {
			break
		}
	}
	return summary(portions, least), nil
}

// warmUp runs step for a while, and returns how many make up one repetition.
func warmUp(step func() error, d time.Duration) (inner int, err error) {
	runtime.GC()
	last := time.Duration(0)
	for n, start := 0, time.Now(); n < warmUpSteps || time.Since(start) < d; n++ {
		t := time.Now()
		if err := step(); err != nil {
			return 0, err
		}
		last = time.Since(t)
	}
	return max(1, int(repetition/max(last, 1))), nil
}

// repeat takes repetitions for about d, at most the given number of them.
func repeat(step func() error, inner int, d time.Duration, most int) (portion, time.Duration, error) {
	var p portion
	watch := startWatch()
	start := time.Now()
	for len(p.times) == 0 || len(p.times) < most && time.Since(start) < d {
		t := time.Now()
		for range inner {
			if err := step(); err != nil {
				return p, 0, err
			}
		}
		p.times = append(p.times, time.Since(t).Seconds()/float64(inner))
	}
	took := time.Since(start)
	p.other = watch.others(took)
	return p, took, nil
}

// summary takes the quietest portions: all quiet ones, and more until there are enough repetitions.
func summary(portions []portion, least int) Timing {
	slices.SortStableFunc(portions, func(a, b portion) int {
		switch {
		case a.other < b.other:
			return -1
		case a.other > b.other:
			return 1
		}
		return 0
	})
	var t Timing
	var times []float64
	for _, p := range portions {
		if p.other >= quiet && len(times) >= least {
			break
		}
		times = append(times, p.times...)
		t.Other = p.other
	}
	slices.Sort(times)
	t.Reps = len(times)
	t.Min, t.Max = times[0], times[t.Reps-1]
	t.Median = (times[(t.Reps-1)/2] + times[t.Reps/2]) / 2
	return t
}
