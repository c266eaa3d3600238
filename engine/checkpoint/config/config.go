// Package config reads and writes YAML configuration strictly: a key that the program does not know, a key given
// twice, or a value that does not fit its field exactly is an error with the file, the line and what was expected.
// Anchors, aliases, tags and several documents in one file are not taken.
package config

import (
	"fmt"
	"io"
	"os"
	"reflect"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds on what is parsed: the parser's time grows with the square of the nesting.
const (
	maxBytes = 1 << 16
	maxFlow  = 32  // brackets within brackets
	maxBlock = 256 // columns of indentation, which bound the nesting of blocks
)

// Read decodes the file into the struct that into points to; see Decode.
func Read(path string, into any) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return fmt.Errorf("read configuration %s: %w", path, err)
	}
	return Decode(path, data, into)
}

// Decode decodes YAML into the struct that into points to. Keys are the fields' names in their yaml tags, or the
// field names in lower case; fields without a key in the data keep their values. Only the data is at fault for an
// error: name, the line and the key stand in it. After an error the struct may be partly filled.
func Decode(name string, data []byte, into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("%s: configuration is decoded into a pointer to a struct, not %T", name, into)
	}
	body, err := parse(data)
	if err == nil && body != nil {
		err = decodeValue(body, v.Elem(), "")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// parse returns the root of the document, nil if it is empty.
func parse(data []byte) (ast.Node, error) {
	if len(data) > maxBytes {
		return nil, fmt.Errorf("longer than %d bytes", maxBytes)
	}
	tokens := lexer.Tokenize(string(data))
	if err := checkNesting(tokens); err != nil {
		return nil, err
	}
	f, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, syntaxError(err)
	}
	var body ast.Node
	for _, d := range f.Docs {
		if body != nil && d.Body != nil {
			return nil, fmt.Errorf("line %d: a second document begins: one is expected", line(d.Body))
		}
		if d.Body != nil {
			body = d.Body
		}
	}
	return body, nil
}

// checkNesting refuses what would take the parser long.
func checkNesting(tokens token.Tokens) error {
	flow := 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType:
			if flow == 0 && t.Position.Column > maxBlock {
				return fmt.Errorf("line %d: indented by more than %d columns", t.Position.Line, maxBlock)
			}
		case token.AnchorType, token.AliasType, token.TagType, token.MergeKeyType:
			return fmt.Errorf("line %d: %q: anchors, aliases and tags are not taken", t.Position.Line, t.Value)
		}
		if flow > maxFlow {
			return fmt.Errorf("line %d: nested deeper than %d", t.Position.Line, maxFlow)
		}
	}
	return nil
}

// syntaxError shortens the parser's error to one line.
func syntaxError(err error) error {
	if e, ok := err.(yaml.Error); ok && e.GetToken() != nil {
		return fmt.Errorf("line %d: %s", e.GetToken().Position.Line, e.GetMessage())
	}
	return err
}
