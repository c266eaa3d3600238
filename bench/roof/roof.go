// Package roof measures what a machine can do at best: multiply-adds a second and bytes a second from each level of
// memory. A kernel's time is judged by the time that these rates allow it.
package roof

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/klauspost/cpuid/v2"

	"ganglion/internal/asm/vec"
	"ganglion/internal/cpu"
	"ganglion/internal/par"
)

// Machine is what was measured.
type Machine struct {
	CPU     string
	Path    cpu.Path // of Peak and Levels
	Threads int
	FMA     []FMA
	Levels  []Level // from the nearest to the farthest
}

// FMA is a rate of multiply-adds, on registers or on operands in the first-level cache. The second is what a matrix
// product can reach: the loads take nothing from the units that multiply, but power, and with it clock.
type FMA struct {
	Path    cpu.Path
	Bits    int // of a number: 32 or 64
	Threads int
	Loaded  bool    // each operand is loaded, a vector for nine products and a number for three vectors
	GFLOPS  float64 // a multiply-add is two operations
}

// Level is the rate of one level of memory, all threads together.
type Level struct {
	Name  string // l1, l2, l3, dram
	Bytes int    // what all threads together work on
	Read  float64
	Triad float64 // y += a·x: two reads and a write; both in GB/s
}

// Options of Measure.
type Options struct {
	Threads int
	Path    cpu.Path
	Each    time.Duration // spent on each rate
	DRAM    int           // bytes that count as main memory, 0 for a default
}

// attempts is how often each rate is measured: other processes come and go, and the best counts.
const attempts = 3

// Measure takes about 32 times o.Each. Its error is the context's.
func Measure(ctx context.Context, o Options) (Machine, error) {
	m := Machine{CPU: cpu.Name(), Path: o.Path, Threads: o.Threads, Levels: levels(o)}
	one, all := par.New(1), par.New(o.Threads)
	defer one.Close()
	defer all.Close()
	for _, path := range cpu.Paths() {
		for _, bits := range []int{32, 64} {
			for _, loaded := range []bool{false, true} {
				m.FMA = append(m.FMA, FMA{Path: path, Bits: bits, Threads: 1, Loaded: loaded})
				if o.Threads > 1 {
					m.FMA = append(m.FMA, FMA{Path: path, Bits: bits, Threads: o.Threads, Loaded: loaded})
				}
			}
		}
	}
	for range attempts {
		for i, f := range m.FMA {
			if err := ctx.Err(); err != nil {
				return m, err
			}
			pool := one
			if f.Threads > 1 {
				pool = all
			}
			m.FMA[i].GFLOPS = max(f.GFLOPS, peak(pool, f, o.Each/attempts))
		}
		for i, l := range m.Levels {
			if err := ctx.Err(); err != nil {
				return m, err
			}
			read, triad := bandwidth(all, o.Path, l.Bytes, o.Each/attempts)
			m.Levels[i].Read, m.Levels[i].Triad = max(l.Read, read), max(l.Triad, triad)
		}
	}
	return m, nil
}

// Peak is the rate in GFLOP/s of all threads on registers and on the machine's path, for numbers of the given bits.
func (m Machine) Peak(bits int) float64 {
	for _, f := range m.FMA {
		if f.Path == m.Path && f.Bits == bits && f.Threads == m.Threads && !f.Loaded {
			return f.GFLOPS
		}
	}
	return 0
}

// Bandwidth is the rate in GB/s of the nearest level that holds the given bytes: the better of reading and triad.
func (m Machine) Bandwidth(bytes float64) float64 {
	for i, l := range m.Levels {
		if bytes <= float64(l.Bytes) || i == len(m.Levels)-1 {
			return max(l.Read, l.Triad)
		}
	}
	return 0
}

// Seconds is the least time for so many operations on so many bytes of data, of which the working set is held in some
// level of memory.
func (m Machine) Seconds(flops, bytes, set float64, bits int) float64 {
	var t float64
	if peak := m.Peak(bits); flops > 0 && peak > 0 {
		t = flops / peak / 1e9
	}
	if rate := m.Bandwidth(set); bytes > 0 && rate > 0 {
		t = max(t, bytes/rate/1e9)
	}
	return t
}

// levels chooses, for each level of memory, the size that is worked on: half of a cache that a thread has for itself,
// and 6 MB a thread for the third level, which a machine may share with strangers.
func levels(o Options) []Level {
	l1, l2 := cpuid.CPU.Cache.L1D, cpuid.CPU.Cache.L2
	if l1 <= 0 {
		l1 = 32 << 10
	}
	if l2 <= l1 {
		l2 = 16 * l1
	}
	if o.DRAM == 0 {
		o.DRAM = 512 << 20
	}
	return []Level{
		{Name: "l1", Bytes: o.Threads * l1 / 2},
		{Name: "l2", Bytes: o.Threads * l2 / 2},
		{Name: "l3", Bytes: min(o.Threads*max(6<<20, 2*l2), o.DRAM)},
		{Name: "dram", Bytes: o.DRAM},
	}
}

// operands are what the multiply-adds with loads read: two steps of 9 rows and 3 vectors of 64 bytes.
type operands struct {
	a32, b32 []float32
	a64, b64 []float64
}

// newOperands returns numbers of many digits and both signs, whose sums of products stay small.
func newOperands() *operands {
	const rows, bytes = 2 * 9, 2 * 3 * 64
	o := &operands{make([]float32, rows), make([]float32, bytes/4), make([]float64, rows), make([]float64, bytes/8)}
	for i := range o.b32 {
		x := math.Sin(float64(i + 1))
		o.b32[i] = float32(x)
		if i < len(o.b64) {
			o.b64[i] = x
		}
		if i < rows {
			o.a32[i], o.a64[i] = float32(x), x
		}
	}
	return o
}

// peak is the best rate in GFLOP/s of a few attempts.
func peak(pool *par.Pool, f FMA, each time.Duration) float64 {
	const rounds, chunks = 4000, 16
	ops := make([]float64, pool.Workers())
	body := func(_, worker int) { ops[worker] += multiplyAdd(f.Path, f.Bits/8, rounds) * rounds }
	if f.Loaded {
		o := newOperands()
		body = func(_, worker int) { ops[worker] += multiplyLoaded(f.Path, f.Bits/8, rounds, o) * rounds }
	}
	return best(each, func() float64 {
		clear(ops)
		pool.Run(chunks*pool.Workers(), body)
		var sum float64
		for _, n := range ops {
			sum += n
		}
		return sum
	})
}

// best calls work again and again for a time, and returns the largest amount a nanosecond.
func best(each time.Duration, work func() float64) float64 {
	var rate float64
	for start, n := time.Now(), 0; n < 3 || time.Since(start) < each; n++ {
		t := time.Now()
		amount := work()
		rate = max(rate, amount/float64(max(time.Since(t), 1)))
	}
	return rate
}

// bandwidth works on arrays of the given bytes together. Each worker has its own, which it reads in segments, so that
// the caches near to it keep what is its own.
func bandwidth(pool *par.Pool, path cpu.Path, total int, each time.Duration) (read, triad float64) {
	workers := pool.Workers()
	n := max(64, total/workers/8/16*16) // two arrays of 4-byte numbers a worker
	x, y := make([][]float32, workers), make([][]float32, workers)
	for w := range workers {
		x[w], y[w] = make([]float32, n), make([]float32, n)
		for i := range n {
			x[w][i] = 1
		}
	}
	const segment = 16 << 10
	seg := min(n, segment)
	parts := n / seg
	passes := max(1, (1<<18)/(seg*parts)) // so that a job is long against the start of its workers
	v := vec.F32(path)
	moved := make([]float64, workers)
	sink := make([]float64, workers)
	run := func(body func(chunk, worker int)) float64 {
		return best(each, func() float64 {
			clear(moved)
			pool.Run(parts*workers, body)
			var sum float64
			for _, b := range moved {
				sum += b
			}
			return sum
		})
	}
	cut := func(chunk int) (lo, hi int) { lo = chunk % parts * seg; return lo, lo + seg }
	read = run(func(chunk, w int) {
		lo, hi := cut(chunk)
		for range passes {
			sink[w] += float64(v.Sum(x[w][lo:hi])) + float64(v.Sum(y[w][lo:hi]))
		}
		moved[w] += float64(passes * seg * 8)
	})
	triad = run(func(chunk, w int) {
		lo, hi := cut(chunk)
		for range passes {
			v.Axpy(y[w][lo:hi], 1e-9, x[w][lo:hi])
		}
		moved[w] += float64(passes * seg * 12)
	})
	if slices.ContainsFunc(sink, math.IsNaN) {
		return math.NaN(), math.NaN() // the sums are of finite numbers: keeps the reads from being left out
	}
	return read, triad
}

// multiplyAddGo runs n rounds of eight independent multiply-adds in plain Go, and returns the operations of a round.
func multiplyAddGo[T float32 | float64](n int) float64 {
	var a, b, c, d, e, f, g, h T = 1, 2, 3, 4, 5, 6, 7, 8
	const x, y = 0.999, 1e-3
	for range n {
		a, b, c, d = a*x+y, b*x+y, c*x+y, d*x+y
		e, f, g, h = e*x+y, f*x+y, g*x+y, h*x+y
	}
	if a+b+c+d+e+f+g+h == 0 {
		return 0 // never: the numbers tend to 1
	}
	return 16
}
