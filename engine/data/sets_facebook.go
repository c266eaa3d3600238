package data

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"ganglion/engine/data/source"
)

func facebookLayouts() []Layout {
	return []Layout{
		{Files: []SetFile{{"facebook.npz", "1f247b89b097d1941248a4f0d7ed71c6a1e8f5b9bfbf143c89f4e4bb3e2a9288"}},
			read: readFacebook},
		{Files: []SetFile{
			{"facebook.json.gz", "1340102939745c0163b1af6d79da1d5681d8e111daa7f474e76064c6a967601d"},
			{"facebook_target.csv.gz", "06e2108183179cf125f817d753dd88794e40689863dc2695af74c3bb6bbe6057"},
		}, Note: "the raw features and targets", read: readFacebookRaw},
	}
}

// facebookNote tells what the table leaves out.
const facebookNote = "the features of the pages alone, 1 for a word that occurs: " +
	"the links between pages are no part of a table"

func readFacebook(ctx context.Context, f *setFiles) (*Table, error) {
	t, err := readOne("facebook.npz", Options{})(ctx, f)
	if err != nil {
		return nil, err
	}
	if classes := []string{"company", "government", "politician", "tvshow"}; len(t.Classes) == len(classes) {
		t.Classes, t.Encoder.Classes = classes, classes
	}
	t.Notes = append(t.Notes, facebookNote)
	return t, nil
}

// readFacebookRaw reads facebook.json, {"page": [word, …], …}, and facebook_target.csv,
// id,facebook_id,page_name,page_type.
func readFacebookRaw(ctx context.Context, f *setFiles) (*Table, error) {
	raw, err := f.read("facebook.json.gz")
	if err != nil {
		return nil, err
	}
	var words map[string][]int64
	d := json.NewDecoder(bytes.NewReader(raw.Data))
	if err := d.Decode(&words); err != nil {
		return nil, &Error{File: raw.Name, Byte: d.InputOffset(), Want: `{"page": [word, …], …}`, Err: err,
			Remedy: "fetch the file again"}
	}
	m, err := pageWords(words)
	if err != nil {
		return nil, &Error{File: raw.Name, Err: err, Remedy: "fetch the file again"}
	}
	t := &Table{Source: f.set.Origin, Task: Classify, TargetNames: []string{"page_type"}, Notes: []string{facebookNote}}
	if err := t.fillSparse(m, f.opts); err != nil {
		return nil, err
	}
	t.FeatureNames = numberedNames("feature", t.D, 1)
	target, err := f.read("facebook_target.csv.gz")
	if err != nil {
		return nil, err
	}
	if err := t.readPageTypes(ctx, target); err != nil {
		return nil, err
	}
	return t, t.finish()
}

// pageWords makes the sparse matrix of the words of pages 0 … n−1; a word that stands twice counts once.
func pageWords(words map[string][]int64) (*csr, error) {
	m := &csr{rows: len(words), ptr: []int64{0}}
	for i := range m.rows {
		list, ok := words[strconv.Itoa(i)]
		if !ok {
			return nil, fmt.Errorf("want pages 0 to %d, got none called %d", m.rows-1, i)
		}
		slices.Sort(list)
		for _, w := range slices.Compact(list) {
			if w < 0 || w >= maxIndex {
				return nil, fmt.Errorf("page %d: want words from 0 to %d, got %d", i, maxIndex-1, w)
			}
			m.cols = max(m.cols, int(w)+1)
			m.col = append(m.col, w)
			m.value = append(m.value, 1)
		}
		m.ptr = append(m.ptr, int64(len(m.col)))
	}
	return m, nil
}

// readPageTypes reads the class of every page, one line each, in the order of the pages.
func (t *Table) readPageTypes(ctx context.Context, f *source.File) error {
	text, err := checkText(f)
	if err != nil {
		return err
	}
	r, err := newRecords(f.Name, text, layout{comma: ',', skip: 1})
	if err != nil {
		return err
	}
	for {
		rec, line, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if len(rec) != 4 || rec[0] != strconv.Itoa(len(t.Labels)) {
			return &Error{File: f.Name, Line: line, Want: fmt.Sprintf("id %d and 4 fields", len(t.Labels)),
				Got: fmt.Sprintf("id %.20q and %d", rec[0], len(rec)), Remedy: "fetch the file again"}
		}
		t.appendLabel(rec[3])
	}
	if len(t.Labels) != t.N {
		return &Error{File: f.Name, Want: fmt.Sprintf("%d pages", t.N), Got: fmt.Sprintf("%d", len(t.Labels)),
			Remedy: "fetch the file again"}
	}
	t.sortClasses()
	return ctx.Err()
}
