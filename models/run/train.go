package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"ganglion/engine/checkpoint"
	"ganglion/engine/train"
	"ganglion/engine/train/log"
	"ganglion/models/module"
)

// TrainOptions says where a run is kept and what is trained beside it.
type TrainOptions struct {
	Dir      string     // run directory, made by Train; empty picks one below runs/
	Resume   bool       // go on with the run in Dir
	Baseline bool       // train module/mlp of the same size afterwards, for comparison
	Log      log.Logger // what the user sees while the run goes on
	// MetricsAddr, when not empty, is where the numbers of the run can be scraped while it goes on: HOST:PORT, path
	// /metrics. Without a host only this machine can. Trace, when not empty, is the file for a trace of the first steps
	// and of all epochs.
	MetricsAddr, Trace string
	Forecast           int             // bytes foretold, for the result
	ForecastDevice     *DeviceForecast // the same of a device, nil without one
}

// dataFile holds, in a run directory, how the columns of the data became features.
const dataFile = "data.json"

// Train trains a prepared session and keeps it in a run directory. A cancelled context ends it after the step under way
// with an error wrapping ErrInterrupted; the run can then be resumed.
func (s *Session) Train(ctx context.Context, o TrainOptions) (r *Result, err error) {
	dir, err := s.open(&o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	before, err := s.resume(dir, o)
	if err != nil {
		return nil, err
	}
	out, err := s.fitTo(ctx, dir, o)
	if err != nil {
		return nil, s.ended(ctx, dir.Dir(), err)
	}
	if out.Stopped != "" {
		if err := o.Log.Note("stopped early: " + out.Stopped); err != nil {
			return nil, err
		}
	}
	if err := s.saveBest(dir); err != nil {
		return nil, err
	}
	if r, err = s.result(ctx, dir.Dir(), out, o); err != nil {
		return nil, s.ended(ctx, dir.Dir(), err)
	}
	if err := s.finish(dir, r, before); err != nil {
		return nil, err
	}
	if o.Baseline {
		if r.Extra.Baseline, err = s.baseline(ctx, o); err != nil {
			return nil, s.ended(ctx, dir.Dir(), err)
		}
	}
	_, r.PeakBytes = resident()
	if d := s.Config.Train.Device; d != nil && o.ForecastDevice != nil {
		r.Extra.DevicePredicted, r.Extra.DevicePeak = o.ForecastDevice.Peak, int(d.Memory().Peak)
	}
	return r, writeJSON(filepath.Join(dir.Dir(), resultFile), r)
}

// fitTo runs the training itself, with all who watch it.
func (s *Session) fitTo(ctx context.Context, dir *checkpoint.Run, o TrainOptions) (out train.Outcome, err error) {
	h := s.hooks(dir, o)
	if o.MetricsAddr != "" {
		e, err := newExporter(o.MetricsAddr)
		if err != nil {
			return out, err
		}
		defer func() { _ = e.close() }()
		e.attach(&h)
		if err := o.Log.Note("metrics: http://" + e.addr + "/metrics"); err != nil {
			return out, err
		}
	}
	if o.Trace != "" {
		t := newTrace()
		t.attach(&h)
		defer func() { err = errors.Join(err, t.save(o.Trace)) }()
	}
	return s.Trainer.Fit(ctx, h)
}

// resultFile holds, in a run directory, the result as --json prints it.
const resultFile = "result.json"

// ended is the error of a run that err ended: a run that was cancelled has been saved and can be resumed.
func (s *Session) ended(ctx context.Context, dir string, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return fmt.Errorf(
			"%w at step %d, saved: go on with --resume %s",
			ErrInterrupted,
			s.Trainer.Position().Step,
			dir,
		)
	}
	return err
}

// open makes or opens the run directory.
func (s *Session) open(o *TrainOptions) (*checkpoint.Run, error) {
	if o.Resume {
		dir, err := checkpoint.Open(o.Dir)
		return dir, usageIf(err, checkpoint.ErrNotRun)
	}
	if o.Dir == "" {
		o.Dir = filepath.Join("runs", fmt.Sprintf("%s-%s-%s", filepath.Base(s.System.ID), filepath.Base(s.DataName()),
			time.Now().UTC().Format("20060102-150405")))
	}
	if _, err := os.Stat(filepath.Join(o.Dir, checkpoint.ConfigFile)); err == nil {
		return nil, usage(fmt.Errorf("%s is a run already: go on with it by --resume, or choose another --out", o.Dir))
	}
	env := checkpoint.NewEnv(s.Config.deviceName(), s.Config.Train.Threads)
	dir, err := checkpoint.Create(o.Dir, s.Config.document().Elem().Interface(), env)
	if err != nil {
		return nil, err
	}
	if err := writeJSON(filepath.Join(o.Dir, dataFile), s.columns()); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return dir, nil
}

func usageIf(err, kind error) error {
	if errors.Is(err, kind) {
		return usage(err)
	}
	return err
}

// resume goes back to the newest checkpoint and returns the structure before training.
func (s *Session) resume(dir *checkpoint.Run, o TrainOptions) (*module.Snapshot, error) {
	before, err := s.snapshot() // of the initial values, which depend on the seed alone
	if err != nil {
		return nil, err
	}
	if !o.Resume {
		return before, nil
	}
	found, err := dir.Resume()
	if err != nil {
		return nil, err
	}
	var notes []string
	for _, w := range dir.Warnings {
		notes = append(notes, "warning: "+w)
	}
	for _, w := range found.Skipped {
		notes = append(notes, fmt.Sprintf("warning: passed over a damaged checkpoint: %v", w))
	}
	if found.State == nil {
		return before, noteAll(o.Log, append(notes, "the run had saved nothing yet: starting from the beginning"))
	}
	if err := s.Trainer.Restore(found.State); err != nil {
		return nil, fmt.Errorf("resume %s: %w", found.Path, err)
	}
	return before, noteAll(
		o.Log,
		append(notes, fmt.Sprintf("resumed at step %d from %s", found.State.Step, found.Path)),
	)
}

func noteAll(l log.Logger, notes []string) error {
	for _, n := range notes {
		if err := l.Note(n); err != nil {
			return err
		}
	}
	return nil
}

// snapshot is the structure of the network as it stands, nil for a network without one.
func (s *Session) snapshot() (*module.Snapshot, error) {
	m, ok := s.Model.(structured)
	if !ok {
		return nil, nil
	}
	defer sparing()()
	snap, err := m.Snapshot(s.Trainer.Store().Tensor)
	return &snap, err
}

func (s *Session) hooks(dir *checkpoint.Run, o TrainOptions) train.Hooks {
	metrics := log.NewJSONLines(dir.Metrics())
	h := s.progress(o.Log)
	show := h.Epoch
	h.Epoch = func(e train.Epoch) error {
		if err := metrics.Log(interval(e, s.metricName())); err != nil {
			return err
		}
		return show(e)
	}
	h.Warn = func(text string) error {
		if _, err := fmt.Fprintln(dir.Log(), text); err != nil {
			return err
		}
		return o.Log.Note("warning: " + text)
	}
	h.Save = func() error {
		state, err := s.Trainer.Snapshot()
		if err != nil {
			return err
		}
		_, err = dir.Save(state, checkpoint.SaveOptions{Keep: s.Config.Train.Keep})
		return err
	}
	return h
}

// saveBest writes the parameters of the best epoch to a file of their own, for eval, predict and other tools.
func (s *Session) saveBest(dir *checkpoint.Run) error {
	state, err := s.Trainer.BestSnapshot()
	if err != nil {
		return err
	}
	return dir.SaveBest(state)
}

// finish draws the structure before and after training.
func (s *Session) finish(dir *checkpoint.Run, r *Result, before *module.Snapshot) error {
	after, err := s.snapshot()
	if err != nil || after == nil {
		return err
	}
	r.Extra.Before, r.Extra.Modules = modulesOf(*before), modulesOf(*after)
	_, err = Draw(dir.Dir(), before, *after, fmt.Sprintf("%s on %s", s.System.ID, s.DataName()))
	return err
}

// baseline trains module/mlp with as many parameters on the same data in the same way.
func (s *Session) baseline(ctx context.Context, o TrainOptions) (*Baseline, error) {
	b, err := s.baselineOf(s.Trainer.Store().Params().Size())
	if err != nil {
		return nil, err
	}
	defer b.Close()
	if err := o.Log.Note("training " + b.System.ID + " of the same size for comparison"); err != nil {
		return nil, err
	}
	out, err := b.Trainer.Fit(ctx, b.progress(o.Log))
	if err != nil {
		return nil, err
	}
	r, err := b.result(ctx, "", out, o)
	if err != nil {
		return nil, err
	}
	return &Baseline{
		Model:      b.System.ID,
		Parameters: r.Parameters,
		Loss:       r.Loss,
		Metric:     r.Metric,
		Seconds:    r.Seconds,
	}, nil
}

func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	return checkpoint.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}
