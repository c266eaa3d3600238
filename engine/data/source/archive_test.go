package source

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/sbinet/npyio/npz"
	"pgregory.net/rapid"
)

// npy makes an .npy file with the given dictionary.
func npy(dict string, data []byte) []byte {
	dict += "\n"
	h := append([]byte("\x93NUMPY\x01\x00"), byte(len(dict)), byte(len(dict)>>8))
	return append(append(h, dict...), data...)
}

func dict(descr string, fortran bool, shape []int) string {
	order := "False"
	if fortran {
		order = "True"
	}
	s := strings.ReplaceAll(strings.Trim(fmt.Sprint(shape), "[]"), " ", ", ")
	if len(shape) == 1 {
		s += ","
	}
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': (%s), }", descr, order, s)
}

type entry struct {
	name string
	data []byte
}

func zipped(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, e := range entries {
		w, err := z.Create(e.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func openBytes(b []byte) (*Archive, error) {
	f, err := New("x.npz", b, Limits{})
	if err != nil {
		return nil, err
	}
	return OpenArchive(f, Limits{})
}

// What a library writes is read back, whatever the type of the elements.
func TestArchiveReadsLibrary(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(rt, "n")
		arrays := map[string]any{}
		want := map[string][]float64{}
		add := func(key string, v any, at func(i int) float64) {
			arrays[key] = v
			w := make([]float64, n)
			for i := range w {
				w[i] = at(i)
			}
			want[key] = w
		}
		i8, i16 := drawN[int8](rt, n, rapid.Int8()), drawN[int16](rt, n, rapid.Int16())
		i32, i64 := drawN[int32](rt, n, rapid.Int32()), drawN[int64](rt, n, rapid.Int64())
		u8, u16 := drawN[uint8](rt, n, rapid.Uint8()), drawN[uint16](rt, n, rapid.Uint16())
		u32, u64 := drawN[uint32](rt, n, rapid.Uint32()), drawN[uint64](rt, n, rapid.Uint64())
		f32, f64 := drawN[float32](rt, n, rapid.Float32()), drawN[float64](rt, n, rapid.Float64())
		b := drawN[bool](rt, n, rapid.Bool())
		add("i1", i8, func(i int) float64 { return float64(i8[i]) })
		add("i2", i16, func(i int) float64 { return float64(i16[i]) })
		add("i4", i32, func(i int) float64 { return float64(i32[i]) })
		add("i8", i64, func(i int) float64 { return float64(i64[i]) })
		add("u1", u8, func(i int) float64 { return float64(u8[i]) })
		add("u2", u16, func(i int) float64 { return float64(u16[i]) })
		add("u4", u32, func(i int) float64 { return float64(u32[i]) })
		add("u8", u64, func(i int) float64 { return float64(u64[i]) })
		add("f4", f32, func(i int) float64 { return float64(f32[i]) })
		add("f8", f64, func(i int) float64 { return f64[i] })
		add("b1", b, func(i int) float64 {
			if b[i] {
				return 1
			}
			return 0
		})
		a := libraryArchive(t, arrays)
		for key, w := range want {
			got, shape, err := a.Floats(key)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, w) || !slices.Equal(shape, []int{n}) {
				t.Fatalf("%s: got %v of shape %v, want %v", key, got, shape, w)
			}
		}
		got, _, err := a.Ints("i8")
		if err != nil || !slices.Equal(got, i64) {
			t.Fatalf("i8: got %v, %v, want %v", got, err, i64)
		}
	})
}

func drawN[T any](rt *rapid.T, n int, g *rapid.Generator[T]) []T {
	return rapid.SliceOfN(g, n, n).Draw(rt, "values")
}

func libraryArchive(t *testing.T, arrays map[string]any) *Archive {
	t.Helper()
	var out bytes.Buffer
	w := npz.NewWriter(&out)
	for key, v := range arrays {
		if err := w.Write(key+".npy", v); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	a, err := openBytes(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Both memory orders and both byte orders, any number of dimensions.
func TestArchiveOrders(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		shape := rapid.SliceOfN(rapid.IntRange(0, 5), 0, 4).Draw(rt, "shape")
		fortran, big := rapid.Bool().Draw(rt, "fortran"), rapid.Bool().Draw(rt, "big")
		n := 1
		for _, s := range shape {
			n *= s
		}
		data := make([]byte, 4*n)
		for i := range n { // element i of C order holds i
			pos := i
			if fortran {
				pos = fortranPosition(i, shape)
			}
			if big {
				binary.BigEndian.PutUint32(data[4*pos:], math.Float32bits(float32(i)))
			} else {
				binary.LittleEndian.PutUint32(data[4*pos:], math.Float32bits(float32(i)))
			}
		}
		descr := map[bool]string{false: "<f4", true: ">f4"}[big]
		a, err := openBytes(zipped(t, entry{"x.npy", npy(dict(descr, fortran, shape), data)}))
		if err != nil {
			t.Fatal(err)
		}
		got, gotShape, err := a.Floats("x")
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != n || len(gotShape) != len(shape) || len(shape) > 0 && !slices.Equal(gotShape, shape) {
			t.Fatalf("got %d elements of shape %v, want %d of %v", len(got), gotShape, n, shape)
		}
		for i, v := range got {
			if v != float64(i) {
				t.Fatalf("element %d is %v", i, v)
			}
		}
	})
}

// fortranPosition returns where element i of C order lies in an array whose first index runs fastest.
func fortranPosition(i int, shape []int) int {
	index := make([]int, len(shape))
	for k := len(shape) - 1; k >= 0; k-- {
		index[k] = i % shape[k]
		i /= shape[k]
	}
	pos, stride := 0, 1
	for k, s := range shape {
		pos += index[k] * stride
		stride *= s
	}
	return pos
}

func TestHeaderForms(t *testing.T) {
	for _, text := range []string{
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n",
		"{'shape': (2, 3), 'descr': '<f4', 'fortran_order': False}",
		" {'fortran_order':False,'shape':( 2 , 3 ),'descr':'=f4'} ",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }",
	} {
		h, err := parseArrayHeader(text)
		if err != nil || !slices.Equal(h.shape, []int{2, 3}) || h.kind != 'f' || h.size != 4 || h.fortran || h.big {
			t.Errorf("%q: got %+v, %v", text, h, err)
		}
	}
}

func TestArchiveErrors(t *testing.T) {
	f4 := dict("<f4", false, []int{2})
	good := npy(f4, make([]byte, 8))
	long := append([]byte("\x93NUMPY\x02\x00"), 0xff, 0xff, 0xff, 0x7f)
	head := func(d string) []byte { return npy(d, nil) }
	const remedy = "; save it again with numpy.savez_compressed"
	const wantHead = "want a head like {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, got "
	const wantType = "want elements of bool, int8 to uint64, float32 or float64, got "
	for _, c := range []struct {
		name    string
		entries []entry
		want    string
	}{
		{"mark", []entry{{"x.npy", []byte("not an array")}}, `array "x": want the mark "\x93NUMPY", got "not an"`},
		{"version", []entry{{"x.npy", []byte("\x93NUMPY\x09\x00\x01\x00\n")}},
			`array "x": want .npy version 1, 2 or 3, got 9`},
		{"long head", []entry{{"x.npy", long}}, `array "x": want a head of at most 65536 bytes, got 2147483647`},
		{"cut head", []entry{{"x.npy", good[:30]}}, `array "x": the array's head is cut off: unexpected EOF`},
		{"object", []entry{{"x.npy", head(dict("|O", false, []int{2}))}}, `array "x": ` + wantType + `'|O'`},
		{"half", []entry{{"x.npy", head(dict("<f2", false, []int{2}))}}, `array "x": ` + wantType + `'<f2'`},
		{"text", []entry{{"x.npy", head(dict("<U8", false, []int{2}))}}, `array "x": ` + wantType + `'<U8'`},
		{"complex", []entry{{"x.npy", head(dict("<c8", false, []int{2}))}}, `array "x": ` + wantType + `'<c8'`},
		{"no shape", []entry{{"x.npy", head("{'descr': '<f4', 'fortran_order': False}")}},
			`array "x": want the keys descr, fortran_order and shape in the array's head, ` +
				`got "{'descr': '<f4', 'fortran_order': False}\n"`},
		{"twice", []entry{{"x.npy", head("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}")}},
			`array "x": the key "descr" stands twice in the array's head`},
		{"code", []entry{{"x.npy", head("__import__('os')")}}, `array "x": ` + wantHead + `"__import__('os')\n"`},
		{"negative", []entry{{"x.npy", head("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }")}},
			`array "x": want a shape of at most 8 sizes, got "(-2,)"`},
		{"overflow", []entry{{"x.npy",
			head("{'descr': '<f8', 'fortran_order': False, 'shape': (70000000000000, 70000000000000), }")}},
			`array "x": the shape (70000000000000, 70000000000000) is larger than any file`},
		{"claims more", []entry{{"x.npy", npy(dict("<f8", false, []int{1 << 30}), make([]byte, 8))}},
			`array "x": want 8589934592 bytes for shape [1073741824] of float64, got 8`},
		{"has more", []entry{{"x.npy", npy(f4, make([]byte, 9))}},
			`array "x": want 8 bytes for shape [2] of float32, got 9`},
		{"not an array", []entry{{"readme.txt", nil}}, `array "readme.txt": want only arrays (names that end in .npy)`},
		{"same name", []entry{{"x.npy", good}, {"x.npy", good}}, `array "x": the array stands twice in the archive`},
		{"absent", []entry{{"a.npy", good}, {"b.npy", good}}, `array "x": there is no such array, only a, b`},
		{"bomb", []entry{{"x.npy", npy(dict("|i1", false, []int{40 << 20}), make([]byte, 40<<20))}}, ""},
	} {
		b := zipped(t, c.entries...)
		want := c.want
		if c.name == "bomb" {
			want = fmt.Sprintf(`array "x": the arrays unpack to more than %d bytes`, slackBytes+maxRatio*len(b))
		}
		a, err := openBytes(b)
		if err == nil {
			_, _, err = a.Floats("x")
		}
		wantError(t, c.name, err, "x.npz", "FILE: "+want+remedy)
	}
}

func TestArchiveTypes(t *testing.T) {
	b := zipped(t, entry{"f.npy", npy(dict("<f4", false, []int{1}), make([]byte, 4))},
		entry{"u.npy", npy(dict("<u8", false, []int{1}), bytes.Repeat([]byte{255}, 8))})
	a, err := openBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = a.Ints("f")
	wantError(t, "floats", err, "x.npz",
		`FILE: array "f": want integers, got float32; save it again with numpy.savez_compressed`)
	_, _, err = a.Ints("u")
	wantError(t, "beyond", err, "x.npz",
		`FILE: array "u": element 0 is 18446744073709551615: want at most 9223372036854775807; `+
			`save it again with numpy.savez_compressed`)
	if shape, whole, err := a.Shape("f"); err != nil || whole || !slices.Equal(shape, []int{1}) {
		t.Errorf("shape of f: got %v, %v, %v", shape, whole, err)
	}
	if _, whole, err := a.Shape("u"); err != nil || !whole {
		t.Errorf("u is not whole: %v", err)
	}
	if !a.Has("u") || a.Has("v") || !slices.Equal(a.Keys(), []string{"f", "u"}) {
		t.Errorf("keys %v", a.Keys())
	}
}

func TestArchiveTooManyEntries(t *testing.T) {
	var entries []entry
	for i := range maxEntries + 1 {
		entries = append(entries, entry{fmt.Sprintf("a%d.npy", i), nil})
	}
	_, err := openBytes(zipped(t, entries...))
	wantError(t, "entries", err, "x.npz",
		"FILE: want at most 1024 arrays, got 1025; save it again with numpy.savez_compressed")
}

// A cut off archive is an error; a flipped bit is an error or changes nothing that is read.
func TestArchiveDamage(t *testing.T) {
	data := make([]byte, 4*60)
	for i := range 60 {
		binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(float32(i)*1.37))
	}
	whole := zipped(t, entry{"x.npy", npy(dict("<f4", false, []int{12, 5}), data)})
	want := readX(whole)
	if want == nil {
		t.Fatal("the whole archive is not read")
	}
	for n := range whole {
		if got := readX(whole[:n]); got != nil {
			t.Fatalf("%d of %d bytes are read as %v", n, len(whole), got)
		}
	}
	for i := range whole {
		for bit := range 8 {
			b := slices.Clone(whole)
			b[i] ^= 1 << bit
			if got := readX(b); got != nil && !slices.Equal(got, want) {
				t.Fatalf("bit %d of byte %d flipped gives %v", bit, i, got)
			}
		}
	}
}

func readX(b []byte) []float64 {
	a, err := openBytes(b)
	if err != nil {
		return nil
	}
	x, _, err := a.Floats("x")
	if err != nil {
		return nil
	}
	return x
}

// A small file cannot make the reader allocate much, whatever its directory or heads claim.
func TestArchiveAllocation(t *testing.T) {
	claims := zipped(t, entry{"x.npy", npy(dict("<f8", false, []int{math.MaxInt >> 23}), make([]byte, 64))})
	lies := zipped(t, entry{"x.npy", npy(dict("|u1", false, []int{15 << 20}), make([]byte, 64))})
	// The directory's uncompressed size of the entry is made to agree with the head.
	at := bytes.Index(lies, []byte("PK\x01\x02"))
	size := uint32(15<<20 + len(npy(dict("|u1", false, []int{15 << 20}), nil)))
	binary.LittleEndian.PutUint32(lies[at+24:], size)
	for name, b := range map[string][]byte{"claims": claims, "lies": lies} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := readX(b)
		runtime.ReadMemStats(&after)
		if got != nil {
			t.Errorf("%s: read as %d elements", name, len(got))
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20+4*uint64(len(b)) {
			t.Errorf("%s: %d bytes allocated for a file of %d", name, used, len(b))
		}
	}
}

func FuzzArchive(f *testing.F) {
	good := zipped(f, entry{"x.npy", npy(dict("<f4", true, []int{2, 3}), make([]byte, 24))})
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add(zipped(f, entry{"x.npy", npy("{'descr': '|O'}", nil)}))
	f.Add(zipped(f, entry{"../x.npy", npy(dict(">u8", false, nil), make([]byte, 8))}))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := openBytes(b)
		if err != nil {
			return
		}
		for _, key := range a.Keys() {
			x, shape, err := a.Floats(key)
			n := 1
			for _, s := range shape {
				n *= s
			}
			if err == nil && len(x) != n {
				t.Fatalf("%d elements for shape %v", len(x), shape)
			}
		}
	})
}
