package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/klauspost/cpuid/v2"
)

// Env is what a run was made with.
type Env struct {
	Program string   `json:"program"` // version of the main module, with the revision if it is known
	Go      string   `json:"go"`
	OS      string   `json:"os"`
	Arch    string   `json:"arch"`
	CPU     string   `json:"cpu"`   // model name
	Cores   int      `json:"cores"` // logical cores of the machine
	Threads int      `json:"threads"`
	Device  string   `json:"device"`
	Modules []string `json:"modules"` // path@version of each module in the program
}

// NewEnv describes this process on this machine; device and threads are the run's.
func NewEnv(device string, threads int) Env {
	e := Env{Program: "unknown", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		CPU: cpuid.CPU.BrandName, Cores: runtime.NumCPU(), Threads: threads, Device: device, Modules: []string{}}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return e
	}
	e.Program = info.Main.Version
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			e.Program += " " + s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			e.Program += " modified"
		}
	}
	for _, m := range info.Deps {
		e.Modules = append(e.Modules, m.Path+"@"+m.Version)
	}
	return e
}

// ReadEnv reads the environment of a run directory.
func ReadEnv(dir string) (Env, error) {
	var e Env
	b, err := os.ReadFile(filepath.Join(dir, EnvFile))
	if errors.Is(err, fs.ErrNotExist) {
		return e, fmt.Errorf("%s: %w: it has no %s", dir, ErrNotRun, EnvFile)
	}
	if err != nil {
		return e, fmt.Errorf("read environment: %w", err)
	}
	if err := json.Unmarshal(b, &e); err != nil {
		return e, fmt.Errorf("read environment %s: %w", filepath.Join(dir, EnvFile), err)
	}
	return e, nil
}
