package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"ganglion/models/run"
)

func evalCommand() *cli.Command {
	return &cli.Command{
		Name: "eval", Usage: "judges a trained model on the test part of its data, or on another file",
		ArgsUsage: "RUN",
		Flags: []cli.Flag{
			&cli.StringFlag{
				Name:  "data",
				Usage: "`PATH` of a file with the columns of the training data; all rows count",
			},
			jsonFlag(),
		},
		Action: func(c *cli.Context) error {
			t, err := openRun(c)
			if err != nil {
				return err
			}
			defer t.Close()
			e, err := t.Eval(c.Context, c.String("data"))
			if err != nil {
				return err
			}
			for _, n := range e.Notes {
				fmt.Fprintln(c.App.ErrWriter, "data: "+n)
			}
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

// openRun opens the run that is the command's only argument, and passes on what there is to say about it.
func openRun(c *cli.Context) (*run.Trained, error) {
	dir, err := one(c, "run directory")
	if err != nil {
		return nil, err
	}
	t, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	for _, w := range t.Warnings {
		fmt.Fprintln(c.App.ErrWriter, "warning: "+w)
	}
	return t, nil
}
