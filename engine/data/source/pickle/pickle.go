// Package pickle reads the pickles of Python, protocols 0 to 5, without doing anything that they ask for: no class is
// looked up, no function is called. Plain values come back as they are; what a pickle would build comes back as an
// Object that says which class it names and with which arguments, and any class that the caller does not list ends the
// reading. Array and CSR make sense of the objects of numpy and scipy.
package pickle

import (
	"bytes"
	"fmt"
	"strings"
)

// maxObjects caps lists, tuples, dictionaries and objects, of which each takes more memory than its byte in the file.
const maxObjects = 1 << 22

// A value is nil, bool, int64, float64, string (text and bytes alike), *List, Tuple, *Dict, Class or *Object.
type (
	// List is a list; a pickle may put one inside itself.
	List struct{ Items []any }
	// Tuple is a tuple.
	Tuple []any
	// Dict is a dictionary as a list of keys and one of their values, in the order of the file.
	Dict struct{ Keys, Values []any }
	// Class is the name of a class or function: its module and its name in it.
	Class struct{ Module, Name string }
	// Object is what a class or function would have made: its arguments, the state given to it afterwards, nil if
	// there is none, and the items that were put into it as a dictionary.
	Object struct {
		Class Class
		Args  Tuple
		State any
		Items Dict
	}
)

// String is the name as Python writes it.
func (c Class) String() string { return c.Module + "." + c.Name }

// SyntaxError says where a pickle is damaged, or asks for what is not allowed.
type SyntaxError struct {
	Byte int64 // offset of the instruction
	Text string
}

// Error reads like: byte 12: the class posix.system is not allowed.
func (e *SyntaxError) Error() string { return fmt.Sprintf("byte %d: %s", e.Byte, e.Text) }

// Parse reads the pickle that data holds. Only the classes of allow are accepted, each written as "module name". The
// error is a *SyntaxError.
func Parse(data []byte, allow []string) (any, error) {
	m := machine{data: data, allow: allow, memo: map[uint32]any{}}
	for {
		start := m.at
		op, err := m.byte()
		if err == nil {
			if op == '.' {
				return m.result(start)
			}
			err = m.run(op)
		}
		if err != nil {
			return nil, &SyntaxError{int64(start), err.Error()}
		}
	}
}

// machine is the stack machine of a pickle.
type machine struct {
	data    []byte
	at      int
	allow   []string
	stack   []any
	marks   []int // heights of the stack
	memo    map[uint32]any
	objects int
}

func (m *machine) result(start int) (any, error) {
	if len(m.stack) != 1 || len(m.marks) != 0 {
		return nil, &SyntaxError{int64(start),
			fmt.Sprintf("the end with %d values on the stack: want one", len(m.stack))}
	}
	return m.stack[0], nil
}

func (m *machine) push(v any) error {
	m.stack = append(m.stack, v)
	return nil
}

// create pushes a value that counts towards the cap.
func (m *machine) create(v any) error {
	if m.objects++; m.objects > maxObjects {
		return fmt.Errorf("more than %d lists, tuples, dictionaries and objects", maxObjects)
	}
	return m.push(v)
}

// pop takes n values off the stack, the lowest first, but none below the last mark.
func (m *machine) pop(n int) ([]any, error) {
	floor := 0
	if k := len(m.marks); k > 0 {
		floor = m.marks[k-1]
	}
	if len(m.stack)-floor < n {
		return nil, fmt.Errorf("an instruction wants %d values, the stack has %d", n, len(m.stack)-floor)
	}
	top := m.stack[len(m.stack)-n:]
	m.stack = m.stack[:len(m.stack)-n]
	return top, nil
}

// popMark takes the values above the last mark, and the mark. The slice is valid until the next push.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, fmt.Errorf("an instruction wants a mark, there is none")
	}
	floor := m.marks[len(m.marks)-1]
	m.marks = m.marks[:len(m.marks)-1]
	top := m.stack[floor:]
	m.stack = m.stack[:floor]
	return top, nil
}

// top is the value on top of the stack, above the last mark.
func (m *machine) top() (any, error) {
	n := len(m.stack)
	if n == 0 || len(m.marks) > 0 && m.marks[len(m.marks)-1] == n {
		return nil, fmt.Errorf("an instruction wants a value on the stack, there is none")
	}
	return m.stack[n-1], nil
}

func (m *machine) byte() (byte, error) {
	if m.at == len(m.data) {
		return 0, fmt.Errorf("the pickle is cut off")
	}
	m.at++
	return m.data[m.at-1], nil
}

// bytes takes n bytes without copying them.
func (m *machine) bytes(n uint64) ([]byte, error) {
	if left := len(m.data) - m.at; n > uint64(left) {
		return nil, fmt.Errorf("the pickle is cut off: want %d bytes, there are %d", n, left)
	}
	m.at += int(n)
	return m.data[m.at-int(n) : m.at], nil
}

// uint takes a number of n bytes, the least first.
func (m *machine) uint(n int) (uint64, error) {
	b, err := m.bytes(uint64(n))
	u := uint64(0)
	for i, c := range b {
		u |= uint64(c) << (8 * i)
	}
	return u, err
}

// line takes the text up to the end of the line.
func (m *machine) line() (string, error) {
	i := bytes.IndexByte(m.data[m.at:min(len(m.data), m.at+maxLine)], '\n')
	if i < 0 {
		return "", fmt.Errorf("want a line of at most %d bytes", maxLine)
	}
	s := string(m.data[m.at : m.at+i])
	m.at += i + 1
	return s, nil
}

// class checks a name against the list.
func (m *machine) class(module, name string) (Class, error) {
	c := Class{module, name}
	for _, a := range m.allow {
		if a == module+" "+name {
			return c, nil
		}
	}
	return c, fmt.Errorf("the class %.80q is not allowed: a data file names only %s", c, strings.Join(m.allow, ", "))
}
