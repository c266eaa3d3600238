package source

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"regexp"
	"strconv"
	"strings"
)

// An .npy header may be this long and have this many dimensions.
const (
	maxHeader = 64 << 10
	maxDims   = 8
)

// arrayHeader is the head of an .npy file: what the elements are and how they lie.
type arrayHeader struct {
	kind    byte // b bool, i signed, u unsigned, f float
	size    int  // bytes an element: 1, 2, 4 or 8
	big     bool // big-endian
	fortran bool // the first index runs fastest
	shape   []int
}

// String is numpy's name of the element type.
func (h arrayHeader) String() string {
	switch h.kind {
	case 'b':
		return "bool"
	case 'u':
		return fmt.Sprintf("uint%d", 8*h.size)
	case 'f':
		return fmt.Sprintf("float%d", 8*h.size)
	}
	return fmt.Sprintf("int%d", 8*h.size)
}

// elements is the product of the shape; false if it or the number of bytes overflows.
func (h arrayHeader) elements() (int, bool) {
	n := uint64(1)
	for _, s := range h.shape {
		hi, lo := bits.Mul64(n, uint64(s))
		if hi != 0 || lo > 1<<48 {
			return 0, false
		}
		n = lo
	}
	return int(n), n <= 1<<48/8
}

// readArrayHeader reads the head of an .npy file and returns it with its length in bytes.
func readArrayHeader(r io.Reader) (arrayHeader, int, error) {
	var fixed [12]byte
	if _, err := io.ReadFull(r, fixed[:10]); err != nil {
		return arrayHeader{}, 0, fmt.Errorf("the array's head is cut off: %w", err)
	}
	if string(fixed[:6]) != "\x93NUMPY" {
		return arrayHeader{}, 0, fmt.Errorf("want the mark \"\\x93NUMPY\", got %q", fixed[:6])
	}
	length, before := int(binary.LittleEndian.Uint16(fixed[8:])), 10
	switch fixed[6] {
	case 1:
	case 2, 3:
		if _, err := io.ReadFull(r, fixed[10:12]); err != nil {
			return arrayHeader{}, 0, fmt.Errorf("the array's head is cut off: %w", err)
		}
		long := binary.LittleEndian.Uint32(fixed[8:])
		if long > maxHeader {
			return arrayHeader{}, 0, fmt.Errorf("want a head of at most %d bytes, got %d", maxHeader, long)
		}
		length, before = int(long), 12
	default:
		return arrayHeader{}, 0, fmt.Errorf("want .npy version 1, 2 or 3, got %d", fixed[6])
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return arrayHeader{}, 0, fmt.Errorf("the array's head is cut off: %w", err)
	}
	h, err := parseArrayHeader(string(text))
	return h, before + length, err
}

var (
	headForm  = regexp.MustCompile(`^\s*\{\s*((?:'\w+'\s*:\s*(?:'[^']*'|True|False|\([^()]*\))\s*,?\s*)+)\}\s*$`)
	headEntry = regexp.MustCompile(`'(\w+)'\s*:\s*('[^']*'|True|False|\([^()]*\))`)
	descrForm = regexp.MustCompile(`^'([<>|=]?)([biuf])([1248])'$`)
)

// parseArrayHeader reads the Python dictionary of an .npy head: descr, fortran_order and shape, each once, in any
// order.
func parseArrayHeader(text string) (arrayHeader, error) {
	var h arrayHeader
	form := headForm.FindStringSubmatch(text)
	if form == nil {
		return h,
			fmt.Errorf("want a head like {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, got %.100q", text)
	}
	seen := map[string]string{}
	for _, kv := range headEntry.FindAllStringSubmatch(form[1], -1) {
		if _, twice := seen[kv[1]]; twice {
			return h, fmt.Errorf("the key %q stands twice in the array's head", kv[1])
		}
		seen[kv[1]] = kv[2]
	}
	if len(seen) != 3 {
		return h, fmt.Errorf("want the keys descr, fortran_order and shape in the array's head, got %.100q", text)
	}
	d := descrForm.FindStringSubmatch(seen["descr"])
	if d == nil || d[2] == "b" && d[3] != "1" || d[2] == "f" && d[3] < "4" {
		return h, fmt.Errorf("want elements of bool, int8 to uint64, float32 or float64, got %.40s", seen["descr"])
	}
	h.big, h.kind, h.size = d[1] == ">", d[2][0], int(d[3][0]-'0')
	switch seen["fortran_order"] {
	case "True":
		h.fortran = true
	case "False":
	default:
		return h, fmt.Errorf("want fortran_order True or False, got %.40q", seen["fortran_order"])
	}
	return h, h.parseShape(seen["shape"])
}

// parseShape reads a Python tuple of sizes: (), (3,) or (3, 4).
func (h *arrayHeader) parseShape(tuple string) error {
	inner := strings.TrimSuffix(strings.TrimPrefix(tuple, "("), ")")
	if len(inner)+2 != len(tuple) {
		return fmt.Errorf("want a shape like (3, 4), got %.40q", tuple)
	}
	inner = strings.TrimSuffix(strings.TrimSpace(inner), ",")
	if inner != "" {
		for part := range strings.SplitSeq(inner, ",") {
			n, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(part), "L"), 10, 47)
			if err != nil || len(h.shape) == maxDims {
				return fmt.Errorf("want a shape of at most %d sizes, got %.40q", maxDims, tuple)
			}
			h.shape = append(h.shape, int(n))
		}
	}
	if _, ok := h.elements(); !ok {
		return fmt.Errorf("the shape %.60s is larger than any file", tuple)
	}
	return nil
}
