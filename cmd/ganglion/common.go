package main

import (
	"encoding/json"
	"fmt"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print one JSON value as the last line of standard output"}
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
