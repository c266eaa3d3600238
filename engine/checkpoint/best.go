package checkpoint

import (
	"fmt"
	"path/filepath"
)

// SaveBest writes s, which may hold the parameters alone, as the run's best.safetensors, without touching the other
// checkpoints. It is as crash-safe as Save. It fills in the hash of the configuration and marks the file as
// partial, so that no run is resumed from it.
func (r *Run) SaveBest(s *State) error {
	full := *s
	full.ConfigHash, full.Partial = r.hash, true
	if err := full.check(); err != nil {
		return fmt.Errorf("save the best checkpoint in %s: %w", r.dir, err)
	}
	sub := filepath.Join(r.dir, checkpointDir)
	d := osDisk{}
	if err := openDir(d, r.dir, sub); err != nil {
		return fmt.Errorf("save the best checkpoint: %w", err)
	}
	if err := writeFile(d, filepath.Join(sub, bestFile), full.encode); err != nil {
		return fmt.Errorf("save the best checkpoint: %w", err)
	}
	return nil
}
