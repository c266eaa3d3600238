package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"ganglion/engine/data"
	"ganglion/models/run"
)

func dataCommand() *cli.Command {
	return &cli.Command{
		Name: "data", Usage: "lists, shows and checks data sets and files",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "lists the named data sets and where they come from",
				Flags: []cli.Flag{jsonFlag(), dirFlag()}, Action: listData},
			{Name: "show", Usage: "reads a data set or file and sums it up", ArgsUsage: "NAME|PATH",
				Flags: append(
					dataFlags(),
					jsonFlag(),
				), Action: func(c *cli.Context) error { return showData(c, false) }},
			{
				Name:      "check",
				Usage:     "reads, splits and standardises a data set or file as training would",
				ArgsUsage: "NAME|PATH",
				Flags: append(
					dataFlags(),
					jsonFlag(),
				),
				Action: func(c *cli.Context) error { return showData(c, true) },
			},
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("unknown command data %q; it has list, show and check", c.Args().First())
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

func dirFlag() cli.Flag {
	return &cli.StringFlag{Name: "data-dir", Usage: "`FOLDER` with the files of named data sets that are not built in"}
}

// dataFlags are the flags that say what to learn from.
func dataFlags() []cli.Flag {
	return []cli.Flag{dirFlag(),
		&cli.StringFlag{Name: "target", Usage: "target `COLUMN`: its name, its position from 1, or -1 for the last"},
		&cli.StringFlag{Name: "task", Usage: "`TASK`: classify or regress, when it is not plain from the data"},
		&cli.StringFlag{
			Name:  "split",
			Usage: "stored split `NAME:K`, or shares such as 75/25 (default: stratified 60/20/20 by seed)",
		}}
}

func listData(c *cli.Context) error {
	sets, graphs := run.DataSets(c.String("data-dir")), run.GraphSets(c.String("data-dir"))
	if c.Bool("json") {
		all := make([]any, 0, len(sets)+len(graphs))
		for _, s := range sets {
			all = append(all, s)
		}
		for _, g := range graphs {
			all = append(all, g)
		}
		return printJSON(c, all)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSTATE\tTASK\tROWS\tFEATURES\tWHAT IT IS\tLICENCE")
	for _, s := range sets {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%s\n", s.Name, s.State, s.Task, s.Rows, s.Features, s.Title, s.Licence)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return listGraphs(c.App.Writer, graphs)
}

func showData(c *cli.Context, full bool) error {
	source, err := one(c, "data set or file")
	if err != nil {
		return err
	}
	d := run.Data{Source: source, Dir: c.String("data-dir"), Target: c.String("target"), Task: c.String("task"),
		Split: c.String("split")}
	if run.IsGraph(d) {
		return showGraph(c, d, full)
	}
	s, err := run.ShowData(c.Context, d, full)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c, s)
	}
	return printSummary(c.App.Writer, s)
}

func printSummary(out io.Writer, s data.Summary) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "name\t%s\nsource\t%s\nsha256\t%s\n", s.Name, s.Source, s.SHA256)
	fmt.Fprintf(
		w,
		"rows\t%d\nfeatures\t%d\ntask\t%s\ntarget\t%s\n",
		s.Rows,
		s.Features,
		s.Task,
		strings.Join(s.Target, ", "),
	)
	for _, c := range s.Classes {
		fmt.Fprintf(w, "class %s\t%d rows\n", c.Name, c.Rows)
	}
	for _, t := range s.Targets {
		fmt.Fprintf(
			w,
			"target %s\tmin %.6g, mean %.6g, max %.6g, standard deviation %.6g\n",
			t.Name,
			t.Min,
			t.Mean,
			t.Max,
			t.Std,
		)
	}
	for _, m := range s.Missing {
		fmt.Fprintf(w, "missing in %s\t%d rows\n", m.Name, m.Rows)
	}
	if len(s.Constant) > 0 {
		fmt.Fprintf(w, "constant\t%s\n", strings.Join(s.Constant, ", "))
	}
	for _, p := range s.Splits {
		fmt.Fprintf(w, "stored split %s\t:0 to :%d\n", p.Name, p.Divisions-1)
	}
	for _, n := range s.Notes {
		fmt.Fprintf(w, "note\t%s\n", n)
	}
	return w.Flush()
}
