package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

func predictCommand() *cli.Command {
	return &cli.Command{
		Name: "predict", Usage: "answers for every row of a file, as CSV",
		ArgsUsage: "RUN",
		Flags: append(libraryFlags(), []cli.Flag{
			&cli.StringFlag{
				Name:  "input",
				Usage: "`FILE` with the columns of the training data; the target may be missing",
			},
			&cli.StringFlag{Name: "output", Usage: "`FILE` for the answers (default: standard output)"},
			deviceFlag(),
			budgetFlag(),
			jsonFlag(),
		}...),
		Action: func(c *cli.Context) (err error) {
			if !c.IsSet("input") {
				return usagef("predict wants --input FILE, the rows to answer for")
			}
			if c.Bool("json") && !c.IsSet("output") {
				return usagef("--json wants --output: standard output cannot hold both")
			}
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
			p, err := t.Predict(c.Context, c.String("input"))
			if err != nil {
				return err
			}
			for _, n := range p.Notes {
				fmt.Fprintln(c.App.ErrWriter, "data: "+n)
			}
			warn(c, p.Trouble)
			if !c.IsSet("output") {
				return p.WriteCSV(c.App.Writer)
			}
			if err := p.SaveCSV(c.String("output")); err != nil {
				return err
			}
			if c.Bool("json") {
				return printJSON(c, p)
			}
			fmt.Fprintf(c.App.ErrWriter, "%d answers in %s\n", p.Rows, p.Output)
			return nil
		},
	}
}
