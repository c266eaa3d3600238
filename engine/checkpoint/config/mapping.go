package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"ganglion/internal/edit"
)

// decodeSlice stores a list.
func decodeSlice(n ast.Node, v reflect.Value, path string) error {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return wrong(n, path, "a list")
	}
	v.Set(reflect.MakeSlice(v.Type(), len(list.Values), len(list.Values)))
	for i, item := range list.Values {
		if err := decodeValue(item, v.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	return nil
}

// pairs calls f for each key of a mapping, after checking that keys are texts and differ.
func pairs(n ast.Node, path string, f func(key string, at, value ast.Node) error) error {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		return wrong(n, path, "a mapping of keys to values")
	}
	seen := map[string]int{}
	for _, p := range m.Values {
		key, ok := text(p.Key)
		if !ok {
			return fmt.Errorf("line %d: a key must be a text", line(p.Key))
		}
		if first, ok := seen[key]; ok {
			return fmt.Errorf("line %d: key %q appears twice, first in line %d", line(p.Key), join(path, key), first)
		}
		seen[key] = line(p.Key)
		if err := f(key, p.Key, p.Value); err != nil {
			return err
		}
	}
	return nil
}

// join is the path of a key.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// decodeMap stores a mapping with any keys.
func decodeMap(n ast.Node, v reflect.Value, path string) error {
	if v.Type().Key().Kind() != reflect.String {
		return fmt.Errorf("%s: a field of type %s cannot be configured", path, v.Type())
	}
	v.Set(reflect.MakeMap(v.Type()))
	return pairs(n, path, func(key string, _, value ast.Node) error {
		item := reflect.New(v.Type().Elem()).Elem()
		if err := decodeValue(value, item, join(path, key)); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), item)
		return nil
	})
}

// decodeStruct stores a mapping whose keys are the fields of a struct.
func decodeStruct(n ast.Node, v reflect.Value, path string) error {
	fields := fieldsOf(v.Type(), nil)
	return pairs(n, path, func(key string, at, value ast.Node) error {
		for _, f := range fields {
			if f.key == key {
				return decodeValue(value, v.FieldByIndex(f.index), join(path, key))
			}
		}
		keys := make([]string, len(fields))
		for i, f := range fields {
			keys[i] = f.key
		}
		return unknown(at, path, key, keys)
	})
}

// unknown is the error for a key that no field has.
func unknown(at ast.Node, path, key string, keys []string) error {
	if len(keys) == 0 {
		return fmt.Errorf("line %d: unknown key %q: %s takes none", line(at), join(path, key), path)
	}
	nearest := join(path, Nearest(key, keys))
	return fmt.Errorf("line %d: unknown key %q: the nearest is %q", line(at), join(path, key), nearest)
}

// field is a settable field of a struct.
type field struct {
	key   string
	index []int
}

// fieldsOf lists the fields of a struct in their order, those of inlined structs in their place.
func fieldsOf(t reflect.Type, index []int) []field {
	var fs []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		at := append(index[:len(index):len(index)], i)
		if f.Type.Kind() == reflect.Struct && options == "inline" {
			fs = append(fs, fieldsOf(f.Type, at)...)
			continue
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		fs = append(fs, field{name, at})
	}
	return fs
}

// Nearest returns the one of keys with the fewest insertions, deletions and replacements of bytes from key, the
// first of several, "" if there are none.
func Nearest(key string, keys []string) string {
	best, least := "", -1
	for _, k := range keys {
		if d := edit.Distance(key[:min(len(key), 64)], k); least < 0 || d < least {
			best, least = k, d
		}
	}
	return best
}
