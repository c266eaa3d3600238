package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"ganglion/engine/train/log"
	"ganglion/models/run"
)

// flagship is what ganglion train trains when no model is named.
const flagship = "module/nm"

func trainCommand() *cli.Command {
	return &cli.Command{
		Name: "train", Usage: "trains a model; with nothing else, Neural Modules on gas sensor data",
		ArgsUsage: "[MODEL]",
		Description: "Examples:\n  ganglion train\n  ganglion train module/nm --data table.csv --target price " +
			"--set nodes=200\n" +
			"  ganglion train --config runs/nm-gas-20260101-120000/config.yaml --seed 2\n" +
			"  ganglion train --resume runs/nm-gas-20260101-120000",
		Flags: append(
			append(dataFlags(), libraryFlags()...),
			&cli.StringFlag{
				Name:  "data",
				Usage: "`NAME|PATH` of a data set (ganglion data list) or a file (default: gas)",
			},
			&cli.IntFlag{Name: "epochs", Usage: "passes over the training part (default: 30)"},
			&cli.IntFlag{Name: "batch", Usage: "samples of a mini-batch (default: 64)"},
			&cli.Float64Flag{Name: "lr", Usage: "learning rate (default: 0.003)"},
			&cli.Uint64Flag{Name: "seed", Usage: "seed of initial values, splits and batches (default: 1)"},
			deviceFlag(),
			&cli.StringFlag{Name: "dtype", Usage: "`TYPE` of the numbers: f32 or f64 (default: f32)"},
			precisionFlag(),
			storageFlag(),
			&cli.StringSliceFlag{
				Name:  "set",
				Usage: "`KEY=VALUE` of the model (ganglion models MODEL), or train.KEY=VALUE",
			},
			&cli.StringFlag{Name: "config", Usage: "YAML `FILE` with the keys of a run's config.yaml"},
			&cli.IntFlag{Name: "threads", Usage: "worker threads; results do not depend on it (default: all cores)"},
			&cli.StringFlag{Name: "out", Usage: "run directory `DIR` (default: runs/MODEL-DATA-TIME)"},
			&cli.StringFlag{Name: "resume", Usage: "go on with the run in `DIR`, at the exact step"},
			&cli.StringFlag{
				Name:  "metrics-addr",
				Usage: "serve Prometheus metrics at `ADDR` (:9100 or HOST:PORT; this machine alone without HOST)",
			},
			&cli.StringFlag{Name: "trace", Usage: "write a trace of the first steps to `FILE`, for Perfetto"},
			&cli.BoolFlag{
				Name:  "strict",
				Usage: "a solver that misses its tolerance, or an op without a kernel on the device, ends the run",
			},
			&cli.BoolFlag{
				Name:  "eager",
				Usage: "launch kernels one by one on a CUDA device, instead of replaying a step as a whole",
			},
			budgetFlag(),
			&cli.BoolFlag{Name: "quiet", Usage: "no progress, only errors and results"},
			jsonFlag(),
		),
		Action: trainAction,
	}
}

func trainAction(c *cli.Context) (err error) {
	cfg, err := trainConfig(c)
	if err != nil {
		return err
	}
	d, err := request(c, c.String("device"))
	if err != nil {
		return err
	}
	defer closing(d, &err)
	cfg.Train.Device, cfg.Train.Eager = d.Engine, c.Bool("eager")
	l := logger(c)
	r, err := trainRun(c, cfg, l, d.Notice)
	if err := errors.Join(err, l.Close()); err != nil {
		return err
	}
	if !c.Bool("quiet") || !c.Bool("json") {
		if err := printRun(c.App.Writer, r); err != nil {
			return err
		}
	}
	if c.Bool("json") {
		return printJSON(c, r)
	}
	return nil
}

func trainRun(c *cli.Context, cfg run.Config, l log.Logger, notice string) (*run.Result, error) {
	size, release, err := budget(c)
	if err != nil {
		return nil, err
	}
	defer release()
	cfg.Train.Budget = size
	s, err := run.Prepare(c.Context, cfg)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	baseline := s.System.ID == flagship
	forecast, err := s.Forecast(baseline)
	if err != nil {
		return nil, err
	}
	if err := s.Afford(forecast); err != nil {
		return nil, err
	}
	device, err := s.ForecastDevice(baseline)
	if err != nil {
		return nil, err
	}
	if err := s.AffordDevice(device, size); err != nil {
		return nil, err
	}
	for _, note := range slices.Concat([]string{notice}, run.KernelWarnings(), describe(s)) {
		if note == "" {
			continue
		}
		if err := l.Note(note); err != nil {
			return nil, err
		}
	}
	o := run.TrainOptions{Dir: c.String("out"), Log: l, Baseline: baseline, Forecast: forecast.Peak,
		MetricsAddr: c.String("metrics-addr"), Trace: c.String("trace"), ForecastDevice: device}
	if dir := c.String("resume"); dir != "" {
		o.Dir, o.Resume = dir, true
	}
	return s.Train(c.Context, o)
}

// describe says what is about to be trained on what.
func describe(s *run.Session) []string {
	model := fmt.Sprintf("model: %s, %s; %d parameters, %d steps an epoch", s.System.ID, s.System.Title,
		s.Trainer.Store().Params().Size(), s.Trainer.StepsPerEpoch())
	if g := s.Graphs; g != nil {
		notes := []string{g.Describe(s.Set)}
		for _, n := range g.Notes {
			notes = append(notes, "data: "+n)
		}
		return append(notes, model)
	}
	t := s.Table
	notes := []string{
		fmt.Sprintf(
			"data: %s, %d rows, %d features, %d %s; %d for training, %d for validation, %d for the test (%s)",
			t.Name,
			t.N,
			t.D,
			t.Outputs(),
			outputsName(s),
			len(s.Split.Train),
			len(s.Split.Valid),
			len(s.Split.Test),
			s.Split.Name,
		),
	}
	for _, n := range slices.Concat(t.Notes, s.Split.Notes, s.Standardizer.Notes) {
		notes = append(notes, "data: "+n)
	}
	return append(notes, model)
}

func outputsName(s *run.Session) string {
	if len(s.Table.Classes) > 0 {
		return "classes"
	}
	return "targets"
}

// trainConfig puts together the configuration: the model's defaults, a file, flags, and --set, the later over the
// earlier.
func trainConfig(c *cli.Context) (run.Config, error) {
	if dir := c.String("resume"); dir != "" {
		for _, f := range c.LocalFlagNames() {
			switch f {
			case "resume", "device", "fusion", "cublas", "kernel-cache", "eager", "threads", "metrics-addr", "trace",
				"memory-budget", "quiet", "json":
			default:
				return run.Config{}, usagef(
					"--%s does not go with --resume: a run goes on with its own configuration",
					f,
				)
			}
		}
		if c.Args().Present() {
			return run.Config{}, usagef("a model does not go with --resume: a run goes on with its own")
		}
		cfg, err := run.LoadRun(dir)
		if err == nil && c.IsSet("threads") { // results do not depend on it
			err = cfg.SetFlag("--threads", "train.threads", fmt.Sprint(c.Int("threads")))
		}
		return cfg, err
	}
	if c.Args().Len() > 1 {
		return run.Config{}, usagef("train takes one model, has %q", c.Args().Slice())
	}
	model := flagship
	if c.Args().Present() {
		model = c.Args().First()
	}
	cfg, err := run.Default(model)
	if path := c.String("config"); path != "" {
		cfg, err = run.Load(path, model)
		if err == nil && c.Args().Present() && cfg.Model != model {
			return cfg, usagef("%s is about %s, not %s", path, cfg.Model, model)
		}
	}
	if err != nil {
		return cfg, err
	}
	return cfg, overrides(c, &cfg)
}

func overrides(c *cli.Context, cfg *run.Config) error {
	for _, f := range []struct{ flag, key string }{
		{"data", "data.source"}, {"data-dir", "data.dir"}, {"target", "data.target"}, {"task", "data.task"},
		{"split", "data.split"},
		{"epochs", "train.epochs"}, {"batch", "train.batch"}, {"lr", "train.lr"}, {"seed", "train.seed"},
		{"dtype", "train.dtype"}, {"precision", "train.precision"}, {"storage", "train.storage"},
		{"threads", "train.threads"}, {"strict", "train.strict"},
	} {
		if !c.IsSet(f.flag) {
			continue
		}
		if err := cfg.SetFlag("--"+f.flag, f.key, fmt.Sprint(c.Value(f.flag))); err != nil {
			return err
		}
	}
	for _, a := range c.StringSlice("set") {
		if err := cfg.Set(a); err != nil {
			return err
		}
	}
	return nil
}

// printRun prints the table at the end of a run.
func printRun(out io.Writer, r *run.Result) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "\nMODEL\tPARAMETERS\t%s TRAIN\tVALID\tTEST\tLOSS TEST\tSECONDS\n", strings.ToUpper(r.Metric.Name))
	row := func(model string, parameters int, m run.Metric, loss run.Parts, seconds float64) {
		fmt.Fprintf(
			w,
			"%s\t%d\t%.4f\t%.4f\t%.4f\t%.4f\t%.1f\n",
			model,
			parameters,
			m.Train,
			m.Valid,
			m.Test,
			loss.Test,
			seconds,
		)
	}
	row(r.Model, r.Parameters, r.Metric, r.Loss, r.Seconds)
	if b := r.Extra.Baseline; b != nil {
		row(b.Model, b.Parameters, b.Metric, b.Loss, b.Seconds)
	}
	fmt.Fprintln(w)
	if m := r.Extra.Modules; m != nil {
		fmt.Fprintf(
			w,
			"structure\t%d nodes, %d edges kept, %d modules on %d levels\n",
			m.Nodes,
			m.Kept,
			m.Modules,
			m.Levels,
		)
		fmt.Fprintf(w, "cyclic modules\t%d of sizes %s (before training: %d of sizes %s)\n", m.Cyclic, sizes(m.Sizes),
			r.Extra.Before.Cyclic, sizes(r.Extra.Before.Sizes))
	}
	if s := r.Extra.Solver; s != nil {
		fmt.Fprintf(
			w,
			"solver\t%.1f iterations on average, %d at most; worst residual %.2g; %d of %d solves not converged\n",
			s.Iterations,
			s.Longest,
			s.Worst,
			s.Failed,
			s.Samples,
		)
	}
	fmt.Fprintf(w, "best epoch\t%d of %d\n", r.Extra.BestEpoch, r.Epochs)
	fmt.Fprintf(w, "time\t%.3f seconds an epoch, %d steps\n", r.SecondsPerEpoch, r.Steps)
	fmt.Fprintf(w, "memory\t%s at most, %s foretold\n", run.Size(r.PeakBytes), run.Size(r.Extra.Predicted))
	if p := r.Extra.DevicePeak; p > 0 {
		fmt.Fprintf(w, "memory of %s\t%s at most, %s foretold\n", r.Device, run.Size(p),
			run.Size(r.Extra.DevicePredicted))
	}
	for _, f := range r.Fallbacks {
		fmt.Fprintf(w, "slow path\t%s\n", f)
	}
	fmt.Fprintf(w, "run\t%s\n", r.Run)
	return w.Flush()
}

// sizes writes module sizes, the largest first, shortened when there are many.
func sizes(s []int) string {
	const most = 12
	text := strings.Trim(fmt.Sprint(s[:min(len(s), most)]), "[]")
	if len(s) > most {
		text += " …"
	}
	if text == "" {
		text = "none"
	}
	return text
}
