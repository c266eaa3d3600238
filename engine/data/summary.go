package data

import (
	"math"
	"slices"
)

// Summary is what there is to say about a table at a glance, for printing and for JSON.
type Summary struct {
	Name     string           `json:"name"`
	Source   string           `json:"source"`
	SHA256   string           `json:"sha256"`
	Rows     int              `json:"rows"`
	Features int              `json:"features"`
	Shape    []int            `json:"shape,omitempty"` // of a signal: channels, then extents
	Task     Task             `json:"task"`
	Target   []string         `json:"target"`
	Classes  []ClassSummary   `json:"classes,omitempty"` // classify
	Targets  []TargetSummary  `json:"targets,omitempty"` // regress
	Missing  []MissingSummary `json:"missing,omitempty"` // features with missing values
	Constant []string         `json:"constant,omitempty"`
	Splits   []SplitSummary   `json:"splits,omitempty"`
	Notes    []string         `json:"notes,omitempty"`
}

// ClassSummary is the number of rows of a class.
type ClassSummary struct {
	Name string `json:"name"`
	Rows int    `json:"rows"`
}

// TargetSummary is the range, mean and population standard deviation of a target.
type TargetSummary struct {
	Name string  `json:"name"`
	Min  float64 `json:"min"`
	Mean float64 `json:"mean"`
	Max  float64 `json:"max"`
	Std  float64 `json:"std"`
}

// MissingSummary is the number of missing values of a feature.
type MissingSummary struct {
	Name string `json:"name"`
	Rows int    `json:"rows"`
}

// SplitSummary is a stored split and the number of its divisions.
type SplitSummary struct {
	Name      string `json:"name"`
	Divisions int    `json:"divisions"`
}

// Summarize describes a table.
func (t *Table) Summarize() Summary {
	s := Summary{Name: t.Name, Source: t.Source, SHA256: t.SHA256, Rows: t.N, Features: t.D, Shape: t.Shape,
		Task: t.Task, Target: t.TargetNames, Notes: t.Notes}
	for c, n := range t.ClassCounts() {
		s.Classes = append(s.Classes, ClassSummary{t.Classes[c], n})
	}
	if len(t.Targets) > 0 {
		for j := range t.TargetNames {
			s.Targets = append(s.Targets, t.targetSummary(j))
		}
	}
	for j, n := range t.Missing() {
		if n > 0 && len(t.Shape) == 0 {
			s.Missing = append(s.Missing, MissingSummary{t.FeatureNames[j], n})
		}
	}
	for _, j := range t.Constant() {
		if len(t.Shape) == 0 { // of signals a note counts them
			s.Constant = append(s.Constant, t.FeatureNames[j])
		}
	}
	for _, p := range t.Splits {
		s.Splits = append(s.Splits, SplitSummary{p.Name, len(p.Part)})
	}
	return s
}

func (t *Table) targetSummary(j int) TargetSummary {
	var y []float64
	sum := 0.0
	for i := j; i < len(t.Targets); i += len(t.TargetNames) {
		y = append(y, t.Targets[i])
		sum += t.Targets[i]
	}
	s := TargetSummary{Name: t.TargetNames[j], Min: slices.Min(y), Max: slices.Max(y), Mean: sum / float64(len(y))}
	square := 0.0
	for _, v := range y {
		square += (v - s.Mean) * (v - s.Mean)
	}
	s.Std = math.Sqrt(square / float64(len(y)))
	return s
}
