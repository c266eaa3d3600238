package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"ganglion/cuda/nvrtc"
)

// compileAll brings all PTX up to date and removes what has no source any more.
func compileAll(s settings, units []unit, out io.Writer) error {
	root := os.DirFS(s.root)
	var todo []unit
	wanted := make(map[string]bool)
	for _, u := range units {
		wanted[u.PTX()] = true
		if s.all || !fresh(root, u) {
			todo = append(todo, u)
		}
	}
	orphans, err := strays(root, wanted)
	if err != nil {
		return err
	}
	for _, p := range orphans {
		if err := os.Remove(filepath.Join(s.root, p)); err != nil {
			return fmt.Errorf("ptxtool: %w", err)
		}
		fmt.Fprintf(out, "removed  %s\n", p)
	}
	if len(todo) == 0 {
		return nil
	}
	c, include, err := openCompiler(s)
	if err != nil {
		return err
	}
	for _, u := range todo {
		if err := compile(s.root, c, include, u, out); err != nil {
			return err
		}
	}
	return nil
}

// openCompiler loads the compiler that all PTX is made by.
func openCompiler(s settings) (*nvrtc.Compiler, string, error) {
	lib, err := locate(s.root, s.nvrtc, "the compiler")
	if err != nil {
		return nil, "", err
	}
	include, err := locate(s.root, s.include, "CUDA's headers")
	if err != nil {
		return nil, "", err
	}
	c, err := nvrtc.Open(lib)
	if err != nil {
		return nil, "", err
	}
	major, minor := c.Version()
	if have := fmt.Sprintf("NVRTC %d.%d", major, minor); have != compiler {
		return nil, "", fmt.Errorf(
			"ptxtool: %s is %s, the project's PTX is made by %s: run make cuda-headers",
			lib,
			have,
			compiler,
		)
	}
	return c, include, nil
}

// compile makes the PTX of one unit.
func compile(root string, c *nvrtc.Compiler, include string, u unit, out io.Writer) error {
	start := time.Now()
	source, err := os.ReadFile(filepath.Join(root, u.Source))
	if err != nil {
		return fmt.Errorf("ptxtool: %w", err)
	}
	flags := options(u.Arch)
	for _, dir := range []string{u.Family(), kernels, kernels + "/include"} {
		flags = append(flags, "-I"+filepath.Join(root, dir))
	}
	flags = append(flags, "-I"+include)
	ptx, err := c.Compile(u.Source, string(source), flags)
	if err != nil {
		return fmt.Errorf("ptxtool: %w", err)
	}
	path := filepath.Join(root, u.PTX())
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("ptxtool: %w", err)
	}
	if err := os.WriteFile(path, append([]byte(u.Header()), ptx...), 0o644); err != nil {
		return fmt.Errorf("ptxtool: %w", err)
	}
	fmt.Fprintf(out, "compiled %s in %d ms\n", u.PTX(), time.Since(start).Milliseconds())
	return nil
}
