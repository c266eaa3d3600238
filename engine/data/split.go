package data

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ganglion/internal/philox"
)

// ValidShare is the share of the training rows that become validation rows where a split has only a training and a
// test part.
const ValidShare = 0.2

// DefaultSplit is the split by seed when none is asked for: 60 % training, 20 % validation and 20 % test rows.
const DefaultSplit = "60/20/20"

// Split is a division of a table's rows. Every row is in exactly one part; each part is ascending.
type Split struct {
	Name               string // as it was asked for
	Train, Valid, Test []int32
	Notes              []string // what is noteworthy about it, one sentence each
}

// Split divides the rows as spec says: "" is DefaultSplit; "75/25" or "60/20/20" are shares in percent of training
// (and validation) and test rows, drawn by the seed, from each class alike for a classification; "NAME:K" is division
// K, from 0, of the stored split NAME (with or without the beginning "split_"). From a split in two, ValidShare of
// the training rows are drawn by the seed as validation rows. It is a pure function of table, spec and seed. The
// error is an *Error.
func (t *Table) Split(spec string, seed uint64) (*Split, error) {
	if spec == "" {
		spec = DefaultSplit
	}
	if !t.HasTarget() {
		return nil, t.splitError("a target to learn", "a table without one", "name it with --target")
	}
	s := &Split{Name: spec}
	if shares, ok := parseShares(spec); ok {
		part, err := t.draw(allRows(t.N), shares, seed, streamSplit)
		if err != nil {
			return nil, err
		}
		if s.Train, s.Test = part[0], part[len(part)-1]; len(part) == 3 {
			s.Valid = part[1]
			return s, nil
		}
		return s, t.carve(s, seed)
	}
	name, number, _ := strings.Cut(spec, ":")
	codes, err := t.stored(spec, name, number)
	if err != nil {
		return nil, err
	}
	three := slices.Contains(codes, 2)
	for i, c := range codes {
		switch {
		case c == 0:
			s.Train = append(s.Train, int32(i))
		case c == 1 && three:
			s.Valid = append(s.Valid, int32(i))
		default:
			s.Test = append(s.Test, int32(i))
		}
	}
	if len(s.Train) == 0 || len(s.Test) == 0 {
		return nil, t.splitError("training and test rows", fmt.Sprintf("%d and %d", len(s.Train), len(s.Test)),
			"choose another --split")
	}
	if !three {
		err = t.carve(s, seed)
	}
	t.noteAbsent(s)
	return s, err
}

func (t *Table) splitError(want, got, remedy string) error {
	return &Error{File: t.where(), Want: want, Got: got, Remedy: remedy}
}

// parseShares reads two or three percentages above 0 that sum to 100.
func parseShares(spec string) ([]float64, bool) {
	var shares []float64
	sum := 0.0
	for part := range strings.SplitSeq(spec, "/") {
		v, err := strconv.ParseFloat(part, 64)
		if err != nil || !(v > 0 && v < 100) {
			return nil, false
		}
		shares = append(shares, v/100)
		sum += v
	}
	return shares, (len(shares) == 2 || len(shares) == 3) && sum > 99.999 && sum < 100.001
}

// stored returns the codes of division K of a stored split.
func (t *Table) stored(spec, name, number string) ([]int8, error) {
	var names []string
	for _, s := range t.Splits {
		names = append(names, s.Name)
		if s.Name != name && s.Name != "split_"+name {
			continue
		}
		k, err := strconv.Atoi(number)
		if number == "" && len(s.Part) == 1 {
			k, err = 0, nil
		}
		if err != nil || k < 0 || k >= len(s.Part) {
			return nil, t.splitError(fmt.Sprintf("a number from 0 to %d behind %q", len(s.Part)-1, name+":"),
				fmt.Sprintf("%q", spec), "change --split")
		}
		return s.Part[k], nil
	}
	have := "no stored split"
	if len(names) > 0 {
		have = "the stored splits " + strings.Join(names, ", ")
	}
	return nil, t.splitError("a split like 60/20/20, 75/25 or NAME:K", fmt.Sprintf("%q", spec),
		"the data set has "+have)
}

// draw divides rows into parts of the given shares, from each class alike for a classification. Every class has at
// least one row in every part, and otherwise the number of rows nearest to its share.
func (t *Table) draw(rows []int32, shares []float64, seed uint64, stream uint32) ([][]int32, error) {
	parts := make([][]int32, len(shares))
	for c, group := range t.groups(rows) {
		if len(group) == 0 {
			continue
		}
		if len(group) < len(shares) {
			what := fmt.Sprintf("%d rows in all", len(group))
			if t.Task == Classify {
				what = fmt.Sprintf("%d of class %q", len(group), t.Classes[c])
			}
			return nil, t.splitError(fmt.Sprintf("at least %d rows of each class for a split in %d", len(shares),
				len(shares)),
				what, "leave the class out, join it with another, or add rows")
		}
		random := philox.New(seed, stream, uint32(c))
		random.Shuffle(group)
		for p, n := range apportion(len(group), shares) {
			parts[p] = append(parts[p], group[:n]...)
			group = group[n:]
		}
	}
	for _, p := range parts {
		slices.Sort(p)
	}
	return parts, nil
}

// groups returns the rows of each class, or all in one group for a regression.
func (t *Table) groups(rows []int32) [][]int32 {
	if t.Task != Classify {
		return [][]int32{slices.Clone(rows)}
	}
	g := make([][]int32, len(t.Classes))
	for _, i := range rows {
		g[t.Labels[i]] = append(g[t.Labels[i]], i)
	}
	return g
}

// apportion divides n, which is at least len(shares), into whole numbers of at least 1 in proportion to the shares:
// each gets the whole part of its quota, and the rest goes to the greatest remainders, of equal ones to the first.
func apportion(n int, shares []float64) []int {
	count := make([]int, len(shares))
	left := n
	for p, s := range shares {
		count[p] = max(1, int(s*float64(n)))
		left -= count[p]
	}
	for ; left != 0; left -= sign(left) {
		best := -1
		for p, s := range shares {
			if left < 0 && count[p] == 1 {
				continue
			}
			// Positive: the part that lacks most; negative: the one that has most too many.
			if best < 0 || float64(sign(left))*(s*float64(n)-float64(count[p])) >
				float64(sign(left))*(shares[best]*float64(n)-float64(count[best])) {
				best = p
			}
		}
		count[best] += sign(left)
	}
	return count
}

func sign(n int) int {
	if n < 0 {
		return -1
	}
	return 1
}

// carve moves ValidShare of the training rows into the validation part. A class with a single training row keeps it.
func (t *Table) carve(s *Split, seed uint64) error {
	var keep, rest []int32
	for c, group := range t.groups(s.Train) {
		if len(group) == 1 {
			keep = append(keep, group...)
			if t.Task == Classify {
				s.Notes = append(s.Notes, fmt.Sprintf("class %q has one training row and so none for validation",
					t.Classes[c]))
			}
			continue
		}
		rest = append(rest, group...)
	}
	if len(rest) == 0 {
		return t.splitError("training rows to take validation rows from", fmt.Sprintf("%d", len(s.Train)), "add rows")
	}
	slices.Sort(rest)
	parts, err := t.draw(rest, []float64{1 - ValidShare, ValidShare}, seed, streamCarve)
	if err != nil {
		return err
	}
	s.Train = append(parts[0], keep...)
	slices.Sort(s.Train)
	s.Valid = parts[1]
	s.Notes = append(s.Notes, fmt.Sprintf("%d of %d training rows are drawn by the seed for validation",
		len(s.Valid), len(s.Valid)+len(s.Train)))
	return nil
}

// noteAbsent says which classes a stored split leaves without training rows.
func (t *Table) noteAbsent(s *Split) {
	if t.Task != Classify {
		return
	}
	for c, group := range t.groups(s.Train) {
		if len(group) == 0 {
			s.Notes = append(s.Notes, fmt.Sprintf("class %q has no training row in this split", t.Classes[c]))
		}
	}
}

func allRows(n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}
