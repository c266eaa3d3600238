package par

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var workerCounts = []int{1, 2, 3, 4, 8}

// open starts a pool that is closed at the end of the test.
func open(t testing.TB, workers int) *Pool {
	t.Helper()
	p := New(workers)
	t.Cleanup(p.Close)
	return p
}

// each runs a test for every number of workers.
func each(t *testing.T, test func(t *testing.T, p *Pool)) {
	for _, workers := range workerCounts {
		t.Run(fmt.Sprintf("workers=%d", workers), func(t *testing.T) { test(t, open(t, workers)) })
	}
}

// counter counts the calls for each chunk, and notices two calls at once on one worker.
type counter struct {
	calls []atomic.Int32
	busy  [64]atomic.Int32
	wrong atomic.Int32
}

func (c *counter) chunk(chunk, worker int) {
	if c.busy[worker].Add(1) != 1 {
		c.wrong.Add(1)
	}
	c.calls[chunk].Add(1)
	c.busy[worker].Add(-1)
}

func (c *counter) check(t *testing.T, what string) {
	t.Helper()
	for i := range c.calls {
		if n := c.calls[i].Load(); n != 1 {
			t.Fatalf("%s: chunk %d ran %d times", what, i, n)
		}
	}
	if n := c.wrong.Load(); n != 0 {
		t.Fatalf("%s: %d chunks met another one on their worker", what, n)
	}
}

func TestEveryChunkOnce(t *testing.T) {
	each(t, func(t *testing.T, p *Pool) {
		for _, total := range []int{0, 1, 2, 3, 7, 16, 100, 1023, 65535, 65536, 65537, 200_000} {
			c := counter{calls: make([]atomic.Int32, total)}
			p.Run(total, c.chunk)
			c.check(t, fmt.Sprintf("total %d", total))
		}
		for round := range 3000 {
			c := counter{calls: make([]atomic.Int32, round%9)}
			p.Run(len(c.calls), c.chunk)
			c.check(t, fmt.Sprintf("round %d", round))
			if round%1000 == 0 {
				time.Sleep(time.Millisecond) // the workers sleep
			}
		}
	})
}

func TestWorkerNumbers(t *testing.T) {
	for _, c := range []struct{ ask, get int }{{-3, 1}, {0, 1}, {1, 1}, {5, 5}} {
		p := open(t, c.ask)
		if p.Workers() != c.get {
			t.Errorf("New(%d).Workers() = %d, want %d", c.ask, p.Workers(), c.get)
		}
	}
	each(t, func(t *testing.T, p *Pool) {
		p.Run(1000, func(_, worker int) {
			if worker < 0 || worker >= p.Workers() {
				t.Errorf("worker %d of %d", worker, p.Workers())
			}
		})
	})
}

// TestAllWorkersHelp has chunks that wait for each other, one for each worker, so that they only end if all workers
// take one.
func TestAllWorkersHelp(t *testing.T) {
	each(t, func(t *testing.T, p *Pool) {
		for range 20 {
			var met sync.WaitGroup
			met.Add(p.Workers())
			p.Run(p.Workers(), func(_, _ int) {
				met.Done()
				met.Wait()
			})
		}
	})
}

func TestNestedRunStaysOnItsWorker(t *testing.T) {
	each(t, func(t *testing.T, p *Pool) {
		outer := counter{calls: make([]atomic.Int32, 40)}
		inner := counter{calls: make([]atomic.Int32, 40*50)}
		p.Run(40, func(chunk, worker int) {
			outer.chunk(chunk, worker)
			p.Run(10, func(middle, w int) {
				p.Run(5, func(low, w int) {
					if w != worker {
						t.Errorf("chunk %d of worker %d has a nested chunk on worker %d", chunk, worker, w)
					}
					inner.chunk(chunk*50+middle*5+low, w)
				})
			})
		})
		outer.check(t, "outer")
		inner.check(t, "inner")
	})
}

func TestCallersTakeTurns(t *testing.T) {
	each(t, func(t *testing.T, p *Pool) {
		var callers sync.WaitGroup
		var inside, wrong atomic.Int32
		for caller := range 6 {
			callers.Go(func() {
				for range 200 {
					owner := false
					c := counter{calls: make([]atomic.Int32, caller+1)}
					p.Run(len(c.calls), func(chunk, worker int) {
						if chunk == 0 {
							owner = inside.Add(1) == 1
						}
						c.chunk(chunk, worker)
						if chunk == 0 {
							inside.Add(-1)
						}
					})
					if !owner {
						wrong.Add(1)
					}
					c.check(t, "concurrent callers")
				}
			})
		}
		callers.Wait()
		if n := wrong.Load(); n != 0 {
			t.Errorf("%d jobs ran beside another one", n)
		}
	})
}

// caught runs f and returns the *Panic with which it ended.
func caught(t *testing.T, f func()) (failure *Panic) {
	t.Helper()
	defer func() {
		v := recover()
		got, ok := v.(*Panic)
		if !ok {
			t.Fatalf("panicked with %v, want a *Panic", v)
		}
		failure = got
	}()
	f()
	return nil
}

func explode(chunk, _ int) {
	if chunk == 5 {
		panic(fmt.Errorf("chunk five: %w", io.ErrUnexpectedEOF))
	}
}

func TestPanicReachesTheCaller(t *testing.T) {
	each(t, func(t *testing.T, p *Pool) {
		for _, total := range []int{6, 100, 100_000} {
			var running, started atomic.Int32
			failure := caught(t, func() {
				p.Run(total, func(chunk, worker int) {
					running.Add(1)
					started.Add(1)
					defer running.Add(-1)
					explode(chunk, worker)
					if chunk > 5 {
						time.Sleep(50 * time.Microsecond)
					}
				})
			})
			if n := running.Load(); n != 0 {
				t.Errorf("%d chunks still run", n)
			}
			if failure.Chunk != 5 || !errors.Is(failure, io.ErrUnexpectedEOF) {
				t.Errorf("caught %v, want the error of chunk 5", failure)
			}
			if !strings.Contains(failure.Error(), "explode") {
				t.Errorf("the stack does not name the function that panicked:\n%v", failure)
			}
			if n := int(started.Load()); total == 100_000 && n == total {
				t.Errorf("all %d chunks were started although chunk 5 panicked", n)
			}
			c := counter{calls: make([]atomic.Int32, 100)}
			p.Run(100, c.chunk)
			c.check(t, "after the panic")
		}
	})
}

func TestAllChunksPanic(t *testing.T) {
	each(t, func(t *testing.T, p *Pool) {
		for range 100 {
			failure := caught(t, func() { p.Run(20, func(chunk, _ int) { panic(chunk) }) })
			if failure.Value != failure.Chunk || failure.Unwrap() != nil {
				t.Fatalf("caught value %v of chunk %d", failure.Value, failure.Chunk)
			}
		}
	})
}

func TestNestedPanicIsWrappedOnce(t *testing.T) {
	each(t, func(t *testing.T, p *Pool) {
		failure := caught(t, func() {
			p.Run(3, func(_, _ int) { p.Run(9, explode) })
		})
		if failure.Chunk != 5 || !errors.Is(failure, io.ErrUnexpectedEOF) {
			t.Errorf("caught %v, want the error of the nested chunk 5", failure)
		}
	})
}

// TestGoexit ends goroutines from inside chunks: a worker's as a panic, the caller's as asked.
func TestGoexit(t *testing.T) {
	p := open(t, 2)
	caller, ended := make(chan bool, 1), make(chan struct{})
	go func() {
		defer close(ended)
		p.Run(8, func(_, worker int) {
			if worker == 0 {
				caller <- true
				runtime.Goexit()
			}
			time.Sleep(time.Millisecond)
		})
	}()
	<-ended
	if !<-caller {
		t.Error("the caller took no chunk")
	}
	failure := caught(t, func() {
		p.Run(100, func(_, worker int) {
			if worker == 1 {
				runtime.Goexit()
			}
			time.Sleep(100 * time.Microsecond)
		})
	})
	if failure.Worker != 1 || !strings.Contains(failure.Error(), "Goexit") {
		t.Errorf("caught %v, want worker 1 to report Goexit", failure)
	}
	var met sync.WaitGroup
	met.Add(2)
	p.Run(2, func(_, _ int) { met.Done(); met.Wait() }) // worker 1 lives
}

func TestClose(t *testing.T) {
	before := runtime.NumGoroutine()
	p := New(6)
	p.Run(10, func(_, _ int) {})
	p.Close()
	p.Close()
	for wait := 0; runtime.NumGoroutine() > before && wait < 100; wait++ {
		time.Sleep(time.Millisecond) // a goroutine that counts as ended may still be on its last line
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines after Close, %d before New", n, before)
	}
	c := counter{calls: make([]atomic.Int32, 10)}
	p.Run(10, c.chunk)
	c.check(t, "closed pool")
}

func TestCloseInsideAChunkPanics(t *testing.T) {
	each(t, func(t *testing.T, p *Pool) {
		failure := caught(t, func() { p.Run(3, func(_, _ int) { p.Close() }) })
		if !strings.Contains(failure.Error(), "inside a chunk") {
			t.Errorf("caught %v", failure)
		}
	})
}

func TestNegativeTotalPanics(t *testing.T) {
	defer func() {
		if v := fmt.Sprint(recover()); !strings.Contains(v, "negative number of chunks -1") {
			t.Errorf("panicked with %s", v)
		}
	}()
	open(t, 2).Run(-1, func(_, _ int) {})
}

func TestRunDoesNotAllocate(t *testing.T) {
	for _, workers := range workerCounts {
		p := open(t, workers)
		fn := func(_, _ int) {}
		for _, total := range []int{0, 1, 2, 16} {
			if n := testing.AllocsPerRun(200, func() { p.Run(total, fn) }); n != 0 {
				t.Errorf("workers %d, total %d: %v allocations", workers, total, n)
			}
		}
	}
}

func TestGoroutineNumbersDiffer(t *testing.T) {
	var mu sync.Mutex
	seen := map[uintptr]bool{goroutine(): true}
	var all, meet sync.WaitGroup
	meet.Add(50)
	for range 50 {
		all.Go(func() {
			meet.Done()
			meet.Wait() // all are alive
			mu.Lock()
			defer mu.Unlock()
			seen[goroutine()] = true
		})
	}
	all.Wait()
	if len(seen) != 51 {
		t.Errorf("51 goroutines have %d numbers", len(seen))
	}
}
