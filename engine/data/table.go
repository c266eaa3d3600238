package data

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Task is what is to be learnt from a table.
type Task string

// The tasks. Auto lets the loader decide: text, or at most 20 different whole numbers, is a class; anything else a
// number.
const (
	Auto     Task = ""
	Classify Task = "classify"
	Regress  Task = "regress"
)

// Table is a data set of N rows with D numeric features each. A loader returns it; nothing changes it afterwards.
type Table struct {
	Name   string // of the data set, or the file's name without folder and endings
	Source string // where it comes from: the file, or the origin of a named set
	SHA256 string // of the file as stored; of the concatenation of the files where there are several

	N, D         int
	X            []float64 // [N, D] row-major; NaN marks a missing value
	FeatureNames []string  // [D]
	// Shape is set where a row is a signal: its channels, then its extents, [channels, length] or [channels, height,
	// width], row-major in the row; their product is D.
	Shape []int

	Task        Task
	Labels      []int32   // classify: [N], class from 0; empty in a file without a target
	Classes     []string  // classify: class names
	Targets     []float64 // regress: [N, len(TargetNames)] row-major; empty in a file without a target
	TargetNames []string  // regress: names of the targets; classify: the one name

	Splits  []StoredSplit // splits that came with the data
	Notes   []string      // what was encoded, left out or is missing, one sentence each
	Encoder *Encoder      // how the columns of the file became the features

	set string // name of the named set; empty for a file
}

// StoredSplit is one or several divisions of the rows that came with a data set.
type StoredSplit struct {
	Name string   // as in the file
	Part [][]int8 // [k][N]: 0 train; 1 test, or, where a row of any k is 2, 1 validation and 2 test
}

// Row returns row i, [D], as a view of X.
func (t *Table) Row(i int) []float64 { return t.X[i*t.D : (i+1)*t.D : (i+1)*t.D] }

// where is how errors name the table: by its set, or by its file.
func (t *Table) where() string { return cmp.Or(t.set, t.Source) }

// HasTarget says whether the rows have labels or targets.
func (t *Table) HasTarget() bool { return len(t.Labels) > 0 || len(t.Targets) > 0 }

// Outputs is the number of numbers that a network has to give for a row: classes, or targets.
func (t *Table) Outputs() int {
	if t.Task == Classify {
		return len(t.Classes)
	}
	return len(t.TargetNames)
}

// Missing returns the number of missing values of each feature, [D].
func (t *Table) Missing() []int {
	m := make([]int, t.D)
	for i := range t.N {
		for j, v := range t.Row(i) {
			if math.IsNaN(v) {
				m[j]++
			}
		}
	}
	return m
}

// Constant returns the features that have one and the same value in all rows where they have any, ascending.
func (t *Table) Constant() []int {
	var c []int
	for j := range t.D {
		first, same := math.NaN(), true
		for i := 0; i < t.N && same; i++ {
			switch v := t.X[i*t.D+j]; {
			case math.IsNaN(v):
			case math.IsNaN(first):
				first = v
			default:
				same = v == first
			}
		}
		if same {
			c = append(c, j)
		}
	}
	return c
}

// ClassCounts returns the number of rows of each class, [len(Classes)].
func (t *Table) ClassCounts() []int {
	c := make([]int, len(t.Classes))
	for _, l := range t.Labels {
		c[l]++
	}
	return c
}

// Check returns an *Error if the table is not fit to learn from: a size that does not fit, a label out of range, a
// value or target that is infinite, a target that is not a number, no rows, no features.
func (t *Table) Check() error {
	fail := func(column, want, got, remedy string) error {
		return &Error{File: t.where(), Column: column, Want: want, Got: got, Remedy: remedy}
	}
	m := len(t.TargetNames)
	switch {
	case t.N == 0:
		return fail("", "rows of data", "none", "check that the file is the right one")
	case t.D == 0:
		return fail("", "at least one feature beside the target", "none", "check the delimiter and --target")
	case len(t.X) != t.N*t.D || len(t.FeatureNames) != t.D:
		return fail("", fmt.Sprintf("%d × %d values and %d names", t.N, t.D, t.D),
			fmt.Sprintf("%d and %d", len(t.X), len(t.FeatureNames)), "mend the loader")
	case len(t.Labels) > 0 && (len(t.Labels) != t.N || t.Task != Classify),
		len(t.Targets) > 0 && (len(t.Targets) != t.N*m || t.Task != Regress):
		return fail("", fmt.Sprintf("one target for each of %d rows", t.N),
			fmt.Sprintf("%d labels, %d targets", len(t.Labels), len(t.Targets)), "mend the loader")
	}
	if err := checkShape(t.Shape, t.D); err != nil {
		return fail("", fmt.Sprintf("a shape of %d features", t.D), fmt.Sprint(t.Shape), "mend the loader")
	}
	for i, v := range t.X {
		if math.IsInf(v, 0) {
			return fail(t.FeatureNames[i%t.D], "finite values", fmt.Sprintf("%v in row %d", v, i/t.D+1),
				"write missing values as an empty cell or NA")
		}
	}
	for i, v := range t.Targets {
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return fail(t.TargetNames[i%m], "finite targets", fmt.Sprintf("%v in row %d", v, i/m+1),
				"leave the row out")
		}
	}
	return t.checkLabels()
}

func (t *Table) checkLabels() error {
	if len(t.Labels) == 0 {
		return nil
	}
	for i, l := range t.Labels {
		if l < 0 || int(l) >= len(t.Classes) {
			return &Error{File: t.where(), Want: fmt.Sprintf("classes 0 to %d", len(t.Classes)-1),
				Got: fmt.Sprintf("%d in row %d", l, i+1), Remedy: "mend the labels"}
		}
	}
	return nil
}

// checkClasses returns an *Error if only one class occurs, so that there is nothing to tell apart.
func (t *Table) checkClasses() error {
	if len(t.Labels) == 0 || slices.Max(t.Labels) != slices.Min(t.Labels) {
		return nil
	}
	return &Error{File: t.where(), Column: t.TargetNames[0], Want: "at least two classes",
		Got:    fmt.Sprintf("only %q", t.Classes[t.Labels[0]]),
		Remedy: "choose another --target or add rows of another class"}
}

// checkShape returns an error unless shape is that of a signal with d elements, or none.
func checkShape(shape []int, d int) error {
	if len(shape) == 0 {
		return nil
	}
	n := 1
	for _, e := range shape {
		if e < 1 || e > d/n {
			return fmt.Errorf("the shape %v is not one of %d features", shape, d)
		}
		n *= e
	}
	if n != d || len(shape) > 3 {
		return fmt.Errorf("the shape %v is not one of %d features", shape, d)
	}
	return nil
}

// shapeName writes a shape as 1 × 28 × 28.
func shapeName(shape []int) string {
	var words []string
	for _, e := range shape {
		words = append(words, strconv.Itoa(e))
	}
	return strings.Join(words, " × ")
}
