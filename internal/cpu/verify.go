package cpu

import "sync"

var verified sync.Once

// Verify runs check for every path that can be run except Go, once in the life of the process, and switches off those
// that fail it. Whoever chooses a path for kernels calls it first, with the kernels' comparison against their Go twins.
func Verify(check func(Path) error) {
	verified.Do(func() { verify(check) })
}

func verify(check func(Path) error) {
	for _, p := range Paths() {
		if p == Go {
			continue
		}
		if err := check(p); err != nil {
			disable(p, err.Error())
		}
	}
}
