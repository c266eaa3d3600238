// Package checkpoint keeps a run on disk: its directory with one writer, its configuration and metrics, and
// checkpoints that survive a crash or a power cut at any moment. A checkpoint is one safetensors file with the
// weights, the optimiser's state and any other named tensor; the scalars of the run's state are JSON in its
// metadata. Other tools can read the weights from it.
package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"ganglion/engine/checkpoint/safetensors"
)

// Metadata keys of a checkpoint, and its version.
const (
	formatKey = "ganglion.format"
	stateKey  = "ganglion.state"
	format    = "checkpoint 1"
)

// ErrNoCheckpoint is returned where a run has no checkpoint that can be loaded.
var ErrNoCheckpoint = errors.New("no checkpoint")

// State is everything that a run needs to continue at the exact step with the same bits.
type State struct {
	Step       int       `json:"step"`               // steps done
	Epoch      int       `json:"epoch"`              // epochs done
	Batch      int       `json:"batch"`              // mini-batches done of the epoch under way
	Seed       uint64    `json:"seed"`               // key of all counter-based random numbers
	Best       *Best     `json:"best,omitempty"`     // nil while there is none
	Partial    bool      `json:"partial,omitempty"`  // less than a run needs to continue; Latest passes over it
	ConfigHash string    `json:"config_hash"`        // of config.yaml; Run.Save fills it in
	Counters   []Counter `json:"counters,omitempty"` // random streams, patience and the like; names differ
	// Tensors are the weights, the optimiser's state and whatever else is an array; names differ.
	Tensors []safetensors.Tensor `json:"-"`
}

// Best is the best result so far on the validation part.
type Best struct {
	Step   int     `json:"step"`
	Metric float64 `json:"metric"` // finite
}

// Counter is a named number of the run's state.
type Counter struct {
	Name  string `json:"name"`
	Value uint64 `json:"value"`
}

// check says whether a state can be saved, or one that was read can be trusted.
func (s *State) check() error {
	switch {
	case s.Step < 0 || s.Step > maxStep:
		return fmt.Errorf("step %d is not between 0 and %d", s.Step, maxStep)
	case s.Epoch < 0 || s.Batch < 0:
		return fmt.Errorf("epoch %d and batch %d must not be negative", s.Epoch, s.Batch)
	case s.Best != nil && (math.IsNaN(s.Best.Metric) || math.IsInf(s.Best.Metric, 0)):
		return fmt.Errorf("best metric is %v: only a finite one can be the best", s.Best.Metric)
	}
	seen := map[string]bool{}
	for _, c := range s.Counters {
		if seen[c.Name] {
			return fmt.Errorf("counter %q appears twice", c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

// encode writes the state as a safetensors file.
func (s *State) encode(w io.Writer) error {
	scalars, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	return safetensors.Write(w, s.Tensors, map[string]string{formatKey: format, stateKey: string(scalars)})
}

// decodeState reads a checkpoint and verifies every byte of it.
func decodeState(r io.ReaderAt, size int64) (*State, error) {
	f, err := safetensors.Open(r, size)
	if err != nil {
		return nil, err
	}
	meta := f.Metadata()
	if got := meta[formatKey]; got != format || !f.HasChecksums() {
		return nil, fmt.Errorf("%w: format is %q, wanted %q with checksums", safetensors.ErrFormat, got, format)
	}
	d := json.NewDecoder(bytes.NewReader([]byte(meta[stateKey])))
	d.DisallowUnknownFields()
	s := new(State)
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("%w: run state: %w", safetensors.ErrFormat, err)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%w: run state: %w", safetensors.ErrFormat, err)
	}
	s.Tensors, err = f.ReadAll()
	return s, err
}
