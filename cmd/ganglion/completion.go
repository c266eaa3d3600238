package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

// The scripts ask the command itself what may follow: they hold no second list of names.
const (
	bashCompletion = `_ganglion() {
  local cur="${COMP_WORDS[COMP_CWORD]}" words=("${COMP_WORDS[@]:0:COMP_CWORD}")
  if [[ "$cur" == -* ]]; then words+=("$cur"); fi
  COMPREPLY=($(compgen -W "$("${words[@]}" --generate-bash-completion 2>/dev/null)" -- "$cur"))
}
complete -o bashdefault -o default -F _ganglion ganglion
`
	zshCompletion = `#compdef ganglion
_ganglion() {
  local -a found asked
  asked=("${(@)words[1,CURRENT-1]}")
  if [[ "${words[CURRENT]}" == -* ]]; then asked+=("${words[CURRENT]}"); fi
  found=("${(@f)$("${asked[@]}" --generate-bash-completion 2>/dev/null)}")
  if [[ -n "${found[1]}" ]]; then _describe 'values' found; else _files; fi
}
compdef _ganglion ganglion
`
)

func completionCommand() *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "prints a script that completes commands and flags", ArgsUsage: "bash|zsh|fish",
		Description: "Examples:\n  source <(ganglion completion bash)\n  ganglion completion fish > " +
			"~/.config/fish/completions/ganglion.fish",
		Action: func(c *cli.Context) error {
			shell, err := one(c, "shell: bash, zsh or fish")
			if err != nil {
				return err
			}
			switch shell {
			case "bash":
				_, err = fmt.Fprint(c.App.Writer, bashCompletion)
			case "zsh":
				_, err = fmt.Fprint(c.App.Writer, zshCompletion)
			case "fish":
				var script string
				if script, err = c.App.ToFishCompletion(); err == nil {
					_, err = fmt.Fprint(c.App.Writer, script)
				}
			default:
				return usagef("shell %q is not one of bash, zsh, fish", shell)
			}
			return err
		},
	}
}
