package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"ganglion/models/run"
)

func checkCommand() *cli.Command {
	return &cli.Command{
		Name: "check", Usage: "runs the acceptance checks of a model's paper", ArgsUsage: "MODEL",
		Description: "Examples:\n  ganglion check module/nm\n  ganglion check --all --tier full --json",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "all", Usage: "check all models"},
			&cli.StringFlag{Name: "tier", Value: "fast", Usage: "`TIER`: fast (seconds) or full (minutes)"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "seed of the checks' data and networks"},
			jsonFlag()},
		Action: checkAction,
	}
}

func checkAction(c *cli.Context) error {
	id := ""
	if c.Bool("all") {
		if c.Args().Present() {
			return usagef("check takes a model or --all, has both")
		}
	} else {
		var err error
		if id, err = one(c, "model, or --all"); err != nil {
			return err
		}
	}
	list, failed := []run.CheckResult{}, 0
	err := run.Check(id, c.String("tier"), c.Uint64("seed"), func(r run.CheckResult) error {
		list = append(list, r)
		word := "ok"
		if !r.OK {
			failed++
			word = "FAILED"
		}
		if !c.Bool("json") {
			fmt.Fprintf(
				c.App.Writer,
				"%-6s  %s %s (%.1f s): %s\n        measured: %s; required: %s\n",
				word,
				r.Model,
				r.Check,
				r.Seconds,
				r.Claim,
				r.Measured,
				r.Required,
			)
		}
		return c.Context.Err()
	})
	if err != nil {
		return err
	}
	if c.Bool("json") {
		if err := printJSON(c, list); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d checks failed", failed, len(list))
	}
	return nil
}
