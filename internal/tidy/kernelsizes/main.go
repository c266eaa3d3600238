// Command kernelsizes checks that the tests ran every kernel that ships at every size: with none, one, 31, 32 and 33,
// and with a number of elements above that of a block.
//
//	GANGLION_KERNEL_SIZES=FILE go test -tags gpu ./kernels/...
//	go run ./internal/tidy/kernelsizes FILE
//
// A kernel has run at a size when an input or the output had a dimension, or a number of elements, of that size.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// sizes are those at which every kernel must have run. The last is above the number of threads of a block (256, of some
// kernels 512).
var sizes = []int{0, 1, 31, 32, 33, 1000}

// exception lets kernels miss sizes.
type exception struct {
	kernels string // pattern of path.Match
	sizes   []int
	reason  string
}

// exceptions are in order of their patterns. One that is not needed is an error.
var exceptions = []exception{
	{"dense/transpose/turn_[48]", []int{0}, "an empty matrix is not turned"},
	{"implicit/search/*", []int{1000}, manyNodes},
	{"implicit/solve/*", []int{0}, "nothing is solved for no samples"},
	{"implicit/structure/edges", []int{1000}, manyNodes},
	{"implicit/weights/mask_f??", []int{1000}, manyNodes},
	{"implicit/weights/nodiag_f??", []int{1000}, manyNodes},
	{"implicit/weights/largest_f??", sizes, ofNodes},
	{"implicit/weights/mean", sizes, ofNodes},
	{"implicit/weights/prepare", sizes, ofNodes},
	{"implicit/weights/rows_f??", sizes, ofNodes},
	{"implicit/weights/step_f??", sizes, ofNodes},
}

const (
	manyNodes = "a matrix of 1000² weights is more than the emulated device takes; cases have 200 nodes"
	ofNodes   = "the weights are a part of a block of n² numbers; cases have 0, 1, 31, 32, 33 and 200 nodes"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: kernelsizes FILE, in the folder of the module")
		os.Exit(2)
	}
	n, err := run("kernels", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "kernelsizes:", err)
		os.Exit(1)
	}
	fmt.Printf("%d kernels ran at sizes %v, but for %d exceptions\n", n, sizes, len(exceptions))
}

// run compares the kernels below a folder with what a file of the tests says, and returns their number.
func run(folder, file string) (int, error) {
	all, err := shipped(folder)
	if err != nil {
		return 0, err
	}
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	ran, err := read(f)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", file, err)
	}
	return len(all), check(all, ran, exceptions)
}

var entryPattern = regexp.MustCompile(`\.entry\s+(\w+)`)

// shipped lists the kernels in PTX files, as family/module/entry, each once.
func shipped(folder string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*", "ptx", "*.ptx"))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		family := filepath.Base(filepath.Dir(filepath.Dir(file)))
		module, _, _ := strings.Cut(filepath.Base(file), ".")
		for _, m := range entryPattern.FindAllSubmatch(text, -1) {
			out = append(out, path.Join(family, module, string(m[1])))
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s holds no kernels", folder)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// read gives, for each kernel, the sizes at which it ran.
func read(r io.Reader) (map[string][]int, error) {
	out := map[string][]int{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		for _, w := range words[min(1, len(words)):] {
			n, err := strconv.Atoi(w)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", lines.Text(), err)
			}
			if slices.Contains(sizes, n) && !slices.Contains(out[words[0]], n) {
				out[words[0]] = append(out[words[0]], n)
			}
		}
	}
	return out, lines.Err()
}

// check returns an error that lists what is missing, and the exceptions that are not needed.
func check(all []string, ran map[string][]int, exceptions []exception) error {
	var wrong []string
	needed := make([]bool, len(exceptions))
	for _, kernel := range all {
		var missing []int
		for _, n := range sizes {
			if slices.Contains(ran[kernel], n) {
				continue
			}
			i := slices.IndexFunc(exceptions, func(e exception) bool {
				ok, err := path.Match(e.kernels, kernel)
				return err == nil && ok && slices.Contains(e.sizes, n)
			})
			if i < 0 {
				missing = append(missing, n)
			} else {
				needed[i] = true
			}
		}
		if len(missing) > 0 {
			wrong = append(wrong, fmt.Sprintf("%s did not run at sizes %v", kernel, missing))
		}
	}
	for i, e := range exceptions {
		if !needed[i] {
			wrong = append(wrong, fmt.Sprintf("the exception of %s is not needed", e.kernels))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%d of %d kernels or exceptions:\n%s", len(wrong), len(all), strings.Join(wrong, "\n"))
	}
	return nil
}
