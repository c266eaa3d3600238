package spectral

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// Kind names a fixed transform M along tubes of length c.
type Kind uint8

// The transforms.
const (
	DFT  Kind = iota // unnormalised, F_kq = e^{−2πikq/c}, in real planes (see the package comment)
	DCT              // orthonormal DCT-II: M_kq = s_k cos(π(2q+1)k/2c), s_0 = √(1/c), else √(2/c)
	Haar             // orthonormal, c a power of two; rows: the mean, then from coarse to fine
	None             // the identity: channels do not mix
)

var kindNames = [...]string{DFT: "dft", DCT: "dct", Haar: "haar", None: "id"}

// valid reports whether k is one of the transforms.
func (k Kind) valid() bool { return int(k) < len(kindNames) }

// ParseKind returns the transform of the given name: dft, dct, haar or id.
func ParseKind(name string) (Kind, error) {
	for k, n := range kindNames {
		if n == name {
			return Kind(k), nil
		}
	}
	return 0, fmt.Errorf("spectral: unknown transform %q (known: %s)", name, strings.Join(kindNames[:], ", "))
}

// powerOfTwo reports whether n is 1, 2, 4, …
func powerOfTwo(n int) bool { return bits.OnesCount(uint(n)) == 1 && n > 0 }

// planes are the numbers of real slices (r) and of complex ones (q) in the half spectrum of a real tube of length c.
func planes(c int) (r, q int) {
	if c == 0 {
		return 0, 0
	}
	r = 2 - c%2
	return r, (c - r) / 2
}

// entries gives the entries of the matrix of a transform, from a table of cosines: cos(2πi/4c).
type entries struct {
	kind Kind
	c    int
	cos  []float64
}

func entriesOf(k Kind, c int) entries {
	e := entries{kind: k, c: c}
	if k == DFT || k == DCT {
		e.cos = make([]float64, 4*c)
		for i := range e.cos {
			e.cos[i] = cosine(i, 4*c)
		}
	}
	return e
}

// cosine is cos(2πi/n) for 0 ≤ i < n, computed in the first octant, so that roots of unity are exactly symmetric.
func cosine(i, n int) float64 {
	sign := 1.0
	if 2*i > n {
		i = n - i
	}
	if 4*i > n {
		i, sign = n-2*i, -1
	} else {
		i *= 2
	}
	// The angle is now πi/n with 0 ≤ i ≤ n/2.
	if 4*i <= n {
		return sign * math.Cos(math.Pi*float64(i)/float64(n))
	}
	return sign * math.Sin(math.Pi*float64(n-2*i)/float64(2*n))
}

// at is M_kq. For the DFT row k is a plane.
func (e *entries) at(k, q int) float64 {
	c := e.c
	switch e.kind {
	case DFT:
		slice, imaginary := sliceOf(k, c)
		turn := slice * q % c * 4
		if imaginary {
			return e.cos[(turn+c)%(4*c)]
		}
		return e.cos[turn]
	case DCT:
		s := math.Sqrt(2 / float64(c))
		if k == 0 {
			s = math.Sqrt(1 / float64(c))
		}
		return s * e.cos[(2*q+1)*k%(4*c)]
	case Haar:
		return haarEntry(k, q, c)
	}
	if k == q {
		return 1
	}
	return 0
}

// sliceOf is the slice of the spectrum that a plane belongs to, and whether it is the imaginary part.
func sliceOf(plane, c int) (slice int, imaginary bool) {
	r, q := planes(c)
	switch {
	case plane == 0:
		return 0, false
	case plane < r:
		return c / 2, false
	case plane < r+q:
		return plane - r + 1, false
	}
	return plane - r - q + 1, true
}

func haarEntry(k, q, c int) float64 {
	if k == 0 {
		return math.Sqrt(1 / float64(c))
	}
	level := bits.Len(uint(k)) - 1
	length := c >> level
	from := (k - 1<<level) * length
	switch v := math.Sqrt(1 / float64(length)); {
	case q < from || q >= from+length:
		return 0
	case q < from+length/2:
		return v
	default:
		return -v
	}
}

// weight is ω/c: what the transpose of the DFT's matrix is multiplied with, plane by plane, to give its inverse. It is
// 1 for orthonormal transforms.
func (e *entries) weight(plane int) float64 {
	if e.kind != DFT {
		return 1
	}
	if r, _ := planes(e.c); plane < r {
		return 1 / float64(e.c)
	}
	return 2 / float64(e.c)
}

// entry is entry (i, j) of the matrix that o multiplies with.
func (e *entries) entry(o Transform, i, j int) float64 {
	// M⁻¹ = Mᵀ·diag(weight), M⁻ᵀ = diag(weight)·M.
	if o.Inverse != o.Transposed {
		i, j = j, i
	}
	v := e.at(i, j)
	if o.Inverse {
		v *= e.weight(i)
	}
	return v
}
