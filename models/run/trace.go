package run

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"ganglion/engine"
	"ganglion/engine/checkpoint"
	"ganglion/engine/train"
)

// Bounds on what a trace holds.
const (
	traceSteps  = 20      // steps whose ops are traced one by one
	traceEvents = 200_000 // events of a file
)

// trace gathers spans for a file in Chrome's trace format, which Perfetto opens.
type trace struct {
	start  time.Time
	events []traceEvent
	steps  int
}

// traceEvent is a complete event: times in microseconds.
type traceEvent struct {
	Name     string            `json:"name"`
	Category string            `json:"cat"`
	Phase    string            `json:"ph"`
	Start    float64           `json:"ts"`
	Took     float64           `json:"dur"`
	Process  int               `json:"pid"`
	Thread   int               `json:"tid"`
	Args     map[string]string `json:"args,omitempty"`
}

func newTrace() *trace { return &trace{start: time.Now()} }

func (t *trace) add(name, category string, start time.Time, took time.Duration, args map[string]string) {
	if len(t.events) < traceEvents {
		t.events = append(
			t.events,
			traceEvent{Name: name, Category: category, Phase: "X", Start: micro(start.Sub(t.start)),
				Took: micro(took), Process: 1, Thread: 1, Args: args},
		)
	}
}

func micro(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// attach makes the hooks fill the trace.
func (t *trace) attach(h *train.Hooks) {
	h.OpSteps = traceSteps
	h.Op = func(o engine.Timing) { t.add(o.Op, "op", o.Start, o.Took, map[string]string{"path": o.Path}) }
	h.Span = func(kind string, start time.Time) {
		if kind == "step" {
			if t.steps++; t.steps > traceSteps {
				return
			}
		}
		t.add(kind, "training", start, time.Since(start), nil)
	}
}

// save writes the file, or leaves it as it was.
func (t *trace) save(path string) error {
	err := checkpoint.WriteFile(path, func(w io.Writer) error {
		return json.NewEncoder(w).Encode(map[string]any{"traceEvents": t.events, "displayTimeUnit": "ms"})
	})
	if err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	return nil
}
