// Command gen writes the assembly kernels of package lane and their Go declarations.
//
//	go run . [-out DIR]   write the files to DIR (default ..)
//	go run . -check       compare them with the files there; exit 1 and name those that differ
//
// Every kernel is written once and generated for two vector widths, two element types and two numbers of lanes. This
// module is separate from ganglion, so that nobody needs the generator to build it.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

// upper matches the registers that need AVX-512.
var upper = regexp.MustCompile(`\b([XY](1[6-9]|2\d|3[01])|Z\d+|K[0-7])\b`)

// group is the number of lanes of the kernels of the LU factorisation.
const group = 16

func main() {
	flags := flag.NewFlagSet("gen", flag.ExitOnError) // avo has flags of its own in the default set
	out := flags.String("out", "..", "directory of the package")
	check := flags.Bool("check", false, "compare instead of writing")
	err := flags.Parse(os.Args[1:])
	for _, bits := range []int{256, 512} {
		if err == nil {
			err = run(*out, bits, *check)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(out string, bits int, check bool) error {
	asm, stubs, err := generate(bits)
	if err != nil {
		return err
	}
	name := filepath.Join(out, map[int]string{256: "avx2", 512: "avx512"}[bits])
	for _, f := range []struct {
		name string
		text []byte
	}{{name + "_amd64.s", asm}, {name + "_stubs_amd64.go", stubs}} {
		if !check {
			if err := os.WriteFile(f.name, f.text, 0o644); err != nil {
				return err
			}
			continue
		}
		have, err := os.ReadFile(f.name)
		if err != nil {
			return err
		}
		if !bytes.Equal(have, f.text) {
			return fmt.Errorf("stale: %s: run go run . in kernels/implicit/lane/_gen", f.name)
		}
	}
	return nil
}

// generate returns the assembly and the declarations for one vector width.
func generate(bits int) (asm, stubs []byte, err error) {
	c := build.NewContext()
	c.ConstraintExpr("!noasm")
	for _, elem := range []int{4, 8} {
		for _, lanes := range []int{16, 32} {
			k := kernel{Context: c, bits: bits, elem: elem, lanes: lanes}
			k.rows()
			k.dense()
			k.extent()
			k.step()
			k.dots()
			k.squares()
		}
		k := kernel{Context: c, bits: bits, elem: elem, lanes: group}
		k.fmaRows()
		k.columns()
		k.pivots()
		k.eliminate()
		k.eliminate4()
		k.weights()
	}
	file, err := c.Result()
	if err != nil {
		return nil, nil, err
	}
	if err := pass.Compile.Execute(file); err != nil {
		return nil, nil, err
	}
	config := printer.Config{Name: "kernels/implicit/lane/_gen", Pkg: "lane"}
	if asm, err = printer.NewGoAsm(config).Print(file); err != nil {
		return nil, nil, err
	}
	if r := upper.Find(asm); bits == 256 && r != nil {
		return nil, nil, fmt.Errorf("the AVX2 kernels use %s, which only AVX-512 has", r)
	}
	stubs, err = printer.NewStubs(config).Print(file)
	return asm, stubs, err
}
