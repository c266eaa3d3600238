package graph

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ganglion/internal/philox"
)

// The streams of random numbers of this package, as the stream number of philox.New.
const (
	streamShares = 0x67726170 + iota
	streamPerClass
	streamFolds
	streamInner
	streamLinks
	streamNegatives
)

// DefaultSplit is the split by seed when none is asked for and none came with the data.
const DefaultSplit = "60/20/20"

// Choose returns one division, [rows] of Train, Valid, Test and Unused: "" is the first division of the first split
// that came with the data, else DefaultSplit; "NAME:K" division K, from 0, of the split NAME, of whose training rows a
// fifth, drawn by the seed, become validation rows if it has none; "60/20/20" are shares in percent, drawn by the seed,
// and "75/25" leaves a fifth of the training rows for validation; "per-class:20/500"
// draws 20 training rows of each class, 500 validation rows, and tests on the rest, as Planetoid does; "fold:K" is
// division K of ten folds. Shares and folds take from each class alike. It is a pure function of labels, spec and seed.
func Choose(l Labels, splits []Split, spec string, seed uint64) ([]int8, error) {
	if spec == "" {
		if len(splits) > 0 && len(splits[0].Part) > 0 {
			return completed(l, splits[0].Part[0], seed), nil
		}
		spec = DefaultSplit
	}
	name, number, numbered := strings.Cut(spec, ":")
	for _, s := range splits {
		if s.Name != name {
			continue
		}
		k, err := strconv.Atoi(number)
		if !numbered && len(s.Part) == 1 {
			k, err = 0, nil
		}
		if err != nil || k < 0 || k >= len(s.Part) {
			return nil, fmt.Errorf(
				"split %q: want a number from 0 to %d behind %q; change --split",
				spec,
				len(s.Part)-1,
				name+":",
			)
		}
		return completed(l, s.Part[k], seed), nil
	}
	if l.Task == None {
		return nil, fmt.Errorf("split %q: there are no labels to divide; choose a data set with labels", spec)
	}
	switch name {
	case "per-class":
		var per, valid int
		if n, err := fmt.Sscanf(number, "%d/%d", &per, &valid); n == 2 && err == nil && per > 0 && valid >= 0 {
			return PerClass(l, per, valid, seed)
		}
	case "fold":
		if k, err := strconv.Atoi(number); err == nil && k >= 0 && k < 10 {
			s, err := Folds(l, 10, seed)
			if err != nil {
				return nil, err
			}
			return s.Part[k], nil
		}
	default:
		if shares, ok := parseShares(spec); ok {
			return Shares(l, shares, seed)
		}
	}
	return nil, fmt.Errorf("split %q: want shares like 60/20/20, per-class:20/500, fold:K from 0 to 9, or one of %s; "+
		"change --split", spec, strings.Join(splitNames(splits), ", "))
}

// completed is a stored division with validation rows.
func completed(l Labels, part []int8, seed uint64) []int8 {
	if slices.Contains(part, Valid) || l.Task == None {
		return part
	}
	return WithInner(l, part, 0.2, seed)
}

func splitNames(splits []Split) []string {
	names := []string{"no split in the data"}
	if len(splits) > 0 {
		names = nil
	}
	for _, s := range splits {
		names = append(names, fmt.Sprintf("%s:0 to %s:%d", s.Name, s.Name, len(s.Part)-1))
	}
	return names
}

// parseShares reads two or three percentages above 0 that sum to 100, as shares of training, validation and test rows.
func parseShares(spec string) ([3]float64, bool) {
	var v []float64
	sum := 0.0
	for part := range strings.SplitSeq(spec, "/") {
		x, err := strconv.ParseFloat(part, 64)
		if err != nil || !(x > 0 && x < 100) || len(v) == 3 {
			return [3]float64{}, false
		}
		v, sum = append(v, x/100), sum+x
	}
	if len(v) < 2 || sum < 99.999 || sum > 100.001 {
		return [3]float64{}, false
	}
	if len(v) == 2 {
		return [3]float64{0.8 * v[0], 0.2 * v[0], v[1]}, true
	}
	return [3]float64(v), true
}

// Shares divides the rows that have a label into training, validation and test rows by the given shares, which sum to
// 1, from each class alike: of n rows of a class the first whole part of shares[0]·n and so on in an order by the seed,
// the rest tests. A class with too few rows for all parts is an error.
func Shares(l Labels, shares [3]float64, seed uint64) ([]int8, error) {
	part := slices.Repeat([]int8{Unused}, l.Rows())
	for c, rows := range l.groups() {
		if len(rows) == 0 {
			continue
		}
		n := float64(len(rows))
		train := max(1, int(shares[0]*n+0.5))
		valid := int((shares[0]+shares[1])*n+0.5) - train
		if shares[1] > 0 {
			valid = max(1, valid)
		}
		if train+valid >= len(rows) {
			train = len(rows) - valid - 1
		}
		if train < 1 {
			return nil, fmt.Errorf(
				"split: %d rows of class %s are too few for training, validation and test; join it with "+
					"another, or choose a split that came with the data",
				len(rows),
				l.className(c),
			)
		}
		random := philox.New(seed, streamShares, uint32(c))
		random.Shuffle(rows)
		mark(part, rows[:train], Train)
		mark(part, rows[train:train+valid], Valid)
		mark(part, rows[train+valid:], Test)
	}
	return part, nil
}

// PerClass draws per training rows of each class and then valid validation rows of the others by the seed; the rest
// tests. With 20 and 500 it is the split of Planetoid as far as its size is published.
func PerClass(l Labels, per, valid int, seed uint64) ([]int8, error) {
	if l.Task != Classify {
		return nil, fmt.Errorf("split: rows by class of labels of task %q; choose shares such as 60/20/20", l.Task)
	}
	part := slices.Repeat([]int8{Unused}, l.Rows())
	var rest []int32
	for c, rows := range l.groups() {
		if len(rows) == 0 {
			continue
		}
		if len(rows) < per+1 {
			return nil, fmt.Errorf("split: want more than %d rows of each class, class %s has %d; take fewer", per,
				l.className(c), len(rows))
		}
		random := philox.New(seed, streamPerClass, uint32(c))
		random.Shuffle(rows)
		mark(part, rows[:per], Train)
		rest = append(rest, rows[per:]...)
	}
	if valid >= len(rest) {
		return nil, fmt.Errorf("split: want fewer than %d validation rows, got %d", len(rest), valid)
	}
	slices.Sort(rest)
	random := philox.New(seed, streamPerClass, uint32(len(l.Classes)))
	random.Shuffle(rest)
	mark(part, rest[:valid], Valid)
	mark(part, rest[valid:], Test)
	return part, nil
}

// Folds divides the rows into k folds, each class alike in an order by the seed: division f tests on fold f and, as
// the honest protocol asks (Errica et al.: A Fair Comparison of Graph Neural Networks, 2020), selects on an inner tenth
// of the other rows.
func Folds(l Labels, k int, seed uint64) (Split, error) {
	if k < 2 {
		return Split{}, fmt.Errorf("split: want at least 2 folds, got %d", k)
	}
	fold := slices.Repeat([]int8{Unused}, l.Rows())
	at := 0
	for c, rows := range l.groups() {
		random := philox.New(seed, streamFolds, uint32(c))
		random.Shuffle(rows)
		for _, i := range rows {
			fold[i] = int8(at % k)
			at++
		}
	}
	if at < 2*k {
		return Split{}, fmt.Errorf("split: want at least %d labelled rows for %d folds, got %d", 2*k, k, at)
	}
	s := Split{Name: "fold"}
	for f := range k {
		part := slices.Repeat([]int8{Unused}, l.Rows())
		for i, of := range fold {
			switch {
			case of == Unused:
			case int(of) == f:
				part[i] = Test
			default:
				part[i] = Train
			}
		}
		s.Part = append(s.Part, WithInner(l, part, 0.1, seed))
	}
	return s, nil
}

// WithInner returns the division with a share of the training rows of each class, but not all, drawn by the seed as
// validation rows. It completes published folds, which have training and test rows only.
func WithInner(l Labels, part []int8, share float64, seed uint64) []int8 {
	out := slices.Clone(part)
	for c, rows := range l.groups() {
		rows = slices.DeleteFunc(rows, func(i int32) bool { return part[i] != Train })
		random := philox.New(seed, streamInner, uint32(c))
		random.Shuffle(rows)
		n := min(int(share*float64(len(rows))+0.5), len(rows)-1)
		mark(out, rows[:max(0, n)], Valid)
	}
	return out
}

// groups lists the rows of each class, or all in one group for other labels; rows without a label are in none.
func (l Labels) groups() [][]int32 {
	g := make([][]int32, max(1, len(l.Classes)))
	for i := range l.Rows() {
		switch {
		case !l.Known(i):
		case l.Task == Classify:
			g[l.Class[i]] = append(g[l.Class[i]], int32(i))
		default:
			g[0] = append(g[0], int32(i))
		}
	}
	return g
}

func (l Labels) className(c int) string {
	if l.Task != Classify {
		return "any"
	}
	return fmt.Sprintf("%q", l.Classes[c])
}

func mark(part []int8, rows []int32, as int8) {
	for _, i := range rows {
		part[i] = as
	}
}
