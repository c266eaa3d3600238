package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"ganglion/engine/checkpoint/safetensors"
)

// Found is a checkpoint that was loaded.
type Found struct {
	State *State
	Path  string
	// Skipped are the newer checkpoints that could not be loaded and why. They are to be shown to the user.
	Skipped []error
}

// Load reads one checkpoint. Every byte of it is verified: an error wraps safetensors.ErrFormat,
// safetensors.ErrChecksum or that of the file system, and no part of the state is returned with it.
func Load(path string) (*State, error) { return load(osDisk{}, path) }

func load(d disk, path string) (*State, error) {
	f, err := d.Open(path)
	if err != nil {
		return nil, fmt.Errorf("load checkpoint: %w", err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, fmt.Errorf("load checkpoint: %w", err)
	}
	s, err := decodeState(f, size)
	if err != nil {
		return nil, fmt.Errorf("load checkpoint %s: %w", path, err)
	}
	if step, ok := stepOf(filepath.Base(path)); ok && step != s.Step {
		return nil, fmt.Errorf("load checkpoint %s: %w: it holds step %d", path, safetensors.ErrFormat, s.Step)
	}
	return s, nil
}

// LoadBest reads the best checkpoint of a run directory; ErrNoCheckpoint means that none was saved as the best.
func LoadBest(dir string) (*State, error) {
	s, err := Load(filepath.Join(dir, checkpointDir, bestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w saved as the best in %s", ErrNoCheckpoint, dir)
	}
	return s, err
}

// Latest loads the newest checkpoint of a run directory that is whole, the best one being the last resort. Files
// that are incomplete or damaged, and a best one that SaveBest wrote, are passed over and listed. If nothing can be
// loaded, the error wraps ErrNoCheckpoint and names every file that was tried. It takes no lock.
func Latest(dir string) (*Found, error) { return latest(osDisk{}, dir) }

func latest(d disk, dir string) (*Found, error) {
	sub := filepath.Join(dir, checkpointDir)
	names, err := candidates(d, sub)
	if err != nil {
		return nil, fmt.Errorf("%w in %s: %w", ErrNoCheckpoint, dir, err)
	}
	found := &Found{}
	for _, n := range names {
		path := filepath.Join(sub, n)
		s, err := load(d, path)
		if err == nil && s.Partial {
			err = fmt.Errorf("load checkpoint %s: it holds the parameters alone, which is too little to resume from",
				path)
		}
		if err == nil {
			found.State, found.Path = s, path
			return found, nil
		}
		found.Skipped = append(found.Skipped, err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%w in %s: the run ended before the first was saved", ErrNoCheckpoint, dir)
	}
	return nil, fmt.Errorf("%w in %s can be loaded: %w", ErrNoCheckpoint, dir, errors.Join(found.Skipped...))
}

// candidates lists the checkpoints in sub, the newest first and the best last. There may be none.
func candidates(d disk, sub string) ([]string, error) {
	all, err := d.ReadDir(sub)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = d.ReadDir(filepath.Dir(sub)) // the run itself must be there
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, n := range all {
		if _, ok := stepOf(n); ok {
			names = append(names, n)
		}
	}
	slices.Reverse(names)
	if slices.Contains(all, bestFile) {
		names = append(names, bestFile)
	}
	return names, nil
}
