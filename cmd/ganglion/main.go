// Command ganglion trains, evaluates and inspects networks that are not stacks of dense layers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/urfave/cli/v2"

	"ganglion/cuda"
	"ganglion/engine/data"
	"ganglion/models/run"
)

// The exit codes.
const (
	exitOK          = 0
	exitFailed      = 1  // the run failed
	exitUsage       = 2  // unknown command, flag, model or key; bad value
	exitDevice      = 3  // the requested device is not available
	exitData        = 4  // a data file is missing, damaged or unfit
	exitMemory      = 5  // out of the memory budget, or of the device's memory
	exitInterrupted = 75 // interrupted after a save: run the same command with --resume
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), signals()...)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(execute(ctx, os.Args, os.Stdout, os.Stderr))
}

// execute runs one command line and returns the exit code. Results go to out, logs and errors to log.
func execute(ctx context.Context, args []string, out, log io.Writer) int {
	app := &cli.App{
		Name: "ganglion", Usage: "trains networks on general graphs: neural modules and their relatives",
		Version: version(), Writer: out, ErrWriter: log,
		HideHelpCommand: true, EnableBashCompletion: true, Suggest: true,
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   onUsage,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("unknown command %q; ganglion --help lists the commands", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
		Commands: []*cli.Command{
			trainCommand(),
			evalCommand(),
			predictCommand(),
			modelsCommand(),
			dataCommand(),
			inspectCommand(),
			checkCommand(),
			planCommand(),
			benchCommand(),
			doctorCommand(),
			completionCommand(),
		},
	}
	for _, c := range app.Commands {
		c.OnUsageError = onUsage
		for _, sub := range c.Subcommands {
			sub.OnUsageError = onUsage
		}
	}
	err := app.RunContext(ctx, flagsFirst(args, app.Commands))
	if err != nil {
		fmt.Fprintf(log, "ganglion: %v\n", err)
	}
	return exitCode(err)
}

func onUsage(_ *cli.Context, err error, _ bool) error { return &run.UsageError{Err: err} }

func usagef(format string, args ...any) error {
	return &run.UsageError{Err: fmt.Errorf(format, args...)}
}

// exitCode says how a command ended.
func exitCode(err error) int {
	var usage *run.UsageError
	var bad *data.Error
	var device *run.DeviceError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &device):
		return exitDevice
	case errors.As(err, &bad):
		return exitData
	case errors.Is(err, run.ErrMemory), errors.Is(err, cuda.ErrMemory):
		return exitMemory
	case errors.Is(err, run.ErrInterrupted):
		return exitInterrupted
	}
	return exitFailed
}
