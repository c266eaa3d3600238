package run

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"

	"ganglion/engine/checkpoint"
	"ganglion/engine/data"
	"ganglion/engine/train"
)

// Predictions are a network's answers for the rows of a file.
type Predictions struct {
	Command string   `json:"command"`
	Model   string   `json:"model"`
	Run     string   `json:"run"`
	Input   string   `json:"input"`
	Rows    int      `json:"rows"`
	Output  string   `json:"output,omitempty"`
	Device  string   `json:"device"`
	Solver  *Solver  `json:"solver,omitempty"` // what the iterative kernels reported
	Notes   []string `json:"notes"`
	Slow    []string `json:"fallbacks"` // steps without a kernel of their own, or not on the device
	Trouble string   `json:"-"`         // what they did not solve, in words; empty for nothing

	header []string
	cells  [][]string
}

// Predict answers for every row of a file with the columns of the training file; the target may be missing. Networks
// about graphs answer for every node of a graph, or every graph.
func (t *Trained) Predict(ctx context.Context, input string) (*Predictions, error) {
	if t.columns.Graph != nil {
		return t.predictGraphs(ctx, input)
	}
	table, err := t.columns.Encoder.Load(ctx, input, data.Options{})
	if err != nil {
		return nil, err
	}
	out, err := t.outputs(ctx, table)
	if err != nil {
		return nil, err
	}
	p := t.predictions(input, table.N, table.Notes)
	e := t.columns.Encoder
	p.fill(out, t.task, e.Target, e.Classes, e.TargetNames)
	return p, nil
}

// predictions are those for so many samples, to be filled.
func (t *Trained) predictions(input string, rows int, notes []string) *Predictions {
	return &Predictions{Command: "predict", Model: t.System.ID, Run: t.Dir, Input: input, Rows: rows,
		Device: t.Config.deviceName(), Slow: fallbacks(t.Predictor.Program()),
		Notes: append([]string{}, notes...), Solver: solverOf(t.Predictor.Solver()),
		Trouble: t.Predictor.Solver().Trouble()}
}

// softmax turns logits into probabilities in place and returns the index of the largest, the first of equals.
func softmax(x []float64) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	top, sum := x[best], 0.0
	for i, v := range x {
		x[i] = math.Exp(v - top)
		sum += x[i]
	}
	for i := range x {
		x[i] /= sum
	}
	return best
}

// WriteCSV writes one line a row: its number, the answer, and for classes their probabilities.
func (p *Predictions) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write(p.header); err != nil {
		return fmt.Errorf("predictions: %w", err)
	}
	if err := c.WriteAll(p.cells); err != nil {
		return fmt.Errorf("predictions: %w", err)
	}
	return nil
}

// SaveCSV writes the file at path, or leaves it as it was.
func (p *Predictions) SaveCSV(path string) error {
	p.Output = path
	return checkpoint.WriteFile(path, p.WriteCSV)
}

// Evaluation is what ganglion eval --json prints.
type Evaluation struct {
	Command string   `json:"command"`
	Model   string   `json:"model"`
	Run     string   `json:"run"`
	Data    string   `json:"data"`
	Part    string   `json:"part"` // test, or all
	Rows    int      `json:"rows"`
	Step    int      `json:"step"`
	Device  string   `json:"device"`
	Loss    Number   `json:"loss"`
	Metric  OneScore `json:"metric"`
	MacroF1 *Number  `json:"macro_f1,omitempty"`
	MAE     *Number  `json:"mae,omitempty"`
	R2      *Number  `json:"r2,omitempty"`
	Solver  *Solver  `json:"solver,omitempty"` // what the iterative kernels reported
	Notes   []string `json:"notes"`
	Slow    []string `json:"fallbacks"` // steps without a kernel of their own, or not on the device
	Trouble string   `json:"-"`         // what they did not solve, in words; empty for nothing
}

// OneScore is a metric on one part.
type OneScore struct {
	Name  string `json:"name"`
	Value Number `json:"value"`
}

// Eval judges the network: on the test part of the run's own data when source is empty, else on all rows of another
// file with the same columns.
func (t *Trained) Eval(ctx context.Context, source string) (*Evaluation, error) {
	if t.columns.Graph != nil {
		return t.evalGraphs(ctx, source)
	}
	table, rows, what, err := t.rows(ctx, source)
	if err != nil {
		return nil, err
	}
	if !table.HasTarget() {
		return nil, &data.Error{
			File:   table.Source,
			Column: t.columns.Encoder.Target,
			Want:   "the target, to compare with",
			Got:    "none",
			Remedy: "use ganglion predict for data without targets",
		}
	}
	set := train.Set{Task: t.task}
	if t.task.Kind == train.Regress {
		set.Scale = t.columns.Standardizer.TargetScale
	}
	if err := t.affordRows(table, len(rows)); err != nil {
		return nil, err
	}
	p := part(table, t.columns.Standardizer, rows, dtypeOf(t.Config.Train.DType), true)
	s, err := t.Predictor.Judge(ctx, set, p)
	if err != nil {
		return nil, err
	}
	return t.evaluation(table.Name, what, len(rows), table.Notes, s), nil
}

// evaluation is the report on the scores of so many samples.
func (t *Trained) evaluation(name, what string, rows int, notes []string, s train.Scores) *Evaluation {
	e := &Evaluation{
		Command: "eval",
		Model:   t.System.ID,
		Run:     t.Dir,
		Data:    name,
		Part:    what,
		Rows:    rows,
		Step:    t.State.Step,
		Device:  t.Config.deviceName(),
		Slow:    fallbacks(t.Predictor.Program()),
		Loss:    Number(s.Loss),
		Metric:  OneScore{"accuracy", Number(s.Metric)},
		Notes:   append([]string{}, notes...),
		Solver:  solverOf(s.Solver),
		Trouble: s.Solver.Trouble(),
	}
	if t.task.Kind == train.Classify {
		f := Number(s.MacroF1)
		e.MacroF1 = &f
		return e
	}
	a, q := Number(s.MAE), Number(s.R2)
	e.Metric.Name, e.MAE, e.R2 = "rmse", &a, &q
	return e
}

// rows loads what is to be judged.
func (t *Trained) rows(ctx context.Context, source string) (*data.Table, []int32, string, error) {
	if source != "" {
		table, err := t.columns.Encoder.Load(ctx, source, data.Options{})
		if err != nil {
			return nil, nil, "", err
		}
		if err := t.columns.Standardizer.Check(table); err != nil {
			return nil, nil, "", err
		}
		rows := make([]int32, table.N)
		for i := range rows {
			rows[i] = int32(i)
		}
		return table, rows, "all", nil
	}
	d := t.Config.Data
	table, err := data.Load(ctx, d.Source, d.options())
	if err != nil {
		return nil, nil, "", err
	}
	if table.SHA256 != t.columns.SHA256 {
		return nil, nil, "", &data.Error{
			File:   d.Source,
			Want:   "the file that the run was trained on, sha256 " + t.columns.SHA256,
			Got:    "sha256 " + table.SHA256,
			Remedy: "name the changed file with --data to judge all its rows",
		}
	}
	split, err := table.Split(d.Split, t.Config.Train.Seed)
	if err != nil {
		return nil, nil, "", err
	}
	return table, split.Test, "test", nil
}
