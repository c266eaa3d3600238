package log

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
)

// JSONLines is a Logger that writes each interval as one JSON object on a line, in one Write. The keys and their
// order are: step, steps, epoch, epochs, metric, train_loss, train_metric, valid_loss, valid_metric, lr, seconds;
// then extra, an object of the model's own values in their order, if there are any; then nonfinite, if need be: the
// keys whose value is NaN or infinite, which JSON does not have, so that they are null. What was not measured is
// null too, but not in that list.
type JSONLines struct {
	w    io.Writer
	line []byte
	bad  []string
}

// NewJSONLines returns a JSONLines that writes to w, which gets complete lines only.
func NewJSONLines(w io.Writer) *JSONLines { return &JSONLines{w: w} }

// Log writes the interval's line.
func (j *JSONLines) Log(i Interval) error {
	if err := i.check(); err != nil {
		return err
	}
	j.line, j.bad = append(j.line[:0], '{'), j.bad[:0]
	j.whole("step", int64(i.Step))
	j.whole("steps", int64(i.Steps))
	j.whole("epoch", int64(i.Epoch))
	j.whole("epochs", int64(i.Epochs))
	j.text("metric", i.Metric)
	j.number("train_loss", "train_loss", i.TrainLoss)
	j.number("train_metric", "train_metric", i.TrainMetric)
	j.number("valid_loss", "valid_loss", i.ValidLoss)
	j.number("valid_metric", "valid_metric", i.ValidMetric)
	j.number("lr", "lr", Measured(i.LR))
	j.number("seconds", "seconds", Measured(i.Seconds))
	j.extra(i.Extra)
	if len(j.bad) > 0 {
		j.key("nonfinite")
		j.quote(j.bad)
	}
	j.line = append(j.line, "}\n"...)
	if _, err := j.w.Write(j.line); err != nil {
		return fmt.Errorf("log interval of step %d: %w", i.Step, err)
	}
	return nil
}

// extra writes the object of a model's own values.
func (j *JSONLines) extra(fields []Field) {
	if len(fields) == 0 {
		return
	}
	j.key("extra")
	j.line = append(j.line, '{')
	for _, f := range fields {
		switch f.kind {
		case floatKind:
			j.number(f.Key, "extra."+f.Key, Measured(f.float))
		case wholeKind:
			j.whole(f.Key, f.whole)
		case textKind:
			j.text(f.Key, f.text)
		}
	}
	j.line = append(j.line, '}')
}

// key writes a key, after a comma if it is not the first of its object.
func (j *JSONLines) key(k string) {
	if j.line[len(j.line)-1] != '{' {
		j.line = append(j.line, ',')
	}
	j.quote(k)
	j.line = append(j.line, ':')
}

// quote writes a text or a list of texts.
func (j *JSONLines) quote(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("log: a text did not encode: " + err.Error())
	}
	j.line = append(j.line, b...)
}

func (j *JSONLines) text(k, v string) {
	j.key(k)
	j.quote(v)
}

func (j *JSONLines) whole(k string, v int64) {
	j.key(k)
	j.line = strconv.AppendInt(j.line, v, 10)
}

// number writes a number so that it reads back to the same bits; path is its name in the list of those that are not
// finite.
func (j *JSONLines) number(k, path string, n Number) {
	j.key(k)
	switch {
	case !n.Set:
		j.line = append(j.line, "null"...)
	case math.IsNaN(n.Value) || math.IsInf(n.Value, 0):
		j.line = append(j.line, "null"...)
		j.bad = append(j.bad, path)
	default:
		j.line = strconv.AppendFloat(j.line, n.Value, 'g', -1, 64)
	}
}

// Note does nothing: the file holds intervals only.
func (j *JSONLines) Note(string) error { return nil }

// Close does nothing: every line is written at once.
func (j *JSONLines) Close() error { return nil }
