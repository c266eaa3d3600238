package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"ganglion/models/run"
)

func planCommand() *cli.Command {
	return &cli.Command{
		Name: "plan", Usage: "tells, without training, what a run would do step by step, and what memory it would take",
		ArgsUsage: "[MODEL]",
		Description: "Examples:\n  ganglion plan\n  ganglion plan module/mlp --data table.csv --batch 1024 " +
			"--memory-budget 512MiB",
		Flags: append(
			append(dataFlags(), libraryFlags()...),
			&cli.StringFlag{Name: "data", Usage: "`NAME|PATH` of a data set or a file (default: gas)"},
			&cli.IntFlag{Name: "batch", Usage: "samples of a mini-batch (default: 64)"},
			&cli.Uint64Flag{Name: "seed", Usage: "seed of initial values and splits (default: 1)"},
			deviceFlag(),
			&cli.StringFlag{Name: "dtype", Usage: "`TYPE` of the numbers: f32 or f64 (default: f32)"},
			precisionFlag(),
			storageFlag(),
			&cli.StringSliceFlag{
				Name:  "set",
				Usage: "`KEY=VALUE` of the model (ganglion models MODEL), or train.KEY=VALUE",
			},
			&cli.StringFlag{Name: "config", Usage: "YAML `FILE` with the keys of a run's config.yaml"},
			&cli.IntFlag{Name: "threads", Usage: "worker threads (default: all cores)"},
			budgetFlag(),
			jsonFlag(),
		),
		Action: planAction,
	}
}

func planAction(c *cli.Context) (err error) {
	cfg, err := trainConfig(c)
	if err != nil {
		return err
	}
	d, err := openDevice(c)
	if err != nil {
		return err
	}
	defer closing(d, &err)
	cfg.Train.Device = d.Engine
	size, release, err := budget(c)
	if err != nil {
		return err
	}
	defer release()
	cfg.Train.Budget = size
	s, err := run.Prepare(c.Context, cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	p, err := s.Plan(s.System.ID == flagship)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		err = printJSON(c, p)
	} else {
		err = printPlan(c.App.Writer, p)
	}
	if err != nil {
		return err
	}
	if err := s.Afford(p.Memory); err != nil {
		return err
	}
	return s.AffordDevice(p.OnDevice, size)
}

// budgetFlag is the flag by which a command refuses to take more memory than it may.
func budgetFlag() cli.Flag {
	return &cli.StringFlag{
		Name:  "memory-budget",
		Usage: "refuse, before it begins, what would take more memory than `SIZE`, as in 512MiB (default: no limit)",
	}
}

// budget is the memory that a command may take, in bytes; 0 is any. From now until release the process collects its
// garbage as often as it must to stay within.
func budget(c *cli.Context) (size int, release func(), err error) {
	if c.IsSet("memory-budget") {
		if size, err = run.ParseSize(c.String("memory-budget")); err != nil {
			return 0, nil, fmt.Errorf("--memory-budget: %w", err)
		}
	}
	return size, run.Hold(size), nil
}

// printPlan prints the steps of the programs and the memory they take.
func printPlan(out io.Writer, p *run.Plan) error {
	for i := range p.Programs {
		if err := printSteps(out, &p.Programs[i]); err != nil {
			return err
		}
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	m := p.Memory
	for _, l := range []struct {
		what  string
		bytes int
	}{
		{"data", m.Data}, {"parameters", m.Parameters}, {"optimiser and other states", m.States},
		{"constants", m.Constants}, {"mini-batches", m.Batch}, {"arena of a training step", m.Arena},
		{"arena of an evaluation, in the same place", m.Evaluation}, {"copies of the best parameters", m.Best},
		{"in reserve, for samples that resist a solver", m.Reserve},
		{"network for comparison", m.Baseline}, {"pictures of the structure", m.Pictures},
		{"held now, with data, parameters and program", m.Resident}, {"predicted peak", m.Peak},
		{"at worst, with all of the reserve", m.Worst},
	} {
		fmt.Fprintf(w, "%s\t%d\t bytes\n", l.what, l.bytes)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := printDeviceMemory(out, p.OnDevice); err != nil {
		return err
	}
	for _, f := range p.Fallbacks {
		fmt.Fprintf(out, "slow path: %s\n", f)
	}
	dtype := p.DType
	if p.Precision != "" {
		dtype += ", products in " + p.Precision
	}
	if p.Storage != "" {
		dtype += ", values kept in " + p.Storage
	}
	_, err := fmt.Fprintf(out, "%s on %s: %d parameters, %s, %d steps an epoch of up to %d samples\n", p.Model, p.Data,
		p.Parameters, dtype, p.Steps, p.Batch)
	return err
}

func printSteps(out io.Writer, p *run.PlanProgram) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "#\tOP\tPATH\tIN\tOUT\tKERNEL\tBYTES\tMFLOP\tPLACE\tREASON")
	for _, s := range p.Steps {
		flops := "-"
		if s.Flops > 0 {
			flops = fmt.Sprintf("%.3f", s.Flops/1e6)
		}
		fmt.Fprintf(
			w,
			"%d\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n",
			s.Index,
			shortOp(s.Op),
			s.Path,
			shortList(s.In),
			s.Out,
			s.Kernel,
			s.Bytes,
			flops,
			s.Place,
			s.Reason,
		)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(
		out,
		"%s: %d steps on %d samples, %.3f MFLOP of products, %d bytes read and written; arena of "+
			"%d bytes (%d without reuse), %d in use at step %d\n\n",
		p.Name,
		len(p.Steps),
		p.Samples,
		p.Flops/1e6,
		p.Bytes,
		p.Arena,
		p.Unshared,
		p.Live,
		p.Crest,
	)
	return err
}

// shortOp is an op without attributes that nobody set, and shortened.
func shortOp(op string) string {
	name, rest, ok := strings.Cut(op, "{")
	if !ok {
		return op
	}
	var set []string
	for _, f := range strings.Fields(strings.TrimSuffix(rest, "}")) {
		if !strings.HasSuffix(f, ":0") && !strings.HasSuffix(f, ":false") && !strings.HasSuffix(f, ":") {
			set = append(set, f)
		}
	}
	const most = 48
	text := []rune(name + "{" + strings.Join(set, " ") + "}")
	if len(set) == 0 {
		return name
	}
	if len(text) > most {
		return string(text[:most-1]) + "…"
	}
	return string(text)
}

// shortList keeps the ends of a long list of inputs.
func shortList(in []string) string {
	const most = 4
	if len(in) <= most {
		return strings.Join(in, " ")
	}
	return fmt.Sprintf("%s … %d more … %s", strings.Join(in[:2], " "), len(in)-3, in[len(in)-1])
}
