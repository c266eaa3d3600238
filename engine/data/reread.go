package data

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ganglion/engine/data/source"
)

// Load reads another file with the columns of the training file, for evaluation or prediction. A text file with a
// header may have its columns in any order and further ones, which are left out; without one its columns must be
// those of the training file, with or without the target. Values in a category that the training file did not have
// are reported in Table.Notes and encoded as none of them. A file without the target gives a table without labels or
// targets. The error is an *Error or ctx.Err().
func (e *Encoder) Load(ctx context.Context, path string, o Options) (*Table, error) {
	if err := e.Check(); err != nil {
		return nil, err
	}
	f, err := source.Read(path, o.Limits)
	if err != nil {
		return nil, err
	}
	kind, err := sniff(f, o)
	if err != nil {
		return nil, err
	}
	switch kind {
	case formatNPZ:
		return e.loadNPZ(ctx, f, o)
	case formatLibSVM:
		return e.loadLibSVM(ctx, f, o)
	case formatIDX, formatSeries:
		return e.loadSignals(ctx, f, o)
	}
	return e.loadCSV(ctx, f, o)
}

func (e *Encoder) loadCSV(ctx context.Context, f *source.File, o Options) (*Table, error) {
	c, err := openCSV(f, o, 0)
	if err != nil {
		return nil, err
	}
	if o.Header == HeaderAuto && e.Header && c.begins(e) {
		o.Header = HeaderYes
	}
	s, err := takeSurvey(ctx, f.Name, c.text, c.layout, o.Header)
	if err != nil {
		return nil, err
	}
	from, notes, err := e.match(f.Name, s)
	if err != nil {
		return nil, err
	}
	t, err := c.encode(ctx, e, from, s.header, s.rows)
	if err != nil {
		return nil, err
	}
	t.Notes = append(notes, t.Notes...)
	return t, nil
}

// begins says whether the first record is a header for the encoder: it has the name of one of its columns.
func (c *csvFile) begins(e *Encoder) bool {
	r, err := newRecords(c.file.Name, c.text, c.layout)
	if err != nil {
		return false
	}
	rec, _, err := r.next()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(e.Columns, func(col Column) bool { return slices.Contains(rec, col.Name) })
}

// match finds for each field of the training file its field in this one: by name if both files have names, else by
// position.
func (e *Encoder) match(file string, s *survey) (from []int, notes []string, err error) {
	if !e.Header || !s.header {
		from, err = e.matchPositions(file, len(s.fields))
		return from, nil, err
	}
	names := s.names()
	from = make([]int, e.Fields)
	used := make([]bool, len(names))
	find := func(name string) int {
		j := slices.Index(names, name)
		if j >= 0 {
			used[j] = true
		}
		return j
	}
	var absent []string
	for _, col := range e.Columns {
		if from[col.Position] = find(col.Name); from[col.Position] < 0 {
			absent = append(absent, fmt.Sprintf("%q", col.Name))
		}
	}
	if len(absent) > 0 {
		first := strings.Trim(absent[0], `"`)
		return nil, nil, &Error{File: file, Line: 1, Want: "the columns of the training file",
			Got:    "a file without " + strings.Join(absent[:min(len(absent), 5)], ", "),
			Remedy: "nearest to " + absent[0] + " are " + nearest(first, names)}
	}
	if e.TargetField >= 0 {
		from[e.TargetField] = find(e.Target)
	}
	for _, name := range e.LeftOut {
		find(name)
	}
	for j, name := range names {
		if !used[j] {
			notes = append(notes, fmt.Sprintf("column %q was not in the training file: left out", name))
		}
	}
	return from, notes, nil
}

// matchPositions matches a file of n columns without names.
func (e *Encoder) matchPositions(file string, n int) ([]int, error) {
	from := identityFields(e.Fields)
	switch {
	case n == e.Fields:
		return from, nil
	case n == e.Fields-1 && e.TargetField >= 0:
		for j := e.TargetField; j < e.Fields; j++ {
			from[j] = j - 1
		}
		from[e.TargetField] = -1
		return from, nil
	}
	want := fmt.Sprintf("%d columns", e.Fields)
	if e.TargetField >= 0 {
		want = fmt.Sprintf("%d columns, or %d without the target", e.Fields, e.Fields-1)
	}
	return nil, &Error{File: file, Want: want, Got: fmt.Sprintf("%d", n),
		Remedy: "use the columns of the training file"}
}

// numbersOnly returns an error unless the training file's columns were all numbers known by position.
func (e *Encoder) numbersOnly(file, what string) error {
	for _, col := range e.Columns {
		if col.Kind != Number {
			return &Error{File: file, Column: col.Name, Want: "a text table, since this column holds categories",
				Got:    what,
				Remedy: "save the data as CSV"}
		}
	}
	return nil
}

func (e *Encoder) table(f *source.File) *Table {
	return &Table{Name: tableName(f.Name), Source: f.Name, SHA256: f.SHA256, D: e.Width(),
		FeatureNames: e.FeatureNames(),
		Task:         e.Task, Classes: e.Classes, TargetNames: e.TargetNames, Shape: e.Shape, Encoder: e}
}

func (e *Encoder) loadLibSVM(ctx context.Context, f *source.File, o Options) (*Table, error) {
	if err := e.numbersOnly(f.Name, "a libsvm file"); err != nil {
		return nil, err
	}
	s, err := openLibSVM(ctx, f)
	if err != nil {
		return nil, err
	}
	t := e.table(f)
	t.N = s.rows
	s.lo = e.IndexFrom
	if e.TargetField >= 0 || s.lo < 0 {
		s.lo = 1
	}
	if err := t.allocate(o); err != nil {
		return nil, err
	}
	first, second, err := s.fill(ctx, t)
	if err != nil {
		return nil, err
	}
	if e.Target == concentration && s.second {
		first = second
	}
	if err := t.knownTarget(first, e.Target); err != nil {
		return nil, err
	}
	t.noteMissing()
	return t, t.Check()
}

func (e *Encoder) loadNPZ(ctx context.Context, f *source.File, o Options) (*Table, error) {
	if err := e.numbersOnly(f.Name, "an .npz file"); err != nil {
		return nil, err
	}
	a, err := source.OpenArchive(f, o.Limits)
	if err != nil {
		return nil, err
	}
	t := e.table(f)
	if err := t.readFeatures(ctx, a, o); err != nil {
		return nil, err
	}
	if t.D != e.Width() {
		return nil, &Error{File: f.Name, Want: fmt.Sprintf("%d features as in the training file", e.Width()),
			Got: fmt.Sprintf("%d", t.D), Remedy: "use the columns of the training file"}
	}
	if key := e.Target; a.Has(key) {
		values, shape, err := a.Floats(key)
		if err != nil {
			return nil, err
		}
		if want := t.N * max(1, len(t.TargetNames)); len(shape) == 0 || shape[0] != t.N || len(values) != want {
			return nil, &Error{File: f.Name, Column: key, Want: fmt.Sprintf("%d targets", want),
				Got:    fmt.Sprintf("shape %v", shape),
				Remedy: "reshape the array or leave it out"}
		}
		if err := t.knownTarget(values, key); err != nil {
			return nil, err
		}
	}
	t.noteMissing()
	return t, t.Check()
}

// knownTarget sets the target of a table whose task and classes are known. Labels none of which is a class are the
// dummies that files for prediction carry: they are reported and left out.
func (t *Table) knownTarget(values []float64, name string) error {
	if t.Task == Regress {
		t.Targets = values
		return nil
	}
	index := classIndex(t.Classes)
	if !slices.ContainsFunc(values, func(v float64) bool { _, known := index[formatNumber(v)]; return known }) {
		t.Notes = append(t.Notes, fmt.Sprintf("no value of %q is a class of the training file: taken as absent", name))
		return nil
	}
	t.Labels = make([]int32, t.N)
	err := t.label(values, name)
	if err != nil {
		t.Labels = nil
	}
	return errors.Join(err)
}
