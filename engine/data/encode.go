package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
)

// encoding is one reading of a text file through an Encoder.
type encoding struct {
	enc     *Encoder
	file    string
	from    []int // field of the file that holds a field of the training file; -1 if there is none
	t       *Table
	classes map[string]int32
	unknown []unknown // by column: categories that the training file did not have
}

type unknown struct {
	count, line int
	text        string
}

// encode reads the values of a text file of the given number of rows. from maps the training file's fields to this
// file's.
func (c *csvFile) encode(ctx context.Context, enc *Encoder, from []int, header bool, rows int) (*Table, error) {
	t := &Table{Name: tableName(c.file.Name), Source: c.file.Name, SHA256: c.file.SHA256, N: rows, D: enc.Width(),
		FeatureNames: enc.FeatureNames(), Task: enc.Task, Classes: enc.Classes, TargetNames: enc.TargetNames,
		Shape: enc.Shape, Encoder: enc}
	if err := t.allocate(c.opts); err != nil {
		return nil, err
	}
	e := &encoding{enc: enc, file: c.file.Name, from: from, t: t, classes: classIndex(enc.Classes),
		unknown: make([]unknown, len(enc.Columns))}
	r, err := newRecords(c.file.Name, c.text, c.layout)
	if err != nil {
		return nil, err
	}
	if header {
		if _, _, err := r.next(); err != nil {
			return nil, err
		}
	}
	for i := range rows {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		rec, line, err := r.next()
		if err != nil {
			return nil, err
		}
		if err := e.row(i, line, rec); err != nil {
			return nil, err
		}
	}
	if _, _, err := r.next(); !errors.Is(err, io.EOF) {
		return nil, &Error{File: c.file.Name, Want: fmt.Sprintf("%d rows", rows), Got: "more",
			Remedy: "read the file again"}
	}
	t.noteColumns(e)
	return t, t.Check()
}

// allocate makes room for the values, once their number is known to be within the cap.
func (t *Table) allocate(o Options) error {
	if err := t.fits(o); err != nil {
		return err
	}
	t.X = make([]float64, t.N*t.D)
	return nil
}

// fits returns an error if the values would take more than the cap.
func (t *Table) fits(o Options) error {
	if bytes := 8 * float64(t.N) * float64(t.D); bytes > float64(o.Limits.Bytes()) {
		return &Error{File: t.Source, Want: fmt.Sprintf("a table of at most %d bytes", o.Limits.Bytes()),
			Got:    fmt.Sprintf("%d rows × %d features", t.N, t.D),
			Remedy: "leave out rows or columns, or group the values of text columns"}
	}
	return nil
}

// row encodes the fields of row i.
func (e *encoding) row(i, line int, rec []string) error {
	dst := e.t.Row(i)
	for k, col := range e.enc.Columns {
		s := rec[e.from[col.Position]]
		w := col.width()
		what, known := col.put(dst[:w], s)
		switch {
		case what == cellText && col.Kind == Number:
			return &Error{File: e.file, Line: line, Column: col.Name, Want: "a number", Got: fmt.Sprintf("%.40q", s),
				Remedy: "mend it, or write NA where a value is missing"}
		case col.Kind == Number && math.IsInf(dst[0], 0):
			return &Error{File: e.file, Line: line, Column: col.Name, Want: "a finite number",
				Got:    fmt.Sprintf("%.40q", s),
				Remedy: "write NA where a value is missing"}
		case !known:
			if e.unknown[k].count++; e.unknown[k].count == 1 {
				e.unknown[k].line, e.unknown[k].text = line, strings.Clone(s)
			}
		}
		dst = dst[w:]
	}
	if e.enc.TargetField < 0 || e.from[e.enc.TargetField] < 0 {
		return nil
	}
	return e.target(line, rec[e.from[e.enc.TargetField]])
}

// target appends the target of a row.
func (e *encoding) target(line int, s string) error {
	fail := func(want, remedy string) error {
		return &Error{File: e.file, Line: line, Column: e.enc.Target, Want: want, Got: fmt.Sprintf("%.40q", s),
			Remedy: remedy}
	}
	v, what := parseCell(s)
	switch {
	case what == cellMissing || math.IsInf(v, 0):
		return fail("a finite target", "leave the line out")
	case e.enc.Task == Regress && what == cellText:
		return fail("a number", "mend it or leave the line out")
	case e.enc.Task == Regress:
		e.t.Targets = append(e.t.Targets, v)
		return nil
	}
	label, known := e.classes[className(s, e.classes)]
	if !known {
		return fail("one of the classes "+nearest(s, e.enc.Classes), "the model was trained without this class")
	}
	e.t.Labels = append(e.t.Labels, label)
	return nil
}

// noteColumns says what is missing, unknown or constant.
func (t *Table) noteColumns(e *encoding) {
	for k, u := range e.unknown {
		if u.count > 0 {
			t.Notes = append(t.Notes,
				fmt.Sprintf("column %q: %d values are of no category of the training file, the first is %q "+
					"in line %d: encoded as none", e.enc.Columns[k].Name, u.count, u.text, u.line))
		}
	}
	t.noteMissing()
}

// noteMissing says which features have missing values and which are constant.
func (t *Table) noteMissing() {
	missing, j := t.Missing(), 0
	for _, col := range t.Encoder.Columns {
		if n := missing[j]; n > 0 {
			t.Notes = append(t.Notes,
				fmt.Sprintf("column %q: %d of %d values are missing: set to the mean of the training rows",
					col.Name, n, t.N))
		}
		j += col.width()
	}
	if constant := t.Constant(); len(constant) > 0 && t.N > 1 {
		t.Notes = append(t.Notes, "constant features carry nothing: "+listFirst(t.FeatureNames, constant))
	}
}

// listFirst lists the names of some features: the first few, and how many there are if more.
func listFirst(names []string, which []int) string {
	var words []string
	for _, j := range which[:min(len(which), 5)] {
		words = append(words, fmt.Sprintf("%q", names[j]))
	}
	if n := len(which); n > len(words) {
		words = append(words, fmt.Sprintf("… (%d)", n))
	}
	return strings.Join(words, ", ")
}

// tableName is a file's name without folder and endings.
func tableName(path string) string {
	name, _, _ := strings.Cut(strings.TrimLeft(filepath.Base(path), "."), ".")
	return name
}
