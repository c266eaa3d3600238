package par

import (
	"fmt"
	"testing"
	"time"
)

// sink keeps the work of a benchmark alive: one cache line pair for each worker.
var sink [64][32]float64

// busy spends about n × 1 ns.
func busy(n, worker int) {
	x := sink[worker][0]
	for range n {
		x = x*0.5 + 1
	}
	sink[worker][0] = x
}

// calibrate returns the argument of busy that takes the given time on one core.
func calibrate(d time.Duration) int {
	const trial = 1_000_000
	best := time.Hour
	for range 5 {
		start := time.Now()
		busy(trial, 0)
		best = min(best, time.Since(start))
	}
	return max(1, int(trial*d/best))
}

// BenchmarkRun times an empty Run, and jobs of 3, 10 and 60 µs of serial work in 16 chunks, with 1 and 2 workers:
// spinning workers between runs that follow each other, sleeping ones after a pause of 200 µs, which is not
// counted.
func BenchmarkRun(b *testing.B) {
	for _, workers := range []int{1, 2} {
		p := open(b, workers)
		b.Run(fmt.Sprintf("empty/workers=%d", workers), func(b *testing.B) {
			fn := func(_, _ int) {}
			for b.Loop() {
				p.Run(16, fn)
			}
		})
	}
	for _, serial := range []time.Duration{3, 10, 60} {
		n := calibrate(serial * time.Microsecond / 16)
		fn := func(_, worker int) { busy(n, worker) }
		for _, workers := range []int{1, 2} {
			p := open(b, workers)
			b.Run(fmt.Sprintf("serial=%dus/workers=%d", serial, workers), func(b *testing.B) {
				for b.Loop() {
					p.Run(16, fn)
				}
			})
		}
		b.Run(fmt.Sprintf("serial=%dus/workers=2/asleep", serial), func(b *testing.B) { asleep(b, open(b, 2), fn) })
	}
}

// asleep times a Run that finds its workers asleep.
func asleep(b *testing.B, p *Pool, fn func(chunk, worker int)) {
	var spent time.Duration
	for range b.N {
		time.Sleep(200 * time.Microsecond)
		start := time.Now()
		p.Run(16, fn)
		spent += time.Since(start)
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "ns/op")
}
