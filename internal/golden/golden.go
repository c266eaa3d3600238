// Package golden reads folders of reference vectors and compares results with them.
//
// A folder holds meta.json, which maps each case to its strings and options and to the type and shape of its arrays,
// and one case_<name>.npz a case. What the arrays mean stands in the folder's README. The package's test runs every
// case of a folder:
//
//	go test ./internal/golden -dir DIR -v
package golden

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sbinet/npyio/npz"
)

// Array is one array of a case, in row-major order. Integer arrays are held in Int and, converted, in Float.
type Array struct {
	Shape []int
	Float []float64
	Int   []int64 // nil for float arrays
}

// Case is one case of a folder.
type Case struct {
	Name   string
	Meta   map[string]any // options of the case: strings, numbers
	Arrays map[string]Array
}

// arraySpec is what meta.json says about an array.
type arraySpec struct {
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
}

// Read reads all cases of a folder in the order of their names. Every array that meta.json lists must be there in the
// type and shape that stand there, and no other.
func Read(dir string) ([]Case, error) {
	text, err := os.ReadFile(filepath.Join(dir, "meta.json"))
	if err != nil {
		return nil, fmt.Errorf("golden: %w", err)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("golden: %s: %w", filepath.Join(dir, "meta.json"), err)
	}
	var cases []Case
	for name, text := range raw {
		if !strings.HasPrefix(name, "case_") {
			continue
		}
		c, err := readCase(dir, name, text)
		if err != nil {
			return nil, fmt.Errorf("golden: %s: %w", filepath.Join(dir, name+".npz"), err)
		}
		cases = append(cases, c)
	}
	if len(cases) == 0 {
		return nil, fmt.Errorf("golden: %s: no cases", filepath.Join(dir, "meta.json"))
	}
	slices.SortFunc(cases, func(a, b Case) int { return strings.Compare(a.Name, b.Name) })
	return cases, nil
}

func readCase(dir, name string, text []byte) (Case, error) {
	c := Case{Name: name, Arrays: map[string]Array{}}
	var head struct {
		Arrays map[string]arraySpec `json:"arrays"`
	}
	if err := json.Unmarshal(text, &c.Meta); err != nil {
		return c, err
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return c, err
	}
	delete(c.Meta, "arrays")
	r, err := npz.Open(filepath.Join(dir, name+".npz"))
	if err != nil {
		return c, err
	}
	defer r.Close()
	for _, key := range r.Keys() {
		array := strings.TrimSuffix(key, ".npy")
		spec, ok := head.Arrays[array]
		if !ok {
			return c, fmt.Errorf("array %q is not listed in meta.json", array)
		}
		if c.Arrays[array], err = readArray(r, key, spec); err != nil {
			return c, fmt.Errorf("array %q: %w", array, err)
		}
	}
	if len(c.Arrays) != len(head.Arrays) {
		return c, fmt.Errorf("%d arrays, meta.json lists %d", len(c.Arrays), len(head.Arrays))
	}
	return c, nil
}

func readArray(r *npz.Reader, key string, spec arraySpec) (Array, error) {
	descr := r.Header(key).Descr
	kind := map[string]string{"<f8": "float64", "<i8": "int64"}[descr.Type]
	if kind != spec.DType || !slices.Equal(descr.Shape, spec.Shape) || descr.Fortran && len(spec.Shape) > 1 {
		return Array{}, fmt.Errorf(
			"is %s %v (Fortran order: %v), meta.json says %s %v",
			descr.Type,
			descr.Shape,
			descr.Fortran,
			spec.DType,
			spec.Shape,
		)
	}
	a := Array{Shape: spec.Shape}
	size := 1
	for _, d := range spec.Shape {
		size *= d
	}
	if size == 0 {
		return a, nil
	}
	if kind == "float64" {
		return a, r.Read(key, &a.Float)
	}
	if err := r.Read(key, &a.Int); err != nil {
		return a, err
	}
	a.Float = make([]float64, len(a.Int))
	for i, v := range a.Int {
		a.Float[i] = float64(v)
	}
	return a, nil
}

// String returns an option of the case as text, "" if there is none.
func (c Case) String(option string) string {
	s, _ := c.Meta[option].(string)
	return s
}

// Option is a whole number among the options, 0 if there is none of that name.
func (c Case) Option(name string) int {
	v, _ := c.Meta[name].(float64)
	return int(v)
}

// Number returns the single element of an array, NaN if there is no such array.
func (c Case) Number(array string) float64 {
	if a := c.Arrays[array]; len(a.Float) == 1 {
		return a.Float[0]
	}
	return math.NaN()
}

// Difference says how far a result is from a reference.
type Difference struct {
	Worst float64 // largest |got - want| relative to max|want|; 0 when both are empty
	At    int     // the element
	Got   float64
	Want  float64
}

// Compare compares a result with a reference element by element. Different lengths, a NaN on one side only, and an
// infinity that does not match differ by +Inf.
func Compare(got, want []float64) Difference {
	if len(got) != len(want) {
		return Difference{
			Worst: math.Inf(1),
			At:    min(len(got), len(want)),
			Got:   float64(len(got)),
			Want:  float64(len(want)),
		}
	}
	scale := 0.0
	for _, v := range want {
		if a := math.Abs(v); a > scale && !math.IsInf(a, 0) {
			scale = a
		}
	}
	d := Difference{}
	for i, v := range want {
		g := got[i]
		if g == v || g != g && v != v {
			continue
		}
		e := math.Abs(g-v) / scale
		if e != e {
			e = math.Inf(1)
		}
		if e > d.Worst {
			d = Difference{Worst: e, At: i, Got: g, Want: v}
		}
	}
	return d
}

// String reads like: 3.2e-12 at element 7 (0.25, want 0.25).
func (d Difference) String() string {
	if d.Worst == 0 {
		return "0"
	}
	return fmt.Sprintf("%.2g at element %d (%v, want %v)", d.Worst, d.At, d.Got, d.Want)
}
