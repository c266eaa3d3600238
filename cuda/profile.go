package cuda

import (
	"context"
	"time"

	"ganglion/cuda/driver"
)

// Profile runs the plan once, command by command, and returns how long the device took for each; a fault is reported
// with the command that caused it. It is slow.
func (p *Plan) Profile(ctx context.Context) ([]time.Duration, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	times := make([]time.Duration, len(p.args))
	err := p.perform(ctx, newJob(func() error { return p.profile(times) }))
	return times, err
}

func (p *Plan) profile(times []time.Duration) error {
	d := p.device
	from, r := driver.NewEvent(true)
	if r != driver.Success {
		return d.failed("cuEventCreate", r, "profile")
	}
	defer driver.DestroyEvent(from)
	to, r := driver.NewEvent(true)
	if r != driver.Success {
		return d.failed("cuEventCreate", r, "profile")
	}
	defer driver.DestroyEvent(to)
	for i, of := range p.origin {
		what := p.where(i)
		s := p.program.Stream(i)
		if r := driver.RecordEvent(from, s); r != driver.Success {
			return d.failed("cuEventRecord", r, what)
		}
		if r := p.program.RunOne(i); r != driver.Success {
			return d.failed("", r, what)
		}
		if r := driver.RecordEvent(to, s); r != driver.Success {
			return d.failed("cuEventRecord", r, what)
		}
		if r := driver.SyncEvent(to); r != driver.Success {
			return d.failed("cuEventSynchronize", r, what)
		}
		ms, r := driver.Elapsed(from, to)
		if r != driver.Success {
			return d.failed("cuEventElapsedTime", r, what)
		}
		if of >= 0 {
			times[of] = time.Duration(ms * float64(time.Millisecond))
		}
	}
	return nil
}
