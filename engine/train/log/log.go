// Package log shows and records how a run goes: one Interval at a time, to a progress bar, to plain lines, to JSON
// lines, or to several of these. Logs belong on standard error; results, which are not logged here, on standard
// output.
package log

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"unicode/utf8"

	"github.com/mattn/go-isatty"
	"golang.org/x/term"
)

// Number is a measured value, or none: the zero value means that it was not measured at this interval.
type Number struct {
	Value float64
	Set   bool
}

// Measured returns a Number for a value, which may be NaN or infinite.
func Measured(v float64) Number { return Number{v, true} }

// Interval is what there is to say after some steps.
type Interval struct {
	Step, Steps   int     // steps done, and of the whole run (0: unknown)
	Epoch, Epochs int     // epochs done or under way, and of the whole run (0: unknown)
	Metric        string  // name of the metrics below, such as accuracy; may be empty if there are none
	TrainLoss     Number  // on the training part, as are the next
	TrainMetric   Number  //
	ValidLoss     Number  // on the validation part
	ValidMetric   Number  //
	LR            float64 // learning rate of the last step
	Seconds       float64 // time spent training so far
	Extra         []Field // the model's own, in the order in which it gives them; keys differ
}

// Field is one of a model's own values: a float, an integer or a text.
type Field struct {
	Key   string
	kind  kind
	float float64
	whole int64
	text  string
}

type kind int

const (
	floatKind kind = iota
	wholeKind
	textKind
)

// Float returns a field with a float value, which may be NaN or infinite.
func Float(key string, v float64) Field { return Field{Key: key, float: v} }

// Int returns a field with an integer value.
func Int(key string, v int64) Field { return Field{Key: key, kind: wholeKind, whole: v} }

// Text returns a field with a text.
func Text(key, v string) Field { return Field{Key: key, kind: textKind, text: v} }

// check says whether an interval can be logged.
func (i *Interval) check() error {
	if i.Step < 0 || i.Steps < 0 || i.Epoch < 0 || i.Epochs < 0 {
		return fmt.Errorf("log: step %d of %d, epoch %d of %d: none may be negative", i.Step, i.Steps, i.Epoch,
			i.Epochs)
	}
	if !utf8.ValidString(i.Metric) {
		return fmt.Errorf("log: metric %q is not UTF-8", i.Metric)
	}
	for n, f := range i.Extra {
		if f.Key == "" || !utf8.ValidString(f.Key) || !utf8.ValidString(f.text) {
			return fmt.Errorf("log: field %q: the key is empty, or key or text %q is not UTF-8", f.Key, f.text)
		}
		if slices.ContainsFunc(i.Extra[:n], func(g Field) bool { return g.Key == f.Key }) {
			return fmt.Errorf("log: field %q appears twice", f.Key)
		}
	}
	return nil
}

// Logger takes intervals in the order of their steps. It is not for concurrent use.
type Logger interface {
	// Log shows or records an interval; it does not keep it.
	Log(Interval) error
	// Note shows one line of text, such as a warning, without spoiling what is on the screen.
	Note(text string) error
	// Close ends the log; it does not close the writer.
	Close() error
}

// Quiet is a Logger that shows nothing.
type Quiet struct{}

// Log checks the interval.
func (Quiet) Log(i Interval) error { return i.check() }

// Note does nothing.
func (Quiet) Note(string) error { return nil }

// Close does nothing.
func (Quiet) Close() error { return nil }

// multi is several loggers.
type multi []Logger

// Multi returns a Logger that passes everything to each of several, even if one of them fails.
func Multi(loggers ...Logger) Logger { return multi(slices.Clone(loggers)) }

func (m multi) each(f func(Logger) error) error {
	var errs []error
	for _, l := range m {
		errs = append(errs, f(l))
	}
	return errors.Join(errs...)
}

func (m multi) Log(i Interval) error { return m.each(func(l Logger) error { return l.Log(i) }) }

func (m multi) Note(text string) error { return m.each(func(l Logger) error { return l.Note(text) }) }

func (m multi) Close() error { return m.each(Logger.Close) }

// ForFile returns the Logger that suits a file, normally standard error: none if quiet, a progress bar on a
// terminal, else plain lines. The bar has colour unless the environment variable NO_COLOR is set to something.
func ForFile(f *os.File, quiet bool) Logger {
	terminal := isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd())
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 0
	}
	return choose(f, quiet, terminal, width, os.Getenv)
}

// choose is ForFile for any writer and environment.
func choose(w io.Writer, quiet, terminal bool, width int, getenv func(string) string) Logger {
	switch {
	case quiet:
		return Quiet{}
	case terminal && getenv("TERM") != "dumb":
		return NewBar(w, BarOptions{Width: width, Color: getenv("NO_COLOR") == ""})
	}
	return NewPlain(w)
}
