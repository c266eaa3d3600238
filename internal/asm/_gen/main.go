// Command gen writes the assembly kernels of internal/asm and their Go declarations.
//
//	go run . [-out DIR]   write the files below DIR (default ..)
//	go run . -check       compare them with the files there; exit 1 and name those that differ
//
// Every kernel is written once and generated for several vector widths and element types. This module is separate from
// ganglion, so that nobody needs the generator to build it.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

// unit is one assembly file with its declarations.
type unit struct {
	pkg, name string
	write     func(c *build.Context)
}

// units lists everything that is generated.
func units() []unit {
	return []unit{
		{"gemm", "avx2", func(c *build.Context) { gemm(c, 256) }},
		{"gemm", "avx512", func(c *build.Context) { gemm(c, 512) }},
		{"vec", "avx2", func(c *build.Context) { vec(c, 256) }},
		{"vec", "avx512", func(c *build.Context) { vec(c, 512) }},
		{"direct", "avx2", func(c *build.Context) { direct(c, 256) }},
		{"direct", "avx512", func(c *build.Context) { direct(c, 512) }},
		{"csr", "avx2", func(c *build.Context) { csr(c, 256) }},
		{"csr", "avx512", func(c *build.Context) { csr(c, 512) }},
		{"fft", "avx2", func(c *build.Context) { fft(c, 256) }},
		{"fft", "avx512", func(c *build.Context) { fft(c, 512) }},
		{"plane", "avx2", func(c *build.Context) { plane(c, 256) }},
		{"plane", "avx512", func(c *build.Context) { plane(c, 512) }},
	}
}

func main() {
	flags := flag.NewFlagSet("gen", flag.ExitOnError) // avo has flags of its own in the default set
	out := flags.String("out", "..", "directory of the packages")
	check := flags.Bool("check", false, "compare instead of writing")
	err := flags.Parse(os.Args[1:])
	if err == nil {
		err = run(*out, *check)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run writes or compares all units.
func run(out string, check bool) error {
	stale := 0
	for _, u := range units() {
		asm, stubs, err := u.generate()
		if err != nil {
			return fmt.Errorf("%s/%s: %w", u.pkg, u.name, err)
		}
		for name, text := range map[string][]byte{
			filepath.Join(out, u.pkg, u.name+"_amd64.s"):        asm,
			filepath.Join(out, u.pkg, u.name+"_stubs_amd64.go"): stubs,
		} {
			if !check {
				if err := os.WriteFile(name, text, 0o644); err != nil {
					return err
				}
				continue
			}
			have, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			if !bytes.Equal(have, text) {
				fmt.Fprintln(os.Stderr, "gen: stale:", name)
				stale++
			}
		}
	}
	if stale > 0 {
		return fmt.Errorf("%d stale files: run go run . in internal/asm/_gen", stale)
	}
	return nil
}

// generate returns the assembly and the declarations of a unit.
func (u unit) generate() (asm, stubs []byte, err error) {
	c := build.NewContext()
	c.ConstraintExpr("!noasm")
	u.write(c)
	file, err := c.Result()
	if err != nil {
		return nil, nil, err
	}
	if err := pass.Compile.Execute(file); err != nil {
		return nil, nil, err
	}
	config := printer.Config{Name: "internal/asm/_gen", Pkg: u.pkg}
	if asm, err = printer.NewGoAsm(config).Print(file); err != nil {
		return nil, nil, err
	}
	stubs, err = printer.NewStubs(config).Print(file)
	if u.pkg == "fft" {
		stubs = append(stubs, codeletList(u.name)...)
	}
	return asm, stubs, err
}
