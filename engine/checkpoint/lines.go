package checkpoint

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxLine is the longest line of metrics that is read back.
const maxLine = 1 << 20

// lines is a file of JSON lines that is appended to.
type lines struct {
	f      *os.File
	name   string
	size   int64
	broken error // a write that failed and left a torn line which could not be cut off
}

// openLines opens or makes the file. A torn last line is cut off; the warning says so.
func openLines(name string) (l *lines, warning string, err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, "", err
	}
	l = &lines{f: f, name: name}
	whole, size, err := wholeLines(f)
	if err == nil && whole < size {
		warning = fmt.Sprintf("%s: the last line was torn: %d bytes of it are dropped", name, size-whole)
		err = f.Truncate(whole)
	}
	if err != nil {
		return nil, "", errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	l.size = whole
	return l, warning, nil
}

// wholeLines returns the offset after the last newline, and the size.
func wholeLines(f *os.File) (whole, size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	block := make([]byte, 1<<16)
	for end := info.Size(); end > 0; {
		part := block[:min(end, int64(len(block)))]
		end -= int64(len(part))
		if _, err := f.ReadAt(part, end); err != nil {
			return 0, 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return end + int64(i) + 1, info.Size(), nil
		}
	}
	return 0, info.Size(), nil
}

// Write appends complete lines. If that fails the file is as before.
func (l *lines) Write(b []byte) (int, error) {
	if l.broken != nil {
		return 0, l.broken
	}
	if len(b) == 0 || b[len(b)-1] != '\n' {
		return 0, fmt.Errorf("%s: only complete lines are written, not %.60q", l.name, b)
	}
	n, err := l.f.Write(b)
	if err == nil {
		l.size += int64(n)
		return n, nil
	}
	if cut := l.f.Truncate(l.size); cut != nil {
		l.broken = fmt.Errorf("%s: its last line is torn: %w", l.name, errors.Join(err, cut))
	}
	return 0, err
}

// rewind drops the lines of steps after step, and damaged lines at the end. Damaged lines in between are an error,
// as are steps out of order.
func (l *lines) rewind(step int) (warning string, err error) {
	keep, warning, err := firstAfter(io.NewSectionReader(l.f, 0, l.size), step)
	if err != nil {
		return "", fmt.Errorf("%s: %w: repair that line or move the file away", l.name, err)
	}
	if warning != "" {
		warning = l.name + ": " + warning
	}
	if keep == l.size {
		return warning, nil
	}
	if err := l.f.Truncate(keep); err != nil {
		return warning, err
	}
	l.size = keep
	return warning, l.f.Sync()
}

// firstAfter returns the offset of the first line that is damaged or whose step is after the given one.
func firstAfter(r io.Reader, step int) (keep int64, warning string, err error) {
	b := bufio.NewReaderSize(r, maxLine)
	at, keep, last, bad := int64(0), int64(-1), -1, 0
	for n := 1; ; n++ {
		text, err := b.ReadSlice('\n')
		if err == io.EOF {
			break
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			err = fmt.Errorf("longer than %d bytes", maxLine)
		}
		if err != nil {
			return 0, "", fmt.Errorf("line %d: %w", n, err)
		}
		var line struct{ Step *int }
		ok := json.Unmarshal(text, &line) == nil && line.Step != nil
		switch {
		case ok && bad > 0:
			return 0, "", fmt.Errorf("line %d is damaged, but line %d is not", bad, n)
		case ok && *line.Step < last:
			return 0, "", fmt.Errorf("line %d: step %d follows step %d", n, *line.Step, last)
		case ok:
			last = *line.Step
		case bad == 0:
			bad = n
		}
		if keep < 0 && (!ok || *line.Step > step) {
			keep = at
			if !ok {
				warning = fmt.Sprintf("line %d and what follows is damaged and dropped", n)
			}
		}
		at += int64(len(text))
	}
	if keep < 0 {
		keep = at
	}
	return keep, warning, nil
}
