package data

import (
	"math"
	"strconv"
	"strings"
)

// cell is what a field of a text table holds.
type cell uint8

const (
	cellMissing cell = iota
	cellNumber
	cellText
)

// isMissing says whether a field stands for a value that is not there: empty, NA, N/A, NaN, null or ?, in any case.
func isMissing(s string) bool {
	switch len(s) {
	case 0:
		return true
	case 1:
		return s == "?"
	case 2, 3, 4:
		return strings.EqualFold(s, "NA") || strings.EqualFold(s, "N/A") || strings.EqualFold(s, "NaN") ||
			strings.EqualFold(s, "null")
	}
	return false
}

// parseCell reads a field. A number is decimal with an optional exponent, or inf with an optional sign; what is
// beyond float64 counts as text, so that it is reported and not rounded to infinity.
func parseCell(s string) (float64, cell) {
	if isMissing(s) {
		return math.NaN(), cellMissing
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c == '.', c == '-', c == '+', c == 'e', c == 'E':
		default:
			return parseInf(s)
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, cellText
	}
	return v, cellNumber
}

func parseInf(s string) (float64, cell) {
	word := strings.TrimLeft(s, "+-")
	if len(s)-len(word) > 1 || !strings.EqualFold(word, "inf") && !strings.EqualFold(word, "infinity") {
		return 0, cellText
	}
	if s[0] == '-' {
		return math.Inf(-1), cellNumber
	}
	return math.Inf(1), cellNumber
}

// formatNumber writes a number as a class name: the shortest text that reads back as the same number, whole numbers
// without an exponent.
func formatNumber(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
