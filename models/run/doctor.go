package run

import (
	"fmt"
	"os"
	"runtime"

	"ganglion/engine/checkpoint"
	"ganglion/internal/asm/selfcheck"
	"ganglion/internal/cpu"
	"ganglion/kernels/implicit/lane"
)

// Finding is one line of ganglion doctor.
type Finding struct {
	What string `json:"what"`
	Says string `json:"says"`
	OK   bool   `json:"ok"`
}

// Doctor looks at what training on this machine depends on. ok is false when training on the CPU would not work. With
// deep it also compares all kernels in assembly with those in Go, which takes some seconds.
func Doctor(deep bool) (findings []Finding, ok bool) {
	ok = true
	add := func(what, says string, good bool) {
		findings = append(findings, Finding{what, says, good})
		ok = ok && good
	}
	env := checkpoint.NewEnv("cpu", runtime.GOMAXPROCS(0))
	add("program", fmt.Sprintf("%s, %s, %s/%s", env.Program, runtime.Version(), runtime.GOOS, runtime.GOARCH), true)
	selfcheck.Run(lane.SelfCheck)
	add(
		"processor",
		fmt.Sprintf("%s, %d cores, %d threads used", cpu.Name(), runtime.NumCPU(), runtime.GOMAXPROCS(0)),
		true,
	)
	add("kernels", fmt.Sprintf("%v in use, of %v", cpu.Best(), cpu.Paths()), true)
	if err := cpu.EnvError(); err != nil {
		add("GANGLION_CPU", err.Error(), false)
	}
	if deep {
		for _, p := range cpu.Paths()[1:] { // the first is Go
			if err := selfcheck.Deep(p, lane.SelfCheck); err != nil {
				add(fmt.Sprintf("kernels %v", p), err.Error(), false)
			} else {
				add(fmt.Sprintf("kernels %v", p), "agree with those in Go", true)
			}
		}
	}
	for _, w := range KernelWarnings() {
		add("kernels switched off", w, false)
	}
	if bytes, err := memory(); err != nil {
		add("memory", err.Error(), true)
	} else {
		add("memory", fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30)), true)
	}
	findings = append(findings, doctorCUDA()...) // training on the processor does not depend on it
	says, good := writable(".")
	add("current folder", says, good)
	return findings, ok
}

// KernelWarnings says which kernels were switched off, because they gave wrong results on this processor, and why; one
// text each. It knows after the first program was compiled.
func KernelWarnings() []string {
	var out []string
	for _, d := range cpu.Disabled() {
		out = append(
			out,
			fmt.Sprintf("warning: the %v kernels are switched off, results stay right but slower: %s", d.Path, d.Why),
		)
	}
	return out
}

// writable tries to make a file in dir.
func writable(dir string) (string, bool) {
	f, err := os.CreateTemp(dir, ".ganglion-doctor-*")
	if err != nil {
		return fmt.Sprintf("not writable, so runs need --out: %v", err), true
	}
	name := f.Name()
	if err := f.Close(); err != nil {
		return err.Error(), false
	}
	if err := os.Remove(name); err != nil {
		return err.Error(), false
	}
	return "writable", true
}
