package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// encode writes the tensors to memory.
func encode(t testing.TB, ts []Tensor, meta map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, ts, meta); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// decode opens the bytes and reads every tensor.
func decode(b []byte) ([]Tensor, error) {
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	return f.ReadAll()
}

// raw returns a file with the given header and data.
func raw(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

// sample returns tensors of every typed element type, with a scalar, an empty one and awkward names.
func sample() []Tensor {
	return []Tensor{
		Of("conv1/w", []int{2, 3}, []float32{1, 2, 3, float32(math.Inf(-1)), 5, 0.1}),
		Of("conv1/b", []int{3}, []float64{0.1, math.MaxFloat64, 5e-324}),
		Of("ids", []int{2, 1}, []int32{-1, math.MaxInt32}),
		Of("steps", []int{1}, []int64{math.MinInt64}),
		Of("bytes", []int{3}, []uint8{0, 255, 7}),
		Of("scalar", nil, []float32{3.25}),
		Of("empty", []int{0, 1 << 30}, []float32{}),
		{Name: "half", DType: F16, Shape: []int{2}, Data: []byte{1, 2, 3, 4}},
		{Name: "brain", DType: BF16, Shape: []int{1}, Data: []byte{0x80, 0x3f}},
		{Name: "mask", DType: Bool, Shape: []int{3}, Data: []byte{1, 0, 1}},
		{Name: "a \"quoted\"\n\\ <ü>", DType: U8, Shape: []int{1}, Data: []byte{9}},
		{Name: "", DType: I8, Shape: []int{1}, Data: []byte{0xff}},
	}
}

func TestRoundTrip(t *testing.T) {
	meta := map[string]string{"state": `{"step":3}`, "z": "", "": "ü\x7f\u2028"}
	b := encode(t, sample(), meta)
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if !f.HasChecksums() {
		t.Error("the file has no checksums")
	}
	if d := cmp.Diff(meta, f.Metadata()); d != "" {
		t.Errorf("metadata (-want +got):\n%s", d)
	}
	for _, want := range sample() {
		got, err := f.Read(want.Name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Data, want.Data) || got.DType != want.DType || len(got.Shape) != len(want.Shape) {
			t.Errorf("tensor %q is %+v, wanted %+v", want.Name, got, want)
		}
		for i := range got.Shape {
			if got.Shape[i] != want.Shape[i] {
				t.Errorf("tensor %q has shape %v, wanted %v", want.Name, got.Shape, want.Shape)
			}
		}
	}
	if _, err := f.Read("conv1"); err == nil {
		t.Error("a tensor that is not there was read")
	}
	for _, e := range f.Entries() {
		if at := f.start + e.Begin; at%int64(e.DType.Size()) != 0 {
			t.Errorf("tensor %q lies at byte %d, not aligned to %s", e.Name, at, e.DType)
		}
	}
}

func TestSameInputSameBytes(t *testing.T) {
	want := encode(t, sample(), map[string]string{"a": "1", "b": "2", "c": "3"})
	r := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		ts := sample()
		r.Shuffle(len(ts), func(i, j int) { ts[i], ts[j] = ts[j], ts[i] })
		if got := encode(t, ts, map[string]string{"c": "3", "a": "1", "b": "2"}); !bytes.Equal(got, want) {
			t.Fatal("the order of the input shows in the file")
		}
	}
}

func TestTypedValues(t *testing.T) {
	v := []float32{1, -2, 3}
	x := Of("x", []int{3}, v)
	if v[0] = 7; math.Float32frombits(binary.LittleEndian.Uint32(x.Data)) != 7 && littleEndian() {
		t.Error("the tensor does not share the block's memory")
	}
	got := make([]float32, 3)
	if err := Copy(got, x); err != nil || !cmp.Equal(got, v) {
		t.Errorf("copied %v, %v", got, err)
	}
	for name, err := range map[string]error{
		"wrong type":     Copy(make([]int32, 3), x),
		"wrong number":   Copy(make([]float32, 4), x),
		"data too short": Copy(make([]float32, 3), Tensor{Name: "x", DType: F32, Shape: []int{3}, Data: x.Data[:8]}),
	} {
		if err == nil {
			t.Error(name + ": no error")
		}
	}
	if got := swapped([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 4); !bytes.Equal(got, []byte{4, 3, 2, 1, 8, 7, 6, 5}) {
		t.Errorf("swapped to %v", got)
	}
}

// TestPeerFile reads a file of the reference implementation (testdata/peer.py), which has no checksums.
func TestPeerFile(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "peer.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if f.HasChecksums() || f.Metadata()["quote"] != `a "b" \ ü` {
		t.Errorf("checksums %v, metadata %v", f.HasChecksums(), f.Metadata())
	}
	peerTensor(t, f, "conv1/w", []int{2, 3}, []float32{0, 0.25, 0.5, 0.75, 1, 1.25})
	peerTensor(t, f, "conv1/b", []int{3}, []float64{-1.5, math.Inf(1), 5e-324})
	peerTensor(t, f, "ids", []int{2, 1}, []int32{-1, math.MaxInt32})
	peerTensor(t, f, "steps", []int{2}, []int64{math.MinInt64, math.MaxInt64})
	peerTensor(t, f, "bytes", []int{3}, []uint8{0, 255, 7})
	peerTensor(t, f, "scalar", nil, []float32{3.25})
	peerTensor(t, f, "empty", []int{0, 4}, []float32{})
	peerTensor(t, f, "name \"ü\"\n", []int{1}, []uint8{1})
	mask, err := f.Read("mask")
	if err != nil || mask.DType != Bool || !bytes.Equal(mask.Data, []byte{1, 0, 1}) {
		t.Errorf("mask is %+v, %v", mask, err)
	}
	half, err := f.Read("half")
	if err != nil || half.DType != F16 || !bytes.Equal(half.Data, []byte{0, 0x3c, 0, 0xc0, 0xff, 0x7b}) {
		t.Errorf("half is %+v, %v", half, err)
	}
}

// peerTensor compares one tensor of f.
func peerTensor[T Number](t *testing.T, f *File, name string, shape []int, want []T) {
	t.Helper()
	x, err := f.Read(name)
	if err != nil {
		t.Error(err)
		return
	}
	got := make([]T, len(want))
	if err := Copy(got, x); err != nil || !cmp.Equal(got, want) || !cmp.Equal(x.Shape, shape) {
		t.Errorf("%q: %v of shape %v, wanted %v of shape %v (%v)", name, got, x.Shape, want, shape, err)
	}
}

// entry is a header's text for one tensor "a".
func entry(rest string) string { return `{"a":{` + rest + `}}` }

// hostile are files that break one rule each.
func hostile() map[string][]byte {
	deep := strings.Repeat("[", 100_000)
	long := func(n int) string { return strings.TrimSuffix(strings.Repeat("1,", n), ",") }
	return map[string][]byte{
		"empty file":             {},
		"seven bytes":            make([]byte, 7),
		"no header":              make([]byte, 8),
		"length beyond file":     binary.LittleEndian.AppendUint64(nil, 3),
		"length 2^63":            append(binary.LittleEndian.AppendUint64(nil, 1<<63), "{}"...),
		"length 2^64-1":          append(binary.LittleEndian.AppendUint64(nil, math.MaxUint64), "{}"...),
		"length one short":       append(binary.LittleEndian.AppendUint64(nil, 1), "{}"...),
		"first byte space":       raw(` {}`, 0),
		"array":                  raw(`[]`, 0),
		"null":                   raw(`null`, 0),
		"unclosed":               raw(`{`, 0),
		"text after":             raw(`{}x`, 0),
		"zero byte after":        raw("{}\x00", 0),
		"second object":          raw(`{}{}`, 0),
		"trailing comma":         raw(`{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},}`, 1),
		"data without tensors":   raw(`{}`, 1),
		"missing shape":          raw(entry(`"dtype":"U8","data_offsets":[0,1]`), 1),
		"missing dtype":          raw(entry(`"shape":[1],"data_offsets":[0,1]`), 1),
		"missing offsets":        raw(entry(`"dtype":"U8","shape":[0]`), 0),
		"unknown key":            raw(entry(`"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1`), 1),
		"key twice":              raw(entry(`"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]`), 1),
		"unknown dtype":          raw(entry(`"dtype":"F128","shape":[1],"data_offsets":[0,16]`), 16),
		"lower-case dtype":       raw(entry(`"dtype":"f32","shape":[1],"data_offsets":[0,4]`), 4),
		"dtype a number":         raw(entry(`"dtype":32,"shape":[1],"data_offsets":[0,4]`), 4),
		"span too small":         raw(entry(`"dtype":"F32","shape":[2],"data_offsets":[0,4]`), 4),
		"span too large":         raw(entry(`"dtype":"F32","shape":[1],"data_offsets":[0,8]`), 8),
		"hole at start":          raw(entry(`"dtype":"U8","shape":[1],"data_offsets":[1,2]`), 2),
		"short of end":           raw(entry(`"dtype":"U8","shape":[1],"data_offsets":[0,1]`), 2),
		"beyond end":             raw(entry(`"dtype":"U8","shape":[2],"data_offsets":[0,2]`), 1),
		"falling offsets":        raw(entry(`"dtype":"U8","shape":[0],"data_offsets":[1,0]`), 1),
		"three offsets":          raw(entry(`"dtype":"U8","shape":[1],"data_offsets":[0,1,1]`), 1),
		"one offset":             raw(entry(`"dtype":"U8","shape":[0],"data_offsets":[0]`), 0),
		"negative dimension":     raw(entry(`"dtype":"U8","shape":[-1],"data_offsets":[0,1]`), 1),
		"fractional dimension":   raw(entry(`"dtype":"U8","shape":[1.0],"data_offsets":[0,1]`), 1),
		"exponent":               raw(entry(`"dtype":"U8","shape":[1e0],"data_offsets":[0,1]`), 1),
		"leading zero":           raw(entry(`"dtype":"U8","shape":[01],"data_offsets":[0,1]`), 1),
		"dimension 2^63":         raw(entry(`"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]`), 1),
		"dimension 2^64":         raw(entry(`"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,0]`), 0),
		"product 2^64":           raw(entry(`"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]`), 0),
		"product 2^63":           raw(entry(`"dtype":"F64","shape":[1152921504606846976],"data_offsets":[0,0]`), 0),
		"product 2^64 with zero": raw(entry(`"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]`), 0),
		"2^62 elements": raw(entry(`"dtype":"U8","shape":[4611686018427387904],"data_offsets":[0,`+
			`4611686018427387904]`), 0),
		"65 dimensions":           raw(entry(`"dtype":"U8","shape":[`+long(65)+`],"data_offsets":[0,1]`), 1),
		"two million dimensions":  raw(entry(`"dtype":"U8","shape":[`+long(2_000_000)+`],"data_offsets":[0,1]`), 1),
		"deep nesting":            raw(entry(`"dtype":"U8","shape":`+deep), 1),
		"string without end":      raw(`{"a`, 0),
		"string ends in escape":   raw(`{"a\`, 0),
		"bad escape":              raw(`{"\x":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}`, 1),
		"control character":       raw("{\"a\n\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1),
		"not UTF-8":               raw("{\"\xff\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1),
		"tensor a number":         raw(`{"a":1}`, 0),
		"metadata a list":         raw(`{"__metadata__":[]}`, 0),
		"metadata a number":       raw(`{"__metadata__":{"a":1}}`, 0),
		"metadata twice":          raw(`{"__metadata__":{},"__metadata__":{}}`, 0),
		"metadata key twice":      raw(`{"__metadata__":{"a":"","\u0061":""}}`, 0),
		"checksums of no tensors": raw(`{"__metadata__":{"ganglion.crc32c":"00000000"}}`, 0),
		"checksums cut":           raw(`{"__metadata__":{"ganglion.crc32c":"0000"}}`, 0),
		"checksums empty":         raw(`{"__metadata__":{"ganglion.crc32c":""}}`, 0),
		"overlap": raw(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},`+
			`"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3),
		"same bytes twice": raw(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},`+
			`"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 2),
		"hole": raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},`+
			`"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}`, 3),
		"name twice": raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},`+
			`"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2),
	}
}

func TestHostileHeaders(t *testing.T) {
	files := hostile()
	if len(files) < 50 {
		t.Fatalf("only %d files", len(files))
	}
	for name, b := range files {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ts, err := decode(b)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrChecksum) {
			t.Errorf("%s: read %d tensors, error %v", name, len(ts), err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > uint64(4*len(b))+1<<20 {
			t.Errorf("%s: took %d bytes for a file of %d", name, used, len(b))
		}
	}
}

// TestLegalHeaders reads what other writers may legally produce.
func TestLegalHeaders(t *testing.T) {
	for name, b := range map[string][]byte{
		"no tensors":     raw(`{}`, 0),
		"padded":         raw("{}   \n\t\r", 0),
		"spaces":         raw(`{ "a" : { "shape" : [ 1 , 1 ] , "data_offsets" : [ 0 , 1 ] , "dtype" : "U8" } }`, 1),
		"empty metadata": raw(`{"__metadata__":{}}`, 0),
		"file order other than header order": raw(`{"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},`+
			`"e":{"dtype":"U8","shape":[0],"data_offsets":[1,1]},`+
			`"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 2),
	} {
		if _, err := decode(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLargeHeaderMemory bounds the memory taken for a header of many small tensors and for one of many metadata keys.
func TestLargeHeaderMemory(t *testing.T) {
	many := &strings.Builder{}
	for i := range 100_000 {
		fmt.Fprintf(many, `,"%x":{"dtype":"U8","shape":[],"data_offsets":[%d,%d]}`, i, i, i+1)
	}
	meta := &strings.Builder{}
	for i := range 200_000 {
		fmt.Fprintf(meta, `,"%x":""`, i)
	}
	for name, c := range map[string]struct {
		b     []byte
		fails bool
	}{
		"tensors":  {raw("{"+many.String()[1:]+"}", 100_000), false},
		"metadata": {raw(`{"__metadata__":{`+meta.String()[1:]+"}}", 0), true},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Open(bytes.NewReader(c.b), int64(len(c.b)))
		runtime.ReadMemStats(&after)
		if (err != nil) != c.fails {
			t.Errorf("%s: error %v", name, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > uint64(4*len(c.b))+64<<20 {
			t.Errorf("%s: took %d bytes for a file of %d", name, used, len(c.b))
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	one := func(name string, d DType, n int, shape ...int) []Tensor {
		return []Tensor{{Name: name, DType: d, Shape: shape, Data: make([]byte, n)}}
	}
	for name, c := range map[string]struct {
		ts   []Tensor
		meta map[string]string
	}{
		"reserved name":   {one("__metadata__", U8, 1, 1), nil},
		"bad name":        {one("\xff", U8, 1, 1), nil},
		"name twice":      {append(one("a", U8, 1, 1), one("a", F32, 4, 1)...), nil},
		"unknown dtype":   {one("a", "F8", 1, 1), nil},
		"short data":      {one("a", F32, 3, 1), nil},
		"negative":        {one("a", U8, 1, -1, -1), nil},
		"overflow":        {one("a", U8, 0, 1<<30, 1<<30, 1<<30), nil},
		"65 dimensions":   {one("a", U8, 0, make([]int, 65)...), nil},
		"reserved key":    {nil, map[string]string{sumsKey: ""}},
		"bad value":       {nil, map[string]string{"a": "\xff"}},
		"header too long": {nil, map[string]string{"a": strings.Repeat("a", maxHeader)}},
	} {
		if testing.Short() && len(c.meta["a"]) > 1000 {
			continue
		}
		var b bytes.Buffer
		if err := Write(&b, c.ts, c.meta); err == nil || b.Len() > 0 {
			t.Errorf("%s: error %v after %d bytes", name, err, b.Len())
		}
	}
}

// limited fails after n bytes.
type limited struct{ n int }

func (l *limited) Write(b []byte) (int, error) {
	if len(b) > l.n {
		return 0, io.ErrShortWrite
	}
	l.n -= len(b)
	return len(b), nil
}

func TestWriteError(t *testing.T) {
	whole := len(encode(t, sample(), nil))
	for n := range whole {
		if err := Write(&limited{n}, sample(), nil); !errors.Is(err, io.ErrShortWrite) {
			t.Fatalf("after %d of %d bytes: %v", n, whole, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	for _, b := range hostile() {
		if len(b) < 4096 {
			f.Add(b)
		}
	}
	f.Add(encode(f, sample(), map[string]string{"state": "{}"}))
	if b, err := os.ReadFile(filepath.Join("testdata", "peer.safetensors")); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ts, err := decode(b)
		if err != nil {
			return
		}
		f, err := Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		again, err := decode(encode(t, ts, f.Metadata()))
		if err != nil {
			t.Fatalf("a file that was read does not survive being written: %v", err)
		}
		for _, x := range ts {
			y := again[0]
			for _, y = range again {
				if y.Name == x.Name {
					break
				}
			}
			if y.Name != x.Name || y.DType != x.DType || !bytes.Equal(y.Data, x.Data) {
				t.Fatalf("%+v became %+v", x, y)
			}
		}
	})
}
