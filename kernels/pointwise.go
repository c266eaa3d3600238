package kernels

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// CUDAPointwise is a CUDAOp of floats each element of whose output depends only on the elements of the inputs at its
// place, or at the place that broadcasting gives it: several of them can be computed by one kernel made for them.
type CUDAPointwise interface {
	CUDAOp
	// CUDAExpression is an element of the output in CUDA C. in holds the names of the elements of the inputs, values of
	// the type T, which is that of the output. The header act/act.cuh is included. It is the formula of the op's own
	// kernel, so that the numbers differ by the contraction of products and sums at most.
	CUDAExpression(in []string) string
}

//go:embed include/ganglion.cuh act/act.cuh
var headers embed.FS

// CUDAHeader is the text of a header of device code such as "act/act.cuh", in which the headers that it includes stand
// once, in the place of the line that includes them.
func CUDAHeader(name string) (string, error) {
	var b strings.Builder
	err := expand(&b, headers, name, map[string]bool{})
	return b.String(), err
}

// expand writes a header with those that it includes.
func expand(b *strings.Builder, files fs.FS, name string, seen map[string]bool) error {
	if seen[name] {
		return nil
	}
	seen[name] = true
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return fmt.Errorf("kernels: a header of device code: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		word := strings.TrimSpace(line)
		if inner, ok := strings.CutPrefix(word, `#include "`); ok {
			if err := expand(b, files, path.Clean(strings.TrimSuffix(inner, `"`)), seen); err != nil {
				return fmt.Errorf("%w (in %s)", err, name)
			}
			continue
		}
		if word != "#pragma once" {
			b.WriteString(line)
		}
	}
	return nil
}
