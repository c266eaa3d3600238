package run

import (
	"context"
	"slices"

	"ganglion/engine/data"
	"ganglion/engine/train"
	"ganglion/models"
)

// ModelInfo is one row of the list of models.
type ModelInfo struct {
	ID       string   `json:"id"`
	Paper    string   `json:"paper"`
	Family   string   `json:"family"`
	Title    string   `json:"title"`
	Priority int      `json:"priority"`
	Checks   []string `json:"checks"`
}

// ModelDetail is a model with its settings and published figures.
type ModelDetail struct {
	ModelInfo
	Data      []string    `json:"data"`
	Settings  []Key       `json:"settings"`
	Training  []Key       `json:"training"`
	Published []Published `json:"published"`
}

// Published is one figure of the model's paper.
type Published struct {
	On     string  `json:"on"`
	Metric string  `json:"metric"`
	With   string  `json:"with"`
	Value  float64 `json:"value"`
}

// Models lists all models by ID.
func Models() []ModelInfo {
	var out []ModelInfo
	for _, s := range models.All() {
		m := ModelInfo{
			ID:       s.ID,
			Paper:    s.Paper,
			Family:   s.Family(),
			Title:    s.Title,
			Priority: s.Priority,
			Checks:   []string{},
		}
		for _, c := range s.Checks {
			m.Checks = append(m.Checks, c.Name)
		}
		out = append(out, m)
	}
	return out
}

// DescribeModel describes one model.
func DescribeModel(id string) (ModelDetail, error) {
	s, err := System(id)
	if err != nil {
		return ModelDetail{}, err
	}
	training := train.Defaults()
	if s.Recipe != nil {
		s.Recipe(&training)
	}
	d := ModelDetail{Data: s.Data, Settings: Keys(s.Config), Training: Keys(training), Published: []Published{}}
	for _, m := range Models() {
		if m.ID == id {
			d.ModelInfo = m
		}
	}
	for _, p := range s.Published {
		d.Published = append(d.Published, Published(p))
	}
	return d, nil
}

// DataInfo is one row of the list of data sets.
type DataInfo struct {
	data.Set
	State string `json:"state"` // built in, found, or missing
}

// DataSets lists the named data sets; dir is the folder in which those that are not built in are looked for.
func DataSets(dir string) []DataInfo {
	var out []DataInfo
	for _, s := range data.Sets() {
		d := DataInfo{Set: s, State: "missing"}
		switch {
		case s.Embedded:
			d.State = "built in"
		case s.Found(dir):
			d.State = "found"
		}
		out = append(out, d)
	}
	return out
}

// ShowData loads a data set and sums it up. With full, the split and the standardisation are tried too, so that a file
// that passes can be trained on.
func ShowData(ctx context.Context, d Data, full bool) (data.Summary, error) {
	t, err := data.Load(ctx, d.Source, d.options())
	if err != nil {
		return data.Summary{}, err
	}
	s := t.Summarize()
	if !full {
		return s, nil
	}
	if err := t.Check(); err != nil {
		return s, err
	}
	split, err := t.Split(d.Split, 1)
	if err != nil {
		return s, err
	}
	z, err := data.FitStandardizer(t, split.Train)
	if err != nil {
		return s, err
	}
	s.Notes = slices.Concat(s.Notes, split.Notes, z.Notes)
	return s, nil
}
