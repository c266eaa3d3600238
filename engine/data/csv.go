package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"ganglion/engine/data/source"
)

// A column of more texts than this is an error; one of more than identifierMin different texts, most of them
// different, is an identifier and left out.
const (
	maxCategories = 1000
	identifierMin = 32
)

// csvFile is a delimited text file on its way to a table.
type csvFile struct {
	file   *source.File
	text   []byte
	layout layout
	opts   Options
}

// openCSV checks the text of a file and finds its delimiter.
func openCSV(f *source.File, o Options, skip int) (*csvFile, error) {
	text, err := checkText(f)
	if err != nil {
		return nil, err
	}
	return &csvFile{file: f, text: text, layout: layout{comma: delimiter(text), skip: skip}, opts: o}, nil
}

// loadCSV reads a delimited text file in three passes: what the columns hold, which texts occur in them, the values.
func loadCSV(ctx context.Context, f *source.File, o Options, skip int) (*Table, error) {
	c, err := openCSV(f, o, skip)
	if err != nil {
		return nil, err
	}
	s, err := takeSurvey(ctx, f.Name, c.text, c.layout, o.Header)
	if err != nil {
		return nil, err
	}
	target, why, err := findTarget(f.Name, o.Target, s.names())
	if err != nil {
		return nil, err
	}
	enc := &Encoder{Header: s.header, Fields: len(s.fields), TargetField: target, Target: s.fields[target].name}
	notes := []string{fmt.Sprintf("the target is %s %q", why, enc.Target)}
	if err := c.chooseColumns(ctx, s, enc, &notes); err != nil {
		return nil, err
	}
	if err := c.chooseTarget(ctx, s, enc); err != nil {
		return nil, err
	}
	t, err := c.encode(ctx, enc, identityFields(len(s.fields)), s.header, s.rows)
	if err != nil {
		return nil, err
	}
	t.Notes = append(notes, t.Notes...)
	return t, t.checkClasses()
}

// findTarget resolves Options.Target among the names of the columns, and says in words what it went by.
func findTarget(file, asked string, names []string) (int, string, error) {
	if asked == "" {
		found := -1
		for j, n := range names {
			switch strings.ToLower(n) {
			case "target", "class", "label", "y":
				if found >= 0 {
					return len(names) - 1, "the last column", nil
				}
				found = j
			}
		}
		if found >= 0 {
			return found, "the column called", nil
		}
		return len(names) - 1, "the last column", nil
	}
	if j := slices.Index(names, asked); j >= 0 {
		return j, "the column", nil
	}
	if v, what := parseCell(asked); what == cellNumber && v == math.Trunc(v) {
		switch k := int(max(min(v, maxColumns+1), -2)); {
		case k == -1:
			return len(names) - 1, "the last column", nil
		case k >= 1 && k <= len(names):
			return k - 1, fmt.Sprintf("column %d,", k), nil
		}
		return 0, "", &Error{File: file, Want: fmt.Sprintf("a target column from 1 to %d, or -1 for the last",
			len(names)),
			Got: asked, Remedy: "change --target"}
	}
	return 0, "", &Error{File: file, Want: fmt.Sprintf("a column called %q", asked), Got: "no such column",
		Remedy: "the nearest are " + nearest(asked, names)}
}

// chooseColumns decides for every column but the target whether it becomes a number, categories, or is left out.
func (c *csvFile) chooseColumns(ctx context.Context, s *survey, enc *Encoder, notes *[]string) error {
	var textual []int
	for j := range s.fields {
		f := &s.fields[j]
		if j == enc.TargetField {
			continue
		}
		kind, err := f.kind(c.file.Name)
		if err != nil {
			return err
		}
		if kind == Number && f.counting && isRowName(f.name, s.header) && s.rows > 1 {
			enc.LeftOut = append(enc.LeftOut, f.name)
			*notes = append(*notes, fmt.Sprintf("column %q counts the rows: left out", f.name))
			continue
		}
		if kind == Category {
			textual = append(textual, j)
		}
		enc.Columns = append(enc.Columns, Column{Name: f.name, Position: j, Kind: kind})
	}
	if len(textual) == 0 {
		return nil
	}
	texts, err := c.distinct(ctx, s, textual)
	if err != nil {
		return err
	}
	return c.chooseCategories(s, enc, texts, notes)
}

// chooseCategories fills in the categories of the text columns and leaves identifiers out.
func (c *csvFile) chooseCategories(s *survey, enc *Encoder, texts map[int][]string, notes *[]string) error {
	kept := enc.Columns[:0]
	for _, col := range enc.Columns {
		if col.Kind == Category {
			f := s.fields[col.Position]
			col.Categories = texts[col.Position]
			values := f.texts + f.numbers
			switch n := len(col.Categories); {
			case n > identifierMin && 2*n > values:
				enc.LeftOut = append(enc.LeftOut, f.name)
				*notes = append(*notes,
					fmt.Sprintf("column %q looks like an identifier (more than half of its %d values differ): "+
						"left out", f.name, values))
				continue
			case n > maxCategories:
				return &Error{File: c.file.Name, Line: f.textLine, Column: f.name,
					Want: fmt.Sprintf("at most %d different texts", maxCategories), Got: fmt.Sprintf("%d or more", n),
					Remedy: "leave the column out of the file or group its values"}
			}
			*notes = append(*notes, fmt.Sprintf("column %q is text: %d categories, one feature each", f.name,
				len(col.Categories)))
		}
		kept = append(kept, col)
	}
	enc.Columns = kept
	return nil
}

// isRowName says whether a column's name is one that programs give to a column of row numbers.
func isRowName(name string, header bool) bool {
	if !header {
		return false
	}
	switch strings.ToLower(name) {
	case "id", "index", "row", "rowid", "row_id", "rownames", "unnamed: 0", "column 1", "no":
		return true
	}
	return false
}

// chooseTarget decides the task and the classes.
func (c *csvFile) chooseTarget(ctx context.Context, s *survey, enc *Encoder) error {
	f := &s.fields[enc.TargetField]
	task := c.opts.Task
	if task != Classify {
		kind, err := f.kind(c.file.Name)
		if err != nil {
			return err
		}
		if kind == Category && task == Regress {
			return &Error{File: c.file.Name, Line: f.textLine, Column: f.name, Want: "a number as regression target",
				Got: fmt.Sprintf("%.40q", f.text), Remedy: "choose another --target or --task classify"}
		}
		if kind == Category {
			task = Classify
		}
	}
	if task == Regress {
		enc.Task, enc.TargetNames = Regress, []string{f.name}
		return nil
	}
	texts, err := c.distinct(ctx, s, []int{enc.TargetField})
	if err != nil {
		return err
	}
	classes, numeric := classNames(texts[enc.TargetField])
	if task == Auto && !fewWholeNumbers(classes, numeric) {
		enc.Task, enc.TargetNames = Regress, []string{f.name}
		return nil
	}
	if n := len(classes); n > maxAutoClasses && 2*n > s.rows {
		return &Error{File: c.file.Name, Column: f.name, Want: "a few classes", Got: fmt.Sprintf("%d in %d rows", n,
			s.rows),
			Remedy: "choose another --target, or --task regress for numbers"}
	}
	enc.Task, enc.TargetNames, enc.Classes = Classify, []string{f.name}, classes
	return nil
}

// distinct collects the different texts of some columns, sorted, missing ones left out. A column of more than there
// are useful ends up with some of them, enough to be refused.
func (c *csvFile) distinct(ctx context.Context, s *survey, columns []int) (map[int][]string, error) {
	r, err := newRecords(c.file.Name, c.text, c.layout)
	if err != nil {
		return nil, err
	}
	if s.header {
		if _, _, err := r.next(); err != nil {
			return nil, err
		}
	}
	sets := make([]map[string]struct{}, len(columns))
	for k := range sets {
		sets[k] = map[string]struct{}{}
	}
	limit := max(maxCategories, s.rows/2) + 1
	for row := 0; ; row++ {
		rec, _, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if row%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for k, j := range columns {
			if _, known := sets[k][rec[j]]; !known && !isMissing(rec[j]) && len(sets[k]) < limit {
				sets[k][strings.Clone(rec[j])] = struct{}{}
			}
		}
	}
	texts := map[int][]string{}
	for k, j := range columns {
		for s := range sets[k] {
			texts[j] = append(texts[j], s)
		}
		slices.Sort(texts[j])
	}
	return texts, nil
}

func identityFields(n int) []int {
	m := make([]int, n)
	for i := range m {
		m[i] = i
	}
	return m
}
