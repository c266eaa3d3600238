package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// completing is the last argument of a command line that the shell wants completed.
const completing = "--generate-bash-completion"

// flagsFirst moves a command's flags before its arguments, since the flag parser stops at the first argument and people
// write "train MODEL --data FILE" as well as the other way round. What stands behind "--" is an argument.
func flagsFirst(args []string, commands []*cli.Command) []string {
	head := 1 // program and command names
	var flags []cli.Flag
	for head < len(args) {
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(args[head]) })
		if i < 0 {
			break
		}
		flags, commands = commands[i].Flags, commands[i].Subcommands
		head++
	}
	if head == 1 || head >= len(args) || args[len(args)-1] == completing {
		return args
	}
	var moved, rest []string
	for i := head; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			rest = append(append([]string{a}, rest...), args[i+1:]...)
			break
		}
		if len(a) < 2 || a[0] != '-' {
			rest = append(rest, a)
			continue
		}
		moved = append(moved, a)
		if !strings.Contains(a, "=") && takesValue(flags, strings.TrimLeft(a, "-")) && i+1 < len(args) {
			i++
			moved = append(moved, args[i])
		}
	}
	return slices.Concat(args[:head], moved, rest)
}

// takesValue says whether a flag of that name is followed by its value.
func takesValue(flags []cli.Flag, name string) bool {
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			_, truth := f.(*cli.BoolFlag)
			return !truth
		}
	}
	return false
}
