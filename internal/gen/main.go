// Command gen writes the lists that are made from the source: the operators of each family (ops_gen.go), the systems
// of the zoo (models/all_gen.go) and the table of operators (docs/ops.md).
//
// Usage, from the root of the module:
//
//	go run ./internal/gen          writes what is out of date
//	go run ./internal/gen -check   fails if anything is out of date
package main

import (
	"flag"
	"fmt"
	"os"

	"ganglion/internal/gen/source"
)

func main() {
	check := flag.Bool("check", false, "write nothing; exit with 1 if a generated file is out of date")
	root := flag.String("root", ".", "folder of the module")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "gen: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	run, verb := source.Write, "updated: "
	if *check {
		run = func(root string) ([]string, error) { return source.Stale(os.DirFS(root)) }
		verb = ""
	}
	changes, err := run(*root)
	for _, c := range changes {
		fmt.Println(verb + c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if *check && len(changes) > 0 {
		fmt.Fprintln(os.Stderr, "gen: run: go run ./internal/gen")
		os.Exit(1)
	}
}
