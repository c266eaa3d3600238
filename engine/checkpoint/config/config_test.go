package config

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"ganglion/internal/edit"
)

type common struct {
	Seed uint64 `yaml:"seed"`
}

type layerConfig struct {
	Width int       `yaml:"width"`
	Drop  float64   `yaml:"drop"`
	Sizes []float32 `yaml:"sizes"`
}

type runConfig struct {
	Model  string  `yaml:"model"`
	Epochs int     `yaml:"epochs"`
	LR     float64 `yaml:"lr"`
	Small  int8
	Strict bool                   `yaml:"strict"`
	Every  time.Duration          `yaml:"every"`
	Limit  *int                   `yaml:"limit"`
	Layers []layerConfig          `yaml:"layers"`
	Named  map[string]layerConfig `yaml:"named"`
	Extra  map[string]any         `yaml:"extra"`
	Hidden int                    `yaml:"-"`
	Common common                 `yaml:",inline"`
	inner  int
}

func TestDecode(t *testing.T) {
	const doc = `# a run
model: module/nm
epochs: 0050x
`
	if err := Decode("c.yaml", []byte(doc), new(runConfig)); err == nil {
		t.Error("0050x was taken for an integer")
	}
	got := runConfig{Epochs: 30, Hidden: 9, inner: 1}
	err := Decode("c.yaml", []byte(`
model: "a: b"
lr: 1e-3
small: -128
strict: true
every: 1m30s
limit: 7
seed: 18446744073709551615
layers:
  - width: 3
    sizes: [1, .5, -2.5e+1]
  - {drop: .inf, width: +4}
named:
  b: {width: 1}
  "a b": {drop: 2}
extra: {n: 3, f: 3.0, e: 1e3, s: x, q: "3", t: false, z: ~, l: [1, [2]], m: {k: v}}
`), &got)
	if err != nil {
		t.Fatal(err)
	}
	limit := 7
	want := runConfig{Model: "a: b", Epochs: 30, LR: 0.001, Small: -128, Strict: true, Every: 90 * time.Second,
		Limit: &limit, Common: common{math.MaxUint64}, Hidden: 9, inner: 1,
		Layers: []layerConfig{{Width: 3, Sizes: []float32{1, 0.5, -25}}, {Drop: math.Inf(1), Width: 4}},
		Named:  map[string]layerConfig{"b": {Width: 1}, "a b": {Drop: 2}},
		Extra: map[string]any{"n": int64(3), "f": 3.0, "e": 1e3, "s": "x", "q": "3", "t": false, "z": nil,
			"l": []any{int64(1), []any{int64(2)}}, "m": map[string]any{"k": "v"}}}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(runConfig{})); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	for _, empty := range []string{"", "# nothing\n", "---\n", "{}"} {
		if err := Decode("c.yaml", []byte(empty), &got); err != nil || got.Epochs != 30 {
			t.Errorf("%q: %v", empty, err)
		}
	}
}

// TestErrors gives every error with the words it must contain.
func TestErrors(t *testing.T) {
	for doc, want := range map[string]string{
		"model: a\nepoch: 3":                `c.yaml: line 2: unknown key "epoch": the nearest is "epochs"`,
		"Epochs: 3":                         `line 1: unknown key "Epochs": the nearest is "epochs"`,
		"sede: 3":                           `the nearest is "seed"`,
		"hidden: 3":                         `unknown key "hidden"`,
		"inner: 3":                          `unknown key "inner"`,
		"layers:\n- width: 1\n- with: 2":    `line 3: unknown key "layers[1].with": the nearest is "layers[1].width"`,
		"named:\n  a:\n    wdth: 1":         `line 3: unknown key "named.a.wdth": the nearest is "named.a.width"`,
		"epochs: 1\nlr: 1\nepochs: 2":       "line 3",
		"epochs: 1.5":                       `line 1: epochs must be an integer of`,
		"epochs: 1e2":                       "integer",
		"epochs: \"1\"":                     "integer",
		"epochs: 010":                       "integer",
		"epochs: 0x10":                      "integer",
		"epochs: 1_000":                     "integer",
		"epochs: 99999999999999999999":      "integer",
		"epochs:":                           "epochs must be an integer of 64 bits, is empty",
		"epochs: [1]":                       "is a list",
		"small: 128":                        "small must be an integer of 8 bits",
		"seed: -1":                          "seed must be a non-negative integer",
		"seed: 18446744073709551616":        "seed must be a non-negative integer",
		"lr: fast":                          `lr must be a number in the range of float64, is "fast"`,
		"lr: 1e999":                         "number",
		"lr: \"1\"":                         "number",
		"lr: nan":                           "number",
		"lr: 1_0.5":                         "number",
		"lr: 0x1p-2":                        "number",
		"layers: [{sizes: [1e39]}]":         "layers[0].sizes[0] must be a number in the range of float32",
		"strict: yes":                       "strict must be true or false",
		"strict: 1":                         "true or false",
		"model: [a]":                        "model must be a text, is a list",
		"model: {a: b}":                     "model must be a text, is a mapping",
		"model: null":                       "model must be a text, is empty",
		"every: 90":                         "every must be a duration",
		"layers: {}":                        "layers must be a list, is a mapping",
		"layers: [3]":                       "layers[0] must be a mapping",
		"named: 3":                          "named must be a mapping",
		"extra: {a: 1, a: 2}":               "line 1",
		"- 1":                               "the document must be a mapping",
		"3":                                 "the document must be a mapping",
		"epochs: 1\n---\nlr: 1":             "second document",
		"epochs: &a 1":                      "anchors",
		"epochs: &a 1\nsmall: *a":           "anchors",
		"epochs: !!int 1":                   "tags",
		"<<: {epochs: 1}":                   "anchors",
		"epochs: [1":                        "line 1",
		"epochs: 1\n lr: 2":                 "line",
		"model: \"a":                        "line 1",
		"? [1]\n: 2":                        "line",
		"extra: {? : 1}":                    "line 1",
		strings.Repeat("a", maxBytes+1):     "longer than",
		"extra: " + strings.Repeat("[", 40): "nested deeper",
		"extra:\n" + strings.Repeat(" ", 300) + "a: 1": "indented by more",
		strings.Repeat("- ", 200):                      "indented by more",
	} {
		err := Decode("c.yaml", []byte(doc), new(runConfig))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "c.yaml: ") {
			t.Errorf("%.60q: error %v, wanted %q in it", doc, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%.60q: the error has several lines: %v", doc, err)
		}
	}
	if err := Decode("c.yaml", nil, runConfig{}); err == nil {
		t.Error("a struct that is no pointer was taken")
	}
	if err := Decode("c.yaml", []byte("f: 1"), &struct{ F func() }{}); err == nil {
		t.Error("a function was configured")
	}
}

func TestReadNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := Read(path, new(runConfig)); !os.IsNotExist(unwrapAll(err)) || !strings.Contains(err.Error(), path) {
		t.Errorf("missing file: %v", err)
	}
	if err := os.WriteFile(path, []byte("\nlr: x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Read(path, new(runConfig)); err == nil || !strings.HasPrefix(err.Error(), path+": line 2: lr") {
		t.Errorf("bad value: %v", err)
	}
	big := make([]byte, maxBytes+10)
	if err := os.WriteFile(path, big, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Read(path, new(runConfig)); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("long file: %v", err)
	}
}

// unwrapAll returns the innermost error.
func unwrapAll(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		err = u.Unwrap()
	}
}

// TestEncode writes random configurations and reads them back.
func TestEncode(t *testing.T) {
	text := rapid.StringN(0, 12, -1)
	word := rapid.SampledFrom([]string{"true", "null", "~", "1", "1e3", "0x1", "- a", "a: b", "#", "", " a ", "a\nb",
		"'", "\"", "é", "@x", "!t", "&a", "*a", "%", "|", ">", "yes", "2020-01-01", "\t", ".inf", "<<", "{",
		"[a]", "a #b",
		"a\n", "\na", "?", "\u2028", "\x7f", "\x00", "\u0085", "\U0001f600", "\\", "C:\\run"})
	texts := rapid.OneOf(text, word)
	float := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1e-300, 1e21, 123456789,
		math.Inf(1), math.Inf(-1), 0.1}))
	rapid.Check(t, func(t *rapid.T) {
		c := runConfig{Model: texts.Draw(t, "model"), Epochs: rapid.Int().Draw(t, "epochs"), LR: float.Draw(t, "lr"),
			Strict: rapid.Bool().Draw(t, "strict"), Every: time.Duration(rapid.Int64().Draw(t, "every")),
			Common: common{rapid.Uint64().Draw(t, "seed")}}
		for range rapid.IntRange(0, 3).Draw(t, "layers") {
			c.Layers = append(c.Layers, layerConfig{Width: rapid.Int().Draw(t, "width"), Drop: float.Draw(t, "drop"),
				Sizes: rapid.SliceOfN(rapid.Float32(), 1, 3).Draw(t, "sizes")})
		}
		c.Extra = map[string]any{texts.Draw(t, "key"): texts.Draw(t, "value"), "n": rapid.Int64().Draw(t, "n")}
		data, err := Encode(c)
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		var back runConfig
		if err := Decode("again", data, &back); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c, back, cmp.AllowUnexported(runConfig{}), cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("(-want +got)\n%s\n%s", d, data)
		}
	})
}

func TestEncodeRefuses(t *testing.T) {
	for name, c := range map[string]any{"nil": nil, "number": 3, "function": struct{ F func() }{},
		"map": &map[string]int{}, "number keys": struct{ M map[int]int }{map[int]int{1: 2}},
		"nil pointer": (*runConfig)(nil),
		"not UTF-8":   runConfig{Model: "\xff"}, "key twice": struct {
			A, B int `yaml:"a"`
		}{1, 2}} {
		if data, err := Encode(c); err == nil {
			t.Errorf("%s: encoded as %q", name, data)
		}
	}
	limit := 3
	one, err := Encode(runConfig{Model: "m", Limit: &limit, Named: map[string]layerConfig{"z": {}, "a": {}},
		Layers: []layerConfig{{Width: 1, Sizes: []float32{1, 0.5}}, {}},
		Extra:  map[string]any{"l": []any{[]any{}, "x"}, "m": map[string]any{}}})
	if want := wantEncoded; err != nil || string(one) != want {
		t.Errorf("encoded as (%v)\n%s\nwanted\n%s", err, one, want)
	}
	one, err = Encode(runConfig{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	two, err := Encode(&runConfig{Model: "m"})
	if err != nil || string(one) != string(two) {
		t.Errorf("a struct and a pointer to it differ: %v", err)
	}
}

func TestNearest(t *testing.T) {
	keys := []string{"seed", "epochs", "weight_decay"}
	for key, want := range map[string]string{"sed": "seed", "epoch": "epochs", "decay": "seed", "": "seed",
		"weightdecay": "weight_decay"} {
		if got := Nearest(key, keys); got != want {
			t.Errorf("nearest to %q is %q, wanted %q", key, got, want)
		}
	}
	if got := Nearest("a", nil); got != "" {
		t.Errorf("nearest of none is %q", got)
	}
	if d := edit.Distance("kitten", "sitting"); d != 3 {
		t.Errorf("distance %d, wanted 3", d)
	}
}

// TestHostileSizes decodes the longest documents of awkward shapes in bounded time.
func TestHostileSizes(t *testing.T) {
	stairs := &strings.Builder{}
	for i := 0; stairs.Len() < maxBytes-maxBlock; i++ {
		stairs.WriteString(strings.Repeat(" ", i%maxBlock) + "a:\n")
	}
	for _, unit := range []string{"- ", "- - - - -\n", "? ", "a: 1\n", "\"", "'", "!a ", "&a ", "{", "[", "{a: ", "[{",
		"a: |\n", "#\n", "---\n", "%a\n", "a: [", "\t", "\r", "\\", "a:\n a:\n", strings.Repeat("- ", 120) + "\n",
		"a: 'b\n\n", ", ", ": "} {
		doc := strings.Repeat(unit, maxBytes/len(unit))
		inTime(t, doc)
		inTime(t, "x: "+doc[:len(doc)-3])
	}
	inTime(t, stairs.String())
}

// inTime fails if a document takes long; what becomes of it does not matter.
func inTime(t *testing.T, doc string) {
	t.Helper()
	start := time.Now()
	err := Decode("c.yaml", []byte(doc), new(runConfig))
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("%.20q…: %v, error %v", doc, d, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"model: a\nepochs: 3\nlr: 1e-3\n", "layers:\n- {width: 1}\n", "extra: {a: [1, {b: c}]}",
		"a: |\n  x\n", "? a\n: b", "- - - 1", "[[[[", "{a: {b: {",
		"\"\\u00", "a: &b *b", "%YAML 1.2\n---\n", "a: >-\n\n b"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var c runConfig
		start := time.Now()
		err := Decode("f", data, &c)
		if d := time.Since(start); d > 2*time.Second {
			t.Fatalf("%d bytes took %v", len(data), d)
		}
		if err != nil && err.Error() == "" {
			t.Fatal("an error without text")
		}
	})
}

const wantEncoded = `model: m
epochs: 0
lr: 0.0
small: 0
strict: false
every: 0s
limit: 3
layers:
  -
    width: 1
    drop: 0.0
    sizes: [1.0, 0.5]
  -
    width: 0
    drop: 0.0
    sizes: []
named:
  a:
    width: 0
    drop: 0.0
    sizes: []
  z:
    width: 0
    drop: 0.0
    sizes: []
extra:
  l:
    - []
    - x
  m: {}
seed: 0
`
