package cublas

import (
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"
)

// To the library, which knows columns, the operands change places and keep their transposes.
func TestColumns(t *testing.T) {
	p := Product{M: 2, N: 3, K: 5, Batch: 4, StepA: 10, StepB: 15, StepC: 6}
	for _, c := range []struct {
		a, b bool
		want columns
	}{
		{false, false, columns{0, 0, 3, 2, 5, 3, 5, 3, 15, 10}},
		{true, false, columns{0, 1, 3, 2, 5, 3, 2, 3, 15, 10}},
		{false, true, columns{1, 0, 3, 2, 5, 5, 5, 3, 15, 10}},
		{true, true, columns{1, 1, 3, 2, 5, 5, 2, 3, 15, 10}},
	} {
		p.TransA, p.TransB = c.a, c.b
		if got := p.columns(); got != c.want {
			t.Errorf("transposed %v %v: %+v, want %+v", c.a, c.b, got, c.want)
		}
	}
}

func TestCheck(t *testing.T) {
	good := Product{M: 1, N: 1, K: 1, Batch: 1}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for _, n := range []int64{0, -1, math.MaxInt32 + 1} {
		if int64(int(n)) != n {
			continue // more than an int of this machine holds
		}
		for i := range 4 {
			p := good
			*[]*int{&p.M, &p.N, &p.K, &p.Batch}[i] = int(n)
			if err := p.Check(); err == nil || !strings.Contains(err.Error(), "sizes must be") {
				t.Errorf("size %d is %d: %v", i, n, err)
			}
		}
	}
}

func TestOpen(t *testing.T) {
	for _, path := range []string{"off", filepath.Join(t.TempDir(), "libcublas.so.12")} {
		if _, err := Open(path); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%q: %v", path, err)
		}
	}
}
