package data

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ganglion/engine/data/source"
)

const trainCSV = "id,size,colour,kind\n1,0.5,red,x\n2,1.5,blue,y\n3,2.5,green,x\n4,NA,red,y\n"

// trained is the encoder of trainCSV after a round trip through JSON.
func trained(t *testing.T, text string, o Options) *Encoder {
	t.Helper()
	return viaJSON(t, mustLoad(t, "train.csv", text, o).Encoder)
}

func viaJSON(t *testing.T, e *Encoder) *Encoder {
	t.Helper()
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var back Encoder
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(*e) != fmt.Sprint(back) {
		t.Fatalf("the encoder changes in JSON: %+v, %+v", *e, back)
	}
	return &back
}

func reread(t *testing.T, e *Encoder, name, text string, o Options) *Table {
	t.Helper()
	table, err := e.Load(context.Background(), writeFile(t, name, text), o)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestRereadByName(t *testing.T) {
	e := trained(t, trainCSV, Options{})
	want := []float64{2.5, 0, 0, 1, 0.5, 1, 0, 0}
	for name, text := range map[string]string{
		"with target":    "id,size,colour,kind\n9,2.5,red,y\n10,0.5,blue,x\n",
		"without":        "id,size,colour\n9,2.5,red\n10,0.5,blue\n",
		"other order":    "colour,kind,size\nred,y,2.5\nblue,x,0.5\n",
		"further column": "weight,colour,kind,size\n7,red,y,2.5\n8,blue,x,0.5\n",
		"semicolons":     "colour;kind;size\nred;y;2.5\nblue;x;0.5\n",
	} {
		table := reread(t, e, "new.csv", text, Options{})
		if !slices.Equal(table.X, want) || table.N != 2 || table.D != 4 {
			t.Errorf("%s: values %v, want %v", name, table.X, want)
		}
		if has := name != "without"; table.HasTarget() != has || has && !slices.Equal(table.Labels, []int32{1, 0}) {
			t.Errorf("%s: labels %v", name, table.Labels)
		}
		const note = `column "weight" was not in the training file: left out`
		if further := name == "further column"; further != slices.Contains(table.Notes, note) {
			t.Errorf("%s: notes %q", name, table.Notes)
		}
	}
}

// One row, whose fields could all be names, is data under a header that the encoder knows.
func TestRereadOneRow(t *testing.T) {
	e := trained(t, "c,k,y\na,p,u\nb,q,v\na,q,u\nb,p,v\n", Options{})
	table := reread(t, e, "new.csv", "c,k\nb,p\n", Options{})
	if !slices.Equal(table.X, []float64{0, 1, 1, 0}) {
		t.Errorf("values %v", table.X)
	}
}

func TestRereadByPosition(t *testing.T) {
	e := trained(t, "1,a,0.5\n2,b,1.5\n3,a,2.25\n", Options{Target: "2"})
	want := []float64{7, 8}
	with := reread(t, e, "new.csv", "7,b,8\n", Options{})
	without := reread(t, e, "new.csv", "7,8\n", Options{})
	if !slices.Equal(with.X, want) || !slices.Equal(with.Labels, []int32{1}) || !slices.Equal(without.X, want) ||
		without.HasTarget() {
		t.Errorf("got %v %v and %v %v", with.X, with.Labels, without.X, without.Labels)
	}
}

func TestRereadUnknownCategory(t *testing.T) {
	e := trained(t, trainCSV, Options{})
	table := reread(t, e, "new.csv", "size,colour\n1,red\n2,violet\n3,black\n", Options{})
	if want := []float64{1, 0, 0, 1, 2, 0, 0, 0, 3, 0, 0, 0}; !slices.Equal(table.X, want) {
		t.Errorf("values %v, want %v", table.X, want)
	}
	want := `column "colour": 2 values are of no category of the training file, ` +
		`the first is "violet" in line 3: encoded as none`
	if !slices.Contains(table.Notes, want) {
		t.Errorf("notes %q", table.Notes)
	}
}

func TestRereadErrors(t *testing.T) {
	e := trained(t, trainCSV, Options{})
	unnamed := trained(t, "1,a,0.5\n2,b,1.5\n3,a,2.25\n", Options{Target: "2"})
	for _, c := range []struct {
		name string
		e    *Encoder
		text string
		want string
	}{
		{"column absent", e, "size,color\n1,red\n",
			`new.csv:1: want the columns of the training file, got a file without "colour"; ` +
				`nearest to "colour" are "color", "size"`},
		{"text", e, "size,colour\n1,red\nbig,red\n2,blue\n", `new.csv:3: column "size": want a number, got "big"; ` +
			`mend it, or write NA where a value is missing`},
		{"class", e, "size,colour,kind\n1,red,z\n",
			`new.csv:2: column "kind": want one of the classes "x", "y", got "z"; ` +
				`the model was trained without this class`},
		{"columns", unnamed, "1,2,3,4\n",
			`new.csv: want 3 columns, or 2 without the target, got 4; use the columns of the training file`},
		{"libsvm", e, "1 1:2\n",
			`new.csv: column "colour": want a text table, since this column holds categories, got a libsvm file; ` +
				`save the data as CSV`},
	} {
		path := writeFile(t, "new.csv", c.text)
		_, err := c.e.Load(context.Background(), path, Options{})
		t.Run(c.name, func(t *testing.T) { wantError(t, err, path, c.want) })
	}
	_, err := e.Load(context.Background(), "/none/such.csv", Options{})
	wantError(t, err, "/none/such.csv", "such.csv: no such file or directory; check the path")
}

func TestRereadLibSVM(t *testing.T) {
	table := mustLoad(t, "t.libsvm", "1 1:1 3:2\n2 2:1\n", Options{})
	e := viaJSON(t, table.Encoder)
	again := reread(t, e, "new.libsvm", "2 1:5\n", Options{})
	if !slices.Equal(again.X, []float64{5, 0, 0}) || !slices.Equal(again.Labels, []int32{1}) {
		t.Errorf("got %v, %v", again.X, again.Labels)
	}
	dummy := reread(t, e, "new.libsvm", "0 1:5\n0 2:3\n", Options{})
	if want := `no value of "label" is a class of the training file: taken as absent`; dummy.HasTarget() ||
		!slices.Contains(dummy.Notes, want) {
		t.Errorf("dummy labels: %v, %q", dummy.Labels, dummy.Notes)
	}
	path := writeFile(t, "new.libsvm", "2 1:5\n1 4:1\n")
	_, err := e.Load(context.Background(), path, Options{})
	wantError(t, err, path, "new.libsvm:2: want features 1 to 3, got feature 4; the model was trained without it")
	path = writeFile(t, "new.libsvm", "2 1:5\n3 2:1\n")
	_, err = e.Load(context.Background(), path, Options{})
	wantError(t, err, path, `new.libsvm: column "label": want one of the classes "1", "2", got 3 in row 2; `+
		`the model was trained without this class`)
	zero := viaJSON(t, mustLoad(t, "z.libsvm", "1 0:1 1:2\n2 0:3\n", Options{}).Encoder)
	if got := reread(t, zero, "new.libsvm", "2 1:7\n", Options{}); !slices.Equal(got.X, []float64{0, 7}) {
		t.Errorf("numbered from 0: %v", got.X)
	}
}

func TestRereadNPZ(t *testing.T) {
	x := array{"x", "<f4", []int{4, 2}, []float32{1, 2, 3, 4, 5, 6, 7, 8}}
	y := array{"y", "<i4", []int{4}, []int32{0, 1, 0, 1}}
	e := viaJSON(t, mustLoad(t, "t.npz", archive(t, x, y), Options{}).Encoder)
	alone := reread(t, e, "new.npz", archive(t, x), Options{})
	both := reread(t, e, "new.npz", archive(t, x, y), Options{})
	if alone.HasTarget() || alone.N != 4 || !slices.Equal(both.Labels, []int32{0, 1, 0, 1}) || !slices.Equal(both.X,
		alone.X) {
		t.Errorf("got %+v and %+v", alone, both)
	}
	path := writeFile(t, "new.npz", archive(t, array{"x", "<f4", []int{2, 3}, make([]float32, 6)}))
	_, err := e.Load(context.Background(), path, Options{})
	wantError(t, err, path,
		"new.npz: want 2 features as in the training file, got 3; use the columns of the training file")
	path = writeFile(t, "new.npz", archive(t, x, array{"y", "<i4", []int{3}, make([]int32, 3)}))
	_, err = e.Load(context.Background(), path, Options{})
	wantError(t, err, path, `new.npz: column "y": want 4 targets, got shape [3]; reshape the array or leave it out`)
}

func TestEncoderCheck(t *testing.T) {
	good := func() *Encoder {
		return &Encoder{Fields: 3, TargetField: 2, Task: Classify, Classes: []string{"a", "b"},
			TargetNames: []string{"y"},
			Columns:     []Column{{"n", 0, Number, nil}, {"c", 1, Category, []string{"p", "q"}}}}
	}
	if err := good().Check(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want   string
		change func(*Encoder)
	}{
		{`encoder: column "n": want kind "number" or "category", got "text"`,
			func(e *Encoder) { e.Columns[0].Kind = "text" }},
		{`encoder: column "c": want sorted, different categories`,
			func(e *Encoder) { e.Columns[1].Categories = []string{"q", "p"} }},
		{`encoder: column "c": want a position of its own below 3, got 0`,
			func(e *Encoder) { e.Columns[1].Position = 0 }},
		{`encoder: column "n": want a position of its own below 3, got 2`,
			func(e *Encoder) { e.Columns[0].Position = 2 }},
		{`encoder: want at least two classes, got 1`,
			func(e *Encoder) { e.Classes = e.Classes[:1] }},
		{`encoder: want task "classify" or "regress", got ""`,
			func(e *Encoder) { e.Task = Auto }},
		{`encoder: want at least one target`,
			func(e *Encoder) { e.Task, e.TargetNames = Regress, nil }},
		{`encoder: want the target's position from -1 to 2, got 3`,
			func(e *Encoder) { e.TargetField = 3 }},
		{`encoder: column "c": want a position of its own below 3, got -1`,
			func(e *Encoder) { e.Columns[1].Position = -1 }},
		{`encoder: column "c": want sorted, different categories`,
			func(e *Encoder) { e.Columns[1].Categories = nil }},
		{`encoder: want columns to make features of, got none`,
			func(e *Encoder) { e.Columns = nil }},
		{`encoder: want a number of columns up to 16777217, got 2000000000`,
			func(e *Encoder) { e.Fields = 2e9 }},
	} {
		e := good()
		c.change(e)
		if err := e.Check(); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func FuzzReread(f *testing.F) {
	f.Add([]byte("size,colour\n1,red\n"))
	f.Add([]byte("id,size,colour,kind\n1,,blue,x\n"))
	f.Add([]byte("1 1:2\n"))
	table, err := loadFile(context.Background(), &source.File{Name: "train.csv", Data: []byte(trainCSV)}, Options{})
	if err != nil {
		f.Fatal(err)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		path := dir + "/fuzz"
		writeTo(t, path, b)
		again, err := table.Encoder.Load(context.Background(), path, Options{Limits: source.Limits{MaxBytes: 64 << 20}})
		if err == nil && (again.D != table.D || !strings.HasPrefix(strings.Join(again.FeatureNames, ","),
			"size,colour=blue")) {
			t.Fatalf("%d features %q", again.D, again.FeatureNames)
		}
	})
}
