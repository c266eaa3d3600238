// Package lane holds the vector primitives of the implicit solvers. Samples are worked on side by side: an array
// [n][lanes] holds n rows (nodes) of as many lanes (samples), and every primitive treats its lanes alike and
// independently, so that one lane's result does not depend on the others.
//
// A Table holds the primitives of one path for one element type and one number of lanes, 16 or 32. Paths differ in the
// last bits. Slices of one call must fit together: anything else is a bug of the caller, and panics.
package lane

import (
	"fmt"

	"ganglion/internal/cpu"
)

// Group is the smaller number of lanes, and that of the primitives for Jacobians.
const Group = 16

// Table holds the primitives of one path. A destination may be the same slice as an operand of the same shape where
// that is said; apart from that it must not overlap one.
type Table[T float32 | float64] struct {
	// Rows is a sparse matrix times lanes: g_r = base_r + Σ_e value_e·f_index(e) over lo_r ≤ e < hi_r. lo and hi must
	// ascend and indices lie within f: only the Go path checks every one of them. base may be g.
	Rows func(g, base, f []T, lo, hi, index []int32, value []T)
	// Dense is a matrix times lanes: g_r = base_r + Σ_j m_rj·f_j. m is [n, k] for n rows of g and k rows of f. base may
	// be g.
	Dense func(g, base, m, f []T)
	// Extent is res = max_r |g_r-x_r| and norm = max_r |x_r|, NaN if there is one.
	Extent func(res, norm, x, g []T)
	// Step is y_r = x_r + s∘a_r with one row s of factors. y may be x or a.
	Step func(y, x, a, s []T)
	// Dots is out = Σ_r a_r∘b_r.
	Dots func(out, a, b []T)
	// Squares is out = Σ_r (g_r-x_r)².
	Squares func(out, x, g []T)
	// FMA is y = c + d∘a, elementwise. y may be any of them.
	FMA func(y, c, d, a []T)
}

// Jacobians holds the primitives for matrices [n, n] of lanes, 16 of them: element (r, c) is the row of lanes r·n+c.
type Jacobians[T float32 | float64] struct {
	// Columns is y_j = -m_j·s_j for rows s_j of lanes and numbers m_j.
	Columns func(y, m, s []T)
	// Scale is y_j = -m_j·s for one row s of lanes.
	Scale func(y, m, s []T)
	// Pivots finds the largest |a_r| of every lane among n rows that are stride rows apart, and its r: the first of
	// equals, 0 if all are 0 or NaN.
	Pivots func(row, most, a []T, n, stride int)
	// Eliminate is a_j -= l∘b_j for one row l of factors.
	Eliminate func(a, b, l []T)
	// Eliminate4 is a_j -= Σ_i l_i∘b_ij over i < 4, where b_i starts i·stride rows of lanes behind b.
	Eliminate4 func(a, b, l []T, stride int)
}

// Weights holds the steps of the regularisers on a row of weights w with one factor z a weight. Their results are the
// same on all paths.
type Weights[T float32 | float64] struct {
	// Repel is w ← w·max(0, 1 - a·z/(b-|w|·inverse)).
	Repel func(w, z []T, a, inverse, b T)
	// Shrink is w ← sgn(w)·max(0, |w|-a·z) for a·z ≥ 0.
	Shrink func(w, z []T, a T)
	// Divide is w ← w/(1+a·z).
	Divide func(w, z []T, a T)
	// Largest raises some of the Group numbers most, which are not negative, so that their largest is the largest of
	// them and of all |w|, NaN if there is one.
	Largest func(most, w []T)
}

// For returns the primitives of a path for 16 or 32 lanes.
func For[T float32 | float64](path cpu.Path, lanes int) *Table[T] {
	if lanes != Group && lanes != 2*Group {
		panic(fmt.Sprintf("lane: no primitives for %d lanes", lanes))
	}
	var zero T
	if _, ok := any(zero).(float32); ok {
		return any(table32(path, lanes/Group-1)).(*Table[T])
	}
	return any(table64(path, lanes/Group-1)).(*Table[T])
}

// ForJacobians returns the primitives of a path for Jacobians.
func ForJacobians[T float32 | float64](path cpu.Path) *Jacobians[T] {
	var zero T
	if _, ok := any(zero).(float32); ok {
		return any(jacobians32(path)).(*Jacobians[T])
	}
	return any(jacobians64(path)).(*Jacobians[T])
}

// ForWeights returns the primitives of a path for regularisers.
func ForWeights[T float32 | float64](path cpu.Path) *Weights[T] {
	var zero T
	if _, ok := any(zero).(float32); ok {
		return any(weights32(path)).(*Weights[T])
	}
	return any(weights64(path)).(*Weights[T])
}

// misfit panics because of lengths that are not what they should be.
func misfit(what string, lengths ...int) {
	panic(fmt.Sprintf("lane: %s: lengths %v do not fit", what, lengths))
}
