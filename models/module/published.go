package module

import (
	"fmt"

	"ganglion/models/zoo"
)

// nodes are the graph sizes of the paper's tables.
var nodes = [5]int{60, 80, 100, 200, 300}

// row spells out one row of a table: test error by number of nodes.
func row(on, with string, values [5]float64) []zoo.Published {
	out := make([]zoo.Published, len(nodes))
	for i, v := range values {
		out[i] = zoo.Published{On: on, Metric: "test error", With: fmt.Sprintf("nodes=%d%s", nodes[i], with), Value: v}
	}
	return out
}

func join(rows ...[]zoo.Published) []zoo.Published {
	var out []zoo.Published
	for _, r := range rows {
		out = append(out, r...)
	}
	return out
}

// The paper's tables (arXiv 2306.02157 v4).
var (
	publishedNM = join(
		row("codon", ", reg=none", [5]float64{.1498, .1487, .1465, .1387, .1398}),
		row("codon", ", reg=l1", [5]float64{.1410, .1422, .1395, .1366, .1345}),
		row("codon", ", reg=nm", [5]float64{.1456, .1378, .1315, .1215, .1277}),
		row("hapt", ", reg=nm", [5]float64{.2416, .0888, .0672, .0768, .0876}),
		row("gas", ", reg=none", [5]float64{.0789, .0810, .0822, .0832, .0856}),
		row("gas", ", reg=l1", [5]float64{.0756, .0744, .0720, .0701, .0717}),
		row("gas", ", reg=nm", [5]float64{.0733, .0710, .0632, .0610, .0666}),
	)
	publishedMLP = join(
		row("codon", "", [5]float64{.1917, .1854, .1964, .1702, .1839}),
		row("hapt", "", [5]float64{.1099, .1008, .1069, .0811, .1245}),
		row("gas", "", [5]float64{.1293, .1113, .1414, .1639, .1391}),
	)
	publishedDEQ = join(
		row("codon", "", [5]float64{.1839, .2136, .1980, .1714, .2211}),
		row("hapt", "", [5]float64{.2755, .0882, .0889, .0859, .0958}),
		row("gas", "", [5]float64{.1233, .1323, .1098, .1278, .1474}),
	)
)
