package data

import (
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// idxBytes is an IDX file of the type with these sizes and bytes behind them.
func idxBytes(code byte, dims []int, body ...byte) string {
	b := []byte{0, 0, code, byte(len(dims))}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, uint32(d))
	}
	return string(append(b, body...))
}

// folder writes files into a new folder.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func load(t *testing.T, path string, o Options) *Table {
	t.Helper()
	table, err := Load(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestIDXTypes(t *testing.T) {
	f32 := binary.BigEndian.AppendUint32(nil, math.Float32bits(-1.5))
	f64 := binary.BigEndian.AppendUint64(nil, math.Float64bits(0.1))
	for _, c := range []struct {
		code byte
		one  []byte
		want float64
	}{{0x08, []byte{200}, 200}, {0x09, []byte{200}, -56}, {0x0b, []byte{0xff, 0xfe}, -2},
		{0x0c, []byte{0, 1, 0, 0}, 65536}, {0x0d, f32, -1.5}, {0x0e, f64, 0.1}} {
		body := slices.Concat(c.one, c.one, c.one, c.one)
		dir := folder(t, map[string]string{"a-images": idxBytes(c.code, []int{2, 1, 2}, body...),
			"a-labels": idxBytes(0x08, []int{2}, 7, 3)})
		table := load(t, filepath.Join(dir, "a-images"), Options{})
		if !slices.Equal(table.X, slices.Repeat([]float64{c.want}, 4)) {
			t.Errorf("type %#x: %v, want %v", c.code, table.X, c.want)
		}
		if !slices.Equal(table.Classes, []string{"3", "7"}) || !slices.Equal(table.Labels, []int32{1, 0}) ||
			!slices.Equal(table.Shape, []int{1, 1, 2}) {
			t.Errorf("classes %q, labels %v, shape %v", table.Classes, table.Labels, table.Shape)
		}
	}
}

// mnistLike are the four files of a set with three training images and one for testing.
func mnistLike() map[string]string {
	return map[string]string{
		"train-images-idx3-ubyte": idxBytes(8, []int{3, 2, 2}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
		"train-labels-idx1-ubyte": idxBytes(8, []int{3}, 0, 1, 0),
		"t10k-images-idx3-ubyte":  idxBytes(8, []int{1, 2, 2}, 13, 14, 15, 16),
		"t10k-labels-idx1-ubyte":  idxBytes(8, []int{1}, 1),
	}
}

func TestIDXFolder(t *testing.T) {
	files := mnistLike()
	dir := folder(t, files)
	table := load(t, dir, Options{})
	if table.N != 4 || table.D != 4 || table.X[15] != 16 || !slices.Equal(table.Labels, []int32{0, 1, 0, 1}) {
		t.Fatalf("%d × %d, %v, %v", table.N, table.D, table.X, table.Labels)
	}
	split, err := table.Split("official", 1)
	if err != nil || !slices.Equal(split.Test, []int32{3}) {
		t.Fatalf("test rows %v, error %v", split.Test, err)
	}
	for name, text := range files { // the same set, packed
		delete(files, name)
		files[name+".gz"] = gzipped(t, text)
	}
	packed := load(t, folder(t, files), Options{})
	if !slices.Equal(packed.X, table.X) {
		t.Error("the packed files give other values")
	}
	set, err := Load(context.Background(), "mnist", Options{Dir: dir})
	if err != nil || !slices.Equal(set.X, table.X) || !slices.Equal(set.Shape, []int{1, 2, 2}) {
		t.Errorf("as a named set: %v", err)
	}
	if len(set.Notes) < 4 || !strings.Contains(set.Notes[0], "is not the listed edition") {
		t.Errorf("notes %q: want one for each file of another edition", set.Notes)
	}
}

func TestIDXErrors(t *testing.T) {
	good := mnistLike()
	images, labels := good["train-images-idx3-ubyte"], good["train-labels-idx1-ubyte"]
	for _, c := range []struct{ name, images, labels, want string }{
		{"short", images[:20], labels, `x-images: byte 20: want 12 bytes for 3 × 2 × 2 elements behind byte 16, ` +
			`got a file of 20 bytes; the file is damaged: fetch it again`},
		{"long", images + "x", labels, `x-images: byte 29: want 12 bytes for 3 × 2 × 2 elements behind byte 16, ` +
			`got a file of 29 bytes; the file is damaged: fetch it again`},
		{"header", images[:9], labels, `x-images: byte 9: want 3 sizes of 4 bytes, got a file of 9 bytes; ` +
			`the file is damaged: fetch it again`},
		{"zero", idxBytes(8, []int{3, 0, 2}), labels, `x-images: byte 8: want size 2 of 3, from 1, got 0; ` +
			`the file is damaged: fetch it again`},
		{"huge", idxBytes(14, []int{1 << 30, 1 << 30, 1 << 30}), labels, `x-images: byte 8: want size 2 of 3, ` +
			`from 1, got 1073741824; the file is damaged: fetch it again`},
		{"labels", images, idxBytes(8, []int{2}, 0, 1), `x-labels: want 3 labels, one for each sample of x-images, ` +
			`got 2; take the file that belongs to the images`},
		{"rank", images, images, `x-labels: want 3 labels, one for each sample of x-images, got 3 × 2 × 2; ` +
			`take the file that belongs to the images`},
		{"swapped", labels, labels, `x-images: want images, got labels; name the file of the images: the labels are ` +
			`found beside it`},
		{"no IDX", images, "0,1,0\n", `x-labels: want an IDX file: two zero bytes, a type, the number of dimensions, ` +
			`got 30 2c 31 2c; check that the file is the right one`},
		{"float labels", images, idxBytes(14, []int{3}, make([]byte, 24)...), `x-labels: want whole numbers as ` +
			`labels, got floating-point numbers; save them as bytes`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := folder(t, map[string]string{"x-images": c.images, "x-labels": c.labels})
			t.Chdir(dir)
			_, err := Load(context.Background(), "./x-images", Options{})
			if err == nil || strings.ReplaceAll(err.Error(), "./", "") != c.want {
				t.Errorf("error\n%v\nwant\n%s", err, c.want)
			}
		})
	}
	alone := folder(t, map[string]string{"x-images": images})
	_, err := Load(context.Background(), filepath.Join(alone, "x-images"), Options{})
	if err == nil || !strings.Contains(err.Error(), "want a class for each sample, got a file without classes") {
		t.Errorf("without labels: %v", err)
	}
}

const twoSeries = `# of a kind
@problemName Two
@timeStamps false
@univariate false
@dimensions 2
@classLabel true a b
@data
1,2,3:4,5,6:a
7,?:9:b
`

func TestSeries(t *testing.T) {
	table := mustLoad(t, "t.ts", twoSeries, Options{})
	nan := math.NaN()
	want := []float64{1, 2, 3, 4, 5, 6, 7, nan, nan, 9, nan, nan}
	if !sameFloats(table.X, want) || !slices.Equal(table.Shape, []int{2, 3}) {
		t.Errorf("shape %v, values %v, want %v", table.Shape, table.X, want)
	}
	if !slices.Equal(table.Classes, []string{"a", "b"}) || !slices.Equal(table.Labels, []int32{0, 1}) {
		t.Errorf("classes %q, labels %v", table.Classes, table.Labels)
	}
	padded := func(s string) bool { return strings.HasPrefix(s, "series of 1 to 3 positions") }
	if !slices.ContainsFunc(table.Notes, padded) {
		t.Errorf("notes %q do not say that series are padded", table.Notes)
	}
}

func TestSeriesRegression(t *testing.T) {
	table := mustLoad(t, "t.ts", "@targetlabel true\n@data\n1,2:0.5\n3,4:-1e2\n", Options{})
	if table.Task != Regress || !slices.Equal(table.Targets, []float64{0.5, -100}) {
		t.Errorf("task %q, targets %v", table.Task, table.Targets)
	}
}

func TestSeriesOldForm(t *testing.T) {
	dir := folder(t, map[string]string{"Beat_TRAIN.txt": "  1.0e+00  -1.5 2\n 2.0e+00 3 4\n",
		"Beat_TEST.txt": "2,5,6\n"})
	for _, path := range []string{dir, filepath.Join(dir, "Beat")} {
		table := load(t, path, Options{})
		if !slices.Equal(table.X, []float64{-1.5, 2, 3, 4, 5, 6}) || !slices.Equal(table.Labels, []int32{0, 1, 1}) ||
			!slices.Equal(table.Classes, []string{"1", "2"}) || len(table.Splits) != 1 {
			t.Errorf("%s: %v, %v, %q", path, table.X, table.Labels, table.Classes)
		}
	}
	one := load(t, filepath.Join(dir, "Beat_TRAIN.txt"), Options{})
	if !slices.Equal(one.X, []float64{-1.5, 2, 3, 4}) {
		t.Errorf("the training file alone: %v", one.X)
	}
}

func TestSeriesErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"value", strings.Replace(twoSeries, "5", "five", 1),
			`t.ts:8: column "channel 2, value 2": want a finite number or ?, got "five"; mend the line`},
		{"infinite", strings.Replace(twoSeries, "5", "inf", 1),
			`t.ts:8: column "channel 2, value 2": want a finite number or ?, got "inf"; mend the line`},
		{"class", strings.Replace(twoSeries, ":b", ":c", 1),
			`t.ts:9: column "class": want one of a, b, got "c"; mend the line, or @classLabel in the header`},
		{"channels", strings.Replace(twoSeries, ":9", "", 1), `t.ts:9: want 2 channels, got 1; mend the line`},
		{"colon", "@classlabel true\n@data\n1,2,3\n", `t.ts:3: want values, a colon and the class, got no colon; ` +
			`mend the line`},
		{"header", "@problemname x\nabc\n@data\n1:1\n", `t.ts:2: want a line that begins with @, until @data, ` +
			`got "abc"; mend the header`},
		{"word", "@\n@data\n1:1\n", `t.ts:1: want a word behind @, got none; mend the header`},
		{"dimensions", "@dimensions two\n@data\n", `t.ts:1: want a number of dimensions from 1, got "two"; ` +
			`mend the header`},
		{"stamps", "@timeStamps true\n@data\n", `t.ts:1: want series of values alone, got series with time stamps; ` +
			`resample them to equal steps`},
		{"empty", "@classlabel true a\n@data\n", `t.ts:2: want series behind @data, got none; ` +
			`check that the file is the right one`},
		{"target", "@targetlabel true\n@data\n1,2:x\n",
			`t.ts:3: column "target": want a finite number, got "x"; mend the line`},
		{"one class", "@data\n1,2:x\n3,4:x\n", `t.ts: column "class": want at least two classes, got only "x"; ` +
			`choose another --target or add rows of another class`},
		{"none", "@classlabel false\n@data\n1,2\n", `t.ts: want a class for each sample, got a file without classes; ` +
			`put the file of labels beside it, or take another file for training`},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := writeFile(t, "t.ts", c.text)
			_, err := Load(context.Background(), path, Options{})
			wantError(t, err, path, c.want)
		})
	}
}

func TestRereadSignals(t *testing.T) {
	e := viaJSON(t, mustLoad(t, "t.ts", twoSeries, Options{}).Encoder)
	table := reread(t, e, "u.ts", "@classlabel true b\n@data\n1,2:3,4:b\n", Options{})
	nan := math.NaN()
	if !sameFloats(table.X, []float64{1, 2, nan, 3, 4, nan}) || !slices.Equal(table.Labels, []int32{1}) {
		t.Errorf("%v, %v", table.X, table.Labels)
	}
	if bare := reread(t, e, "u.ts", "@classlabel false\n@data\n1,2,3:4,5,6\n", Options{}); len(bare.Labels) != 0 {
		t.Errorf("labels %v of a file without", bare.Labels)
	}
	for _, c := range []struct{ text, want string }{
		{"@data\n1,2,3,4:1,2,3,4:a\n", `u.ts: want samples of 2 channels and at most 3 positions, as in the ` +
			`training file, got 2 × 4; use samples of the same kind`},
		{"@data\n1:a\n", `u.ts: want samples of 2 channels and at most 3 positions, as in the training file, got ` +
			`1 × 1; use samples of the same kind`},
		{"@data\n1:1:a\n2:2:z\n", `u.ts: want one of the classes "a", "b", got "z" in sample 2; ` +
			`the model was trained without this class`},
	} {
		path := writeFile(t, "u.ts", c.text)
		_, err := e.Load(context.Background(), path, Options{})
		wantError(t, err, path, c.want)
	}
	flat := trained(t, "a,b,y\n1,2,0\n3,4,1\n5,6,0\n", Options{})
	path := writeFile(t, "u.ts", twoSeries)
	_, err := flat.Load(context.Background(), path, Options{})
	wantError(t, err, path, `u.ts: want a table, as in training, got images or series; use a file of the kind that `+
		`the model was trained on`)
}

// Channels of a signal share mean and scale, whatever the single elements do.
func TestStandardizeChannels(t *testing.T) {
	table := mustLoad(t, "t.ts", "@data\n1,1,1,1:5,7,5,7:a\n3,3,3,3:7,5,7,5:b\n", Options{})
	z, err := FitStandardizer(table, []int32{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(z.Mean, []float64{2, 2, 2, 2, 6, 6, 6, 6}) ||
		!slices.Equal(z.Scale, []float64{1, 1, 1, 1, 1, 1, 1, 1}) {
		t.Errorf("mean %v, scale %v", z.Mean, z.Scale)
	}
}

func FuzzSignals(f *testing.F) {
	for _, text := range mnistLike() {
		f.Add([]byte(text))
	}
	f.Add([]byte(twoSeries))
	f.Add([]byte("@targetlabel true\n@dimensions 1\n@data\n1,?:0.5\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := writeFile(t, "f-images", string(b))
		table, err := Load(context.Background(), path, Options{})
		if err != nil {
			return
		}
		if err := table.Check(); err != nil {
			t.Errorf("a table that was read is not sound: %v", err)
		}
	})
}
