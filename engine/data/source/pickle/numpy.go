package pickle

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Numeric lists the classes that arrays of numpy, matrices of scipy in CSR form and plain dictionaries of lists name,
// in the spellings of old and new versions.
func Numeric() []string {
	return []string{
		"numpy ndarray", "numpy dtype", "numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct",
		"scipy.sparse.csr csr_matrix", "scipy.sparse._csr csr_matrix", "collections defaultdict",
		"collections OrderedDict", "__builtin__ list", "builtins list", "__builtin__ int", "builtins int",
		"numpy.core.numeric _frombuffer", "numpy._core.numeric _frombuffer", "_codecs encode",
		"copy_reg _reconstructor", "copyreg _reconstructor", "__builtin__ object", "builtins object",
	}
}

// Pairs returns the keys and values of a dictionary, or of an object that was filled like one.
func Pairs(v any) (keys, values []any, ok bool) {
	switch d := v.(type) {
	case *Dict:
		return d.Keys, d.Values, true
	case *Object:
		if d.Class.Module == "collections" {
			return d.Items.Keys, d.Items.Values, true
		}
	}
	return nil, nil, false
}

// Ints returns whole numbers as int64, for a list or tuple of them.
func Ints(v any) ([]int64, error) {
	items, ok := v.(Tuple)
	if l, list := v.(*List); list {
		items, ok = l.Items, true
	}
	if !ok {
		return nil, fmt.Errorf("want a list of whole numbers, got %T", v)
	}
	out := make([]int64, len(items))
	for k, i := range items {
		n, ok := i.(int64)
		if !ok {
			return nil, fmt.Errorf("want a whole number as item %d, got %T", k, i)
		}
		out[k] = n
	}
	return out, nil
}

// Array returns the elements of a numpy array of numbers as float64, in C order, with its shape.
func Array(v any) ([]float64, []int, error) {
	shapeOf, dtype, buffer, fortran, err := parts(v)
	if err != nil {
		return nil, nil, err
	}
	dims, err := Ints(shapeOf)
	if err != nil {
		return nil, nil, fmt.Errorf("the shape of an array: %w", err)
	}
	kind, size, big, err := element(dtype)
	if err != nil {
		return nil, nil, err
	}
	raw, err := content(buffer)
	if err != nil {
		return nil, nil, err
	}
	n, shape := 1, make([]int, len(dims))
	for k, d := range dims {
		if d < 0 || d > int64(len(raw)) && d > 0 && n > 0 || d > math.MaxInt32 {
			return nil, nil, fmt.Errorf("an array of shape %v with %d bytes", dims, len(raw))
		}
		shape[k] = int(d)
		if n *= int(d); n > len(raw) {
			return nil, nil, fmt.Errorf("an array of shape %v with %d bytes", dims, len(raw))
		}
	}
	if n*size != len(raw) {
		return nil, nil, fmt.Errorf("an array of shape %v and %d bytes an element with %d bytes", dims, size, len(raw))
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = number(raw[i*size:(i+1)*size], kind, big)
	}
	if fortran && len(shape) == 2 {
		out = transpose(out, shape[1], shape[0])
	} else if fortran && len(shape) > 2 {
		return nil, nil, fmt.Errorf("an array of shape %v in Fortran order: want at most two dimensions", shape)
	}
	return out, shape, nil
}

// parts finds shape, dtype and contents of an array, as _reconstruct or, in protocol 5, _frombuffer has them.
func parts(v any) (shape, dtype, buffer any, fortran bool, err error) {
	o, ok := v.(*Object)
	switch {
	case ok && o.Class.Name == "_reconstruct":
		state, ok := o.State.(Tuple)
		if !ok || len(state) != 5 {
			return nil, nil, nil, false, fmt.Errorf("a numpy array without its contents")
		}
		fortran, _ = state[3].(bool)
		return state[1], state[2], state[4], fortran, nil
	case ok && o.Class.Name == "_frombuffer" && len(o.Args) == 4:
		return o.Args[2], o.Args[1], o.Args[0], o.Args[3] == any("F"), nil
	}
	return nil, nil, nil, false, fmt.Errorf("want a numpy array, got %s", describe(v))
}

// element reads a dtype: kind, bytes and byte order.
func element(v any) (kind byte, size int, big bool, err error) {
	o, ok := v.(*Object)
	if !ok || o.Class.Name != "dtype" || len(o.Args) == 0 {
		return 0, 0, false, fmt.Errorf("want the type of an array's elements, got %s", describe(v))
	}
	name, _ := o.Args[0].(string)
	if !slices.Contains([]string{"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"}, name) {
		return 0, 0, false, fmt.Errorf("elements of type %.20q: want bool, i1 to u8, f4 or f8", name)
	}
	if state, ok := o.State.(Tuple); ok && len(state) > 1 {
		big = state[1] == any(">")
	}
	return name[0], int(name[1] - '0'), big, nil
}

// content is the bytes of an array: as they are, or as text that Python 3 wrote for Python 2.
func content(v any) (string, error) {
	switch c := v.(type) {
	case string:
		return c, nil
	case *Object:
		if c.Class.Name == "encode" && len(c.Args) == 2 && c.Args[1] == any("latin1") {
			text, _ := c.Args[0].(string)
			b := make([]byte, 0, len(text))
			for _, r := range text {
				if r > 255 {
					return "", fmt.Errorf("the contents of an array are no latin1 text")
				}
				b = append(b, byte(r))
			}
			return string(b), nil
		}
	}
	return "", fmt.Errorf("want the contents of an array, got %s", describe(v))
}

func number(s string, kind byte, big bool) float64 {
	var b [8]byte
	for i := range len(s) {
		if big {
			b[i] = s[len(s)-1-i]
		} else {
			b[i] = s[i]
		}
	}
	u, n := binary.LittleEndian.Uint64(b[:]), len(s)
	switch {
	case kind == 'f' && n == 4:
		return float64(math.Float32frombits(uint32(u)))
	case kind == 'f':
		return math.Float64frombits(u)
	case kind == 'i':
		shift := 64 - 8*n
		return float64(int64(u<<shift) >> shift)
	}
	return float64(u)
}

func transpose(v []float64, rows, cols int) []float64 {
	out := make([]float64, len(v))
	for i := range rows {
		for j := range cols {
			out[j*rows+i] = v[i*cols+j]
		}
	}
	return out
}

// Sparse is a matrix of scipy in CSR form, as stored: nothing about it is checked but the kinds of its arrays.
type Sparse struct {
	Rows, Cols       int64
	Ptr, Col, Values []float64
}

// CSR returns a scipy matrix.
func CSR(v any) (Sparse, error) {
	var s Sparse
	o, ok := v.(*Object)
	if !ok || o.Class.Name != "csr_matrix" && o.Class.Name != "_reconstructor" {
		return s, fmt.Errorf("want a scipy matrix in CSR form, got %s", describe(v))
	}
	state, ok := o.State.(*Dict)
	if !ok {
		return s, fmt.Errorf("a scipy matrix without its contents")
	}
	for _, f := range []struct {
		key string
		to  *[]float64
	}{{"indptr", &s.Ptr}, {"indices", &s.Col}, {"data", &s.Values}} {
		v, shape, err := Array(state.get(f.key))
		if err == nil && len(shape) != 1 {
			err = fmt.Errorf("want one dimension, got %v", shape)
		}
		if err != nil {
			return s, fmt.Errorf("%s of a scipy matrix: %w", f.key, err)
		}
		*f.to = v
	}
	shape, err := Ints(state.get("_shape"))
	if err != nil || len(shape) != 2 {
		return s, fmt.Errorf("a scipy matrix without a shape")
	}
	s.Rows, s.Cols = shape[0], shape[1]
	return s, nil
}

// get is the last value under a text as key, as in Python.
func (d *Dict) get(key string) any {
	for i := len(d.Keys) - 1; i >= 0; i-- {
		if d.Keys[i] == any(key) {
			return d.Values[i]
		}
	}
	return nil
}

func describe(v any) string {
	if o, ok := v.(*Object); ok {
		return o.Class.String()
	}
	return fmt.Sprintf("%T", v)
}
