package log

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Plain is a Logger that writes one line for each interval and note.
type Plain struct {
	w   io.Writer
	eta remaining
}

// NewPlain returns a Plain that writes to w.
func NewPlain(w io.Writer) *Plain { return &Plain{w: w} }

// Log writes a line such as: step 400/4200  epoch 3/30  loss 0.3121  valid loss 0.35  accuracy 0.91  lr 0.003  12s
// eta 1m55s.
func (p *Plain) Log(i Interval) error {
	if err := i.check(); err != nil {
		return err
	}
	parts := append([]string{"step " + of(i.Step, i.Steps)}, status(i)...)
	if eta := p.eta.after(i); eta != "" {
		parts = append(parts, "eta "+eta)
	}
	_, err := io.WriteString(p.w, strings.Join(parts, "  ")+"\n")
	return err
}

// Note writes the text as a line.
func (p *Plain) Note(text string) error {
	_, err := io.WriteString(p.w, oneLine(text)+"\n")
	return err
}

// Close does nothing: every line is written at once.
func (p *Plain) Close() error { return nil }

// status lists what is known of an interval, but the step, in words.
func status(i Interval) []string {
	var parts []string
	add := func(label string, n Number) {
		if n.Set {
			parts = append(parts, label+" "+short(n.Value))
		}
	}
	metric := oneLine(i.Metric)
	if metric == "" {
		metric = "metric"
	}
	if i.Epochs > 0 || i.Epoch > 0 {
		parts = append(parts, "epoch "+of(i.Epoch, i.Epochs))
	}
	add("loss", i.TrainLoss)
	add(metric, i.TrainMetric)
	add("valid loss", i.ValidLoss)
	add("valid "+metric, i.ValidMetric)
	for _, f := range i.Extra {
		parts = append(parts, oneLine(f.Key)+" "+f.String())
	}
	return append(parts, "lr "+short(i.LR), clock(i.Seconds))
}

// String prints a field's value on one line.
func (f Field) String() string {
	switch f.kind {
	case wholeKind:
		return strconv.FormatInt(f.whole, 10)
	case textKind:
		return oneLine(f.text)
	}
	return short(f.float)
}

// of prints a count, with its total if that is known.
func of(n, total int) string {
	if total == 0 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d/%d", n, total)
}

// short prints a number with four digits.
func short(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// oneLine returns s if it is safe to print on a line of a terminal, and a quoted form of it if not.
func oneLine(s string) string {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// clock prints a time in seconds.
func clock(seconds float64) string {
	if !(math.Abs(seconds) < 1e9) {
		return short(seconds) + "s"
	}
	d := time.Duration(seconds * float64(time.Second))
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// remaining predicts how long a run still takes: from its pace since the first interval that was logged, which for
// a resumed run is not the start; and at that first interval from its pace so far.
type remaining struct {
	started bool
	step    int
	seconds float64
}

// after returns the prediction, empty if there is none.
func (r *remaining) after(i Interval) string {
	step, seconds := i.Step-r.step, i.Seconds-r.seconds
	if !r.started {
		*r = remaining{true, i.Step, i.Seconds}
	}
	if i.Steps <= i.Step || step <= 0 || !(seconds > 0) {
		return ""
	}
	return clock(seconds / float64(step) * float64(i.Steps-i.Step))
}
