package zoo

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/kernels"
	"ganglion/kernels/dense"
	"ganglion/kernels/random"
)

// listener keeps what Verify complains about.
type listener struct {
	*testing.T
	told []string
}

func (l *listener) Errorf(format string, args ...any) {
	l.told = append(l.told, fmt.Sprintf(format, args...))
}

// linear is x·W.
type linear struct{ outputs int }

func (m linear) Forward(s *engine.Scope, in train.Inputs) train.Net {
	w := s.Param("W", random.Glorot{}, kernels.SpecOf(in.X).Shape[1], m.outputs)
	return train.Net{Output: s.Apply(dense.GEMM{}, in.X, w)}
}

func system(checks ...Check) System {
	return System{
		ID:     "test/linear",
		Tiny:   struct{}{},
		Checks: checks,
		Build: func(_ any, task train.Task) (train.Model, error) {
			return linear{outputs: task.Outputs}, nil
		},
	}
}

func good(uint64) (string, string, bool, error) { return "1", "1", true, nil }

// TestVerifyComplains: each thing that can be wrong is found, and nothing is found where nothing is wrong.
func TestVerifyComplains(t *testing.T) {
	fine := Check{Name: "fine", Run: good}
	for _, c := range []struct {
		name string
		s    System
		want string // empty for none
	}{
		{"sound", system(fine), ""},
		{"a full check is not run", system(fine, Check{Name: "slow", Tier: Full, Run: nil}), ""},
		{"no checks", system(), "has no checks"},
		{"failing check", system(Check{Name: "bad", Claim: "2 is 1", Run: func(uint64) (string, string, bool,
			error) {
			return "2", "1", false, nil
		}}),
			"check bad: 2 is 1: measured 2, required 1"},
		{"check with error", system(Check{Name: "bad", Run: func(uint64) (string, string, bool, error) {
			return "",
				"", true, errors.New("no")
		}}), "no"},
		{"no tiny", func() System { s := system(fine); s.Tiny = nil; return s }(), "tiny"},
	} {
		l := &listener{T: t}
		Verify(l, c.s)
		told := strings.Join(l.told, "\n")
		if c.want == "" && told != "" || !strings.Contains(told, c.want) {
			t.Errorf("%s: %q, wanted %q", c.name, told, c.want)
		}
	}
}

// TestDifferences: a gradient that is wrong in one place is found.
func TestDifferences(t *testing.T) {
	x := []float64{0.5, -2, 3}
	loss := func(string) (kernels.Tensor, error) {
		return kernels.FromSlice([]float64{x[0]*x[0] + x[1]*x[2]}, 1), nil
	}
	if err := differences(x, []float64{1, 3, -2}, loss); err != nil {
		t.Error(err)
	}
	for _, wrong := range [][]float64{{1, 3, -2.001}, {1, 0, -2}, {0, 0, 0}, {1, 3}} {
		if err := differences(x, wrong, loss); err == nil {
			t.Errorf("the gradient %v was taken", wrong)
		}
	}
}

func TestFamily(t *testing.T) {
	for id, want := range map[string]string{"module/nm": "module", "plain": "plain"} {
		if got := (System{ID: id}).Family(); got != want {
			t.Errorf("%s is of the family %q", id, got)
		}
	}
}
