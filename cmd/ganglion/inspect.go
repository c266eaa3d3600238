package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"
)

func inspectCommand() *cli.Command {
	return &cli.Command{
		Name: "inspect", Usage: "describes a run and draws the structure of its network",
		ArgsUsage: "RUN",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "out", Usage: "folder `DIR` for the pictures (default: the run directory)"},
			jsonFlag(),
		},
		Action: func(c *cli.Context) error {
			t, done, err := openRun(c, nil)
			if err != nil {
				return err
			}
			defer done()
			i, err := t.Inspect(c.String("out"))
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return printJSON(c, i)
			}
			w := tabwriter.NewWriter(c.App.Writer, 0, 4, 2, ' ', 0)
			fmt.Fprintf(
				w,
				"model\t%s\ndata\t%s\nstep\t%d of epoch %d\nparameters\t%d\n",
				i.Model,
				i.Data,
				i.Step,
				i.Epoch,
				i.Parameters,
			)
			for _, p := range i.Tensors {
				fmt.Fprintf(w, "  %s\t%s %s\n", p.Name, p.DType, strings.Trim(fmt.Sprint(p.Shape), "[]"))
			}
			if m := i.Modules; m != nil {
				fmt.Fprintf(
					w,
					"structure\t%d nodes, %d edges kept, %d modules on %d levels\n",
					m.Nodes,
					m.Kept,
					m.Modules,
					m.Levels,
				)
				fmt.Fprintf(w, "cyclic modules\t%d of sizes %s\n", m.Cyclic, sizes(m.Sizes))
				fmt.Fprintf(w, "spectral radius\t%.4f\n", i.SpectralRadius)
			}
			for _, p := range i.Pictures {
				fmt.Fprintf(w, "picture\t%s\n", p)
			}
			return w.Flush()
		},
	}
}
