// Package run carries out what the command asks for: it resolves a configuration to a model and a data set, trains,
// keeps the run directory, and evaluates, predicts with and describes trained models.
package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"ganglion/engine/checkpoint"
	"ganglion/engine/checkpoint/config"
	"ganglion/engine/train"
	"ganglion/models"
	"ganglion/models/zoo"
)

// Config is a run as config.yaml describes it.
type Config struct {
	Model string
	Data  Data
	Train train.Options
	Net   any // a value of the model's configuration type
}

// Data says what to learn from.
type Data struct {
	Source   string `yaml:"source"   doc:"name of a data set, or path of a file"`
	Dir      string `yaml:"dir"      doc:"folder with the files of named data sets that are not built in"`
	Target   string `yaml:"target"   doc:"target column: name, position from 1, or -1 for the last"`
	Task     string `yaml:"task"     doc:"classify or regress; empty decides by the data"`
	Features string `yaml:"features" doc:"of nodes: raw, rows (each over its sum), standard, ones; empty: what fits"`
	Split    string `yaml:"split"    doc:"stored split NAME:K, 75/25, or empty for a stratified 60/20/20 split by seed"`
}

// UsageError is a mistake in what the user asked for: an unknown name, key or value.
type UsageError struct{ Err error }

// Error is the text of the wrapped error.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the wrapped error.
func (e *UsageError) Unwrap() error { return e.Err }

// usage marks err as the user's mistake.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return &UsageError{err}
}

// System finds a system by its ID.
func System(id string) (zoo.System, error) {
	var ids []string
	for _, s := range models.All() {
		if s.ID == id {
			return s, nil
		}
		ids = append(ids, s.ID)
	}
	return zoo.System{}, usage(fmt.Errorf("unknown model %q: did you mean %q? ganglion models lists all %d", id,
		config.Nearest(id, ids), len(ids)))
}

// Default is the configuration of a model before files and flags.
func Default(model string) (Config, error) {
	s, err := System(model)
	if err != nil {
		return Config{}, err
	}
	c := Config{Model: model, Data: Data{Source: "gas"}, Train: train.Defaults(), Net: s.Config}
	if len(s.Data) > 0 {
		c.Data.Source = s.Data[0]
	}
	if s.Recipe != nil {
		s.Recipe(&c.Train)
	}
	return c, nil
}

// document returns a pointer to a struct with the keys of config.yaml, the model's own under net, filled from c.
func (c Config) document() reflect.Value {
	tag := func(s string) reflect.StructTag { return reflect.StructTag(fmt.Sprintf("yaml:%q", s)) }
	t := reflect.StructOf([]reflect.StructField{
		{Name: "Model", Type: reflect.TypeOf(c.Model), Tag: tag("model")},
		{Name: "Data", Type: reflect.TypeOf(c.Data), Tag: tag("data")},
		{Name: "Train", Type: reflect.TypeOf(c.Train), Tag: tag("train")},
		{Name: "Net", Type: reflect.TypeOf(c.Net), Tag: tag("net")},
	})
	v := reflect.New(t)
	for i, f := range []any{c.Model, c.Data, c.Train, c.Net} {
		v.Elem().Field(i).Set(reflect.ValueOf(f))
	}
	return v
}

// decode fills c from YAML; keys that the data does not have stay as they are.
func (c *Config) decode(name string, data []byte) error {
	doc := c.document()
	if err := config.Decode(name, data, doc.Interface()); err != nil {
		return usage(err)
	}
	v := doc.Elem()
	c.Model = v.Field(0).String()
	c.Data = v.Field(1).Interface().(Data)
	c.Train = v.Field(2).Interface().(train.Options)
	c.Net = v.Field(3).Interface()
	return nil
}

// Load reads a configuration file over the defaults of the model that it names, or of fallback when it names none.
func Load(path, fallback string) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, usage(fmt.Errorf("configuration: %w", err))
	}
	head := struct {
		Model string        `yaml:"model"`
		Data  Data          `yaml:"data"`
		Train train.Options `yaml:"train"`
		Net   any           `yaml:"net"` // its keys depend on the model
	}{Model: fallback}
	if err := config.Decode(path, data, &head); err != nil {
		return Config{}, usage(err)
	}
	c, err := Default(head.Model)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, c.decode(path, data)
}

// Set applies one key=value. Keys of the training options and of the data carry the prefix train. or data.; a key
// without prefix is one of the model's own, and if the model has none of that name, one of the training options.
func (c *Config) Set(assignment string) error {
	key, value, ok := strings.Cut(assignment, "=")
	if !ok || key == "" {
		return usage(fmt.Errorf("--set %q: want key=value", assignment))
	}
	if !strings.Contains(key, ".") {
		if !hasKey(c.Net, key) && hasKey(c.Train, key) {
			key = "train." + key
		} else {
			key = "net." + key
		}
	}
	return c.SetFlag("--set "+assignment, key, value)
}

// SetFlag sets a key with its prefix to the text that a command-line flag has; flag stands in errors. Texts are taken
// as they are, numbers and truth values as a configuration file takes them.
func (c *Config) SetFlag(flag, key, value string) error {
	if strings.ContainsAny(key+value, "\n\r") || strings.ContainsFunc(key, notKey) {
		return usage(fmt.Errorf("%q: want one line KEY=VALUE, the key of letters, underscores and points", flag))
	}
	section, name, _ := strings.Cut(key, ".")
	if c.isText(section, name) {
		value = quote(value)
	}
	err := c.decode(flag, []byte(fmt.Sprintf("%s:\n  %s: %s\n", section, name, value)))
	if err != nil { // there are no lines on the command line
		return usage(errors.New(lineNumber.ReplaceAllString(err.Error(), ": ")))
	}
	return nil
}

var lineNumber = regexp.MustCompile(`: line \d+: `)

func notKey(r rune) bool {
	return r != '_' && r != '.' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
}

// quote writes s as a text in single quotes of YAML.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// isText reports whether a key holds a text.
func (c *Config) isText(section, name string) bool {
	for prefix, v := range map[string]any{"data": c.Data, "train": c.Train, "net": c.Net} {
		if prefix != section {
			continue
		}
		t := reflect.TypeOf(v)
		for i := range t.NumField() {
			if t.Field(i).Tag.Get("yaml") == name {
				return t.Field(i).Type.Kind() == reflect.String
			}
		}
	}
	return false
}

// LoadRun reads the configuration of a run directory.
func LoadRun(dir string) (Config, error) {
	path := filepath.Join(dir, checkpoint.ConfigFile)
	if _, err := os.Stat(path); err != nil {
		return Config{}, usage(fmt.Errorf("%s: %w: it has no %s", dir, checkpoint.ErrNotRun, checkpoint.ConfigFile))
	}
	c, err := Load(path, "")
	if err != nil { // what a run holds is not what the user typed
		return c, fmt.Errorf("run %s is damaged: %w", dir, notUsage(err))
	}
	return c, nil
}

// notUsage takes the mark of a user's mistake off an error.
func notUsage(err error) error {
	var u *UsageError
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// Key is one setting of a configuration struct.
type Key struct{ Name, Doc, Default string }

// Keys lists the settings of a configuration struct, in order.
func Keys(v any) []Key {
	var out []Key
	val := reflect.ValueOf(v)
	for i := range val.NumField() {
		f := val.Type().Field(i)
		if f.Tag.Get("yaml") == "-" {
			continue
		}
		out = append(out, Key{f.Tag.Get("yaml"), f.Tag.Get("doc"), fmt.Sprint(val.Field(i).Interface())})
	}
	return out
}

func hasKey(v any, name string) bool {
	for _, k := range Keys(v) {
		if k.Name == name {
			return true
		}
	}
	return false
}

// Encode is the configuration as YAML.
func (c Config) Encode() ([]byte, error) { return config.Encode(c.document().Elem().Interface()) }

// Check checks what can be checked without data.
func (c Config) Check() error {
	if err := c.Train.Check(); err != nil {
		return usage(fmt.Errorf("train.%w", err))
	}
	if !slices.Contains(preparations, c.Data.Features) {
		return usage(fmt.Errorf("data.features: %q is not one of %s", c.Data.Features,
			strings.Join(preparations[1:], ", ")))
	}
	switch c.Data.Task {
	case "", "classify", "regress":
		return nil
	}
	return usage(fmt.Errorf("task %q is not one of classify, regress", c.Data.Task))
}
