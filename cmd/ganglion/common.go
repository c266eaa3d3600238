package main

import (
	"encoding/json"
	"fmt"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"ganglion/models/run"
)

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print one JSON value as the last line of standard output"}
}

func deviceFlag() cli.Flag {
	return &cli.StringFlag{Name: "device", Value: "auto", Usage: "`DEVICE`: auto, cpu, cuda or cuda:N"}
}

// openDevice opens the device that the command asks for and says on the log what there is to say about it.
func openDevice(c *cli.Context) (*run.Device, error) {
	d, err := run.OpenDevice(c.String("device"))
	if err == nil && d.Notice != "" {
		fmt.Fprintln(c.App.ErrWriter, d.Notice)
	}
	return d, err
}

// closing closes a device when the command is done, and adds what goes wrong to how it ended.
func closing(d *run.Device, err *error) {
	switch failed := d.Close(); {
	case failed == nil:
	case *err == nil:
		*err = failed
	default:
		*err = fmt.Errorf("%w; %w", *err, failed)
	}
}

// printJSON prints v as one line.
func printJSON(c *cli.Context, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("json: %w", err)
	}
	fmt.Fprintln(c.App.Writer, string(line))
	return nil
}

// version is the module's version as the Go command recorded it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// one returns the only argument of a command.
func one(c *cli.Context, what string) (string, error) {
	if c.Args().Len() != 1 {
		return "", usagef("%s takes one %s, has %d arguments", c.Command.Name, what, c.Args().Len())
	}
	return c.Args().First(), nil
}
