package log

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ganglion/engine/checkpoint"
)

// sample is an interval with everything in it.
func sample() Interval {
	return Interval{Step: 400, Steps: 4200, Epoch: 3, Epochs: 30, Metric: "accuracy", TrainLoss: Measured(0.312149),
		TrainMetric: Measured(0.9125), ValidLoss: Measured(0.35), ValidMetric: Measured(0.9), LR: 0.003, Seconds: 12.3,
		Extra: []Field{Int("modules", 4), Float("residual", 1.25e-7), Text("solver", "anderson")}}
}

func TestPlain(t *testing.T) {
	var b bytes.Buffer
	p := NewPlain(&b)
	second := Interval{Step: 800, Steps: 4200, Epoch: 6, Epochs: 30, TrainLoss: Measured(math.NaN()), Seconds: 32.3}
	bare := Interval{Step: 1, TrainMetric: Measured(1), Extra: []Field{Text("k", "a\x1b[2J\nb")}}
	err := errors.Join(p.Log(sample()), p.Note("device cpu:\nno driver"), p.Log(second), p.Log(bare), p.Close())
	want := "step 400/4200  epoch 3/30  loss 0.3121  accuracy 0.9125  valid loss 0.35  valid accuracy 0.9  " +
		"modules 4  residual 1.25e-07  solver anderson  lr 0.003  12s  eta 1m57s\n" +
		`"device cpu:\nno driver"` + "\n" +
		"step 800/4200  epoch 6/30  loss NaN  lr 0  32s  eta 2m50s\n" +
		`step 1  metric 1  k "a\x1b[2J\nb"  lr 0  0s` + "\n"
	if d := cmp.Diff(want, b.String()); err != nil || d != "" {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
}

// TestRemaining has the pace of a run, of a resumed one, and nothing where there is none.
func TestRemaining(t *testing.T) {
	at := func(step, steps int, seconds float64) Interval {
		return Interval{Step: step, Steps: steps, Seconds: seconds}
	}
	for name, c := range map[string]struct {
		intervals []Interval
		want      string
	}{
		"first":                     {[]Interval{at(10, 110, 5)}, "50s"},
		"later":                     {[]Interval{at(10, 110, 5), at(60, 110, 105)}, "1m40s"},
		"resumed, time anew":        {[]Interval{at(1000, 2000, 1), at(1010, 2000, 2)}, "1m39s"},
		"resumed, time goes on":     {[]Interval{at(1000, 2000, 500), at(1010, 2000, 501)}, "1m39s"},
		"soon":                      {[]Interval{at(10, 12, 5)}, "1s"},
		"hours":                     {[]Interval{at(1, 3601, 2)}, "2h0m0s"},
		"done":                      {[]Interval{at(10, 10, 5)}, ""},
		"beyond":                    {[]Interval{at(11, 10, 5)}, ""},
		"steps unknown":             {[]Interval{at(10, 0, 5)}, ""},
		"before the first step":     {[]Interval{at(0, 10, 5)}, ""},
		"no time":                   {[]Interval{at(1, 10, 0)}, ""},
		"no new step":               {[]Interval{at(5, 10, 1), at(5, 10, 2)}, ""},
		"time runs backwards":       {[]Interval{at(5, 10, 5), at(6, 10, 4)}, ""},
		"time is not a number":      {[]Interval{at(5, 10, math.NaN())}, ""},
		"longer than the clock has": {[]Interval{at(1, math.MaxInt32, 1e9)}, "2.147e+18s"},
	} {
		var r remaining
		got := ""
		for _, i := range c.intervals {
			got = r.after(i)
		}
		if got != c.want {
			t.Errorf("%s: %q, wanted %q", name, got, c.want)
		}
	}
}

func TestJSONLines(t *testing.T) {
	var b bytes.Buffer
	j := NewJSONLines(&b)
	bad := Interval{Step: 2, Metric: "r\"²", TrainLoss: Measured(math.NaN()), TrainMetric: Measured(math.Inf(1)),
		LR: math.Inf(-1), Seconds: 1e21, ValidMetric: Measured(-0.5),
		Extra: []Field{Float("lr", math.NaN()), Float("x", 5e-324)}}
	err := errors.Join(j.Log(sample()), j.Note("not in the file"), j.Log(bad), j.Log(Interval{}), j.Close())
	want := `{"step":400,"steps":4200,"epoch":3,"epochs":30,"metric":"accuracy","train_loss":0.312149,` +
		`"train_metric":0.9125,"valid_loss":0.35,"valid_metric":0.9,"lr":0.003,"seconds":12.3,` +
		`"extra":{"modules":4,"residual":1.25e-07,"solver":"anderson"}}` + "\n" +
		`{"step":2,"steps":0,"epoch":0,"epochs":0,"metric":"r\"²","train_loss":null,"train_metric":null,` +
		`"valid_loss":null,"valid_metric":-0.5,"lr":null,"seconds":1e+21,"extra":{"lr":null,"x":5e-324},` +
		`"nonfinite":["train_loss","train_metric","lr","extra.lr"]}` + "\n" +
		`{"step":0,"steps":0,"epoch":0,"epochs":0,"metric":"","train_loss":null,"train_metric":null,` +
		`"valid_loss":null,"valid_metric":null,"lr":0,"seconds":0}` + "\n"
	if d := cmp.Diff(want, b.String()); err != nil || d != "" {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
}

// writes counts what a writer is given.
type writes [][]byte

func (w *writes) Write(b []byte) (int, error) {
	*w = append(*w, bytes.Clone(b))
	return len(b), nil
}

// TestJSONLinesAreExact reads random intervals back: one valid line in one Write, every number to the bit.
func TestJSONLinesAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		float := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Copysign(0, -1),
			1e6, 1e-7}))
		text := rapid.StringN(1, 8, -1)
		i := Interval{Step: rapid.IntRange(0, 1<<30).Draw(t, "step"), Metric: text.Draw(t, "metric"),
			LR: float.Draw(t, "lr"), TrainLoss: Measured(float.Draw(t, "loss")), Seconds: float.Draw(t, "seconds"),
			Extra: []Field{Float("f", float.Draw(t, "f")), Int("i", rapid.Int64().Draw(t, "i")),
				Text("t", text.Draw(t, "t"))}}
		var w writes
		if err := NewJSONLines(&w).Log(i); err != nil {
			t.Fatal(err)
		}
		if len(w) != 1 || bytes.Count(w[0], []byte("\n")) != 1 || !bytes.HasSuffix(w[0], []byte("\n")) {
			t.Fatalf("%q is not one line in one write", w)
		}
		var back struct {
			Step      int
			Metric    string
			TrainLoss *float64 `json:"train_loss"`
			LR        *float64
			Seconds   *float64
			Extra     struct {
				F *float64
				I int64
				T string
			}
			Nonfinite []string
		}
		d := json.NewDecoder(bytes.NewReader(w[0]))
		if err := d.Decode(&back); err != nil {
			t.Fatal(err)
		}
		same := func(name string, p *float64, v float64) {
			finite := !math.IsNaN(v - v)
			if finite != (p != nil) || finite && math.Float64bits(*p) != math.Float64bits(v) {
				t.Fatalf("%s: %v became %v in %s", name, v, p, w[0])
			}
			if listed := strings.Contains(strings.Join(back.Nonfinite, " ")+" ", name+" "); listed != (p == nil) {
				t.Fatalf("%s: listed %v in %s", name, listed, w[0])
			}
		}
		same("train_loss", back.TrainLoss, i.TrainLoss.Value)
		same("lr", back.LR, i.LR)
		same("seconds", back.Seconds, i.Seconds)
		same("extra.f", back.Extra.F, i.Extra[0].float)
		whole := back.Step == i.Step && back.Extra.I == i.Extra[1].whole
		if !whole || back.Metric != i.Metric || back.Extra.T != i.Extra[2].text {
			t.Fatalf("%+v became %s", i, w[0])
		}
	})
}

// TestMetricsOfAResumedRun logs into a run directory, stops after the last checkpoint, and goes on: every step is
// there once.
func TestMetricsOfAResumedRun(t *testing.T) {
	run, err := checkpoint.Create(filepath.Join(t.TempDir(), "run"), struct{ Epochs int }{3}, checkpoint.Env{})
	if err != nil {
		t.Fatal(err)
	}
	j := NewJSONLines(run.Metrics())
	for step := 1; step <= 7; step++ {
		if err := j.Log(Interval{Step: step, TrainLoss: Measured(math.NaN())}); err != nil {
			t.Fatal(err)
		}
		if step%3 == 0 {
			if _, err := run.Save(&checkpoint.State{Step: step}, checkpoint.SaveOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	if run, err = checkpoint.Open(run.Dir()); err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	found, err := run.Resume()
	if err != nil || found.State.Step != 6 {
		t.Fatalf("%+v, %v", found, err)
	}
	if err := NewJSONLines(run.Metrics()).Log(Interval{Step: 7}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(run.Dir(), checkpoint.MetricsFile))
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		if !strings.HasPrefix(line, fmt.Sprintf(`{"step":%d,`, i+1)) || i > 6 {
			t.Errorf("line %d is %s", i+1, line)
		}
	}
}

// screen plays what was written on a terminal of some width and returns its lines; it fails if a line is too long.
func screen(t *testing.T, written string, width int) []string {
	t.Helper()
	lines, column := []string{""}, 0
	tokens := regexp.MustCompile(`\x1b\[[0-9]*[A-Za-z]|.|\n`).FindAllString(written, -1)
	for _, token := range tokens {
		line := []rune(lines[len(lines)-1])
		switch {
		case token == "\n":
			lines, column = append(lines, ""), 0
			continue
		case token == "\r":
			column = 0
		case token == "\x1b[2K":
			line = nil
		case token == "\x1b[0K":
			line = line[:min(column, len(line))]
		case strings.HasPrefix(token, "\x1b") && strings.HasSuffix(token, "m"):
		case strings.HasPrefix(token, "\x1b"):
			t.Fatalf("unknown sequence %q", token)
		default:
			for len(line) <= column {
				line = append(line, ' ')
			}
			line[column] = []rune(token)[0]
			if column++; column > width {
				t.Fatalf("%q is longer than %d columns", string(line), width)
			}
		}
		lines[len(lines)-1] = string(line)
	}
	return lines
}

func TestBar(t *testing.T) {
	var b bytes.Buffer
	bar := NewBar(&b, BarOptions{Width: 100})
	last := Interval{Step: 4200, Steps: 4200, Epoch: 30, Epochs: 30, TrainLoss: Measured(0.1), Seconds: 20.3}
	err := errors.Join(bar.Note("device cpu"), bar.Log(sample()), bar.Note("validation loss rises"), bar.Log(last),
		bar.Close())
	got := screen(t, b.String(), 100)
	for i := range got {
		got[i] = strings.TrimRight(got[i], " ")
	}
	want := []string{"device cpu", "validation loss rises",
		" 100% |████████████████████|  epoch 30/30  loss 0.1  lr 0  20s", ""}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v (-want +got)\n%s\n%q", err, d, b.String())
	}
	if strings.Contains(b.String(), green) {
		t.Error("colour without being asked")
	}
	half := screen(t, midway(t, BarOptions{Width: 80}), 80)
	if want := "   9% |█                   |  eta 1m57s  epoch 3/30  loss 0.3121"; !strings.HasPrefix(half[0], want) {
		t.Errorf("midway: %q, wanted %q", half, want)
	}
	if !strings.Contains(midway(t, BarOptions{Color: true}), "|"+green+"█") {
		t.Error("no colour")
	}
}

// midway returns what a bar writes for one interval.
func midway(t *testing.T, o BarOptions) string {
	t.Helper()
	var b bytes.Buffer
	if err := NewBar(&b, o).Log(sample()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestBarStaysOnOneLine draws on terminals of every width from where a bar makes sense.
func TestBarStaysOnOneLine(t *testing.T) {
	for width := 20; width < 200; width++ {
		var b bytes.Buffer
		bar := NewBar(&b, BarOptions{Width: width, Color: width%2 == 0})
		i := sample()
		for _, i.Step = range []int{0, 1, 400, 400, 4100, 4200, 4300} {
			if err := bar.Log(i); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(bar.Note("after the end"), bar.Close()); err != nil {
			t.Fatal(err)
		}
		if got := screen(t, b.String(), width); len(got) != 3 && len(got) != 2 {
			t.Fatalf("%d columns: %q", width, got)
		}
	}
}

func TestBarWithoutTotal(t *testing.T) {
	var b bytes.Buffer
	bar := NewBar(&b, BarOptions{})
	for _, step := range []int{0, 5, 9} {
		if err := bar.Log(Interval{Step: step}); err != nil {
			t.Fatal(err)
		}
	}
	if err := bar.Close(); err != nil {
		t.Fatal(err)
	}
	if got := screen(t, b.String(), 80); len(got) != 2 {
		t.Errorf("%q", got)
	}
	if err := NewBar(io.Discard, BarOptions{}).Close(); err != nil {
		t.Error(err)
	}
}

// failing is a writer that always fails.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestErrorsComeBack(t *testing.T) {
	broken := errors.New("broken pipe")
	for name, l := range map[string]Logger{"plain": NewPlain(failing{broken}), "json": NewJSONLines(failing{broken}),
		"bar": NewBar(failing{broken}, BarOptions{}), "multi": Multi(Quiet{}, NewPlain(failing{broken}))} {
		if err := l.Log(sample()); !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
		if err := l.Note("x"); !errors.Is(err, broken) && name != "json" {
			t.Errorf("%s: note: %v", name, err)
		}
	}
	for name, i := range map[string]Interval{
		"negative step": {Step: -1},
		"bad metric":    {Metric: "\xff"},
		"empty key":     {Extra: []Field{Int("", 1)}},
		"bad key":       {Extra: []Field{Int("\xff", 1)}},
		"bad text":      {Extra: []Field{Text("a", "\xff")}},
		"key twice":     {Extra: []Field{Int("a", 1), Int("b", 1), Text("a", "")}},
	} {
		var b bytes.Buffer
		for _, l := range []Logger{Quiet{}, NewPlain(&b), NewJSONLines(&b), NewBar(&b, BarOptions{}), Multi(Quiet{})} {
			if err := l.Log(i); err == nil || b.Len() > 0 {
				t.Errorf("%s: %T: error %v, wrote %q", name, l, err, b.String())
			}
		}
	}
}

func TestMulti(t *testing.T) {
	var a, b bytes.Buffer
	l := Multi(NewPlain(failing{io.ErrClosedPipe}), NewPlain(&a), NewJSONLines(&b))
	err := errors.Join(l.Log(sample()), l.Note("note"), l.Close())
	if !errors.Is(err, io.ErrClosedPipe) || strings.Count(a.String(), "\n") != 2 ||
		strings.Count(b.String(), "\n") != 1 {
		t.Errorf("%v, %q, %q", err, a.String(), b.String())
	}
	if err := Multi().Log(sample()); err != nil {
		t.Error(err)
	}
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		quiet, terminal bool
		term, noColor   string
		want            string
	}{
		{false, false, "xterm", "", "*log.Plain"},
		{false, true, "xterm", "", "*log.Bar true"},
		{false, true, "xterm", "1", "*log.Bar false"},
		{false, true, "dumb", "", "*log.Plain"},
		{true, true, "xterm", "", "log.Quiet"},
		{true, false, "", "", "log.Quiet"},
	} {
		env := map[string]string{"TERM": c.term, "NO_COLOR": c.noColor}
		l := choose(io.Discard, c.quiet, c.terminal, 120, func(k string) string { return env[k] })
		got := fmt.Sprintf("%T", l)
		if b, ok := l.(*Bar); ok {
			got += fmt.Sprint(" ", b.o.Color)
		}
		if got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
		if err := errors.Join(l.Log(sample()), l.Note("x"), l.Close()); err != nil {
			t.Error(err)
		}
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if l, ok := ForFile(f, false).(*Plain); !ok {
		t.Errorf("a regular file gets a %T", l)
	}
}

func FuzzOneLine(f *testing.F) {
	f.Add("a\x1b[2Jb\r\n")
	f.Add("\xff")
	f.Add("\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		got := oneLine(s)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\x1b\r\n\x00\u202e") {
			t.Fatalf("%q became %q", s, got)
		}
	})
}
