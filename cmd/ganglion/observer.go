package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"ganglion/engine/train"
)

// observer shows how a run goes on.
type observer struct {
	out   io.Writer
	quiet bool
}

func newObserver(c *cli.Context) *observer {
	return &observer{out: c.App.ErrWriter, quiet: c.Bool("quiet")}
}

func (o *observer) Start(done, total int)              {}
func (o *observer) Step(step, total int, loss float64) {}
func (o *observer) Note(text string) {
	if !o.quiet {
		fmt.Fprintln(o.out, text)
	}
}
func (o *observer) Warn(text string) { fmt.Fprintln(o.out, "warning: "+text) }
func (o *observer) Epoch(e train.Epoch, metric string) {
	if !o.quiet {
		fmt.Fprintf(o.out, "epoch %d/%d loss %.4f\n", e.Epoch, e.Of, e.Valid.Loss)
	}
}
func (o *observer) end() {}
