// Package par runs the chunks of a kernel on a fixed set of worker goroutines.
//
// A Pool hands out chunks of work by claiming: every worker, the caller first of all, takes the next chunk until
// none is left, and only claimed chunks are waited for. A worker that the operating system does not schedule
// therefore delays nobody, which barriers between all workers would do. Workers spin for a few tens of microseconds
// between jobs, so that the kernels of one training step find them awake, and then sleep.
//
// Which worker runs which chunk is up to chance. Results that must not depend on the number of workers are had by
// cutting work by size and by giving every chunk its own output.
package par

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// spinTime is how long a worker without work spins before it sleeps. Waking it costs the caller about 5 µs.
	spinTime = 50 * time.Microsecond
	// spinPolls is the number of looks at the job between two looks at the clock.
	spinPolls = 32
	// patience is the number of looks at the count of finished chunks before the caller lets other goroutines run.
	patience = 2000
)

// pad keeps neighbours in a struct on separate cache lines; processors fetch lines in pairs, so 128 bytes.
type pad [128]byte

// Pool is a set of workers that claim the chunks of one job at a time. Its methods may be called by any goroutine.
type Pool struct {
	mu     sync.Mutex // held by the Run that owns the workers
	fn     func(chunk, worker int)
	total  int64
	caller atomic.Uintptr // the goroutine that holds mu, or 0
	slots  []slot         // one for each worker; the caller of Run uses slot 0
	spin   bool           // workers spin before they sleep
	closed atomic.Bool
	ended  sync.WaitGroup

	failing sync.Mutex // guards failure while chunks run
	failure *Panic

	_    pad
	left atomic.Int64 // chunks not yet claimed; a claim is a decrement to a value >= 0
	_    pad
	done atomic.Int64 // chunks of this job that ended or were cancelled
	_    pad
}

// slot is the state of one worker goroutine.
type slot struct {
	goroutine atomic.Uintptr
	parked    atomic.Bool
	wake      chan struct{}
	_         pad
}

// Panic is the value with which Run panics after a chunk has panicked. Chunks that were claimed at that time ended
// first, those that were not were never started. Of several panics the one of the lowest chunk is kept.
type Panic struct {
	Chunk, Worker int
	Value         any    // what the chunk panicked with
	Stack         []byte // stack of the worker
}

// Error says which chunk panicked, with what, and where.
func (e *Panic) Error() string {
	return fmt.Sprintf("par: chunk %d on worker %d panicked: %v\n%s", e.Chunk, e.Worker, e.Value, e.Stack)
}

// Unwrap returns the value of the panic if it is an error, else nil.
func (e *Panic) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// New starts a pool of the given number of workers, of which the caller of Run is one: a pool of one worker has no
// goroutines and runs everything inline. Numbers below 1 count as 1. More workers than GOMAXPROCS are allowed; they
// then sleep between jobs and do not spin. The pool must be closed to free its goroutines.
func New(workers int) *Pool {
	workers = max(workers, 1)
	p := &Pool{slots: make([]slot, workers), spin: workers <= runtime.GOMAXPROCS(0)}
	p.ended.Add(workers - 1)
	for w := 1; w < workers; w++ {
		p.slots[w].wake = make(chan struct{}, 1)
		go p.work(w)
	}
	return p
}

// Workers returns the number of workers, the caller of Run included: worker numbers are below it.
func (p *Pool) Workers() int { return len(p.slots) }

// Run calls fn(chunk, worker) once for every chunk in 0 ≤ chunk < total and returns when all calls have returned.
// Chunks are begun in order. Calls with different worker numbers may run at the same time, calls with the same worker
// number never do. A total of 0 is a no-op. Run does not allocate; the caller should keep fn, because a closure that is
// made for each call does.
//
// A Run from inside a chunk of the same pool runs inline, on the worker of that chunk. Two goroutines that call Run
// on one pool take turns, so a chunk must not wait for another goroutine's Run. A closed pool runs everything
// inline.
//
// If a call of fn panics, no further chunks are started, and Run panics with a *Panic when the running ones have ended.
// A negative total is a bug of the caller, and panics.
func (p *Pool) Run(total int, fn func(chunk, worker int)) {
	if total < 0 {
		panic(fmt.Sprintf("par: Run: negative number of chunks %d", total))
	}
	if total == 0 {
		return
	}
	self := goroutine()
	if !p.mu.TryLock() {
		if worker := p.workerOf(self); worker >= 0 {
			inline(total, worker, fn)
			return
		}
		p.mu.Lock()
	}
	p.caller.Store(self)
	defer p.finish()
	p.fn, p.total = fn, int64(total)
	p.done.Store(0)
	p.left.Store(int64(total))
	if total > 1 && len(p.slots) > 1 {
		p.wakeUp(total - 1)
	}
	p.help(0)
}

// finish waits for the claimed chunks, gives the pool free, and panics if a chunk did.
func (p *Pool) finish() {
	for polls := 0; p.done.Load() != p.total; polls++ {
		if polls < patience {
			pause(1)
		} else {
			runtime.Gosched()
		}
	}
	failure := p.failure
	p.failure, p.fn = nil, nil
	p.caller.Store(0)
	p.mu.Unlock()
	if failure != nil {
		panic(failure)
	}
}

// help claims and runs chunks until none is left. What a claim reads of the job was written before the chunks were
// offered, and is not changed before all of them are counted as done; an outdated view of left is therefore harmless.
func (p *Pool) help(worker int) {
	chunk, ran := int64(-1), int64(0)
	defer func() {
		if chunk >= 0 {
			p.fail(int(chunk), worker, recover())
			ran++
		}
		if ran > 0 {
			p.done.Add(ran)
		}
	}()
	for p.left.Load() > 0 {
		left := p.left.Add(-1)
		if left < 0 {
			return
		}
		chunk = p.total - 1 - left
		p.fn(int(chunk), worker)
		chunk = -1
		ran++
	}
}

// fail cancels the chunks that nobody has claimed and records the panic of a chunk. Without a value the chunk has ended
// its goroutine; the caller of Run then simply ends too, but must be told when it was a worker.
func (p *Pool) fail(chunk, worker int, value any) {
	if left := p.left.Swap(0); left > 0 {
		p.done.Add(left)
	}
	if value == nil && worker > 0 {
		value = "runtime.Goexit was called"
	}
	if value == nil {
		return
	}
	f := newPanic(chunk, worker, value)
	p.failing.Lock()
	defer p.failing.Unlock()
	if p.failure == nil || f.Chunk < p.failure.Chunk {
		p.failure = f
	}
}

// newPanic wraps a recovered value, with the stack, which is still that of the panic. The panic of a nested Run is
// passed on as it is.
func newPanic(chunk, worker int, value any) *Panic {
	if inner, ok := value.(*Panic); ok {
		return inner
	}
	return &Panic{Chunk: chunk, Worker: worker, Value: value, Stack: debug.Stack()}
}

// inline runs all chunks on the calling goroutine.
func inline(total, worker int, fn func(chunk, worker int)) {
	chunk := 0
	defer func() {
		if chunk < total {
			if v := recover(); v != nil {
				panic(newPanic(chunk, worker, v))
			}
		}
	}()
	for ; chunk < total; chunk++ {
		fn(chunk, worker)
	}
}

// workerOf returns the number of the worker that runs on the given goroutine, or -1.
func (p *Pool) workerOf(self uintptr) int {
	if p.caller.Load() == self {
		return 0
	}
	for w := 1; w < len(p.slots); w++ {
		if p.slots[w].goroutine.Load() == self {
			return w
		}
	}
	return -1
}

// wakeUp wakes up to n sleeping workers.
func (p *Pool) wakeUp(n int) {
	for w := 1; w < len(p.slots) && n > 0; w++ {
		s := &p.slots[w]
		if s.parked.Load() && s.parked.CompareAndSwap(true, false) {
			s.wake <- struct{}{}
			n--
		}
	}
}

// work is the body of a worker goroutine. A chunk that ends its goroutine (runtime.Goexit) costs the pool no worker.
func (p *Pool) work(worker int) {
	defer func() {
		if p.closed.Load() {
			p.ended.Done()
			return
		}
		go p.work(worker)
	}()
	p.slots[worker].goroutine.Store(goroutine())
	for !p.closed.Load() {
		p.help(worker)
		p.await(worker)
	}
}

// await returns when there may be work, or the pool is closed: it spins for a while, and then sleeps.
func (p *Pool) await(worker int) {
	if p.spin {
		for start := time.Now(); time.Since(start) < spinTime; {
			for range spinPolls {
				if p.left.Load() > 0 || p.closed.Load() {
					return
				}
				pause(1)
			}
		}
	}
	s := &p.slots[worker]
	s.parked.Store(true)
	if (p.left.Load() > 0 || p.closed.Load()) && s.parked.CompareAndSwap(true, false) {
		return
	}
	<-s.wake
}

// Close ends the worker goroutines and returns when they have ended. It waits for a running Run of another
// goroutine, may be called twice, and must not be called from inside a chunk: that panics.
func (p *Pool) Close() {
	if !p.mu.TryLock() {
		if p.workerOf(goroutine()) >= 0 {
			panic("par: Close: called from inside a chunk")
		}
		p.mu.Lock()
	}
	defer p.mu.Unlock()
	p.closed.Store(true)
	p.wakeUp(len(p.slots))
	p.ended.Wait()
}

// Await returns when counter has reached want. It is for chunks that build upon others of the same job: those of lower
// numbers, which have been claimed before. It spins, and lets other goroutines run after a while.
func Await(counter *atomic.Int32, want int32) {
	for polls := 0; counter.Load() < want; polls++ {
		if polls < patience {
			pause(1)
		} else {
			runtime.Gosched()
		}
	}
}
