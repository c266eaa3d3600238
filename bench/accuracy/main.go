// Command accuracy trains models on data sets over several seeds and prints the mean and standard deviation of the test
// metric, one table row a model and data set. With -history it appends one JSON line a run to a file of bench/history.
//
//	go run ./bench/accuracy -data-dir DIR -data gas,hapt,codon,dsa -models module/mlp,module/nm -history bench/history
//
// Run k uses seed k and division k-1 of the stored 75/25 split, or a 75/25 split by that seed where the data have none;
// a fifth of the training rows are the validation part. The test part is looked at once, with the best epoch's
// parameters.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"ganglion/engine/checkpoint"
	"ganglion/engine/data"
	"ganglion/engine/train/log"
	"ganglion/models/run"
)

func main() {
	var o options
	var sets, models, settings string
	flag.StringVar(&o.dir, "data-dir", "", "folder with the files of named data sets")
	flag.StringVar(&sets, "data", "gas", "data sets, with commas")
	flag.StringVar(&models, "models", "module/mlp,module/nm", "models, with commas")
	flag.StringVar(&settings, "set", "", "settings KEY=VALUE of the models, with commas")
	flag.IntVar(&o.seeds, "seeds", 5, "number of seeds")
	flag.StringVar(&o.history, "history", "", "folder of the history, to append to")
	flag.Parse()
	o.sets, o.models, o.settings = list(sets), list(models), list(settings)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := o.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "accuracy:", err)
		os.Exit(1)
	}
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}

type options struct {
	dir, history           string
	sets, models, settings []string
	seeds                  int
}

// line is one line of the history.
type line struct {
	Time     string          `json:"time"`
	Program  string          `json:"program"`
	CPU      string          `json:"cpu"`
	SHA256   string          `json:"data_sha256"`
	Split    string          `json:"split"`
	Settings []string        `json:"settings"`
	Result   json.RawMessage `json:"result"`
}

func (o options) run(ctx context.Context) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "DATA\tMODEL\tPARAMETERS\tSEEDS\tTEST ERROR OR RMSE\tSD\tVALIDATION LOSS\tSECONDS AN EPOCH")
	for _, set := range o.sets {
		for _, model := range o.models {
			if err := o.row(ctx, w, set, model); err != nil {
				return fmt.Errorf("%s on %s: %w", model, set, err)
			}
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o options) row(ctx context.Context, w *tabwriter.Writer, set, model string) error {
	var score, loss, seconds []float64
	parameters := 0
	for k := range o.seeds {
		r, err := o.one(ctx, set, model, k)
		if err != nil {
			return fmt.Errorf("seed %d: %w", k+1, err)
		}
		parameters = r.Parameters
		v := float64(r.Metric.Test)
		if r.Extra.Error != nil {
			v = float64(r.Extra.Error.Test)
		}
		score, loss = append(score, v), append(loss, float64(r.Loss.Valid))
		seconds = append(seconds, r.SecondsPerEpoch)
	}
	m, sd := moments(score)
	l, _ := moments(loss)
	s, _ := moments(seconds)
	_, err := fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%.5f\t%.5f\t%.5f\t%.4f\n", set, model, parameters, o.seeds, m, sd, l, s)
	return err
}

// one trains seed k+1 and records it.
func (o options) one(ctx context.Context, set, model string, k int) (*run.Result, error) {
	c, err := run.Default(model)
	if err != nil {
		return nil, err
	}
	c.Data.Source, c.Data.Dir, c.Train.Seed = set, o.dir, uint64(k+1)
	if c.Data.Split, err = o.split(ctx, c.Data, k); err != nil {
		return nil, err
	}
	for _, s := range o.settings {
		if err := c.Set(s); err != nil {
			return nil, err
		}
	}
	s, err := run.Prepare(ctx, c)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "accuracy-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	r, err := s.Train(ctx, run.TrainOptions{Dir: filepath.Join(dir, "run"), Log: log.Quiet{}})
	if err != nil || o.history == "" {
		return r, err
	}
	r.Run = ""
	return r, o.record(s, r)
}

// split is division k of the stored 75/25 split, or a split by seed.
func (o options) split(ctx context.Context, d run.Data, k int) (string, error) {
	t, err := data.Load(ctx, d.Source, data.Options{Dir: d.Dir, Target: d.Target})
	if err != nil {
		return "", err
	}
	for _, s := range t.Splits {
		if s.Name == "split_75_25" && k < len(s.Part) {
			return fmt.Sprintf("split_75_25:%d", k), nil
		}
	}
	return "75/25", nil
}

func (o options) record(s *run.Session, r *run.Result) (err error) {
	env := checkpoint.NewEnv("cpu", runtime.GOMAXPROCS(0))
	result, err := json.Marshal(r)
	if err != nil {
		return err
	}
	text, err := json.Marshal(line{Time: time.Now().UTC().Format(time.RFC3339), Program: env.Program, CPU: env.CPU,
		SHA256: s.Table.SHA256, Split: s.Split.Name, Settings: append([]string{}, o.settings...), Result: result})
	if err != nil {
		return err
	}
	name := strings.ReplaceAll(s.System.ID, "/", "-") + ".jsonl"
	f, err := os.OpenFile(filepath.Join(o.history, name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.Write(append(text, '\n'))
	return err
}

// moments are the mean and the sample standard deviation.
func moments(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sd += (v - mean) * (v - mean)
	}
	if len(x) > 1 {
		sd = math.Sqrt(sd / float64(len(x)-1))
	}
	return mean, sd
}
