package data

import (
	"math"
	"slices"
)

// maxAutoClasses is the number of different whole numbers up to which a target counts as a class unless the task is
// given.
const maxAutoClasses = 20

// classNames returns the classes behind the different texts of a target column: sorted as numbers if all are numbers
// (of which 1 and 1.0 are the same), else as texts.
func classNames(texts []string) (names []string, numeric bool) {
	var values []float64
	for _, s := range texts {
		v, what := parseCell(s)
		if what != cellNumber {
			return slices.Clone(texts), false
		}
		values = append(values, v)
	}
	return numberNames(values), true
}

// numberNames returns the different numbers among the values, ascending, as class names.
func numberNames(values []float64) []string {
	values = slices.Clone(values)
	slices.Sort(values)
	var names []string
	for _, v := range slices.Compact(values) {
		names = append(names, formatNumber(v))
	}
	return names
}

// fewWholeNumbers is the rule by which a target of unknown task is a class.
func fewWholeNumbers(classes []string, numeric bool) bool {
	if !numeric {
		return true
	}
	for _, c := range classes {
		if v, _ := parseCell(c); v != math.Trunc(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return len(classes) <= maxAutoClasses
}

// classIndex returns a look-up from class name to class.
func classIndex(classes []string) map[string]int32 {
	m := make(map[string]int32, len(classes))
	for i, c := range classes {
		m[c] = int32(i)
	}
	return m
}

// className returns a target cell as the class names write it.
func className(s string, index map[string]int32) string {
	if _, known := index[s]; known {
		return s
	}
	if v, what := parseCell(s); what == cellNumber {
		return formatNumber(v)
	}
	return s
}
