package main

import (
	"os"

	"github.com/urfave/cli/v2"

	"ganglion/engine/train/log"
)

// logger shows a run's progress on standard error: a bar on a terminal, plain lines elsewhere, nothing with --quiet.
func logger(c *cli.Context) log.Logger {
	if f, ok := c.App.ErrWriter.(*os.File); ok {
		return log.ForFile(f, c.Bool("quiet"))
	}
	if c.Bool("quiet") {
		return log.Quiet{}
	}
	return log.NewPlain(c.App.ErrWriter)
}
