package pickle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func load(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t *testing.T, name string) any {
	t.Helper()
	v, err := Parse(load(t, name), Numeric())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

func TestOriginal(t *testing.T) {
	y, shape, err := Array(parse(t, "ind.cora.y"))
	if err != nil || !slices.Equal(shape, []int{140, 7}) {
		t.Fatalf("shape %v, error %v", shape, err)
	}
	var count [7]float64
	for k, v := range y {
		count[k%7] += v
	}
	if count != [7]float64{20, 20, 20, 20, 20, 20, 20} {
		t.Errorf("classes %v, want 20 each", count)
	}
	x, err := CSR(parse(t, "ind.cora.x"))
	if err != nil || x.Rows != 140 || x.Cols != 1433 || len(x.Ptr) != 141 {
		t.Fatalf("%d × %d, %d row pointers, error %v", x.Rows, x.Cols, len(x.Ptr), err)
	}
	if n := int(x.Ptr[140]); n != len(x.Col) || n != len(x.Values) || n != 2647 {
		t.Errorf("%d entries, %d columns, %d values, want 2647", n, len(x.Col), len(x.Values))
	}
}

// Every protocol gives the same values.
func TestProtocols(t *testing.T) {
	for p := range 6 {
		keys, values, ok := Pairs(parse(t, fmt.Sprintf("new.p%d", p)))
		if !ok || fmt.Sprint(keys) != "[a f m g s i]" {
			t.Fatalf("protocol %d: keys %v", p, keys)
		}
		for k, want := range []string{"[0 1 2 3 4 5] [2 3]", "[0 1 2 3 4 5] [2 3]"} {
			a, shape, err := Array(values[k])
			if got := fmt.Sprint(a, shape); err != nil || got != want {
				t.Errorf("protocol %d: array %v: %s, %v, want %s", p, keys[k], got, err, want)
			}
		}
		m, err := CSR(values[2])
		if got := fmt.Sprint(m); err != nil || got != "{2 2 [0 1 2] [1 0] [2.5 1]}" {
			t.Errorf("protocol %d: matrix %s, %v", p, got, err)
		}
		nodes, lists, ok := Pairs(values[3])
		if !ok || fmt.Sprint(nodes) != "[0 1]" {
			t.Errorf("protocol %d: nodes %v", p, nodes)
		} else if near, err := Ints(lists[0]); err != nil || !slices.Equal(near, []int64{1, 2}) {
			t.Errorf("protocol %d: neighbours %v, %v", p, near, err)
		}
		if got := fmt.Sprint(values[4].(*List).Items); got != "[true <nil> -7 1099511627776 2.5 text]" {
			t.Errorf("protocol %d: values %s", p, got)
		}
		if a, _, err := Array(values[5]); err != nil || !slices.Equal(a, []float64{-3, 4}) {
			t.Errorf("protocol %d: big-endian %v, %v", p, a, err)
		}
	}
}

// hostile are pickles that ask for something else than numbers, and such that are damaged.
func hostile() map[string]string {
	return map[string]string{
		"system in protocol 0":  "cposix\nsystem\n(S'id'\ntR.",
		"system in protocol 2":  "\x80\x02cos\nsystem\nU\x02id\x85R.",
		"eval":                  "c__builtin__\neval\n(S'1'\ntR.",
		"exec of Python 3":      "cbuiltins\nexec\n(S'1'\ntR.",
		"getattr":               "\x80\x02cbuiltins\ngetattr\n.",
		"stack global":          "\x80\x04\x8c\x02os\x8c\x06system\x93.",
		"stack global of ints":  "\x80\x04K\x01K\x02\x93.",
		"subprocess":            "csubprocess\nPopen\n.",
		"submodule":             "cnumpy.core.multiarray\nfromfile\n.",
		"numpy load":            "cnumpy\nload\n.",
		"dotted name":           "\x80\x04\x8c\x05numpy\x8c\x0fndarray.tofile\x93.",
		"inst":                  "(S'id'\nios\nsystem\n.",
		"obj":                   "\x80\x02(cnumpy\ndtype\nU\x02i4o.",
		"newobj_ex":             "\x80\x04cnumpy\ndtype\n)}\x92.",
		"persistent id":         "Pid\n.",
		"persistent binary":     "\x80\x02K\x01Q.",
		"extension":             "\x80\x02\x82\x01.",
		"extension 2":           "\x80\x02\x83\x01\x00.",
		"next buffer":           "\x80\x05\x97.",
		"long4":                 "\x80\x02\x8b\xff\xff\xff\x7f.",
		"long of 9 bytes":       "\x80\x02\x8a\x09123456789.",
		"long cut off":          "\x80\x02\x8a\x04\x01.",
		"call of a list":        "\x80\x02])R.",
		"call without a tuple":  "cnumpy\ndtype\n]R.",
		"state of a list":       "\x80\x02]}b.",
		"items of an int":       "\x80\x02K\x01K\x02a.",
		"pair for a list":       "\x80\x02]K\x01K\x02s.",
		"item for a dictionary": "\x80\x02}K\x01a.",
		"odd pairs":             "\x80\x02}(K\x01u.",
		"memo never stored":     "\x80\x02h\x05.",
		"memo of nothing":       "\x80\x02q\x05.",
		"no mark":               "\x80\x02K\x01t.",
		"mark below":            "\x80\x02K\x01(\x86.",
		"two values":            "\x80\x02K\x01K\x02.",
		"nothing":               "\x80\x02.",
		"empty":                 "",
		"no stop":               "\x80\x02K\x01",
		"protocol 9":            "\x80\x09K\x01.",
		"text cut off":          "\x80\x02T\xff\xff\xff\x7fabc.",
		"long text":             "\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc.",
		"line without end":      "I12345",
		"no integer":            "Iabc\n.",
		"no float":              "Fabc\n.",
		"no quotes":             "Sabc\n.",
		"bad escape":            "S'\\q'\n.",
		"unknown instruction":   "\x80\x02\xfe.",
	}
}

func TestHostile(t *testing.T) {
	for name, text := range hostile() {
		v, err := Parse([]byte(text), Numeric())
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Byte < 0 || syntax.Byte > int64(len(text)) {
			t.Errorf("%s: value %v, error %v", name, v, err)
		}
	}
	_, err := Parse([]byte("\x80\x02cos\nsystem\nU\x02id\x85R."), Numeric())
	if want := "byte 2: the class \"os.system\" is not allowed"; !strings.Contains(fmt.Sprint(err), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

// A bomb of nested or repeated containers ends with an error, or with values of the size of the file.
func TestBombs(t *testing.T) {
	for name, text := range map[string]string{
		"lists": strings.Repeat("]", maxObjects+1) + ".",
		"marks": strings.Repeat("(", 1<<20) + ".",
		"dups":  "]" + strings.Repeat("2", 1<<20) + "(.",
	} {
		if _, err := Parse([]byte(text), nil); err == nil {
			t.Errorf("%s are accepted", name)
		}
	}
	v, err := Parse([]byte("\x80\x02]q\x01h\x01a."), nil)
	if l, ok := v.(*List); err != nil || !ok || l.Items[0] != any(l) {
		t.Errorf("a list in itself: %v", err)
	}
}

func TestArrayErrors(t *testing.T) {
	good := func() *Object {
		v, err := Parse(load(t, "ind.cora.y"), Numeric())
		if err != nil {
			t.Fatal(err)
		}
		return v.(*Object)
	}
	for name, spoil := range map[string]func(o *Object){
		"no state":       func(o *Object) { o.State = nil },
		"short state":    func(o *Object) { o.State = o.State.(Tuple)[:4] },
		"no shape":       func(o *Object) { o.State.(Tuple)[1] = int64(3) },
		"text in shape":  func(o *Object) { o.State.(Tuple)[1] = Tuple{"a"} },
		"negative shape": func(o *Object) { o.State.(Tuple)[1] = Tuple{int64(-1), int64(7)} },
		"other shape":    func(o *Object) { o.State.(Tuple)[1] = Tuple{int64(141), int64(7)} },
		"huge shape":     func(o *Object) { o.State.(Tuple)[1] = Tuple{int64(1) << 40, int64(1) << 40} },
		"zero and huge":  func(o *Object) { o.State.(Tuple)[1] = Tuple{int64(0), int64(1) << 40} },
		"no dtype":       func(o *Object) { o.State.(Tuple)[2] = nil },
		"objects":        func(o *Object) { o.State.(Tuple)[2].(*Object).Args[0] = "O8" },
		"no bytes":       func(o *Object) { o.State.(Tuple)[4] = &List{} },
	} {
		o := good()
		spoil(o)
		if v, shape, err := Array(o); err == nil {
			t.Errorf("%s: %d elements of shape %v", name, len(v), shape)
		}
	}
	if _, err := CSR(good()); err == nil {
		t.Error("an array is accepted as a matrix")
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range hostile() {
		f.Add([]byte(text))
	}
	for _, name := range []string{"ind.cora.y", "new.p0", "new.p2", "new.p5"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := Parse(b, Numeric())
		if err != nil {
			return
		}
		if a, shape, err := Array(v); err == nil {
			n := 1
			for _, d := range shape {
				n *= d
			}
			if n != len(a) || n > len(b) {
				t.Errorf("%d elements of shape %v out of %d bytes", len(a), shape, len(b))
			}
		}
		_, _ = CSR(v) // must not panic
		keys, values, _ := Pairs(v)
		for k := range keys {
			_, _ = Ints(values[k])
		}
	})
}
