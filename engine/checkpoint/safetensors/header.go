package safetensors

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

const (
	maxHeader   = 100_000_000 // the largest header, in bytes, that is read or written
	maxMetadata = 1 << 16     // the most metadata keys: a map takes far more memory than the text of its keys
)

// The kinds of error a file can give, for errors.Is.
var (
	ErrFormat   = errors.New("not a valid safetensors file") // the file breaks a rule of the format
	ErrChecksum = errors.New("checksum differs")             // the file is well-formed, but its bytes have changed
)

// Entry is one tensor of a header. Its bytes are [Begin, End) of the data that follows the header.
type Entry struct {
	Name       string
	DType      DType
	Shape      []int
	Begin, End int64
}

// parser reads the JSON of a header: exactly the objects the format has, so that every deviation is an error with a
// byte offset.
type parser struct {
	b        []byte
	pos      int
	entries  []Entry
	meta     map[string]string
	sums     int // offset in b of the value of the checksum key, 0 if there is none
	seenMeta bool
}

// fail returns an error at the current position, counted from the start of the file.
func (p *parser) fail(format string, args ...any) error {
	return fmt.Errorf("%w: byte %d: %s", ErrFormat, lengthBytes+p.pos, fmt.Sprintf(format, args...))
}

// peek skips white space and returns the next byte, 0 at the end.
func (p *parser) peek() byte {
	for ; p.pos < len(p.b); p.pos++ {
		switch c := p.b[p.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// expect consumes the byte c.
func (p *parser) expect(c byte) error {
	if got := p.peek(); got != c || p.pos == len(p.b) {
		return p.fail("expected %q", c)
	}
	p.pos++
	return nil
}

// list reads open, items separated by commas, close.
func (p *parser) list(open, end byte, item func() error) error {
	if err := p.expect(open); err != nil {
		return err
	}
	if p.peek() == end {
		p.pos++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if p.peek() != ',' {
			return p.expect(end)
		}
		p.pos++
	}
}

// object reads an object, calling value for each key with the parser at the value.
func (p *parser) object(value func(key string) error) error {
	return p.list('{', '}', func() error {
		key, err := p.text()
		if err != nil {
			return err
		}
		if err := p.expect(':'); err != nil {
			return err
		}
		return value(key)
	})
}

// text reads a JSON string.
func (p *parser) text() (string, error) {
	if err := p.expect('"'); err != nil {
		return "", err
	}
	start, plain := p.pos, true
	for ; p.pos < len(p.b) && p.b[p.pos] != '"'; p.pos++ {
		switch c := p.b[p.pos]; {
		case c == '\\':
			plain = false
			p.pos++
		case c < 0x20:
			return "", p.fail("control character in a string")
		}
	}
	if p.pos >= len(p.b) {
		p.pos = len(p.b)
		return "", p.fail("string without end")
	}
	raw := p.b[start:p.pos]
	p.pos++
	if !utf8.Valid(raw) {
		return "", p.fail("string is not UTF-8")
	}
	if plain {
		return string(raw), nil
	}
	var s string
	if err := json.Unmarshal(p.b[start-1:p.pos], &s); err != nil {
		return "", p.fail("bad string: %v", err)
	}
	return s, nil
}

// number reads a non-negative integer without sign, fraction, exponent or leading zero, at most max.
func (p *parser) number(max int64) (int64, error) {
	p.peek()
	start, n := p.pos, int64(0)
	for ; p.pos < len(p.b) && p.b[p.pos] >= '0' && p.b[p.pos] <= '9'; p.pos++ {
		digit := int64(p.b[p.pos] - '0')
		if n > (max-digit)/10 {
			return 0, p.fail("number above %d", max)
		}
		n = n*10 + digit
	}
	if p.pos == start || p.b[start] == '0' && p.pos > start+1 {
		return 0, p.fail("expected a non-negative integer")
	}
	return n, nil
}

// header reads the whole header.
func (p *parser) header() error {
	if len(p.b) == 0 || p.b[0] != '{' {
		return p.fail("expected %q", '{')
	}
	err := p.object(func(key string) error {
		if key == metadataKey {
			return p.metadata()
		}
		return p.tensor(key)
	})
	if err != nil {
		return err
	}
	if p.peek(); p.pos < len(p.b) {
		return p.fail("text after the header's object")
	}
	return nil
}

// metadata reads the object of strings under __metadata__.
func (p *parser) metadata() error {
	if p.seenMeta {
		return p.fail("%s appears twice", metadataKey)
	}
	p.seenMeta = true
	return p.object(func(key string) error {
		if _, ok := p.meta[key]; ok {
			return p.fail("metadata key %q appears twice", key)
		}
		p.peek()
		start := p.pos + 1
		value, err := p.text()
		if err != nil {
			return err
		}
		if len(p.meta) == maxMetadata {
			return p.fail("more than %d metadata keys", maxMetadata)
		}
		if key == sumsKey {
			p.sums = start
		}
		p.meta[key] = value
		return nil
	})
}

// tensor reads one tensor's object: dtype, shape and data_offsets, each once, in any order, and nothing else.
func (p *parser) tensor(name string) error {
	e := Entry{Name: name}
	var seen [3]bool
	err := p.object(func(key string) error {
		i := slices.Index([]string{"dtype", "shape", "data_offsets"}, key)
		if i < 0 || seen[i] {
			return p.fail("tensor %q: key %q is unknown or appears twice", name, key)
		}
		seen[i] = true
		switch i {
		case 0:
			return p.dtype(&e)
		case 1:
			return p.shape(&e)
		}
		return p.offsets(&e)
	})
	if err != nil {
		return err
	}
	if seen != [3]bool{true, true, true} {
		return p.fail("tensor %q: dtype, shape and data_offsets are required", name)
	}
	if n, ok := span(e.DType, e.Shape); !ok || n != e.End-e.Begin {
		return p.fail("tensor %q: %s%v does not take the %d bytes of its offsets", name, e.DType, e.Shape,
			e.End-e.Begin)
	}
	p.entries = append(p.entries, e)
	return nil
}

// dtype reads the name of an element type.
func (p *parser) dtype(e *Entry) error {
	s, err := p.text()
	if err != nil {
		return err
	}
	if e.DType = DType(s); e.DType.Size() == 0 {
		return p.fail("tensor %q: unknown dtype %q", e.Name, s)
	}
	return nil
}

// shape reads the list of dimensions.
func (p *parser) shape(e *Entry) error {
	return p.list('[', ']', func() error {
		if len(e.Shape) == maxRank {
			return p.fail("tensor %q: more than %d dimensions", e.Name, maxRank)
		}
		n, err := p.number(math.MaxInt)
		e.Shape = append(e.Shape, int(n))
		return err
	})
}

// offsets reads the pair of data offsets.
func (p *parser) offsets(e *Entry) error {
	n := 0
	err := p.list('[', ']', func() error {
		v, err := p.number(math.MaxInt64)
		switch n++; n {
		case 1:
			e.Begin = v
		case 2:
			e.End = v
		default:
			return p.fail("tensor %q: data_offsets has more than two numbers", e.Name)
		}
		return err
	})
	if err != nil {
		return err
	}
	if n != 2 || e.Begin > e.End {
		return p.fail("tensor %q: data_offsets must be two rising numbers", e.Name)
	}
	return nil
}
