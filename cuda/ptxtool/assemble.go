package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// device has the limits of a compute capability, from the tables of the CUDA programming guide.
type device struct {
	capability int
	threads    int // resident on a multiprocessor
	blocks     int // resident on a multiprocessor
	shared     int // bytes of shared memory of a multiprocessor
	reserved   int // bytes of shared memory that each block costs on top
}

// devices are those that every kernel is assembled for. All have 65536 registers a multiprocessor, given out to warps
// in units of 256.
func devices() []device {
	return []device{
		{70, 2048, 32, 96 << 10, 0},
		{75, 1024, 16, 64 << 10, 0},
		{80, 2048, 32, 164 << 10, 1 << 10},
		{86, 1536, 16, 100 << 10, 1 << 10},
		{89, 1536, 24, 100 << 10, 1 << 10},
		{90, 2048, 32, 228 << 10, 1 << 10},
		{100, 2048, 32, 228 << 10, 1 << 10},
		{120, 1536, 24, 100 << 10, 1 << 10},
	}
}

// occupancy is the share of the resident threads that blocks of the given size can fill, in percent.
func (d device) occupancy(threads, registers, shared int) int {
	warps := (threads + 31) / 32
	blocks := min(d.blocks, d.threads/(32*warps))
	if registers > 0 {
		blocks = min(blocks, 65536/((registers*32+255)/256*256)/warps)
	}
	if s := shared + d.reserved; s > 0 {
		blocks = min(blocks, d.shared/s)
	}
	return 100 * blocks * warps * 32 / d.threads
}

// usage is what one kernel needs on one device.
type usage struct {
	Registers, Shared, Stack, Spills int
}

// spill is a kernel that may spill registers, with the reason.
type spill struct{ module, entry, reason string }

// spills lists the kernels that may.
func spills() []spill { return nil }

var (
	entryPattern  = regexp.MustCompile(`Compiling entry function '([^']+)'`)
	stackPattern  = regexp.MustCompile(`(\d+) bytes stack frame, (\d+) bytes spill stores`)
	usedPattern   = regexp.MustCompile(`Used (\d+) registers`)
	sharedPattern = regexp.MustCompile(`(\d+) bytes smem`)
	boundPattern  = regexp.MustCompile(`(?s)\.entry (\w+)\([^{]*?\.maxntid (\d+), (\d+), (\d+)`)
	kernelPattern = regexp.MustCompile(`\.entry (\w+)`)
)

// parseUsage reads what ptxas -v prints. The stack of an entry stands in the line after that of its properties.
func parseUsage(log string) (map[string]usage, error) {
	all := make(map[string]usage)
	name, properties := "", ""
	for line := range strings.Lines(log) {
		if m := entryPattern.FindStringSubmatch(line); m != nil {
			name = m[1]
		}
		if _, of, ok := strings.Cut(line, "Function properties for "); ok {
			properties = strings.TrimSpace(of)
		}
		u := all[name]
		if m := stackPattern.FindStringSubmatch(line); m != nil && properties == name {
			u.Stack, u.Spills = number(m[1]), number(m[2])
		} else if m != nil {
			u.Spills += number(m[2]) // of a function that the kernel calls
		}
		if m := usedPattern.FindStringSubmatch(line); m != nil {
			u.Registers = number(m[1])
		}
		if m := sharedPattern.FindStringSubmatch(line); m != nil {
			u.Shared = number(m[1])
		}
		if name != "" {
			all[name] = u
		}
	}
	for name, u := range all {
		if u.Registers == 0 {
			return nil, fmt.Errorf("ptxas did not say how many registers %s uses", name)
		}
	}
	return all, nil
}

// number reads decimal digits that a pattern has matched.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		panic("ptxtool: digits that are no number: " + digits)
	}
	return n
}

// assembled is what one PTX file needs on one device.
type assembled struct {
	unit   unit
	device device
	usage  map[string]usage
	err    error
}

// assembleAll runs ptxas on all PTX for all devices and writes the table.
func assembleAll(s settings, units []unit, out io.Writer) error {
	root := os.DirFS(s.root)
	if old, err := fs.ReadFile(root, tablePath); err == nil && !s.all &&
		bytes.Contains(old, []byte(digest(root, units))) &&
		!bytes.Contains(old, []byte(spilling)) {
		return nil
	}
	tool, err := locate(s.root, s.ptxas, "the assembler")
	if err != nil {
		return err
	}
	var jobs []*assembled
	for _, u := range units {
		for _, d := range devices() {
			if d.capability >= u.Arch {
				jobs = append(jobs, &assembled{unit: u, device: d})
			}
		}
	}
	var wg sync.WaitGroup
	next := make(chan *assembled)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for j := range next {
				j.usage, j.err = assemble(tool, filepath.Join(s.root, j.unit.PTX()), j.device.capability)
			}
		})
	}
	for _, j := range jobs {
		next <- j
	}
	close(next)
	wg.Wait()
	for _, j := range jobs {
		if j.err != nil {
			return fmt.Errorf("ptxtool: %s: sm_%d: %w", j.unit.PTX(), j.device.capability, j.err)
		}
	}
	text, err := table(root, units, jobs)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "assembled %d files for %d devices\n", len(units), len(devices()))
	if err := os.WriteFile(filepath.Join(s.root, tablePath), text, 0o644); err != nil {
		return fmt.Errorf("ptxtool: %w", err)
	}
	return forbidSpills(jobs)
}

// assemble runs ptxas on one file for one device.
func assemble(tool, path string, capability int) (map[string]usage, error) {
	var log bytes.Buffer
	cmd := exec.Command(tool, "-v", "-O3", fmt.Sprintf("-arch=sm_%d", capability), "-o", os.DevNull, path)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, log.String())
	}
	return parseUsage(log.String())
}

// forbidSpills fails if a kernel spills that is not on the list, or one on the list no longer does.
func forbidSpills(jobs []*assembled) error {
	needed := make(map[string]bool)
	for _, j := range jobs {
		for _, name := range sortedNames(j.usage) {
			if j.usage[name].Spills == 0 {
				continue
			}
			key := j.unit.Module() + " " + name
			allowed := false
			for _, s := range spills() {
				allowed = allowed || s.module+" "+s.entry == key
			}
			if !allowed {
				return fmt.Errorf("ptxtool: %s: %s spills %d bytes of registers on sm_%d: use fewer, or list it with "+
					"the reason", j.unit.Source, name, j.usage[name].Spills, j.device.capability)
			}
			needed[key] = true
		}
	}
	for _, s := range spills() {
		if !needed[s.module+" "+s.entry] {
			return fmt.Errorf("ptxtool: %s %s no longer spills: take it off the list", s.module, s.entry)
		}
	}
	return nil
}
