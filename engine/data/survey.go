package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// headerRows is the number of records looked at to decide whether the first one is a header.
const headerRows = 1000

// field is what the first reading of a text table learns about a column.
type field struct {
	name     string
	missing  int
	numbers  int
	texts    int
	commas   int    // texts that are numbers with a decimal comma
	text     string // the first text, and its line
	textLine int
	counting bool // its values count the rows, from 0 or 1
}

// survey is the result of the first reading.
type survey struct {
	header bool
	rows   int
	fields []field
}

// takeSurvey reads a text table once: every record must have as many fields as the first.
func takeSurvey(ctx context.Context, file string, text []byte, l layout, mode Header) (*survey, error) {
	header, err := hasHeader(file, text, l, mode)
	if err != nil {
		return nil, err
	}
	r, err := newRecords(file, text, l)
	if err != nil {
		return nil, err
	}
	s := &survey{header: header}
	first := 0
	for {
		rec, line, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if s.fields == nil {
			first = line
			s.name(rec)
			if header {
				if err := s.unique(file, line); err != nil {
					return nil, err
				}
				continue
			}
		}
		if len(rec) != len(s.fields) {
			return nil, &Error{File: file, Line: line, Want: fmt.Sprintf("%d fields as in line %d", len(s.fields),
				first),
				Got: fmt.Sprintf("%d", len(rec)), Remedy: "mend the line, or quote fields that contain the delimiter"}
		}
		if s.rows++; s.rows%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for j := range rec {
			s.fields[j].add(rec[j], line, s.rows)
		}
	}
	if s.rows == 0 {
		return nil, &Error{File: file, Want: "rows of data", Got: "only a header", Remedy: "add rows"}
	}
	return s, nil
}

// name sets the names of the columns from the first record.
func (s *survey) name(rec []string) {
	s.fields = make([]field, len(rec))
	for j := range rec {
		s.fields[j] = field{name: fmt.Sprintf("column %d", j+1), counting: true}
		if s.header && rec[j] != "" {
			s.fields[j].name = strings.Clone(rec[j])
		}
	}
}

func (s *survey) unique(file string, line int) error {
	seen := map[string]int{}
	for j, f := range s.fields {
		if before, twice := seen[f.name]; twice {
			return &Error{File: file, Line: line, Column: f.name, Want: "different names of columns",
				Got: fmt.Sprintf("the same for columns %d and %d", before+1, j+1), Remedy: "rename one"}
		}
		seen[f.name] = j
	}
	return nil
}

func (s *survey) names() []string {
	names := make([]string, len(s.fields))
	for j, f := range s.fields {
		names[j] = f.name
	}
	return names
}

// add counts a cell of the row numbered from 1.
func (f *field) add(s string, line, row int) {
	v, what := parseCell(s)
	switch what {
	case cellMissing:
		f.missing++
	case cellNumber:
		f.numbers++
	case cellText:
		if f.texts++; f.texts == 1 {
			f.text, f.textLine = strings.Clone(s), line
		}
		if isDecimalComma(s) {
			f.commas++
		}
	}
	f.counting = f.counting && what == cellNumber && (v == float64(row) || v == float64(row-1))
}

func isDecimalComma(s string) bool {
	if strings.Count(s, ",") != 1 {
		return false
	}
	_, what := parseCell(strings.Replace(s, ",", ".", 1))
	return what == cellNumber
}

// kind decides whether a column holds numbers or categories. It is one of categories only if more than two thirds of
// its values are text: a few texts among numbers are far more often a mistake than a meaning, and are reported.
func (f *field) kind(file string) (Kind, error) {
	switch {
	case f.texts == 0:
		return Number, nil
	case f.commas == f.texts:
		return "", &Error{File: file, Line: f.textLine, Column: f.name, Want: "a number", Got: fmt.Sprintf("%.40q",
			f.text),
			Remedy: "write decimal points instead of decimal commas"}
	case 3*f.texts > 2*(f.texts+f.numbers):
		return Category, nil
	}
	return "", &Error{File: file, Line: f.textLine, Column: f.name, Want: "a number", Got: fmt.Sprintf("%.40q", f.text),
		Remedy: fmt.Sprintf("%d of %d values are text: mend them, or write NA where a value is missing",
			f.texts, f.texts+f.numbers)}
}

// hasHeader decides whether the first record holds names: none of its fields is a number, and there is a column of
// numbers below it, or else, where all columns are text, none of its fields comes again below it.
func hasHeader(file string, text []byte, l layout, mode Header) (bool, error) {
	if mode != HeaderAuto {
		return mode == HeaderYes, nil
	}
	r, err := newRecords(file, text, l)
	if err != nil {
		return false, err
	}
	var first []string
	var fields []field
	again := false
	for row := range headerRows {
		rec, line, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return false, err
		}
		if row == 0 {
			for _, s := range rec {
				if _, what := parseCell(s); what == cellNumber {
					return false, nil
				}
				first = append(first, strings.Clone(s))
			}
			fields = make([]field, len(first))
			continue
		}
		for j := range min(len(rec), len(fields)) {
			fields[j].add(rec[j], line, row)
			again = again || rec[j] == first[j] && rec[j] != ""
		}
	}
	rows := 0
	for _, f := range fields {
		if f.numbers > f.texts {
			return true, nil
		}
		rows = max(rows, f.numbers+f.texts)
	}
	return !again && (rows > 0 || len(first) > 1), nil
}
