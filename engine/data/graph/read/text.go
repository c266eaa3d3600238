package read

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"ganglion/engine/data/graph"
	"ganglion/engine/data/source"
)

// lines reads a text file line by line, without blank lines.
type lines struct {
	file string
	rest []byte
	line int
	text []byte   // the line, without white space around it
	buf  [][]byte // of fields
}

// openText begins to read a file that must hold text.
func openText(f *source.File) (*lines, error) {
	b := bytes.TrimPrefix(f.Data, []byte("\xef\xbb\xbf"))
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return nil, &graph.Error{File: f.Name, Byte: int64(i), Want: "text", Got: "a byte that is zero",
			Remedy: "check that the file is the right one, and UTF-8"}
	}
	return &lines{file: f.Name, rest: b}, nil
}

// next goes to the next line that is not blank; false at the end.
func (l *lines) next() bool {
	for len(l.rest) > 0 {
		line, rest, _ := bytes.Cut(l.rest, []byte("\n"))
		l.rest = rest
		l.line++
		if l.text = bytes.TrimSpace(line); len(l.text) > 0 {
			return true
		}
	}
	return false
}

// bad is an error about the line at hand.
func (l *lines) bad(want, got, remedy string) error {
	return &graph.Error{File: l.file, Line: l.line, Want: want, Got: got, Remedy: remedy}
}

// need goes to the next line, which must be there.
func (l *lines) need(what string) error {
	if l.next() {
		return nil
	}
	return &graph.Error{File: l.file, Line: l.line, Want: what, Got: "the end of the file",
		Remedy: "the file is cut off: fetch it again"}
}

// mend is what to do about a line that is wrong.
func (l *lines) mend() string { return fmt.Sprintf("mend line %d", l.line) }

// fields divides the line at a separator, or at white space if it is 0. The slice is overwritten by the next call.
func (l *lines) fields(sep byte) [][]byte {
	l.buf = l.buf[:0]
	rest := l.text
	for {
		var i int
		if sep == 0 {
			rest = bytes.TrimLeft(rest, " \t")
			i = bytes.IndexAny(rest, " \t")
		} else {
			i = bytes.IndexByte(rest, sep)
		}
		if i < 0 {
			break
		}
		l.buf = append(l.buf, bytes.TrimSpace(rest[:i]))
		rest = rest[i+1:]
	}
	if sep != 0 || len(rest) > 0 {
		l.buf = append(l.buf, bytes.TrimSpace(rest))
	}
	return l.buf
}

// integer reads a whole number from lo to hi; what names it in the error.
func (l *lines) integer(field []byte, what string, lo, hi int64) (int64, error) {
	v, err := strconv.ParseInt(string(field), 10, 64)
	if err != nil {
		f, ferr := strconv.ParseFloat(string(field), 64) // some programs write 3.0
		if ferr != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			return 0, l.bad("a whole number as "+what, quote(field), l.mend())
		}
		v = int64(f)
	}
	if v < lo || v > hi {
		return 0, l.bad(fmt.Sprintf("%s from %d to %d", what, lo, hi), strconv.FormatInt(v, 10), l.mend())
	}
	return v, nil
}

// number reads a finite number.
func (l *lines) number(field []byte, what string) (float32, error) {
	v, err := strconv.ParseFloat(string(field), 32)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, l.bad("a finite number as "+what, quote(field), l.mend())
	}
	return float32(v), nil
}

// separator guesses what divides the fields of the first lines: a tab, a comma, a semicolon or, 0, white space.
func separator(b []byte) byte {
	head := b[:min(len(b), 4096)]
	for _, sep := range []byte("\t,;") {
		line, _, _ := bytes.Cut(head, []byte("\n"))
		if bytes.IndexByte(line, sep) >= 0 {
			return sep
		}
	}
	return 0
}

func quote(b []byte) string {
	if !utf8.Valid(b) {
		return "bytes that are no UTF-8"
	}
	return fmt.Sprintf("%.40q", b)
}

// baseName is a file's name without folder and endings.
func baseName(path string) string {
	path = strings.ReplaceAll(path, "\\", "/")
	path = path[strings.LastIndexByte(path, '/')+1:]
	for _, end := range []string{".gz", ".npz", ".txt", ".csv", ".tsv", ".mtx", ".json"} {
		path = strings.TrimSuffix(path, end)
	}
	return path
}
