// Command gen writes the trampolines through which all calls of the CUDA driver go, from the list of symbols syms.txt.
//
// Usage, from the root of the module:
//
//	go run ./cuda/driver/gen          writes tramp_amd64.S, tramp_arm64.S and names.h
//	go run ./cuda/driver/gen -check   fails if they are out of date
//	go run ./cuda/driver/gen -scan    first adds to syms.txt what gorgonia.org/cu and driver.h call
//
// A scan compiles gorgonia.org/cu, so it needs the flags of make gpu.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	check := flag.Bool("check", false, "write nothing; exit with 1 if a file is out of date")
	scan := flag.Bool("scan", false, "add the symbols that are called to syms.txt")
	dir := flag.String("dir", "cuda/driver", "folder of the package driver")
	flag.Parse()
	if err := run(*dir, *check, *scan); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir string, check, scan bool) error {
	symbols, err := readList(filepath.Join(dir, "syms.txt"))
	if err != nil {
		return err
	}
	if scan {
		called, err := calledSymbols(dir)
		if err != nil {
			return err
		}
		symbols = union(symbols, called)
		if err := os.WriteFile(filepath.Join(dir, "syms.txt"), writeList(symbols), 0o644); err != nil {
			return err
		}
	}
	stale := 0
	for _, f := range generate(symbols) {
		path := filepath.Join(dir, f.name)
		old, err := os.ReadFile(path)
		if err == nil && bytes.Equal(old, f.data) {
			continue
		}
		stale++
		if check {
			fmt.Println(path, "is out of date")
		} else if err := os.WriteFile(path, f.data, 0o644); err != nil {
			return err
		} else {
			fmt.Println("wrote", path)
		}
	}
	if check && stale > 0 {
		return fmt.Errorf("gen: run: go run ./cuda/driver/gen")
	}
	return nil
}
