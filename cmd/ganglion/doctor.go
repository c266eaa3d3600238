package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"ganglion/models/run"
)

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name: "doctor", Usage: "says what this machine has and whether training will work on it",
		Flags: []cli.Flag{jsonFlag(), &cli.BoolFlag{Name: "deep",
			Usage: "compares all kernels in assembly with those in Go, at 262,144 arguments each: some seconds"}},
		Action: func(c *cli.Context) error {
			findings, ok := run.Doctor(c.Bool("deep"))
			if c.Bool("json") {
				if err := printJSON(c, findings); err != nil {
					return err
				}
			} else {
				w := tabwriter.NewWriter(c.App.Writer, 0, 4, 2, ' ', 0)
				for _, f := range findings {
					mark := ""
					if !f.OK {
						mark = "  <- needs attention"
					}
					fmt.Fprintf(w, "%s\t%s%s\n", f.What, f.Says, mark)
				}
				if err := w.Flush(); err != nil {
					return err
				}
			}
			if !ok {
				return errors.New("training on the CPU will not work as it should; see above")
			}
			return nil
		},
	}
}
