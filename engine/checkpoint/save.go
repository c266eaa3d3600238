package checkpoint

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"strconv"
	"strings"
)

// Names in a run directory.
const (
	checkpointDir = "checkpoints"
	bestFile      = "best.safetensors"
	stepPrefix    = "step-"
	stepSuffix    = ".safetensors"
	stepDigits    = 10
	maxStep       = math.MaxInt32 // fits the digits, and int everywhere
	defaultKeep   = 2
)

// SaveOptions says what Save does besides writing the state.
type SaveOptions struct {
	Keep int  // newest checkpoints that stay, this one included; 0 means 2
	Best bool // this state is the best so far: it is also written as best.safetensors
}

// Save writes s to dir/checkpoints/step-NNNNNNNNNN.safetensors and returns that path. When it returns without error
// the state is on the disk; an error or a crash at any moment leaves the checkpoints that were there before. The
// file of the best state is written first and holds its own copy. Older checkpoints beyond o.Keep are removed last;
// those of later steps, which a run leaves that was resumed from further back, are not touched. Only the holder of
// the run's lock may call it.
func Save(dir string, s *State, o SaveOptions) (string, error) { return save(osDisk{}, dir, s, o) }

func save(d disk, dir string, s *State, o SaveOptions) (string, error) {
	if err := s.check(); err != nil {
		return "", fmt.Errorf("save checkpoint in %s: %w", dir, err)
	}
	if s.Partial {
		return "", fmt.Errorf("save checkpoint in %s: the state is marked as partial: no run could resume from it", dir)
	}
	if o.Keep < 0 {
		return "", fmt.Errorf("save checkpoint in %s: keep %d: at least 1 must stay", dir, o.Keep)
	}
	sub := filepath.Join(dir, checkpointDir)
	if err := openDir(d, dir, sub); err != nil {
		return "", fmt.Errorf("save checkpoint: %w", err)
	}
	if o.Best {
		if err := writeFile(d, filepath.Join(sub, bestFile), s.encode); err != nil {
			return "", fmt.Errorf("save checkpoint: %w", err)
		}
	}
	path := filepath.Join(sub, stepName(s.Step))
	if err := writeFile(d, path, s.encode); err != nil {
		return "", fmt.Errorf("save checkpoint: %w", err)
	}
	if err := prune(d, sub, s.Step, o.Keep); err != nil {
		return path, fmt.Errorf("checkpoint %s is saved, but an older one could not be removed: %w", path, err)
	}
	return path, nil
}

// openDir makes the directory of checkpoints if need be and removes what interrupted writes left in it.
func openDir(d disk, dir, sub string) error {
	names, err := d.ReadDir(sub)
	if errors.Is(err, fs.ErrNotExist) {
		err = d.Mkdir(sub)
	}
	if err != nil {
		return err
	}
	if err := d.SyncDir(dir); err != nil { // always: who made it may have been stopped before this
		return err
	}
	for _, n := range names {
		of, ok := strings.CutSuffix(n, tempSuffix)
		if _, isStep := stepOf(of); ok && (isStep || of == bestFile) {
			if err := d.Remove(filepath.Join(sub, n)); err != nil {
				return fmt.Errorf("remove what an interrupted save left: %w", err)
			}
		}
	}
	return nil
}

// prune removes the oldest checkpoints up to step, so that keep of them stay.
func prune(d disk, sub string, step, keep int) error {
	if keep == 0 {
		keep = defaultKeep
	}
	names, err := d.ReadDir(sub)
	if err != nil {
		return err
	}
	var old []string // sorted by name and so by step
	for _, n := range names {
		if s, ok := stepOf(n); ok && s <= step {
			old = append(old, n)
		}
	}
	for _, n := range old[:max(len(old)-keep, 0)] {
		if err := d.Remove(filepath.Join(sub, n)); err != nil {
			return err
		}
	}
	return nil
}

// fillFile runs write through a buffer.
func fillFile(f file, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(f, writeBuffer)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}

// stepName is the file name of a step's checkpoint.
func stepName(step int) string {
	return fmt.Sprintf("%s%0*d%s", stepPrefix, stepDigits, step, stepSuffix)
}

// stepOf is the inverse of stepName.
func stepOf(name string) (int, bool) {
	digits := strings.TrimSuffix(strings.TrimPrefix(name, stepPrefix), stepSuffix)
	step, err := strconv.Atoi(digits)
	return step, err == nil && step >= 0 && step <= maxStep && stepName(step) == name
}
