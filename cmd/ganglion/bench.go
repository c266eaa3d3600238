package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"ganglion/bench"
	"ganglion/models/run"
)

// historyFolder is where results are kept, from the root of the project.
const historyFolder = "bench/history"

func benchCommand() *cli.Command {
	var names strings.Builder
	w := tabwriter.NewWriter(&names, 0, 4, 2, ' ', 0)
	for _, b := range bench.Workloads() {
		fmt.Fprintf(w, "%s\t%s\n", b[0], b[1])
	}
	w.Flush()
	return &cli.Command{
		Name: "bench", Usage: "times workloads, beside what the machine can do and what other programs took",
		ArgsUsage:   "[WORKLOAD…]",
		Description: "Workloads, all of them by default:\n" + names.String(),
		Flags: append(libraryFlags(), []cli.Flag{
			&cli.StringFlag{
				Name:  "device",
				Value: "cpu",
				Usage: "`DEVICES`, one after another: cpu, cuda, cuda:N or auto, as in cpu,cuda",
			},
			&cli.StringFlag{Name: "dtype", Value: "f32", Usage: "f32 or f64"},
			&cli.IntFlag{Name: "threads", Usage: "worker threads, 0 for all cores"},
			&cli.IntFlag{Name: "reps", Usage: "repetitions of a case, 0 for as many as --time allows"},
			&cli.DurationFlag{Name: "time", Value: time.Second, Usage: "time for a case; twice that on a busy machine"},
			&cli.BoolFlag{Name: "quick", Usage: "tiny sizes and little time, to see that everything runs"},
			&cli.StringFlag{Name: "against", Usage: "compare with the JSON lines of other programs in `FILE`"},
			&cli.BoolFlag{Name: "save", Usage: "append the results to " + historyFolder + "/<workload>.jsonl"},
			jsonFlag(),
		}...),
		Action: runBench,
	}
}

func runBench(c *cli.Context) error {
	var peers []bench.Peer
	if path := c.String("against"); path != "" {
		var err error
		if peers, err = readPeers(path); err != nil {
			return err
		}
	}
	o := bench.Options{Workloads: c.Args().Slice(), DType: c.String("dtype"), Threads: c.Int("threads"),
		Reps: c.Int("reps"), Budget: c.Duration("time"), Quick: c.Bool("quick")}
	if err := o.Check(); err != nil {
		return usagef("bench: %w", err)
	}
	if c.Bool("save") {
		if err := bench.CanSave(historyFolder); err != nil {
			return usagef("bench: %w", err)
		}
	}
	out := c.App.Writer
	if c.Bool("json") {
		out = c.App.ErrWriter
	}
	o.Machine = func(r bench.Report) { printMachine(out, r) }
	o.Each = func(r bench.Result) { printBench(out, r, bench.Compare(r, peers)) }
	results, err := benchDevices(c, o, out)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	for i := range results {
		results[i].Against = bench.Compare(results[i], peers)
	}
	if c.Bool("save") {
		if err := bench.Save(historyFolder, results, o, time.Now()); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		if revision, _ := bench.Commit(); revision == "" {
			fmt.Fprintln(
				c.App.ErrWriter,
				"bench: saved without a commit: build with -buildvcs=true to record it",
			)
		}
	}
	if c.Bool("json") {
		return printJSON(c, results)
	}
	return nil
}

// benchDevices runs the workloads on each device that was asked for. All of them are opened first: a run of minutes
// must not end at a device that is not there.
func benchDevices(c *cli.Context, o bench.Options, log io.Writer) (results []bench.Result, err error) {
	var devices []*run.Device
	for _, name := range strings.Split(c.String("device"), ",") {
		d, failed := request(c, name)
		if failed != nil {
			return nil, failed
		}
		defer closing(d, &err)
		if d.Notice != "" {
			fmt.Fprintln(c.App.ErrWriter, d.Notice)
		}
		devices = append(devices, d)
	}
	for _, d := range devices {
		if o.Device = d.Engine; d.Engine != nil {
			fmt.Fprintln(log, d.Engine.Properties())
			printHeader(log)
		}
		if d.Engine != nil && len(o.Workloads) == 0 {
			fmt.Fprintf(log, "left out on a device: %s, which run on the processor alone\n",
				strings.Join(bench.ProcessorOnly(), ", "))
		}
		list, err := bench.Run(c.Context, o)
		results = append(results, list...)
		if err != nil {
			return results, fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	return results, nil
}

func readPeers(path string) ([]bench.Peer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, usagef("bench: --against: %w", err)
	}
	defer f.Close()
	peers, err := bench.ReadPeers(f)
	if err != nil {
		return nil, usagef("bench: --against: %s: %w", path, err)
	}
	return peers, nil
}

func printMachine(w io.Writer, r bench.Report) {
	fmt.Fprintf(w, "%s, %d threads, %v kernels; measured in %.1f s\n", r.CPU, r.Threads, r.Path, r.Seconds)
	fmt.Fprintf(w, "  multiply-adds: %.0f GFLOP/s float32, %.0f float64\n", r.Peak(32), r.Peak(64))
	for _, l := range r.Levels {
		fmt.Fprintf(w, "  %-4s %7.0f KiB: read %.0f GB/s, triad %.0f\n", l.Name, float64(l.Bytes)/1024, l.Read, l.Triad)
	}
	printHeader(w)
}

func printHeader(w io.Writer) {
	fmt.Fprintf(w, "%-12s %-44s %12s %10s %10s %9s %8s %5s %6s\n", "workload", "size",
		"median ms", "min", "max", "GFLOP/s", "GB/s", "roof", "others")
}

func printBench(w io.Writer, r bench.Result, against []bench.Against) {
	size := strings.NewReplacer("op=", "", "neural-modules-step", "step").Replace(r.Size.String())
	roof := fmt.Sprintf("%.0f%%", 100*r.Roofline)
	if r.Device != "cpu" {
		roof = r.Device
	}
	fmt.Fprintf(w, "%-12s %-44s %12.5g %10.4g %10.4g %9s %8s %5s %6s\n", r.Workload, size,
		r.MedianMS, r.MinMS, r.MaxMS, figure(r.GFLOPS), figure(r.GBPS), roof, others(r.OtherCPU))
	for _, a := range against {
		fmt.Fprintf(w, "%-12s   %-42s %12.5g %10.4g   %.2f times our median, %.2f times our minimum\n", "", a.Peer,
			a.MedianMS, a.MinMS, a.Ratio, a.MinRatio)
	}
}

// figure prints a rate; nothing where it is not counted.
func figure(x float64) string {
	if x == 0 {
		return ""
	}
	return fmt.Sprintf("%.3g", x)
}

// others prints the cores that other processes used; nothing where the system does not tell.
func others(x float64) string {
	if x < 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", x)
}
