package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"os"
	"path/filepath"
	"strings"
	"testing"

	"ganglion/engine/checkpoint/safetensors"
	"ganglion/engine/train"
	"ganglion/engine/train/log"
)

// configure is a model's configuration with assignments, as --set takes them, and data.KEY= ones.
func configure(t testing.TB, model, source string, set ...string) Config {
	t.Helper()
	c, err := Default(model)
	if err != nil {
		t.Fatal(err)
	}
	c.Data.Source = source
	for _, a := range set {
		if err := c.Set(a); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func prepare(t testing.TB, c Config) *Session {
	t.Helper()
	s, err := Prepare(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// notes is a logger that keeps what it is told.
type notes struct {
	log.Quiet
	texts []string
}

func (n *notes) Note(text string) error {
	n.texts = append(n.texts, text)
	return nil
}

// trained trains a configuration in a directory of its own and returns the result.
func trained(t testing.TB, c Config, o TrainOptions) *Result {
	t.Helper()
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "run")
	}
	if o.Log == nil {
		o.Log = log.Quiet{}
	}
	r, err := prepare(t, c).Train(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// stateBytes is everything a session would save, as one sequence of bytes.
func stateBytes(t testing.TB, s *Session) []byte {
	t.Helper()
	state, err := s.Trainer.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, state.Tensors, nil); err != nil {
		t.Fatal(err)
	}
	head, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	return append(b.Bytes(), head...)
}

// epochs is a hook that gathers reports without the times in them.
func epochs(into *[]train.Epoch) func(train.Epoch) error {
	return func(e train.Epoch) error {
		e.Seconds, e.Elapsed = 0, 0
		*into = append(*into, e)
		return nil
	}
}

// write makes a file in a new folder and returns its path.
func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantError checks that an error is a user's mistake, or is none, and holds some words.
func wantError(t *testing.T, what string, err error, isUsage bool, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	var u *UsageError
	if errors.As(err, &u) != isUsage {
		t.Errorf("%s: usage error %v, wanted %v: %v", what, !isUsage, isUsage, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: error %q does not hold %q", what, err, w)
		}
	}
}
