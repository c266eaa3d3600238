package data

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"ganglion/engine/data/source"
)

// Caps of text files: bytes in a line, columns in a table, lines looked at to guess the format.
const (
	maxLine    = 4 << 20
	maxColumns = 1 << 17
	sniffLines = 20
)

// checkText returns the text without a byte order mark and with \n between lines, or an *Error if it is not text at
// all, empty, or has a line beyond the cap.
func checkText(f *source.File) ([]byte, error) {
	b := f.Data
	if bytes.HasPrefix(b, []byte{0xff, 0xfe}) || bytes.HasPrefix(b, []byte{0xfe, 0xff}) {
		return nil, &Error{File: f.Name, Want: "UTF-8 text", Got: "UTF-16", Remedy: "save it as UTF-8"}
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return nil, &Error{File: f.Name, Byte: int64(i), Want: "text", Got: "a byte that is zero", Remedy: readable}
	}
	if len(bytes.TrimSpace(b)) == 0 {
		return nil, &Error{File: f.Name, Want: "a table", Got: "an empty file",
			Remedy: "check that the file is the right one"}
	}
	if bytes.IndexByte(b, '\n') < 0 {
		b = bytes.ReplaceAll(b, []byte("\r"), []byte("\n"))
	}
	line := 0
	for rest := b; len(rest) > 0; {
		line++
		end := bytes.IndexByte(rest, '\n') + 1
		if end == 0 {
			end = len(rest)
		}
		if end > maxLine {
			return nil, &Error{File: f.Name, Line: line, Want: fmt.Sprintf("lines of at most %d bytes", maxLine),
				Got: fmt.Sprintf("%d", end), Remedy: readable}
		}
		rest = rest[end:]
	}
	return b, nil
}

const readable = "tables are read from CSV, TSV, libsvm and .npz files"

// layout is how the records of a text table are divided.
type layout struct {
	comma rune // the delimiter; 0 is any run of spaces and tabs
	skip  int  // records to leave out at the beginning
}

// delimiter guesses what stands between the fields from the first records: a tab, a semicolon or a comma if every one
// of them has it equally often (outside quotes), in this order, because text between tabs may well contain commas and
// hardly the other way round; else the one that is there at all, so that the ragged line is reported; else white
// space.
func delimiter(b []byte) rune {
	candidates := []rune{'\t', ';', ','}
	counts := countDelimiters(b, candidates)
	for c, comma := range candidates {
		same := counts[0][c] > 0
		for _, n := range counts {
			same = same && n[c] == counts[0][c]
		}
		if same {
			return comma
		}
	}
	for c, comma := range candidates {
		with := 0
		for _, n := range counts {
			with += min(n[c], 1)
		}
		if 2*with > len(counts) {
			return comma
		}
	}
	return 0
}

// countDelimiters counts each candidate in each of the first records that are not blank, outside quotes.
func countDelimiters(b []byte, candidates []rune) [][3]int {
	var counts [][3]int
	var now [3]int
	quoted, blank := false, true
	for i := 0; i <= len(b) && len(counts) < sniffLines; i++ {
		if i == len(b) || b[i] == '\n' && !quoted {
			if !blank {
				counts = append(counts, now)
			}
			now, blank = [3]int{}, true
			continue
		}
		switch c := b[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		default:
			for k, d := range candidates {
				if rune(c) == d {
					now[k]++
				}
			}
		}
		blank = blank && (b[i] == ' ' || b[i] == '\r')
	}
	return counts
}

// records reads a text table record by record, each with the number of its first line.
type records struct {
	file string
	csv  *csv.Reader // nil if white space divides the fields
	rest []byte
	line int
	buf  []string
}

func newRecords(file string, text []byte, l layout) (*records, error) {
	r := &records{file: file, rest: text}
	if l.comma != 0 {
		r.csv = csv.NewReader(bytes.NewReader(text))
		r.csv.Comma = l.comma
		r.csv.FieldsPerRecord = -1
		r.csv.ReuseRecord = true
		r.csv.TrimLeadingSpace = l.comma != '\t'
	}
	for range l.skip {
		if _, _, err := r.next(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// next returns the fields of the next record that is not blank, trimmed, and its line; io.EOF at the end. The slice
// is overwritten by the next call.
func (r *records) next() ([]string, int, error) {
	var fields []string
	if r.csv == nil {
		fields = r.nextWords()
		if fields == nil {
			return nil, 0, io.EOF
		}
	} else {
		var err error
		for blank := true; blank; blank = len(fields) == 1 && strings.TrimSpace(fields[0]) == "" {
			if fields, err = r.csv.Read(); errors.Is(err, io.EOF) {
				return nil, 0, io.EOF
			} else if err != nil {
				return nil, 0, r.quoteError(err)
			}
		}
		r.line, _ = r.csv.FieldPos(0)
	}
	if len(fields) > maxColumns {
		return nil, 0, &Error{File: r.file, Line: r.line, Want: fmt.Sprintf("at most %d columns", maxColumns),
			Got: fmt.Sprintf("%d", len(fields)), Remedy: readable}
	}
	for i, s := range fields {
		fields[i] = strings.TrimSpace(s)
		if !utf8.ValidString(fields[i]) {
			return nil, 0, &Error{File: r.file, Line: r.line, Want: "UTF-8 text", Got: fmt.Sprintf("%.20q", fields[i]),
				Remedy: "save the file as UTF-8"}
		}
	}
	return fields, r.line, nil
}

// nextWords divides the next line that is not blank at white space; nil at the end.
func (r *records) nextWords() []string {
	for len(r.rest) > 0 {
		line, rest, _ := bytes.Cut(r.rest, []byte("\n"))
		r.rest = rest
		r.line++
		r.buf = append(r.buf[:0], strings.Fields(string(line))...)
		if len(r.buf) > 0 {
			return r.buf
		}
	}
	return nil
}

func (r *records) quoteError(err error) error {
	e := &Error{File: r.file, Err: err, Remedy: "write a quote inside a quoted field twice"}
	var p *csv.ParseError
	if errors.As(err, &p) {
		e.Line, e.Err = p.Line, p.Err
	}
	return e
}
