package optest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"ganglion/engine/launch"
	"ganglion/kernels"
)

// sweepSizes are the sizes at which every kernel runs: none, one, around a warp, and above what a block takes in.
var sweepSizes = []int{0, 1, 31, 32, 33, 1000}

// A sweep takes up to sweepCases cases for each kernel and size, of up to sweepElements elements, those after the first
// of up to sweepFurther, and runs each sweepRuns times.
const (
	sweepElements = 1 << 15
	sweepFurther  = 1 << 12
	sweepCases    = 2
	sweepRuns     = 5
)

// resized is a case of a table with one of its dimensions at another size.
type resized struct {
	Case
	entries  string // the kernels it launches
	from, to int
	elements int
}

// sweep runs the kernels of a table at further sizes: each dimension of each case that is not given by values becomes
// each of sweepSizes in turn, wherever it occurs in the case. Of those that launch the same kernels the smallest are
// run. What the operator refuses is left out.
func (d *device) sweep(t *testing.T, cases []Case) {
	var all []resized
	for _, c := range cases {
		all = append(all, d.resize(c)...)
	}
	slices.SortStableFunc(all, func(a, b resized) int { return a.elements - b.elements })
	ran := map[string]int{}
	for _, r := range all {
		key := fmt.Sprint(r.to, r.entries)
		if ran[key]++; ran[key] > sweepCases || ran[key] > 1 && r.elements > sweepFurther {
			continue
		}
		in := r.inputs()
		for _, dtype := range r.types(in) {
			t.Run(strings.ReplaceAll(fmt.Sprintf("%s/%d-for-%d/%v", r.Name, r.to, r.from, dtype), " ", "-"),
				func(t *testing.T) { d.check(t, r.Case, convert(in, dtype), dtype, sweepRuns) })
		}
	}
}

// resize lists the cases that are c with one dimension at another size.
func (d *device) resize(c Case) []resized {
	op, ok := c.Op.(kernels.CUDAOp)
	if !ok {
		return nil
	}
	var out []resized
	for _, from := range c.dimensions() {
		for _, to := range sweepSizes {
			r := resized{Case: c, from: from, to: to}
			var ok bool
			if r.In, ok = replaced(c.In, from, to); !ok || from == to {
				continue
			}
			specs := make([]kernels.Spec, len(r.In))
			for i, a := range r.In {
				specs[i] = a.spec
				r.elements += a.spec.Size()
			}
			y, err := op.Infer(specs)
			if err != nil || r.elements+y.Size() > sweepElements {
				continue
			}
			list, err := op.CUDA(launch.Target(d.dev.Properties()), specs, y)
			if err != nil {
				continue
			}
			for _, l := range list {
				r.entries += " " + l.Module + "/" + l.Entry
			}
			r.elements += y.Size()
			out = append(out, r)
		}
	}
	return out
}

// dimensions lists the sizes that occur in a case, each once.
func (c Case) dimensions() []int {
	var out []int
	for _, a := range c.In {
		for _, n := range a.spec.Shape {
			if !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// replaced puts another size in the place of one, also where it bounds indices. It is not possible where values are
// given, and indices into nothing.
func replaced(in []Arg, from, to int) ([]Arg, bool) {
	out := slices.Clone(in)
	for i := range out {
		a := &out[i]
		if a.given {
			if slices.Contains(a.spec.Shape, from) || a.below == from {
				return nil, false
			}
			continue
		}
		shape := slices.Clone(a.spec.Shape)
		for k, n := range shape {
			if n == from {
				shape[k] = to
			}
		}
		if a.below > 0 {
			below := a.below
			if below == from {
				below = to
			}
			*a = Ints(0, below, shape...)
			if below == 0 && a.spec.Size() > 0 {
				return nil, false
			}
			continue
		}
		a.spec = kernels.S(a.spec.DType, shape...)
	}
	return out, true
}

// sizesEnv names a file to which tests on a device append a line for each kernel that they launch: its name, and the
// sizes of inputs and output.
const sizesEnv = "GANGLION_KERNEL_SIZES"

// note adds the kernels of a run to the file of sizesEnv, if that is set.
func note(t *testing.T, list []kernels.Launch, specs []kernels.Spec, out kernels.Spec) {
	t.Helper()
	path := os.Getenv(sizesEnv)
	if path == "" {
		return
	}
	var sizes strings.Builder
	for _, s := range append(slices.Clone(specs), out) {
		fmt.Fprintf(&sizes, " %d", s.Size())
		for _, n := range s.Shape {
			fmt.Fprintf(&sizes, " %d", n)
		}
	}
	var lines strings.Builder
	for _, l := range list {
		fmt.Fprintf(&lines, "%s/%s%s\n", l.Module, l.Entry, sizes.String())
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(lines.String())
		if closing := f.Close(); err == nil {
			err = closing
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
