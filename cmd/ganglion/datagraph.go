package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"ganglion/engine/data/graph"
	"ganglion/models/run"
)

// listGraphs prints the named sets of graphs below those of tables.
func listGraphs(out io.Writer, sets []run.GraphInfo) error {
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "GRAPHS\tSTATE\tOF\tGRAPHS\tNODES\tPAIRS\tFEATURES\tCLASSES\tWHAT IT IS\tLICENCE")
	for _, s := range sets {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", s.Name, s.State, s.Kind, s.Graphs, s.Nodes, s.Edges,
			s.Features, s.Classes, s.Title, s.Licence)
	}
	return w.Flush()
}

func showGraph(c *cli.Context, d run.Data, full bool) error {
	s, err := run.ShowGraph(c.Context, d, full)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c, s)
	}
	return printGraph(c.App.Writer, s)
}

func printGraph(out io.Writer, s graph.Summary) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	line := func(name, format string, values ...any) {
		fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, values...))
	}
	line("name", "%s", s.Name)
	line("source", "%s", s.Source)
	line("sha256", "%s", s.SHA256)
	line("graphs", "%d, of which the %s are learnt about", s.Graphs, s.Kind)
	line("nodes", "%d", s.Nodes)
	direction := "both directions of each pair counted"
	if s.Directed {
		direction = "directed"
	}
	if s.Weighted {
		direction += ", weighted"
	}
	line("edges", "%d, %s", s.Edges, direction)
	line("loops", "%d", s.Loops)
	line("duplicates", "%d", s.Duplicates)
	line("isolated nodes", "%d", s.Isolated)
	line("components", "%d", s.Components)
	line("edges into a node", "least %d, median %d, mean %g, most %d", s.Degree.Min, s.Degree.Median, s.Degree.Mean,
		s.Degree.Max)
	line("features", "%d, %.3g %% of them stored", s.Features, 100*s.Density)
	if s.Attributes > 0 {
		line("attributes of an edge", "%d", s.Attributes)
	}
	if s.EdgeTypes > 0 {
		line("types of edges", "%d", s.EdgeTypes)
	}
	if s.Task != graph.None {
		line("task", "%s", s.Task)
	}
	for _, c := range s.Classes {
		line("class "+c.Name, "%d rows", c.Rows)
	}
	if len(s.Targets) > 0 {
		line("targets", "%s", strings.Join(s.Targets, ", "))
	}
	if s.Unlabelled > 0 {
		line("without a label", "%d rows", s.Unlabelled)
	}
	for _, p := range s.Splits {
		line(
			"stored split "+p.Name,
			":0 to :%d, the first with %d, %d and %d rows",
			p.Divisions-1,
			p.Train,
			p.Valid,
			p.Test,
		)
	}
	for _, n := range s.Notes {
		line("note", "%s", n)
	}
	return w.Flush()
}
