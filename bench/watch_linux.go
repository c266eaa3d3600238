package bench

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// ticks is the number of /proc/stat's units in a second: the kernel's interface fixes it.
const ticks = 100

// shortest is the least time about which the units tell something.
const shortest = 50 * time.Millisecond

// watch knows how much processor time the machine and this process had used when it was started, in seconds.
type watch struct {
	all, own float64
	ok       bool
}

func startWatch() watch {
	all, ok := machineBusy()
	return watch{all: all, own: ownBusy(), ok: ok}
}

// others is the number of cores that other processes used since the start, d ago; -1 if the system does not tell, or d
// is too short.
func (w watch) others(d time.Duration) float64 {
	all, ok := machineBusy()
	if !ok || !w.ok || d < shortest {
		return -1
	}
	return max(0, (all-w.all-(ownBusy()-w.own))/d.Seconds())
}

// machineBusy is the processor time of all processes, waiting left out.
func machineBusy() (seconds float64, ok bool) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	line, _, _ := bytes.Cut(text, []byte{'\n'})
	fields := bytes.Fields(line)
	const user, idle, wait, steal = 1, 4, 5, 8
	if len(fields) <= steal {
		return 0, false
	}
	for i := user; i <= steal; i++ {
		if i == idle || i == wait {
			continue
		}
		n, err := strconv.ParseUint(string(fields[i]), 10, 64)
		if err != nil {
			return 0, false
		}
		seconds += float64(n) / ticks
	}
	return seconds, true
}

func ownBusy() float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
