package data

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// array is a named array of a test archive.
type array struct {
	name  string
	descr string
	shape []int
	data  any
}

// archive makes an .npz file.
func archive(t testing.TB, arrays ...array) string {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, a := range arrays {
		w, err := z.Create(a.name + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		shape := strings.ReplaceAll(strings.Trim(fmt.Sprint(a.shape), "[]"), " ", ", ")
		head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }\n", a.descr, shape)
		if _, err := w.Write(append([]byte("\x93NUMPY\x01\x00"), byte(len(head)), byte(len(head)>>8))); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(head)); err != nil {
			t.Fatal(err)
		}
		if err := binary.Write(w, binary.LittleEndian, a.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestNPZRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n, d := rapid.IntRange(4, 40).Draw(rt, "rows"), rapid.IntRange(1, 7).Draw(rt, "columns")
		x := rapid.SliceOfN(rapid.Float64Range(-1e12, 1e12), n*d, n*d).Draw(rt, "x")
		y := make([]int32, n)
		for i := range y {
			y[i] = int32(i % 2)
		}
		key := rapid.SampledFrom([]string{"x", "X"}).Draw(rt, "key")
		table := mustLoad(t, "t.npz", archive(t, array{key, "<f8", []int{n, d}, x}, array{"y", "<i4", []int{n}, y}),
			Options{})
		if table.N != n || table.D != d || !slices.Equal(table.X, x) || !slices.Equal(table.Labels, y) {
			rt.Fatalf("got %d x %d %v %v", table.N, table.D, table.X, table.Labels)
		}
	})
}

func TestNPZQuantised(t *testing.T) {
	xq := array{"xq", "<i2", []int{2, 2}, []int16{32767, -32767, 0, 32767}}
	y := array{"y", "<i4", []int{2}, []int32{0, 1}}
	lo, hi := array{"col_min", "<f4", []int{2}, []float32{-1, 10}}, array{"col_max", "<f4", []int{2}, []float32{3, 30}}
	plain := mustLoad(t, "t.npz", archive(t, xq, y), Options{Task: Classify})
	if want := []float64{1, -1, 0, 1}; !slices.Equal(plain.X, want) {
		t.Errorf("got %v, want %v", plain.X, want)
	}
	scaled := mustLoad(t, "t.npz", archive(t, xq, y, lo, hi), Options{Task: Classify})
	if want := []float64{3, 10, 1, 30}; !slices.Equal(scaled.X, want) {
		t.Errorf("got %v, want %v", scaled.X, want)
	}
}

func TestNPZSparse(t *testing.T) {
	sparse := []array{
		{"x_shape", "<i8", []int{2}, []int64{3, 4}}, {"x_indptr", "<i4", []int{4}, []int32{0, 2, 2, 4}},
		{"x_indices", "<i4", []int{4}, []int32{0, 3, 3, 1}}, {"x_data", "<f4", []int{4}, []float32{1, 2, 3, 4}},
		{"y", "<i4", []int{3}, []int32{0, 1, 0}},
	}
	table := mustLoad(t, "t.npz", archive(t, sparse...), Options{Task: Classify})
	if want := []float64{1, 0, 0, 2, 0, 0, 0, 0, 0, 4, 0, 3}; !slices.Equal(table.X, want) {
		t.Errorf("got %v, want %v", table.X, want)
	}
	cut := mustLoad(t, "t.npz", archive(t, sparse...), Options{Task: Classify, MaxFeatures: 2})
	if want := []float64{1, 2, 0, 0, 0, 3}; !slices.Equal(cut.X, want) ||
		cut.Notes[0] != "2 of 4 features are kept, those that occur in most rows" {
		t.Errorf("got %v, %q, want %v", cut.X, cut.Notes, want)
	}
	for name, bad := range map[string]array{
		`t.npz: column "x_indptr": entry 0: want a column from 0 to 3, got 9; save it again as a CSR matrix`: {
			"x_indices", "<i4", []int{4}, []int32{9, 3, 3, 1}},
		`t.npz: column "x_indptr": want ascending row pointers; save it again as a CSR matrix`: {
			"x_indptr", "<i4", []int{4}, []int32{0, 3, 2, 4}},
		`t.npz: column "x_indptr": want row pointers from 0 to 4, got 0 to 9; save it again as a CSR matrix`: {
			"x_indptr", "<i4", []int{4}, []int32{0, 2, 2, 9}},
		`t.npz: column "x_indptr": want 4 row pointers for 3 rows, got 3; save it again as a CSR matrix`: {
			"x_indptr", "<i4", []int{3}, []int32{0, 2, 4}},
		`t.npz: column "x_indptr": want as many values as column numbers, got 3 and 4; save it again as a CSR matrix`: {
			"x_data", "<f4", []int{3}, []float32{1, 2, 3}},
		`t.npz: column "x_shape": want two sizes above 0, got [3 0]; save it again`: {"x_shape", "<i8", []int{2},
			[]int64{3, 0}},
	} {
		arrays := slices.Clone(sparse)
		arrays[slices.IndexFunc(arrays, func(a array) bool { return a.name == bad.name })] = bad
		path := writeFile(t, "t.npz", archive(t, arrays...))
		_, err := Load(context.Background(), path, Options{})
		wantError(t, err, path, name)
	}
}

func TestNPZTargets(t *testing.T) {
	x := array{"x", "<f4", []int{6, 1}, make([]float32, 6)}
	load := func(y array, o Options) *Table { return mustLoad(t, "t.npz", archive(t, x, y), o) }
	if table := load(array{"y", "<i4", []int{6}, []int32{0, 1, 2, 0, 1, 2}}, Options{}); len(table.Classes) != 3 {
		t.Errorf("labels: %q", table.Classes)
	}
	if table := load(array{"y", "<f8", []int{6, 1}, []float64{1, 2, 3.5, 4, 5, 6}}, Options{}); table.Task != Regress {
		t.Errorf("floats: %q", table.Task)
	}
	table := load(array{"y", "<f8", []int{6, 2}, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}, Options{})
	if table.Task != Regress || !slices.Equal(table.TargetNames, []string{"y1", "y2"}) || table.Outputs() != 2 {
		t.Errorf("two targets: %q, %q", table.Task, table.TargetNames)
	}
	if table := load(array{"z", "|b1", []int{6}, []bool{true, false, true, true, false, false}},
		Options{Target: "z"}); !slices.Equal(
		table.Classes, []string{"0", "1"}) {
		t.Errorf("bool: %q", table.Classes)
	}
	// More than 20 classes need whole numbers from 0 without a gap and two rows each.
	big := array{"x", "<f4", []int{60, 1}, make([]float32, 60)}
	labels := make([]int32, 60)
	for i := range labels {
		labels[i] = int32(i % 30)
	}
	table = mustLoad(t, "t.npz", archive(t, big, array{"y", "<i4", []int{60}, labels}), Options{})
	if table.Task != Classify || len(table.Classes) != 30 {
		t.Errorf("30 classes: %q, %d", table.Task, len(table.Classes))
	}
}

func TestNPZErrors(t *testing.T) {
	x := array{"x", "<f4", []int{4, 1}, []float32{1, 2, 3, 4}}
	y := array{"y", "<i4", []int{4}, []int32{0, 1, 0, 1}}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		name   string
		arrays []array
		o      Options
		want   string
	}{
		{"no x", []array{y, {"edge_index", "<i4", []int{2, 1}, []int32{0, 1}}}, Options{},
			`t.npz: want the array x, X or xq (features) and y (target), got edge_index, y; ` +
				`a table is saved with numpy.savez_compressed(file, x=..., y=...); a graph is no table`},
		{"no y", []array{x}, Options{}, `t.npz: want an array called "y" as target, got x; name one with --target`},
		{"flat x", []array{{"x", "<f4", []int{4}, []float32{1, 2, 3, 4}}, y}, Options{},
			`t.npz: column "x": want features of shape [rows, columns], got [4]; reshape the array`},
		{"no rows", []array{{"x", "<f4", []int{0, 4}, []float32{}}, y}, Options{},
			`t.npz: column "x": want features of shape [rows, columns], got [0 4]; reshape the array`},
		{"y too short", []array{x, {"y", "<i4", []int{3}, []int32{0, 1, 0}}}, Options{},
			`t.npz: column "y": want a target of shape [4] or [4, targets], got [3]; reshape the array`},
		{"NaN in y", []array{x, {"y", "<f4", []int{4}, []float32{1, 2, nan, 4}}}, Options{},
			`t.npz: column "y": want finite targets, got NaN in row 3; leave the row out`},
		{"Inf in second y", []array{x, {"y", "<f4", []int{4, 2}, []float32{1, 2, 3, inf, 5, 6, 7, 8}}}, Options{},
			`t.npz: column "y2": want finite targets, got +Inf in row 2; leave the row out`},
		{"Inf in x", []array{{"x", "<f4", []int{4, 1}, []float32{1, inf, 3, 4}}, y}, Options{},
			`t.npz: column "feature1": want finite values, got +Inf in row 2; ` +
				`write missing values as an empty cell or NA`},
		{"one class", []array{x, {"y", "<i4", []int{4}, []int32{1, 1, 1, 1}}}, Options{},
			`t.npz: column "y": want at least two classes, got only "1"; ` +
				`choose another --target or add rows of another class`},
		{"classes in two columns", []array{x, {"y", "<i4", []int{4, 2}, make([]int32, 8)}}, Options{Task: Classify},
			`t.npz: column "y": want one class a row, got [4 2]; save class numbers of shape [rows]`},
		{"split", []array{x, y, {"split_75_25", "|i1", []int{1, 4}, []int8{0, 0, 3, 1}}}, Options{},
			`t.npz: column "split_75_25": want 0 train, 1 validation or test, 2 test, got 3 for row 3 of split 0; ` +
				`leave the array out`},
		{"split too short", []array{x, y, {"split", "|i1", []int{3}, []int8{0, 0, 1}}}, Options{},
			`t.npz: column "split": want a split of shape [splits, 4], got [3]; leave the array out`},
		{"range", []array{{"xq", "<i2", []int{4, 1}, make([]int16, 4)}, y, {"col_min", "<f4", []int{1},
			[]float32{0}}}, Options{},
			`t.npz: array "col_max": there is no such array, only col_min, xq, y; ` +
				`save it again with numpy.savez_compressed`},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := writeFile(t, "t.npz", archive(t, c.arrays...))
			_, err := Load(context.Background(), path, c.o)
			wantError(t, err, path, c.want)
		})
	}
	whole := archive(t, x, y)
	path := writeFile(t, "t.npz", whole[:len(whole)-30])
	_, err := Load(context.Background(), path, Options{})
	wantError(t, err, path, `t.npz: want a whole .npz archive, got zip: not a valid zip file; `+
		`the file is damaged or was cut off: fetch it again`)
}

func TestNPZSplits(t *testing.T) {
	x := array{"x", "<f4", []int{4, 1}, []float32{1, 2, 3, 4}}
	y := array{"y", "<i4", []int{4}, []int32{0, 1, 0, 1}}
	table := mustLoad(t, "t.npz", archive(t, x, y, array{"split_75_25", "|i1", []int{2, 4}, []int8{0, 0, 0, 1, 1, 0,
		0, 0}},
		array{"official_test", "|u1", []int{4}, []uint8{0, 0, 1, 1}}, array{"subject", "<i4", []int{4}, []int32{7, 3,
			3, 5}}), Options{})
	want := []StoredSplit{
		{"official", [][]int8{{0, 0, 1, 1}}},
		{"split_75_25", [][]int8{{0, 0, 0, 1}, {1, 0, 0, 0}}},
		{"subject", [][]int8{{0, 1, 1, 0}, {0, 0, 0, 1}, {1, 0, 0, 0}}},
	}
	if fmt.Sprint(table.Splits) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", table.Splits, want)
	}
}

func FuzzNPZ(f *testing.F) {
	x := array{"x", "<f4", []int{4, 1}, []float32{1, 2, 3, 4}}
	y := array{"y", "<i4", []int{4}, []int32{0, 1, 0, 1}}
	f.Add([]byte(archive(f, x, y)))
	f.Add([]byte(archive(f, array{"xq", "<i2", []int{4, 1}, make([]int16, 4)}, y, array{"split", "|i1", []int{4},
		[]int8{0, 0, 1, 1}})))
	f.Add([]byte(archive(f, array{"x_shape", "<i8", []int{2}, []int64{4, 3}}, array{"x_indptr", "<i4", []int{5},
		make([]int32, 5)},
		array{"x_indices", "<i4", []int{0}, []int32{}}, array{"x_data", "<f4", []int{0}, []float32{}}, y)))
	f.Fuzz(func(t *testing.T, b []byte) { checkFuzzed(t, b, "") })
}
