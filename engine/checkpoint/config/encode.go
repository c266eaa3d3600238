package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Encode returns a struct, or what a pointer to one points to, as YAML: keys in the order of the fields, those of
// maps sorted. It checks that Decode gives the same back, so what it returns is never less than what it was given.
func Encode(from any) ([]byte, error) {
	v := reflect.ValueOf(from)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return nil, fmt.Errorf("encode configuration: wanted a struct, not %T", from)
	}
	data, err := encodeRoot(v)
	if err != nil {
		return nil, fmt.Errorf("encode configuration: %w", err)
	}
	back := reflect.New(v.Type())
	if err := Decode("encoded configuration", data, back.Interface()); err != nil {
		return nil, fmt.Errorf("encode configuration: it does not read back: %w", err)
	}
	if again, err := encodeRoot(back.Elem()); err != nil || !bytes.Equal(again, data) {
		return nil, fmt.Errorf("encode configuration: it reads back as something else: %.200q", data)
	}
	return data, nil
}

// encodeRoot returns the document of a struct.
func encodeRoot(v reflect.Value) ([]byte, error) {
	e := encoder{}
	err := e.mapping(v, 0)
	if len(e.out) == 0 {
		e.out = []byte("{}\n")
	}
	return e.out, err
}

// encoder writes blocks for structs and maps, and lists in brackets where they hold scalars only.
type encoder struct{ out []byte }

// mapping writes the keys of a struct or map at an indentation; it writes nothing if there are none.
func (e *encoder) mapping(v reflect.Value, indent int) error {
	for _, p := range entries(v) {
		e.out = append(e.out, strings.Repeat(" ", indent)...)
		e.out = append(e.out, quote(p.key)...)
		e.out = append(e.out, ':')
		if err := e.value(p.value, indent); err != nil {
			return fmt.Errorf("%s: %w", p.key, err)
		}
	}
	return nil
}

// pair is a key with its value.
type pair struct {
	key   string
	value reflect.Value
}

// entries lists what a struct or map holds in the order in which it is written.
func entries(v reflect.Value) []pair {
	var ps []pair
	if v.Kind() == reflect.Struct {
		for _, f := range fieldsOf(v.Type(), nil) {
			ps = append(ps, pair{f.key, v.FieldByIndex(f.index)})
		}
		return ps
	}
	for _, k := range v.MapKeys() {
		ps = append(ps, pair{k.String(), v.MapIndex(k)})
	}
	slices.SortFunc(ps, func(a, b pair) int { return strings.Compare(a.key, b.key) })
	return ps
}

// value writes what follows a colon or dash, with the end of the line.
func (e *encoder) value(v reflect.Value, indent int) error {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			e.out = append(e.out, " null\n"...)
			return nil
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Struct, reflect.Map:
		if v.Kind() == reflect.Map && v.Type().Key().Kind() != reflect.String {
			return fmt.Errorf("keys of type %s cannot be configured", v.Type().Key())
		}
		if len(entries(v)) == 0 {
			e.out = append(e.out, " {}\n"...)
			return nil
		}
		e.out = append(e.out, '\n')
		return e.mapping(v, indent+2)
	case reflect.Slice:
		return e.list(v, indent)
	}
	s, err := scalar(v)
	e.out = append(append(append(e.out, ' '), s...), '\n')
	return err
}

// list writes a list: each item under its own dash, or all in brackets if they are scalars.
func (e *encoder) list(v reflect.Value, indent int) error {
	items := make([]string, v.Len())
	for i := range items {
		var err error
		if items[i], err = scalar(v.Index(i)); err != nil {
			return e.dashes(v, indent)
		}
	}
	e.out = append(e.out, " ["+strings.Join(items, ", ")+"]\n"...)
	return nil
}

// dashes writes each item of a list on lines of its own.
func (e *encoder) dashes(v reflect.Value, indent int) error {
	e.out = append(e.out, '\n')
	for i := range v.Len() {
		e.out = append(append(e.out, strings.Repeat(" ", indent+2)...), '-')
		if err := e.value(v.Index(i), indent+2); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return nil
}

// scalar prints a value that takes one line; others are an error.
func scalar(v reflect.Value) (string, error) {
	if v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	if v.IsValid() && v.Type() == reflect.TypeFor[time.Duration]() {
		return time.Duration(v.Int()).String(), nil
	}
	switch v.Kind() {
	case reflect.Interface:
		return "null", nil
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.FormatUint(v.Uint(), 10), nil
	case reflect.Float32, reflect.Float64:
		return number(v.Float(), v.Type().Bits()), nil
	case reflect.String:
		return quote(v.String()), nil
	}
	return "", fmt.Errorf("a value of type %s cannot be configured", v.Type())
}

// number prints a float so that it reads back to the same bits and never looks like an integer.
func number(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return ".nan"
	case math.IsInf(f, 1):
		return ".inf"
	case math.IsInf(f, -1):
		return "-.inf"
	}
	s := strconv.FormatFloat(f, 'g', -1, bits)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// word is a text that needs no quotes: it starts like a name or path and has no character with a meaning.
var word = regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_./-]*$`)

// quote prints a text, in quotes where YAML, in any version, could take it for something else.
func quote(s string) string {
	reserved := []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"}
	if word.MatchString(s) && !slices.Contains(reserved, strings.ToLower(s)) {
		return s
	}
	var b bytes.Buffer
	j := json.NewEncoder(&b) // the escapes of JSON are those of YAML
	j.SetEscapeHTML(false)
	if err := j.Encode(s); err != nil {
		panic("config: a text did not encode: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}
