package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Dim is one named value of a size: a number or a word.
type Dim struct {
	Name  string
	Value any // int, float64 or string
}

// Size tells a case from the others of its workload. In JSON it is an object.
type Size []Dim

// String reads like: op=sgemm n=256.
func (s Size) String() string {
	words := make([]string, len(s))
	for i, d := range s {
		words[i] = fmt.Sprintf("%s=%v", d.Name, d.Value)
	}
	return strings.Join(words, " ")
}

// key is equal for sizes of equal values, whatever their order and whatever types their numbers have.
func (s Size) key() string {
	words := make([]string, len(s))
	for i, d := range s {
		words[i] = fmt.Sprintf("%s=%s", d.Name, valueKey(d.Value))
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

func valueKey(v any) string {
	switch v := v.(type) {
	case int:
		return fmt.Sprint(float64(v))
	case string:
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprint(v)
}

// MarshalJSON writes an object in the order of the list.
func (s Size) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, d := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, v := range []any{d.Name, d.Value} {
			if j > 0 {
				b.WriteByte(':')
			}
			text, err := json.Marshal(v)
			if err != nil {
				return nil, fmt.Errorf("size %v: %w", s, err)
			}
			b.Write(text)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads an object; the dimensions are in the order of their names.
func (s *Size) UnmarshalJSON(text []byte) error {
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		return err
	}
	*s = (*s)[:0]
	for name, v := range m {
		*s = append(*s, Dim{name, v})
	}
	slices.SortFunc(*s, func(a, b Dim) int { return strings.Compare(a.Name, b.Name) })
	return nil
}
