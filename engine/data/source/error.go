// Package source reads files as what they are until proven otherwise: hostile. It opens plain and gzip files and .npz
// archives under caps on size, line length, entries and compression ratio, allocates nothing before a size has been
// checked, and says where a file is wrong by its Error.
package source

import (
	"fmt"
	"strings"
)

// Error says that a file is not what was wanted, where, and what to do about it. The command ends with exit code 4 on
// it.
type Error struct {
	File   string // the file, as the user named it, or the data set
	Line   int    // line in a text file, from 1; 0 if there is none
	Byte   int64  // offset in the file; 0 if it is the first byte or there is none
	Column string // column of a table or array of an archive; empty if there is none
	Want   string // what was expected
	Got    string // what was found
	Remedy string // what to do next
	Err    error  // the cause, if another error was
}

// Error reads like: penguins.csv:17: column "year": want a number, got "abc"; mend line 17 or leave the column out.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Byte > 0 {
		fmt.Fprintf(&b, ": byte %d", e.Byte)
	}
	if e.Column != "" {
		fmt.Fprintf(&b, ": column %q", e.Column)
	}
	sep := ": "
	if e.Want != "" {
		b.WriteString(sep + "want " + e.Want)
		sep = ", "
	}
	if e.Got != "" {
		b.WriteString(sep + "got " + e.Got)
		sep = ": "
	}
	if e.Err != nil {
		b.WriteString(sep + e.Err.Error())
	}
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
