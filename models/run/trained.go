package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"ganglion/engine"
	"ganglion/engine/checkpoint"
	"ganglion/engine/data"
	"ganglion/engine/train"
	"ganglion/kernels"
	"ganglion/models/module"
	"ganglion/models/zoo"
)

// columns is what data.json of a run directory holds: how a file becomes the network's inputs.
type columns struct {
	Name         string             `json:"name"`
	Source       string             `json:"source"`
	SHA256       string             `json:"sha256"`
	Split        string             `json:"split"`
	Examples     int                `json:"examples"` // rows of the training part
	Encoder      *data.Encoder      `json:"encoder,omitempty"`
	Standardizer *data.Standardizer `json:"standardizer,omitempty"`
	Graph        *graphColumns      `json:"graph,omitempty"` // in the place of both where samples are nodes or graphs
}

func (s *Session) columns() columns {
	if g := s.Graphs; g != nil {
		return columns{Name: g.Name, Source: g.Source, SHA256: g.SHA256, Split: g.Split, Examples: s.Set.Train.Len(),
			Graph: &g.Columns}
	}
	return columns{Name: s.Table.Name, Source: s.Table.Source, SHA256: s.Table.SHA256, Split: s.Split.Name,
		Examples: len(s.Split.Train), Encoder: s.Table.Encoder, Standardizer: s.Standardizer}
}

// task is what the network was built for.
func (c columns) task() train.Task {
	if c.Graph != nil {
		return c.Graph.task(c.Examples)
	}
	e := c.Encoder
	t := train.Task{Kind: train.Classify, Inputs: e.Width(), Outputs: len(e.Classes), Examples: c.Examples}
	copy(t.Shape[:], e.Shape)
	if e.Task == data.Regress {
		t.Kind, t.Outputs = train.Regress, len(e.TargetNames)
	}
	return t
}

// Trained is a run directory opened for reading: the network with its best parameters.
type Trained struct {
	Dir       string
	Config    Config
	System    zoo.System
	State     *checkpoint.State // of the parameters in use
	Warnings  []string
	Predictor *train.Predictor
	Budget    int // bytes that the process may take, 0 for any number

	columns columns
	task    train.Task
	model   train.Model
	before  *module.Snapshot // of the initial values, nil for a network without a structure
}

// Close ends the threads of the network and frees what it holds on its device, which stays open.
func (t *Trained) Close() { t.Predictor.Close() }

// Open reads a run directory. The parameters are those of the best epoch, or, when the run has not ended, the newest
// saved. With a budget, in bytes, what would take more is refused by an error wrapping ErrMemory; 0 is none. The
// network runs on a device, nil for the processor.
func Open(dir string, budget int, device *engine.Device) (*Trained, error) {
	t := &Trained{Dir: dir, Budget: budget}
	var err error
	if t.Config, err = LoadRun(dir); err != nil {
		return nil, err
	}
	if t.System, err = System(t.Config.Model); err != nil {
		return nil, err
	}
	if err := t.readColumns(); err != nil {
		return nil, err
	}
	t.task = t.columns.task()
	if t.model, err = t.System.Build(t.Config.Net, t.task); err != nil {
		return nil, fmt.Errorf("%s: %w", t.System.ID, err)
	}
	t.Config.Train.Budget, t.Config.Train.Device = budget, device
	if t.Predictor, err = train.NewPredictor(t.model, t.task, t.Config.Train, nil); err != nil {
		return nil, overBudget(err)
	}
	if m, ok := t.model.(structured); ok {
		before, err := m.Snapshot(t.Predictor.Store().Tensor)
		if err != nil {
			return nil, err
		}
		t.before = &before
	}
	return t, t.load()
}

func (t *Trained) readColumns() error {
	path := filepath.Join(t.Dir, dataFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("run %s is damaged: %w", t.Dir, err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&t.columns); err != nil {
		return fmt.Errorf("run %s is damaged: %s: %w", t.Dir, path, err)
	}
	if g := t.columns.Graph; g != nil && ofGraphs(t.System) {
		if err := g.check(); err != nil {
			return fmt.Errorf("run %s is damaged: %s: %w", t.Dir, path, err)
		}
		return nil
	}
	if t.columns.Encoder == nil || t.columns.Standardizer == nil {
		return fmt.Errorf("run %s is damaged: %s has no encoder or no standardizer", t.Dir, path)
	}
	if err := t.columns.Encoder.Check(); err != nil {
		return fmt.Errorf("run %s is damaged: %s: %w", t.Dir, path, err)
	}
	return nil
}

func (t *Trained) load() error {
	state, err := checkpoint.LoadBest(t.Dir)
	if errors.Is(err, checkpoint.ErrNoCheckpoint) {
		found, err := checkpoint.Latest(t.Dir)
		if err != nil {
			return err
		}
		t.Warnings = append(
			t.Warnings,
			fmt.Sprintf("the run has not ended: using its parameters of step %d", found.State.Step),
		)
		for _, s := range found.Skipped {
			t.Warnings = append(t.Warnings, fmt.Sprintf("passed over a damaged checkpoint: %v", s))
		}
		state = found.State
	} else if err != nil {
		return err
	}
	t.State = state
	return train.LoadParams(t.Predictor.Store(), state)
}

// Snapshot is the structure of the trained network; ok is false for a network without one.
func (t *Trained) Snapshot() (s module.Snapshot, ok bool, err error) {
	m, ok := t.model.(structured)
	if !ok {
		return s, false, nil
	}
	s, err = m.Snapshot(t.Predictor.Store().Tensor)
	return s, true, err
}

// affordRows refuses to run the network on n rows of a table when that is above the budget: the rows are standardised,
// and the answers are kept, also as text.
func (t *Trained) affordRows(table *data.Table, n int) error {
	more, err := t.Predictor.MemoryFor(n)
	if err != nil {
		return err
	}
	const cell = 48 // of an answer as text
	row := table.D*dtypeOf(t.Config.Train.DType).Size() + cell*(t.task.Outputs+2)
	return t.afford(more + n*row)
}

// outputs runs the network on all rows of a table: [n, Outputs], regressions in the data's units.
func (t *Trained) outputs(ctx context.Context, table *data.Table) (kernels.Tensor, error) {
	if err := t.columns.Standardizer.Check(table); err != nil {
		return kernels.Tensor{}, err
	}
	if err := t.affordRows(table, table.N); err != nil {
		return kernels.Tensor{}, err
	}
	rows := make([]int32, table.N)
	for i := range rows {
		rows[i] = int32(i)
	}
	p := part(table, t.columns.Standardizer, rows, dtypeOf(t.Config.Train.DType), false)
	out, err := t.Predictor.Predict(ctx, p.X)
	if err != nil {
		return out, err
	}
	if t.task.Kind == train.Regress {
		data.InverseTargets(out.F64, t.columns.Standardizer)
	}
	return out, nil
}
