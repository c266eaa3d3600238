// Command ptxtool compiles the CUDA sources of the kernels to PTX, writes the Go files that embed it, and has every
// kernel assembled for all supported devices.
//
// Usage, from the root of the module (make ptx installs the compilers into .cuda and runs it):
//
//	go run -tags gpu ./cuda/ptxtool            compiles what is out of date, assembles, writes docs/gpu-kernels.md
//	go run -tags gpu ./cuda/ptxtool -all       compiles everything
//	go run ./cuda/ptxtool -check               fails if a PTX file is not of its source; needs no compiler
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// settings are the flags.
type settings struct {
	root, nvrtc, include, ptxas string
	all, check, assemble        bool
	only                        string // path of the PTX to write to the output
}

func main() {
	const nvidia = ".cuda/venv/lib/python3*/site-packages/nvidia/"
	var s settings
	flag.StringVar(&s.root, "root", ".", "folder of the module")
	flag.StringVar(&s.nvrtc, "nvrtc", nvidia+"cuda_nvrtc/lib/libnvrtc.so.12", "the compiler, a pattern")
	flag.StringVar(&s.include, "include", nvidia+"cuda_runtime/include", "folder of CUDA's headers, a pattern")
	flag.StringVar(&s.ptxas, "ptxas", nvidia+"cuda_nvcc/bin/ptxas", "the assembler, a pattern")
	flag.BoolVar(&s.all, "all", false, "compile what is up to date too")
	flag.BoolVar(&s.check, "check", false, "write nothing; exit with 1 if anything is out of date")
	flag.BoolVar(&s.assemble, "assemble", true, "assemble all PTX and write the table of registers")
	flag.StringVar(&s.only, "only", "", "only compile what makes this PTX file, and print it")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "ptxtool: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := run(s, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(s settings, out io.Writer) error {
	units, err := discover(os.DirFS(s.root))
	if err != nil {
		return err
	}
	if s.check {
		stale, err := outOfDate(os.DirFS(s.root), units)
		for _, line := range stale {
			fmt.Fprintln(out, line)
		}
		if err == nil && len(stale) > 0 {
			err = fmt.Errorf("ptxtool: %d files are out of date: run make ptx", len(stale))
		}
		return err
	}
	if s.only != "" {
		return printOne(s, units, out)
	}
	if err := compileAll(s, units, out); err != nil {
		return err
	}
	if err := writeEmbeds(s.root, units, out); err != nil {
		return err
	}
	if !s.assemble {
		return nil
	}
	return assembleAll(s, units, out)
}

// locate finds the one file that a pattern names, relative to the root unless it is absolute.
func locate(root, pattern, what string) (string, error) {
	if !filepath.IsAbs(pattern) {
		pattern = filepath.Join(root, pattern)
	}
	found, err := filepath.Glob(pattern)
	if err != nil {
		return "", fmt.Errorf("ptxtool: %s: %w", what, err)
	}
	if len(found) == 0 {
		return "", fmt.Errorf("ptxtool: %s: nothing at %s: run make cuda-headers, which installs it", what, pattern)
	}
	slices.Sort(found)
	return filepath.Abs(found[len(found)-1])
}
