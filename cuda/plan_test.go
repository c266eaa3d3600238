//go:build gpu && cgo && linux && (amd64 || arm64)

package cuda

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// accumulate makes a plan that does y += a·x for four numbers.
func accumulate(t testing.TB, d *Device) (p *Plan, y *Buffer) {
	t.Helper()
	x := must(d.Alloc(16, "x"))(t)
	y = must(d.Alloc(16, "y"))(t)
	check(t, d.CopyIn(x.Address(), floats(1, 2, 3, 4)))
	check(t, d.CopyIn(y.Address(), floats(0, 0, 0, 0)))
	p = must(d.NewPlan("accumulate", []Command{{Kind: Launch, What: "axpy [4]", Function: function(t, d, "axpy"),
		Grid: [3]int{1, 1, 1}, Block: [3]int{32, 1, 1},
		Args: []uint64{4, f32(1), uint64(x.Address()), uint64(y.Address())}}}))(t)
	return p, y
}

func values(t testing.TB, d *Device, b *Buffer) string {
	t.Helper()
	out := make([]byte, b.Size())
	check(t, d.CopyOut(out, b.Address()))
	return fmt.Sprint(toFloats(out))
}

// TestCapture: a captured plan does the same as before, and takes in new arguments when it is captured again.
func TestCapture(t *testing.T) {
	d := open(t)
	p, y := accumulate(t, d)
	want := func(step, text string) {
		t.Helper()
		if got := values(t, d, y); got != text {
			t.Fatalf("%s: %s, want %s", step, got, text)
		}
	}
	check(t, p.Run(background))
	want("run", "[1 2 3 4]")
	check(t, p.Capture(background))
	want("capture runs nothing", "[1 2 3 4]")
	if !p.Captured() {
		t.Error("not captured")
	}
	for range 3 {
		check(t, p.Run(background))
	}
	want("three replays", "[4 8 12 16]")
	check(t, p.SetArg(0, 1, f32(10)))
	check(t, p.Run(background))
	want("an argument set, not yet captured", "[5 10 15 20]")
	check(t, p.Capture(background))
	check(t, p.Run(background))
	want("captured again", "[15 30 45 60]")
	for range 2 {
		check(t, p.Start(background))
	}
	check(t, p.Wait(background))
	want("two started", "[35 70 105 140]")
	for _, c := range [][2]int{{0, 4}, {0, -1}, {1, 0}, {-1, 0}} {
		if err := p.SetArg(c[0], c[1], 0); err == nil || !strings.Contains(err.Error(), "has no argument") {
			t.Errorf("argument %v: %v", c, err)
		}
	}
}

// TestEmptyPlan: a plan without commands, or with none that does anything, runs and replays.
func TestEmptyPlan(t *testing.T) {
	d := open(t)
	b := must(d.Alloc(4, "y"))(t)
	for _, commands := range [][]Command{nil, {{Kind: Fill8, Dst: b.Address()}}} {
		p := must(d.NewPlan("empty", commands))(t)
		check(t, p.Run(background))
		check(t, p.Capture(background))
		check(t, p.Run(background))
		check(t, p.Close())
	}
}

// TestReplayAllocates: replays allocate nothing, neither do runs that are not captured.
func TestReplayAllocates(t *testing.T) {
	d := open(t)
	p, _ := accumulate(t, d)
	for _, captured := range []bool{false, true} {
		if captured {
			check(t, p.Capture(background))
		}
		var err error
		n := testing.AllocsPerRun(20, func() { err = errors.Join(err, p.Run(background)) })
		check(t, err)
		if n != 0 {
			t.Errorf("captured %v: %v allocations a run", captured, n)
		}
	}
}

// TestStreams: side by side commands meet at events, in whatever order the device takes them.
func TestStreams(t *testing.T) {
	for seed := 1; seed <= 5; seed++ {
		out, err := inProcess(t, "workload", fmt.Sprintf("CUEMU_SEED=%d", seed))
		// y = 1·x + 3·x + 1·x with x = i mod 7 for 1000 elements.
		if err != nil || out != "sum 14985\n" {
			t.Errorf("seed %d: %v, %s", seed, err, out)
		}
	}
}

// TestInjectedFailures: whichever call of the driver fails, its error comes back, and closing still works.
func TestInjectedFailures(t *testing.T) {
	failures := 0
	for n := 1; ; n++ {
		out, err := inProcess(t, "workload", fmt.Sprintf("CUEMU_FAIL=%d", n))
		if err == nil {
			break
		}
		failures++
		if code := exitCode(err); code != 3 || !strings.Contains(out, "error cuda") {
			t.Errorf("call %d: exit code %d, %s", n, code, out)
		}
		if n > 1000 {
			t.Fatal("the workload never gets through")
		}
	}
	if failures < 60 {
		t.Errorf("only %d calls failed", failures)
	}
}

// TestFallbacks: calls that a driver need not have, or may refuse, are replaced by others with the same result.
func TestFallbacks(t *testing.T) {
	calls := []string{"cuGraphExecUpdate_v2:1:910", "cuGraphExecUpdate_v2:1:801", "cuModuleLoadDataEx:1:801"}
	for _, call := range calls {
		out, err := inProcess(t, "workload", "CUEMU_FAIL="+call)
		if err != nil || !strings.HasSuffix(out, "sum 14985\n") {
			t.Errorf("%s: %v, %s", call, err, out)
		}
	}
}

func exitCode(err error) int {
	var e interface{ ExitCode() int }
	if errors.As(err, &e) {
		return e.ExitCode()
	}
	return -1
}

// TestFault: a kernel that writes astray loses the context; all says so from then on, and a fresh device works.
func TestFault(t *testing.T) {
	d := must(Open(0))(t)
	y := must(d.Alloc(256, "y"))(t)
	f := function(t, d, "astray")
	p := must(d.NewPlan("bad", []Command{
		{Kind: Fill8, What: "y", Dst: y.Address(), Bytes: 256},
		{Kind: Launch, What: "astray", Function: f, Grid: [3]int{1, 1, 1}, Block: [3]int{32, 1, 1},
			Args: []uint64{uint64(y.Address()), 1 << 32}},
	}))(t)
	_, err := p.Profile(background)
	if !errors.Is(err, ErrFault) || !strings.Contains(err.Error(), "command 1 (launch astray)") ||
		!strings.Contains(err.Error(), "thread") {
		t.Errorf("the fault: %v", err)
	}
	for what, err := range map[string]error{"run": p.Run(background), "copy": d.CopyIn(y.Address(), []byte{1}),
		"wait": d.Synchronize(), "alloc": second(d.Alloc(1, "x")), "free": y.Free()} {
		if !errors.Is(err, ErrFault) || !strings.Contains(err.Error(), "lost by an earlier fault") {
			t.Errorf("%s after the fault: %v", what, err)
		}
	}
	check(t, d.Close())
	again := open(t)
	q, z := accumulate(t, again)
	check(t, q.Run(background))
	if got := values(t, again, z); got != "[1 2 3 4]" {
		t.Errorf("after opening again: %s", got)
	}
}

// TestProfile: one time for each command that the caller gave.
func TestProfile(t *testing.T) {
	d := open(t)
	p, y := accumulate(t, d)
	times := must(p.Profile(background))(t)
	if len(times) != 1 || times[0] < 0 {
		t.Errorf("times %v", times)
	}
	if got := values(t, d, y); got != "[1 2 3 4]" {
		t.Errorf("after one profile: %s", got)
	}
}

// BenchmarkReplay is what a step costs at least.
func BenchmarkReplay(b *testing.B) {
	d := must(Open(0))(b)
	defer d.Close()
	p, _ := accumulate(b, d)
	check(b, p.Capture(background))
	b.ReportAllocs()
	for b.Loop() {
		check(b, p.Run(background))
	}
}
