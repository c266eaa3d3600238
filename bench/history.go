package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"ganglion/internal/cpu"
)

// Line is what Save writes about a result.
type Line struct {
	Time    string  `json:"time"`
	Commit  string  `json:"commit"` // of the program; empty when the build does not know it
	Dirty   bool    `json:"dirty"`  // the source differed from the commit
	CPU     string  `json:"cpu"`
	Cores   int     `json:"cores"`
	Go      string  `json:"go"`
	Reps    int     `json:"reps"`    // as asked for, 0 for as many as the budget allowed
	Seconds float64 `json:"seconds"` // budget of a case
	Result  Result  `json:"result"`
}

// Save appends a line for each result to dir/<workload>.jsonl. Nothing is written when dir is not there. A line is
// written whole or, with an error, perhaps in part, but what was there before is kept.
func Save(dir string, results []Result, o Options, now time.Time) error {
	if err := CanSave(dir); err != nil {
		return err
	}
	line := Line{Time: now.UTC().Format(time.RFC3339), CPU: cpu.Name(), Cores: runtime.NumCPU(),
		Go: runtime.Version(), Reps: o.Reps, Seconds: o.Budget.Seconds()}
	if o.Budget == 0 {
		line.Seconds = defaultBudget.Seconds()
	}
	line.Commit, line.Dirty = Commit()
	for _, r := range results {
		line.Result = r
		if err := appendLine(filepath.Join(dir, r.Workload+".jsonl"), line); err != nil {
			return fmt.Errorf("history: %w", err)
		}
	}
	return nil
}

// CanSave returns an error when dir is not there: it is cheaper to know before the measurements.
func CanSave(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && info.IsDir() {
		return nil
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s is not a folder: save from the root of the project", dir)
	}
	return fmt.Errorf("history: %w", err)
}

// Commit is the commit that this program was built from, and whether its source differed from that. It is empty when
// the build does not know: go build records it unless -buildvcs=false.
func Commit() (revision string, dirty bool) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", false
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.modified":
			dirty = s.Value == "true"
		}
	}
	return revision, dirty
}

func appendLine(path string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	return errors.Join(err, f.Close())
}
