package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"ganglion/engine"
	"ganglion/models/run"
)

func evalCommand() *cli.Command {
	return &cli.Command{
		Name: "eval", Usage: "judges a trained model on the test part of its data, or on another file",
		ArgsUsage: "RUN",
		Flags: append(libraryFlags(), []cli.Flag{
			&cli.StringFlag{
				Name:  "data",
				Usage: "`PATH` of a file with the columns of the training data; all rows count",
			},
			deviceFlag(),
			budgetFlag(),
			jsonFlag(),
		}...),
		Action: func(c *cli.Context) (err error) {
			d, err := openDevice(c)
			if err != nil {
				return err
			}
			defer closing(d, &err)
			t, done, err := openRun(c, d.Engine)
			if err != nil {
				return err
			}
			defer done()
			e, err := t.Eval(c.Context, c.String("data"))
			if err != nil {
				return err
			}
			for _, n := range e.Notes {
				fmt.Fprintln(c.App.ErrWriter, "data: "+n)
			}
			warn(c, e.Trouble)
			if c.Bool("json") {
				return printJSON(c, e)
			}
			w := tabwriter.NewWriter(c.App.Writer, 0, 4, 2, ' ', 0)
			fmt.Fprintf(w, "model\t%s, step %d\n", e.Model, e.Step)
			fmt.Fprintf(w, "data\t%s, %s rows: %d\n", e.Data, e.Part, e.Rows)
			fmt.Fprintf(w, "loss\t%.6f\n%s\t%.6f\n", e.Loss, e.Metric.Name, e.Metric.Value)
			for _, m := range []struct {
				name string
				v    *run.Number
			}{{"macro F1", e.MacroF1}, {"mean absolute error", e.MAE}, {"R²", e.R2}} {
				if m.v != nil {
					fmt.Fprintf(w, "%s\t%.6f\n", m.name, *m.v)
				}
			}
			return w.Flush()
		},
	}
}

// openRun opens the run that is the command's only argument, and passes on what there is to say about it. The network
// runs on a device, nil for the processor. done closes it.
func openRun(c *cli.Context, device *engine.Device) (t *run.Trained, done func(), err error) {
	dir, err := one(c, "run directory")
	if err != nil {
		return nil, nil, err
	}
	size, release, err := budget(c)
	if err != nil {
		return nil, nil, err
	}
	if t, err = run.Open(dir, size, device); err != nil {
		release()
		return nil, nil, err
	}
	for _, w := range t.Warnings {
		warn(c, w)
	}
	return t, func() { t.Close(); release() }, nil
}

// warn prints what must not pass in silence, unless there is nothing to say.
func warn(c *cli.Context, text string) {
	if text != "" {
		fmt.Fprintln(c.App.ErrWriter, "warning: "+text)
	}
}
