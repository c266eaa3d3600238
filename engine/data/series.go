package data

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ganglion/engine/data/source"
)

// maxComments caps the comment lines in front of a file of series.
const maxComments = 1000

// isSeries says whether a text is a file of series in .ts form: the first line that is no comment begins with @.
func isSeries(b []byte) bool {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	for range maxComments {
		line, rest, more := bytes.Cut(b, []byte("\n"))
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return line[0] == '@'
		}
		if b = rest; !more {
			break
		}
	}
	return false
}

// archiveName is how the UCR archive names its files of text: the class is their first column.
var archiveName = regexp.MustCompile(`_(TRAIN|TEST)\.(tsv|txt)(\.gz)?$`)

// loadSeries reads a file of series as training data.
func loadSeries(ctx context.Context, f *source.File, o Options) (*Table, error) {
	s, err := readSeries(ctx, f, o)
	if err != nil {
		return nil, err
	}
	return tableOf([]*signals{s}, o)
}

// readSeries reads series in .ts form (sktime, aeon), or in the older form of the UCR archive: a line each, the class
// and then the values, between white space, tabs or commas.
func readSeries(ctx context.Context, f *source.File, o Options) (*signals, error) {
	text, err := checkText(f)
	if err != nil {
		return nil, err
	}
	r := &seriesReader{signals: &signals{name: f.Name, sum: f.SHA256}, old: !isSeries(text), data: !isSeries(text),
		classes: true, cap: o.Limits.Bytes()}
	for rest := text; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		if r.line++; r.line%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := r.read(strings.TrimSpace(string(line))); err != nil {
			return nil, err
		}
	}
	if len(r.rows) == 0 {
		return nil, r.fail("", "series behind @data", "none", "check that the file is the right one")
	}
	return r.finish(o)
}

// seriesReader reads a file of series line by line.
type seriesReader struct {
	*signals
	line     int
	old      bool  // the older form of the archive
	data     bool  // the line @data has passed
	classes  bool  // rows end with a class or a target
	regress  bool  // with a target
	channels int   // of the first row, or as declared
	cap      int64 // bytes that the values may take
	known    []string
	rows     [][][]float64 // [row][channel][position]
	longest  int
	shortest int
}

func (r *seriesReader) fail(column, want, got, remedy string) error {
	return &Error{File: r.name, Line: r.line, Column: column, Want: want, Got: got, Remedy: remedy}
}

func (r *seriesReader) read(line string) error {
	switch {
	case line == "" || line[0] == '#' && !r.data:
		return nil
	case r.data:
		return r.row(line)
	case line[0] == '@':
		return r.header(strings.Fields(line[1:]))
	}
	return r.fail("", "a line that begins with @, until @data", fmt.Sprintf("%.40q", line), "mend the header")
}

// header reads a line @word value….
func (r *seriesReader) header(words []string) error {
	if len(words) == 0 {
		return r.fail("", "a word behind @", "none", "mend the header")
	}
	key, rest := strings.ToLower(words[0]), words[1:]
	yes := len(rest) > 0 && strings.EqualFold(rest[0], "true")
	switch key {
	case "data":
		r.data = true
	case "timestamps":
		if yes {
			return r.fail("", "series of values alone", "series with time stamps", "resample them to equal steps")
		}
	case "classlabel":
		if r.classes = yes; yes {
			r.known = rest[1:]
		}
	case "targetlabel":
		r.classes, r.regress = yes, yes
	case "dimensions", "dimension":
		n := 0
		if len(rest) == 1 {
			n, _ = strconv.Atoi(rest[0]) // 0, which is refused, if it is none
		}
		if n < 1 || n > maxIndex {
			return r.fail("", "a number of dimensions from 1", fmt.Sprintf("%.40q", strings.Join(rest, " ")),
				"mend the header")
		}
		r.channels = n
	}
	return nil
}

// row reads the channels of a series, between colons, and its class or target.
func (r *seriesReader) row(line string) error {
	var parts []string
	if r.old {
		fields := strings.FieldsFunc(line, func(c rune) bool { return c == ',' || c == '\t' || c == ' ' })
		if len(fields) == 0 {
			return r.fail("", "a class and values", fmt.Sprintf("%.40q", line), "mend the line")
		}
		parts = []string{strings.Join(fields[1:], ","), fields[0]}
	} else {
		parts = strings.Split(line, ":")
	}
	if r.classes {
		if len(parts) < 2 {
			return r.fail("", "values, a colon and the class", "no colon", "mend the line")
		}
		if err := r.target(strings.TrimSpace(parts[len(parts)-1])); err != nil {
			return err
		}
		parts = parts[:len(parts)-1]
	}
	if r.channels == 0 {
		r.channels = len(parts)
	}
	if len(parts) != r.channels {
		return r.fail("", fmt.Sprintf("%d channels", r.channels), fmt.Sprint(len(parts)), "mend the line")
	}
	row := make([][]float64, len(parts))
	for c, text := range parts {
		var err error
		if row[c], err = r.channel(c, text); err != nil {
			return err
		}
		r.longest = max(r.longest, len(row[c]))
		if n := len(row[c]); r.shortest == 0 || n < r.shortest {
			r.shortest = n
		}
	}
	if size := 8 * int64(len(r.rows)+1) * int64(r.channels) * int64(r.longest); size > r.cap {
		return r.fail("", fmt.Sprintf("a table of at most %d bytes", r.cap), "more", "leave out series or positions")
	}
	r.rows = append(r.rows, row)
	return nil
}

func (r *seriesReader) target(text string) error {
	if r.regress {
		v, what := parseCell(text)
		if what != cellNumber || math.IsInf(v, 0) {
			return r.fail("target", "a finite number", fmt.Sprintf("%.40q", text), "mend the line")
		}
		r.value = append(r.value, v)
		return nil
	}
	text = oldClass(text, r.old)
	if text == "" || len(r.known) > 0 && !slices.Contains(r.known, text) {
		return r.fail("class", "one of "+strings.Join(r.known[:min(len(r.known), 20)], ", "),
			fmt.Sprintf("%.40q", text), "mend the line, or @classLabel in the header")
	}
	r.texts = append(r.texts, text)
	return nil
}

// oldClass writes a class of the older form, which may stand there as 1.0000000e+00, as a number is written.
func oldClass(text string, old bool) string {
	if v, what := parseCell(text); old && what == cellNumber {
		return formatNumber(v)
	}
	return text
}

// channel reads the values of a channel; "?" is a missing one.
func (r *seriesReader) channel(c int, text string) ([]float64, error) {
	fields := strings.Split(text, ",")
	if len(fields) > maxIndex {
		return nil, r.fail("", fmt.Sprintf("at most %d values", maxIndex), fmt.Sprint(len(fields)),
			"shorten the series")
	}
	v := make([]float64, len(fields))
	for i, s := range fields {
		x, what := parseCell(strings.TrimSpace(s))
		if what == cellText || what == cellNumber && math.IsInf(x, 0) {
			return nil, r.fail(fmt.Sprintf("channel %d, value %d", c+1, i+1), "a finite number or ?",
				fmt.Sprintf("%.40q", s), "mend the line")
		}
		v[i] = x
	}
	return v, nil
}

// finish pads the series to one length.
func (r *seriesReader) finish(o Options) (*signals, error) {
	s := r.signals
	s.n, s.shape = len(r.rows), []int{r.channels, r.longest}
	if r.shortest < r.longest {
		s.short = r.shortest
	}
	t := Table{Source: s.name, N: s.n, D: s.wide()}
	if err := t.allocate(o); err != nil {
		return nil, err
	}
	s.x = t.X
	for i, row := range r.rows {
		for c, v := range row {
			at := s.x[(i*r.channels+c)*r.longest:][:r.longest]
			for k := copy(at, v); k < len(at); k++ {
				at[k] = math.NaN()
			}
		}
	}
	return s, nil
}

// parts are the training and test files of one data set.
type parts struct {
	files [2]string
}

// findParts looks for the training and test files of a data set of images or series: those in a folder, or those whose
// names begin with a path.
func findParts(name string) (parts, bool) {
	info, err := os.Stat(name)
	folder := err == nil && info.IsDir()
	if err == nil && !folder {
		return parts{}, false
	}
	base := name
	if folder {
		for _, p := range [][2]string{{"train-images-idx3-ubyte", "t10k-images-idx3-ubyte"},
			{"train-images.idx3-ubyte", "t10k-images.idx3-ubyte"}} {
			if found, ok := pair(filepath.Join(name, p[0]), filepath.Join(name, p[1])); ok {
				return parts{files: found}, true
			}
		}
		base = filepath.Join(name, filepath.Base(filepath.Clean(name)))
		if only, ok := onlyPair(name); ok {
			base = only
		}
	}
	for _, ending := range []string{".ts", ".tsv", ".txt"} {
		if found, ok := pair(base+"_TRAIN"+ending, base+"_TEST"+ending); ok {
			return parts{files: found}, true
		}
	}
	return parts{}, false
}

// onlyPair is the path up to _TRAIN of the one training file of series in a folder.
func onlyPair(dir string) (string, bool) {
	all, err := filepath.Glob(filepath.Join(globSafe(dir), "*_TRAIN.t[sx]*"))
	if err != nil || len(all) != 1 {
		return "", false
	}
	base, _, _ := strings.Cut(filepath.Base(all[0]), "_TRAIN.")
	return filepath.Join(dir, base), true
}

// globSafe escapes what has a meaning in a pattern.
func globSafe(path string) string {
	return strings.NewReplacer(`[`, `\[`, `*`, `\*`, `?`, `\?`).Replace(path)
}

// pair returns both files, each gzip or not, if both are there.
func pair(train, test string) (found [2]string, ok bool) {
	for i, p := range []string{train, test} {
		for _, f := range []string{p, p + ".gz"} {
			if info, err := os.Stat(f); err == nil && info.Mode().IsRegular() {
				found[i] = f
			}
		}
	}
	return found, found[0] != "" && found[1] != ""
}

// loadParts reads training and test file as one table with the split "official".
func loadParts(ctx context.Context, name string, p parts, o Options) (*Table, error) {
	var both []*signals
	for _, path := range p.files {
		f, err := source.Read(path, o.Limits)
		if err != nil {
			return nil, err
		}
		s, err := readSignals(ctx, f, o)
		if err != nil {
			return nil, err
		}
		both = append(both, s)
	}
	t, err := tableOf(both, o)
	if err != nil {
		return nil, err
	}
	t.Name, t.Source = tableName(filepath.Clean(name)), name
	return t, nil
}
