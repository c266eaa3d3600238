package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"ganglion/engine/data/source"
)

func haptLayouts() []Layout {
	return []Layout{
		{Files: []SetFile{
			{"hapt.npz", "68120402b335e418041d538039d91f327e478c66212810bdb9ad6227f9990d0e"},
			{"feature_names.txt", "ba34ed6726e182a86e7beabbee6b21952eba0e59d25f5d238cb12f34cb0ce6a5"},
			{"activity_labels.txt", "3d403977544ab229fccf9a27f4c207c3071a9965350ef09623f251030d6a0911"},
		}, Note: "177 features of the same kinds as the original 561", read: readHAPT},
		{Files: []SetFile{
			{Name: "X_train.txt"}, {Name: "X_test.txt"},
			{"y_train.txt", "d7b324ab77967687c49bf8d894e6ea440896bb50642ad4ab5ab9323731170dc0"},
			{"y_test.txt", "7057de0aef56be9d94ed86b6ae805f62fe8fa99c10e5135b6292fa54cf97ea3b"},
			{"activity_labels.txt", "3d403977544ab229fccf9a27f4c207c3071a9965350ef09623f251030d6a0911"},
		}, Note: "the original 561 features", read: readHAPTText},
	}
}

func readHAPT(ctx context.Context, f *setFiles) (*Table, error) {
	raw, err := f.read("hapt.npz")
	if err != nil {
		return nil, err
	}
	t, err := loadNPZ(ctx, raw, f.opts)
	if err != nil {
		return nil, err
	}
	names, err := f.words(ctx, "feature_names.txt")
	if err != nil {
		return nil, err
	}
	if len(names) == t.D {
		var first []string
		for _, n := range names {
			first = append(first, n[0])
		}
		t.rename(first)
	}
	return t, f.nameActivities(ctx, t, 0)
}

// words reads a text file as lines of words.
func (f *setFiles) words(ctx context.Context, name string) ([][]string, error) {
	raw, err := f.read(name)
	if err != nil {
		return nil, err
	}
	text, err := checkText(raw)
	if err != nil {
		return nil, err
	}
	r, err := newRecords(raw.Name, text, layout{})
	if err != nil {
		return nil, err
	}
	var lines [][]string
	for {
		rec, _, err := r.next()
		if errors.Is(err, io.EOF) {
			return lines, ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		lines = append(lines, append([]string(nil), rec...))
	}
}

// nameActivities names the classes, numbered from first, by activity_labels.txt: lines of number (from 1) and name.
func (f *setFiles) nameActivities(ctx context.Context, t *Table, first int) error {
	lines, err := f.words(ctx, "activity_labels.txt")
	if err != nil || t.Task != Classify {
		return err
	}
	if len(lines) != len(t.Classes) || t.Classes[0] != fmt.Sprint(first) {
		f.notes = append(f.notes, "the classes are not those of activity_labels.txt: they keep their numbers")
		return nil
	}
	classes := make([]string, len(lines))
	for i, l := range lines {
		classes[i] = strings.ToLower(l[len(l)-1])
	}
	t.Classes, t.Encoder.Classes = classes, classes
	return nil
}

// readHAPTText reads the original text files; the stored split "official" is training against test file.
func readHAPTText(ctx context.Context, f *setFiles) (*Table, error) {
	t := &Table{Source: f.set.Origin}
	var label []float64
	var part []int8
	for k, side := range []string{"train", "test"} {
		x, err := f.numbers(ctx, "X_"+side+".txt")
		if err != nil {
			return nil, err
		}
		y, err := f.numbers(ctx, "y_"+side+".txt")
		if err != nil {
			return nil, err
		}
		if t.D == 0 {
			t.D = x.columns
		}
		if y.columns != 1 || y.rows != x.rows || x.columns != t.D {
			return nil, &Error{File: f.paths["y_"+side+".txt"], Want: fmt.Sprintf("%d labels and %d features", x.rows,
				t.D),
				Got: fmt.Sprintf("%d labels and %d features", y.rows, x.columns), Remedy: "fetch the files again"}
		}
		t.N += x.rows
		t.X = append(t.X, x.values...)
		label = append(label, y.values...)
		for range x.rows {
			part = append(part, int8(k))
		}
	}
	t.FeatureNames = numberedNames("feature", t.D, 1)
	t.Splits = []StoredSplit{{Name: "official", Part: [][]int8{part}}}
	if err := t.setTarget(label, "activity", Classify); err != nil {
		return nil, err
	}
	if err := t.finish(); err != nil {
		return nil, err
	}
	return t, f.nameActivities(ctx, t, 1)
}

// matrix is a text file of numbers alone.
type matrix struct {
	rows, columns int
	values        []float64
}

// numbers reads a file of numbers, divided by white space or commas.
func (f *setFiles) numbers(ctx context.Context, name string) (*matrix, error) {
	raw, err := f.read(name)
	if err != nil {
		return nil, err
	}
	return readMatrix(ctx, raw)
}

func readMatrix(ctx context.Context, raw *source.File) (*matrix, error) {
	text, err := checkText(raw)
	if err != nil {
		return nil, err
	}
	r, err := newRecords(raw.Name, text, layout{comma: delimiter(text)})
	if err != nil {
		return nil, err
	}
	m := &matrix{}
	for {
		rec, line, err := r.next()
		if errors.Is(err, io.EOF) {
			return m, ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if m.rows == 0 {
			m.columns = len(rec)
		}
		if len(rec) != m.columns {
			return nil, &Error{File: raw.Name, Line: line, Want: fmt.Sprintf("%d fields as in the first line",
				m.columns),
				Got: fmt.Sprintf("%d", len(rec)), Remedy: "fetch the file again"}
		}
		for _, s := range rec {
			v, what := parseCell(s)
			if what != cellNumber || math.IsInf(v, 0) {
				return nil, &Error{File: raw.Name, Line: line, Want: "a finite number", Got: fmt.Sprintf("%.40q", s),
					Remedy: "fetch the file again"}
			}
			m.values = append(m.values, v)
		}
		m.rows++
	}
}
