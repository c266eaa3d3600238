package data

import (
	"fmt"
	"math"
	"slices"
)

// Kind is how a column becomes features.
type Kind string

// A Number column is one feature. A Category column is one 0/1 feature for each of its categories; a missing value is
// NaN in all of them, a category that the training file did not have is 0 in all of them.
const (
	Number   Kind = "number"
	Category Kind = "category"
)

// Column is a column of a file that became one or several features.
type Column struct {
	Name       string   `json:"name"`
	Position   int      `json:"position"` // in the training file, from 0
	Kind       Kind     `json:"kind"`
	Categories []string `json:"categories,omitempty"` // sorted
}

// Encoder says how the columns of a file became features and labels. It is saved with a run, so that files for
// evaluation and prediction are read exactly as the training file was (Encoder.Load).
type Encoder struct {
	Header  bool     `json:"header"`  // the training file named its columns; else they are known by position
	Fields  int      `json:"fields"`  // number of columns of the training file, with target and left-out ones
	Columns []Column `json:"columns"` // that became features, in the order of the features
	LeftOut []string `json:"left_out,omitempty"`

	IndexFrom int   `json:"index_from,omitempty"` // libsvm: the number of the first feature
	Shape     []int `json:"shape,omitempty"`      // of a signal (Table.Shape)

	Target      string   `json:"target"`       // the target column's name
	TargetField int      `json:"target_field"` // its position, from 0; -1 in formats where the target is no column
	Task        Task     `json:"task"`
	Classes     []string `json:"classes,omitempty"`
	TargetNames []string `json:"target_names,omitempty"`
}

// numberEncoder describes files whose columns are all numbers and known by position: libsvm and .npz.
func numberEncoder(t *Table, target string) *Encoder {
	e := &Encoder{Fields: t.D, Target: target, TargetField: -1, Task: t.Task, Classes: t.Classes,
		TargetNames: t.TargetNames, Shape: t.Shape}
	for j, name := range t.FeatureNames {
		e.Columns = append(e.Columns, Column{Name: name, Position: j, Kind: Number})
	}
	return e
}

// Width is the number of features.
func (e *Encoder) Width() int {
	d := 0
	for _, c := range e.Columns {
		d += c.width()
	}
	return d
}

// FeatureNames returns the names of the features: a number column's name, and column=category for each category.
func (e *Encoder) FeatureNames() []string {
	var names []string
	for _, c := range e.Columns {
		if c.Kind == Number {
			names = append(names, c.Name)
			continue
		}
		for _, v := range c.Categories {
			names = append(names, c.Name+"="+v)
		}
	}
	return names
}

// Check returns an error if the encoder, as read from a file, contradicts itself.
func (e *Encoder) Check() error {
	switch {
	case len(e.Columns) == 0:
		return fmt.Errorf("encoder: want columns to make features of, got none")
	case e.Fields < 1 || e.Fields > maxIndex+1:
		return fmt.Errorf("encoder: want a number of columns up to %d, got %d", maxIndex+1, e.Fields)
	case e.TargetField < -1 || e.TargetField >= e.Fields:
		return fmt.Errorf("encoder: want the target's position from -1 to %d, got %d", e.Fields-1, e.TargetField)
	}
	used := map[int]bool{e.TargetField: true}
	for _, c := range e.Columns {
		switch {
		case c.Kind != Number && c.Kind != Category:
			return fmt.Errorf("encoder: column %q: want kind %q or %q, got %q", c.Name, Number, Category, c.Kind)
		case c.Kind == Category && (len(c.Categories) == 0 || !sortedSet(c.Categories)):
			return fmt.Errorf("encoder: column %q: want sorted, different categories", c.Name)
		case c.Position < 0 || c.Position >= e.Fields || used[c.Position]:
			return fmt.Errorf("encoder: column %q: want a position of its own below %d, got %d", c.Name, e.Fields,
				c.Position)
		}
		used[c.Position] = true
	}
	if err := checkShape(e.Shape, e.Width()); err != nil {
		return fmt.Errorf("encoder: %w", err)
	}
	switch {
	case e.Task == Classify && len(e.Classes) < 2:
		return fmt.Errorf("encoder: want at least two classes, got %d", len(e.Classes))
	case e.Task == Regress && len(e.TargetNames) == 0:
		return fmt.Errorf("encoder: want at least one target")
	case e.Task != Classify && e.Task != Regress:
		return fmt.Errorf("encoder: want task %q or %q, got %q", Classify, Regress, e.Task)
	}
	return nil
}

func sortedSet(s []string) bool {
	for i := 1; i < len(s); i++ {
		if s[i-1] >= s[i] {
			return false
		}
	}
	return true
}

func (c Column) width() int {
	if c.Kind == Number {
		return 1
	}
	return len(c.Categories)
}

// put writes the features of one field, [c.width()]. It returns what the field holds, and whether it is known: a
// number in a number column, a known category in a category column, or missing.
func (c Column) put(dst []float64, field string) (cell, bool) {
	v, what := parseCell(field)
	if c.Kind == Number {
		dst[0] = v
		return what, what != cellText
	}
	if what == cellMissing {
		for i := range dst {
			dst[i] = math.NaN()
		}
		return what, true
	}
	k, known := slices.BinarySearch(c.Categories, field)
	clear(dst)
	if known {
		dst[k] = 1
	}
	return what, known
}
