package config

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// tokenOf returns the token a node begins with, an empty one where the parser keeps none.
func tokenOf(n ast.Node) *token.Token {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t
	}
	return &token.Token{Position: &token.Position{}}
}

// line is where a node begins.
func line(n ast.Node) int { return tokenOf(n).Position.Line }

// wrong is the error for a value of the wrong kind.
func wrong(n ast.Node, path, want string) error {
	is := fmt.Sprintf("%.40q", tokenOf(n).Value)
	switch n.(type) {
	case *ast.MappingNode:
		is = "a mapping"
	case *ast.SequenceNode:
		is = "a list"
	case *ast.NullNode:
		is = "empty"
	}
	if path == "" {
		path = "the document"
	}
	return fmt.Errorf("line %d: %s must be %s, is %s", line(n), path, want, is)
}

// decodeValue stores a node in v; path is the key for messages.
func decodeValue(n ast.Node, v reflect.Value, path string) error {
	if v.Type() == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(tokenOf(n).Value)
		if err != nil {
			return wrong(n, path, "a duration such as 90s or 1h30m")
		}
		v.SetInt(int64(d))
		return nil
	}
	switch v.Kind() {
	case reflect.Struct:
		return decodeStruct(n, v, path)
	case reflect.Map:
		return decodeMap(n, v, path)
	case reflect.Slice:
		return decodeSlice(n, v, path)
	case reflect.Pointer:
		if _, ok := n.(*ast.NullNode); ok {
			v.SetZero()
			return nil
		}
		p := reflect.New(v.Type().Elem())
		v.Set(p)
		return decodeValue(n, p.Elem(), path)
	case reflect.Interface:
		return decodeAny(n, v, path)
	}
	return decodeScalar(n, v, path)
}

// decodeScalar stores a bool, number or string. Integers must fit exactly; a float takes the nearest value, within
// its range.
func decodeScalar(n ast.Node, v reflect.Value, path string) error {
	number, isNumber := plain(n)
	switch v.Kind() {
	case reflect.Bool:
		b, ok := n.(*ast.BoolNode)
		if !ok {
			return wrong(n, path, "true or false")
		}
		v.SetBool(b.Value)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(number, 10, v.Type().Bits())
		if !isNumber || err != nil {
			return wrong(n, path, fmt.Sprintf("an integer of %d bits", v.Type().Bits()))
		}
		v.SetInt(i)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		u, err := strconv.ParseUint(number, 10, v.Type().Bits())
		if !isNumber || err != nil {
			return wrong(n, path, fmt.Sprintf("a non-negative integer of %d bits", v.Type().Bits()))
		}
		v.SetUint(u)
	case reflect.Float32, reflect.Float64:
		f, ok := float(n, v.Type().Bits())
		if !ok {
			return wrong(n, path, fmt.Sprintf("a number in the range of %s", v.Type()))
		}
		v.SetFloat(f)
	case reflect.String:
		s, ok := text(n)
		if !ok {
			return wrong(n, path, "a text")
		}
		v.SetString(s)
	default:
		return fmt.Errorf("%s: a field of type %s cannot be configured", path, v.Type())
	}
	return nil
}

// decimal is how a number is written: no hexadecimal or octal, no separators, no leading zeros.
var decimal = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*|(0|[1-9][0-9]*)?\.[0-9]+|(0|[1-9][0-9]*)\.)([eE][-+]?[0-9]+)?$`)

// plain returns the text of a scalar that is written as a decimal number, without quotes. (The parser takes 1e-3
// for a string.)
func plain(n ast.Node) (string, bool) {
	t := tokenOf(n)
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return t.Value, decimal.MatchString(t.Value)
	case *ast.StringNode:
		return t.Value, t.Type == token.StringType && decimal.MatchString(t.Value)
	}
	return "", false
}

// float returns the value of a number.
func float(n ast.Node, bits int) (float64, bool) {
	switch n := n.(type) {
	case *ast.InfinityNode:
		return n.Value, true
	case *ast.NanNode:
		return math.NaN(), true
	}
	number, ok := plain(n)
	f, err := strconv.ParseFloat(number, bits)
	return f, ok && err == nil
}

// text returns the value of a text; a number or truth value without quotes is the text it was written as.
func text(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return tokenOf(n).Value, true
	}
	return "", false
}

// decodeAny stores a node in an empty interface as bool, int64, float64, string, []any, map[string]any or nil.
func decodeAny(n ast.Node, v reflect.Value, path string) error {
	if v.NumMethod() > 0 {
		return fmt.Errorf("%s: a field of type %s cannot be configured", path, v.Type())
	}
	var as reflect.Value
	switch n.(type) {
	case *ast.NullNode:
		v.SetZero()
		return nil
	case *ast.MappingNode:
		as = reflect.New(reflect.TypeFor[map[string]any]())
	case *ast.SequenceNode:
		as = reflect.New(reflect.TypeFor[[]any]())
	case *ast.BoolNode:
		as = reflect.New(reflect.TypeFor[bool]())
	case *ast.InfinityNode, *ast.NanNode:
		as = reflect.New(reflect.TypeFor[float64]())
	default:
		as = reflect.New(reflect.TypeFor[string]())
		if number, ok := plain(n); ok && strings.ContainsAny(number, ".eE") {
			as = reflect.New(reflect.TypeFor[float64]())
		} else if ok {
			as = reflect.New(reflect.TypeFor[int64]())
		}
	}
	if err := decodeValue(n, as.Elem(), path); err != nil {
		return err
	}
	v.Set(as.Elem())
	return nil
}
