package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ganglion/internal/philox"
)

// refused checks that a command line fails with a code and words, in one line and without a trace.
func refused(t *testing.T, args []string, code int, words ...string) {
	t.Helper()
	o := do(t, args...)
	if o.code != code {
		t.Errorf("%q: exit code %d, wanted %d\n%s", args, o.code, code, o.log)
	}
	for _, w := range words {
		if !strings.Contains(o.log, w) {
			t.Errorf("%q: %q is not in %q", args, w, o.log)
		}
	}
	orderly(t, args, o)
}

// orderly checks that whatever happened is told in words.
func orderly(t *testing.T, args []string, o outcome) {
	t.Helper()
	if o.code != exitOK && !strings.Contains(o.log, "ganglion: ") {
		t.Errorf("%q: exit code %d without a word: %q", args, o.code, o.log)
	}
	for _, w := range []string{"goroutine", "panic", ".go:", "runtime error", "%!"} {
		if strings.Contains(o.log, w) {
			t.Errorf("%q: %q in\n%s", args, w, o.log)
		}
	}
}

// TestBadFlags gives every flag of train a bad value.
func TestBadFlags(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	for _, c := range []struct{ line, word string }{
		{"--epochs 0", "epochs"}, {"--epochs -1", "epochs"}, {"--epochs x", "epochs"}, {"--epochs 1.5", "epochs"},
		{"--epochs 99999999999", "epochs"}, {"--batch 0", "batch"}, {"--batch -3", "batch"}, {"--batch x", "batch"},
		{"--lr 0", "lr"}, {"--lr -1", "lr"}, {"--lr NaN", "lr"}, {"--lr Inf", "lr"}, {"--lr 1e40", "lr"},
		{"--lr fast", "lr"},
		{"--seed -1", "seed"}, {"--seed x", "seed"}, {"--seed 1.5", "seed"}, {"--device tpu", "auto, cpu, cuda"},
		{"--device cpu0", "device"},
		{"--precision f16", "f32, tf32, bf16"}, {"--storage bf16", "storage: bf16 is for precision bf16"},
		{"--storage f16", "f32, bf16"}, {"--precision bf16 --dtype f64", "bf16 is for dtype f32"},
		{"--dtype f16", "f32, f64"}, {"--dtype=", "dtype"}, {"--threads -1", "threads"}, {"--threads x", "threads"},
		{"--task sort", "classify, regress"}, {"--strict=maybe", "strict"}, {"--json=maybe", "json"},
		{"--quiet=2", "quiet"},
		{"--set nodes", "key=value"}, {"--set =3", "key=value"}, {"--set nods=3", `nearest is "net.nodes"`},
		{"--set nodes=x", "integer"},
		{"--set nodes=0", "nodes"}, {"--set nodes=-5", "nodes"}, {"--set nodes=99999999", "nodes"},
		{"--set keep=1.5", "whole number"},
		{"--set keep=-1", "keep"}, {"--set keep=999999", "keep"}, {"--set solver=guess", "newton"},
		{"--set reg=l3", "reg"},
		{"--set activation=sine2", "activation"}, {"--set scaling=big", "scaling"}, {"--set alpha=-1", "alpha"},
		{"--set eps=0", "eps"},
		{"--set rho=0", "rho"}, {"--set tol=-1", "tol"}, {"--set max_iter=-1", "max_iter"},
		{"--set restructure_every=0", "restructure_every"},
		{"--set train.epoch=3", `nearest is "train.epochs"`}, {"--set train.optimiser=adamm", "adam"},
		{"--set train.schedule=up", "cosine"},
		{"--set train.momentum=1", "momentum"}, {"--set train.momentum=0", "momentum"}, {"--set train.clip=-1", "clip"},
		{"--set train.non_finite=hope", "stop"}, {"--set train.keep_checkpoints=0", "keep_checkpoints"},
		{"--set train.warmup=-1", "warmup"},
		{"--set train.weight_decay=-1", "weight_decay"}, {"--set train.patience=-1", "patience"},
		{"--set train.save_steps=-2", "save_steps"},
		{"--set nodes={a:1}", "integer"}, {"--set nodes=[1]", "integer"}, {"--set nodes=&a", "anchors"},
		{"--set other.x=1", "other"},
		{"--set a:b=1", "key"}, {"--set warm=perhaps", "true or false"},
		{"--config /none/such.yaml", "/none/such.yaml"},
		{"--resume /none/such", "not a run directory"}, {"--epoch 3", "epoch"}, {"--unknown", "unknown"},
		{"module/nn", `"module/nm"`}, {"module/nm module/mlp", "one model"}, {"nm", "unknown model"},
		{"--resume x --epochs 3", "--epochs"},
		{"--resume x module/nm", "a model does not go with --resume"},
	} {
		args := append([]string{"train"}, strings.Fields(c.line)...)
		if !strings.Contains(c.line, "--resume") {
			args = append(args, "--out", out)
		}
		refused(t, args, exitUsage, c.word)
	}
	refused(t, []string{"train", "--set", "nodes=3\nkeep: 2"}, exitUsage, "one line")
	refused(t, []string{"train", "--device", "cuda"}, exitDevice, "--device cpu")
	refused(t, []string{"train", "--device", "cuda:1"}, exitDevice, "cuda:1")
	refused(t, []string{"train", "--epochs"}, exitUsage, "epochs")
	refused(t, []string{"trian"}, exitUsage, "trian")
	refused(t, []string{"data", "shwo"}, exitUsage, "shwo")
	refused(t, []string{"models", "module/xx"}, exitUsage, "did you mean")
	refused(t, []string{"eval"}, exitUsage, "run directory")
	refused(t, []string{"predict", "x"}, exitUsage, "input")
	refused(t, []string{"predict", "x", "--input", "y", "--json"}, exitUsage, "--output")
	refused(t, []string{"inspect", t.TempDir()}, exitUsage, "not a run directory")
	if _, err := os.Stat(out); err == nil {
		t.Error("a refused command line made a run directory")
	}
}

// TestBadData gives damaged and unfit tables: exit code 4, and a message with the file, the place and the way out.
func TestBadData(t *testing.T) {
	good := table()
	for _, c := range []struct {
		name, text string
		flags      string
		words      string // separated by |
	}{
		{"no such column", good, "--target height", "t.csv|height|kind"},
		{"no such position", good, "--target 9", "t.csv|9"},
		{"text among numbers", good + "tall,red,7,rose\n", "", "t.csv|62|length"},
		{"infinite", good + "1e999,red,7,rose\n", "", "t.csv|62|length"},
		{"one class", "a,kind\n" + strings.Repeat("1,x\n2,x\n", 20), "", "t.csv|class"},
		{"empty", "", "", "t.csv|empty"},
		{"header alone", "a,b,kind\n", "", "t.csv|row"},
		{"short row", good + "1,red\n", "", "t.csv|62"},
		{"open quote", good + "\"1,red,7,rose\n", "", "t.csv"},
		{"one row", "a,kind\n1,x\n", "", "t.csv"},
		{"words to regress", good, "--task regress", "t.csv|kind"},
		{"no such split", good, "--split fold:3", "fold"},
		{"bytes", "\x00\x01\xff\xfe\x00", "", "t.csv"},
	} {
		path := file(t, "t.csv", c.text)
		args := append(
			[]string{"train", "--data", path, "--out", filepath.Join(t.TempDir(), "run")},
			strings.Fields(c.flags)...)
		t.Run(c.name, func(t *testing.T) { refused(t, args, exitData, strings.Split(c.words, "|")...) })
	}
	missing := file(t, "t.csv", good+"NaN,red,7,rose\n,red,7,rose\n") // is no mistake, but is told
	o := must(t, "train", "module/mlp", "--epochs", "1", "--data", missing, "--out", filepath.Join(t.TempDir(), "run"))
	if w := `"length": 2 of 62 values are missing`; !strings.Contains(o.log, w) {
		t.Errorf("%q is not in %s", w, o.log)
	}
	refused(t, []string{"train", "--data", "/none/such.csv"}, exitData, "/none/such.csv")
	refused(t, []string{"train", "--data", "gaz"}, exitData, `"gas"`)
	refused(t, []string{"data", "show", "gaz"}, exitData, `"gas"`)
	refused(t, []string{"train", "--data", t.TempDir()}, exitData)
}

// TestBadPlaces: directories that cannot be written, and those that hold something else.
func TestBadPlaces(t *testing.T) {
	args, dir := small(t)
	must(t, args...)
	refused(t, args, exitUsage, dir, "--resume")
	refused(t, append(args[:len(args)-1:len(args)-1], file(t, "f", "x")), exitFailed)
	refused(t, append(args[:len(args)-1:len(args)-1], filepath.Join(file(t, "f", "x"), "below")), exitFailed, "below")
	other := filepath.Dir(file(t, "notes.txt", "mine"))
	refused(t, append(args[:len(args)-1:len(args)-1], other), exitFailed, other)
	refused(t, []string{"train", "--resume", other}, exitUsage, "not a run directory")
}

// TestDamagedRun takes away, cuts and garbles every file of a run in turn: each command says so in one line, or can do
// without the file.
func TestDamagedRun(t *testing.T) {
	args, dir := small(t)
	must(t, args...)
	needed := map[string]string{
		"config.yaml":                  "train eval inspect",
		"data.json":                    "eval inspect",
		"checkpoints/best.safetensors": "",
	}
	for _, name := range []string{"config.yaml", "data.json", "env.json", "metrics.jsonl", "log.txt", "result.json",
		"checkpoints/best.safetensors", "checkpoints/" + lastCheckpoint(t, dir)} {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for how, damaged := range map[string][]byte{"gone": nil, "cut": text[:len(text)/2], "empty": {},
			"garbled": []byte("{]\x00\xff: -")} {
			if how == "gone" {
				err = os.Remove(path)
			} else {
				err = os.WriteFile(path, damaged, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range []string{"eval " + dir, "inspect --out " + t.TempDir() + " " + dir,
				"train --quiet --resume " + dir} {
				fields := strings.Fields(line)
				o := do(t, fields...)
				orderly(t, fields, o)
				if o.code == exitOK && strings.Contains(needed[name], fields[0]) && how != "cut" {
					t.Errorf("%s %s: %s does not mind", name, how, fields[0])
				}
				if o.code != exitOK && o.code != exitFailed && o.code != exitUsage {
					t.Errorf("%s %s: %s ends with %d: %s", name, how, fields[0], o.code, o.log)
				}
			}
			if err := os.WriteFile(path, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	must(t, "eval", dir)
	must(t, "train", "--quiet", "--resume", dir)
}

func lastCheckpoint(t *testing.T, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "checkpoints", "*[0-9].safetensors"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%q %v", names, err)
	}
	return filepath.Base(names[len(names)-1])
}

// TestArguments throws random command lines at the command.
func TestArguments(t *testing.T) {
	words := []string{
		"train",
		"eval",
		"predict",
		"models",
		"data",
		"list",
		"show",
		"check",
		"inspect",
		"--json",
		"--quiet",
		"--",
		"-",
		"",
		"--set",
		"--set=a=b",
		"=",
		"--data",
		"iris",
		"--target",
		"-1",
		"module/mlp",
		"--epochs=0",
		"--resume",
		"--out",
		"\x00",
		"é\n",
		"--help",
		"-h",
		"--version",
		"--input",
		"/dev/null",
		"--config",
		"--seed=-1",
		"---",
		"--=",
		"-set",
		"train.x=y",
		"--strict=false",
		"--device=cuda",
	}
	random := philox.New(3, 1, 0)
	t.Chdir(t.TempDir())
	for range 400 {
		args := make([]string, random.Uint32()%6)
		for i := range args {
			args[i] = words[random.Uint32()%uint32(len(words))]
		}
		if len(args) > 0 && args[0] == "train" { // never train for real
			args = append(args, "--epochs=-1")
		}
		orderly(t, args, do(t, args...))
	}
}
