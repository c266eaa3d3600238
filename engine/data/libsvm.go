package data

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"ganglion/engine/data/source"
)

// maxIndex caps the number of a feature in a libsvm file.
const maxIndex = 1 << 24

// isLibSVM says whether the first lines look like "label index:value index:value …", at least one of them with a
// pair. A time of day is no value.
func isLibSVM(b []byte) bool {
	pairs := 0
	for range sniffLines {
		line, rest, more := bytes.Cut(b, []byte("\n"))
		line, _, _ = bytes.Cut(line, []byte("#"))
		if len(line) > maxLine {
			return false
		}
		for i, word := range bytes.Fields(line) {
			if i == 0 {
				continue
			}
			index, value, ok := bytes.Cut(word, []byte(":"))
			if !ok || len(index) == 0 || len(bytes.Trim(index, "0123456789")) > 0 || bytes.ContainsAny(value, ":,") {
				return false
			}
			pairs++
		}
		if b = rest; !more {
			break
		}
	}
	return pairs > 0
}

// svmFile is a libsvm file on its way to a table.
type svmFile struct {
	name   string
	text   []byte
	rows   int
	lo, hi int  // least and greatest index of a feature
	second bool // labels are "label;concentration"
}

// concentration is the name of the number behind the semicolon of a label.
const concentration = "concentration"

// loadLibSVM reads "label index:value …" and "label;concentration index:value …". Features that a line does not list
// are 0.
func loadLibSVM(ctx context.Context, f *source.File, o Options) (*Table, error) {
	s, err := openLibSVM(ctx, f)
	if err != nil {
		return nil, err
	}
	t := &Table{Name: tableName(f.Name), Source: f.Name, SHA256: f.SHA256, N: s.rows, D: s.hi - s.lo + 1}
	if s.lo == 0 {
		t.Notes = append(t.Notes, "features are numbered from 0")
	}
	if err := t.allocate(o); err != nil {
		return nil, err
	}
	first, second, err := s.fill(ctx, t)
	if err != nil {
		return nil, err
	}
	t.FeatureNames = numberedNames("feature", t.D, s.lo)
	switch target := o.Target; {
	case target == concentration && s.second:
		err = t.setTarget(second, target, cmp.Or(o.Task, Regress))
	case target == "" || target == "label":
		err = t.setTarget(first, "label", o.Task)
	default:
		err = &Error{File: f.Name, Want: `the target "label" (or "concentration", after a semicolon)`,
			Got: fmt.Sprintf("%q", target), Remedy: "leave --target out"}
	}
	if err != nil {
		return nil, err
	}
	t.Encoder = numberEncoder(t, t.TargetNames[0])
	t.Encoder.IndexFrom = s.lo
	t.noteMissing()
	if err := t.Check(); err != nil {
		return nil, err
	}
	return t, t.checkClasses()
}

// openLibSVM reads the file once and finds the number of rows and features.
func openLibSVM(ctx context.Context, f *source.File) (*svmFile, error) {
	text, err := checkText(f)
	if err != nil {
		return nil, err
	}
	s := &svmFile{name: f.Name, text: text, lo: 1}
	err = s.each(ctx, func(line int, _ string, pairs []string) error {
		s.rows++
		for _, p := range pairs {
			index, _, err := s.pair(line, p)
			if err != nil {
				return err
			}
			s.lo, s.hi = min(s.lo, index), max(s.hi, index)
		}
		return nil
	})
	return s, err
}

// each calls visit with the label and the pairs of every line.
func (s *svmFile) each(ctx context.Context, visit func(line int, label string, pairs []string) error) error {
	n := 0
	for rest := s.text; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		if n++; n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		line, _, _ = bytes.Cut(line, []byte("#"))
		if words := strings.Fields(string(line)); len(words) > 0 {
			if err := visit(n, words[0], words[1:]); err != nil {
				return err
			}
		}
	}
	return nil
}

// pair reads "index:value".
func (s *svmFile) pair(line int, p string) (int, float64, error) {
	left, right, ok := strings.Cut(p, ":")
	index, err := strconv.Atoi(left)
	if !ok || err != nil || index < 0 || index > maxIndex {
		return 0, 0, &Error{File: s.name, Line: line, Want: fmt.Sprintf("index:value with an index up to %d", maxIndex),
			Got: fmt.Sprintf("%.40q", p), Remedy: "mend the line"}
	}
	v, what := parseCell(right)
	if what == cellText || what == cellNumber && math.IsInf(v, 0) {
		return 0, 0, &Error{File: s.name, Line: line, Column: "feature " + left, Want: "a finite number",
			Got: fmt.Sprintf("%.40q", right), Remedy: "mend the line"}
	}
	return index, v, nil
}

// fill reads the features into the table and returns the labels and what follows them after a semicolon.
func (s *svmFile) fill(ctx context.Context, t *Table) (first, second []float64, err error) {
	set := make([]bool, t.D)
	i := 0
	err = s.each(ctx, func(line int, label string, pairs []string) error {
		a, b, has, err := s.label(line, label)
		if err != nil {
			return err
		}
		if i == 0 {
			s.second = has
		}
		if has != s.second {
			return &Error{File: s.name, Line: line, Want: "a semicolon in every label or in none",
				Got:    fmt.Sprintf("%.40q", label),
				Remedy: "mend the line"}
		}
		first, second = append(first, a), append(second, b)
		row := t.Row(i)
		clear(set)
		for _, p := range pairs {
			index, v, err := s.pair(line, p)
			if err != nil {
				return err
			}
			j := index - s.lo
			if j < 0 || j >= t.D {
				return &Error{File: s.name, Line: line, Want: fmt.Sprintf("features %d to %d", s.lo, s.lo+t.D-1),
					Got: fmt.Sprintf("feature %d", index), Remedy: "the model was trained without it"}
			}
			if set[j] {
				return &Error{File: s.name, Line: line, Column: fmt.Sprintf("feature %d", index),
					Want: "each feature once",
					Got:  "it twice", Remedy: "mend the line"}
			}
			row[j], set[j] = v, true
		}
		i++
		return nil
	})
	return first, second, err
}

// label reads "label" or "label;concentration".
func (s *svmFile) label(line int, label string) (first, second float64, has bool, err error) {
	left, right, has := strings.Cut(label, ";")
	v, what := parseCell(left)
	if what != cellNumber || math.IsInf(v, 0) {
		return 0, 0, false, &Error{File: s.name, Line: line, Column: "label", Want: "a finite number",
			Got: fmt.Sprintf("%.40q", left), Remedy: "mend the line"}
	}
	if !has {
		return v, 0, false, nil
	}
	c, what := parseCell(right)
	if what != cellNumber || math.IsInf(c, 0) {
		return 0, 0, false, &Error{File: s.name, Line: line, Column: concentration, Want: "a finite number",
			Got: fmt.Sprintf("%.40q", right), Remedy: "mend the line"}
	}
	return v, c, true, nil
}

// setTarget makes a column of numbers the target: classes if the task says so or if they are few whole numbers.
func (t *Table) setTarget(values []float64, name string, task Task) error {
	t.TargetNames = []string{name}
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return &Error{File: t.Source, Column: name, Want: "finite targets", Got: fmt.Sprintf("%v in row %d", v,
				i+1),
				Remedy: "leave the row out"}
		}
	}
	classes := numberNames(values)
	if task == Auto && fewWholeNumbers(classes, true) {
		task = Classify
	}
	if task != Classify {
		t.Task, t.Targets = Regress, values
		return nil
	}
	if n := len(classes); n > maxAutoClasses && 2*n > t.N {
		return &Error{File: t.Source, Column: name, Want: "a few classes", Got: fmt.Sprintf("%d in %d rows", n, t.N),
			Remedy: "choose --task regress"}
	}
	t.Task, t.Classes, t.Labels = Classify, classes, make([]int32, len(values))
	return t.label(values, name)
}

// label sets the labels to the classes that the values are.
func (t *Table) label(values []float64, name string) error {
	index := classIndex(t.Classes)
	for i, v := range values {
		l, known := index[formatNumber(v)]
		if !known {
			return &Error{File: t.Source, Column: name, Want: "one of the classes " + nearest(formatNumber(v),
				t.Classes),
				Got: fmt.Sprintf("%v in row %d", v, i+1), Remedy: "the model was trained without this class"}
		}
		t.Labels[i] = l
	}
	return nil
}

// numberedNames returns name0, name1, … counted from the given number.
func numberedNames(name string, n, from int) []string {
	names := make([]string, n)
	for j := range names {
		names[j] = name + strconv.Itoa(j+from)
	}
	return names
}
