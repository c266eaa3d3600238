package main

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var prototypePattern = regexp.MustCompile(`(?m)^int (cu[A-Z]\w*)\(`)

// calledSymbols lists the symbols of the driver that linked C code wants: those of gorgonia.org/cu, and those that
// driver.h declares.
func calledSymbols(dir string) ([]string, error) {
	header, err := os.ReadFile(filepath.Join(dir, "driver.h"))
	if err != nil {
		return nil, fmt.Errorf("gen: %w", err)
	}
	var out []string
	for _, m := range prototypePattern.FindAllSubmatch(header, -1) {
		out = append(out, string(m[1]))
	}
	archives, err := exec.Command("go", "list", "-tags", "gpu", "-export", "-f", "{{.Export}}", "gorgonia.org/cu").
		Output()
	if err != nil {
		if e, ok := err.(*exec.ExitError); ok {
			return nil, fmt.Errorf("gen: go list: %w\n%s", err, e.Stderr)
		}
		return nil, fmt.Errorf("gen: go list: %w", err)
	}
	for path := range strings.Lines(string(archives)) {
		found, err := undefined(strings.TrimSpace(path))
		if err != nil {
			return nil, fmt.Errorf("gen: %s: %w", path, err)
		}
		out = append(out, found...)
	}
	return union(out, nil), nil
}

// undefined lists the symbols cu… that the C objects of an archive use but none of them defines.
func undefined(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	members, err := split(data)
	if err != nil {
		return nil, err
	}
	wanted, defined := make(map[string]bool), make(map[string]bool)
	for _, m := range members {
		if !bytes.HasPrefix(m, []byte(elf.ELFMAG)) {
			continue
		}
		f, err := elf.NewFile(bytes.NewReader(m))
		if err != nil {
			return nil, err
		}
		symbols, err := f.Symbols()
		if err != nil {
			return nil, err
		}
		for _, s := range symbols {
			if symbolPattern.MatchString(s.Name) && s.Name != "cuInit" {
				wanted[s.Name] = wanted[s.Name] || s.Section == elf.SHN_UNDEF
				defined[s.Name] = defined[s.Name] || s.Section != elf.SHN_UNDEF
			}
		}
	}
	var out []string
	for name := range wanted {
		if wanted[name] && !defined[name] {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, nil
}

// split returns the members of an archive in the format of ar.
func split(data []byte) ([][]byte, error) {
	const magic, header = "!<arch>\n", 60
	if !bytes.HasPrefix(data, []byte(magic)) {
		return nil, fmt.Errorf("is no archive")
	}
	var out [][]byte
	for at := len(magic); at < len(data); {
		if at+header > len(data) {
			return nil, fmt.Errorf("ends inside of a header at byte %d", at)
		}
		n, err := strconv.Atoi(strings.TrimSpace(string(data[at+48 : at+58])))
		if err != nil || n < 0 || n > len(data)-at-header {
			return nil, fmt.Errorf("the member at byte %d has no valid size", at)
		}
		at += header
		out = append(out, data[at:at+n])
		at += n + n%2
	}
	return out, nil
}
