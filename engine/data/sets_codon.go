package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"ganglion/engine/data/source"
)

func codonLayouts() []Layout {
	return []Layout{
		{Files: []SetFile{
			{"arc_data.csv.gz", "f96f2c4c81bcedf8ae94827ce9fdc1700f10ffef6c1fc933ea501862138bda80"},
			{"bct_data.csv.gz", "1d7c2c27136604c2f8527cf85b82241b603294ed5adf59b741dd85aefde29e46"},
			{"euk_data.csv.gz", "9e33fb36b257166aa7602bb71ad83bae566f3dcf66f0c90285d88e14b3bedb3d"},
			{"phg_data.csv.gz", "2cb39149497f8069dae80420560acc190653649e1d7e1f50a2e56bf9c0bb01c1"},
			{"vrl_data.csv.gz", "41d409dc5e720dfc2a7fc6512f4fe98fa5b4c558d76d1fbba329e5f31b2f2487"},
			{"codon_labels.npz", "f38da2b4a696ffe8e6f18d73d14ced4de65c7f1ae4b167e9f6b507372bbaa41f"},
		}, Note: "one file a kingdom, and the splits", read: readCodon},
		{Files: []SetFile{{Name: "codon_usage.csv"}}, Note: "the file of UCI, eleven kingdoms", read: readCodonUCI},
	}
}

// readCodon reads the five files one behind another; the kingdom is the file.
func readCodon(ctx context.Context, f *setFiles) (*Table, error) {
	t := &Table{Source: f.set.Origin, Task: Classify, TargetNames: []string{"kingdom"}}
	files := f.layout.Files
	for k, file := range files[:len(files)-1] {
		raw, err := f.read(file.Name)
		if err != nil {
			return nil, err
		}
		skipped, err := t.appendCodons(ctx, raw, func([]string) string { return file.Name[:3] })
		if err != nil {
			return nil, err
		}
		if skipped > 0 {
			return nil, &Error{File: raw.Name, Want: "numbers in all codon columns",
				Got:    fmt.Sprintf("%d lines without", skipped),
				Remedy: "fetch the file again"}
		}
		if len(t.Classes) != k+1 {
			return nil, &Error{File: raw.Name, Want: "rows of data", Got: "none", Remedy: "fetch the file again"}
		}
	}
	raw, err := f.read(files[len(files)-1].Name)
	if err != nil {
		return nil, err
	}
	a, err := source.OpenArchive(raw, f.opts.Limits)
	if err != nil {
		return nil, err
	}
	y, _, err := a.Ints("y")
	if err != nil {
		return nil, err
	}
	if !slices.EqualFunc(y, t.Labels, func(a int64, b int32) bool { return a == int64(b) }) {
		return nil, &Error{File: raw.Name, Column: "y", Want: "the labels of the five files one behind another",
			Got:    "others",
			Remedy: "fetch the files again"}
	}
	if err := t.readSplits(a); err != nil {
		return nil, err
	}
	return t, t.finish()
}

// readCodonUCI reads the file of UCI: Kingdom, DNAtype, SpeciesID, Ncodons, SpeciesName and the codons. Two of its
// rows have text where a frequency should be: such rows are left out and noted.
func readCodonUCI(ctx context.Context, f *setFiles) (*Table, error) {
	raw, err := f.read(f.layout.Files[0].Name)
	if err != nil {
		return nil, err
	}
	t := &Table{Source: raw.Name, Task: Classify, TargetNames: []string{"Kingdom"}}
	skipped, err := t.appendCodons(ctx, raw, func(rec []string) string { return rec[0] })
	if err != nil {
		return nil, err
	}
	if skipped > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%d rows have text where a frequency should be: left out", skipped))
	}
	t.sortClasses()
	return t, t.finish()
}

// appendCodons appends the rows of a file with the 64 codons in its last columns; class gives a row's class, which is
// appended to the classes when it is new. It returns the number of rows that were skipped.
func (t *Table) appendCodons(ctx context.Context, raw *source.File, class func([]string) string) (skipped int,
	err error) {
	text, err := checkText(raw)
	if err != nil {
		return 0, err
	}
	r, err := newRecords(raw.Name, text, layout{comma: ','})
	if err != nil {
		return 0, err
	}
	head, line, err := r.next()
	if err != nil {
		return 0, err
	}
	n := len(head)
	if n < 65 || head[n-64] != "UUU" || head[n-1] != "UGA" {
		return 0, &Error{File: raw.Name, Line: line, Want: "64 columns UUU … UGA at the end",
			Got:    fmt.Sprintf("%d columns", n),
			Remedy: "fetch the file again"}
	}
	if t.D == 0 {
		t.D, t.FeatureNames = 64, slices.Clone(head[n-64:])
	}
	if !slices.Equal(t.FeatureNames, head[n-64:]) {
		return 0, &Error{File: raw.Name, Line: line, Want: "the codons in the order of the first file",
			Got:    "another order",
			Remedy: "fetch the file again"}
	}
	for row := make([]float64, 64); ; {
		rec, line, err := r.next()
		if errors.Is(err, io.EOF) {
			return skipped, nil
		}
		if err == nil && len(rec) != n {
			err = &Error{File: raw.Name, Line: line, Want: fmt.Sprintf("%d fields as in line 1", n),
				Got:    fmt.Sprintf("%d", len(rec)),
				Remedy: "fetch the file again"}
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return 0, err
		}
		if !codons(row, rec[n-64:]) {
			skipped++
			continue
		}
		t.X = append(t.X, row...)
		t.N++
		t.appendLabel(class(rec))
	}
}

// codons reads the frequencies of a row; false if one is not a number.
func codons(row []float64, rec []string) bool {
	for j, s := range rec {
		v, what := parseCell(s)
		if what != cellNumber {
			return false
		}
		row[j] = v
	}
	return true
}

// appendLabel appends a label by its class's name.
func (t *Table) appendLabel(class string) {
	l := slices.Index(t.Classes, class)
	if l < 0 {
		l = len(t.Classes)
		t.Classes = append(t.Classes, string([]byte(class)))
	}
	t.Labels = append(t.Labels, int32(l))
}

// sortClasses numbers the classes in the order of their names.
func (t *Table) sortClasses() {
	sorted := slices.Clone(t.Classes)
	slices.Sort(sorted)
	index := classIndex(sorted)
	for i, l := range t.Labels {
		t.Labels[i] = index[t.Classes[l]]
	}
	t.Classes = sorted
}
