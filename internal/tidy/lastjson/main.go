// Command lastjson checks that the last line of standard input is one JSON object with certain values.
//
//	ganglion train --json | go run ./internal/tidy/lastjson command=train loss.test run
//
// An argument is a path of keys, which must lead to a value other than null, or such a path with the value that is
// wanted.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	data, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = check(string(data), os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "lastjson:", err)
		os.Exit(1)
	}
}

// check applies the wants to the last line of a text.
func check(text string, wants []string) error {
	text = strings.TrimRight(text, "\r\n")
	line := text[strings.LastIndex(text, "\n")+1:]
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		return fmt.Errorf("the last line is no JSON object: %w: %q", err, line)
	}
	if d.More() {
		return fmt.Errorf("the last line holds more than one JSON value: %q", line)
	}
	for _, w := range wants {
		path, value, given := strings.Cut(w, "=")
		got, err := lookup(object, path)
		if err != nil {
			return err
		}
		if text := fmt.Sprint(got); given && text != value {
			return fmt.Errorf("%s is %s, want %s", path, text, value)
		}
	}
	return nil
}

// lookup follows a path of keys.
func lookup(object map[string]any, path string) (any, error) {
	var at any = object
	for key := range strings.SplitSeq(path, ".") {
		m, ok := at.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s: there is no object that could hold %q", path, key)
		}
		if at, ok = m[key]; !ok || at == nil {
			return nil, fmt.Errorf("%s: %q is missing or null", path, key)
		}
	}
	return at, nil
}
