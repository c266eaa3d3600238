package run

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// memory is the size of the machine's memory in bytes.
func memory() (uint64, error) {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0, err
	}
	return uint64(info.Totalram) * uint64(info.Unit), nil
}

// resident is the memory that the process holds, and the most it has held, in bytes, as the kernel counts them; what Go
// has asked for when the kernel does not tell.
func resident() (now, most int) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return asked()
	}
	now, most = field(text, "VmRSS:"), field(text, "VmHWM:")
	if now == 0 || most == 0 {
		return asked()
	}
	return now, most
}

// field reads a line such as "VmRSS:	  1234 kB" in bytes, 0 when there is none.
func field(text []byte, name string) int {
	_, rest, _ := bytes.Cut(text, []byte("\n"+name))
	words := bytes.Fields(rest[:min(len(rest), 40)])
	if len(words) < 2 || string(words[1]) != "kB" {
		return 0
	}
	n, err := strconv.Atoi(string(words[0]))
	if err != nil {
		return 0
	}
	return n << 10
}
