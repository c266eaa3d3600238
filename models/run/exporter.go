package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"ganglion/engine/train"
)

// gauge is one number of a run as Prometheus scrapes it.
type gauge struct {
	name, help string
	value      float64
}

// exporter answers GET /metrics with the numbers of the run in Prometheus' text format (version 0.0.4).
type exporter struct {
	mu     sync.Mutex
	gauges []gauge
	server *http.Server
	addr   string
}

// gaugeNames lists the gauges in the order in which they are printed.
var gaugeNames = [...][2]string{
	{"ganglion_step", "Training steps done."}, {"ganglion_steps", "Training steps of the whole run."},
	{"ganglion_epoch", "Epochs done."}, {"ganglion_step_loss", "Loss of the last step."},
	{
		"ganglion_train_loss",
		"Mean loss over the last epoch's steps.",
	}, {"ganglion_valid_loss", "Loss on the validation part."},
	{
		"ganglion_train_metric",
		"Metric over the last epoch's steps.",
	}, {"ganglion_valid_metric", "Metric on the validation part."},
	{"ganglion_learning_rate", "Learning rate of the last step of the last epoch."},
	{"ganglion_solver_iterations", "Mean iterations of the solvers in the last epoch."},
	{
		"ganglion_solver_residual",
		"Worst residual of the last epoch.",
	}, {"ganglion_solver_failed", "Solves that missed the tolerance."},
	{"ganglion_modules", "Modules of the network."}, {"ganglion_largest_module", "Nodes of the largest module."},
	{"ganglion_skipped_steps", "Steps of the last epoch that were not applied."},
}

// newExporter listens on addr; without a host in it on this machine alone.
func newExporter(addr string) (*exporter, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, usage(fmt.Errorf("--metrics-addr %q: want HOST:PORT or :PORT", addr))
	}
	if host == "" {
		host = "127.0.0.1"
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("--metrics-addr: %w", err)
	}
	e := &exporter{addr: l.Addr().String()}
	for _, n := range gaugeNames {
		e.gauges = append(e.gauges, gauge{n[0], n[1], math.NaN()})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", e.serve)
	e.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 1 << 14}
	go func() { _ = e.server.Serve(l) }() // ends with Close
	return e, nil
}

// close ends the server.
func (e *exporter) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return errors.Join(e.server.Shutdown(ctx), e.server.Close())
}

func (e *exporter) serve(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, g := range e.gauges {
		if math.IsNaN(g.value) {
			continue // not known yet
		}
		text := fmt.Sprintf(
			"# HELP %s %s\n# TYPE %s gauge\n%s %s\n",
			g.name,
			g.help,
			g.name,
			g.name,
			prometheus(g.value),
		)
		if _, err := io.WriteString(w, text); err != nil {
			return
		}
	}
}

// prometheus writes a number as its text format has it.
func prometheus(v float64) string {
	if math.IsInf(v, 0) {
		return map[bool]string{true: "+Inf", false: "-Inf"}[v > 0]
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// set changes one gauge; the lock is held.
func (e *exporter) set(name string, v float64) {
	for i := range e.gauges {
		if e.gauges[i].name == "ganglion_"+name {
			e.gauges[i].value = v
		}
	}
}

// attach makes the hooks tell the exporter, before what they do already.
func (e *exporter) attach(h *train.Hooks) {
	step, epoch := h.Step, h.Epoch
	h.Step = func(n, total int, loss float64) error {
		e.mu.Lock()
		e.set("step", float64(n))
		e.set("steps", float64(total))
		e.set("step_loss", loss)
		e.mu.Unlock()
		if step != nil {
			return step(n, total, loss)
		}
		return nil
	}
	h.Epoch = func(r train.Epoch) error {
		e.report(r)
		return epoch(r)
	}
}

func (e *exporter) report(r train.Epoch) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.set("epoch", float64(r.Epoch))
	e.set("train_loss", r.Train.Loss)
	e.set("train_metric", r.Train.Metric)
	e.set("valid_loss", r.Valid.Loss)
	e.set("valid_metric", r.Valid.Metric)
	e.set("learning_rate", r.LR)
	e.set("skipped_steps", float64(r.Skipped))
	if r.Solver.Samples > 0 {
		e.set("solver_iterations", r.Solver.Iterations)
		e.set("solver_residual", r.Solver.Worst)
		e.set("solver_failed", float64(r.Solver.Failed))
	}
	if r.Structure.Nodes > 0 {
		e.set("modules", float64(r.Structure.Modules))
		e.set("largest_module", float64(r.Structure.Largest))
	}
}
