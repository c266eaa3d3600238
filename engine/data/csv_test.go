package data

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ganglion/engine/data/source"
)

func TestCSVValues(t *testing.T) {
	const text = "id,size,colour,class\n1,0.5,red,yes\n2,,blue,no\n3,-2e1,NA,yes\n4,7,red,no\n"
	table := mustLoad(t, "t.csv", text, Options{})
	nan := math.NaN()
	want := []float64{0.5, 0, 1, nan, 1, 0, -20, nan, nan, 7, 0, 1}
	if !sameFloats(table.X, want) {
		t.Errorf("values %v, want %v", table.X, want)
	}
	if want := []string{"size", "colour=blue", "colour=red"}; !slices.Equal(table.FeatureNames, want) {
		t.Errorf("features %q, want %q", table.FeatureNames, want)
	}
	if !slices.Equal(table.Classes, []string{"no", "yes"}) || !slices.Equal(table.Labels, []int32{1, 0, 1, 0}) {
		t.Errorf("classes %q, labels %v", table.Classes, table.Labels)
	}
	notes := []string{
		`the target is the column called "class"`,
		`column "id" counts the rows: left out`,
		`column "colour" is text: 2 categories, one feature each`,
		`column "size": 1 of 4 values are missing: set to the mean of the training rows`,
		`column "colour": 1 of 4 values are missing: set to the mean of the training rows`,
	}
	if !slices.Equal(table.Notes, notes) {
		t.Errorf("notes\n%s\nwant\n%s", strings.Join(table.Notes, "\n"), strings.Join(notes, "\n"))
	}
	if table.Name != "t" || table.N != 4 || table.D != 3 || len(table.SHA256) != 64 {
		t.Errorf("name %q, %d x %d, sha256 %q", table.Name, table.N, table.D, table.SHA256)
	}
}

func TestCSVErrors(t *testing.T) {
	many := func(n int, row string) string { return strings.Repeat(row+"\n", n) }
	penguins := "species,year\n" + many(15, "a,2007") + "b,abc\n" + many(10, "b,2008")
	for _, c := range []struct {
		name, text string
		o          Options
		want       string
	}{
		{"text among numbers", penguins, Options{Target: "species"},
			`penguins.csv:17: column "year": want a number, got "abc"; ` +
				`1 of 26 values are text: mend them, or write NA where a value is missing`},
		{"target absent", "sepal,species\n1,a\n2,b\n", Options{Target: "specie"},
			`penguins.csv: want a column called "specie", got no such column; the nearest are "species", "sepal"`},
		{"target position", "1,2\n3,4\n", Options{Target: "3"},
			`penguins.csv: want a target column from 1 to 2, or -1 for the last, got 3; change --target`},
		{"missing target", "x,y\n1,a\n2,\n3,b\n", Options{},
			`penguins.csv:3: column "y": want a finite target, got ""; leave the line out`},
		{"NaN target", "x,y\n1,1.5\n2,NaN\n3,2\n", Options{},
			`penguins.csv:3: column "y": want a finite target, got "NaN"; leave the line out`},
		{"infinite target", "x,y\n1,1.5\n2,-inf\n3,2\n", Options{},
			`penguins.csv:3: column "y": want a finite target, got "-inf"; leave the line out`},
		{"infinite feature", "x,y\n1,1\ninf,2\n3,1\n", Options{},
			`penguins.csv:3: column "x": want a finite number, got "inf"; write NA where a value is missing`},
		{"too large a number", "x,y\n1,1\n1e999,2\n3,1\n", Options{},
			`penguins.csv:3: column "x": want a number, got "1e999"; ` +
				`1 of 3 values are text: mend them, or write NA where a value is missing`},
		{"one class", "x,y\n1,a\n2,a\n", Options{},
			`penguins.csv: column "y": want at least two classes, got only "a"; ` +
				`choose another --target or add rows of another class`},
		{"empty", "", Options{}, `penguins.csv: want a table, got an empty file; check that the file is the right one`},
		{"blank", " \n\r\n", Options{},
			`penguins.csv: want a table, got an empty file; check that the file is the right one`},
		{"header only", "a,b,c\n", Options{}, `penguins.csv: want rows of data, got only a header; add rows`},
		{"ragged", "a,b,c\n1,2,3\n1,2\n", Options{},
			`penguins.csv:3: want 3 fields as in line 1, got 2; mend the line, ` +
				`or quote fields that contain the delimiter`},
		{"ragged after a quoted line break", "a,b\n\"x\ny\",2\n1\n", Options{},
			`penguins.csv:4: want 2 fields as in line 1, got 1; mend the line, ` +
				`or quote fields that contain the delimiter`},
		{"quote", "a,b\n1,2\n\"x,2\n", Options{},
			`penguins.csv:3: extraneous or missing " in quoted-field; write a quote inside a quoted field twice`},
		{"decimal commas", "a;b\n1,5;2\n2,5;3\n", Options{},
			`penguins.csv:2: column "a": want a number, got "1,5"; write decimal points instead of decimal commas`},
		{"same names", "a,a,b\n1,2,3\n", Options{},
			`penguins.csv:1: column "a": want different names of columns, got the same for columns 1 and 2; ` +
				`rename one`},
		{"only a target", "y\n1\n2\n", Options{},
			`penguins.csv: want at least one feature beside the target, got none; check the delimiter and --target`},
		{"text to regress", "x,y\n1,a\n2,b\n", Options{Task: Regress},
			`penguins.csv:2: column "y": want a number as regression target, got "a"; ` +
				`choose another --target or --task classify`},
		{"text among targets", "x,y\n1,1\n2,2\n3,3\n4,q\n", Options{},
			`penguins.csv:5: column "y": want a number, got "q"; ` +
				`1 of 4 values are text: mend them, or write NA where a value is missing`},
		{"too many classes", "x,y\n" + countRows(50), Options{Task: Classify},
			`penguins.csv: column "y": want a few classes, got 50 in 50 rows; ` +
				`choose another --target, or --task regress for numbers`},
		{"UTF-16", "\xff\xfea\x00", Options{}, `penguins.csv: want UTF-8 text, got UTF-16; save it as UTF-8`},
		{"Latin-1", "a,b\nx\xe9,2\n", Options{},
			`penguins.csv:2: want UTF-8 text, got "x\xe9"; save the file as UTF-8`},
		{"zero byte", "a,b\n\x00", Options{},
			`penguins.csv: byte 4: want text, got a byte that is zero; tables are read from CSV, TSV, ` +
				`libsvm and .npz files`},
		{"long line", "a,b\n" + strings.Repeat("x", maxLine) + "\n", Options{},
			`penguins.csv:2: want lines of at most 4194304 bytes, got 4194305; ` + readable},
		{"many columns", strings.Repeat("1,", maxColumns) + "1\n", Options{},
			`penguins.csv:1: want at most 131072 columns, got 131073; ` + readable},
		{"Parquet", "PAR1....", Options{},
			`penguins.csv: want a table in a format that is read here, got a Parquet file; ` +
				`save it as CSV; ` + readable},
		{"array", "\x93NUMPY\x01\x00", Options{}, `penguins.csv: want an .npz archive with the arrays x and y, ` +
			`got a single .npy array; save it with numpy.savez_compressed(file, x=..., y=...)`},
		{"gzip", "\x1f\x8b\x08xyz", Options{}, `penguins.csv: want a whole gzip file, got unexpected EOF; ` +
			`the file is damaged: fetch it again`},
		{"too large a table", "a,b\n1,2\n3,4\n", Options{Limits: source.Limits{MaxBytes: 15}},
			`penguins.csv: want a table of at most 15 bytes, got 2 rows × 1 features; ` +
				`leave out rows or columns, or group the values of text columns`},
		{"task", "a,b\n1,2\n", Options{Task: "guess"},
			`--task: want "classify" or "regress", got guess; change --task`},
		{"header", "a,b\n1,2\n", Options{Header: "maybe"},
			`header: want "", "yes" or "no", got maybe; change the setting`},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := writeFile(t, "penguins.csv", c.text)
			_, err := Load(context.Background(), path, c.o)
			wantError(t, err, path, c.want)
		})
	}
}

// countRows are n rows "1,i".
func countRows(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d,%d\n", i%3, i)
	}
	return b.String()
}

func TestCSVTooManyCategories(t *testing.T) {
	var b strings.Builder
	b.WriteString("c,y\n")
	for i := range 2500 {
		fmt.Fprintf(&b, "v%d,%d\n", i%1100, i%2)
	}
	path := writeFile(t, "t.csv", b.String())
	_, err := Load(context.Background(), path, Options{})
	wantError(t, err, path, `t.csv:2: column "c": want at most 1000 different texts, got 1100 or more; `+
		`leave the column out of the file or group its values`)
}

func TestCSVIdentifierLeftOut(t *testing.T) {
	var b strings.Builder
	b.WriteString("name,x,y\n")
	for i := range 40 {
		fmt.Fprintf(&b, "person %d,%d,%d\n", i, i%7, i%2)
	}
	table := mustLoad(t, "t.csv", b.String(), Options{})
	if !slices.Equal(table.FeatureNames, []string{"x"}) || !slices.Equal(table.Encoder.LeftOut, []string{"name"}) {
		t.Errorf("features %q, left out %q", table.FeatureNames, table.Encoder.LeftOut)
	}
	want := `column "name" looks like an identifier (more than half of its 40 values differ): left out`
	if !slices.Contains(table.Notes, want) {
		t.Errorf("notes %q", table.Notes)
	}
}

func TestHeader(t *testing.T) {
	for _, c := range []struct {
		name, text string
		mode       Header
		rows       int
		first      string
	}{
		{"names above numbers", "a,b\n1,2\n3,4\n", HeaderAuto, 2, "a"},
		{"numbers only", "1,2\n3,4\n5,6\n", HeaderAuto, 3, "column 1"},
		{"text only, with names", "colour,kind\nred,x\nblue,y\nred,x\n", HeaderAuto, 3, "colour"},
		{"text only, without names", "red,x\nblue,y\nred,x\n", HeaderAuto, 3, "column 1"},
		{"label last", "1,2,a\n3,4,b\n", HeaderAuto, 2, "column 1"},
		{"empty first name", ",b,y\n1,2,3\n4,5,6\n", HeaderAuto, 2, "column 1"},
		{"forced", "2001,2002\n1,2\n3,4\n", HeaderYes, 2, "2001"},
		{"forbidden", "colour,kind\nred,x\nblue,y\n", HeaderNo, 3, "column 1"},
	} {
		table, err := Load(context.Background(), writeFile(t, "t.csv", c.text), Options{Header: c.mode, Target: "-1"})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := append(table.Encoder.LeftOut, table.Encoder.Columns[0].Name)[0]; table.N != c.rows || got != c.first {
			t.Errorf("%s: %d rows, first column %q, want %d and %q", c.name, table.N, got, c.rows, c.first)
		}
	}
}

func TestDelimiter(t *testing.T) {
	for _, c := range []struct {
		text string
		want rune
	}{
		{"a,b\n1,2\n", ','},
		{"a;b\n1;2\n", ';'},
		{"a\tb\n1\t2\n", '\t'},
		{"a b\n1 2\n", 0},
		{"1\n2\n", 0},
		{"a;b\n1,5;2,5\n", ';'},
		{"a;b\n\"1;5\";2\n", ';'},
		{"a,\"b;c\"\n1,2\n", ','},
		{"a\tb\n1, 2\t3\n", '\t'},
		{"540.0 \t0.0 \t1\n3 \t4 \t5\n", '\t'},
		{"a,b\n1,2\n1,2,3\n", ','},
		{"a,\"b\nc,d\"\n1,2\n", ','},
	} {
		if got := delimiter([]byte(c.text)); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestTarget(t *testing.T) {
	const text = "a,b,c\n1,0,5.5\n2,1,6.5\n3,0,7.25\n"
	for _, c := range []struct {
		target string
		task   Task
		names  []string
		want   Task
	}{
		{"", Auto, []string{"a", "b"}, Regress},
		{"-1", Auto, []string{"a", "b"}, Regress},
		{"b", Auto, []string{"a", "c"}, Classify},
		{"2", Auto, []string{"a", "c"}, Classify},
		{"b", Regress, []string{"a", "c"}, Regress},
		{"c", Classify, []string{"a", "b"}, Classify},
	} {
		table := mustLoad(t, "t.csv", text, Options{Target: c.target, Task: c.task})
		if table.Task != c.want || !slices.Equal(table.FeatureNames, c.names) {
			t.Errorf("target %q, task %q: got %q with features %q", c.target, c.task, table.Task, table.FeatureNames)
		}
	}
	table := mustLoad(t, "t.csv", "a,label,z\n1,0,9\n2,1,8\n1,1,7\n", Options{})
	if table.TargetNames[0] != "label" {
		t.Errorf("the column label is not the target but %q", table.TargetNames)
	}
}

// Twenty whole numbers are classes, twenty-one are not; 1 and 1.0 are one class; classes are in the order of the
// numbers.
func TestTask(t *testing.T) {
	numbers := func(k int) string {
		var b strings.Builder
		b.WriteString("x,y\n")
		for i := range 3 * k {
			fmt.Fprintf(&b, "%d,%d\n", i%5, i%k)
		}
		return b.String()
	}
	if table := mustLoad(t, "t.csv", numbers(20), Options{}); table.Task != Classify || table.Classes[10] != "10" {
		t.Errorf("20 whole numbers: %q, %q", table.Task, table.Classes)
	}
	if table := mustLoad(t, "t.csv", numbers(21), Options{}); table.Task != Regress {
		t.Errorf("21 whole numbers: %q", table.Task)
	}
	table := mustLoad(t, "t.csv", "x,y\n1,1\n2,1.0\n3,10\n4,2e0\n", Options{})
	if !slices.Equal(table.Classes, []string{"1", "2", "10"}) || !slices.Equal(table.Labels, []int32{0, 0, 2, 1}) {
		t.Errorf("classes %q, labels %v", table.Classes, table.Labels)
	}
}

// Any table written in any of the dialects is read back with the same values.
func TestCSVRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n, d := rapid.IntRange(2, 30).Draw(rt, "rows"), rapid.IntRange(1, 6).Draw(rt, "columns")
		delim := rapid.SampledFrom([]string{",", ";", "\t", ", "}).Draw(rt, "delimiter")
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(rt, "line end")
		header, quote := rapid.Bool().Draw(rt, "header"), rapid.Bool().Draw(rt, "quote")
		var b strings.Builder
		if rapid.Bool().Draw(rt, "mark") {
			b.WriteString("\xef\xbb\xbf")
		}
		line := func(cells []string) {
			if quote {
				for i, c := range cells {
					cells[i] = `"` + c + `"`
				}
			}
			b.WriteString(strings.Join(cells, delim) + end)
		}
		if header {
			var names []string
			for j := range d {
				names = append(names, fmt.Sprintf("f%d", j))
			}
			line(append(names, "target"))
		}
		var want, y []float64
		for i := range n {
			var cells []string
			for range d {
				v := rapid.Float64Range(-1e6, 1e6).Draw(rt, "value")
				cell := strconv.FormatFloat(v, 'g', -1, 64)
				if rapid.IntRange(0, 9).Draw(rt, "missing") == 0 && i > 0 {
					v, cell = math.NaN(), rapid.SampledFrom([]string{"NA", "?", "nan", "NULL"}).Draw(rt, "token")
				}
				want, cells = append(want, v), append(cells, cell)
			}
			y = append(y, float64(i)+0.5)
			line(append(cells, strconv.FormatFloat(y[i], 'g', -1, 64)))
		}
		text := b.String()
		if rapid.Bool().Draw(rt, "gzip") {
			text = gzipped(t, text)
		}
		table := mustLoad(t, "t.csv", text, Options{})
		if table.N != n || table.D != d || !sameFloats(table.X, want) || !slices.Equal(table.Targets, y) {
			rt.Fatalf("got %d x %d %v %v\nof %q", table.N, table.D, table.X, table.Targets, text)
		}
	})
}

func TestWhiteSpaceAndCarriageReturns(t *testing.T) {
	for _, text := range []string{"1 2\t3\n\n  4 5 6.5\n", "1,2,3\r4,5,6.5\r", "1,2,3\n4,5,6.5",
		"1,2,3\n\n4,5,6.5\n  \n"} {
		table := mustLoad(t, "t.txt", text, Options{})
		if !slices.Equal(table.X, []float64{1, 2, 4, 5}) || !slices.Equal(table.Targets, []float64{3, 6.5}) {
			t.Errorf("%q: got %v, %v", text, table.X, table.Targets)
		}
	}
}

func TestLoadCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for name, text := range map[string]string{
		"t.csv":    "a,b\n" + strings.Repeat("1,2\n2,1\n", 5000),
		"t.libsvm": strings.Repeat("1 1:2\n2 1:3\n", 5000),
	} {
		if _, err := Load(ctx, writeFile(t, name, text), Options{}); err != context.Canceled {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n3,4\n", "x;y\n1,5;a\n2,5;b\n", "\xef\xbb\xbf\"a\"\t\"b\"\r\n1\t?\r\n",
		"1 2 3\n4 5 6\n",
		"a,b\n\"1\n\",2\n", "id,c,y\n1,red,0\n2,blue,1\n", ",,\n,,\n", "\"\n"} {
		f.Add([]byte(s), "")
		f.Add([]byte(s), "1")
	}
	f.Fuzz(func(t *testing.T, b []byte, target string) { checkFuzzed(t, b, target) })
}

// checkFuzzed reads arbitrary bytes: the result is an *Error or a table that holds together and can be split and
// standardised.
func checkFuzzed(t *testing.T, b []byte, target string) {
	file, err := source.New("fuzz", b, source.Limits{MaxBytes: 64 << 20})
	if err != nil {
		return
	}
	table, err := loadFile(context.Background(), file, Options{Target: target,
		Limits: source.Limits{MaxBytes: 64 << 20}})
	if err != nil {
		return
	}
	if err := table.Check(); err != nil {
		t.Fatal(err)
	}
	if err := table.Encoder.Check(); err != nil {
		t.Fatal(err)
	}
	table.Summarize()
	split, err := table.Split("75/25", 1)
	if err != nil {
		return
	}
	s, err := FitStandardizer(table, split.Train)
	if err != nil {
		return
	}
	out := make([]float64, len(split.Test)*table.D)
	Transform(out, s, table, split.Test)
	if slices.ContainsFunc(out, math.IsNaN) {
		t.Fatal("a standardised value is not a number")
	}
}
