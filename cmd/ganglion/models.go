package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"ganglion/models/run"
)

func modelsCommand() *cli.Command {
	return &cli.Command{
		Name: "models", Usage: "lists the models, or the settings and published figures of one",
		ArgsUsage: "[MODEL]",
		Flags:     []cli.Flag{jsonFlag()},
		Action: func(c *cli.Context) error {
			if c.Args().Len() > 1 {
				return usagef("models takes one model at most, has %q", c.Args().Slice())
			}
			if c.Args().Present() {
				return showModel(c, c.Args().First())
			}
			list := run.Models()
			if c.Bool("json") {
				return printJSON(c, list)
			}
			w := tabwriter.NewWriter(c.App.Writer, 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "MODEL\tPAPER\tWHAT IT IS")
			for _, m := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\n", m.ID, m.Paper, m.Title)
			}
			return w.Flush()
		},
	}
}

func showModel(c *cli.Context, id string) error {
	m, err := run.DescribeModel(id)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c, m)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "%s\t%s\n", m.ID, m.Title)
	fmt.Fprintf(w, "paper\t%s\n", m.Paper)
	fmt.Fprintf(w, "data\t%s\n", strings.Join(m.Data, ", "))
	fmt.Fprintln(w, "\nSETTING\tDEFAULT\tMEANING (--set KEY=VALUE)")
	for _, k := range m.Settings {
		fmt.Fprintf(w, "%s\t%s\t%s\n", k.Name, k.Default, k.Doc)
	}
	fmt.Fprintln(w, "\nTRAINING SETTING\t\tMEANING (--set train.KEY=VALUE)")
	for _, k := range m.Training {
		fmt.Fprintf(w, "%s\t\t%s\n", k.Name, k.Doc)
	}
	if len(m.Published) > 0 {
		fmt.Fprintln(w, "\nPUBLISHED ON\tVALUE\tMETRIC AND SETTINGS")
		for _, p := range m.Published {
			fmt.Fprintf(w, "%s\t%.4f\t%s, %s\n", p.On, p.Value, p.Metric, p.With)
		}
	}
	return w.Flush()
}
