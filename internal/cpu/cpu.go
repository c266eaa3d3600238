// Package cpu tells which kernel paths this processor can run and which of them to use.
//
// A path is one set of kernels for one instruction set. The Go path is plain Go and runs everywhere; AVX2 and
// AVX512 are Go assembly for amd64 and are left out of builds for other processors and of builds with the tag
// noasm. The environment variable GANGLION_CPU (go, avx2, avx512) forces a path; what cannot be honoured is
// reported by EnvError, never ignored.
//
// This package changes package variables: which instructions exist, and which paths failed their self-check, are facts
// about the process.
package cpu

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/klauspost/cpuid/v2"
)

// envVar is the environment variable that forces a path: go, avx2 or avx512.
const envVar = "GANGLION_CPU"

// Path names one set of kernels, from the slowest to the fastest.
type Path uint8

const (
	// Go is the plain Go path; every build and every processor has it.
	Go Path = iota
	// AVX2 needs AVX2 and FMA: 256-bit vectors.
	AVX2
	// AVX512 needs AVX-512 F, VL, DQ and BW: 512-bit vectors and masks.
	AVX512
)

// pathCount is the number of paths there are.
const pathCount = int(AVX512) + 1

// String returns the path's name as GANGLION_CPU spells it: go, avx2, avx512.
func (p Path) String() string {
	switch p {
	case Go:
		return "go"
	case AVX2:
		return "avx2"
	case AVX512:
		return "avx512"
	}
	return fmt.Sprintf("cpu.Path(%d)", uint8(p))
}

// Disabling says that a path was switched off in this process, and why.
type Disabling struct {
	Path Path
	Why  string
}

// off holds a bit for every path that was switched off, and the reasons in the order in which they came.
var off struct {
	mask atomic.Uint32
	mu   sync.Mutex
	list []Disabling
}

// supported holds the paths that this processor and this build can run, found once.
var supported = sync.OnceValue(func() []Path {
	paths := []Path{Go}
	for p := AVX2; int(p) < pathCount; p++ {
		if detect(p) {
			paths = append(paths, p)
		}
	}
	return paths
})

// fromEnv holds what GANGLION_CPU said when it was first asked for.
var fromEnv = sync.OnceValue(func() choice { return choose(os.Getenv(envVar), supported()) })

// choice is the path that the environment asks for, or an error and no path.
type choice struct {
	forced bool
	path   Path
	err    error
}

// choose interprets the value of GANGLION_CPU for a processor that can run the given paths.
func choose(env string, can []Path) choice {
	if env == "" {
		return choice{}
	}
	for p := Go; int(p) < pathCount; p++ {
		if p.String() != env {
			continue
		}
		for _, q := range can {
			if p == q {
				return choice{forced: true, path: p}
			}
		}
		return choice{err: fmt.Errorf("cpu: %s=%s: this processor or build cannot run it (it can run %s)",
			envVar, env, names(can))}
	}
	return choice{err: fmt.Errorf("cpu: %s=%q: unknown kernel path (want go, avx2 or avx512)", envVar, env)}
}

// names joins the names of paths for an error message.
func names(paths []Path) string {
	s := make([]string, len(paths))
	for i, p := range paths {
		s[i] = p.String()
	}
	return strings.Join(s, ", ")
}

// Paths returns the paths that this process can run, slowest first: those that the processor and the build support,
// less those that were switched off. The Go path is always the first. The slice is the caller's.
func Paths() []Path {
	mask := off.mask.Load()
	var paths []Path
	for _, p := range supported() {
		if mask&(1<<p) == 0 {
			paths = append(paths, p)
		}
	}
	return paths
}

// Best returns the path that GANGLION_CPU forces or, if it forces none or one that cannot be run, the fastest path of
// Paths. It does not allocate after the first call.
func Best() Path {
	mask := off.mask.Load()
	if c := fromEnv(); c.forced && mask&(1<<c.path) == 0 {
		return c.path
	}
	can := supported()
	for i := len(can) - 1; i > 0; i-- {
		if mask&(1<<can[i]) == 0 {
			return can[i]
		}
	}
	return Go
}

// EnvError reports that GANGLION_CPU holds an unknown path or one that cannot be run here, or forces a path that was
// switched off since; nil otherwise.
func EnvError() error {
	c := fromEnv()
	if !c.forced {
		return c.err
	}
	for _, d := range Disabled() {
		if d.Path == c.path {
			return fmt.Errorf("cpu: %s=%s: the path was switched off: %s", envVar, c.path, d.Why)
		}
	}
	return nil
}

// disable switches path p off for the rest of the process, because its self-check failed: why is what Disabled reports.
// Only the first reason for a path is kept. Kernels that run already are not stopped. The Go path is the reference and
// the last resort: switching it off is a bug of the caller, and panics.
func disable(p Path, why string) {
	if p == Go || int(p) >= pathCount {
		panic("cpu: disable: " + p.String() + ": not a path that can be switched off")
	}
	off.mu.Lock()
	defer off.mu.Unlock()
	mask := off.mask.Load()
	if mask&(1<<p) != 0 {
		return
	}
	off.list = append(off.list, Disabling{Path: p, Why: why})
	off.mask.Store(mask | 1<<p)
}

// Disabled returns the paths that were switched off, with the reasons, in the order in which that happened.
func Disabled() []Disabling {
	off.mu.Lock()
	defer off.mu.Unlock()
	return append([]Disabling(nil), off.list...)
}

// Name returns the processor's model name as it tells it, or the architecture if it tells none.
func Name() string {
	if name := strings.TrimSpace(cpuid.CPU.BrandName); name != "" {
		return name
	}
	return runtime.GOARCH
}
