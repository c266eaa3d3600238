package implicit

import (
	"fmt"
	"strings"

	"ganglion/kernels"
	"ganglion/kernels/act"
)

// Method says how a module is solved.
type Method uint8

// The methods. All test ‖F‖∞ of every sample; Auto is the default.
const (
	// Auto starts with FixedPoint, leaves it for Anderson (large modules) or Newton (small ones) where the measured
	// contraction says that these will be faster, and ends with Newton for the samples that are still not solved.
	Auto Method = iota
	// Newton solves with the Jacobian of each sample (LU with partial pivoting) and backtracks on ‖F‖²; several starts.
	Newton
	// FixedPoint iterates x ← x + β(c + f(x)W − x), β = Damping.
	FixedPoint
	// Anderson mixes the last 5 iterates by regularised least squares, with restarts.
	Anderson
	// Broyden is the limited-memory form of the good Broyden method, with restarts.
	Broyden
)

var methodNames = [...]string{"auto", "newton", "fixedpoint", "anderson", "broyden"}

// ParseMethod returns the method of the given name: auto, newton, fixedpoint, anderson or broyden, in upper or lower
// case.
func ParseMethod(name string) (Method, error) {
	i, err := parse("method", name, methodNames[:])
	return Method(i), err
}

func parse(what, name string, names []string) (int, error) {
	for i, n := range names {
		if strings.EqualFold(n, name) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("implicit: unknown %s %q (known: %s)", what, name, strings.Join(names, ", "))
}

// Default tolerances. The residual of a float32 iterate cannot be less than the rounding of its terms: some
// 6e-8·(1+Σ|w_ji f(x_j)|), up to 1e-6 on the networks tried, so 2e-6 is what float32 really reaches.
const (
	tolFloat64 = 1e-12
	tolFloat32 = 2e-6
)

// Default limits of iterations.
const (
	limitPicard   = 2000
	limitAnderson = 500
	limitBroyden  = 500
	limitNewton   = 100
)

// options are the attributes that Solve and Linear share.
type options struct {
	act     act.Func
	method  Method
	tol     float64
	maxIter int
	damping float64
}

func (o options) check(op kernels.Op, in []kernels.Spec) error {
	switch {
	case !act.Valid(o.act, 2):
		return kernels.Errorf(op, in, kernels.ErrShape, "unknown activation %s", act.Name(o.act))
	case int(o.method) >= len(methodNames):
		return kernels.Errorf(op, in, kernels.ErrShape, "unknown method %d", o.method)
	case !(o.tol >= 0) || o.maxIter < 0 || !(o.damping >= 0 && o.damping <= 1):
		return kernels.Errorf(op, in, kernels.ErrShape,
			"Tol %v and MaxIter %d must not be negative, Damping %v must be in [0, 1]", o.tol, o.maxIter, o.damping)
	}
	return nil
}

// tolerance is Tol or the default of the element type.
func (o options) tolerance(d kernels.DType) float64 {
	switch {
	case o.tol > 0:
		return o.tol
	case d == kernels.Float32:
		return tolFloat32
	}
	return tolFloat64
}

// limit is MaxIter or the method's default.
func (o options) limit(byDefault int) int {
	if o.maxIter > 0 {
		return o.maxIter
	}
	return byDefault
}

// beta is the damping factor, 1 by default.
func (o options) beta() float64 {
	if o.damping > 0 {
		return o.damping
	}
	return 1
}
