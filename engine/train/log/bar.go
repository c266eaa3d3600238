package log

import (
	"io"
	"strings"

	"github.com/schollz/progressbar/v3"
)

const (
	barCells     = 20              // of the bar itself
	barFrame     = len("100% || ") // what stands around it
	defaultWidth = 80              // of a terminal that does not tell
	green        = "\x1b[32m"      // the bar's colour
	plainColor   = "\x1b[0m"       // and back
	clearLine    = "\x1b[2K\r"     // of what is on it
)

// BarOptions is how a Bar looks.
type BarOptions struct {
	Width int  // columns of the terminal; 0 means 80
	Color bool // colour the bar
}

// Bar is a Logger for a terminal: one line that is drawn over itself, with a bar, the last interval and the time
// that remains.
type Bar struct {
	w     errWriter
	o     BarOptions
	bar   *progressbar.ProgressBar
	drawn bool // the cursor stands behind the bar
	eta   remaining
}

// errWriter keeps the first error of a writer, and hides what else the writer can do.
type errWriter struct {
	w   io.Writer
	err error
}

func (e *errWriter) Write(b []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	var n int
	n, e.err = e.w.Write(b)
	return n, e.err
}

// NewBar returns a Bar that draws on w.
func NewBar(w io.Writer, o BarOptions) *Bar {
	if o.Width <= 0 {
		o.Width = defaultWidth
	}
	return &Bar{w: errWriter{w: w}, o: o}
}

// Log draws the bar at the interval's step, with the time that remains in front. What does not fit into the line is
// cut off.
func (b *Bar) Log(i Interval) error {
	if err := i.check(); err != nil {
		return err
	}
	total := int64(max(i.Steps, i.Step, 1))
	if b.bar == nil {
		b.bar = b.newBar(total)
	} else if b.bar.GetMax64() != total {
		b.bar.ChangeMax64(total)
	}
	parts := status(i)
	if eta := b.eta.after(i); eta != "" {
		parts = append([]string{"eta " + eta}, parts...)
	}
	b.bar.Describe(b.fit(strings.Join(parts, "  ")))
	if err := b.bar.Set64(int64(i.Step)); err != nil {
		return err
	}
	b.drawn = true
	return b.w.err
}

// newBar returns a bar of so many steps.
func (b *Bar) newBar(total int64) *progressbar.ProgressBar {
	theme := progressbar.Theme{Saucer: "█", SaucerPadding: " ", BarStart: "|", BarEnd: "|"}
	if b.o.Color {
		theme.BarStart, theme.BarEnd = "|"+green, plainColor+"|"
	}
	return progressbar.NewOptions64(total, progressbar.OptionSetWriter(&b.w), progressbar.OptionSetTheme(theme),
		progressbar.OptionSetWidth(b.cells()), progressbar.OptionUseANSICodes(true),
		progressbar.OptionSetPredictTime(false), progressbar.OptionShowDescriptionAtLineEnd())
}

// cells is the width of the bar itself: less on a narrow terminal.
func (b *Bar) cells() int { return max(1, min(barCells, b.o.Width/4)) }

// fit cuts text to what is left of the line.
func (b *Bar) fit(text string) string {
	room := max(0, b.o.Width-b.cells()-barFrame-3) // two spaces of the library's, and the last column
	if runes := []rune(text); len(runes) > room {
		return string(runes[:room])
	}
	return text
}

// Note writes the text above the bar.
func (b *Bar) Note(text string) error {
	if b.drawn {
		text = clearLine + oneLine(text)
	} else {
		text = oneLine(text)
	}
	if _, err := io.WriteString(&b.w, text+"\n"); err != nil {
		return err
	}
	if b.drawn && !b.bar.IsFinished() {
		return b.bar.RenderBlank()
	}
	b.drawn = false
	return b.w.err
}

// Close leaves the bar as it is and goes to the next line.
func (b *Bar) Close() error {
	if b.drawn {
		b.drawn = false
		_, err := io.WriteString(&b.w, "\n")
		return err
	}
	return b.w.err
}
