package pickle

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// maxLine caps the lines of protocol 0, which hold numbers, names and short texts.
const maxLine = 1 << 16

// run performs one instruction; each case names it as Python's pickletools do.
func (m *machine) run(op byte) error {
	switch op {
	case '(': // MARK
		m.marks = append(m.marks, len(m.stack))
		return nil
	case '0': // POP
		if k := len(m.marks); k > 0 && m.marks[k-1] == len(m.stack) {
			m.marks = m.marks[:k-1]
			return nil
		}
		_, err := m.pop(1)
		return err
	case '1': // POP_MARK
		_, err := m.popMark()
		return err
	case '2': // DUP
		v, err := m.top()
		if err != nil {
			return err
		}
		return m.push(v)
	case 0x80: // PROTO
		v, err := m.byte()
		if err == nil && v > 5 {
			err = fmt.Errorf("protocol %d: want 0 to 5", v)
		}
		return err
	case 0x95: // FRAME
		_, err := m.uint(8)
		return err
	case 'N', 0x88, 0x89, 'I', 'L', 'F', 'J', 'K', 'M', 0x8a, 'G':
		return m.number(op)
	case 'S', 'V', 'T', 'U', 'X', 'B', 'C', 0x8c, 0x8d, 0x8e, 0x96:
		return m.text(op)
	case 'g', 'h', 'j', 'p', 'q', 'r', 0x94:
		return m.remember(op)
	case 'c', 0x93, 'R', 0x81, 'b':
		return m.object(op)
	}
	return m.container(op)
}

// number pushes None, a truth value or a number.
func (m *machine) number(op byte) error {
	switch op {
	case 'N': // NONE
		return m.push(nil)
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		return m.push(op == 0x88)
	case 'J': // BININT
		u, err := m.uint(4)
		return m.pushed(int64(int32(u)), err)
	case 'K': // BININT1
		u, err := m.uint(1)
		return m.pushed(int64(u), err)
	case 'M': // BININT2
		u, err := m.uint(2)
		return m.pushed(int64(u), err)
	case 0x8a: // LONG1
		n, err := m.byte()
		if err == nil && n > 8 {
			err = fmt.Errorf("an integer of %d bytes: want at most 8", n)
		}
		if err != nil {
			return err
		}
		u, err := m.uint(int(n))
		shift := 64 - 8*int(n)
		return m.pushed(int64(u<<shift)>>shift, err)
	case 'G': // BINFLOAT
		b, err := m.bytes(8)
		if err != nil {
			return err
		}
		return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	}
	s, err := m.line()
	if err != nil {
		return err
	}
	switch {
	case op == 'I' && (s == "00" || s == "01"):
		return m.push(s == "01")
	case op == 'F': // FLOAT
		v, err := strconv.ParseFloat(s, 64)
		return m.pushed(v, err)
	}
	v, err := strconv.ParseInt(strings.TrimSuffix(s, "L"), 10, 64) // INT, LONG
	return m.pushed(v, err)
}

func (m *machine) pushed(v any, err error) error {
	if err != nil {
		return err
	}
	return m.push(v)
}

// text pushes a text, or bytes.
func (m *machine) text(op byte) error {
	size := 0
	switch op {
	case 'S', 'V': // STRING, UNICODE
		s, err := m.line()
		if err == nil && op == 'S' {
			s, err = unquote(s)
		} else if err == nil {
			s, err = unescape(s)
		}
		return m.pushed(s, err)
	case 'U', 'C', 0x8c: // SHORT_BINSTRING, SHORT_BINBYTES, SHORT_BINUNICODE
		size = 1
	case 'T', 'B', 'X': // BINSTRING, BINBYTES, BINUNICODE
		size = 4
	default: // BINUNICODE8, BINBYTES8, BYTEARRAY8
		size = 8
	}
	n, err := m.uint(size)
	if err != nil {
		return err
	}
	b, err := m.bytes(n)
	if err != nil {
		return err
	}
	return m.push(string(b))
}

// unquote reads the quoted text of protocol 0 with its escapes.
func unquote(s string) (string, error) {
	n := len(s)
	if n < 2 || s[0] != s[n-1] || s[0] != '\'' && s[0] != '"' {
		return "", fmt.Errorf("want a quoted text, got %.40q", s)
	}
	var b strings.Builder
	for rest := s[1 : n-1]; rest != ""; {
		if rest[0] != '\\' {
			b.WriteByte(rest[0])
			rest = rest[1:]
			continue
		}
		if len(rest) > 1 && strings.IndexByte("'\"", rest[1]) >= 0 {
			b.WriteByte(rest[1])
			rest = rest[2:]
			continue
		}
		c, _, tail, err := strconv.UnquoteChar(rest, 0)
		if err != nil || c > 255 {
			return "", fmt.Errorf("want the escapes of a text of bytes, got %.8q", rest)
		}
		b.WriteByte(byte(c))
		rest = tail
	}
	return b.String(), nil
}

// unescape reads the text of protocol 0: latin1 with the escapes \uXXXX and \UXXXXXXXX, where other backslashes stand
// for themselves.
func unescape(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 == len(s) || s[i+1] != 'u' && s[i+1] != 'U' {
			b.WriteRune(rune(s[i]))
			i++
			continue
		}
		r, _, tail, err := strconv.UnquoteChar(s[i:], 0)
		if err != nil {
			return "", fmt.Errorf("want an escape like \\u0041, got %.10q", s[i:])
		}
		b.WriteRune(r)
		i = len(s) - len(tail)
	}
	return b.String(), nil
}

// remember stores the top of the stack under a number, or pushes what was stored.
func (m *machine) remember(op byte) error {
	var k uint64
	var err error
	switch op {
	case 'h', 'q': // BINGET, BINPUT
		k, err = m.uint(1)
	case 'j', 'r': // LONG_BINGET, LONG_BINPUT
		k, err = m.uint(4)
	case 0x94: // MEMOIZE
		k = uint64(len(m.memo))
	default: // GET, PUT
		var s string
		if s, err = m.line(); err == nil {
			k, err = strconv.ParseUint(s, 10, 32)
		}
	}
	if err != nil {
		return err
	}
	if op == 'g' || op == 'h' || op == 'j' {
		v, ok := m.memo[uint32(k)]
		if !ok {
			return fmt.Errorf("the value %d was never stored", k)
		}
		return m.push(v)
	}
	v, err := m.top()
	if err == nil {
		m.memo[uint32(k)] = v
	}
	return err
}

// object pushes the name of a class, notes what it is called with, or with which state an object is filled.
func (m *machine) object(op byte) error {
	if op == 'c' { // GLOBAL
		module, err := m.line()
		if err != nil {
			return err
		}
		name, err := m.line()
		if err != nil {
			return err
		}
		c, err := m.class(module, name)
		return m.pushed(c, err)
	}
	two, err := m.pop(2)
	if err != nil {
		return err
	}
	first, second := two[0], two[1]
	if op == 0x93 { // STACK_GLOBAL
		module, ok1 := first.(string)
		name, ok2 := second.(string)
		if !ok1 || !ok2 {
			return fmt.Errorf("the name of a class must be text")
		}
		c, err := m.class(module, name)
		return m.pushed(c, err)
	}
	if op == 'b' { // BUILD
		o, ok := first.(*Object)
		if !ok {
			return fmt.Errorf("a state for %T: want an object", first)
		}
		o.State = second
		return m.push(o)
	}
	c, ok := first.(Class) // REDUCE, NEWOBJ
	args, tuple := second.(Tuple)
	if !ok || !tuple {
		return fmt.Errorf("a call of %T with %T: want a class and a tuple", first, second)
	}
	return m.create(&Object{Class: c, Args: args})
}

// container makes and fills lists, tuples and dictionaries.
func (m *machine) container(op byte) error {
	switch op {
	case ']': // EMPTY_LIST
		return m.create(&List{})
	case ')': // EMPTY_TUPLE
		return m.create(Tuple{})
	case '}': // EMPTY_DICT
		return m.create(&Dict{})
	case 0x85, 0x86, 0x87: // TUPLE1, TUPLE2, TUPLE3
		v, err := m.pop(int(op) - 0x84)
		if err != nil {
			return err
		}
		return m.create(append(Tuple{}, v...))
	case 'a', 's': // APPEND, SETITEM
		n := 1
		if op == 's' {
			n = 2
		}
		v, err := m.pop(n)
		if err != nil {
			return err
		}
		return m.fill(op == 's', v)
	case 't', 'l', 'd', 'e', 'u': // TUPLE, LIST, DICT, APPENDS, SETITEMS
	default:
		return fmt.Errorf("the instruction %q is not allowed", op)
	}
	v, err := m.popMark()
	if err != nil {
		return err
	}
	switch op {
	case 't':
		return m.create(append(Tuple{}, v...))
	case 'l':
		return m.create(&List{append([]any{}, v...)})
	case 'd':
		d := &Dict{}
		if err := d.add(v); err != nil {
			return err
		}
		return m.create(d)
	}
	return m.fill(op == 'u', v)
}

// fill adds items to the list, or pairs to the dictionary or object, on top of the stack.
func (m *machine) fill(pairs bool, v []any) error {
	top, err := m.top()
	if err != nil {
		return err
	}
	switch c := top.(type) {
	case *List:
		if !pairs {
			c.Items = append(c.Items, v...)
			return nil
		}
	case *Dict:
		if pairs {
			return c.add(v)
		}
	case *Object:
		if pairs {
			return c.Items.add(v)
		}
	}
	return fmt.Errorf("items for %T: want a list, or a dictionary for pairs", top)
}

// add appends keys and values that take turns.
func (d *Dict) add(v []any) error {
	if len(v)%2 != 0 {
		return fmt.Errorf("a key without a value")
	}
	for i := 0; i < len(v); i += 2 {
		d.Keys, d.Values = append(d.Keys, v[i]), append(d.Values, v[i+1])
	}
	return nil
}
