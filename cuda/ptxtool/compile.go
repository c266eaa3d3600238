package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	for _, u := range todo {
		if err := compile(s, u, out); err != nil {
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

// compile makes the PTX of one unit in a process of its own, because the compiler numbers calls of functions through
// all that a process compiles, and the bytes must not depend on what else is out of date.
func compile(s settings, u unit, out io.Writer) error {
	start := time.Now()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("ptxtool: %w", err)
	}
	var ptx, messages bytes.Buffer
	cmd := exec.Command(self, "-root", s.root, "-nvrtc", s.nvrtc, "-include", s.include, "-only", u.PTX())
	cmd.Stdout, cmd.Stderr = &ptx, &messages
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("ptxtool: %s: %w\n%s", u.Source, err, messages.String())
	}
	path := filepath.Join(s.root, u.PTX())
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("ptxtool: %w", err)
	}
	if err := os.WriteFile(path, ptx.Bytes(), 0o644); err != nil {
		return fmt.Errorf("ptxtool: %w", err)
	}
	fmt.Fprintf(out, "compiled %s in %d ms\n", u.PTX(), time.Since(start).Milliseconds())
	return nil
}

// printOne compiles the unit of one PTX file and prints it.
func printOne(s settings, units []unit, out io.Writer) error {
	i := slices.IndexFunc(units, func(u unit) bool { return u.PTX() == s.only })
	if i < 0 {
		return fmt.Errorf("ptxtool: %s: no source makes this file", s.only)
	}
	u := units[i]
	c, include, err := openCompiler(s)
	if err != nil {
		return err
	}
	source, err := os.ReadFile(filepath.Join(s.root, u.Source))
	if err != nil {
		return fmt.Errorf("ptxtool: %w", err)
	}
	flags := options(u.Arch)
	for _, dir := range []string{u.Family(), kernels, kernels + "/include"} {
		flags = append(flags, "-I"+filepath.Join(s.root, dir))
	}
	ptx, err := c.Compile(u.Source, string(source), append(flags, "-I"+include))
	if err != nil {
		return fmt.Errorf("ptxtool: %w", err)
	}
	_, err = out.Write(append([]byte(u.Header()), ptx...))
	return err
}
