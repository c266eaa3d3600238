package run

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ganglion/models"
)

// TestRoundTrip: what a configuration writes it reads, for every model, so that a resumed run has the configuration of
// the first.
func TestRoundTrip(t *testing.T) {
	for _, s := range models.All() {
		c, err := Default(s.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range []string{"train.lr=1e-5", "train.seed=18446744073709551615", "train.clip=0.1",
			"data.target=a: 'b' #c"} {
			if err := c.SetFlag("--x", a[:bytes.IndexByte([]byte(a), '=')], a[bytes.IndexByte([]byte(a),
				'=')+1:]); err != nil {
				t.Fatal(err)
			}
		}
		text, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		path := write(t, "config.yaml", string(text))
		back, err := Load(path, "module/other")
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c, back); d != "" {
			t.Errorf("%s (-want +got)\n%s", s.ID, d)
		}
		again, err := back.Encode()
		if err != nil || !bytes.Equal(text, again) {
			t.Errorf("%s is written in two ways: %v\n%s\n%s", s.ID, err, text, again)
		}
		if run, err := LoadRun(filepath.Dir(path)); err != nil || cmp.Diff(run, c) != "" {
			t.Errorf("%s: %v", s.ID, err)
		}
		for _, k := range append(Keys(c.Train), append(Keys(c.Data), Keys(c.Net)...)...) {
			if k.Name == "" || k.Doc == "" {
				t.Errorf("%s: the key %+v has no name or no meaning", s.ID, k)
			}
		}
	}
}

// TestSet: where a key without prefix goes, texts as they are, and mistakes.
func TestSet(t *testing.T) {
	c := configure(
		t,
		"module/nm",
		"gas",
		"nodes=7",
		"epochs=9",
		"train.batch=11",
		"net.keep=0.5",
		"activation=relu",
		"warm=true",
		"data.target=-1",
		"data.source=true",
		"lr=.5",
	)
	text, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []string{"nodes: 7\n", "epochs: 9\n", "batch: 11\n", "keep: 0.5\n", "activation: relu\n",
		"warm: true\n", "lr: 0.5\n"} {
		if !bytes.Contains(text, []byte(w)) {
			t.Errorf("%q is not in\n%s", w, text)
		}
	}
	if c.Data.Target != "-1" || c.Data.Source != "true" {
		t.Errorf("data %+v", c.Data)
	}
	for assignment, words := range map[string][]string{
		"nodes":           {`--set "nodes"`, "key=value"},
		"=1":              {"key=value"},
		"noodes=1":        {"--set noodes=1", `nearest is "net.nodes"`},
		"train.epoch=1":   {`nearest is "train.epochs"`},
		"nodes=many":      {"--set nodes=many: net.nodes must be an integer"},
		"nodes=1.5":       {"integer"},
		"lr=fast":         {"train.lr must be a number"},
		"warm=1":          {"true or false"},
		"nodes=":          {"is empty"},
		"nodes=1\nkeep=2": {"one line"},
		"a b=1":           {"key"},
		"nodes=1}, x: {":  {"--set"},
		"model.x=1":       {"model"},
		"train.seed=-1":   {"non-negative"},
	} {
		before := c
		err := c.Set(assignment)
		wantError(t, assignment, err, true, words...)
		if d := cmp.Diff(before, c); d != "" {
			t.Errorf("%s changed the configuration: %s", assignment, d)
		}
	}
}

// TestLoadErrors: files are refused with their name, the line and the nearest key.
func TestLoadErrors(t *testing.T) {
	for text, words := range map[string][]string{
		"model: module/mm\n":               {"c.yaml", `did you mean "module/`},
		"train:\n  epochs: 3\n  bach: 4\n": {"c.yaml", "line 3", `"train.batch"`},
		"modell: module/nm\n":              {"c.yaml", "line 1", `"model"`},
		"net:\n  hidden: 4\n":              {"c.yaml", "line 2", "net.hidden"},
		"train:\n  lr: x\n":                {"line 2", "train.lr must be a number"},
		"train: [1]\n":                     {"c.yaml", "mapping"},
		"\x00":                             {"c.yaml"},
	} {
		_, err := Load(write(t, "c.yaml", text), "module/nm")
		wantError(t, text, err, true, words...)
	}
	_, err := Load("/none/such.yaml", "module/nm")
	wantError(t, "no file", err, true, "/none/such.yaml")
	dir := t.TempDir()
	_, err = LoadRun(dir)
	wantError(t, "no run", err, true, dir, "not a run directory")
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte("model: module/nm\ntrain:\n  epochs: x\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
	_, err = LoadRun(dir)
	wantError(t, "damaged run", err, false, dir, "damaged", "line 3")
}
