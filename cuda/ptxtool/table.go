package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

const (
	tablePath      = "docs/gpu-kernels.md"
	spilling       = "spills " // what marks a kernel in the table
	defaultThreads = 256       // block size that occupancy is given for when a kernel does not bound its own
)

// digest identifies all PTX together.
func digest(root fs.FS, units []unit) string {
	h := sha256.New()
	for _, u := range units {
		data, err := fs.ReadFile(root, u.PTX())
		if err != nil {
			return "PTX is missing"
		}
		fmt.Fprintf(h, "%s %d\n", u.PTX(), len(data))
		h.Write(data)
	}
	return "PTX sha256 " + hex.EncodeToString(h.Sum(nil))
}

// row is what one kernel needs on all devices.
type row struct {
	kernel  string // module and entry
	arch    int
	threads int // its bound, or the default
	bounded bool
	uses    []usage // by device; zero where it is not assembled
}

// table is the document of all kernels.
func table(root fs.FS, units []unit, jobs []*assembled) ([]byte, error) {
	rows, err := collect(root, units, jobs)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `# CUDA kernels

Written by `+"`make ptx`"+`: what ptxas 12.9 gives each kernel, from PTX of %s.
Registers a thread, bytes of static shared memory and of stack (local memory), and the theoretical occupancy in percent:
resident threads out of those that a multiprocessor can hold, for blocks of the kernel's own bound (marked *) or of
%d threads, without dynamic shared memory.

%s

| kernel | PTX | threads | shared | stack |`, compiler, defaultThreads, digest(root, units))
	for _, d := range devices() {
		fmt.Fprintf(&b, " sm_%d |", d.capability)
	}
	b.WriteString("\n| --- | --- | --- | --- | --- |" + strings.Repeat(" --- |", len(devices())) + "\n")
	for _, r := range rows {
		shared, stack := 0, 0
		for _, u := range r.uses {
			shared, stack = max(shared, u.Shared), max(stack, u.Stack)
		}
		mark := ""
		if r.bounded {
			mark = "*"
		}
		fmt.Fprintf(&b, "| %s | %d | %d%s | %d | %d |", r.kernel, r.arch, r.threads, mark, shared, stack)
		for i, d := range devices() {
			u := r.uses[i]
			if u.Registers == 0 {
				b.WriteString(" – |")
				continue
			}
			fmt.Fprintf(&b, " %d, %d%%", u.Registers, d.occupancy(r.threads, u.Registers, u.Shared))
			if u.Spills > 0 {
				fmt.Fprintf(&b, ", %s%d", spilling, u.Spills)
			}
			b.WriteString(" |")
		}
		b.WriteByte('\n')
	}
	b.WriteString("\nIn the columns sm_N: registers, occupancy, and bytes of spilled registers if there are any.\n")
	for _, s := range spills() {
		fmt.Fprintf(&b, "\n%s %s may spill: %s.\n", s.module, s.entry, s.reason)
	}
	return b.Bytes(), nil
}

// collect turns the results into rows in order of module, architecture and entry.
func collect(root fs.FS, units []unit, jobs []*assembled) ([]row, error) {
	var rows []row
	for _, u := range units {
		data, err := fs.ReadFile(root, u.PTX())
		if err != nil {
			return nil, fmt.Errorf("ptxtool: %w", err)
		}
		bounds := make(map[string]int)
		for _, m := range boundPattern.FindAllSubmatch(data, -1) {
			bounds[string(m[1])] = number(string(m[2])) * number(string(m[3])) * number(string(m[4]))
		}
		var names []string
		for _, m := range kernelPattern.FindAllSubmatch(data, -1) {
			names = append(names, string(m[1]))
		}
		slices.Sort(names)
		for _, name := range names {
			r := row{kernel: u.Module() + " " + name, arch: u.Arch, threads: defaultThreads}
			if n := bounds[name]; n > 0 {
				r.threads, r.bounded = n, true
			}
			for _, d := range devices() {
				i := slices.IndexFunc(jobs, func(j *assembled) bool {
					return j.unit == u && j.device == d
				})
				if i < 0 {
					r.uses = append(r.uses, usage{})
					continue
				}
				use, ok := jobs[i].usage[name]
				if !ok {
					return nil, fmt.Errorf("ptxtool: %s: ptxas says nothing about %s", u.PTX(), name)
				}
				r.uses = append(r.uses, use)
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

func sortedNames[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
