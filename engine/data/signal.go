package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"

	"ganglion/engine/data/source"
)

// signals are rows of one shape as a file of images or series holds them.
type signals struct {
	name  string
	sum   string
	n     int
	shape []int     // channels, then extents
	x     []float64 // [n, shape…] row-major; NaN is missing
	texts []string  // class of each row as the file writes it; empty if the file has none
	value []float64 // target of each row, in files of regressions
	short int       // length of the shortest series that was padded; 0 if none was
	notes []string
}

// wide is the number of elements of a row.
func (s *signals) wide() int {
	n := 1
	for _, e := range s.shape {
		n *= e
	}
	return n
}

// lengthen pads series to n positions with missing values.
func (s *signals) lengthen(n int) {
	old := s.shape[1]
	if s.short == 0 || old < s.short {
		s.short = old
	}
	x := make([]float64, 0, s.n*s.shape[0]*n)
	for lo := 0; lo < len(s.x); lo += old {
		x = append(x, s.x[lo:lo+old]...)
		for range n - old {
			x = append(x, math.NaN())
		}
	}
	s.shape, s.x = []int{s.shape[0], n}, x
}

// match makes the rows of s those of shape, or returns an error: series may be shorter, images may not.
func (s *signals) match(shape []int) error {
	if len(s.shape) == 2 && len(shape) == 2 && s.shape[0] == shape[0] && s.shape[1] < shape[1] {
		s.lengthen(shape[1])
	}
	if slices.Equal(s.shape, shape) {
		return nil
	}
	want := "of " + shapeName(shape)
	if len(shape) == 2 {
		want = fmt.Sprintf("of %d channels and at most %d positions", shape[0], shape[1])
	}
	return &Error{File: s.name, Want: "samples " + want + ", as in the training file", Got: shapeName(s.shape),
		Remedy: "use samples of the same kind"}
}

// tableOf makes a table for training of one or two parts, of which the second is the test part of the split
// "official". The shapes have to be the same, but for the length of series.
func tableOf(parts []*signals, o Options) (*Table, error) {
	longest := 0
	for _, p := range parts {
		if longest = max(longest, p.shape[len(p.shape)-1]); len(p.texts) == 0 && len(p.value) == 0 {
			return nil, &Error{File: p.name, Want: "a class for each sample", Got: "a file without classes",
				Remedy: "put the file of labels beside it, or take another file for training"}
		}
	}
	shape := slices.Clone(parts[0].shape)
	if len(shape) == 2 {
		shape[1] = longest
	}
	t := &Table{Name: tableName(parts[0].name), Source: parts[0].name, Shape: shape}
	t.D = (&signals{shape: shape}).wide()
	var code []int8
	for i, p := range parts {
		if err := p.match(shape); err != nil {
			return nil, err
		}
		t.N += p.n
		code = append(code, slices.Repeat([]int8{int8(i)}, p.n)...)
	}
	if err := t.fits(o); err != nil {
		return nil, err
	}
	var texts []string
	var values []float64
	for _, p := range parts {
		t.X = append(t.X, p.x...)
		texts, values = append(texts, p.texts...), append(values, p.value...)
		t.Notes = append(t.Notes, p.notes...)
	}
	t.SHA256 = joinSums(parts)
	t.noteLengths(parts)
	if len(parts) == 2 {
		t.Splits = []StoredSplit{{Name: officialSplit, Part: [][]int8{code}}}
	}
	t.FeatureNames = numberedNames("x", t.D, 1)
	if err := t.signalTarget(texts, values, o); err != nil {
		return nil, err
	}
	return t, t.finish()
}

// officialSplit is the name of the split into the published training and test files.
const officialSplit = "official"

// noteLengths says that series were padded.
func (t *Table) noteLengths(parts []*signals) {
	shortest := math.MaxInt
	for _, p := range parts {
		if p.short > 0 {
			shortest = min(shortest, p.short)
		}
	}
	if shortest < math.MaxInt {
		t.Notes = append(t.Notes, fmt.Sprintf("series of %d to %d positions: the shorter ones are padded at their end "+
			"with missing values", shortest, t.Shape[1]))
	}
}

// signalTarget sets classes, in the order of their names, or targets.
func (t *Table) signalTarget(texts []string, values []float64, o Options) error {
	const name = "class"
	if o.Target != "" && o.Target != "-1" && o.Target != name && o.Target != "label" {
		return &Error{File: t.Source, Want: `the target "class"`, Got: fmt.Sprintf("%q", o.Target),
			Remedy: "leave --target out"}
	}
	if len(texts) == 0 {
		if o.Task == Classify {
			return &Error{File: t.Source, Want: "classes", Got: "numbers as targets", Remedy: "leave --task out"}
		}
		return t.setTarget(values, "target", Regress)
	}
	if o.Task == Regress {
		return &Error{File: t.Source, Want: "numbers as targets", Got: "classes", Remedy: "leave --task out"}
	}
	different := slices.Clone(texts)
	slices.Sort(different)
	t.Task, t.TargetNames, t.Labels = Classify, []string{name}, make([]int32, len(texts))
	t.Classes, _ = classNames(slices.Compact(different))
	index := classIndex(t.Classes)
	for i, s := range texts {
		t.Labels[i] = index[className(s, index)]
	}
	return nil
}

// joinSums is the checksum of the files: a single one's own, else that of the checksums, one a line.
func joinSums(parts []*signals) string {
	if len(parts) == 1 {
		return parts[0].sum
	}
	var sums []string
	for _, p := range parts {
		sums = append(sums, p.sum)
	}
	all := sha256.Sum256([]byte(strings.Join(sums, "\n")))
	return hex.EncodeToString(all[:])
}

// loadSignals reads images or series for a network that was trained on such.
func (e *Encoder) loadSignals(ctx context.Context, f *source.File, o Options) (*Table, error) {
	if len(e.Shape) == 0 {
		return nil, &Error{File: f.Name, Want: "a table, as in training", Got: "images or series",
			Remedy: "use a file of the kind that the model was trained on"}
	}
	s, err := readSignals(ctx, f, o)
	if err != nil {
		return nil, err
	}
	if err := s.match(e.Shape); err != nil {
		return nil, err
	}
	t := e.table(f)
	t.N, t.X, t.Notes = s.n, s.x, s.notes
	t.noteLengths([]*signals{s})
	if e.Task == Regress {
		t.Targets = s.value
		return t, t.Check()
	}
	if err := t.knownClasses(s.texts); err != nil {
		return nil, err
	}
	t.noteMissing()
	return t, t.Check()
}

// knownClasses sets the labels of a table whose classes are known. Texts none of which is a class are the dummies of
// files for prediction: they are reported and left out.
func (t *Table) knownClasses(texts []string) error {
	index := classIndex(t.Classes)
	labels := make([]int32, len(texts))
	unknown := -1
	for i, s := range texts {
		l, known := index[className(s, index)]
		if labels[i] = l; !known && unknown < 0 {
			unknown = i
		}
	}
	switch {
	case len(texts) == 0:
		return nil
	case unknown < 0:
		t.Labels = labels
		return nil
	case !slices.ContainsFunc(texts, func(s string) bool { _, known := index[className(s, index)]; return known }):
		t.Notes = append(t.Notes, "no class of the file is one of the training file: taken as absent")
		return nil
	}
	return &Error{File: t.Source, Want: "one of the classes " + nearest(texts[unknown], t.Classes),
		Got:    fmt.Sprintf("%.40q in sample %d", texts[unknown], unknown+1),
		Remedy: "the model was trained without this class"}
}

// readSignals reads a file of images or series.
func readSignals(ctx context.Context, f *source.File, o Options) (*signals, error) {
	if isIDX(f.Data) {
		return readImages(f, o)
	}
	return readSeries(ctx, f, o)
}
